//! One message to a service that watches, by HTTP.

use std::time::Duration;

use postgres::Secret;
use reqwest::redirect::{Action, Attempt, Policy};
use serde::Serialize;

/// A service that doesn't answer must not hold up a backup.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often a service may send on.
const REDIRECTS: usize = 3;
/// How much longer than the word to stop a run tries to tell how it ended: it is told last, after all clearing up.
pub(super) const GRACE: Duration = Duration::from_secs(9);

/// Sends one POST, once.
///
/// # Errors
/// When it could not be sent, or the answer is none of success, in words. The URL is not in them: it is as good as a password.
pub(super) async fn post(
    url: &Secret,
    fill: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
) -> Result<(), String> {
    let told = |error: reqwest::Error| in_words(&error.without_url());
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .user_agent(concat!("lastgood/", env!("CARGO_PKG_VERSION")))
        .referer(false)
        .redirect(Policy::custom(on))
        .build()
        .map_err(told)?;
    let answered = fill(client.post(url.expose())).send().await.and_then(reqwest::Response::error_for_status);
    let status = answered.map_err(told)?.status();
    let moved = || format!("the service answered {status}: set the address that it has now");
    if status.is_redirection() { Err(moved()) } else { Ok(()) }
}

/// Goes on where the message goes along, and to the same host alone: what is told is nobody else's.
fn on(attempt: Attempt<'_>) -> Action {
    let is_whole = matches!(attempt.status().as_u16(), 307 | 308);
    let stays = attempt.previous().iter().all(|before| before.host_str() == attempt.url().host_str());
    if is_whole && stays && attempt.previous().len() <= REDIRECTS { attempt.follow() } else { attempt.stop() }
}

/// A request with a JSON document.
pub(super) fn json(request: reqwest::RequestBuilder, document: &impl Serialize) -> reqwest::RequestBuilder {
    let text = serde_json::to_string(document).unwrap_or_default();
    request.header("Content-Type", "application/json").body(text)
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

#[cfg(test)]
pub(super) mod testing {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// Answers `count` requests with `status`, and returns them as they came.
    pub(in super::super) async fn monitor(
        count: usize,
        status: &'static str,
    ) -> (String, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/uuid?rid=1", listener.local_addr().unwrap());
        let requests = tokio::spawn(async move {
            let mut requests = Vec::new();
            for _ in 0..count {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = String::new();
                let mut buffer = [0; 4096];
                while !is_whole(&request) {
                    let read = stream.read(&mut buffer).await.unwrap();
                    request.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
                }
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
                requests.push(request);
            }
            requests
        });
        (url, requests)
    }

    fn is_whole(request: &str) -> bool {
        let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        body.len() >= length.map_or(0, |length| length.parse().unwrap())
    }
}
