//! The real binary, from outside: what it prints, where, and how it ends.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a panic here is the report, and programs are run as a user does"
)]

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output};

const BINARY: &str = env!("CARGO_BIN_EXE_lastgood");

/// The binary in an empty folder, with nothing inherited.
fn lastgood(folder: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command.current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", folder);
    command
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// All that was printed.
fn text_of(output: &Output) -> String {
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn config_shows_values_and_places_but_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), "DB_NAME=shop\nDB_PASSWORD='hush'\nAWS_DEFAULT_REGION=eu-north-1\n")
        .unwrap();
    let output = lastgood(folder.path()).arg("config").env("BACKUP_KEEP_LAST", "3").output().unwrap();
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    let line = |name: &str| shown.lines().find(|line| line.trim_start().starts_with(&format!("{name} "))).unwrap();
    assert!(line("DB_NAME").ends_with(".env:1") && line("DB_NAME").contains(" shop "));
    assert!(line("DB_PASSWORD").contains(" *** "));
    assert!(line("AWS_REGION").ends_with(".env:3 (AWS_DEFAULT_REGION)"));
    assert!(line("BACKUP_KEEP_LAST").ends_with("environment"));
    assert!(line("MAX_BACKUP_AGE_HOURS").ends_with("default"));
    assert!(!shown.contains("hush"));
}

#[test]
fn config_shows_every_mistake_and_ends_in_two() {
    let folder = tempfile::tempdir().unwrap();
    let output = lastgood(folder.path()).args(["config", "--json"]).env("BACKUP_KEEP_LAST", "x").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(json(&output)["mistakes"].as_array().unwrap().len(), 1);
}

#[test]
fn a_failure_is_two_lines_for_people_and_one_document_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| lastgood(folder.path()).args(arguments).env("DB_PORT", "x").output().unwrap();
    let output = run(&["backup"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""));
    let lines: Vec<_> = text(&output.stderr).lines().collect();
    assert!(lines[0].starts_with("error: DB_PORT=x (environment): ") && lines[1].starts_with("hint: "), "{lines:?}");
    let output = run(&["backup", "--json"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(2), ""));
    assert_eq!(json(&output)["exit"], 2);
}

#[test]
fn a_mistyped_flag_ends_in_two() {
    let folder = tempfile::tempdir().unwrap();
    let output = lastgood(folder.path()).args(["backup", "--nmae", "x"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--name"));
}

#[test]
fn config_shows_libpqs_own_variables_that_are_set() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = lastgood(folder.path());
    let output = command.args(["config", "--set"]).env("PGHOST", "db1").env("PGPASSWORD", "hush").output().unwrap();
    let shown = text(&output.stdout);
    assert!(shown.contains("PGHOST") && shown.contains("on db1") && !shown.contains("hush"), "{shown}");
    assert!(!shown.contains("BACKUP_KEEP_LAST"), "{shown}");
}

#[test]
fn config_shows_other_programs_names_and_what_is_doubtful_about_them() {
    let folder = tempfile::tempdir().unwrap();
    let text = "DB_NAME=shop\nPOSTGRES_DB=app\nPOSTGRES_USER=app\nPOSTGRES_PASSWORD=hush\nDB_POOL=5\n";
    std::fs::write(folder.path().join(".env"), text).unwrap();
    let output = lastgood(folder.path()).args(["config", "--set"]).output().unwrap();
    let shown = text_of(&output);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    for line in [
        "Database: database shop on this machine as app",
        "Warning: POSTGRES_DB (.env:2) names another database than DB_NAME (.env:1), which wins",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let password = shown.lines().find(|line| line.contains("POSTGRES_PASSWORD")).unwrap();
    assert!(password.contains("***") && password.ends_with(".env:4"), "{shown}");
    assert!(!shown.contains("hush") && !shown.contains("DB_POOL"), "{shown}");
}

/// Every file of the settings' own tests has a password in it.
#[test]
fn config_shows_no_password_of_any_framework() {
    let folder = tempfile::tempdir().unwrap();
    let frameworks = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/settings/dialects");
    let mut seen = 0;
    for framework in std::fs::read_dir(frameworks).unwrap() {
        for file in std::fs::read_dir(framework.unwrap().path()).unwrap() {
            let file = file.unwrap().path();
            let shown: Vec<String> = match file.extension().unwrap().to_str().unwrap() {
                "env" => {
                    vec![text_of(
                        &lastgood(folder.path()).args(["config", "--set", "--env-file"]).arg(&file).output().unwrap(),
                    )]
                }
                _ => {
                    let urls = std::fs::read_to_string(&file).unwrap();
                    let settings = ["DATABASE_URL", "DB_HOST", "PGHOST", "POSTGRES_URL", "BACKUP_S3_ENDPOINT"];
                    let line = |url: &str| settings.map(|name| format!("{name}='{url}'\n")).concat();
                    let text: Vec<String> =
                        urls.lines().step_by(9).filter(|url| !url.contains('\'')).map(line).collect();
                    let run = |text: &String| {
                        std::fs::write(folder.path().join(".env"), text).unwrap();
                        text_of(&lastgood(folder.path()).args(["config", "--set"]).output().unwrap())
                    };
                    text.iter().map(run).collect()
                }
            };
            for shown in shown {
                assert!(!shown.contains("hush") && !shown.contains("n0ne"), "{}: {shown}", file.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 150, "{seen}");
}

#[test]
fn what_a_url_leaves_out_is_said_to_who_asks() {
    let folder = tempfile::tempdir().unwrap();
    let run = |flags: &[&str]| {
        let mut command = lastgood(folder.path());
        command.env("DATABASE_URL", "postgresql://me:hush@127.0.0.1:1/shop?schema=public&connection_limit=5");
        command.env("BACKUP_DIR", folder.path()).env("BACKUP_LOCK_DIR", folder.path());
        command.env("BACKUP_LOG_FILE", folder.path().join("log")).env("BACKUP_RETRY_MINUTES", "0");
        text(&command.arg("list").args(flags).output().unwrap().stderr).to_owned()
    };
    let said = "its parameters schema and connection_limit are the application's own";
    assert!(!run(&[]).contains("schema") && !run(&["--quiet"]).contains("schema"));
    assert!(run(&["-v"]).contains(said), "{}", run(&["-v"]));
}

#[test]
fn a_broken_url_ends_in_two_and_shows_nothing_of_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = lastgood(folder.path());
    command
        .env("DATABASE_URL", "postgresql://me:hush/a?b#n0ne@db/shop")
        .env("BACKUP_LOG_FILE", folder.path().join("log"));
    let output = command.args(["backup", "-vv"]).output().unwrap();
    let said = text_of(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("DATABASE_URL (environment)") && said.contains("%2F"), "{said}");
    assert!(!said.contains("hush") && !said.contains("n0ne"), "{said}");
}

#[test]
fn a_failure_is_in_the_log_file_with_its_time_and_without_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("lastgood.log");
    let mut command = lastgood(folder.path());
    command.env("DATABASE_URL", "postgresql://me:hush@127.0.0.1:1/shop").env("BACKUP_LOG_FILE", &log);
    command.env("BACKUP_DIR", folder.path()).env("BACKUP_LOCK_DIR", folder.path());
    let output = command.arg("backup").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let logged = std::fs::read_to_string(log).unwrap();
    let line = logged.lines().find(|line| line.contains(" ERROR ")).unwrap();
    let time = line.split(' ').next().unwrap();
    assert!(time.starts_with("20") && time.ends_with('Z') && time.contains('T'), "{line}");
    assert!(line.contains("database shop on 127.0.0.1:1 as me"), "{line}");
    assert!(!format!("{logged}{}", text(&output.stderr)).contains("hush"));
}

#[test]
fn completions_and_manual_pages_are_made_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let output = lastgood(folder.path()).args(["completions", shell]).output().unwrap();
        assert!(output.status.success() && text(&output.stdout).contains("from-s3-latest"), "{shell}");
    }
    let pages = folder.path().join("man");
    assert!(lastgood(folder.path()).args(["man", "--directory"]).arg(&pages).status().unwrap().success());
    for page in ["lastgood.1", "lastgood-backup.1", "lastgood-restore.1", "lastgood-config.1"] {
        assert!(std::fs::read_to_string(pages.join(page)).unwrap().starts_with(".ie"), "{page}");
    }
}

/// The guide's folders: `api/.env`, and the script in `api/scripts` with the binary beside it.
fn guides_folders(script: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let scripts = root.path().join("api/scripts");
    std::fs::create_dir_all(&scripts).unwrap();
    symlink(BINARY, scripts.join("lastgood")).unwrap();
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(script), scripts.join(script)).unwrap();
    root
}

/// As cron runs it: from the home folder, by its path, with a bare PATH.
fn cron(root: &Path, script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg(root.join("api/scripts").join(script)).current_dir("/").env_clear().env("PATH", "/usr/bin:/bin");
    command
}

#[test]
fn the_guides_scripts_run_from_cron_with_the_guides_env_file() {
    for script in ["backup-db.sh", "restore-db.sh", "verify-backups.sh"] {
        let root = guides_folders(script);
        std::fs::write(root.path().join("api/.env"), "\nBACKUP_KEEP_LAST=x\n").unwrap();
        let flags: &[&str] = if script == "restore-db.sh" { &["--from-s3-latest", "--dry-run"] } else { &["--quiet"] };
        let output = cron(root.path(), script).args(flags).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{script}: {said}");
        assert!(said.contains("BACKUP_KEEP_LAST=x (") && said.contains(".env:2): "), "{script}: {said}");
    }
}

#[test]
fn the_guides_defaults_hold_under_the_guides_names() {
    let root = guides_folders("backup-db.sh");
    let env_file =
        format!("DB_PORT=1\nBACKUP_DIR={0}\nBACKUP_LOCK_DIR={0}\nBACKUP_LOG_FILE={0}/log\n", root.path().display());
    std::fs::write(root.path().join("api/.env"), env_file).unwrap();
    let output = cron(root.path(), "backup-db.sh").output().unwrap();
    let said = text(&output.stderr);
    assert!(said.contains("database astro on localhost:1 as astro_user"), "{said}");
}

#[test]
fn a_script_that_finds_no_lastgood_says_so() {
    let root = guides_folders("backup-db.sh");
    std::fs::remove_file(root.path().join("api/scripts/lastgood")).unwrap();
    let output = cron(root.path(), "backup-db.sh").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("error: lastgood was not found"), "{}", text(&output.stderr));
}

#[test]
fn the_guides_scripts_are_executable() {
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts")).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o111, 0o111, "{}", entry.path().display());
    }
}
