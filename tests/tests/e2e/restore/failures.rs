//! A restore that fails, however it fails, leaves the old database as it was and nothing beside it.

use super::{Scene, losing_the_answer, script};

const WAYS: [&[&str]; 2] =
    [&["restore", "latest", "--confirm"], &["restore", "latest", "--confirm", "--in-place", "--skip-backup"]];

/// Several programs that fill the database side by side.
const SIDE_BY_SIDE: &[&str] = &["restore", "latest", "--confirm", "--jobs", "2"];

#[test]
fn rows_that_do_not_go_back_in_fail_the_restore_and_keep_the_old_ones() {
    for way in WAYS {
        let scene = Scene::new("unrestorable");
        // The check looks at another table, which is restored later: a classic.
        scene.database.query(
            "CREATE TABLE z (id integer); INSERT INTO z VALUES (1);
             CREATE FUNCTION z_is_filled() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN EXISTS (SELECT FROM public.z); END';
             CREATE TABLE t (id integer CHECK (z_is_filled())); INSERT INTO t VALUES (1)",
        );
        scene.agent.run(&["backup"]).succeeds();
        scene.database.query("INSERT INTO t VALUES (2), (3)");
        scene.agent.run(way).exits(1).mentions("violates check constraint");
        assert_eq!((scene.rows().as_str(), scene.beside().len()), ("3", 0), "{way:?}");
        // As the hint says.
        scene.agent.run(&["restore", "latest", "--confirm", "--keep-going"]).succeeds();
        let validated = "SELECT convalidated FROM pg_constraint WHERE conrelid = 't'::regclass";
        assert_eq!((scene.rows().as_str(), scene.database.query(validated).as_str()), ("1", "t"));
    }
}

#[test]
fn what_the_rows_do_not_let_be_made_is_left_out_where_that_is_asked_for() {
    let scene = Scene::new("loose");
    scene.database.query(
        "CREATE TABLE parents (id integer PRIMARY KEY); CREATE TABLE t (id integer PRIMARY KEY, parent integer);
         INSERT INTO t VALUES (1, 99); ALTER TABLE t ADD CONSTRAINT t_parent FOREIGN KEY (parent) REFERENCES parents NOT VALID;
         UPDATE pg_constraint SET convalidated = true WHERE conname = 't_parent'",
    );
    scene.agent.run(&["backup"]).succeeds();
    scene
        .agent
        .run(WAYS[0])
        .exits(1)
        .mentions("violates foreign key constraint")
        .mentions("hint: ")
        .mentions("--keep-going");
    assert_eq!((scene.rows().as_str(), scene.beside().len()), ("1", 0));
    let restored = scene.agent.run(&["restore", "latest", "--confirm", "--keep-going", "--json"]).succeeds().json();
    let [left] = restored["leftOut"].as_array().unwrap().as_slice() else { panic!("{restored}") };
    assert_eq!(
        (&left["what"], &left["became"]),
        (&"FK CONSTRAINT public.t t_parent".into(), &"notValid".into()),
        "{left}"
    );
    assert!(left["why"].as_str().unwrap().contains("Key (parent)=(99)"), "{left}");
    assert_eq!(scene.database.query("SELECT convalidated FROM pg_constraint WHERE conname = 't_parent'"), "f");
    // In place nothing can be left out.
    let args = ["restore", "latest", "--confirm", "--keep-going", "--in-place"];
    scene.agent.run(&args).exits(2).mentions("cannot be used with");
}

#[test]
fn what_has_nothing_to_do_with_the_rows_and_what_others_hang_on_is_not_left_out() {
    let keep_going = ["restore", "latest", "--confirm", "--keep-going"];
    let scene = Scene::new("full");
    scene.database.query(
        "CREATE FUNCTION odd(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS
            'BEGIN IF current_database() LIKE ''%_restoring_%'' THEN RAISE ''no room'' USING ERRCODE = ''53100''; END IF; RETURN $1; END';
         CREATE TABLE t (id integer); INSERT INTO t VALUES (1); CREATE INDEX ON t (odd(id))",
    );
    scene.agent.run(&["backup"]).succeeds();
    scene.agent.run(&keep_going).exits(1).mentions("INDEX public.t_odd_idx: no room");
    assert_eq!((scene.rows().as_str(), scene.beside().len()), ("1", 0));

    let scene = Scene::new("hanging");
    // As an index that has lost its order takes a key twice.
    scene.database.query(
        "CREATE TABLE t (id integer PRIMARY KEY, n integer); CREATE VIEW v AS SELECT id, n FROM t GROUP BY id;
         UPDATE pg_index SET indisready = false WHERE indexrelid = 't_pkey'::regclass; INSERT INTO t VALUES (1, 1), (1, 2);
         UPDATE pg_index SET indisready = true WHERE indexrelid = 't_pkey'::regclass",
    );
    scene.agent.run(&["backup"]).succeeds();
    scene.agent.run(WAYS[0]).exits(1).mentions("could not create unique index").mentions("--keep-going");
    scene.agent.run(&keep_going).exits(1).mentions("RULE public.v _RETURN").mentions("lastgood show");
    assert_eq!((scene.rows().as_str(), scene.beside().len()), ("2", 0));
    scene.database.query("DROP VIEW v");
    scene.agent.run(&["backup"]).succeeds();
    scene.agent.run(&keep_going).succeeds().mentions("CONSTRAINT public.t t_pkey is missing");
    assert_eq!(scene.rows(), "2");
}

#[test]
fn a_manifest_that_counted_other_rows_prevents_the_exchange() {
    for way in WAYS.into_iter().chain([SIDE_BY_SIDE]) {
        let scene = Scene::backed_up("recounted");
        let manifest = scene.file(".manifest.json");
        let text = std::fs::read_to_string(&manifest).unwrap();
        assert!(text.contains("\"rows\": 100"), "{text}");
        std::fs::write(&manifest, text.replace("\"rows\": 100", "\"rows\": 101")).unwrap();
        scene.agent.run(way).exits(4).mentions("manifest");
        assert_eq!((scene.rows().as_str(), scene.beside().len()), ("10", 0), "{way:?}");
    }
}

#[test]
fn a_row_that_gets_lost_on_the_way_into_the_database_prevents_the_exchange() {
    let scene = Scene::backed_up("losing");
    let programs = tempfile::tempdir().unwrap();
    let installation = scene.database.server().installation().clone();
    // As a pg_restore would that loses a row and says nothing.
    let lossy = format!(
        "case \"$*\" in *--exit-on-error*) {real}/pg_restore \"$@\" || exit; for a in \"$@\"; do case $a in --dbname=*) {real}/psql -X -q \"${{a#--dbname=}}\" -c 'DELETE FROM t WHERE id = 50';; esac; done;; *) exec {real}/pg_restore \"$@\";; esac",
        real = installation.programs().display()
    );
    script(programs.path(), "pg_restore", &lossy);
    let agent = scene.agent.programs_in(programs.path());
    for way in [WAYS[0], SIDE_BY_SIDE] {
        agent.run(way).exits(1).mentions("table public.t has 99 rows where the backup has 100");
    }
    assert_eq!(scene.database.query("SELECT count(*) FROM t"), "10");
}

#[test]
fn a_row_that_gets_lost_in_place_prevents_the_commit() {
    let scene = Scene::backed_up("losing");
    let programs = tempfile::tempdir().unwrap();
    let installation = scene.database.server().installation().clone();
    let lossy = format!("{}/pg_restore \"$@\" | grep -v '^50$'", installation.programs().display());
    let lossy = format!(
        "case \"$*\" in *--single-transaction*) {lossy};; *) exec {}/pg_restore \"$@\";; esac",
        installation.programs().display()
    );
    script(programs.path(), "pg_restore", &lossy);
    let agent = scene.agent.programs_in(programs.path());
    agent.run(WAYS[1]).exits(1).mentions("table public.t has 99 rows where the backup has 100");
    assert_eq!(scene.database.query("SELECT count(*) FROM t"), "10");
}

#[test]
fn a_pg_restore_that_fails_or_is_killed_fails_the_restore() {
    for end in ["echo 'pg_restore: error: it broke' >&2; exit 1", "kill -9 $$"] {
        for way in WAYS.into_iter().chain([SIDE_BY_SIDE]) {
            let scene = Scene::backed_up("broken");
            let programs = tempfile::tempdir().unwrap();
            let real = scene.database.server().installation().programs().join("pg_restore");
            let body = format!(
                "case \"$*\" in *--schema-only*|*--version*) exec {} \"$@\";; *) head -c 1000 > /dev/null; {end};; esac",
                real.display()
            );
            script(programs.path(), "pg_restore", &body);
            let agent = scene.agent.programs_in(programs.path());
            let (how, why) =
                if end.starts_with("kill") { ("was killed by", "signal 9") } else { ("failed with", "it broke") };
            agent.run(way).exits(1).mentions(&format!("pg_restore {how}")).mentions(why);
            assert_eq!(scene.database.query("SELECT count(*) FROM t"), "10");
        }
    }
}

/// pg_restore whose script in a transaction ends it, as an archive's own SQL may.
fn cheating(scene: &Scene<'_>, sql: &str) -> tempfile::TempDir {
    let programs = tempfile::tempdir().unwrap();
    let real = scene.database.server().installation().programs().join("pg_restore").display().to_string();
    let cheating = format!("{real} \"$@\" | sed 's/^SET row_security = off;/{sql}/'");
    let body = format!("case \"$*\" in *--single-transaction*) {cheating};; *) exec {real} \"$@\";; esac");
    script(programs.path(), "pg_restore", &body);
    programs
}

#[test]
fn a_script_of_the_backup_that_ends_the_transaction_is_rolled_back() {
    for sql in ["COMMIT; BEGIN;", "SET CONSTRAINTS ALL IMMEDIATE;", "COMMIT AND CHAIN;", "END;"] {
        let scene = Scene::backed_up("guarded");
        let programs = cheating(&scene, sql);
        let agent = scene.agent.programs_in(programs.path());
        let run = agent.run(&["restore", "latest", "--confirm", "--in-place", "--skip-backup"]);
        run.exits(1)
            .mentions("ended the transaction half way, and all was rolled back")
            .mentions("has not been changed");
        assert_eq!(scene.database.query("SELECT count(*), count(*) FILTER (WHERE id > 10) FROM t"), "10|0", "{sql}");
    }
}

#[test]
fn a_script_of_the_backup_that_ends_the_transaction_is_caught() {
    // SQL that knows the guard.
    let scene = Scene::backed_up("cheating");
    let unguarded = "DO $$ DECLARE g regclass; BEGIN FOR g IN SELECT oid FROM pg_class WHERE relname LIKE '\\''lastgood%'\\'' AND relkind = '\\''r'\\'' LOOP EXECUTE '\\''DELETE FROM '\\'' || g; END LOOP; END $$; COMMIT; BEGIN;";
    let programs = cheating(&scene, unguarded);
    let agent = scene.agent.programs_in(programs.path());
    let run = agent.run(&["restore", "latest", "--confirm", "--in-place"]);
    run.exits(1).mentions("ended the transaction half way").mentions("pre_restore");
    // What SQL of the backup committed may have lost what it replaces: the hint is the way back.
    let files = std::fs::read_dir(scene.folder.path()).unwrap().map(|file| file.unwrap().file_name());
    let names = files.map(|name| name.into_string().unwrap());
    let safety = names.filter_map(|name| Some(name.strip_suffix(".sql.gz")?.to_owned()));
    let safety = safety.filter(|name| name.contains("_pre_restore_")).collect::<Vec<_>>();
    agent.run(&["restore", &safety[0], "--confirm"]).succeeds();
    assert_eq!((safety.len(), scene.database.query("SELECT count(*) FROM t").as_str()), (1, "10"));
}

#[test]
fn one_of_several_programs_that_fails_ends_the_others() {
    let scene = Scene::new("several");
    scene.database.fill_with_megabytes(8);
    scene.agent.run(&["backup"]).succeeds();
    let programs = tempfile::tempdir().unwrap();
    let real = scene.database.server().installation().programs().join("pg_restore");
    // The one that fills the smaller share: the other has most of its rows still before it.
    let body = format!(
        "case \"$*\" in *--section=data*) [ -e {once} ] || {{ touch {once}; head -c 100000 > /dev/null; echo 'pg_restore: error: it broke' >&2; exit 1; }};; esac
        exec {real} \"$@\"",
        once = programs.path().join("once").display(),
        real = real.display()
    );
    script(programs.path(), "pg_restore", &body);
    let scene = Scene { agent: scene.agent.programs_in(programs.path()), ..scene };
    scene.agent.run(SIDE_BY_SIDE).exits(1).mentions("it broke");
    assert_eq!(scene.beside(), Vec::<String>::new());
    // And the next run finds nothing in its way.
    scene.agent.run(SIDE_BY_SIDE).succeeds().mentions("all checked");
}

#[test]
fn damage_in_the_middle_ends_the_programs_that_fill() {
    let scene = Scene::new("rotten");
    scene.database.fill_with_megabytes(8);
    scene.agent.run(&["backup"]).succeeds();
    let archive = scene.file(".sql.gz");
    let mut bytes = std::fs::read(&archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    // In place, and the file's time with it: the verdict still says that it is intact.
    let written = std::fs::metadata(&archive).unwrap().modified().unwrap();
    std::fs::write(&archive, bytes).unwrap();
    std::fs::File::options().append(true).open(&archive).unwrap().set_modified(written).unwrap();
    scene.agent.run(SIDE_BY_SIDE).exits(4).mentions("is damaged");
    assert_eq!(scene.beside(), Vec::<String>::new());
    assert_eq!(scene.database.query("SELECT count(*) > 0 FROM users"), "t", "the living one was touched");
}

/// The failure comes from the middle of the road, through the thread that reads the archive, and must not lose its hint there.
#[test]
fn a_spool_without_room_is_an_error_with_a_hint_of_its_own_in_json_as_well() {
    let scene = Scene::backed_up("spooled");
    let mut arguments = SIDE_BY_SIDE.to_vec();
    arguments.push("--json");
    let own = scene.agent.command(&arguments);
    // No file may grow beyond one block, and a write that tries fails instead of killing the program.
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""]).arg(own.get_program()).args(own.get_args());
    limited
        .env_clear()
        .envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(scene.agent.home());
    let output = e2e::process::output(&mut limited);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let (error, hint) = (answer["error"].as_str().unwrap(), answer["hint"].as_str().unwrap_or_default());
    assert!(error.contains("temporary file") && !error.contains("hint"), "{answer}");
    assert!(hint.contains("TMPDIR"), "{answer}");
    assert_eq!((scene.rows().as_str(), scene.beside().len()), ("10", 0));
}

/// PostgreSQL's own sessions, against each other: once in a hundred restores of partitions by two jobs.
#[test]
fn a_deadlock_among_jobs_is_restored_again_without_jobs() {
    let scene = Scene::backed_up("deadlocked");
    let programs = tempfile::tempdir().unwrap();
    let real = scene.database.server().installation().programs().display().to_string();
    let deadlock = format!(
        "case \"$*\" in *--section=post-data*--jobs=*) echo 'pg_restore: error: could not execute query: ERROR:  deadlock detected' >&2; exit 1;; *) exec {real}/pg_restore \"$@\";; esac"
    );
    script(programs.path(), "pg_restore", &deadlock);
    let scene = Scene { agent: scene.agent.programs_in(programs.path()), ..scene };
    scene.agent.run(SIDE_BY_SIDE).succeeds().mentions("filling a new database");
    assert_eq!((scene.database.query("SELECT count(*) FROM t").as_str(), scene.beside().len()), ("100", 1));
}

/// The server makes the database, and the answer is lost with the connection.
#[test]
fn a_new_database_whose_creation_was_not_answered_does_not_stay() {
    let scene = Scene::backed_up("unanswered");
    let programs = tempfile::tempdir().unwrap();
    losing_the_answer(&scene, programs.path(), "CREATE DATABASE ");
    let scene = Scene { agent: scene.agent.programs_in(programs.path()), ..scene };
    scene.agent.run(WAYS[0]).exits(1).mentions("cannot create the new database");
    assert_eq!((scene.rows().as_str(), scene.beside().len()), ("10", 0));
}
