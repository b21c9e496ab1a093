//! The administrator's own shell commands, which the settings name.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

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

/// The same. A command that goes on when the run was told to stop is ended after a while, with all that it started.
pub(crate) fn status_until(command: &str, told: &[(&str, String)], stop: &Stop) -> io::Result<ExitStatus> {
    let stop = stop.after(PATIENCE);
    let mut child = shell(command, told).spawn()?;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if stop.signal().is_some() {
            let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
            return child.wait();
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
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{command}` ended with {status}")),
        Err(error) => Err(format!("`{command}`: {error}")),
    }
}
