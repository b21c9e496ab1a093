//! A backup is restored with nothing of ours, by the very lines that `lastgood show` and docs/restore.md tell people to type.

use std::process::{Command, Output};

use e2e::agent::Agent;
use e2e::postgres::{Database, Installation, Postgres};
use e2e::{process, tools};

use super::Scene;

/// The names in the page's lines.
const FILE: &str = "app_backup_20261122_030000.sql.gz";
const DATABASE: &str = "app_again";

/// The lines of the page's blocks that begin so.
fn lines(beginning: &str) -> Vec<String> {
    let page = std::fs::read_to_string(tools::root().join("docs/restore.md")).unwrap();
    // Every second piece lies between two fences.
    let blocks = page.split("```").skip(1).step_by(2).flat_map(str::lines).map(str::trim_start);
    let found: Vec<_> = blocks.filter(|line| line.starts_with(beginning)).map(str::to_owned).collect();
    assert!(!found.is_empty(), "no line begins with {beginning}");
    found
}

/// Types lines into a shell of somebody who has a server's client programs and may connect to it.
fn shell(lines: &str, database: &Database<'_>, programs: &Installation) -> Output {
    let mut shell = Command::new("bash");
    shell.args(["-o", "pipefail", "-ec", lines]).envs(database.libpq_environment());
    shell.env("PATH", format!("{}:/usr/bin:/bin", programs.programs().display())).env("LC_ALL", "C");
    process::output(&mut shell)
}

#[track_caller]
fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A table whose owner and reader are roles of its own server, backed up.
fn owned<'a>(server: &'a Postgres, name: &str) -> Scene<'a> {
    let scene = Scene::on(server, name);
    let role = format!("{}_owner", scene.database.name());
    scene.database.query(&format!(
        "CREATE ROLE {role}; CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100);
         CREATE TABLE orders AS SELECT n AS id FROM generate_series(1, 7) AS n;
         ALTER TABLE t OWNER TO {role}; GRANT SELECT ON orders TO {role}"
    ));
    scene.agent.run(&["backup"]).succeeds();
    scene
}

#[test]
fn the_lines_of_show_restore_on_a_server_that_knows_none_of_the_roles() {
    let scene = owned(Postgres::shared(), "by_hand");
    let shown = scene.agent.run(&["show", "latest", "--json"]).succeeds().json();
    let server = Postgres::start(Installation::debian());
    let new = server.database(&format!("{}_restored", scene.database.name()));
    let maintenance = server.database("postgres");
    succeeds(&shell(shown["restore"]["byHand"].as_str().unwrap(), &maintenance, server.installation()));
    assert_eq!(new.query("SELECT count(*) FROM t"), "100");
}

#[test]
fn a_lost_server_comes_back_on_a_new_one_with_its_roles() {
    let lost = Postgres::start(Installation::debian());
    let scene = owned(&lost, "lost");
    let globals = FILE.replace(".sql.gz", ".globals.sql.gz");
    let [load] = &lines(&format!("gunzip -c {globals}"))[..] else { panic!("not one line") };
    let load = load.replace(&globals, &scene.file(".globals.sql.gz").display().to_string());

    let new = Postgres::start(Installation::debian());
    let gone = new.database(scene.database.name());
    // Without a database: everything but a restore only looks at backups.
    let agent = Agent::new().database(&gone).directory(scene.folder.path());
    agent.run(&["list"]).succeeds().mentions("good");
    succeeds(&shell(&load, &new.database("postgres"), new.installation()));
    agent.run(&["restore", "latest", "--confirm"]).succeeds();
    let owner = gone.query("SELECT tableowner FROM pg_tables WHERE tablename = 't'");
    assert_eq!(owner, format!("{}_owner", scene.database.name()));
}

#[test]
fn the_lines_of_show_keep_a_character_set_that_does_not_fit_the_servers_locale() {
    let scene = Scene::new("latin");
    let name = scene.database.name();
    let server = scene.database.server();
    server.query(&format!("DROP DATABASE {name}"));
    server.query(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'"));
    scene.database.query("CREATE TABLE t AS SELECT U&'caf\\00e9' AS word");
    scene.agent.run(&["backup"]).succeeds();
    let shown = scene.agent.run(&["show", "latest", "--json"]).succeeds().json();
    let new = server.database(&format!("{name}_restored"));
    succeeds(&shell(shown["restore"]["byHand"].as_str().unwrap(), &scene.database, server.installation()));
    assert_eq!(new.query("SHOW server_encoding"), "LATIN1");
    assert_eq!(new.query("SELECT length(word) FROM t"), "4");
}

#[test]
fn names_that_are_not_utf_8_and_look_alike_come_back_apart() {
    let scene = Scene::new("alike");
    let name = scene.database.name();
    let server = scene.database.server();
    server.query(&format!("DROP DATABASE {name}"));
    server.query(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'"));
    scene.database.query(
        "CREATE TABLE tä AS SELECT generate_series(1, 5) AS id; CREATE TABLE tö AS SELECT generate_series(1, 2) AS id",
    );
    scene.agent.run(&["backup"]).succeeds();
    scene.agent.run(&["verify", "latest"]).succeeds();
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    assert_eq!(scene.database.query("SELECT (SELECT count(*) FROM tä), (SELECT count(*) FROM tö)"), "5|2");
}

#[test]
fn the_pages_lines_restore_into_a_new_database() {
    // One that doesn't know the newer programs' setting.
    let server = Postgres::start(Installation::before(17));
    let scene = owned(&server, "page");
    let file = scene.file(".sql.gz").display().to_string();
    let again = server.database(&format!("{}_again", scene.database.name()));
    let typed = |line: &str| line.replace(FILE, &file).replace(DATABASE, again.name());
    let [create] = &lines("createdb -T template0")[..] else { panic!("not one createdb") };
    let pipes = lines(&format!("gunzip -c {FILE} | pg_restore --no-owner"));
    let [plain, without_the_setting] = &pipes[..] else { panic!("{pipes:?}") };
    let fill = format!("{}\n{}", typed(create), typed(plain));
    succeeds(&shell(&fill, &scene.database, server.installation()));
    assert_eq!(again.query("SELECT count(*) FROM t"), "100");

    // Newer client programs than the server: what the page says of them is so, and its remedy helps.
    let newer = Installation::eighteen();
    server.query(&format!("DROP DATABASE {}", again.name()));
    let refused = shell(&fill, &scene.database, &newer);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains(r#"unrecognized configuration parameter "transaction_timeout""#),
        "{said}"
    );
    succeeds(&shell(&typed(without_the_setting), &scene.database, &newer));
    assert_eq!(again.query("SELECT count(*) FROM t"), "100");
}

#[test]
fn the_pages_line_brings_one_table_back() {
    let scene = owned(Postgres::shared(), "one_table");
    let file = scene.file(".sql.gz").display().to_string();
    let [line] = &lines(&format!("gunzip -c {FILE} | pg_restore --data-only"))[..] else { panic!("not one line") };
    scene.database.query("DELETE FROM orders");
    let typed = line.replace(FILE, &file);
    let into = format!("cd {}\n{typed}\npsql -X -q -v ON_ERROR_STOP=1 -f orders.sql", scene.folder.path().display());
    succeeds(&shell(&into, &scene.database, scene.database.server().installation()));
    assert_eq!(scene.database.query("SELECT count(*) FROM orders"), "7");
}

#[test]
fn a_pg_restore_that_is_too_old_says_what_the_page_says() {
    let server = Postgres::start(Installation::eighteen());
    let source = server.new_database("newest");
    source.query("CREATE TABLE t (id integer)");
    let scene = Scene::new("too_old");
    let file = scene.folder.path().join("newest.dump");
    std::fs::write(&file, source.dump(&["-Fc"])).unwrap();
    let list = format!("pg_restore --list {}", file.display());
    let refused = shell(&list, &scene.database, &Installation::before(17));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("unsupported version (1.16) in file header"), "{said}");
}
