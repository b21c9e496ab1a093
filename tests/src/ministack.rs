//! MiniStack: AWS on this machine, with functions, events, alarms and CloudFormation, mended where it would let a test pass
//! that fails on AWS (`tests/ministack_strict.py`).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::OnceLock;

use rustix::process::Signal;

use crate::aws;
use crate::bucket::Access;
use crate::ports::free_port;
use crate::proxy::Proxy;
use crate::server::Server;
use crate::tools;

/// Whether IAM policies and signatures are enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// As AWS does, for every identity but [`Ministack::root`].
    Enforced,
    /// Anybody may do anything.
    Ignored,
}

/// A running server; it answers within half a second.
pub struct Ministack {
    server: Server,
    port: u16,
}

impl Ministack {
    /// The server of this test binary, with rights enforced, started when first asked for.
    pub fn shared() -> &'static Ministack {
        static SHARED: OnceLock<Ministack> = OnceLock::new();
        SHARED.get_or_init(|| Ministack::start(Rights::Enforced))
    }

    /// A server of one's own, for a test that deploys a stack.
    pub fn start(rights: Rights) -> Ministack {
        Self::start_with(rights, free_port(), &[])
    }

    /// The same, and what its functions ask of S3 goes through a proxy, which sees it.
    pub fn seen(rights: Rights) -> (Ministack, Proxy) {
        let port = free_port();
        let proxy = Proxy::start(&format!("127.0.0.1:{port}"));
        let through = format!("http://{}", proxy.address());
        (Self::start_with(rights, port, &[("AWS_ENDPOINT_URL_S3", &through)]), proxy)
    }

    fn start_with(rights: Rights, port: u16, more: &[(&str, &str)]) -> Ministack {
        let folder = Server::new_folder("ministack");
        let mut command = Command::new(tools::python_command("python"));
        command
            .arg(tools::root().join("tests/ministack_strict.py"))
            .current_dir(&folder)
            // The whole environment leaks into the functions: nothing of this machine's may.
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &folder)
            .env("TMPDIR", &folder)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("AUTH", (rights == Rights::Enforced).to_string())
            // Nothing here speaks TLS, and a stack's bucket refuses plain HTTP.
            .env("PRETEND_TLS", "1")
            // A listener on a fixed port.
            .env("IOT_MTLS_ENABLED", "0")
            .envs(access(port).environment())
            .envs(more.iter().copied());
        let mut server = Server::start("MiniStack", command, folder, Signal::KILL);
        server.wait_until(|| request(port, "GET", "/_ministack/health").is_some_and(|answer| answer.contains("200")));
        Ministack { server, port }
    }

    /// The account's root, whom no policy binds.
    pub fn root(&self) -> Access {
        access(self.port)
    }

    /// The root of another account, which the twelve digits of its key name.
    pub fn root_of(&self, account: &str) -> Access {
        Access { key_id: account.to_owned(), ..self.root() }
    }

    /// The `aws` command as root.
    pub fn aws(&self) -> Command {
        let mut aws = Command::new(aws::cli::program());
        aws.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.server.directory()).env("AWS_PAGER", "");
        aws.envs(self.root().environment());
        // Said twice, because `aws sqs` heeds no variable; and what would leave this machine all the same goes nowhere.
        aws.args(["--endpoint-url", &self.root().endpoint]);
        aws.env("HTTPS_PROXY", "http://127.0.0.1:1").env("NO_PROXY", "127.0.0.1");
        aws
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// The server's log; what functions write is in it.
    pub fn log(&self) -> String {
        self.server.log()
    }
}

fn access(port: u16) -> Access {
    Access {
        // Not localhost: the SDK would put the bucket's name before it.
        endpoint: format!("http://127.0.0.1:{port}"),
        region: "us-east-1".into(),
        key_id: "test".into(),
        secret: "test".into(),
    }
}

fn request(port: u16, method: &str, path: &str) -> Option<String> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(connection, "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    Some(answer)
}
