//! Healthcheck pings, healthchecks.io's way: the URL with `/start`, the URL itself, the URL with `/fail`.
//!
//! A ping tells somebody else's server how a backup went; one that fails warns and never fails the backup. Without a URL no
//! client is made and no TLS library is touched.

use std::time::Duration;

use crate::settings::{DatabaseSettings, Secret};

/// A monitor that doesn't answer must not hold up a backup.
const TIMEOUT: Duration = Duration::from_secs(10);
/// healthchecks.io keeps the first 100 kB of a body.
const BODY_LIMIT: usize = 100_000;

/// Where the pings of one database go.
#[derive(Clone, Debug)]
pub(crate) struct Healthcheck {
    success: Option<Secret>,
    fail: Option<Secret>,
}

impl Healthcheck {
    pub(crate) fn new(settings: &DatabaseSettings) -> Self {
        let success = settings.healthcheck.clone();
        let derived = || success.as_ref().map(|url| below(url, "fail"));
        let fail = settings.healthcheck_fail.clone().or_else(derived);
        Self { success, fail }
    }

    /// A backup begins.
    pub(crate) async fn start(&self) {
        if let Some(url) = &self.success {
            ping(&below(url, "start"), "").await;
        }
    }

    /// It succeeded.
    pub(crate) async fn success(&self) {
        if let Some(url) = &self.success {
            ping(url, "").await;
        }
    }

    /// It failed, and why.
    pub(crate) async fn fail(&self, error: &str) {
        if let Some(url) = &self.fail {
            ping(url, error).await;
        }
    }
}

/// The URL's path with one more part; its query stays where it is.
fn below(url: &Secret, part: &str) -> Secret {
    let Ok(mut longer) = url::Url::parse(url.expose()) else { return url.clone() };
    if let Ok(mut path) = longer.path_segments_mut() {
        path.pop_if_empty().push(part);
    }
    Secret::new(longer)
}

async fn ping(url: &Secret, body: &str) {
    if let Err(error) = post(url, body).await {
        // The URL is as good as a password for the check: it is left out.
        tracing::warn!("the healthcheck ping failed: {}", in_words(&error.without_url()));
    }
}

async fn post(url: &Secret, body: &str) -> Result<(), reqwest::Error> {
    let end = body.floor_char_boundary(BODY_LIMIT);
    let body = body.get(..end).unwrap_or_default().to_owned();
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .user_agent(concat!("lastgood/", env!("CARGO_PKG_VERSION")))
        .build()?;
    client.post(url.expose()).body(body).send().await?.error_for_status()?;
    Ok(())
}

/// An error and its causes, which say more than it does.
fn in_words(error: &reqwest::Error) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause {
        words = format!("{words}: {deeper}");
        cause = deeper.source();
    }
    words
}
