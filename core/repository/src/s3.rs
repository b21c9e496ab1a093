//! A bucket: the only place of the project that talks to S3. Every request goes through [`Bucket::call`], which gives
//! it a deadline, patience, and an error that names the object and the permission.

pub(crate) mod abort;
pub(crate) mod condition;
pub(crate) mod connect;
mod credentials;
mod days;
pub(crate) mod download;
pub(crate) mod listing;
pub(crate) mod locks;
pub(crate) mod multipart;
pub(crate) mod newest;
pub(crate) mod object;
mod owner;
mod page;
pub(crate) mod probe;
pub(crate) mod reach;
pub(crate) mod refusal;
pub(crate) mod remove;
pub(crate) mod resume;
pub(crate) mod said;
mod server_copy;
pub(crate) mod stored;
#[cfg(test)]
mod tests;
pub(crate) mod thaw;
mod trust;
pub(crate) mod upload;
mod whole;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use catalog::Layout;

use self::credentials::Renewable;
use crate::{BucketSettings, Error, Retry};

/// How much longer than the word to stop a request goes on that decides whether a backup exists.
const COMMIT_GRACE: Duration = Duration::from_secs(3);
/// How much longer than the word to stop clearing up goes on, altogether.
const CLEARING_GRACE: Duration = Duration::from_secs(7);
/// Slower than this a body is not waited for: bytes per second.
const SLOWEST: u64 = 32 << 10;

/// One bucket and prefix. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub(crate) client: Client,
    pub(crate) settings: Arc<BucketSettings>,
    /// The same client, but that it doesn't ask whose the bucket is; only where the settings do.
    pub(crate) anyone: Option<Client>,
    /// Both clients' credentials, where there may be others.
    pub(crate) renewable: Option<Renewable>,
    /// The settings' patience, or that of what goes on a little when the run is told to stop.
    pub(crate) patience: Arc<Retry>,
    pub(crate) layout: Arc<Layout>,
    /// The region asked; error texts name it.
    pub(crate) region: Arc<str>,
    /// The URL of another store than AWS.
    pub(crate) endpoint: Option<Arc<str>>,
    /// The store has answered in this run: what doesn't reach it now has reached it before.
    pub(crate) answered: Arc<AtomicBool>,
    /// The bucket has done what was asked, for whoever asks whose it is: it is theirs.
    pub(crate) served: Arc<AtomicBool>,
    /// A body is sent without SHA-256 in its signature: TLS, or the loopback, and the checksum protect it.
    pub(crate) unsigned_payload: bool,
}

/// One request, for deadlines and errors.
pub(crate) struct Call<'a> {
    /// The IAM action it needs.
    pub(crate) action: &'static str,
    /// Its key; `None` for the bucket itself.
    pub(crate) key: Option<&'a str>,
    /// Bytes of its body.
    pub(crate) bytes: u64,
    /// Its answer has no body, and so no code where it is refused.
    pub(crate) bodiless: bool,
}

impl<'a> Call<'a> {
    pub(crate) fn new(action: &'static str, key: &'a str) -> Self {
        Self { action, key: Some(key), bytes: 0, bodiless: false }
    }

    pub(crate) fn on_bucket(action: &'static str) -> Self {
        Self { action, key: None, bytes: 0, bodiless: false }
    }

    pub(crate) fn without_body(self) -> Self {
        Self { bodiless: true, ..self }
    }

    pub(crate) fn carrying(self, bytes: usize) -> Self {
        Self { bytes: bytes as u64, ..self }
    }
}

impl Bucket {
    /// `s3://bucket/prefix`.
    #[must_use]
    pub fn display_name(&self) -> String {
        match self.settings.prefix.as_str() {
            "" => format!("s3://{}", self.settings.bucket),
            prefix => format!("s3://{}/{prefix}", self.settings.bucket),
        }
    }

    /// `s3://bucket/key`, as errors name an object.
    pub(crate) fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.settings.bucket)
    }

    /// Sends a request as often as the settings' patience allows.
    pub(crate) async fn call<T, E, F>(&self, call: Call<'_>, send: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.call_with(&self.patience, &call, send).await
    }

    /// The same bucket, for what decides whether a backup exists: told to stop, it has a moment to come to its end.
    pub(crate) fn committing(&self) -> Self {
        Self { patience: self.settings.retry.with_grace(COMMIT_GRACE).into(), ..self.clone() }
    }

    /// The same bucket, for clearing up: told to stop, it is done nevertheless, within seconds.
    pub(crate) fn clearing(&self) -> Self {
        Self { patience: self.settings.retry.for_clearing().with_grace(CLEARING_GRACE).into(), ..self.clone() }
    }

    /// Sends a request as often as the caller's patience allows.
    pub(crate) async fn call_with<T, E, F>(
        &self,
        retry: &Retry,
        call: &Call<'_>,
        mut send: impl FnMut() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        retry
            .run(|| {
                let sent = send();
                async { self.once(call, sent).await }
            })
            .await
    }

    /// Sends a request once, within its deadline.
    pub(crate) async fn once<T, E>(
        &self,
        call: &Call<'_>,
        sent: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Error>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let limit = self.settings.request_timeout + Duration::from_secs(call.bytes / SLOWEST);
        let began = Instant::now();
        match tokio::time::timeout(limit, sent).await {
            Ok(Ok(answer)) => {
                self.answered.store(true, Ordering::Relaxed);
                self.served.store(true, Ordering::Relaxed);
                Ok(answer)
            }
            Ok(Err(refused)) => match Box::pin(self.refusal(call, refused)).await {
                Error::ExpiredCredentials { code } if Box::pin(self.renew_credentials(began)).await => {
                    Err(Error::RenewedCredentials { code })
                }
                error => Err(error),
            },
            Err(_) => Err(Error::Timeout { object: self.object_of(call), seconds: limit.as_secs() }),
        }
    }

    pub(crate) fn has_served(&self) -> bool {
        self.served.load(Ordering::Relaxed)
    }

    /// One row of the listing: credentials, region, bucket and the right to list are all in it.
    pub(crate) async fn check_access(&self) -> Result<(), Error> {
        let request = self.list_request(self.layout.prefix()).max_keys(1);
        self.call(Call::on_bucket("s3:ListBucket"), || request.clone().send()).await.map(drop)
    }

    pub(crate) fn object_of(&self, call: &Call<'_>) -> String {
        call.key.map_or_else(|| self.display_name(), |key| self.url(key))
    }
}
