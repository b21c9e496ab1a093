//! A run of `lastgood` while it works: to be watched, typed at, or killed.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::Outcome;

/// A process that leads a group of its own, its children in it. Dropped, all of them are killed.
pub struct Running {
    run: String,
    child: Child,
    stdout: Stream,
    stderr: Stream,
    peak: Arc<AtomicU64>,
}

/// What a stream has brought so far, and the thread that reads it.
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Running {
    pub(super) fn start(run: String, command: &mut Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn().unwrap();
        let (stdout, stderr) = (Stream::read(child.stdout.take().unwrap()), Stream::read(child.stderr.take().unwrap()));
        let peak = watch_memory(child.id());
        Running { run, child, stdout, stderr, peak }
    }

    /// Types at its prompts, and closes its standard input.
    pub fn type_in(&mut self, input: &str) {
        // A run that has ended reads no more; its exit code is what tells.
        let _ = self.child.stdin.take().expect("started with an input").write_all(input.as_bytes());
    }

    /// Waits until it has written `text` to either stream; fails if it ends first, or takes over a minute.
    pub fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |running| running.stdout.holds(text) || running.stderr.holds(text));
    }

    /// Waits until `happened` says so; fails if the run ends first, or after a minute.
    pub fn wait_until(&mut self, what: &str, mut happened: impl FnMut(&Running) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !happened(self) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{} ended before {what}: {ended:?}\n{}", self.run, self.stderr.text());
            assert!(Instant::now() < deadline, "{} kept us waiting for {what}\n{}", self.run, self.stderr.text());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, its children not.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The most memory that it has had resident, in bytes. Its children's is not in it.
    pub fn peak_memory(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    /// Waits for its end, and says what it came to and [`Running::peak_memory`].
    pub fn wait_with_peak_memory(self) -> (u64, Outcome) {
        let peak = Arc::clone(&self.peak);
        let outcome = self.wait();
        (peak.load(Ordering::Relaxed), outcome)
    }

    /// Waits for its end; fails after five minutes. A test that was started by `&` in a script ignores SIGINT, and so does every
    /// agent that it starts.
    pub fn wait(mut self) -> Outcome {
        let deadline = Instant::now() + Duration::from_secs(300);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "{} did not end within five minutes\n{}", self.run, self.stderr.text());
            std::thread::sleep(Duration::from_millis(5));
        };
        let output = Output { status, stdout: self.stdout.finish(), stderr: self.stderr.finish() };
        Outcome::new(std::mem::take(&mut self.run), output)
    }
}

impl Drop for Running {
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
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                sink.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
        });
        Stream { bytes, reader: Some(reader) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    fn holds(&self, text: &str) -> bool {
        memchr::memmem::find(&self.bytes.lock().unwrap(), text.as_bytes()).is_some()
    }

    fn finish(&mut self) -> Vec<u8> {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        std::mem::take(&mut self.bytes.lock().unwrap())
    }
}

/// Reads the kernel's high-water mark until the process is gone. It only grows, so the last reading is the peak, but for
/// what the last 20 ms added.
fn watch_memory(pid: u32) -> Arc<AtomicU64> {
    let peak = Arc::new(AtomicU64::new(0));
    let reading = Arc::clone(&peak);
    std::thread::spawn(move || {
        while let Some(kibibytes) = high_water_mark(pid) {
            reading.store(kibibytes * 1024, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    peak
}

fn high_water_mark(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
