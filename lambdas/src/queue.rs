//! The queue of arrivals, from which the verify function takes its work: what the sweep puts into it, and when a message that
//! failed comes back.

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use crate::cloud::cause;
use crate::{Cloud, Environment, Failure};

/// How many messages SQS takes at once.
const BATCH: usize = 10;

/// Seconds until a message that failed comes again. What killed the function comes again only after the queue's own time, which
/// is longer than an invocation can be.
const AGAIN_AFTER: i32 = 120;

/// A queue that this function may write to.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    client: aws_sdk_sqs::Client,
    url: String,
}

impl Queue {
    /// The queue that the environment names; `None` in a stack that is older than queues.
    pub(crate) fn of(cloud: &Cloud, environment: &Environment<'_>) -> Option<Self> {
        let url = environment.text("LASTGOOD_ARRIVED_QUEUE")?;
        Some(Self { client: aws_sdk_sqs::Client::new(cloud.sdk()), url })
    }

    /// Puts up to ten messages into the queue.
    ///
    /// # Errors
    /// When SQS doesn't accept every one of them.
    async fn send_batch(&self, bodies: &[String]) -> Result<(), Failure> {
        let entry = |(place, body): (usize, &String)| {
            SendMessageBatchRequestEntry::builder().id(place.to_string()).message_body(body).build()
        };
        let entries: Result<Vec<_>, _> = bodies.iter().enumerate().map(entry).collect();
        let entries = entries.map_err(|error| Failure::Queue(error.to_string()))?;
        let request = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let sent = request.send().await.map_err(|error| Failure::Queue(cause(&error)))?;
        match sent.failed().first() {
            None => Ok(()),
            Some(failed) => {
                let reason = failed.message().unwrap_or_default();
                Err(Failure::Queue(format!("{}: {reason}", failed.code())))
            }
        }
    }

    /// Puts messages into the queue in their order as long as `goes_on`; how many are in it.
    ///
    /// # Errors
    /// When SQS doesn't accept every one of them.
    pub(crate) async fn send(&self, bodies: &[String], goes_on: impl Fn() -> bool) -> Result<usize, Failure> {
        let mut sent = 0;
        for batch in bodies.chunks(BATCH) {
            if !goes_on() {
                break;
            }
            self.send_batch(batch).await?;
            sent += batch.len();
        }
        Ok(sent)
    }

    /// Has a message that failed come again soon. Without it, it comes later: so a failure here is none.
    pub(crate) async fn again_soon(&self, receipt: &str) {
        let request = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        if let Err(error) = request.visibility_timeout(AGAIN_AFTER).send().await {
            tracing::warn!("the message comes again only after the queue's own time: {}", cause(&error));
        }
    }
}
