//! A run of the agent that has a bound.

use std::fs::File;
use std::time::{Duration, Instant};

use crate::agent::Agent;
use crate::postgres::holds_password;

/// The longest that one command may take.
const LIMIT: Duration = Duration::from_secs(300);

/// A finished command.
pub(super) struct Run {
    /// Its exit status.
    pub(super) code: i32,
    /// Both streams.
    pub(super) text: String,
}

/// Runs the agent to its end.
pub(super) fn run<S: AsRef<std::ffi::OsStr>>(agent: &Agent, arguments: &[S]) -> Result<Run, String> {
    let output = agent.home().join("output");
    let file = File::create(&output).unwrap();
    let mut command = agent.command(arguments);
    command.stdin(std::process::Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
    let mut child = command.spawn().unwrap();
    let deadline = Instant::now() + LIMIT;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            #[expect(clippy::disallowed_methods, reason = "it was killed")]
            let _ = child.wait();
            let text = String::from_utf8_lossy(&std::fs::read(&output).unwrap()).into_owned();
            return Err(format!("still running after {LIMIT:?}: {text}"));
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let text = String::from_utf8_lossy(&std::fs::read(&output).unwrap()).into_owned();
    match holds_password(text.as_bytes()) {
        true => Err("the password was shown".to_owned()),
        false => Ok(Run { code: status.code().unwrap_or(-1), text }),
    }
}

impl Run {
    /// Whether it said all of these.
    pub(super) fn holds(&self, texts: &[String]) -> bool {
        texts.iter().all(|text| self.text.contains(text))
    }

    /// Errors, warnings and hints on one line; all of it where there are none.
    pub(super) fn said(&self) -> String {
        let tells = |line: &&str| ["error", "warning", "hint"].iter().any(|word| line.trim_start().starts_with(word));
        let mut lines: Vec<_> = self.text.lines().filter(tells).map(str::trim).collect();
        if lines.is_empty() {
            lines = self.text.lines().rev().take(3).collect();
        }
        lines.join(" ¦ ")
    }
}
