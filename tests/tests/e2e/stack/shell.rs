//! The parts of the script in a shell without AWS: what they make of an answer, or of a refusal, is shown without a deployment.

use std::path::Path;
use std::process::Command;

use e2e::process::output;
use e2e::tools;

use super::release::bare_path;

/// What a line of shell printed, to standard output and standard error.
pub(super) struct Said {
    pub(super) well: bool,
    pub(super) out: String,
    pub(super) err: String,
}

/// Runs a line with all parts of the script, for the stack `backups` of the account 111122223333. An `aws` that answers is a
/// function that the line defines itself.
pub(super) fn shell(line: &str) -> Said {
    let path = bare_path();
    run(line, path.path())
}

/// The same with Python, which completes documents.
pub(super) fn shell_with_python(line: &str) -> Said {
    let path = bare_path();
    std::os::unix::fs::symlink(tools::python_command("python"), path.path().join("python3")).unwrap();
    run(line, path.path())
}

fn run(line: &str, path: &Path) -> Said {
    let script = format!(
        r#"set -euo pipefail
        here='{infra}' template='{infra}/template.yaml' self=infra/deploy.sh
        for part in "$here"/deploy/*.sh; do source "$part"; done
        work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
        stack=backups account=111122223333 partition=aws AWS_DEFAULT_REGION=eu-central-1 exists=yes
        fail() {{ printf 'error: %s\nhint: %s\n' "$1" "$2" >&2; exit "${{3:-1}}"; }}
        warn() {{ printf 'warning: %s\n' "$1" >&2; }}
        aws() {{ echo "nothing asks AWS for $*" >&2; return 1; }}
        {line}"#,
        infra = tools::root().join("infra").display(),
    );
    let output = output(Command::new("bash").args(["-c", &script]).env_clear().env("PATH", path));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = Said { well: output.status.success(), out: text(&output.stdout), err: text(&output.stderr) };
    assert!(!said.err.contains("command not found") && !said.err.contains("unbound"), "{}", said.err);
    said
}
