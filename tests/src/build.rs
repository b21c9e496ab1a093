//! Other packages' binaries. `cargo test` builds none of them: the first test that asks does, so that none ever runs a stale
//! one.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::{process, tools};

/// For a build from nothing, with link-time optimisation, on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(3600);

/// The functions' profile, built as `infra/functions.sh` builds it: without AWS-LC's CPU jitter. Other profiles keep the jitter,
/// because there the functions share a folder with the agent, and AWS-LC would be compiled again at each change of the two.
pub(crate) const DEPLOYED: &str = "function";

/// Builds a package's binaries in this test binary's target folder, and says in which folder of it they lie; else what the
/// compiler said.
pub(crate) fn package(name: &str, profile: &str) -> Result<PathBuf, String> {
    let target = own_folder().parent().unwrap().to_owned();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    if profile == DEPLOYED {
        command.env("AWS_LC_SYS_NO_JITTER_ENTROPY", "1");
    }
    // With the tests' own profile the whole workspace: cargo unites features over what it builds, and what it has built for the
    // tests serves again. Alone, each package has other features, and the AWS SDK would be compiled once more for each.
    let whole = profile == "dev";
    command.args(["build", "--quiet", "--locked", "--profile", profile]);
    if whole {
        command.args(["--workspace", "--bins"])
    } else {
        command.args(["--package", name])
    };
    command.arg("--target-dir").arg(&target).current_dir(tools::root());
    let output = process::output_within(LIMIT, &mut command, None);
    match output.status.success() {
        true => Ok(target.join(if profile == "dev" { "debug" } else { profile })),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// The profile that the tests are built with.
pub(crate) fn own_profile() -> String {
    match own_folder().file_name().and_then(OsStr::to_str).unwrap() {
        "debug" => "dev".to_owned(),
        other => other.to_owned(),
    }
}

/// The folder of this test binary's profile.
fn own_folder() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().find(|folder| folder.join(".cargo-lock").exists()).expect("a test run by cargo").to_owned()
}
