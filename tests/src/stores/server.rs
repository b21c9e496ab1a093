//! How each store is started: on a port of its own, in a folder of its own, and never past the end of the run.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::store::Store;
use crate::bucket::Access;
use crate::ministack::Ministack;
use crate::ports::free_port;
use crate::seaweedfs::Seaweedfs;
use crate::server::Server;
use crate::tools;

/// A running store.
pub(super) struct Running {
    /// Who may do everything there.
    pub(super) access: Access,
    /// Ended with the value; none where the tests' shared one serves.
    _server: Option<Server>,
}

/// The keys of every store that lets its starter choose them. Garage takes none of another shape.
const KEY: &str = "GK31c2f218a2e44f485b94239e";
const SECRET: &str = "b892c0665f0ada8a4755dae98baa3b133590e11dae3bcc1f9d769d67f16c3835";

/// Starts a store, or gives the one that this process has.
pub(super) fn start(store: Store) -> Running {
    match store {
        Store::Seaweedfs => Running { access: Seaweedfs::shared().admin(), _server: None },
        Store::Ministack => Running { access: Ministack::shared().root(), _server: None },
        Store::Ceph => of_debian("ceph", KEY),
        // Its tempauth knows users of accounts.
        Store::Swift => of_debian("swift", "tests:lastgood"),
        Store::Rclone => own("rclone", "us-east-1", rclone),
        Store::Moto => own("moto", "us-east-1", |_, port| moto(port)),
        Store::S3sFs => own("s3s-fs", "us-east-1", s3s_fs),
        Store::Garage => own("garage", "garage", garage),
    }
}

fn own(name: &'static str, region: &str, command: impl Fn(&Path, u16) -> Command) -> Running {
    let (folder, port) = (Server::new_folder(name), free_port());
    let mut command = command(&folder, port);
    command.current_dir(&folder).env("HOME", &folder).env("TMPDIR", &folder);
    let mut server = Server::start(name, command, folder, Signal::TERM);
    server.wait_until(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    let access = Access {
        endpoint: format!("http://127.0.0.1:{port}"),
        region: region.to_owned(),
        key_id: KEY.to_owned(),
        secret: SECRET.to_owned(),
    };
    Running { access, _server: Some(server) }
}

/// A program that `tests/stores.sh` installs, with an empty environment.
fn program(path: &str) -> Command {
    let path: PathBuf = tools::root().join("target/stores").join(path);
    assert!(path.exists(), "{} is missing\nhint: tests/stores.sh", path.display());
    let mut command = Command::new(path);
    command.env_clear().env("PATH", "/usr/bin:/bin");
    command
}

/// A store of several daemons, from Debian's unpacked packages.
fn of_debian(name: &'static str, key: &str) -> Running {
    let running = own(name, "us-east-1", |folder, port| {
        let root = tools::root().join("target/stores/debian").join(name).join("root");
        assert!(root.exists(), "{} is missing\nhint: tests/stores.sh", root.display());
        let mut python = Command::new("python3");
        python.env_clear().env("PATH", "/usr/bin:/bin").arg(tools::root().join("tests/stores_of_debian.py"));
        python.arg(name).arg(root).arg(folder).args([&port.to_string(), key, SECRET]);
        python
    });
    Running { access: Access { key_id: key.to_owned(), ..running.access }, ..running }
}

fn rclone(folder: &Path, port: u16) -> Command {
    let data = new_folder(folder, "data");
    let mut rclone = program("python/bin/rclone");
    rclone.args(["serve", "s3", "--config", "/dev/null", "--addr", &format!("127.0.0.1:{port}")]);
    rclone.args(["--auth-key", &format!("{KEY},{SECRET}")]).arg(data);
    rclone
}

fn moto(port: u16) -> Command {
    let mut moto = program("python/bin/moto_server");
    moto.args(["--host", "127.0.0.1", "--port", &port.to_string()]).env("PYTHONDONTWRITEBYTECODE", "1");
    moto
}

fn s3s_fs(folder: &Path, port: u16) -> Command {
    let data = new_folder(folder, "data");
    let mut s3s = program("bin/s3s-fs");
    s3s.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--access-key", KEY, "--secret-key", SECRET])
        .arg(data);
    s3s
}

fn garage(folder: &Path, port: u16) -> Command {
    let (rpc, settings) = (free_port(), folder.join("garage.toml"));
    let (data, metadata) = (new_folder(folder, "data"), new_folder(folder, "metadata"));
    let text = format!(
        "metadata_dir = {metadata:?}\ndata_dir = {data:?}\ndb_engine = \"sqlite\"\nreplication_factor = 1\n\
         compression_level = \"none\"\nrpc_bind_addr = \"127.0.0.1:{rpc}\"\nrpc_public_addr = \"127.0.0.1:{rpc}\"\n\
         rpc_secret = \"{SECRET}\"\n[s3_api]\napi_bind_addr = \"127.0.0.1:{port}\"\ns3_region = \"garage\"\n\
         root_domain = \".s3.garage.localhost\"\n"
    );
    std::fs::write(&settings, text).unwrap();
    let mut garage = program("bin/garage");
    garage.arg("-c").arg(settings).args(["server", "--single-node", "--default-access-key"]);
    garage.env("GARAGE_DEFAULT_ACCESS_KEY", KEY).env("GARAGE_DEFAULT_SECRET_KEY", SECRET);
    garage
}

fn new_folder(inside: &Path, name: &str) -> PathBuf {
    let folder = inside.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
