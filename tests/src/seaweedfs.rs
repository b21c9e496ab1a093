//! SeaweedFS: a real, strict S3 server, one for the whole test binary. No events; for those see [`crate::ministack`].

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rustix::process::Signal;
use serde_json::json;

use crate::bounds::LIMIT;
use crate::bucket::{Access, Bucket};
use crate::ports::free_port;
use crate::server::Server;
use crate::tools;

/// A running server. About 3.5 s until it answers, so tests share one and keep to their own buckets.
pub struct Seaweedfs {
    server: Server,
    ports: Ports,
}

/// Every port that it listens on. Left out, each has a fixed default, and two servers would meet there.
struct Ports {
    master: u16,
    master_grpc: u16,
    volume: u16,
    volume_grpc: u16,
    filer: u16,
    filer_grpc: u16,
    s3: u16,
    s3_grpc: u16,
}

impl Seaweedfs {
    /// The server of this test binary, started when first asked for.
    pub fn shared() -> &'static Seaweedfs {
        static SHARED: OnceLock<Seaweedfs> = OnceLock::new();
        SHARED.get_or_init(Seaweedfs::start)
    }

    /// A server of one's own, for a test that stops it.
    pub fn start() -> Seaweedfs {
        let folder = Server::new_folder("seaweedfs");
        write_settings(&folder);
        let ports = Ports::free();
        let mut server =
            Server::start_with_strays("SeaweedFS", command(&folder, &ports), folder, Signal::KILL, ports.sockets());
        let log = server.directory().join("log");
        server.wait_until(|| {
            let log = std::fs::read(&log).unwrap_or_default();
            String::from_utf8_lossy(&log).contains("Start Seaweed S3 API Server") && answers(ports.s3)
        });
        Seaweedfs { server, ports }
    }

    /// Who may do everything.
    pub fn admin(&self) -> Access {
        self.access("admin")
    }

    /// Who may write, list and delete, but read nothing back.
    pub fn writer(&self) -> Access {
        self.access("writer")
    }

    /// Who may read and list.
    pub fn reader(&self) -> Access {
        self.access("reader")
    }

    /// Drops all bytes of a bucket that nobody needs any more: the server has room for some hundred buckets with bytes.
    pub fn forget(&self, bucket: &Bucket) {
        let mut master = TcpStream::connect(("127.0.0.1", self.ports.master)).unwrap();
        master.set_read_timeout(Some(LIMIT)).unwrap();
        let request = format!("GET /col/delete?collection={} HTTP/1.0\r\n\r\n", bucket.name());
        master.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        master.read_to_end(&mut answer).unwrap();
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// The server's log.
    pub fn log(&self) -> String {
        self.server.log()
    }

    fn access(&self, name: &str) -> Access {
        Access {
            endpoint: format!("http://127.0.0.1:{}", self.ports.s3),
            region: "us-east-1".into(),
            key_id: name.into(),
            secret: secret(name),
        }
    }
}

impl Ports {
    fn free() -> Ports {
        Ports {
            master: free_port(),
            master_grpc: free_port(),
            volume: free_port(),
            volume_grpc: free_port(),
            filer: free_port(),
            filer_grpc: free_port(),
            s3: free_port(),
            s3_grpc: free_port(),
        }
    }

    /// Unix sockets that it makes in /tmp whatever TMPDIR says, and never removes.
    fn sockets(&self) -> Vec<PathBuf> {
        [
            format!("master-grpc-{}", self.master_grpc),
            format!("volume-grpc-{}", self.volume_grpc),
            format!("filer-grpc-{}", self.filer_grpc),
            format!("filer-{}", self.filer),
            format!("s3-grpc-{}", self.s3_grpc),
            format!("s3-{}", self.s3),
        ]
        .map(|name| PathBuf::from(format!("/tmp/seaweedfs-{name}.sock")))
        .into()
    }
}

fn write_settings(folder: &Path) {
    let identity = |name: &str, actions: &[&str]| {
        let keys = json!({"accessKey": name, "secretKey": secret(name)});
        json!({"name": name, "credentials": [keys], "actions": actions})
    };
    let identities = json!({"identities": [
        identity("admin", &["Admin"]),
        identity("writer", &["Write", "List"]),
        identity("reader", &["Read", "List"]),
    ]});
    std::fs::write(folder.join("s3.json"), identities.to_string()).unwrap();
    // One volume for each bucket, instead of seven: many tests, few bytes.
    std::fs::write(folder.join("master.toml"), "[master.volume_growth]\ncopy_1 = 1\n").unwrap();
}

fn command(folder: &Path, ports: &Ports) -> Command {
    let mut weed = Command::new(tools::python_command("weed"));
    weed.current_dir(folder).env_clear().env("HOME", folder);
    // The key of SSE-S3: without one, requests for encryption at rest fail.
    weed.env("WEED_S3_SSE_KEK", "3b".repeat(32));
    weed.args(["-logtostderr=true", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"]);
    weed.args(["-dir=.", "-s3.config=s3.json", "-s3.iam.readOnly=false", "-volume.max=500"]);
    weed.args(["-master.volumeSizeLimitMB=64", "-master.volumePreallocate=false", "-master.telemetry=false"]);
    // More listeners on fixed ports, which nobody needs here.
    weed.args(["-s3.port.iceberg=0", "-s3.port.lance=0"]);
    for (flag, port) in [
        ("master.port", ports.master),
        ("master.port.grpc", ports.master_grpc),
        ("volume.port", ports.volume),
        ("volume.port.grpc", ports.volume_grpc),
        ("filer.port", ports.filer),
        ("filer.port.grpc", ports.filer_grpc),
        ("s3.port", ports.s3),
        ("s3.port.grpc", ports.s3_grpc),
    ] {
        weed.arg(format!("-{flag}={port}"));
    }
    weed
}

fn secret(name: &str) -> String {
    format!("{name}-secret/with+signs=")
}

fn answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}
