//! The heartbeat: a GET while all is well, to a monitor outside AWS that rings when it stops coming. So somebody hears of a stack
//! that was deleted, an account that was suspended, a topic that nobody gets.
//!
//! Its URL is as good as a password for the monitor: nothing shows it. A heartbeat that fails is a line in the log, because
//! the monitor rings by itself.

use std::fmt;
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use crate::{Environment, Failure};

/// A monitor that doesn't answer must not hold up the function.
const TIMEOUT: Duration = Duration::from_secs(10);
const AGENT: &str = concat!("lastgood/", env!("CARGO_PKG_VERSION"));

/// Where the heartbeat goes, if anywhere.
#[derive(Clone)]
pub(crate) struct Heartbeat {
    url: Option<String>,
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.url.is_some() { "Heartbeat(hidden)" } else { "Heartbeat(none)" })
    }
}

impl Heartbeat {
    /// Reads its URL.
    ///
    /// # Errors
    /// When it is no URL of HTTP.
    pub(crate) fn read(environment: &Environment<'_>) -> Result<Self, Failure> {
        let url = environment.text("LASTGOOD_HEARTBEAT_URL");
        let is_http = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        if url.as_ref().is_some_and(|url| !is_http(url)) {
            let problem = "must begin with https:// or http://".to_owned();
            return Err(Failure::Setting { name: "LASTGOOD_HEARTBEAT_URL", problem });
        }
        Ok(Self { url })
    }

    /// Tells the monitor that all is well.
    pub(crate) async fn beat(&self) {
        let Some(url) = &self.url else { return };
        match tokio::time::timeout(TIMEOUT, get(url)).await {
            Ok(Ok(())) => tracing::info!("the heartbeat was sent"),
            Ok(Err(why)) => tracing::warn!("the heartbeat could not be sent: {why}"),
            Err(_) => tracing::warn!("the heartbeat could not be sent: no answer in {} seconds", TIMEOUT.as_secs()),
        }
    }
}

/// What went wrong is said without the URL, and so not in the words of whoever names it.
async fn get(url: &str) -> Result<(), String> {
    let mut request = HttpRequest::get(url).map_err(|_| "HeartbeatUrl is not a URL".to_owned())?;
    request.headers_mut().insert("user-agent", AGENT);
    let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build();
    let answer = connector.call(request).await.map_err(|error| {
        let kind = if error.is_timeout() { "no connection in time" } else { "its host cannot be reached" };
        kind.to_owned()
    })?;
    let status = answer.status();
    if status.is_success() { Ok(()) } else { Err(format!("the monitor answered {}", status.as_u16())) }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A monitor that answers once, and the request that it got.
    async fn monitor(status: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/secret-uuid?x=1", listener.local_addr().unwrap());
        let request = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).await.unwrap();
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&buffer[..read]).into_owned()
        });
        (url, request)
    }

    #[tokio::test]
    async fn a_heartbeat_is_a_get_of_the_url_as_it_is() {
        let (url, request) = monitor("200 OK").await;
        assert_eq!(get(&url).await, Ok(()));
        let request = request.await.unwrap();
        assert!(request.starts_with("GET /secret-uuid?x=1 HTTP/1.1\r\n"), "{request}");
    }

    #[tokio::test]
    async fn a_heartbeat_that_fails_says_why_without_its_url() {
        let (url, request) = monitor("404 Gone").await;
        assert_eq!(get(&url).await, Err("the monitor answered 404".to_owned()));
        request.await.unwrap();
        let away = get("http://127.0.0.1:1/secret-uuid").await.unwrap_err();
        assert!(!away.contains("secret") && !away.is_empty(), "{away}");
        assert!(!get("http://[x/secret").await.unwrap_err().contains("secret"));
    }

    #[test]
    fn only_a_url_of_http_is_taken_and_none_is_shown() {
        let read = |url: &'static str| Heartbeat::read(&Environment::new(move |_| Some(url.to_owned())));
        assert!(!format!("{:?}", read("https://hc.example/secret").unwrap()).contains("secret"));
        let refused = read("ftp://hc.example/secret").unwrap_err().to_string();
        assert!(refused.contains("must begin with") && !refused.contains("secret"), "{refused}");
    }
}
