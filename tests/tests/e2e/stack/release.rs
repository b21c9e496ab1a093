//! What `make functions` builds is deployed with bash, the core utilities and the AWS CLI alone, and is what was built.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use e2e::aws::cli;
use e2e::ministack::Ministack;
use e2e::process::output;
use e2e::stack::{Release, Stack};
use e2e::tools;

/// All that the path of a release may use: what CloudShell has, and macOS.
const PROGRAMS: [&str; 14] = [
    "bash",
    "cat",
    "cksum",
    "dirname",
    "env",
    "gzip",
    "mkdir",
    "mktemp",
    "rm",
    "sha256sum",
    "tail",
    "tar",
    "tr",
    "unzip",
];

/// A folder for `PATH` with these programs and the AWS CLI. No compiler, no make, no Python, no grep.
pub(super) fn bare_path() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for program in PROGRAMS {
        let found = ["/usr/bin", "/bin"].map(|place| Path::new(place).join(program));
        // Nobody needs unzip for a .tar.gz.
        if let Some(found) = found.iter().find(|path| path.exists()) {
            symlink(found, folder.path().join(program)).unwrap();
        }
    }
    symlink(cli::program(), folder.path().join("aws")).unwrap();
    folder
}

fn run(stack: &Stack<'_>, script: &Path, arguments: &[&str]) -> Output {
    let path = bare_path();
    stack.run(Command::new(script).args(arguments), path.path().to_str().unwrap())
}

fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn it_is_deployed_without_a_compiler_from_its_folder_and_from_its_archive() {
    let stack = Stack::new(Ministack::shared(), "shipped");
    let release = stack.release();
    let arguments = ["shipped", "--yes", "--nobody-listens", "--no-check"];
    let first = run(&stack, &release.folder.join("deploy.sh"), &arguments);
    assert!(first.status.success(), "{:?}", told(&first));
    let said = String::from_utf8_lossy(&first.stdout);
    assert!(said.contains("Deployed shipped."), "{said}\n{:?}", told(&first));

    // The same zips under the same names: nothing changes, from the archive and a script elsewhere.
    let archive = PathBuf::from(format!("{}.tar.gz", release.folder.display()));
    let elsewhere = stack.release();
    let given = [&arguments[..], &["--release", archive.to_str().unwrap()]].concat();
    let again = run(&stack, &elsewhere.folder.join("deploy.sh"), &given);
    assert!(again.status.success(), "{:?}", told(&again));
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(said.contains("Nothing to change: shipped is up to date."), "{said}");
}

#[test]
fn packing_again_gives_the_same_bytes() {
    let stack = Stack::new(Ministack::shared(), "packed");
    let [one, other] = [stack.release(), stack.release()];
    let sums = |release: &Release| fs::read_to_string(release.folder.join("SHA256SUMS")).unwrap();
    assert_eq!(sums(&one), sums(&other));
    let archive = |release: &Release| fs::read(format!("{}.tar.gz", release.folder.display())).unwrap();
    assert!(archive(&one) == archive(&other), "the archives differ");
    for listed in ["template.yaml", "deploy.sh", "deploy/doctor.sh", "x86_64/verify.zip", "x86_64/freshness.zip"] {
        assert!(sums(&one).contains(&format!("  {listed}\n")), "{listed} isn't listed: {}", sums(&one));
    }
}

#[test]
fn what_is_not_what_was_built_is_refused() {
    let stack = Stack::new(Ministack::shared(), "tampered");
    type Harm = fn(&Path);
    let harms: [(Harm, &str); 5] = [
        (
            |folder| fs::write(folder.join("x86_64/verify.zip"), b"PK").unwrap(),
            "is not what was built: x86_64/verify.zip differs",
        ),
        (|folder| fs::write(folder.join("template.yaml"), b"Parameters:\n").unwrap(), "template.yaml"),
        (|folder| fs::remove_file(folder.join("x86_64/retention.zip")).unwrap(), "x86_64/retention.zip"),
        (|folder| fs::write(folder.join("x86_64/more.zip"), b"PK").unwrap(), "doesn't list x86_64/more.zip"),
        (
            |folder| {
                let sums = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
                let without = sums.lines().filter(|line| !line.contains("verify.zip")).map(|line| format!("{line}\n"));
                fs::write(folder.join("SHA256SUMS"), without.collect::<String>()).unwrap();
            },
            "SHA256SUMS doesn't list x86_64/verify.zip",
        ),
    ];
    let release = stack.release();
    for (harm, expected) in harms {
        let folder = tempfile::tempdir().unwrap();
        let folder = copy(&release.folder, folder.path());
        harm(&folder);
        let refused = run(&stack, &folder.join("deploy.sh"), &["tampered", "--yes", "--nobody-listens"]);
        let (code, said) = told(&refused);
        assert!(code == Some(1) && said.contains(expected), "{expected}: {said}");
    }
    let arguments = ["tampered", "--yes", "--nobody-listens", "Architecture=arm64"];
    let refused = run(&stack, &release.folder.join("deploy.sh"), &arguments);
    assert!(told(&refused).1.contains("has no arm64/verify.zip"), "{refused:?}");
}

/// The whole folder, elsewhere.
fn copy(folder: &Path, to: &Path) -> PathBuf {
    assert!(output(Command::new("cp").arg("-R").arg(folder).arg(to)).status.success());
    to.join(folder.file_name().unwrap())
}

/// macOS has bash 3.2 and BSD's tools: what these have not, no script may use.
#[test]
fn scripts_use_nothing_that_macos_lacks() {
    let infra = tools::root().join("infra");
    let parts = fs::read_dir(infra.join("deploy")).unwrap().map(|part| part.unwrap().path());
    let mut scripts: Vec<PathBuf> = parts.filter(|part| part.extension().is_some_and(|end| end == "sh")).collect();
    scripts.push(infra.join("deploy.sh"));
    let lacking = [
        "mapfile",
        "readarray",
        "declare -A",
        "local -A",
        "local -n",
        ",,}",
        "^^}",
        "--date",
        "--check=",
        "readlink -f",
    ];
    for script in scripts {
        let text = fs::read_to_string(&script).unwrap();
        for word in lacking {
            assert!(!text.contains(word), "{}: {word}", script.display());
        }
        assert!(output(Command::new("bash").arg("-n").arg(&script)).status.success());
    }
}
