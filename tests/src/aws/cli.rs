//! The AWS CLI with its imports done once: a program forks for each call (`tests/aws_forked.py`), and ends with this process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rustix::process::Signal;

use crate::server::Server;
use crate::tools;

/// A folder for `PATH` with the AWS CLI as `aws`, and what else `make tools` has put beside Python.
pub fn folder() -> &'static Path {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(start).directory()
}

/// The AWS CLI.
pub fn program() -> PathBuf {
    folder().join("aws")
}

fn start() -> Server {
    let folder = Server::new_folder("aws");
    let mut command = Command::new(tools::python_command("python"));
    command.arg(tools::root().join("tests/aws_forked.py")).current_dir(&folder);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", &folder);
    let aws = folder.join("aws");
    let mut server = Server::start("the AWS CLI", command, folder, Signal::KILL);
    server.wait_until(|| aws.exists());
    server
}
