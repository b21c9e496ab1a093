//! What is uploaded must start where it is sent: Lambda's own system has glibc 2.34.

use std::os::unix::fs::PermissionsExt;
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
    assert!(!String::from_utf8_lossy(&older.stderr).contains("GLIBC"), "{older:?}");
}

/// A `cargo` that builds nothing: it writes down what it was asked for, and puts these functions where cargo-lambda would.
fn builder(functions: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (asked, cargo) = (folder.path().join("asked"), folder.path().join("cargo"));
    let script = format!(
        "#!/bin/sh\necho \"$@\" > '{}'\nfor name in verify retention freshness; do cp '{}'/$name target/functions/$name/bootstrap; done\n",
        asked.display(),
        functions.display()
    );
    std::fs::write(&cargo, script).unwrap();
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[test]
fn fresh_build_is_deployed_unless_it_needs_a_newer_glibc_than_lambdas() {
    let folder = tempfile::tempdir().unwrap();
    compile("unsigned arc4random(void); int main(void) { return arc4random() & 1; }", folder.path());
    let cargo = builder(folder.path());
    let refused = Stack::new(Ministack::shared(), "fresh").built_by(cargo.path()).try_deploy(&["--yes"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    let error =
        "error: target/functions/verify/bootstrap needs GLIBC_2.36, but Lambda has GLIBC_2.34\nhint: install zig";
    assert!(!refused.status.success() && said.contains(error), "{said}");

    compile("int main(void) { return 1; }", folder.path());
    let stack = Stack::new(Ministack::shared(), "fresh").built_by(cargo.path());
    assert!(stack.deploy(&["Architecture=arm64"]).contains(&stack.bucket()));
    let asked = std::fs::read_to_string(cargo.path().join("asked")).unwrap();
    let build = "lambda build --profile function --locked --package lambdas --lambda-dir target/functions";
    assert_eq!(asked, format!("{build} --arm64 --skip-target-check\n"));
}
