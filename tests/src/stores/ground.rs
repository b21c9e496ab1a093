//! What the rows of one store stand on: the store, two databases, agents and buckets.

use std::sync::OnceLock;
use std::time::Duration;

use super::server::{self, Running};
use super::store::Store;
use super::trouble::{Tried, Trouble};
use crate::agent::{Agent, Outcome};
use crate::bucket::{Access, Bucket, is_archive, wait};
use crate::postgres::{Database, Postgres};
use crate::proxy::Proxy;

/// One running store.
pub(super) struct Ground {
    pub(super) store: Store,
    running: Running,
}

impl Ground {
    pub(super) fn new(store: Store) -> Ground {
        Ground { store, running: server::start(store) }
    }

    /// Who may do everything.
    pub(super) fn access(&self) -> &Access {
        &self.running.access
    }

    /// A new bucket.
    pub(super) fn bucket(&self) -> Bucket {
        Bucket::new(self.access())
    }

    /// A network in front of the store.
    pub(super) fn proxy(&self) -> Proxy {
        Proxy::start(&self.access().endpoint)
    }

    /// An agent with the settings that the store needs.
    pub(super) fn agent(&self, bucket: &Bucket) -> Agent {
        self.agent_as(bucket.name(), self.access())
    }

    /// The same by way of a proxy.
    pub(super) fn agent_through(&self, bucket: &Bucket, proxy: &Proxy) -> Agent {
        self.agent_as(bucket.name(), &self.access().through(proxy))
    }

    /// The same as somebody else, or in another bucket.
    pub(super) fn agent_as(&self, bucket: &str, access: &Access) -> Agent {
        let settings = self.store.settings().iter();
        settings.fold(agent(bucket, access), |agent, setting| agent.setting(setting.name, setting.value))
    }

    /// An agent that knows nothing but endpoint, region, bucket and keys.
    pub(super) fn agent_by_default(&self, bucket: &Bucket) -> Agent {
        agent(bucket.name(), self.access())
    }

    /// Whether large archives go in parts, with the settings that the store needs.
    pub(super) fn takes_parts(&self) -> bool {
        self.store.settings().iter().all(|setting| setting.name != "BACKUP_S3_PART_SIZE")
    }

    /// The settings that make `large` an upload of several parts, where the store takes parts.
    pub(super) fn in_parts(&self, agent: Agent) -> Agent {
        let agent = agent.setting("BACKUP_COMPRESSION", "none").database(large());
        if self.takes_parts() { agent.setting("BACKUP_S3_PART_SIZE", "5MiB") } else { agent }
    }
}

/// Impatient, so that a row is quick; its log files lie in its home.
fn agent(bucket: &str, access: &Access) -> Agent {
    let agent = Agent::new();
    let log = agent.home().join("log").display().to_string();
    let logs = ["BACKUP_LOG_FILE", "BACKUP_VERIFY_LOG_FILE", "RESTORE_LOG_FILE"];
    let agent = logs.into_iter().fold(agent, |agent, name| agent.setting(name, log.clone()));
    let agent = agent.setting("BACKUP_RETRY_MINUTES", "1").setting("BACKUP_RETRY_DELAY", "200ms");
    // One backup of next to nothing is enough here.
    let agent = agent.setting("MIN_BACKUP_COUNT", "1").setting("MIN_BACKUP_SIZE", "0");
    agent.bucket(bucket, access).database(small())
}

/// 30 MB in a plain dump, which nobody changes: with every default two parts, uncompressed six of 5 MiB.
pub(super) fn large() -> &'static Database<'static> {
    static LARGE: OnceLock<Database<'static>> = OnceLock::new();
    LARGE.get_or_init(|| {
        let database = Postgres::shared().new_database("stores_large");
        database.fill_with_megabytes(30);
        database
    })
}

/// One table of two rows, which nobody changes.
pub(super) fn small() -> &'static Database<'static> {
    static SMALL: OnceLock<Database<'static>> = OnceLock::new();
    SMALL.get_or_init(|| {
        let database = Postgres::shared().new_database("stores_small");
        database.query("CREATE TABLE pair AS SELECT * FROM generate_series(1, 2) AS number");
        database
    })
}

/// Runs the agent, which must be done; if it fails, the store may be why.
pub(super) fn done(agent: &Agent, arguments: &[&str]) -> Result<Outcome, Trouble> {
    let outcome = agent.run(arguments);
    if outcome.code == Some(0) { Ok(outcome) } else { Err(Trouble::Failed(outcome)) }
}

/// Everything in the bucket is read back and whole, and it is so many backups.
pub(super) fn holds_good_backups(agent: &Agent, bucket: &Bucket, count: usize) -> Tried {
    let keys = bucket.keys();
    let ending = |suffix: &str| keys.iter().filter(|key| key.ends_with(suffix)).count();
    let archives = keys.iter().filter(|key| is_archive(key)).count();
    assert_eq!((archives, ending(".manifest.json")), (count, count), "archives and manifests: {keys:#?}");
    done(agent, &["verify", "--all", "--force"])?;
    let listed = done(agent, &["list", "--json"])?.json();
    let backups = listed["databases"][0]["backups"].as_array().cloned().unwrap_or_default();
    let good = backups.iter().filter(|backup| backup["state"] == "good").count();
    assert_eq!((backups.len(), good), (count, count), "backups, and good ones: {listed:#}");
    assert_eq!(open_uploads(bucket), Vec::<String>::new(), "uploads are left open");
    Ok(())
}

/// The keys of uploads that were begun and neither completed nor aborted. A store that doesn't list them shows none.
pub(super) fn open_uploads(bucket: &Bucket) -> Vec<String> {
    let page = wait(bucket.client().list_multipart_uploads().bucket(bucket.name()).send());
    let uploads = page.map(|page| page.uploads.unwrap_or_default()).unwrap_or_default();
    uploads.iter().filter_map(|upload| upload.key().map(str::to_owned)).collect()
}

/// Waits until the next second: a backup's name tells seconds.
pub(super) fn next_second() {
    std::thread::sleep(Duration::from_millis(1100));
}
