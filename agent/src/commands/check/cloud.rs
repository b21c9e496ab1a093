//! What `check` says of the AWS stack, by the status that it left.

use std::fmt;

use catalog::{status, words};
use jiff::Timestamp;
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};

/// The AWS stack, by the status that its freshness function left.
#[derive(Serialize)]
pub(super) struct CloudSide {
    /// When it last looked.
    measured: Timestamp,
    /// How many get its alarms; null where that could not be asked.
    listeners: Option<u64>,
    /// How many were asked and have not confirmed.
    unconfirmed: Option<u64>,
    /// What it found wrong, a sentence each.
    standing: Vec<String>,
    /// What is wrong with itself: nobody would hear of the rest.
    pub(super) findings: Vec<CloudFinding>,
}

#[derive(Serialize)]
pub(super) struct CloudFinding {
    code: &'static str,
    pub(super) text: String,
}

impl CloudFinding {
    pub(super) fn remedy(&self) -> &'static str {
        match self.code {
            "cloud_stopped" => {
                "see the log of its freshness function; if the stack was removed on purpose, add --no-stack"
            }
            _ => "confirm the mail from AWS, or subscribe to the stack's topic",
        }
    }
}

impl CloudSide {
    /// What is wrong with the stack itself.
    pub(super) fn failure(&self) -> Option<Failure> {
        let texts: Vec<&str> = self.findings.iter().map(|finding| finding.text.as_str()).collect();
        self.findings.first().map(|first| Failure::new(Exit::Unhealthy, texts.join("; ")).hint(first.remedy()))
    }

    /// By the status, as it is now.
    pub(super) fn new(health: status::Health, now: Timestamp) -> Self {
        let stopped = health.stopped_for(now).map(|since| CloudFinding {
            code: "cloud_stopped",
            text: format!("it has stopped: nothing was measured for {}", words::span(since)),
        });
        let unheard = health.is_unheard().then(|| CloudFinding {
            code: "nobody_listens",
            text: match health.unconfirmed {
                Some(asked) if asked > 0 => {
                    format!("nobody gets the alarms: {} not confirmed", words::count(asked, "subscription"))
                }
                _ => "nobody gets the alarms: nobody has subscribed".to_owned(),
            },
        });
        let status::Health { measured, listeners, unconfirmed, standing, .. } = health;
        Self { measured, listeners, unconfirmed, standing, findings: stopped.into_iter().chain(unheard).collect() }
    }
}

impl fmt::Display for CloudSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.findings.is_empty() { "healthy  " } else { "UNHEALTHY" };
        writeln!(f, "  {word}  the AWS stack: last measured {}", words::minute(self.measured))?;
        self.findings.iter().try_for_each(|told| writeln!(f, "             {}", told.text))?;
        self.findings.first().map_or(Ok(()), |finding| writeln!(f, "             {}", finding.remedy()))
    }
}
