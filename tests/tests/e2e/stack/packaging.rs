//! What is uploaded must start where it is sent: Lambda's own system has glibc 2.34.

use std::path::Path;
use std::process::Command;

use e2e::ministack::Ministack;
use e2e::process::output;
use e2e::stack::Stack;

/// The same program for each function, from C.
fn compile(source: &str, folder: &Path) {
    let file = folder.join("source.c");
    std::fs::write(&file, source).unwrap();
    for name in ["verify", "retention", "freshness"] {
        let output = output(Command::new("cc").args(["-w", "-o"]).arg(folder.join(name)).arg(&file));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A fresh build is refused for it. This one is somebody's own, as all that the tests deploy, and so only warned of.
#[test]
fn function_for_a_newer_glibc_than_lambdas_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    // arc4random came with glibc 2.36.
    compile("unsigned arc4random(void); int main(void) { return arc4random() & 1; }", folder.path());
    let newer = Stack::new(Ministack::shared(), "newer").functions(folder.path()).try_deploy(&["--yes"]);
    let said = String::from_utf8_lossy(&newer.stderr).into_owned();
    let warning = "warning: target/functions/verify/bootstrap needs GLIBC_2.36, but Lambda has GLIBC_2.34\n";
    assert!(said.contains(warning), "{said}");

    let folder = tempfile::tempdir().unwrap();
    compile("int main(void) { return 1; }", folder.path());
    let older = Stack::new(Ministack::shared(), "older").functions(folder.path()).try_deploy(&["--yes"]);
    assert!(!String::from_utf8_lossy(&older.stderr).contains("warning"), "{older:?}");
}
