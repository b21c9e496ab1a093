//! This very program as who backs up every night, with the new settings alone: what works so works at night.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use postgres::Stop;
use postgres::programs::program::ProgramError;
use rustix::fs::{Gid, MemfdFlags, Mode, Uid, fchmod, fchown, memfd_create};
use serde_json::Value;

use super::machine::Machine;
use super::programs::{Answer, Call};
use crate::answers::failure::{Exit, Failure};
use crate::interrupt::stopped_by;

/// This program, also where its file has been replaced meanwhile.
const SELF: &str = "/proc/self/exe";
/// What it reads the settings from: not every system has /dev/stdin.
const STDIN: &str = "/proc/self/fd/0";

/// Runs of it.
#[derive(Clone, Copy)]
pub(super) struct Nightly<'a> {
    pub(super) machine: &'a Machine,
    /// The text of the settings file, which need not be there yet.
    pub(super) text: &'a str,
    /// What it will be called.
    pub(super) target: &'a Path,
    pub(super) stop: &'a Stop,
}

impl Nightly<'_> {
    /// Its answer to such a command, and its exit status. What it warns of is shown.
    ///
    /// # Errors
    /// Its own failure, or that it cannot be run.
    pub(super) fn run(self, arguments: &[&str]) -> Result<Value, Failure> {
        let cannot = |cause: String| Failure::new(Exit::Failed, format!("cannot start this program again: {cause}"));
        let input = self.settings().map_err(|error| cannot(error.to_string()))?;
        let call = Call::new("lastgood", Path::new(SELF)).by(&self.machine.nightly);
        let call = call.arguments(&["--json", "--quiet", "--env-file", STDIN]).arguments(arguments);
        let answer = call.reading(input.into(), self.stop).map_err(|error| match error {
            ProgramError::Interrupted(signal) => stopped_by(signal),
            error => cannot(error.to_string()),
        })?;
        let own = |text: &str| text.replace(STDIN, &self.target.display().to_string());
        // Its failure is told once, with ours.
        let is_failure = |line: &&str| !answer.is_done && (line.starts_with("error: ") || line.starts_with("hint: "));
        for line in answer.said.lines().filter(|line| !is_failure(line)) {
            tracing::warn!("{}", own(line.strip_prefix("warning: ").unwrap_or(line)));
        }
        read(&answer).map_err(|failure| {
            let Failure { exit, error, hint } = failure;
            Failure { exit, error: own(&error), hint: hint.map(|hint| own(&hint)) }
        })
    }

    /// The settings in memory alone, readable for that user and nobody else.
    fn settings(self) -> std::io::Result<OwnedFd> {
        let file = memfd_create("lastgood.env", MemfdFlags::CLOEXEC)?;
        fchmod(&file, Mode::RUSR)?;
        if self.machine.is_handed_over() {
            let nightly = &self.machine.nightly;
            fchown(&file, Some(Uid::from_raw(nightly.user)), Some(Gid::from_raw(nightly.group)))?;
        }
        let mut left = self.text.as_bytes();
        while !left.is_empty() {
            let written = rustix::io::write(file.as_fd(), left)?;
            left = left.get(written..).unwrap_or_default();
        }
        Ok(file)
    }
}

/// Its document, or the failure that it is.
fn read(answer: &Answer) -> Result<Value, Failure> {
    let told: Value = serde_json::from_str(&answer.stdout).unwrap_or_default();
    if answer.is_done {
        return Ok(told);
    }
    // A backup that failed in one of several places has an answer of its own.
    let failure = told.pointer("/backups/0/failures/0").unwrap_or(&told);
    let text = |name: &str| failure.get(name)?.as_str().map(str::to_owned);
    let error = text("error").unwrap_or_else(|| format!("it ended without an answer: {}", answer.said));
    Err(Failure { exit: exit(failure.get("exit")), error, hint: text("hint") })
}

fn exit(status: Option<&Value>) -> Exit {
    let all = [Exit::Usage, Exit::Locked, Exit::Damaged, Exit::NotFound, Exit::Unhealthy];
    all.into_iter().find(|exit| status.and_then(Value::as_u64) == Some(exit.code().into())).unwrap_or(Exit::Failed)
}
