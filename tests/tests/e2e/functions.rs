//! The functions' real binaries, run as Lambda runs them, over a real S3 server: what they judge, keep and publish, and what
//! twisted events, short deadlines and large archives do to them.

mod burst;
mod damage;
mod deadline;
mod deployed;
mod freshness;
mod guests;
mod log;
mod parts;
mod retention;
mod scale;
mod sweep;
mod vault;
mod verify;

use std::sync::OnceLock;
use std::time::Duration;

use e2e::alerts::{Inbox, Message, metric};
use e2e::aws::ask;
use e2e::bucket::{Access, Bucket};
use e2e::functions::{Answer, Function, Setup};
use e2e::ministack::{Ministack, Rights};
use e2e::queue::Queue;
use e2e::seaweedfs::Seaweedfs;
use serde_json::{Value, json};

/// Lambda's longest: enough for everything small.
const AMPLE: Duration = Duration::from_secs(900);

/// A bucket, and where its functions' metrics and messages arrive.
pub(crate) struct Ground {
    pub(crate) bucket: Bucket,
    topic: String,
    inbox: Inbox,
}

impl Ground {
    pub(crate) fn new() -> Ground {
        Self::over(Bucket::new(&Seaweedfs::shared().admin()))
    }

    pub(crate) fn versioned() -> Ground {
        Self::over(Bucket::versioned(&Seaweedfs::shared().admin()))
    }

    fn over(bucket: Bucket) -> Ground {
        let made = ask(&hearers().root(), "sns", "CreateTopic", json!({"Name": bucket.name()}));
        let topic = made["TopicArn"].as_str().unwrap().to_owned();
        let inbox = Inbox::new(&hearers().root(), bucket.name(), &topic);
        Ground { bucket, topic, inbox }
    }

    /// A function over this bucket.
    pub(crate) fn function(&self, name: &str) -> Setup {
        self.function_as(name, self.bucket.access())
    }

    /// The same as another identity, or by another way to the server.
    pub(crate) fn function_as(&self, name: &str, access: &Access) -> Setup {
        let setup = Setup::new(name, access, self.bucket.name()).reports_to(&hearers().root());
        setup.setting("LASTGOOD_ALERTS_TOPIC", &self.topic).setting("LASTGOOD_PER_DATABASE_METRICS", "true")
    }

    /// The events of these objects' arrival, in EventBridge's form.
    pub(crate) fn arrival(&self, key: &str) -> Value {
        let etag = self.bucket.objects().into_iter().find(|object| object.key == key).map(|object| object.etag);
        let etag = etag.unwrap_or_default();
        json!({"detail-type": "Object Created", "source": "aws.s3", "detail": {
            "bucket": {"name": self.bucket.name()}, "object": {"key": key, "etag": etag.trim_matches('"')}}})
    }

    /// The largest value of a metric over the repository, or one database of it; none when it was never published.
    pub(crate) fn metric(&self, name: &str, database: Option<&str>) -> Option<f64> {
        metric(&hearers().root(), &self.repository(), database, name)
    }

    /// The value of the metrics' dimension.
    pub(crate) fn repository(&self) -> String {
        format!("s3://{}/backups", self.bucket.name())
    }

    /// A new queue, in place of the stack's queue of arrivals.
    pub(crate) fn queue(&self) -> Queue {
        Queue::new(&hearers().root(), &format!("{}-arrived", self.bucket.name()))
    }

    /// The messages that have come since the last look.
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.inbox.messages()
    }
}

/// Who takes metrics and messages: signatures don't matter to it, because the functions' keys are the S3 server's.
fn hearers() -> &'static Ministack {
    static HEARERS: OnceLock<Ministack> = OnceLock::new();
    HEARERS.get_or_init(|| Ministack::start(Rights::Ignored))
}

/// One invocation in a process of its own.
pub(crate) fn invoke(setup: &Setup, event: &Value) -> Answer {
    Function::start(setup).invoke(event, AMPLE)
}
