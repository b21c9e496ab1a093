//! The real binaries of the functions, run as Lambda runs them: a process that asks for events, and answers them.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tempfile::NamedTempFile;

use crate::bounds::{LIMIT, MOMENT};
use crate::bucket::Access;
use crate::{build, signals};

/// How much later than Lambda would have stopped it a function is given up here.
const GRACE: Duration = Duration::from_secs(30);

/// One function's process, and the side of Lambda that it talks to
/// (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>).
pub struct Function {
    process: Child,
    log: NamedTempFile,
    listener: TcpListener,
    /// The connection on which it waits for its next event.
    waiting: Option<TcpStream>,
    invocations: u32,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With a result.
    Done(Value),
    /// As a failure; the text that Lambda shows.
    Failed(String),
}

/// What [`Function::start`] runs.
#[derive(Clone, Debug)]
pub struct Setup {
    name: String,
    /// The program and its arguments.
    words: Vec<OsString>,
    environment: Vec<(String, String)>,
}

impl Setup {
    /// The function `verify`, `retention` or `freshness` over a bucket, with the prefix `backups`.
    pub fn new(name: &str, access: &Access, bucket: &str) -> Setup {
        Self::of_program(name, vec![folder().join(name).into()], access, bucket)
    }

    /// Any program that speaks Lambda's side, such as a function in another language.
    pub fn of_program(name: &str, words: Vec<OsString>, access: &Access, bucket: &str) -> Setup {
        let setup = Setup { name: name.to_owned(), words, environment: Vec::new() };
        let setup = setup.setting("BACKUP_S3_BUCKET", bucket).setting("BACKUP_S3_PREFIX", "backups");
        access.environment().into_iter().fold(setup, |setup, (name, value)| setup.setting(name, &value))
    }

    /// On the first core alone: a function of less than 1,769 MB has no whole one.
    pub fn on_one_core(mut self) -> Setup {
        self.words.splice(0..0, ["taskset", "--cpu-list", "0"].map(OsString::from));
        self
    }

    /// One variable more.
    pub fn setting(mut self, name: &str, value: &str) -> Setup {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Metrics, messages and queues are at this server, whatever serves S3.
    pub fn reports_to(self, access: &Access) -> Setup {
        let services = ["CLOUDWATCH", "SNS", "SQS"].map(|service| format!("AWS_ENDPOINT_URL_{service}"));
        services.iter().fold(self, |setup, name| setup.setting(name, &access.endpoint))
    }
}

impl Function {
    /// Starts the process, and waits for it to ask for its first event.
    pub fn start(setup: &Setup) -> Function {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let log = NamedTempFile::new().unwrap();
        let (program, arguments) = setup.words.split_first().unwrap();
        let mut command = Command::new(program);
        command.args(arguments).stdout(File::create(log.path()).unwrap());
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .envs(setup.environment.iter().map(|(name, value)| (name, value)));
        command.env("AWS_LAMBDA_RUNTIME_API", listener.local_addr().unwrap().to_string());
        command.env("AWS_LAMBDA_FUNCTION_NAME", &setup.name).env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256");
        command.env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
        signals::begin_afresh();
        let process = command.stdin(Stdio::null()).spawn().unwrap();
        let mut function = Function { process, log, listener, waiting: None, invocations: 0 };
        function.waiting = Some(function.request("GET", "/next", MOMENT).0);
        function
    }

    /// Gives it one event and so much time, and waits for its answer.
    pub fn invoke(&mut self, event: &Value, time: Duration) -> Answer {
        self.invocations += 1;
        let waiting = self.waiting.take().expect("a function that asked for its next event");
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + time;
        let begun = Instant::now();
        let headers = format!(
            "Lambda-Runtime-Aws-Request-Id: request-{}\r\nLambda-Runtime-Deadline-Ms: {}\r\n\
             Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:test\r\n\
             Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700\r\n",
            self.invocations,
            deadline.as_millis()
        );
        respond(waiting, "200 OK", &headers, &event.to_string());
        let (answered, path, body) = self.request("POST", "/invocation/request-", time.min(LIMIT) + GRACE);
        respond(answered, "202 Accepted", "", "");
        assert!(begun.elapsed() < time, "the function was still at work when Lambda would have stopped it");
        self.waiting = Some(self.request("GET", "/next", MOMENT).0);
        let body: Value = serde_json::from_str(&body).unwrap();
        match path.ends_with("/response") {
            true => Answer::Done(body),
            false => Answer::Failed(body["errorMessage"].as_str().unwrap().to_owned()),
        }
    }

    /// The most memory that was ever resident, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    /// Its next request, which must be this one and come within so much time; the connection on which it waits, its path and
    /// its body.
    fn request(&mut self, method: &str, path: &str, limit: Duration) -> (TcpStream, String, String) {
        let connection = self.connection(&format!("{method} {path}"), limit);
        let (mut connection, head, body) = read_request(connection, limit)
            .unwrap_or_else(|error| panic!("half of {method} {path} came from the function: {error}\n{}", self.log()));
        let mut words = head.split(' ');
        let (said, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default().to_owned());
        if said != method || !target.contains(path) {
            let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            panic!("the function said {head:?} where {method} {path} was due: {body}\n{}", self.log());
        }
        (connection, target, body)
    }

    fn connection(&mut self, due: &str, limit: Duration) -> TcpStream {
        let deadline = Instant::now() + limit;
        self.listener.set_nonblocking(true).unwrap();
        loop {
            if let Ok((connection, _)) = self.listener.accept() {
                connection.set_nonblocking(false).unwrap();
                return connection;
            }
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("the function ended before {due}, {status}:\n{}", self.log());
            }
            assert!(Instant::now() < deadline, "no {due} came from the function within {limit:?}:\n{}", self.log());
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

/// A request's first line and body, and the connection that it came by.
fn read_request(connection: TcpStream, limit: Duration) -> std::io::Result<(TcpStream, String, String)> {
    connection.set_read_timeout(Some(limit))?;
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    reader.read_line(&mut head)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((reader.into_inner(), head, String::from_utf8(body).unwrap()))
}

impl Answer {
    /// The result; fails the test if the invocation failed.
    pub fn done(self) -> Value {
        match self {
            Answer::Done(value) => value,
            Answer::Failed(text) => panic!("the invocation failed: {text}"),
        }
    }

    /// The failure; fails the test if there was none.
    pub fn failed(self) -> String {
        match self {
            Answer::Done(value) => panic!("the invocation succeeded: {value}"),
            Answer::Failed(text) => text,
        }
    }
}

impl Drop for Function {
    #[expect(clippy::disallowed_methods, reason = "it was killed")]
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Each answer ends its connection, so that the next request comes on a new one.
fn respond(mut connection: TcpStream, status: &str, headers: &str, body: &str) {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    connection.write_all(format!("{head}{body}").as_bytes()).unwrap();
}

static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
static PROFILE: OnceLock<&str> = OnceLock::new();

/// For measuring: the functions as they are deployed, or those in this folder. To be called before any of them is started.
pub fn use_deployed(folder: Option<PathBuf>) {
    PROFILE.get_or_init(|| build::DEPLOYED);
    if let Some(folder) = folder {
        FOLDER.get_or_init(|| Ok(folder));
    }
}

/// Where the binaries lie, built once by the first test that asks.
pub fn folder() -> &'static Path {
    let profile = || PROFILE.get().map_or_else(build::own_profile, |profile| (*profile).to_owned());
    match FOLDER.get_or_init(|| build::package("lambdas", &profile())) {
        Ok(folder) => folder,
        Err(errors) => panic!("the functions don't compile:\n{errors}"),
    }
}
