//! What `make dist` packs, made of the tests' own binary: its contents and modes, its units, and its life from installing to purging
//! in a system that is thrown away. `make dist-test` does the same with a release, in systems of Debian's own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use e2e::agent::{Agent, binary};
use e2e::{process, tools};
use serde_json::Value;
use tempfile::TempDir;

/// The units that a timer starts.
const SERVICES: [&str; 4] = ["lastgood", "lastgood-verify", "lastgood-prune", "lastgood-drill"];

/// What a command says, which must succeed.
fn said(command: &mut Command) -> String {
    let output = process::output(command);
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{command:?}: {}\n{stdout}\n{stderr}", output.status);
    stdout
}

/// By root, or by a sudo that asks nothing.
fn as_root(program: &Path) -> Command {
    if rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.arg("-n").arg(program);
    command
}

/// Packs the tests' binary into `folder`, as a user with this umask and time zone.
fn pack(folder: &Path, umask: &str, zone: &str) {
    let script = format!("umask {umask} && exec agent/packaging/dist.sh --fast --binary \"$0\" --output \"$1\"");
    let mut command = Command::new("bash");
    command.args(["-c", &script]).arg(binary()).arg(folder).current_dir(tools::root()).env("TZ", zone);
    // Otherwise the time of the last commit, and there may be a newer one before the second packing.
    command.env("SOURCE_DATE_EPOCH", "1767225600");
    said(&mut command);
}

/// What was packed, once for all tests.
fn packed() -> &'static Path {
    static PACKED: OnceLock<TempDir> = OnceLock::new();
    let folder = PACKED.get_or_init(|| {
        let folder = tempfile::tempdir_in(tools::root().join("target")).unwrap();
        pack(folder.path(), "022", "UTC");
        folder
    });
    folder.path()
}

fn file(suffix: &str) -> PathBuf {
    let mut files = std::fs::read_dir(packed()).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.to_string_lossy().ends_with(suffix)).unwrap_or_else(|| panic!("nothing ends with {suffix}"))
}

/// The package's files below `folder`.
fn unpack(folder: &Path) {
    said(Command::new("dpkg-deb").arg("--extract").arg(file(".deb")).arg(folder));
}

fn version() -> String {
    Agent::new().run(&["--version"]).succeeds().stdout.trim().trim_start_matches("lastgood ").to_owned()
}

#[test]
fn one_commit_gives_the_same_bytes() {
    let again = tempfile::tempdir_in(tools::root().join("target")).unwrap();
    pack(again.path(), "077", "Asia/Kathmandu");
    let sums = |folder: &Path| std::fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    assert_eq!(sums(packed()), sums(again.path()));
    said(Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(again.path()));
}

#[test]
fn the_files_are_named_by_the_one_version() {
    let version = version();
    let names: BTreeSet<String> = std::fs::read_dir(packed())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().replace(&version, "V"))
        .collect();
    let expected = [
        "SHA256SUMS",
        "lastgood-V-1.x86_64.rpm",
        "lastgood-V-x86_64-linux.tar.gz",
        "lastgood-V.cdx.json",
        "lastgood_V_amd64.deb",
    ];
    assert_eq!(names, expected.map(str::to_owned).into());
    let changes = std::fs::read_to_string(tools::root().join("CHANGELOG.md")).unwrap();
    assert!(changes.contains(&format!("\n## {version}")), "CHANGELOG.md says nothing of {version}");
}

#[test]
fn a_package_has_everything_with_its_mode() {
    let listed = said(Command::new("dpkg-deb").arg("--contents").arg(file(".deb")));
    let mut files = BTreeSet::new();
    for line in listed.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (mode, owner, path) = (words[0], words[1], words[5].trim_start_matches('.'));
        let expected = match path {
            _ if path.ends_with('/') => "drwxr-xr-x",
            "/usr/bin/lastgood" => "-rwxr-xr-x",
            "/usr/share/lastgood/examples/lastgood.env" => "-rw-------",
            _ if path.starts_with("/usr/share/lastgood/scripts/") => "-rwxr-xr-x",
            _ => "-rw-r--r--",
        };
        assert_eq!((mode, owner), (expected, "root/root"), "{path}");
        files.insert(path.to_owned());
    }
    for unit in SERVICES {
        assert!(files.contains(&format!("/usr/lib/systemd/system/{unit}.service")), "{unit}");
        assert!(files.contains(&format!("/usr/lib/systemd/system/{unit}.timer")), "{unit}");
    }
    for command in ["backup", "restore", "verify", "list", "check", "prune", "drill"] {
        assert!(files.contains(&format!("/usr/share/man/man1/lastgood-{command}.1.gz")), "{command}");
    }
    for path in [
        "/usr/share/bash-completion/completions/lastgood",
        "/usr/share/fish/vendor_completions.d/lastgood.fish",
        "/usr/share/zsh/vendor-completions/_lastgood",
        "/usr/share/lastgood/scripts/backup-db.sh",
        "/usr/share/doc/lastgood/README.md",
        "/usr/share/doc/lastgood/docs/restore.md",
        "/usr/share/lastgood/examples/on-failure.conf",
        "/etc/logrotate.d/lastgood",
    ] {
        assert!(files.contains(path), "{path}");
    }
    assert_eq!(of_rpm(), files.into_iter().filter_map(|path| in_rpm(&path)).collect());
}

/// The files of the .rpm.
fn of_rpm() -> BTreeSet<String> {
    let listed = said(
        Command::new("rpm")
            .args(["--query", "--package", "--queryformat", "[%{FILEMODES:perms} %{FILENAMES}\n]"])
            .arg(file(".rpm")),
    );
    let files = listed.lines().filter_map(|line| line.strip_prefix('-'));
    files.map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
}

/// Where the .rpm has a file of the .deb, if it has it.
fn in_rpm(path: &str) -> Option<String> {
    let debian = path.ends_with('/') || path.contains("lintian") || path.ends_with("/changelog.gz");
    (!debian).then(|| path.replace("vendor-completions/_", "site-functions/_"))
}

#[test]
fn lintian_is_quiet() {
    // zstd, with which the tests pack, is younger than Debian 12's lintian.
    let mut command = Command::new("lintian");
    command.args(["--allow-root", "--suppress-tags", "malformed-deb-archive"]).arg(file(".deb"));
    assert_eq!(said(&mut command), "");
}

#[test]
fn units_are_right_and_shut_in() {
    let root = tempfile::tempdir().unwrap();
    unpack(root.path());
    let units = root.path().join("usr/lib/systemd/system");
    for unit in SERVICES {
        let service = units.join(format!("{unit}.service"));
        let text = std::fs::read_to_string(&service).unwrap();
        // The program is looked for, and isn't installed here.
        std::fs::write(&service, text.replace("/usr/bin/lastgood", "/bin/true")).unwrap();
        for kind in ["service", "timer"] {
            verify(&units.join(format!("{unit}.{kind}")));
        }
        let judged = ["security", "--offline=true", "--threshold=20", "--no-pager"];
        said(Command::new("systemd-analyze").args(judged).arg(&service));
    }
    let failed = root.path().join("usr/share/lastgood/examples/lastgood-failed@.service");
    let instance = root.path().join("lastgood-failed@lastgood.service");
    std::fs::copy(failed, &instance).unwrap();
    verify(&instance);
}

/// Fails at any remark.
fn verify(unit: &Path) {
    let output = process::output(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(unit));
    let remarks = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && remarks.is_empty(), "{}: {}\n{remarks}", unit.display(), output.status);
}

#[test]
fn the_bill_of_materials_has_what_is_compiled_in() {
    let bill: Value = serde_json::from_slice(&std::fs::read(file(".cdx.json")).unwrap()).unwrap();
    assert_eq!(bill["bomFormat"], "CycloneDX");
    assert_eq!(bill["metadata"]["component"]["name"], "lastgood");
    assert_eq!(bill["metadata"]["component"]["version"], version());
    let components = bill["components"].as_array().unwrap();
    let named = |name: &str| components.iter().find(|component| component["name"] == name);
    let tokio = named("tokio").expect("tokio is compiled in");
    assert_eq!(tokio["hashes"][0]["content"].as_str().unwrap().len(), 64);
    assert!(tokio["purl"].as_str().unwrap().starts_with("pkg:cargo/tokio@"));
    // Of the tests, of the functions, and of other systems.
    for other in ["proptest", "lambda_runtime", "windows-sys"] {
        assert!(named(other).is_none(), "{other} isn't compiled in");
    }
    let references: BTreeSet<&str> =
        components.iter().map(|component| component["bom-ref"].as_str().unwrap()).collect();
    for row in bill["dependencies"].as_array().unwrap() {
        for taken in row["dependsOn"].as_array().unwrap() {
            assert!(references.contains(taken.as_str().unwrap()), "{taken} has no component");
        }
    }
}

#[test]
fn installed_it_backs_up_restores_and_leaves_nothing_but_backups() {
    let script = tools::root().join("tests/packages/root.sh");
    let told = said(as_root(&script).args(["enter", "/"]).arg(file(".deb")));
    assert!(told.contains("seconds from the package to a good backup: "), "{told}");
    let left: Vec<&str> =
        told.lines().filter(|line| line.starts_with("left ") || line.starts_with("differs ")).collect();
    assert!(left.iter().any(|line| line.ends_with(".sql.gz")), "the backup is gone: {told}");
    let others: Vec<&&str> = left.iter().filter(|line| !line.starts_with("left /var/backups/lastgood/")).collect();
    assert!(others.is_empty(), "{others:#?}");
    let calls: BTreeSet<&str> = told.lines().filter_map(|line| line.strip_prefix("calls ")).collect();
    assert!(calls.contains("execve"), "strace saw nothing: {told}");
    let allowed: BTreeSet<String> = &in_filter("@system-service") - &in_filter("@privileged");
    let refused: Vec<&&str> = calls.iter().filter(|call| !allowed.contains(**call)).collect();
    assert!(refused.is_empty(), "the units' SystemCallFilter= refuses {refused:?}");
}

/// The calls of the kernel in a set of `SystemCallFilter=`, with those of the sets in it. `@default` is in each.
fn in_filter(set: &str) -> BTreeSet<String> {
    let told = said(Command::new("systemd-analyze").args(["syscall-filter", set]));
    let words = told.lines().skip(1).map(str::trim).filter(|word| !word.is_empty() && !word.starts_with('#'));
    words
        .flat_map(|word| if word.starts_with('@') { in_filter(word) } else { BTreeSet::from([word.to_owned()]) })
        .collect()
}

#[test]
fn workflows_pass_actionlint() {
    let mut command = Command::new(tools::python_command("actionlint"));
    assert_eq!(said(command.args(["-no-color", "-shellcheck=", "-pyflakes="]).current_dir(tools::root())), "");
}
