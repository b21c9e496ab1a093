//! What is refused before anything starts, and what to do instead.

use e2e::agent::Agent;
use e2e::postgres::{Installation, PASSWORD, Postgres};
use tempfile::TempDir;

use super::Scene;

#[test]
fn nobody_to_ask_and_any_answer_but_yes_change_nothing() {
    let scene = Scene::backed_up("asked");
    scene.agent.run(&["restore", "latest"]).exits(1).mentions("--confirm").mentions("replaces");
    scene.agent.run_with_input(&["restore", "latest"], "y\n").exits(1);
    assert_eq!((scene.rows().as_str(), scene.beside().len()), ("10", 0));
}

#[test]
fn a_dry_run_reads_the_whole_archive_and_touches_nothing() {
    let scene = Scene::backed_up("dry");
    let run = ["restore", "latest", "--dry-run"];
    scene.agent.run(&run).succeeds().mentions("the archive is whole").mentions("1 table").mentions("by swap");
    let json = scene.agent.run(&["restore", "latest", "--dry-run", "--json"]).succeeds().json();
    assert_eq!(json["mode"], "swap");
    assert_eq!((scene.rows().as_str(), scene.beside().len()), ("10", 0));
    let file = scene.file(".sql.gz");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 30]).unwrap();
    scene.agent.run(&["restore", "--backup-file", file.to_str().unwrap(), "--dry-run"]).exits(4).mentions("damaged");
}

#[test]
fn a_damaged_backup_is_refused_and_the_last_good_one_named() {
    let scene = Scene::backed_up("damaged");
    let good = scene.file(".sql.gz").file_stem().unwrap().to_str().unwrap().trim_end_matches(".sql").to_owned();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let before: Vec<_> = std::fs::read_dir(scene.folder.path()).unwrap().map(|row| row.unwrap().path()).collect();
    scene.agent.run(&["backup"]).succeeds();
    let new = std::fs::read_dir(scene.folder.path()).unwrap().map(|row| row.unwrap().path());
    let is_archive = |name: &str| name.ends_with(".sql.gz") && !name.contains(".globals.");
    let archive = new.filter(|path| !before.contains(path)).find(|path| is_archive(path.to_str().unwrap())).unwrap();
    let mut bytes = std::fs::read(&archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&archive, bytes).unwrap();
    let id = archive.file_stem().unwrap().to_str().unwrap().trim_end_matches(".sql").to_owned();
    scene.agent.run(&["verify", &id]).exits(4);
    scene.agent.run(&["restore", &id, "--confirm"]).exits(4).mentions("damaged").mentions(&format!("restore {good}"));
    scene.agent.run(&["restore", "latest", "--dry-run"]).succeeds().mentions(&good);
}

#[test]
fn bytes_that_changed_after_their_verdict_are_found_while_restoring() {
    for way in
        [&["restore", "latest", "--confirm"][..], &["restore", "latest", "--confirm", "--in-place", "--skip-backup"]]
    {
        let scene = Scene::backed_up("changed");
        let file = scene.file(".sql.gz");
        let (mut bytes, written) =
            (std::fs::read(&file).unwrap(), std::fs::metadata(&file).unwrap().modified().unwrap());
        let last = bytes.len() - 40;
        bytes[last] ^= 0x10;
        std::fs::write(&file, bytes).unwrap();
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(written).unwrap();
        scene.agent.run(way).exits(4).mentions("damaged");
        assert_eq!((scene.rows().as_str(), scene.beside().len()), ("10", 0));
    }
}

#[test]
fn the_backup_of_another_database_does_not_replace_this_one() {
    let scene = Scene::backed_up("one");
    let other = Scene::backed_up("other");
    let file = other.file(".sql.gz");
    let file = file.to_str().unwrap();
    let run = scene.agent.run(&["restore", "--backup-file", file, "--confirm"]);
    run.exits(1).mentions(&format!("backup of {}", other.database.name())).mentions("--into");
    assert_eq!(scene.rows(), "10");
    scene.agent.run(&["restore", "--backup-file", file, "--confirm", "--force"]).succeeds();
    assert_eq!(scene.rows(), "100");
}

#[test]
fn what_pg_dump_did_not_make_is_named_with_what_reads_it() {
    let scene = Scene::backed_up("kinds");
    for (content, hint) in [("CREATE TABLE x ();\n", "psql"), ("<html>NoSuchKey</html>", "pg_dump --format=custom")] {
        let file = scene.folder.path().join("content");
        std::fs::write(&file, content).unwrap();
        let run = scene.agent.run(&["restore", "--backup-file", file.to_str().unwrap(), "--confirm"]);
        run.exits(4).mentions(hint).mentions("not a pg_dump archive but");
    }
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    let scene = Scene::backed_up("absent");
    let name = scene.database.name();
    scene
        .agent
        .run(&["restore", &format!("{name}_backup_20010101_000000"), "--confirm"])
        .exits(5)
        .mentions("lastgood list");
    scene.agent.run(&["restore", "--backup-file", "/nonexistent", "--confirm"]).exits(5);
    scene.agent.run(&["restore", "--from-s3-latest", "--confirm"]).exits(2).mentions("S3 not configured");
    scene.agent.run(&["restore", "--list-s3"]).exits(2).mentions("BACKUP_S3_BUCKET");
    scene.agent.run(&["restore"]).exits(2).mentions("<ID");
    scene.agent.run(&["restore", "latest", "--table", "t", "--confirm"]).exits(2).mentions("--into");
}

#[test]
fn a_prepared_transaction_is_named_before_the_question() {
    let server =
        e2e::postgres::Postgres::start_with(e2e::postgres::Installation::debian(), &["max_prepared_transactions=2"]);
    let scene = Scene::on(&server, "prepared");
    scene.database.query("CREATE TABLE t (id integer)");
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'half way'");
    scene.agent.run(&["restore", "latest", "--confirm"]).exits(1).mentions("half way").mentions("ROLLBACK PREPARED");
    scene.database.query("ROLLBACK PREPARED 'half way'");
}

#[test]
fn a_damaged_verdict_that_a_copy_made_look_older_still_counts() {
    let scene = Scene::backed_up("copied");
    let intact = scene.file(".intact.json");
    let text = std::fs::read_to_string(&intact).unwrap();
    let damaged = intact.to_str().unwrap().replace(".intact.json", ".damaged.json");
    std::fs::write(&damaged, text.replace("\"intact\"", "\"damaged\"")).unwrap();
    let written = std::fs::metadata(scene.file(".sql.gz")).unwrap().modified().unwrap();
    std::fs::File::options().write(true).open(&damaged).unwrap().set_modified(written).unwrap();
    scene.agent.run(&["restore", "latest", "--confirm"]).exits(4).mentions("damaged");
    assert_eq!(scene.rows(), "10");
}

#[test]
fn what_only_a_superuser_may_create_is_named_before_anything_starts() {
    let scene = Scene::new("wide");
    let (name, server) = (scene.database.name().to_owned(), scene.database.server());
    let role = format!("{name}_role");
    server.query(&format!("CREATE ROLE {role} LOGIN CREATEDB PASSWORD '{}'", PASSWORD.replace('\'', "''")));
    server.query(&format!("ALTER DATABASE {name} OWNER TO {role}"));
    scene.database.query(
        "CREATE TABLE t (id integer); CREATE PUBLICATION wide FOR ALL TABLES; CREATE FOREIGN DATA WRAPPER far;
         CREATE SERVER s FOREIGN DATA WRAPPER far; CREATE USER MAPPING FOR PUBLIC SERVER s",
    );
    scene.agent.run(&["backup"]).succeeds();
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    let scene = scene.with("DB_USER", &role);
    for how in ["--dry-run", "--confirm"] {
        let run = scene.agent.run(&["restore", "latest", how]).exits(1).mentions("only a superuser may create");
        run.mentions("foreign-data wrapper far").mentions("publication wide").mentions("DB_USER");
    }
}

#[test]
fn a_tablespace_that_is_gone_is_left_out_with_a_warning() {
    let scene = Scene::new("spaced");
    let space = format!("{}_fast", scene.database.name());
    let server = scene.database.server();
    server.query(&format!("SET allow_in_place_tablespaces = on; CREATE TABLESPACE {space} LOCATION ''"));
    scene.database.query(&format!("CREATE TABLE t (id integer) TABLESPACE {space}; INSERT INTO t VALUES (1)"));
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query("ALTER TABLE t SET TABLESPACE pg_default");
    server.query(&format!("DROP TABLESPACE {space}"));
    for way in [&["restore", "latest", "--confirm"][..], &["restore", "latest", "--confirm", "--in-place"]] {
        scene.agent.run(way).succeeds().mentions("tablespaces are left out").mentions(&space);
        assert_eq!(scene.rows(), "1");
    }
}

#[test]
fn a_locale_that_the_server_lacks_is_refused_with_a_hint_that_works() {
    let newer = Postgres::start(Installation::eighteen());
    let server = Postgres::start(Installation::sixteen());
    newer.query("CREATE DATABASE odd TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C' ENCODING 'UTF8'");
    let odd = newer.database("odd");
    odd.query("CREATE TABLE t (id integer); INSERT INTO t VALUES (1)");
    let folder = TempDir::new().unwrap();
    let agent = Agent::new().directory(folder.path());
    agent.database(&odd).run(&["backup"]).succeeds();
    let target = server.database("odd");
    let agent = Agent::new().directory(folder.path()).database(&target).programs_of(&Installation::eighteen());
    let run = agent.run(&["restore", "latest", "--confirm"]).exits(1);
    run.mentions("C.UTF-8 of builtin").mentions("restore with --locale C.utf8, or C");
    let dry = agent.run(&["restore", "latest", "--dry-run", "--locale", "C.utf8"]).succeeds();
    dry.mentions("sorts and compares texts by C.utf8 instead of C");
    let unfit = agent.run(&["restore", "latest", "--confirm", "--locale", "de_DE.ISO-8859-1"]).exits(1);
    unfit.mentions("it is for LATIN1, and the backup is in UTF8");
    assert!(!server.databases().contains(&"odd".to_owned()));
    agent.run(&["restore", "latest", "--confirm", "--locale", "C.utf8"]).succeeds();
    assert_eq!(target.query("SELECT count(*) FROM t"), "1");
    assert_eq!(
        target.query("SELECT datcollate || datlocprovider::text FROM pg_database WHERE datname = 'odd'"),
        "C.utf8c"
    );
    let living = agent.run(&["restore", "latest", "--confirm", "--locale", "C"]).exits(1);
    living.mentions("--into NAME restores into a new one");
}

/// And on a server whose own databases have no character set.
#[test]
fn a_locale_of_a_bare_server_is_tried_beforehand() {
    let server = Postgres::start_bare(Installation::debian());
    let scene = Scene::new("sorted");
    scene.database.query("CREATE TABLE t (id integer); INSERT INTO t VALUES (1)");
    scene.agent.run(&["backup"]).succeeds();
    let target = server.database(scene.database.name());
    let agent = Agent::new().directory(scene.folder.path()).database(&target);
    agent
        .run(&["restore", "latest", "--confirm", "--locale", "xx_YY.utf8"])
        .exits(1)
        .mentions("restore with --locale C");
    for locale in ["icu:de-DE", "C.utf8"] {
        agent.run(&["restore", "latest", "--confirm", "--locale", locale]).succeeds();
        let found = "SELECT coalesce(to_jsonb(d) ->> 'daticulocale', datcollate), pg_encoding_to_char(encoding)
            FROM pg_database d WHERE datname = current_database()";
        assert_eq!(target.query(found), format!("{}|UTF8", locale.trim_start_matches("icu:")));
        server.query(&format!("DROP DATABASE {}", target.name()));
    }
}

#[test]
fn tablespaces_go_where_the_map_says() {
    let scene = Scene::new("mapped");
    let name = scene.database.name();
    let (fast, slow, ssd) = (format!("{name} fast"), format!("{name}_slow"), format!("{name}_ssd"));
    let server = scene.database.server();
    for space in [&fast, &slow, &ssd] {
        server.query(&format!("SET allow_in_place_tablespaces = on; CREATE TABLESPACE \"{space}\" LOCATION ''"));
    }
    scene.database.query(&format!(
        "CREATE TABLE t (id integer PRIMARY KEY USING INDEX TABLESPACE {slow}) TABLESPACE \"{fast}\"; INSERT INTO t VALUES (1);
         CREATE TABLE kept (id integer) TABLESPACE {ssd}; CREATE TABLE plain (id integer)"
    ));
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query("ALTER TABLE t SET TABLESPACE pg_default; ALTER INDEX t_pkey SET TABLESPACE pg_default");
    for space in [&fast, &slow] {
        server.query(&format!("DROP TABLESPACE \"{space}\""));
    }
    let map = format!("{fast}={ssd}");
    let wrong =
        scene.agent.run(&["restore", "latest", "--confirm", "--tablespace-map", &format!("{fast}=nowhere")]).exits(1);
    wrong.mentions("the tablespace nowhere that --tablespace-map names").mentions(&ssd);
    for way in [&["restore", "latest", "--confirm"][..], &["restore", "latest", "--confirm", "--in-place"]] {
        let run =
            scene.agent.run(&[way, &["--tablespace-map", &map, "--tablespace-map", &format!("{slow}=")]].concat());
        run.succeeds().keeps_silent_about("tablespaces are left out");
        let found = "SELECT string_agg(relname || ' ' || coalesce(spcname, '-'), ', ' ORDER BY relname) FROM pg_class c
            LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace WHERE relname IN ('t', 't_pkey', 'kept', 'plain')";
        assert_eq!(scene.database.query(found), format!("kept {ssd}, plain -, t {ssd}, t_pkey -"));
    }
    // Without the map what is there stays where it was, and the rest goes to the database's own.
    scene
        .agent
        .run(&["restore", "latest", "--confirm"])
        .succeeds()
        .mentions(&format!("--tablespace-map '{fast}=NAME'"));
    assert_eq!(scene.database.query("SELECT tablespace FROM pg_tables WHERE tablename = 'kept'"), ssd);
    let before: Vec<String> =
        server.databases().into_iter().filter(|other| other.starts_with(&format!("{name}_before"))).collect();
    before.iter().for_each(|old| drop(server.query(&format!("DROP DATABASE \"{old}\""))));
    server.query(&format!("DROP DATABASE \"{name}\""));
    server.query(&format!("DROP TABLESPACE \"{ssd}\""));
}
