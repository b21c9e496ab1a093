//! The administrator's own shell commands, which the settings name.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use postgres::Stop;
use rustix::process::{Pid, Signal, kill_process_group};

/// How long a command may still take when the run is told to stop.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked whether it has ended.
const TICK: Duration = Duration::from_millis(20);

/// Runs a shell command to its end. `told` is what it finds in its environment besides.
pub(crate) fn status(command: &str, told: &[(&str, String)]) -> io::Result<ExitStatus> {
    shell(command, told).status()
}

/// The same. A command that takes longer is ended, with all that it started.
pub(crate) fn status_within(command: &str, told: &[(&str, String)], limit: Duration) -> io::Result<ExitStatus> {
    let began = Instant::now();
    let (child, is_late) = (shell(command, told).spawn()?, || began.elapsed() > limit);
    let late = || io::Error::other(format!("it had not ended after {} minutes, and was killed", limit.as_secs() / 60));
    ended(child, is_late)?.ok_or_else(late)
}

/// The same. A command that goes on when the run was told to stop is ended after a while.
pub(crate) fn status_until(command: &str, told: &[(&str, String)], stop: &Stop) -> io::Result<ExitStatus> {
    let stop = stop.after(PATIENCE);
    let stopped = || io::Error::other("it was killed, because the run was told to stop");
    ended(shell(command, told).spawn()?, || stop.signal().is_some())?.ok_or_else(stopped)
}

/// `None` where it had to be killed.
fn ended(mut child: Child, is_over: impl Fn() -> bool) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if is_over() {
            let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(TICK);
    }
}

/// A shell command. What it prints goes to stderr: stdout is the answer's.
#[expect(clippy::disallowed_methods, reason = "the administrator's own command, which keeps the whole environment")]
fn shell(command: &str, told: &[(&str, String)]) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).stdin(Stdio::null()).stdout(io::stderr());
    shell.envs(told.iter().map(|(name, value)| (name, value)));
    // Ctrl-C is ours to act on: it must not kill the command that starts the services again.
    shell.process_group(0);
    shell
}

/// Why a command did not do its work.
///
/// # Errors
/// Always, unless it ended with status 0.
pub(crate) fn in_words(command: &str, ended: io::Result<ExitStatus>) -> Result<(), String> {
    how(ended).map_err(|how| format!("`{command}`: {how}"))
}

/// The same without the command, which may have a secret in it, for what leaves this machine.
///
/// # Errors
/// As [`in_words`].
pub(crate) fn how(ended: io::Result<ExitStatus>) -> Result<(), String> {
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("it ended with {status}")),
        Err(error) => Err(error.to_string()),
    }
}
