//! What one run of `lastgood` came to, and what a test expects of it.

use std::process::Output;

use crate::postgres::holds_password;

/// A finished run.
#[derive(Debug)]
pub struct Outcome {
    run: String,
    /// Exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// No run may ever show the database's password: every test checks it here.
    pub(super) fn new(run: String, output: Output) -> Outcome {
        let outcome = Outcome {
            run,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        let shown = [&outcome.stdout, &outcome.stderr].iter().any(|stream| holds_password(stream.as_bytes()));
        assert!(!shown, "the password was shown\n{outcome}");
        outcome
    }

    /// Fails unless it was done.
    #[track_caller]
    pub fn succeeds(self) -> Outcome {
        self.exits(0)
    }

    /// Fails unless it exited so.
    #[track_caller]
    pub fn exits(self, code: i32) -> Outcome {
        assert_eq!(self.code, Some(code), "\n{self}");
        self
    }

    /// Fails unless both streams together hold this text.
    #[track_caller]
    pub fn mentions(self, text: &str) -> Outcome {
        assert!(self.says(text), "nothing about {text:?}\n{self}");
        self
    }

    /// Fails if either stream holds this text.
    #[track_caller]
    pub fn keeps_silent_about(self, text: &str) -> Outcome {
        assert!(!self.says(text), "shows {text:?}\n{self}");
        self
    }

    /// Standard output, which must be JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("not JSON, {error}\n{self}"))
    }

    fn says(&self, text: &str) -> bool {
        self.stdout.contains(text) || self.stderr.contains(text)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Outcome { run, code, stdout, stderr } = self;
        write!(f, "{run}: exit {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}
