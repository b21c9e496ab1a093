//! A child process of a restore: `pg_restore`, or the one `psql` session of a restore in place.
//!
//! Its exit status decides, its stderr reaches the user, and an interrupt ends it, also while somebody blocks on its pipes.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal};

use crate::interrupt::Interrupt;
use crate::postgres::programs::pg_dump::pass_on;

/// How soon an end and an interrupt are noticed.
const TICK: Duration = Duration::from_millis(5);
/// How long a program may take to end by itself after it was told to, before it is ended by force.
const PATIENCE: Duration = Duration::from_secs(5);

/// A program that runs.
pub(crate) struct Program {
    name: &'static str,
    child: Arc<Mutex<Child>>,
    stderr: JoinHandle<Vec<String>>,
    watcher: JoinHandle<()>,
}

/// Why a program didn't do its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProgramError {
    #[error("{name} could not be run: {cause}")]
    Run { name: &'static str, cause: String },
    #[error("{name} failed with {status}{}", .said.as_ref().map_or(String::new(), |said| format!(": {said}")))]
    Failed { name: &'static str, status: String, code: Option<i32>, said: Option<String> },
    #[error("stopped by {0}")]
    Interrupted(&'static str),
}

/// A program's pipes, those that were asked for.
pub(crate) struct Pipes {
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: Option<ChildStdout>,
}

impl Program {
    /// Starts `command`, whose stdin and stdout are as the caller set them. It is a process group of its own: Ctrl-C is
    /// ours to pass on.
    ///
    /// # Errors
    /// [`ProgramError::Run`].
    pub(crate) fn start(
        name: &'static str,
        command: &mut Command,
        interrupt: &Interrupt,
    ) -> Result<(Self, Pipes), ProgramError> {
        let run = |cause: String| ProgramError::Run { name, cause };
        let mut child = command.stderr(Stdio::piped()).process_group(0).spawn().map_err(|e| run(e.to_string()))?;
        let stderr = child.stderr.take().ok_or_else(|| run("its stderr is missing".to_owned()))?;
        let pipes = Pipes { stdin: child.stdin.take(), stdout: child.stdout.take() };
        let stderr = std::thread::spawn(move || pass_on(stderr));
        let child = Arc::new(Mutex::new(child));
        let (watched, interrupt) = (Arc::clone(&child), interrupt.clone());
        let watcher = std::thread::spawn(move || watch(&watched, &interrupt));
        Ok((Self { name, child, stderr, watcher }, pipes))
    }

    /// Waits for its end. The caller has dropped the pipes that it holds.
    ///
    /// # Errors
    /// [`ProgramError`] for every end but exit status 0.
    pub(crate) fn end(self, interrupt: &Interrupt) -> Result<(), ProgramError> {
        let run = |cause: String| ProgramError::Run { name: self.name, cause };
        // The watcher leaves once the child has ended, one way or the other.
        self.watcher.join().map_err(|_| run("its watcher panicked".to_owned()))?;
        let status = self.child.lock().map_err(|e| run(e.to_string()))?.wait().map_err(|e| run(e.to_string()))?;
        let lines = self.stderr.join().unwrap_or_default();
        if status.success() {
            return Ok(());
        }
        if let Some(signal) = interrupt.seen() {
            return Err(ProgramError::Interrupted(signal));
        }
        let said = lines.iter().find(|line| line.contains("error:") || line.contains("ERROR:")).or(lines.last());
        let said = said.map(|line| crate::postgres::psql::in_one_line(line));
        Err(ProgramError::Failed { name: self.name, status: in_words(status), code: status.code(), said })
    }

    /// Ends it before its work is done; how it ends is of no interest any more.
    pub(crate) fn stop(self) {
        if let Ok(mut child) = self.child.lock() {
            // It may have ended in this very moment, which is what was wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = self.watcher.join();
        let _ = self.stderr.join();
    }
}

/// Until the child has ended. Told to stop, pg_restore cancels its queries on SIGTERM.
fn watch(child: &Mutex<Child>, interrupt: &Interrupt) {
    let mut waited = None;
    loop {
        let Ok(mut locked) = child.lock() else { return };
        match locked.try_wait() {
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => return,
        }
        match (interrupt.seen(), waited) {
            (None, _) => {}
            (Some(_), None) => {
                waited = Some(Duration::ZERO);
                if let Some(pid) = Pid::from_raw(locked.id().cast_signed()) {
                    let _ = rustix::process::kill_process(pid, Signal::TERM);
                }
            }
            (Some(_), Some(so_far)) if so_far > PATIENCE => drop(locked.kill()),
            (Some(_), Some(so_far)) => waited = Some(so_far + TICK),
        }
        drop(locked);
        std::thread::sleep(TICK);
    }
}

fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, signal) => format!("signal {}", signal.unwrap_or_default()),
    }
}
