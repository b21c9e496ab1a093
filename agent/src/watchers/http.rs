//! One message to a service that watches, by HTTP.

use std::time::Duration;

use postgres::Secret;
use serde::Serialize;

/// A service that doesn't answer must not hold up a backup.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How much longer than the word to stop a run tries to tell how it ended: it is told last, after all clearing up.
pub(super) const GRACE: Duration = Duration::from_secs(9);

/// Sends one POST, once.
///
/// # Errors
/// When it could not be sent, or the answer is none of success. The URL is not in it: it is as good as a password.
pub(super) async fn post(
    url: &Secret,
    fill: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
) -> Result<(), reqwest::Error> {
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .user_agent(concat!("lastgood/", env!("CARGO_PKG_VERSION")))
        .build()?;
    let answered = fill(client.post(url.expose())).send().await.and_then(reqwest::Response::error_for_status);
    answered.map(drop).map_err(reqwest::Error::without_url)
}

/// A request with a JSON document.
pub(super) fn json(request: reqwest::RequestBuilder, document: &impl Serialize) -> reqwest::RequestBuilder {
    let text = serde_json::to_string(document).unwrap_or_default();
    request.header("Content-Type", "application/json").body(text)
}

/// An error and its causes, which say more than it does.
pub(super) fn in_words(error: &reqwest::Error) -> String {
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
