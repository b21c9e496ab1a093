//! Messages to people: that a run failed, that it succeeds again, and if asked that it succeeded.
//!
//! The form is the service's: ntfy takes text and headers, Slack and Discord JSON of their own, and everybody else gets a document
//! with every fact in it (docs/json.md). A message that can't be sent warns, and never fails the run.

use jiff::Timestamp;
use postgres::Secret;
use serde::Serialize;
use serde_json::json;

use super::http;
use super::memory::Memory;
use crate::answers::failure::Failure;
use crate::cli::Which;
use crate::host;
use crate::interrupt::Interrupt;
use crate::settings::{DatabaseSettings, NotifyOn, Settings};

/// While `check` finds the same database unhealthy, it tells of it once a day.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(23 * 3600);
/// Characters of a message. Discord takes 2,000.
const LONGEST: usize = 1_900;

/// Where the messages about one command and one database go.
pub(crate) struct Notice {
    command: &'static str,
    database: String,
    target: Option<(Secret, NotifyOn)>,
    memory: Memory,
    interrupt: Interrupt,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Event {
    Failed,
    Recovered,
    Succeeded,
}

/// The document for services that have no form of their own.
#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    event: Event,
    command: &'a str,
    database: &'a str,
    host: &'a str,
    time: Timestamp,
    /// The exit status that the run had if this database were its only one.
    exit: u8,
    error: Option<&'a str>,
    hint: Option<&'a str>,
    /// What is told, in words.
    text: &'a str,
}

impl Notice {
    pub(crate) fn new(
        command: &'static str,
        settings: &Settings,
        database: &DatabaseSettings,
        interrupt: &Interrupt,
    ) -> Self {
        let name = database.name.clone().unwrap_or_else(|| "the default database".to_owned());
        Self {
            command,
            memory: Memory::of(&settings.state_directory, command, &name, &settings.own_file),
            database: name,
            target: database.notify.clone().map(|url| (url, settings.notify_on)),
            interrupt: interrupt.clone(),
        }
    }

    /// The same of another place than that of the settings.
    #[must_use]
    pub(crate) fn in_place(mut self, settings: &Settings, place: Option<&Which>) -> Self {
        if let Some(place) = place {
            let about = format!("{} {place:?}", settings.own_file);
            self.memory = Memory::of(&settings.state_directory, self.command, &self.database, &about);
        }
        self
    }

    /// Tells that it is over, where a failure is remembered, and nothing else.
    pub(crate) async fn recovered(&self) {
        if self.memory.failed() {
            self.end(None).await;
        }
    }

    /// Tells how it ended, if that is to be told.
    pub(crate) async fn end(&self, failure: Option<&Failure>) {
        let Some((url, on)) = &self.target else { return };
        let event = match (failure, self.memory.failed(), on) {
            // A monitoring system may ask every minute.
            (Some(_), ..) if self.command == "check" && self.memory.told_within(AGAIN) => return,
            (Some(_), ..) => Event::Failed,
            (None, true, _) => Event::Recovered,
            (None, false, NotifyOn::Always) => Event::Succeeded,
            (None, false, NotifyOn::Failure) => return,
        };
        if event == Event::Failed
            && let Err(error) = self.memory.remember()
        {
            tracing::warn!("cannot remember that this run failed, so nobody is told when it succeeds again: {error}");
        }
        let sending = self.send(url, Form::of(url), event, failure);
        match self.interrupt.cancellation().after(http::GRACE).or(sending).await {
            Ok(Ok(())) => self.remember_what_was_told(event),
            Ok(Err(error)) => tracing::warn!("cannot send the notification: {error}"),
            Err(error) => tracing::warn!("cannot send the notification: {error}"),
        }
    }

    fn remember_what_was_told(&self, event: Event) {
        let remembered = match event {
            Event::Failed => self.memory.told(),
            Event::Recovered => self.memory.forget(),
            Event::Succeeded => Ok(()),
        };
        if let Err(error) = remembered {
            tracing::warn!("cannot remember what was told, so the next run may tell it again: {error}");
        }
    }

    async fn send(&self, url: &Secret, form: Form, event: Event, failure: Option<&Failure>) -> Result<(), String> {
        let text = self.text(event, failure);
        let text: String = text.chars().take(LONGEST).collect();
        match form {
            Form::Slack => {
                // Nobody is called, and no link is dressed up, by what a database is called.
                let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                http::post(url, |request| http::json(request, &json!({ "text": text }))).await
            }
            Form::Discord => {
                // Nobody is named by a message of ours, whatever a database is called.
                let content = json!({ "content": text, "allowed_mentions": { "parse": [] } });
                http::post(url, |request| http::json(request, &content)).await
            }
            Form::Ntfy => {
                let (priority, tag) =
                    if event == Event::Failed { ("high", "rotating_light") } else { ("default", "white_check_mark") };
                let title = format!("lastgood {}: {}", self.command, event.word());
                let headed = |request: reqwest::RequestBuilder| {
                    request.header("Title", title).header("Priority", priority).header("Tags", tag)
                };
                http::post(url, |request| headed(request).body(text)).await
            }
            Form::Document => {
                let document = Document {
                    version: 1,
                    event,
                    command: self.command,
                    database: &self.database,
                    host: &host::name(),
                    time: Timestamp::now(),
                    exit: failure.map_or(0, |failure| failure.exit.code()),
                    error: failure.map(|failure| failure.error.as_str()),
                    hint: failure.and_then(|failure| failure.hint.as_deref()),
                    text: &text,
                };
                http::post(url, |request| http::json(request, &document)).await
            }
        }
    }

    fn text(&self, event: Event, failure: Option<&Failure>) -> String {
        let Self { command, database, .. } = self;
        let of = format!("lastgood {command} of {database} on {}", host::name());
        match (event, failure) {
            (Event::Recovered, _) => format!("{of} succeeds again."),
            (_, Some(failure)) => format!("{of} failed: {failure}"),
            (_, None) => format!("{of} succeeded."),
        }
    }
}

impl Event {
    fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Recovered => "succeeds again",
            Self::Succeeded => "succeeded",
        }
    }
}

/// How a service wants its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Slack,
    Discord,
    Ntfy,
    Document,
}

impl Form {
    /// By the host: `hooks.slack.com`, `discord.com`, `ntfy.sh` or one's own `ntfy.example.org`.
    fn of(url: &Secret) -> Self {
        let url = url::Url::parse(url.expose()).ok();
        let host = url.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
        let is_below = |domain: &str| host == domain || host.ends_with(&format!(".{domain}"));
        match host {
            _ if is_below("slack.com") => Self::Slack,
            _ if is_below("discord.com") || is_below("discordapp.com") => Self::Discord,
            _ if is_below("ntfy.sh") || host.starts_with("ntfy.") => Self::Ntfy,
            _ => Self::Document,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::http::testing::monitor;
    use super::*;
    use crate::answers::failure::Exit;

    #[tokio::test]
    async fn each_service_gets_its_own_form_and_the_whole_reason() {
        let (url, requests) = monitor(4, "200 OK").await;
        let folder = tempfile::tempdir().unwrap();
        let notice = Notice {
            command: "backup",
            database: "shop".to_owned(),
            target: None,
            memory: Memory::of(folder.path(), "backup", "shop", ""),
            interrupt: Interrupt::never(),
        };
        let failure = Failure::new(Exit::Failed, "disk \"full\"").hint("free some");
        for form in [Form::Slack, Form::Discord, Form::Ntfy, Form::Document] {
            notice.send(&Secret::new(&url), form, Event::Failed, Some(&failure)).await.unwrap();
        }
        let requests = requests.await.unwrap();
        let bodies: Vec<&str> = requests.iter().map(|request| request.split_once("\r\n\r\n").unwrap().1).collect();
        let json = |body: &str| serde_json::from_str::<serde_json::Value>(body).unwrap();
        let text = format!("lastgood backup of shop on {} failed: disk \"full\"\nhint: free some", host::name());
        assert_eq!(json(bodies[0]), serde_json::json!({ "text": text }));
        assert_eq!(json(bodies[1])["content"], text);
        assert_eq!(bodies[2], text);
        assert!(requests[2].contains("title: lastgood backup: failed\r\npriority: high\r\n"), "{}", requests[2]);
        let document = json(bodies[3]);
        assert_eq!((&document["event"], &document["exit"]), (&serde_json::json!("failed"), &serde_json::json!(1)));
        assert_eq!((&document["hint"], &document["text"]), (&serde_json::json!("free some"), &serde_json::json!(text)));
        assert!(requests[3].contains("content-type: application/json\r\n"), "{}", requests[3]);
    }

    #[test]
    fn the_host_alone_says_which_form_is_wanted() {
        let of = |url: &str| Form::of(&Secret::new(url));
        assert_eq!(of("https://hooks.slack.com/services/T/B/x"), Form::Slack);
        assert_eq!(of("https://discord.com/api/webhooks/1/x"), Form::Discord);
        assert_eq!(of("https://canary.discord.com/api/webhooks/1/x"), Form::Discord);
        assert_eq!(of("https://ntfy.sh/shop"), Form::Ntfy);
        assert_eq!(of("http://ntfy.example.org:8080/shop"), Form::Ntfy);
        for other in ["https://example.org/ntfy.sh", "https://notslack.com/x", "https://slack.com.example.org/x", "x"] {
            assert_eq!(of(other), Form::Document, "{other}");
        }
    }
}
