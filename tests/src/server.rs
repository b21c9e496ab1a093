//! A server process that never outlives the test that started it.
//!
//! Beside each server stands a watcher, a shell that reads a pipe whose other end only this process holds. Whatever ends
//! this process, SIGKILL too, closes the pipe: the watcher then stops the server's process group and removes its folder.
//! (`PR_SET_PDEATHSIG` won't do: it fires when the *thread* that spawned the child ends, and spares grandchildren.)

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::{bounds, signals};

/// The longest that a server may take to answer, on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);

/// $1 process group, $2 the signal that stops it, then what to remove. Five seconds to stop, then SIGKILL.
const WATCH: &str = r#"
read -r _
kill -s "$2" -- "$1"
for _ in $(seq 100); do kill -0 -- "-$1" || break; sleep 0.05; done
kill -KILL -- "-$1"
shift 2
rm -rf -- "$@"
"#;

/// A running server with a folder of its own.
pub struct Server {
    name: &'static str,
    command: Command,
    stop: Signal,
    folder: PathBuf,
    strays: Vec<PathBuf>,
    process: Child,
    watcher: Child,
}

impl Server {
    /// An empty folder for a server to come; [`Server::start`] takes it over.
    pub fn new_folder(name: &str) -> PathBuf {
        tempfile::Builder::new().prefix(&format!("lastgood-{name}-")).tempdir().unwrap().keep()
    }

    /// Starts `command`, with its output in `log` in `folder`. The signal `stop` will end it.
    pub fn start(name: &'static str, command: Command, folder: PathBuf, stop: Signal) -> Server {
        Self::start_with_strays(name, command, folder, stop, Vec::new())
    }

    /// Starts a server that also makes files outside its folder.
    pub fn start_with_strays(
        name: &'static str,
        mut command: Command,
        folder: PathBuf,
        stop: Signal,
        strays: Vec<PathBuf>,
    ) -> Server {
        let process = spawn(name, &mut command, &folder);
        let watcher = watch(&process, stop, &folder, &strays);
        Server { name, command, stop, folder, strays, process, watcher }
    }

    /// Starts it again in its folder, once it has ended.
    pub fn restart(&mut self) {
        self.end_by(self.stop);
        self.watcher.kill().unwrap();
        #[expect(clippy::disallowed_methods, reason = "it was killed")]
        self.watcher.wait().unwrap();
        self.process = spawn(self.name, &mut self.command, &self.folder);
        self.watcher = watch(&self.process, self.stop, &self.folder, &self.strays);
    }

    /// Waits until `ready` says so; fails with the server's log if it ends before, or takes too long.
    pub fn wait_until(&mut self, mut ready: impl FnMut() -> bool) {
        let deadline = Instant::now() + START_LIMIT;
        while !ready() {
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("{} ended at its start, {status}:\n{}", self.name, self.log());
            }
            assert!(Instant::now() < deadline, "{} didn't answer within {START_LIMIT:?}:\n{}", self.name, self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What the server has written so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.join("log")).unwrap_or_default()).into_owned()
    }

    /// Its folder, gone when the server is.
    pub fn directory(&self) -> &Path {
        &self.folder
    }

    /// The process, which leads its group.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Sends `signal` to the server, and waits until it has ended; fails when that takes over a minute.
    pub fn end_by(&mut self, signal: Signal) {
        if self.process.try_wait().unwrap().is_none() {
            kill_process(Pid::from_child(&self.process), signal).unwrap();
            let what = format!("{} has ended", self.name);
            bounds::wait_until(&what, || self.process.try_wait().unwrap().is_some());
        }
    }
}

impl Drop for Server {
    #[expect(clippy::disallowed_methods, reason = "the watcher kills what doesn't stop within five seconds")]
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        let _ = self.process.wait();
        let _ = self.watcher.wait();
    }
}

fn spawn(name: &str, command: &mut Command, folder: &Path) -> Child {
    signals::begin_afresh();
    let log = File::create(folder.join("log")).unwrap();
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).process_group(0);
    command
        .spawn()
        .unwrap_or_else(|error| panic!("can't start {name}, {:?}: {error}\nhint: make tools", command.get_program()))
}

fn watch(process: &Child, stop: Signal, folder: &Path, strays: &[PathBuf]) -> Child {
    Command::new("sh")
        .args(["-c", WATCH, "watch", &process.id().to_string(), &stop.as_raw().to_string()])
        .arg(folder)
        .args(strays)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A group of its own: Ctrl-C at the terminal must not end the watcher before its work.
        .process_group(0)
        .spawn()
        .unwrap()
}
