//! `lastgood init`: from nothing to a verified backup, by flags and by a person at a terminal, and what is left where it fails.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use e2e::agent::{Agent, Outcome};
use e2e::bucket::Bucket;
use e2e::ministack::Ministack;
use e2e::postgres::{Database, Installation, PASSWORD, Postgres, USER};
use e2e::seaweedfs::Seaweedfs;

use crate::signals::AtTerminal;

/// A role that may log in and read everything, and is no superuser.
const READER: &str = "init_reader";

/// A database with some rows, and the role that reads it.
fn shop(name: &str) -> Database<'static> {
    let server = Postgres::shared();
    let database = server.new_database(name);
    database.query("CREATE TABLE orders AS SELECT id, md5(id::text) AS code FROM generate_series(1, 1000) AS id");
    static READS: OnceLock<()> = OnceLock::new();
    READS.get_or_init(|| {
        let password = PASSWORD.replace('\'', "''");
        server.query(&format!("CREATE ROLE {READER} LOGIN PASSWORD '{password}'; GRANT pg_read_all_data TO {READER}"));
    });
    database
}

fn url(database: &Database<'_>) -> String {
    format!("postgresql://{READER}@127.0.0.1:{}/{}", database.server().port(), database.name())
}

/// Settings of a machine that has none: they go into the home folder.
struct Here {
    agent: Agent,
    file: PathBuf,
    backups: tempfile::TempDir,
}

impl Here {
    fn new() -> Here {
        let agent = Agent::new();
        let file = agent.home().join("new.env");
        Here { agent, file, backups: tempfile::tempdir().unwrap() }
    }

    fn init(&self, more: &[&str]) -> Outcome {
        self.agent.run(&self.words(more))
    }

    fn words<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [&["init", "--env-file", self.file.to_str().unwrap()], more].concat()
    }

    fn folder(&self, name: &str) -> String {
        self.backups.path().join(name).display().to_string()
    }

    /// What it has written works by itself.
    fn lastgood(&self, arguments: &[&str]) -> Outcome {
        let agent = Agent::new();
        let file = self.file.to_str().unwrap();
        agent.run(&[&["--env-file", file], arguments].concat())
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.file).unwrap()
    }

    fn wrote_nothing(&self) {
        assert!(!self.file.exists(), "{}", self.text());
        let left: Vec<_> = std::fs::read_dir(self.backups.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

#[test]
fn by_flags_it_ends_in_a_good_backup() {
    let database = shop("init");
    let mut here = Here::new();
    here.agent = here.agent.setting("PGPASSWORD", PASSWORD);
    let folder = here.folder("new/b ä'$5%d");
    let words = ["--yes", "--database", &url(&database), "--directory", &folder, "--schedule", "cron"];
    let told = here.init(&[&words[..], &["--json"]].concat()).succeeds();
    crate::json::holds("init", &told);
    let told = told.json();
    assert_eq!((&told["backup"]["state"], &told["backup"]["rows"]), (&"good".into(), &1000.into()), "{told:#}");
    assert!(told["backup"]["seconds"].as_f64().unwrap() < 60.0);
    let lines = told["cronLines"].as_array().unwrap();
    assert!(
        lines[0].as_str().unwrap().contains("\tbackup --quiet")
            || lines[0].as_str().unwrap().ends_with(" backup --quiet")
    );
    assert_eq!(lines.len(), 3, "a directory needs no prune: {told:#}");
    // A private server can be made here, so a drill is tried, written down and scheduled.
    assert!(lines[2].as_str().unwrap().ends_with(" drill --quiet") && told["noDrill"].is_null(), "{told:#}");
    assert!(here.text().ends_with("\nBACKUP_DRILL_SERVER=temporary\n"), "{}", here.text());
    assert_eq!((mode(&here.file), mode(Path::new(&folder))), (0o600, 0o700));
    assert_eq!(here.file.metadata().unwrap().uid(), rustix::process::geteuid().as_raw());
    here.lastgood(&["list"]).succeeds().mentions("good");
    here.lastgood(&["status"]).succeeds().mentions("healthy");
    // What a person would put into a crontab runs as it stands there.
    let line = lines[0].as_str().unwrap().split('\t').nth(1).unwrap().replace("\\%", "%");
    let ran = e2e::process::output(std::process::Command::new("sh").args(["-c", &line]).env("HOME", here.agent.home()));
    assert!(ran.status.success() && ran.stdout.is_empty(), "{line}: {ran:?}");
    // Never over settings, whatever else is wrong.
    let before = here.text();
    here.init(&["--yes", "--directory", "/proc"]).exits(2).mentions("there are settings already");
    assert_eq!(here.text(), before);
}

#[test]
fn what_is_missing_is_said_with_the_command_where_nobody_can_be_asked() {
    let here = Here::new();
    here.init(&[]).exits(2).mentions("nobody can be asked").mentions("/new.env init --yes --database NAME");
    here.init(&["--region", "eu-west-1", "--yes", "--database", "postgresql://a@127.0.0.1/b"])
        .exits(2)
        .mentions("--bucket NAME");
    here.init(&["--yes", "--database", "nowhere:5"]).keeps_silent_about("panicked");
    here.wrote_nothing();
}

#[test]
fn a_password_is_taken_from_everywhere_but_the_command_line() {
    let database = shop("init");
    let here = Here::new();
    let folder = here.folder("b");
    let open = format!("postgresql://{READER}:hushhush@127.0.0.1:{}/{}", database.server().port(), database.name());
    let refused = here.init(&["--yes", "--database", &open, "--directory", &folder]).exits(2);
    refused.mentions("--password-file").keeps_silent_about("hushhush");
    here.wrote_nothing();
    let file = here.agent.home().join("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let url = url(&database);
    let words = ["--yes", "--database", &url, "--directory", &folder, "--schedule", "none", "--password-file"];
    here.init(&[&words[..], &[file.to_str().unwrap()]].concat()).succeeds().mentions("good: ");
    std::fs::remove_file(&here.file).unwrap();
    let by_stdin = here.words(&[&words[..], &["-"]].concat()).into_iter().map(str::to_owned).collect::<Vec<_>>();
    here.agent.run_with_input(&by_stdin, &format!("{PASSWORD}\n")).succeeds().mentions("good: ");
}

#[test]
fn both_are_tried_before_anything_is_written() {
    let database = shop("init");
    let here = Here::new();
    let blocked = here.folder("file");
    std::fs::write(&blocked, "").unwrap();
    here.init(&["--yes", "--database", &url(&database), "--directory", &blocked]).exits(2).mentions("is not a folder");
    std::fs::remove_file(&blocked).unwrap();
    std::os::unix::fs::symlink("/nowhere", &blocked).unwrap();
    here.init(&["--yes", "--database", &url(&database), "--directory", &blocked]).exits(2).mentions("is not a folder");
    std::fs::remove_file(&blocked).unwrap();
    // A wrong password, and a bucket that is not there: both are said.
    let access = Seaweedfs::shared().admin();
    let agent = access.environment().into_iter().fold(Agent::new(), |agent, (name, value)| agent.setting(name, value));
    let here = Here { agent: agent.setting("PGPASSWORD", "wrong"), file: here.file, backups: here.backups };
    let (url, folder) = (url(&database), here.folder("new/b"));
    let wish = [
        "--yes",
        "--database",
        &url,
        "--directory",
        &folder,
        "--bucket",
        "nowhere-init",
        "--endpoint",
        &access.endpoint,
    ];
    let refused = here.init(&wish).exits(1);
    refused
        .mentions("2 things stand in the way")
        .mentions("password")
        .mentions("nowhere-init")
        .keeps_silent_about("/proc/self");
    here.wrote_nothing();
    let no_parent = ["--yes", "--database", &url, "--directory", "/proc/nowhere/b"];
    here.init(&no_parent).exits(1).mentions("cannot make the folder /proc/nowhere/b");
    let closed = here.agent.home().join("closed");
    std::fs::create_dir(&closed).unwrap();
    let file = closed.join("lastgood.env").display().to_string();
    let mounted = format!("mount -t tmpfs -o ro tmpfs '{}' && exec \"$0\" \"$@\"", closed.display());
    let wrapper = [&["unshare", "--mount"], namespace(), &["sh", "-c", &mounted]].concat();
    let refused = here.agent.run_by(&wrapper, &["init", "--env-file", &file, "--yes", "--database", &url]).exits(2);
    refused.mentions(&format!("cannot write the settings to {file}: Read-only file system")).mentions("sudo");
    here.wrote_nothing();
}

#[test]
fn a_bucket_gets_its_backup_read_back() {
    let (database, access) = (shop("init"), Seaweedfs::shared().admin());
    let bucket = Bucket::new(&access);
    let mut here = Here::new();
    here.agent = access.environment().into_iter().fold(here.agent, |agent, (name, value)| agent.setting(name, value));
    here.agent = here.agent.setting("PGPASSWORD", PASSWORD);
    let url = url(&database);
    let wish =
        ["--yes", "--database", &url, "--bucket", bucket.name(), "--prefix", "a b/c", "--endpoint", &access.endpoint];
    let told = here.init(&[&wish[..], &["--region", "eu-west-1", "--schedule", "cron"]].concat()).succeeds();
    told.mentions("good: ").mentions(" prune --quiet").mentions("a b/c").keeps_silent_about(&access.secret);
    assert!(here.text().contains("BACKUP_S3_PREFIX='a b/c'"), "{}", here.text());
    assert!(bucket.keys().iter().any(|key| key.starts_with("a b/c/") && key.ends_with(".intact.json")));
    here.lastgood(&["list"]).succeeds().mentions("good");
}

#[test]
fn a_dry_run_tries_and_writes_nothing() {
    let database = shop("init");
    let mut here = Here::new();
    here.agent = here.agent.setting("PGPASSWORD", PASSWORD);
    let (url, there) = (url(&database), here.folder("."));
    let told = here.init(&["--dry-run", "--database", &url, "--directory", &there, "--schedule", "cron"]).succeeds();
    told.mentions("nothing was written").mentions("backup --quiet").mentions("can be written to");
    let json = here.init(&["--dry-run", "--database", &url, "--directory", &there, "--json"]).succeeds();
    crate::json::holds("init", &json);
    assert_eq!(json.json()["backup"], serde_json::Value::Null);
    let new = here.folder("new");
    let told = here.init(&["--dry-run", "--database", &url, "--directory", &new]).succeeds();
    told.mentions("answers: PostgreSQL").mentions("not tried: the folder").keeps_silent_about("can be written to");
    let wrong = format!("{url}_not_there");
    here.init(&["--dry-run", "--database", &wrong, "--directory", &new]).exits(5).mentions("does not exist");
    here.wrote_nothing();
}

/// From the guide's crontab line to ours: its settings are taken over, its line goes, and a copy of the crontab stays.
#[test]
fn the_guides_settings_and_crontab_are_taken_over() {
    let database = shop("init");
    let here = Here::new();
    let api = here.agent.home().join("api");
    std::fs::create_dir_all(api.join("scripts")).unwrap();
    let port = database.server().port();
    let password = PASSWORD.replace('\\', "\\\\").replace('"', "\\\"");
    let env = format!(
        "SECRET_KEY=x\nDB_HOST=127.0.0.1\nDB_PORT={port}\nDB_NAME={}\nDB_USER={READER}\nDB_PASSWORD=\"{password}\"\nBACKUP_DIR={}\nBACKUP_RETENTION_DAYS=9\n",
        database.name(),
        here.folder("guides")
    );
    std::fs::write(api.join(".env"), env).unwrap();
    let line = format!("0 3 * * * {}/scripts/backup-db.sh", api.display());
    let old = format!("MAILTO=me@example.org\n{line}\n5 4 * * * date +\\%s\n");
    let crontab = Crontab::with(&old);
    let told = here.agent.run_by(&crontab.wrapper(), &here.words(&["--yes", "--schedule", "cron"]));
    let told = told.succeeds().mentions("runs a backup already").mentions(&line).mentions("good: ");
    let now = crontab.text();
    assert!(!now.contains("backup-db.sh") && now.contains("MAILTO=me@example.org\n"), "{now}");
    assert!(now.contains("5 4 * * * date +\\%s\n") && now.contains(" backup --quiet\n"), "{now}");
    let copies: Vec<_> = std::fs::read_dir(here.agent.home()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let copy = copies
        .iter()
        .find(|path| path.to_string_lossy().contains("before-lastgood"))
        .unwrap_or_else(|| panic!("{told}"));
    assert_eq!(std::fs::read_to_string(copy).unwrap(), old);
    let text = here.text();
    assert!(text.contains("LASTGOOD_DEFAULTS=guide") && text.contains("BACKUP_RETENTION_DAYS=9"), "{text}");
    assert!(!text.contains("SECRET_KEY"), "{text}");
    here.lastgood(&["list"]).succeeds().mentions("good");
}

/// A crontab in a file: cron's own program is set to another user's on most systems, and changes this machine's.
struct Crontab {
    folder: tempfile::TempDir,
}

impl Crontab {
    fn with(text: &str) -> Crontab {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("table"), text).unwrap();
        let table = folder.path().join("table").display().to_string();
        let script = format!(
            "#!/bin/sh\ncase $1 in -l) cat '{table}' ;; -) cat > '{table}.new' && mv '{table}.new' '{table}' ;; esac\n"
        );
        let program = folder.path().join("crontab");
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        Crontab { folder }
    }

    /// Runs what follows where this is the system's `crontab`, in a namespace of its own.
    fn wrapper(&self) -> Vec<String> {
        let program = self.folder.path().join("crontab");
        let script = format!(
            "mount -t tmpfs tmpfs /usr/local/bin && cp '{}' /usr/local/bin/crontab && chmod 755 /usr/local/bin/crontab && exec \"$0\" \"$@\"",
            program.display()
        );
        let words = [&["unshare", "--mount"], namespace(), &["sh", "-c", &script]].concat();
        words.into_iter().map(str::to_owned).collect()
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("table")).unwrap()
    }
}

/// What `unshare` needs for mounting something.
fn namespace() -> &'static [&'static str] {
    if rustix::process::geteuid().is_root() { &[] } else { &["--user", "--map-root-user"] }
}

/// As a person types it: a number, a password that is not shown, and Enter for what is proposed.
#[test]
fn a_person_is_asked_and_takes_what_is_proposed() {
    let database = shop("init");
    let mut here = Here::new();
    let folder = here.folder("typed");
    here.agent = here.agent.setting("DATABASE_URL", url(&database)).setting("TERM", "dumb");
    let mut run = AtTerminal::start(&here.agent, &here.words(&[]));
    run.wait_for("the environment");
    run.wait_for("[1]: ");
    run.types("\n");
    run.wait_for("Password for database");
    run.types(&format!("{PASSWORD}\n"));
    run.wait_for("The folder for backups");
    run.types(&format!("{folder}\n"));
    run.wait_for("An S3 bucket");
    run.types("\n");
    run.wait_for("What backs up every night");
    run.types("nonsense\n");
    run.wait_for("Choose one of");
    run.types("none\n");
    run.wait_for("make the first backup? [yes]: ");
    let (_, status, shown) = run.end_by(b"\n");
    assert_eq!(status, Some(0), "{shown}");
    assert!(shown.contains("good: ") && !shown.contains(PASSWORD), "{shown}");
    assert!(shown.lines().all(|line| line.trim_end().chars().count() <= 120), "{shown}");
    here.lastgood(&["list"]).succeeds().mentions("good");
}

#[test]
fn an_input_that_ends_a_no_and_ctrl_c_leave_nothing() {
    let database = shop("init");
    let mut here = Here::new();
    here.agent = here.agent.setting("DATABASE_URL", url(&database)).setting("PGPASSWORD", PASSWORD);
    let folder = here.folder("b");
    let begun = || {
        let mut run = AtTerminal::start(&here.agent, &here.words(&["--directory", &folder, "--schedule", "none"]));
        run.wait_for("[1]: ");
        run.types("1\n");
        run.wait_for("make the first backup? [yes]: ");
        run
    };
    // Ctrl-D, Ctrl-C, and a no.
    for keys in [&b"\x04"[..], b"\x03", b"no\n"] {
        let (_, status, shown) = begun().end_by(keys);
        assert_eq!(status, Some(1), "{shown}");
        here.wrote_nothing();
    }
    // A terminal that was silenced shows again what is typed.
    let mut run = AtTerminal::start(&here.agent, &here.words(&["--database", &url(&database)]));
    run.wait_for("The folder for backups");
    let (_, status, shown) = run.end_by(b"\x03");
    assert_eq!(status, Some(1), "{shown}");
    here.wrote_nothing();
}

#[test]
fn a_run_that_failed_half_way_can_be_run_again() {
    let database = shop("init");
    let mut here = Here::new();
    here.agent = here.agent.setting("PGPASSWORD", PASSWORD);
    let (url, folder) = (url(&database), here.folder("b"));
    let wish = ["--yes", "--database", &url, "--directory", &folder, "--schedule", "none"];
    // It answers, and cannot be dumped.
    database.query("CREATE TABLE closed (id int); ALTER TABLE closed ENABLE ROW LEVEL SECURITY");
    here.init(&wish).exits(1).mentions("closed").keeps_silent_about("warning: error");
    here.wrote_nothing();
    database.query("ALTER TABLE closed DISABLE ROW LEVEL SECURITY");
    here.init(&wish).succeeds().mentions("good: ");
}

/// Over the socket, as the role of the user who runs it.
#[test]
fn a_database_of_this_machines_server_needs_its_name_alone() {
    let server = Postgres::start(Installation::debian());
    let database = server.new_database_named("it's a shop");
    database.query("CREATE TABLE t AS SELECT 1 AS id");
    let user = e2e::process::output(std::process::Command::new("id").arg("-un"));
    let user = String::from_utf8(user.stdout).unwrap().trim().to_owned();
    std::fs::write(
        server.socket_directory().join("data/pg_ident.conf"),
        format!("m {user} {USER}\nm {user} \"{user}\"\n"),
    )
    .unwrap();
    server.admit("local all all peer map=m\nhost all all 127.0.0.1/32 scram-sha-256\n");
    let mut here = Here::new();
    here.agent = here.agent.setting("PGHOST", server.socket_directory().display().to_string());
    let folder = here.folder("b");
    let wish = ["--yes", "--database", "it's a shop", "--directory", &folder, "--schedule", "none"];
    let refused = here.init(&wish).exits(1);
    refused.mentions("CREATE ROLE").mentions("pg_read_all_data").mentions("docs/restore.md");
    here.wrote_nothing();
    server.query(&format!("CREATE ROLE \"{user}\" LOGIN; GRANT pg_read_all_data TO \"{user}\""));
    here.init(&wish).succeeds().mentions("good: ");
    here.lastgood(&["list"]).succeeds().mentions("good");
}

#[test]
fn a_stack_says_where_to_and_which_policy() {
    let database = shop("init");
    let stack = crate::stack::shared();
    let root = Ministack::shared().root();
    let mut here = Here::new();
    here.agent = root.environment().into_iter().fold(here.agent, |agent, (name, value)| agent.setting(name, value));
    here.agent = here.agent.setting("PGPASSWORD", PASSWORD);
    let url = url(&database);
    let wish = ["--database", &url, "--from-stack", "shared", "--schedule", "cron"];
    let told = here.init(&[&wish[..], &["--yes", "--json"]].concat()).succeeds().json();
    assert_eq!(told["policyArn"], stack.output("AgentPolicyArn"), "{told:#}");
    let lines: Vec<&str> = told["cronLines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert!(lines[0].ends_with(" backup --quiet"), "{told:#}");
    assert!(lines[1..].iter().all(|line| line.ends_with(" drill --quiet")), "its functions do the rest: {told:#}");
    let text = here.text();
    assert!(text.contains(&format!("BACKUP_S3_BUCKET={}\n", stack.bucket())), "{text}");
    assert!(
        text.contains("BACKUP_S3_BUCKET_OWNER=000000000000\n") && text.contains("AWS_REGION=us-east-1\n"),
        "{text}"
    );
    std::fs::remove_file(&here.file).unwrap();
    let none = ["--dry-run", "--database", &url, "--from-stack", "nowhere"];
    here.init(&none).exits(1).mentions("CloudFormation").mentions("nowhere").mentions("--bucket");
}
