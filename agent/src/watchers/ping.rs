//! Healthcheck pings, healthchecks.io's way: the URL with `/start`, the URL itself, the URL with `/fail`.
//!
//! A ping tells a monitoring service how a backup went; one that fails warns and never fails the backup. Without a URL no
//! client is made and no TLS library is touched.

use postgres::Secret;
use repository::Cancellation;

use super::http::{self, GRACE};
use crate::answers::failure::Failure;

/// healthchecks.io keeps the first 100 kB of a body.
const BODY_LIMIT: usize = 100_000;

/// Where the pings of one database go.
#[derive(Clone, Debug)]
pub(crate) struct Ping {
    success: Option<Secret>,
    failure: Option<Secret>,
    cancellation: Cancellation,
}

impl Ping {
    /// `failure` may have a URL of its own; otherwise it is `success` with `/fail` added.
    pub(crate) fn new(success: Option<&Secret>, failure: Option<&Secret>, cancellation: Cancellation) -> Self {
        let derived = || success.map(|url| below(url, "fail"));
        Self { success: success.cloned(), failure: failure.cloned().or_else(derived), cancellation }
    }

    /// Tells that a backup begins.
    pub(crate) async fn start(&self) {
        if let Some(url) = &self.success {
            // Told to stop, the run ends by itself at its next step.
            let _ = self.cancellation.or(ping(&below(url, "start"), "")).await;
        }
    }

    /// Tells that the backup succeeded.
    pub(crate) async fn success(&self) {
        if let Some(url) = &self.success {
            self.tell_end(url, "").await;
        }
    }

    /// Tells that the backup failed, and why.
    pub(crate) async fn failure(&self, failure: &Failure) {
        if let Some(url) = &self.failure {
            self.tell_end(url, &failure.to_string()).await;
        }
    }

    async fn tell_end(&self, url: &Secret, body: &str) {
        if let Err(error) = self.cancellation.after(GRACE).or(ping(url, body)).await {
            tracing::warn!("cannot send the healthcheck ping: {error}");
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
        tracing::warn!("cannot send the healthcheck ping: {error}");
    }
}

async fn post(url: &Secret, body: &str) -> Result<(), String> {
    let end = body.floor_char_boundary(BODY_LIMIT);
    let body = body.get(..end).unwrap_or_default().to_owned();
    http::post(url, |request| request.body(body)).await
}

#[cfg(test)]
mod tests {
    use super::super::http::testing::monitor;
    use super::*;
    use crate::answers::failure::Exit;

    #[tokio::test]
    async fn a_run_is_told_as_healthchecks_io_wants_it() {
        let (url, requests) = monitor(3, "200 OK").await;
        let ping = Ping::new(Some(&Secret::new(url)), None, Cancellation::never());
        ping.start().await;
        ping.success().await;
        ping.failure(&Failure::new(Exit::Failed, "disk full").hint("free some")).await;
        let requests = requests.await.unwrap();
        let lines: Vec<_> = requests.iter().map(|request| request.lines().next().unwrap()).collect();
        assert_eq!(
            lines,
            ["POST /uuid/start?rid=1 HTTP/1.1", "POST /uuid?rid=1 HTTP/1.1", "POST /uuid/fail?rid=1 HTTP/1.1"]
        );
        assert!(requests[2].ends_with("\r\n\r\ndisk full\nhint: free some"), "{}", requests[2]);
    }

    #[tokio::test]
    async fn a_failure_goes_to_its_own_url() {
        let (url, requests) = monitor(1, "200 OK").await;
        let never = Secret::new("http://127.0.0.1:1/never");
        let ping = Ping::new(Some(&never), Some(&Secret::new(url)), Cancellation::never());
        ping.failure(&Failure::new(Exit::Failed, "x")).await;
        assert!(requests.await.unwrap()[0].starts_with("POST /uuid?rid=1 "));
    }

    /// A GET without what is to be told, to whom it isn't meant for, would pass for a message.
    #[tokio::test]
    async fn what_is_told_goes_whole_and_to_nobody_else() {
        let (elsewhere, requests) = monitor(1, "200 OK").await;
        for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect"] {
            let location = elsewhere.replace("127.0.0.1", "localhost");
            let answer: &'static str = format!("{status}\r\nlocation: {location}").leak();
            let (url, _) = monitor(1, answer).await;
            let error = post(&Secret::new(&url), "what").await.unwrap_err();
            assert!(error.contains("set the address that it has now") && !error.contains("uuid"), "{error}");
        }
        let answer: &'static str = format!("308 Permanent Redirect\r\nlocation: {elsewhere}").leak();
        let (url, _) = monitor(1, answer).await;
        post(&Secret::new(&url), "what").await.unwrap();
        let requests = requests.await.unwrap();
        assert!(requests[0].starts_with("POST ") && requests[0].ends_with("what"), "{}", requests[0]);
        assert!(!requests[0].to_lowercase().contains("referer"), "{}", requests[0]);
    }

    #[tokio::test]
    async fn a_ping_that_fails_says_why_without_its_url() {
        let (url, requests) = monitor(1, "500 Oops").await;
        let refused = post(&Secret::new(&url), "").await.unwrap_err();
        requests.await.unwrap();
        let away = post(&Secret::new("http://127.0.0.1:1/uuid"), "").await.unwrap_err();
        for error in [refused, away] {
            assert!(!error.contains("uuid") && !error.is_empty(), "{error}");
        }
    }
}
