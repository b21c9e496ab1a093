//! Programs that tests run: each begins with default signals, leads a group of its own, and ends within a bound.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::bounds::LIMIT;
use crate::signals;

/// What a program wrote until its end; fails with its name and its last words when it takes longer than [`LIMIT`].
#[track_caller]
pub fn output(command: &mut Command) -> Output {
    output_within(LIMIT, command, None)
}

/// The same with `input` as its standard input.
#[track_caller]
pub fn output_given(command: &mut Command, input: &[u8]) -> Output {
    output_within(LIMIT, command, Some(input))
}

/// The same for a program that may take so long.
#[track_caller]
pub fn output_within(limit: Duration, command: &mut Command, input: Option<&[u8]>) -> Output {
    try_output(limit, command, input).unwrap_or_else(|late| panic!("{late}"))
}

/// What a program wrote until its end, or why there is none: that it took longer.
pub(crate) fn try_output(limit: Duration, command: &mut Command, input: Option<&[u8]>) -> Result<Output, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut process = Process::start(name, command);
    if let Some(input) = input {
        process.type_in(input.to_owned());
    }
    process.end(limit)
}

/// The process ids of a process's children of this name.
pub fn children(parent: u32, name: &str) -> Vec<u32> {
    let stat = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|row| row.file_name().to_str()?.parse().ok());
    let is_meant = |pid: &u32| {
        let stat = stat(*pid);
        let Some((before, after)) = stat.rsplit_once(") ") else { return false };
        before.ends_with(&format!("({name}")) && after.split(' ').nth(1) == Some(&parent.to_string())
    };
    pids.filter(is_meant).collect()
}

/// A running program. Dropped, it is killed, its children too.
pub(crate) struct Process {
    name: String,
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

/// What a stream has brought so far.
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// Disconnected at its end.
    ended: Receiver<()>,
}

impl Process {
    /// Starts it; `name` is what it is called when it takes too long.
    pub(crate) fn start(name: String, command: &mut Command) -> Process {
        signals::begin_afresh();
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let (stdout, stderr) = (Stream::read(child.stdout.take().unwrap()), Stream::read(child.stderr.take().unwrap()));
        Process { name, child, stdout, stderr }
    }

    /// Writes to its standard input in the background, and closes it then.
    pub(crate) fn type_in(&mut self, input: Vec<u8>) {
        let mut stdin = self.child.stdin.take().expect("started with an input");
        // A program that has read enough, or has ended, closes its end; its exit status is what tells.
        std::thread::spawn(move || drop(stdin.write_all(&input)));
    }

    pub(crate) fn child(&self) -> &Child {
        &self.child
    }

    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Whether it has written this to either stream.
    pub(crate) fn said(&self, text: &str) -> bool {
        self.stdout.holds(text) || self.stderr.holds(text)
    }

    /// Standard error so far.
    pub(crate) fn errors(&self) -> String {
        String::from_utf8_lossy(&self.stderr.bytes.lock().unwrap()).into_owned()
    }

    /// Waits for its end, and the end of what it writes, its children's too.
    pub(crate) fn end(mut self, limit: Duration) -> Result<Output, String> {
        let deadline = Instant::now() + limit;
        let late = |process: &Process| {
            // Its leader may have ended, and a child of it still hold a stream.
            let _ = kill_process_group(Pid::from_child(&process.child), Signal::KILL);
            format!("{} did not end within {limit:?}\n{}", process.name, process.errors())
        };
        if !(self.stdout.ends_by(deadline) && self.stderr.ends_by(deadline)) {
            return Err(late(&self));
        }
        let status = loop {
            match self.ended() {
                Some(status) => break status,
                None if Instant::now() > deadline => return Err(late(&self)),
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        Ok(Output { status, stdout: self.stdout.take(), stderr: self.stderr.take() })
    }
}

impl Drop for Process {
    #[expect(clippy::disallowed_methods, reason = "it was killed")]
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

impl Stream {
    fn read(mut from: impl Read + Send + 'static) -> Stream {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let (ends, ended) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 64 * 1024];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                sink.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
            drop(ends);
        });
        Stream { bytes, ended }
    }

    fn ends_by(&self, deadline: Instant) -> bool {
        use std::sync::mpsc::RecvTimeoutError::Disconnected;
        self.ended.recv_timeout(deadline.saturating_duration_since(Instant::now())) == Err(Disconnected)
    }

    fn holds(&self, text: &str) -> bool {
        memchr::memmem::find(&self.bytes.lock().unwrap(), text.as_bytes()).is_some()
    }

    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.bytes.lock().unwrap())
    }
}
