//! `make drills`: databases of many kinds, backed up and drilled on every version that is here. Every digest has to be equal.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::OnceLock;
use std::time::Instant;

use clap::Parser;
use e2e::agent::Agent;
use e2e::postgres::{Database, Installation, PASSWORD, Postgres, USER};
use e2e::{process, tools};
use serde_json::Value;

/// Drills databases of many kinds and says what differs.
#[derive(Parser)]
struct Arguments {
    /// Only databases whose name holds this.
    #[arg(long)]
    only: Option<String>,
    /// Only this version.
    #[arg(long)]
    version: Option<u32>,
    /// Every database of tests/wild as well, as a superuser's.
    #[arg(long)]
    wild: bool,
}

/// How a database is made; why not, where it can't be.
type Make = fn(&Database<'_>, &Path) -> Result<(), String>;

const DATABASES: [(&str, Make); 4] =
    [("kitchen-sink", everything), ("rewritten", rewritten), ("pgbench", pgbench), ("regression", regression)];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut failed = 0;
    for installation in Installation::all() {
        if arguments.version.is_some_and(|version| version != installation.major()) {
            continue;
        }
        let server =
            Postgres::start_with(installation.clone(), &["wal_level=logical", "max_locks_per_transaction=256"]);
        let wanted = |name: &str| arguments.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
        for (name, make) in DATABASES.into_iter().filter(|(name, _)| wanted(name)) {
            failed += drill(&server, name, make);
        }
        if arguments.wild {
            let mut cases: Vec<_> =
                std::fs::read_dir(tools::root().join("tests/wild")).unwrap().flatten().map(|e| e.path()).collect();
            cases.retain(|case| case.join("setup.sql").exists() && !case.join("setup.sh").exists());
            cases.sort();
            for case in cases {
                let name = case.file_name().unwrap().to_string_lossy().into_owned();
                if wanted(&name) {
                    failed += drill(&server, &name, |database, folder| wild(database, folder, &case));
                }
            }
        }
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Backs a database up and drills it on both kinds of server; how many drills failed.
fn drill(server: &Postgres, name: &str, make: impl Fn(&Database<'_>, &Path) -> Result<(), String>) -> usize {
    let folder = tempfile::Builder::new().prefix("drills-").tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let database = server.new_database(&name.replace('-', "_"));
    let version = server.installation().major();
    if let Err(why) = make(&database, folder.path()) {
        println!("{version}  {name:<14}  not made: {}", why.lines().next().unwrap_or_default());
        return 0;
    }
    let agent = Agent::new().database(&database).directory(&folder.path().join("backups"));
    let mut failed = match by_several_sessions(&agent, folder.path()) {
        Ok(None) => 0,
        Ok(Some(words)) => {
            println!("{version}  {name:<14}  {words}");
            usize::from(words.starts_with("FAILED"))
        }
        Err(why) => {
            println!("{version}  {name:<14}  no backup: {why}");
            return 0;
        }
    };
    for arguments in [&["drill", "--json"][..], &["drill", "--json", "--temporary-server"]] {
        let begun = Instant::now();
        let outcome = agent.run(arguments);
        let passed = outcome.code == Some(0);
        failed += usize::from(!passed);
        let ground = if arguments.len() > 2 { "temporary" } else { "its own" };
        println!(
            "{version}  {name:<14}  {ground:<9}  {}  {:.1} s",
            if passed { "equal" } else { "FAILED" },
            begun.elapsed().as_secs_f64()
        );
        let answer: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
        let drill = &answer["drills"][0];
        if !passed {
            let sentences = drill["differences"].as_array().cloned().unwrap_or_default();
            sentences.iter().for_each(|sentence| println!("        {sentence}"));
            if sentences.is_empty() {
                println!("        {} {}", answer["error"], answer["hint"]);
            }
        }
        for kept in drill["uncompared"].as_array().into_iter().flatten() {
            println!("        not compared: {kept}");
        }
    }
    failed
}

/// Two backups, by pg_dump alone and by three sessions, of which the latter is the newest: what is to be said of them, if anything is.
fn by_several_sessions(agent: &Agent, folder: &Path) -> Result<Option<&'static str>, String> {
    let back_up = |jobs: &str, label: &str| {
        let mut command = agent.command(&["backup", "--verbose", "--name", label]);
        let output = process::output(command.env("BACKUP_JOBS", jobs));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.success() {
            true => Ok(said.contains("sessions read rows at the same time")),
            false => Err(said.lines().find(|line| line.contains("error")).unwrap_or_default().to_owned()),
        }
    };
    back_up("1", "alone")?;
    let together = back_up("3", "together")?;
    let counts = |label: &str| {
        let files = std::fs::read_dir(folder.join("backups")).unwrap().flatten().map(|file| file.path());
        let suffix = format!("_{label}.manifest.json");
        let manifest = files.into_iter().find(|file| file.to_string_lossy().ends_with(&suffix)).unwrap();
        let manifest: Value = serde_json::from_slice(&std::fs::read(manifest).unwrap()).unwrap();
        ["census", "largeObjects"].map(|name| manifest[name].clone())
    };
    Ok(match (together, counts("alone") == counts("together")) {
        (false, true) => Some("pg_dump was done before other sessions had begun"),
        (true, true) => None,
        (_, false) => Some("FAILED: three sessions read other rows than one"),
    })
}

fn everything(database: &Database<'_>, _: &Path) -> Result<(), String> {
    load(database, &std::fs::read_to_string(tools::root().join("tests/sql/everything.sql")).unwrap())
}

fn rewritten(database: &Database<'_>, _: &Path) -> Result<(), String> {
    load(database, &std::fs::read_to_string(tools::root().join("tests/sql/rewritten.sql")).unwrap())
}

/// Debian's pgbench fills a server of any version.
fn pgbench(database: &Database<'_>, _: &Path) -> Result<(), String> {
    let mut pgbench = database.client(&Installation::debian(), "pgbench");
    run(pgbench.args(["--initialize", "--scale=5", "--foreign-keys", "--quiet"]))?;
    run(database.client(&Installation::debian(), "pgbench").args(["--time=2", "--client=4", "--no-vacuum"]))
}

/// PostgreSQL's own tests are of one version. Their database is made by that one, and what the others take of it is drilled there.
fn regression(database: &Database<'_>, folder: &Path) -> Result<(), String> {
    static MADE: OnceLock<[String; 2]> = OnceLock::new();
    let installation = database.server().installation();
    if installation.major() == Installation::debian().major() {
        make_regression(database, folder)?;
        MADE.get_or_init(|| [folder_of_dumps("roles"), folder_of_dumps("archive")]);
        let [roles, archive] = MADE.get().ok_or("no dumps")?;
        run(database.client(installation, "pg_dumpall").args(["--roles-only", "--file", roles]))?;
        return run(database.client(installation, "pg_dump").args(["--format=custom", "--file", archive]));
    }
    let Some([roles, archive]) = MADE.get() else {
        return Err("it is made by Debian's version, which is drilled first where --version names no other".to_owned());
    };
    // Some roles are there; and what is written in C, or no version knows any more, isn't taken.
    drop(run(database.client(installation, "psql").args(["--no-psqlrc", "--quiet", "--file", roles])));
    drop(run(database.client(installation, "pg_restore").args(["--dbname", database.name(), archive])));
    Ok(())
}

fn folder_of_dumps(name: &str) -> String {
    tools::root().join(format!("target/regression-{name}")).display().to_string()
}

fn make_regression(database: &Database<'_>, folder: &Path) -> Result<(), String> {
    let mut setup = Command::new("bash");
    setup.arg(tools::root().join("tests/wild/regression-database/setup.sh"));
    setup.envs(database.libpq_environment()).env("ROOT", tools::root()).env("FOLDER", folder);
    let setup = setup.env("PROGRAMS", database.server().installation().programs()).env("OWNER", USER);
    let output = process::output_within(std::time::Duration::from_secs(900), setup, None);
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    // Set aside for those who can't compare tables whose columns have another order.
    load(
        database,
        "ALTER TABLE gtestxx_4 INHERIT gtest1; ALTER TABLE test_type_diff2_c1 INHERIT test_type_diff2;
         ALTER TABLE test_type_diff2_c2 INHERIT test_type_diff2",
    )
}

fn wild(database: &Database<'_>, folder: &Path, case: &Path) -> Result<(), String> {
    let text = |file: &str| std::fs::read_to_string(case.join(file)).unwrap_or_default();
    let name = database.name();
    let tablespace = folder.join("tablespace");
    std::fs::create_dir(&tablespace).map_err(|e| e.to_string())?;
    std::fs::set_permissions(&tablespace, std::fs::Permissions::from_mode(0o777)).map_err(|e| e.to_string())?;
    let known = |text: String| {
        ["owner", "admin", "reader", "app"]
            .iter()
            .fold(text, |text, role| text.replace(&format!("@{role}@"), &format!("{name}_{role}")))
            .replace("@db@", name)
            .replace("@folder@", &tablespace.display().to_string())
            .replace("@password@", PASSWORD)
    };
    let roles: String =
        ["owner", "admin", "reader", "app"].iter().map(|role| format!("CREATE ROLE {name}_{role};")).collect();
    load(database, &format!("{roles} ALTER DATABASE {name} OWNER TO {name}_owner"))?;
    load(database, &known(text("server.sql")))?;
    load(database, &known(text("setup.sql")))
}

fn load(database: &Database<'_>, sql: &str) -> Result<(), String> {
    let mut psql = database.client(database.server().installation(), "psql");
    psql.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", "-"]);
    let output = process::output_given(&mut psql, sql.as_bytes());
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = process::output(command);
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
