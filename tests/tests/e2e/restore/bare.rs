//! A server that burnt down: its database comes back from the repository alone, onto one that has none of its roles.

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::agent::Agent;
use e2e::postgres::{Database, Installation, PASSWORD, Postgres, USER};
use e2e::process::output;
use rustix::process::Signal;

use super::Scene;

/// Roles of every kind, and a database that names them in every way.
fn fill(source: &Postgres) -> Database<'_> {
    let database = source.new_database_named("shop db");
    source.query(
        r#"CREATE ROLE app LOGIN PASSWORD 'of-the-app' CONNECTION LIMIT 5 VALID UNTIL '2090-01-01 00:00+00';
        CREATE ROLE "We""ird %s Ünï" NOINHERIT; CREATE ROLE "user" CREATEDB; CREATE ROLE reporting; CREATE ROLE "Team";
        CREATE ROLE alice LOGIN PASSWORD 'of-alice'; CREATE ROLE dba SUPERUSER CREATEROLE LOGIN PASSWORD 'of-the-dba';
        CREATE ROLE lonely BYPASSRLS REPLICATION;
        GRANT "Team" TO app WITH ADMIN OPTION; GRANT reporting TO alice; GRANT pg_read_all_data TO reporting;
        GRANT "user" TO "We""ird %s Ünï"; GRANT pg_monitor TO lonely;
        ALTER ROLE app SET search_path = "$user", public, "a b,c"; ALTER ROLE app SET application_name = 'a\b''c';
        ALTER ROLE "user" SET myapp.tenant = 'x'; ALTER ROLE ALL SET work_mem = '7MB';
        COMMENT ON ROLE app IS 'the ''app'''; ALTER DATABASE "shop db" OWNER TO app;
        ALTER ROLE alice IN DATABASE "shop db" SET statement_timeout = '9s'; ALTER DATABASE "shop db" SET work_mem = '9MB';
        REVOKE CONNECT ON DATABASE "shop db" FROM PUBLIC; GRANT CONNECT ON DATABASE "shop db" TO reporting"#,
    );
    source.query("GRANT SET ON PARAMETER log_statement TO app; GRANT ALTER SYSTEM ON PARAMETER log_statement TO \"user\" WITH GRANT OPTION");
    database.query(
        r#"SET ROLE app; CREATE SCHEMA "Own"; CREATE TABLE "Own".orders (id serial PRIMARY KEY, who text);
        INSERT INTO "Own".orders (who) SELECT 'x' || n FROM generate_series(1, 50) n;
        GRANT USAGE ON SCHEMA "Own" TO reporting, "user"; GRANT SELECT ON "Own".orders TO reporting WITH GRANT OPTION;
        ALTER DEFAULT PRIVILEGES IN SCHEMA "Own" GRANT SELECT ON TABLES TO reporting;
        ALTER TABLE "Own".orders ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON "Own".orders TO "We""ird %s Ünï" USING (true);
        SELECT lo_create(4711); RESET ROLE; CREATE TABLE public.other (id int); ALTER TABLE public.other OWNER TO "user";
        GRANT INSERT ON public.other TO alice"#,
    );
    database
}

/// The whole server as SQL, but for what is the cluster's own.
fn as_sql(server: &Postgres) -> String {
    let mut dump = server.installation().program("pg_dumpall");
    dump.envs(server.database(USER).libpq_environment());
    let output = output(&mut dump);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let sql = String::from_utf8(output.stdout).unwrap();
    let own = |line: &&str| line.contains("restrict ") || line.starts_with("SET client_encoding = ");
    sql.lines().filter(|line| !own(line)).map(|line| format!("{line}\n")).collect()
}

/// Without what a role has to be given by hand.
fn without_login(sql: &str) -> String {
    let plain = |line: &str| -> String {
        let line = if line.starts_with("ALTER ROLE ") { line.replace(" NOLOGIN ", " LOGIN ") } else { line.to_owned() };
        match line.split_once(" PASSWORD '") {
            Some((before, after)) => format!("{before}{}\n", after.split_once('\'').unwrap().1),
            None => format!("{line}\n"),
        }
    };
    sql.lines().map(plain).collect()
}

/// What a person types at three in the morning: an address, a folder of backups, and nothing else.
fn typed(server: &Postgres, backups: &Path) -> Agent {
    let url = server.database("shop db").url();
    Agent::new().setting("DATABASE_URL", url).directory(backups).programs_of(server.installation())
}

#[track_caller]
fn same(source: &str, target: &str) {
    let differing: Vec<String> = source
        .lines()
        .zip(target.lines())
        .filter(|(one, other)| one != other)
        .map(|(one, other)| format!("- {one}\n+ {other}"))
        .collect();
    assert!(source == target, "{}", differing.into_iter().take(20).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_bare_server_comes_back_in_one_command() {
    let folder = tempfile::tempdir().unwrap();
    let source = Postgres::start(Installation::debian());
    let database = fill(&source);
    Agent::new().database(&database).directory(folder.path()).run(&["backup"]).succeeds().keeps_silent_about("WARNING");
    let before = as_sql(&source);

    let target = Postgres::start_bare(Installation::debian());
    let agent = typed(&target, folder.path());
    let untouched = as_sql(&target);
    // Without the option the plan leads there.
    agent.run(&["restore", "latest", "--dry-run"]).exits(1).mentions("--create-roles creates them");
    let dry = agent.run(&["restore", "latest", "--create-roles", "--dry-run"]).succeeds();
    dry.mentions("creates   the roles Team, We\"ird %s Ünï, alice, app, dba, lonely, reporting, user")
        .mentions("dba is made a superuser");
    assert_eq!(as_sql(&target), untouched, "a dry run changes nothing");

    let run = agent.run(&["restore", "latest", "--create-roles", "--confirm"]).succeeds();
    run.mentions("\\password \"app\"").mentions("ALTER ROLE \"alice\" LOGIN;").keeps_silent_about("left out");
    same(&without_login(&before), &without_login(&as_sql(&target)));
    assert_eq!(target.query("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'app'"), "f");
    // Again, onto what is there now: no role is made a second time.
    agent.run(&["restore", "latest", "--create-roles", "--confirm"]).succeeds().keeps_silent_about("created the roles");
}

#[test]
fn with_stored_passwords_a_server_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (identity, public) = key(folder.path());
    let backups = folder.path().join("backups");
    let source = Postgres::start(Installation::eighteen());
    let database = fill(&source);
    let agent = Agent::new().database(&database).directory(&backups).setting("BACKUP_AGE_RECIPIENTS", public);
    agent.setting("BACKUP_GLOBALS_PASSWORDS", "true").run(&["backup"]).succeeds().keeps_silent_about("WARNING");
    let before = as_sql(&source);
    let target = Postgres::start_bare(Installation::eighteen());
    let agent = typed(&target, &backups).setting("BACKUP_AGE_IDENTITY_FILE", identity.display().to_string());
    let restored = agent.run(&["restore", "latest", "--create-roles", "--confirm", "--json"]).succeeds().json();
    let role = &restored["createdRoles"][3];
    assert_eq!((&role["name"], &role["waitsForPassword"]), (&"app".into(), &false.into()), "{restored}");
    let own = |sql: &str| -> String {
        sql.lines().filter(|line| !line.contains("ROLE postgres")).map(|line| format!("{line}\n")).collect()
    };
    same(&own(&before), &own(&as_sql(&target)));
}

fn key(folder: &Path) -> (PathBuf, String) {
    let file = folder.join("key.txt");
    assert!(output(Command::new("age-keygen").arg("-o").arg(&file)).status.success());
    let public = output(Command::new("age-keygen").arg("-y").arg(&file)).stdout;
    (file, String::from_utf8(public).unwrap().trim().to_owned())
}

/// A managed server's administrator: no superuser, and beside it roles that only such servers have.
#[test]
fn an_administrator_who_is_no_superuser_restores_owners_and_privileges() {
    let folder = tempfile::tempdir().unwrap();
    let source = Postgres::start(Installation::debian());
    let database = fill(&source);
    source.query("CREATE ROLE rds_superuser; GRANT rds_superuser TO app");
    database.query("GRANT SELECT ON public.other TO rds_superuser");
    Agent::new().database(&database).directory(folder.path()).run(&["backup"]).succeeds();
    for installation in [Installation::sixteen(), Installation::debian()] {
        let target = Postgres::start_bare(installation);
        let password = PASSWORD.replace('\'', "''");
        target.query(&format!(
            "CREATE ROLE admin LOGIN CREATEDB CREATEROLE PASSWORD '{password}'; CREATE ROLE rds_superuser"
        ));
        let agent = typed(&target, folder.path()).setting("DB_USER", "admin").setting("DB_PASSWORD", PASSWORD);
        let before = roles(&target);
        agent.run(&["restore", "latest", "--create-roles", "--dry-run"]).succeeds();
        assert_eq!(roles(&target), before);
        let run = agent.run(&["restore", "latest", "--create-roles", "--confirm"]).succeeds();
        run.keeps_silent_about("owners are left out").keeps_silent_about("lacks the role");
        let restored = target.database("shop db");
        let owners = "SELECT tableowner FROM pg_tables WHERE schemaname = 'Own'";
        assert_eq!(restored.query(owners), "app");
        assert_eq!(
            restored.query("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"),
            "app"
        );
        assert_eq!(
            restored.query("SELECT has_table_privilege('reporting', '\"Own\".orders', 'SELECT WITH GRANT OPTION')"),
            "t"
        );
        assert_eq!(restored.query("SELECT pg_has_role('app', 'Team', 'MEMBER WITH ADMIN OPTION')"), "t");
        assert_eq!(restored.query("SELECT count(*) FROM \"Own\".orders"), "50");
        // Others' roles stay out of a server that has some.
        assert_eq!(target.query("SELECT count(*) FROM pg_roles WHERE rolname IN ('lonely', 'dba')"), "0");
        // And again: who made the roles may replace what they own.
        agent.run(&["restore", "latest", "--create-roles", "--confirm"]).succeeds();
        assert_eq!(restored.query(owners), "app");
        drop(restored);
        refused_without_the_right(&target, folder.path());
    }
}

/// Who may create no roles is told beforehand.
fn refused_without_the_right(target: &Postgres, backups: &Path) {
    target.query("ALTER ROLE reporting RENAME TO another");
    target.query(&format!("CREATE ROLE plain LOGIN CREATEDB PASSWORD '{}'", PASSWORD.replace('\'', "''")));
    let agent = typed(target, backups).setting("DB_USER", "plain").setting("DB_PASSWORD", PASSWORD);
    let refused = agent.run(&["restore", "latest", "--create-roles", "--confirm"]).exits(1);
    refused.mentions("the role plain may not create roles").mentions("ALTER ROLE \"plain\" CREATEROLE");
}

fn roles(server: &Postgres) -> String {
    server.query("SELECT string_agg(rolname, ' ' ORDER BY 1) FROM pg_roles WHERE rolname !~ '^pg_'")
}

/// A scene whose table belongs to a role that is gone.
fn orphaned(name: &str, settings: &[(&str, &str)]) -> (Scene<'static>, String) {
    let scene = settings.iter().fold(Scene::new(name), |scene, (name, value)| scene.with(name, value));
    let owner = format!("{} öwner", scene.database.name());
    // A server without roles would get all that the backup has, those of other tests too.
    scene.database.query(&format!("CREATE ROLE \"{}_bystander\"", scene.database.name()));
    scene.database.query(&format!(
        "CREATE ROLE \"{owner}\" LOGIN CREATEDB; CREATE TABLE t (id integer); INSERT INTO t SELECT generate_series(1, 5000);
         ALTER TABLE t OWNER TO \"{owner}\"; GRANT SET ON PARAMETER log_statement TO \"{owner}\""
    ));
    scene.agent.run(&["backup"]).succeeds();
    let database = scene.database.name();
    let server = scene.database.server();
    scene.database.query(&format!("DROP TABLE t; DROP OWNED BY \"{owner}\"; DROP ROLE \"{owner}\""));
    server.query(&format!("DROP DATABASE \"{database}\""));
    (scene, owner)
}

fn is_there(server: &Postgres, role: &str) -> bool {
    server.query(&format!("SELECT count(*) FROM pg_roles WHERE rolname = '{role}'")) == "1"
}

fn drop_role(scene: &Scene<'_>, role: &str) {
    let server = scene.database.server();
    server.query(&format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", scene.database.name()));
    server.query(&format!("DROP OWNED BY \"{role}\"; DROP ROLE \"{role}\""));
}

#[test]
fn roles_of_a_restore_that_was_killed_are_whole_and_the_next_one_goes_on_with_them() {
    let (scene, owner) = orphaned("killed", &[("RESTORE_CHECKS", "SELECT pg_sleep(60) IS NOT NULL")]);
    let server = scene.database.server();
    let mut run = scene.agent.start(&["restore", "latest", "--create-roles", "--confirm"]);
    run.wait_until("it has made the role", |_| is_there(server, &owner));
    run.signal(Signal::KILL);
    assert_eq!(run.wait().code, None);
    let whole = format!(
        "SELECT rolcreatedb, rolcanlogin, has_parameter_privilege('{owner}', 'log_statement', 'SET') FROM pg_roles WHERE rolname = '{owner}'"
    );
    assert_eq!(server.query(&whole), "t|f|t");
    let again = ["restore", "latest", "--create-roles", "--skip-checks", "--confirm"];
    scene.agent.run(&again).succeeds().keeps_silent_about("created the roles").keeps_silent_about("left out");
    assert_eq!(scene.database.query("SELECT tableowner FROM pg_tables WHERE tablename = 't'"), owner);
    scene.agent.run(&["restore", "--drop-old", "--confirm"]).succeeds();
    assert_eq!(scene.beside(), Vec::<String>::new());
    drop_role(&scene, &owner);
}

#[test]
fn ranges_of_texts_are_named_before_another_locale_sorts_them() {
    let scene = Scene::new("ranges");
    let (server, name) = (scene.database.server(), scene.database.name());
    server.query(&format!("DROP DATABASE {name}"));
    server.query(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING UTF8 LOCALE 'C'"));
    scene.database.query(
        "CREATE TABLE by_name (name text) PARTITION BY RANGE (name);
         CREATE TABLE of_a PARTITION OF by_name FOR VALUES FROM ('A') TO ('a');
         CREATE TABLE by_number (id integer) PARTITION BY RANGE (id);
         INSERT INTO by_name VALUES ('Z')",
    );
    scene.agent.run(&["backup"]).succeeds();
    let copy = format!("{name}_copy");
    let plan = |locale: &str| {
        scene.agent.run(&["restore", "latest", "--into", &copy, "--locale", locale, "--dry-run"]).succeeds()
    };
    plan("C.UTF-8").mentions("parted by ranges of texts: public.by_name;").mentions("the live database stays as it is");
    plan("C").keeps_silent_about("parted by ranges");
}

#[test]
fn a_restore_that_fails_leaves_none_of_the_roles_that_it_made() {
    let (scene, owner) = orphaned("unborn", &[]);
    let file = scene.file(".sql.gz");
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.len() * 3 / 4;
    bytes[at] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let server = scene.database.server();
    let failed = scene.agent.run(&["restore", "latest", "--create-roles", "--confirm"]).exits(4);
    failed.keeps_silent_about("stays");
    assert!(!is_there(server, &owner));
    bytes[at] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap().trim_end_matches(".sql.gz").to_owned();
    scene.agent.run(&["verify", &name]).succeeds();
    scene.agent.run(&["restore", "latest", "--create-roles", "--confirm"]).succeeds().mentions("created the roles");
    assert_eq!(scene.database.query("SELECT tableowner FROM pg_tables WHERE tablename = 't'"), owner);
    drop_role(&scene, &owner);
}

#[test]
fn a_backup_without_stored_roles_gets_them_by_their_names() {
    let (scene, owner) = orphaned("nameless", &[("BACKUP_GLOBALS", "off")]);
    let run = scene.agent.run(&["restore", "latest", "--create-roles", "--confirm"]).succeeds();
    run.mentions("roles are made from their names alone").mentions(&format!("\\password \"{owner}\""));
    let server = scene.database.server();
    assert_eq!(
        server.query(&format!("SELECT rolcanlogin, rolcreatedb FROM pg_roles WHERE rolname = '{owner}'")),
        "f|f"
    );
    assert_eq!(scene.database.query("SELECT tableowner FROM pg_tables WHERE tablename = 't'"), owner);
    drop_role(&scene, &owner);
}

#[test]
fn roles_that_are_not_what_the_manifest_names_are_refused() {
    let (scene, owner) = orphaned("tampered", &[]);
    let file = scene.file(".globals.sql.gz");
    std::fs::write(&file, [std::fs::read(&file).unwrap(), b"x".to_vec()].concat()).unwrap();
    let refused = scene.agent.run(&["restore", "latest", "--create-roles", "--confirm"]).exits(1);
    refused.mentions("is not what the backup's manifest says").mentions("without --create-roles");
    assert!(!is_there(scene.database.server(), &owner));
    // The hint works.
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds().mentions("--create-roles makes it");
}

/// Whoever can write to the repository can write a manifest as well.
#[test]
fn hostile_roles_are_text_and_run_nothing() {
    let (scene, owner) = orphaned("hostile", &[]);
    let proof = scene.folder.path().join("proof");
    let hostile = format!(
        "\\! touch {0}\nCREATE ROLE \"{owner}\";\nALTER ROLE \"{owner}\" WITH SUPERUSER LOGIN;\nCOMMENT ON ROLE \"{owner}\" IS 'x';\\! touch {0}\n;\n\
         CREATE ROLE \"h; \\! touch {0}\n\\! touch {0}\";\nGRANT \"{owner}\" TO postgres;\nDROP ROLE postgres;\nALTER ROLE postgres WITH NOLOGIN;\n\
         ALTER SYSTEM SET work_mem TO '1GB';\nCOPY (SELECT 1) TO PROGRAM 'touch {0}';\nSELECT 'CREATE ROLE h2' \\gexec\n",
        proof.display()
    );
    let packed = e2e::process::output_given(Command::new("gzip").arg("-c"), hostile.as_bytes()).stdout;
    std::fs::write(scene.file(".globals.sql.gz"), &packed).unwrap();
    let sum = output(Command::new("md5sum").arg(scene.file(".globals.sql.gz"))).stdout;
    let manifest = scene.file(".manifest.json");
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&manifest).unwrap()).unwrap();
    json["globals"]["md5"] = String::from_utf8(sum).unwrap()[..32].into();
    json["globals"]["size"] = packed.len().into();
    std::fs::write(&manifest, json.to_string()).unwrap();
    let server = scene.database.server();
    let before = server.query("SELECT rolcanlogin, rolsuper FROM pg_roles WHERE rolname = 'postgres'");
    let run = scene.agent.run(&["restore", "latest", "--create-roles", "--confirm"]).succeeds();
    run.mentions("statements of the backup's roles were left out")
        .mentions(&format!("{owner} is made a superuser, as it was"))
        .mentions(&format!("postgres is there already, and is not made a member of {owner}"));
    assert!(!proof.exists());
    assert_eq!(server.query("SELECT rolcanlogin, rolsuper FROM pg_roles WHERE rolname = 'postgres'"), before);
    assert_eq!(server.query("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'h; %' OR rolname = 'h2'"), "0");
    assert_eq!(server.query("SELECT count(*) FROM pg_file_settings WHERE name = 'work_mem'"), "0");
    drop_role(&scene, &owner);
}
