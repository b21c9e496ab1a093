//! The first signal ends every command within seconds, whatever it waits for.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use e2e::agent::{Agent, Outcome, Running};
use e2e::bucket::Bucket;
use e2e::postgres::{Database, Postgres};
use e2e::proxy::{Direction, Fault, Proxy};
use e2e::seaweedfs::Seaweedfs;
use rustix::process::Signal;

/// The longest that a command may take to end.
const SECONDS: Duration = Duration::from_secs(12);
const STOPPED: &str = "stopped by SIGTERM";

/// What every command of the agent that talks to a store is run with.
const COMMANDS: [&[&str]; 11] = [
    &["backup"],
    &["list"],
    &["show", "latest"],
    &["verify", "latest"],
    &["check"],
    &["prune"],
    &["adopt", "--all"],
    &["retire", "shop"],
    &["cost"],
    &["restore", "latest"],
    &["restore", "--list-s3"],
];

/// A store that refuses for now, or one that says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Store {
    Busy,
    Mute,
}

impl Store {
    /// Its URL. It lives as long as the test binary.
    fn start(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let connection = connection.unwrap();
                std::thread::spawn(move || self.serve(connection));
            }
        });
        url
    }

    fn serve(self, mut connection: TcpStream) {
        let mut request = [0; 16 << 10];
        while connection.read(&mut request).is_ok_and(|length| length > 0) {
            if self == Store::Busy {
                let answer = "HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\n\r\n";
                let _ = connection.write_all(answer.as_bytes());
            }
        }
    }
}

fn agent(database: &Database<'_>, url: String) -> Agent {
    let agent =
        Agent::new().database(database).setting("BACKUP_S3_BUCKET", "bucket").setting("BACKUP_S3_ENDPOINT", url);
    let log = agent.home().join("log").display().to_string();
    let agent = ["BACKUP_LOG_FILE", "RESTORE_LOG_FILE", "BACKUP_VERIFY_LOG_FILE"]
        .into_iter()
        .fold(agent, |agent, name| agent.setting(name, log.clone()));
    agent
        .setting("AWS_ACCESS_KEY_ID", "id")
        .setting("AWS_SECRET_ACCESS_KEY", "secret")
        .setting("AWS_REGION", "us-east-1")
}

/// Sends the signal, and waits for the end.
fn stop(running: Running, signal: Signal) -> (Duration, Outcome) {
    let told = Instant::now();
    running.signal(signal);
    let outcome = running.wait();
    (told.elapsed(), outcome)
}

/// One line of the table that this test prints.
fn line(command: &str, waits: &str, seconds: Duration, outcome: &Outcome) -> String {
    format!("| `{command}` | {waits} | {:.1} s | {} |\n", seconds.as_secs_f64(), outcome.code.unwrap_or(-1))
}

#[test]
fn every_command_that_waits_for_a_store_ends_within_seconds() {
    let database = Postgres::shared().new_database("waits");
    let mut table = String::from("\n| command | stopped | ended after | exit |\n|---|---|---|---|\n");
    for (store, waits) in [(Store::Busy, "in a pause before another try"), (Store::Mute, "in a request")] {
        let url = store.start();
        let lines: Vec<String> = std::thread::scope(|scope| {
            let ended: Vec<_> = COMMANDS
                .iter()
                .map(|command| {
                    let (agent, url) = (agent(&database, url.clone()).setting("BACKUP_S3_PREFIX", "p"), &url);
                    scope.spawn(move || {
                        let mut running = agent.start(command);
                        match store {
                            Store::Busy => running.wait_for("trying again"),
                            Store::Mute => running.wait_until("a request", |running| talks_to(running.pid(), url)),
                        }
                        let (seconds, outcome) = stop(running, Signal::TERM);
                        assert!(seconds < SECONDS, "{store:?}: {seconds:?}\n{outcome}");
                        line(&command.join(" "), waits, seconds, &outcome.exits(1).mentions(STOPPED))
                    })
                })
                .collect();
            ended.into_iter().map(|ended| ended.join().unwrap()).collect()
        });
        table.extend(lines);
    }
    println!("{table}");
}

/// Whether the process has a connection to this port: among those of the kernel's table that are its own.
fn talks_to(pid: u32, url: &str) -> bool {
    let port = url.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let table = std::fs::read_to_string(format!("/proc/{pid}/net/tcp")).unwrap_or_default();
    let own: Vec<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .filter_map(|row| Some(std::fs::read_link(row.ok()?.path()).ok()?.to_str()?.to_owned()))
        .collect();
    table.lines().skip(1).any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_it = words[2].ends_with(&format!(":{port:04X}")) && words[3] == "01";
        is_it && own.contains(&format!("socket:[{}]", words[9]))
    })
}

/// A backup whose second part stands still.
struct Stalled {
    bucket: Bucket,
    proxy: Proxy,
    running: Running,
    /// Its home is the run's.
    _agent: Agent,
}

fn stalled_upload(database: &Database<'_>) -> Stalled {
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    let proxy = Proxy::start(&bucket.access().endpoint);
    let agent = agent(database, String::new()).bucket(bucket.name(), &bucket.access().through(&proxy));
    let agent = agent.setting("BACKUP_S3_ENDPOINT", format!("http://{}", proxy.address()));
    let agent = agent.setting("BACKUP_COMPRESSION", "none").setting("BACKUP_S3_PART_SIZE", "5MiB");
    proxy.set(Fault::Stall(Direction::Up, 7_000_000));
    let mut running = agent.start(&["backup"]);
    running.wait_until("a stalled part", |_| proxy.has_struck());
    Stalled { bucket, proxy, running, _agent: agent }
}

#[test]
fn an_upload_is_aborted_and_a_store_that_is_silent_is_not_waited_for() {
    let database = Postgres::shared().new_database("uploads");
    database.fill_with_megabytes(16);
    for stalls in [false, true] {
        let Stalled { bucket, proxy, mut running, _agent } = stalled_upload(&database);
        let told = Instant::now();
        running.signal(Signal::TERM);
        if !stalls {
            running.wait_for("stopping and cleaning up");
            proxy.heal();
        }
        let outcome = running.wait().exits(1).mentions(STOPPED);
        assert!(told.elapsed() < SECONDS, "{:?}\n{outcome}", told.elapsed());
        println!("{}", line("backup", if stalls { "in clean-up" } else { "in an upload" }, told.elapsed(), &outcome));
        if !stalls {
            let keys = bucket.keys();
            assert!(keys.len() == 1 && keys[0].starts_with("backups/databases/"), "{keys:?}");
            assert_eq!(bucket.open_uploads(), Vec::<String>::new());
        }
    }
}

#[test]
fn a_second_signal_ends_clean_up_at_once() {
    let database = Postgres::shared().new_database("impatient");
    database.fill_with_megabytes(16);
    let Stalled { bucket: _bucket, proxy: _proxy, mut running, _agent } = stalled_upload(&database);
    running.signal(Signal::INT);
    running.wait_for("send it again to quit at once");
    let (seconds, outcome) = stop(running, Signal::INT);
    assert!(seconds < Duration::from_secs(2), "{seconds:?}\n{outcome}");
    outcome.exits(1);
}

#[test]
fn a_monitor_that_says_nothing_holds_up_no_end() {
    let database = Postgres::shared().new_database("monitored");
    let agent = agent(&database, Store::Mute.start()).setting("BACKUP_HEALTHCHECK_URL", Store::Mute.start());
    let mut running = agent.start(&["backup"]);
    running.wait_until("the start", |running| running.pid() > 0);
    std::thread::sleep(Duration::from_millis(500));
    let (seconds, outcome) = stop(running, Signal::TERM);
    assert!(seconds < SECONDS, "{seconds:?}\n{outcome}");
    outcome.exits(1).mentions(STOPPED);
}

/// A run at a terminal of its own, made by util-linux's `script`.
pub(super) struct AtTerminal {
    script: std::process::Child,
    /// What it shows, as it comes.
    shown: std::sync::Arc<std::sync::Mutex<String>>,
}

impl AtTerminal {
    pub(super) fn start(agent: &Agent, arguments: &[&str]) -> AtTerminal {
        let inner = agent.command(arguments);
        let words = std::iter::once(inner.get_program()).chain(inner.get_args());
        let words: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
        let mut command = Command::new("script");
        command.args([
            "--quiet",
            "--return",
            "--flush",
            "--command",
            &format!("exec {}", words.join(" ")),
            "/dev/null",
        ]);
        command.env_clear().envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let streams = command.current_dir(agent.home()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut script = streams.spawn().unwrap();
        let shown = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let (mut output, sink) = (script.stdout.take().unwrap(), std::sync::Arc::clone(&shown));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                sink.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..length]));
            }
        });
        AtTerminal { script, shown }
    }

    pub(super) fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.shown.lock().unwrap().contains(text) {
            let ended = self.script.try_wait().unwrap();
            assert!(ended.is_none(), "it ended before {text:?}: {ended:?}\n{}", self.shown.lock().unwrap());
            assert!(Instant::now() < deadline, "no {text:?} within a minute\n{}", self.shown.lock().unwrap());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Types, while it goes on.
    pub(super) fn types(&mut self, keys: &str) {
        let keyboard = self.script.stdin.as_mut().unwrap();
        keyboard.write_all(keys.as_bytes()).unwrap();
        keyboard.flush().unwrap();
    }

    /// Types, and returns how long the end takes and the exit status.
    pub(super) fn end_by(mut self, keys: &[u8]) -> (Duration, Option<i32>, String) {
        let told = Instant::now();
        let mut keyboard = self.script.stdin.take().unwrap();
        keyboard.write_all(keys).unwrap();
        keyboard.flush().unwrap();
        let deadline = told + Duration::from_secs(60);
        let status = loop {
            if let Some(status) = self.script.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                let _ = self.script.kill();
                panic!("it did not end within a minute\n{}", self.shown.lock().unwrap());
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        std::thread::sleep(Duration::from_millis(50));
        let shown = self.shown.lock().unwrap().clone();
        (told.elapsed(), status.code(), shown)
    }
}

#[test]
fn ctrl_c_ends_every_prompt_and_nothing_is_changed() {
    let database = Postgres::shared().new_database("prompts");
    database.query("CREATE TABLE t AS SELECT generate_series(1, 10) AS id");
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::new().database(&database).directory(folder.path()).setting("MIN_BACKUP_SIZE", "0");
    agent.run(&["backup"]).succeeds();
    // Something for --drop-old to ask about.
    agent.run(&["restore", "latest", "--confirm"]).succeeds();
    database.query("INSERT INTO t VALUES (11)");
    for (arguments, prompt) in [
        (&["restore", "latest"][..], "Type yes: "),
        (&["restore", "--drop-old"], "Type yes: "),
        (&["retire", database.name()], "Type yes: "),
    ] {
        let mut run = AtTerminal::start(&agent, arguments);
        run.wait_for(prompt);
        // Ctrl-C, as a terminal gets it.
        let (seconds, code, shown) = run.end_by(&[3]);
        assert_eq!(code, Some(1), "{arguments:?}\n{shown}");
        assert!(shown.contains("stopped by SIGINT") && seconds < SECONDS, "{arguments:?}: {seconds:?}\n{shown}");
        println!("| `{}` | at its prompt | {:.1} s | 1 |", arguments.join(" "), seconds.as_secs_f64());
    }
    assert_eq!(database.query("SELECT count(*) FROM t"), "11");
    let mut run = AtTerminal::start(&agent, &["retire", database.name()]);
    run.wait_for("Type yes: ");
    let (_, code, shown) = run.end_by(b"no\n");
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("the answer was not yes"), "{shown}");
    // What was left beside goes with a yes.
    let mut run = AtTerminal::start(&agent, &["restore", "--drop-old"]);
    run.wait_for("Type yes: ");
    let (_, code, shown) = run.end_by(b"yes\n");
    assert_eq!(code, Some(0), "{shown}");
}

#[test]
fn a_database_that_stands_still_holds_up_no_end_of_a_restore() {
    let database = Postgres::shared().new_database("stands_still");
    database.query("CREATE TABLE t AS SELECT generate_series(1, 10) AS id");
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::new().database(&database).directory(folder.path());
    agent.run(&["backup"]).succeeds();
    let proxy = Proxy::start(&format!("127.0.0.1:{}", database.server().port()));
    let agent = agent
        .database_at(&proxy.address().port().to_string(), database.name())
        .setting("RESTORE_STOP_COMMAND", "sleep 60");
    let mut running = agent.start(&["restore", "latest", "--confirm"]);
    running.wait_for("stopping services");
    proxy.set(Fault::Stall(Direction::Up, 0));
    let (seconds, outcome) = stop(running, Signal::TERM);
    // Its own database can't be dropped over this network: that is said.
    assert!(seconds < Duration::from_secs(20), "{seconds:?}\n{outcome}");
    println!("{}", line("restore latest", "while services stop, the server silent", seconds, &outcome));
    outcome.exits(1).mentions("cannot drop the new database").mentions(STOPPED);
    proxy.heal();
    agent.setting("RESTORE_STOP_COMMAND", "").run(&["restore", "--drop-old", "--confirm"]).succeeds();
}
