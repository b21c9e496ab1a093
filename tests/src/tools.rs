//! Where `make tools` puts things. What is missing there fails the test at once, and says so.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::OnceLock;

/// The checkout.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned())
}

/// A command of the Python environment: `aws`, `weed`, `python` …
pub fn python_command(name: &str) -> PathBuf {
    present(root().join("target/python/bin").join(name))
}

/// A folder that a Python package brought.
pub fn python_package(path: &str) -> PathBuf {
    let libraries = root().join("target/python/lib");
    let interpreter = std::fs::read_dir(&libraries)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.join("site-packages").is_dir())
        .unwrap_or_else(|| missing(&libraries));
    present(interpreter.join("site-packages").join(path))
}

fn present(path: PathBuf) -> PathBuf {
    if path.exists() { path } else { missing(&path) }
}

/// Fails the test: a component that isn't there is never a reason to pass.
pub fn missing(what: &(impl AsRef<Path> + ?Sized)) -> ! {
    panic!("{} is missing\nhint: make tools", what.as_ref().display())
}

/// The standard output of a program that must succeed.
pub(crate) fn succeed(output: Output, program: &str) -> Vec<u8> {
    assert!(output.status.success(), "{program}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    output.stdout
}
