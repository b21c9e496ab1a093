//! What a test binary leaves behind, however it ends: no process, no folder, no socket.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use e2e::aws::cli;
use e2e::bounds::wait_until;
use e2e::ministack::Ministack;
use e2e::postgres::{Installation, Postgres};
use e2e::seaweedfs::Seaweedfs;

/// Set for the process that starts servers and is then killed.
const VICTIM: &str = "LASTGOOD_E2E_VICTIM";

#[test]
fn a_dropped_server_is_gone_with_its_folder() {
    let server = Postgres::start(Installation::debian());
    let (folder, port) = (server.socket_directory().to_owned(), server.port());
    assert!(folder.exists());
    drop(server);
    assert!(!folder.exists());
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_killed_test_binary_leaves_nothing_behind() {
    if std::env::var_os(VICTIM).is_some() {
        start_servers_and_wait();
    }
    let temporary = tempfile::tempdir().unwrap();
    open_to_servers(temporary.path());
    let victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "harness::leftovers::a_killed_test_binary_leaves_nothing_behind", "--nocapture"])
        .env(VICTIM, "1")
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut victim = Victim(victim.unwrap());
    wait_until("servers stand", || folders_in(temporary.path()) == 5);
    let mentions = processes_mentioning(temporary.path());
    victim.0.kill().unwrap();
    wait_until("the test binary has ended", || victim.0.try_wait().unwrap().is_some());
    assert!(mentions > 3, "{mentions} processes");
    wait_until("folders are gone", || folders_in(temporary.path()) == 0);
    wait_until("processes are gone", || processes_mentioning(temporary.path()) == 0);
}

/// Killed in any case: it waits for ever.
struct Victim(Child);

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

fn start_servers_and_wait() -> ! {
    let _servers = (Postgres::shared(), Seaweedfs::shared(), Ministack::shared(), cli::folder());
    std::fs::create_dir(std::env::temp_dir().join("ready")).unwrap();
    loop {
        std::thread::park();
    }
}

fn open_to_servers(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Four servers', and the mark that they stand, which is not theirs to remove.
fn folders_in(path: &Path) -> usize {
    let ready = path.join("ready");
    let folders: Vec<PathBuf> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    if folders == [ready] { 0 } else { folders.len() }
}

/// Processes whose working directory or arguments lie below this folder.
fn processes_mentioning(folder: &Path) -> usize {
    let folder = folder.to_str().unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    processes
        .filter(|process| {
            let arguments = std::fs::read(process.join("cmdline")).unwrap_or_default();
            let works_there = std::fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
            works_there || String::from_utf8_lossy(&arguments).contains(folder)
        })
        .count()
}
