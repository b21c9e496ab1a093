//! A dump by several sessions is the one that pg_dump makes by itself, whatever happens while it is made.

use std::process::{Child, Stdio};

use e2e::agent::{Agent, Outcome};
use e2e::bounds::wait_until;
use e2e::pooler::Pooler;
use e2e::postgres::{Database, Installation, Postgres};

use super::{Places, Stalled, agent, large, stall_after, through};

/// What a dump by several sessions says with `--verbose`.
const TOGETHER: &str = "sessions read rows at the same time";
/// What pg_dump alone says, and then why.
const ALONE: &str = "pg_dump reads all rows by itself: ";
/// Three tables of more pages than are read at once, one of them a parent's, one with gaps; and what COPY has other forms for.
const TABLES: &str = r#"
    CREATE TABLE wide AS SELECT i AS id, repeat(md5(i::text), 12) AS "some "" text" FROM generate_series(1, 60000) AS i;
    ALTER TABLE wide ADD PRIMARY KEY (id), ADD twice bigint GENERATED ALWAYS AS (id * 2) STORED;
    DELETE FROM wide WHERE id % 3 = 0 OR id BETWEEN 20000 AND 40000;
    CREATE TABLE "Child of; wide" (more float8, gone int) INHERITS (wide);
    INSERT INTO "Child of; wide" (id, "some "" text", more, gone) SELECT i, E'a\tb\\c\n\\.' || repeat('x', 400), 0.1 * i, 1 FROM generate_series(1, 50000) AS i;
    ALTER TABLE "Child of; wide" DROP gone;
    CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;
    CREATE TABLE empty (id int); CREATE UNLOGGED TABLE unlogged AS SELECT 1 AS id;
    SELECT lo_from_bytea(0, decode(repeat(md5(i::text), 40000), 'hex')) FROM generate_series(1, 5) AS i"#;

/// More than pg_dump gets rid of before anybody reads it.
const FILLER: &str =
    "CREATE TABLE filler AS SELECT i AS id, repeat(md5(i::text), 10) AS text FROM generate_series(1, 10000) AS i";
/// Bytes from the server, of sixty megabytes: past what may wait, here and in the kernel's buffers, and before what is read last.
const MIDDLE: u64 = 48_000_000;

/// Backs up with so many sessions, and answers with the manifest's counts and the archive.
fn back_up(agent: Agent, jobs: u32) -> (serde_json::Value, Vec<u8>, Outcome) {
    let places = Places::new();
    let agent = agent.directory(&places.directory()).setting("BACKUP_JOBS", jobs.to_string());
    let outcome = agent.run(&["backup", "--verbose"]).succeeds();
    let read = |suffix| std::fs::read(places.file_ending_in(suffix)).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_slice(&read(".manifest.json")).unwrap();
    let counts = ["census", "largeObjects", "warnings"].map(|name| manifest[name].take());
    (counts.into_iter().collect(), through(std::process::Command::new("gunzip").arg("-c"), &read(".sql.gz")), outcome)
}

/// A psql that runs in the background.
fn background(database: &Database<'_>, sql: &str) -> Child {
    let mut psql = database.client(database.server().installation(), "psql");
    psql.args(["-XqAtc", sql]).stdout(Stdio::null()).spawn().unwrap()
}

/// Waits until so many sessions wait for a lock.
fn wait_for_queue(database: &Database<'_>, count: usize) {
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    wait_until("sessions queue for locks", || database.query(waiting) == count.to_string());
}

#[test]
fn several_sessions_dump_what_one_does_on_every_version() {
    for installation in Installation::all() {
        let server = Postgres::start(installation.clone());
        let database = server.new_database("woven");
        database.fill_with_everything();
        database.query(TABLES);
        let agent = || agent().database(&database).programs_of(&installation);
        let (alone, _, _) = back_up(agent(), 1);
        let (together, archive, outcome) = back_up(agent(), 3);
        outcome.mentions(&format!("3 {TOGETHER}")).keeps_silent_about("by psql");
        assert_eq!(together, alone, "PostgreSQL {}", installation.major());
        let copy = server.new_database("woven_copy");
        copy.restore(&archive);
        assert_eq!(copy.as_sql(), database.as_sql());
    }
}

#[test]
fn names_and_texts_of_other_character_sets_are_read_as_they_are() {
    for (encoding, text) in [("LATIN1", "Straße"), ("EUC_JP", "日本"), ("SQL_ASCII", "é"), ("UTF8", "😀\u{301}")]
    {
        let server = Postgres::shared();
        let name = format!("woven_{}", encoding.to_lowercase());
        server.query(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"));
        let database = server.database(&name);
        database.query(FILLER);
        database.query(&format!(
            "SET client_encoding = 'UTF8'; CREATE SCHEMA \"{text} ' :x\"; CREATE TABLE \"{text} ' :x\".\"{text} (\" AS
             SELECT i, '{text}'::text || i AS \"{text}, \"\"b\" FROM generate_series(1, 1000) AS i"
        ));
        let agent = || agent().database(&database);
        let ((alone, first, _), (together, second, outcome)) = (back_up(agent(), 1), back_up(agent(), 2));
        outcome.mentions(TOGETHER);
        assert_eq!(together, alone, "{encoding}");
        assert!(first.windows(text.len()).any(|bytes| bytes == text.as_bytes()) || encoding != "UTF8");
        assert!(second.len() < first.len(), "longer chunks: {} and {}", first.len(), second.len());
    }
}

#[test]
fn of_an_extensions_table_only_the_users_rows_are_dumped() {
    let database = Postgres::shared().new_database("woven_extension");
    database.query(FILLER);
    database.query(
        "CREATE EXTENSION hstore; CREATE TABLE rules AS SELECT i AS id FROM generate_series(1, 100) AS i;
         ALTER EXTENSION hstore ADD TABLE rules; UPDATE pg_extension SET extconfig = ARRAY['rules'::regclass::oid],
         extcondition = ARRAY['WHERE id > 90'] WHERE extname = 'hstore'",
    );
    let agent = || agent().database(&database);
    let ((alone, _, _), (together, _, outcome)) = (back_up(agent(), 1), back_up(agent(), 2));
    outcome.mentions(TOGETHER).mentions("10,010 rows");
    assert_eq!(together, alone);
}

#[test]
fn what_several_sessions_cannot_do_is_left_to_pg_dump_and_said() {
    let database = Postgres::shared().new_database("woven_alone");
    database.query(FILLER);
    database.query(
        "CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 100) AS i;
         CREATE ROLE woven_limited LOGIN PASSWORD 'x' CONNECTION LIMIT 20; GRANT pg_read_all_data TO woven_limited",
    );
    let with = |name: &str, value: &str| agent().database(&database).setting(name, value);
    let (alone, _, outcome) = back_up(with("BACKUP_PG_DUMP_OPTIONS", "--no-comments"), 1);
    outcome.keeps_silent_about(ALONE).keeps_silent_about(TOGETHER);
    let cases = [
        (with("BACKUP_PG_DUMP_OPTIONS", "--no-comments"), TOGETHER, true),
        (with("BACKUP_PG_DUMP_OPTIONS", "--inserts"), "--inserts is an option for pg_dump alone", false),
        (with("BACKUP_PG_DUMP_OPTIONS", "--encoding=GB18030"), "character set isn't one of servers", true),
        (with("DB_USER", "woven_limited").setting("DB_PASSWORD", "x"), "no connections to spare", true),
    ];
    for (agent, said, has_same_rows) in cases {
        let (counts, _, outcome) = back_up(agent, 2);
        outcome.mentions(said);
        assert_eq!(counts == alone, has_same_rows, "{said}");
    }
    database.query("DROP OWNED BY woven_limited; DROP ROLE woven_limited");
}

/// Whoever fills the server's table of locks makes other sessions fail.
#[test]
fn more_tables_than_the_server_can_lock_twice_are_left_to_pg_dump() {
    let server = Postgres::start_with(Installation::debian(), &["max_locks_per_transaction=10", "max_connections=50"]);
    let database = server.new_database("woven_locks");
    database.query(FILLER);
    database.query("SELECT format('CREATE TABLE t%s AS SELECT 1 AS id', i) FROM generate_series(1, 374) AS i \\gexec");
    let agent = || agent().database(&database);
    back_up(agent(), 2).2.mentions(TOGETHER);
    database.query("CREATE TABLE one_more AS SELECT 1 AS id");
    back_up(agent(), 2).2.mentions("the server's table of locks is too small for so many tables");
}

#[test]
fn small_databases_are_left_to_pg_dump_unless_a_setting_says_otherwise() {
    let places = Places::new();
    let agent = agent().database(large()).directory(&places.directory());
    agent.run(&["backup", "--verbose"]).succeeds().keeps_silent_about(TOGETHER).keeps_silent_about(ALONE);
    let agent = agent.setting("BACKUP_JOBS", "2").setting("BACKUP_NICE", "5");
    agent.run(&["backup", "--verbose"]).succeeds().mentions(TOGETHER).keeps_silent_about("BACKUP_NICE");
}

#[test]
fn whoever_queues_for_a_lock_neither_stops_the_dump_nor_changes_it() {
    let server = Postgres::start(Installation::debian());
    let database = server.new_database("woven_queue");
    // Behind what is read first: the dump is held up there, and these are still to be read.
    database.fill_with_megabytes(60);
    database.query(
        "CREATE TABLE zz1 AS SELECT i AS id FROM generate_series(1, 1000) AS i; CREATE TABLE zz2 AS TABLE zz1;
         CREATE TABLE zz3 AS TABLE zz1; CREATE TABLE zz4 AS TABLE zz1; SELECT lo_from_bytea(0, 'large')",
    );
    let (before, ..) = back_up(agent().database(&database), 1);
    let places = Places::new();
    let Stalled { proxy, running } = stall_after(MIDDLE, agent().setting("BACKUP_JOBS", "2"), &database, &places);
    database.query("DELETE FROM zz4 WHERE id < 500");
    let queue = ["ALTER TABLE zz1 ADD more int DEFAULT 7", "TRUNCATE zz2", "DROP TABLE zz3", "VACUUM FULL zz4"];
    let queued: Vec<Child> = queue.iter().map(|sql| background(&database, sql)).collect();
    wait_for_queue(&database, queue.len());
    proxy.heal();
    running.wait().succeeds();
    let manifest = std::fs::read(places.file_ending_in(".manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!((&manifest["census"], &manifest["largeObjects"]), (&before[0], &before[1]));
    for mut session in queued {
        let mut ended = None;
        wait_until("the queue is served once the dump has ended", || {
            ended = session.try_wait().unwrap();
            ended.is_some()
        });
        assert!(ended.unwrap().success());
    }
    assert_eq!(database.query("SELECT count(*) FROM zz1 WHERE more = 7"), "1000");
    places.bucket_holds_one_backup();
}

#[test]
fn a_session_that_dies_ends_the_dump_and_leaves_nothing() {
    let server = Postgres::start(Installation::debian());
    let database = server.new_database("woven_death");
    database.fill_with_megabytes(60);
    for (who, query) in
        // A reader that has read its last range is missed by nobody: all of them die.
        [
            ("a reader", "query NOT LIKE '%row_to_json(told)%'"),
            ("the leader", "query LIKE '%row_to_json(told)%'"),
        ]
    {
        let places = Places::new();
        let Stalled { proxy, running } = stall_after(MIDDLE, agent().setting("BACKUP_JOBS", "2"), &database, &places);
        let end = format!(
            "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE {query} AND datname = '{}'",
            database.name()
        );
        wait_until(&format!("{who} is there"), || server.query(&end) == "t");
        proxy.heal();
        running.wait().exits(1).mentions("hint: check the server's log");
        places.hold_the_mark_alone();
        let left = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'DB' AND pid <> pg_backend_pid()";
        wait_until("the dump's sessions have ended", || server.query(&left.replace("DB", database.name())) == "0");
    }
}

#[test]
fn rows_that_a_policy_hides_are_refused_as_by_pg_dump() {
    let database = Postgres::shared().new_database("woven_policy");
    database.query(FILLER);
    database.query(
        "CREATE TABLE hidden AS SELECT 1 AS id; ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
         CREATE ROLE woven_reader LOGIN PASSWORD 'x'; GRANT pg_read_all_data TO woven_reader",
    );
    for jobs in ["1", "2"] {
        let places = Places::new();
        let agent =
            places.both(agent().database(&database)).setting("DB_USER", "woven_reader").setting("DB_PASSWORD", "x");
        agent.setting("BACKUP_JOBS", jobs).run(&["backup"]).exits(1).mentions("affected by row-level security policy");
        places.hold_the_mark_alone();
    }
    database.query("DROP OWNED BY woven_reader; DROP ROLE woven_reader");
}

#[test]
fn behind_a_pooler_pg_dump_is_alone_and_several_sessions_would_do_no_harm() {
    let database = Postgres::shared().new_database("woven_pooler");
    database.query(FILLER);
    let (alone, ..) = back_up(agent().database(&database), 1);
    let through = |pooler: &Pooler| agent().database_at(&pooler.port().to_string(), database.name());
    let usual = Pooler::start(database.server(), &[]);
    let (counts, _, outcome) = back_up(through(&usual), 2);
    outcome.mentions(ALONE).mentions("no connections to spare");
    assert_eq!(counts, alone);
    // One that gives each client another of its sessions looks like a server.
    let turning = Pooler::start(database.server(), &["server_round_robin = 1"]);
    let mut busy: Vec<Child> = (0..4).map(|_| busy(&turning, &database)).collect();
    for session in &mut busy {
        wait_until("the pooler's sessions are open", || session.try_wait().unwrap().is_some());
    }
    let (counts, _, outcome) = back_up(through(&turning), 2);
    outcome.mentions(TOGETHER);
    assert_eq!(counts, alone);
}

/// A client of a pooler that keeps one of its sessions to itself for a while.
fn busy(pooler: &Pooler, database: &Database<'_>) -> Child {
    let mut psql = database.client(database.server().installation(), "psql");
    psql.env("PGPORT", pooler.port().to_string()).args(["-XqAtc", "SELECT pg_sleep(1)"]);
    psql.stdout(Stdio::null()).spawn().unwrap()
}

#[test]
fn every_session_sees_the_same_instant_while_others_write() {
    let server = Postgres::start(Installation::debian());
    let database = server.new_database("woven_ledger");
    // Each of more pages than one session reads at once; what one account loses another one has, in the other table.
    database.query(
        "CREATE TABLE one WITH (fillfactor = 50) AS SELECT i AS id, 0 AS money, repeat(md5(i::text), 30) AS filler
         FROM generate_series(1, 12000) AS i; ALTER TABLE one ADD PRIMARY KEY (id);
         CREATE TABLE two WITH (fillfactor = 50) AS TABLE one; ALTER TABLE two ADD PRIMARY KEY (id)",
    );
    let transfers = "DO $$ DECLARE giver int; taker int; BEGIN LOOP
        giver := 1 + floor(random() * 12000); taker := 1 + floor(random() * 12000);
        UPDATE one SET money = money - 1 WHERE id = giver; UPDATE two SET money = money + 1 WHERE id = taker;
        COMMIT; END LOOP; END $$";
    let mut writers: Vec<Child> = (0..2).map(|_| background(&database, transfers)).collect();
    let moved = || database.query("SELECT sum(money) FROM two").parse::<i64>().unwrap();
    wait_until("money moves", || moved() > 100);
    for _ in 0..3 {
        let before = moved();
        let (_, archive, outcome) = back_up(agent().database(&database), 3);
        outcome.mentions(TOGETHER);
        let copy = server.new_database("woven_ledger_copy");
        copy.restore(&archive);
        let sums = copy.query("SELECT (SELECT sum(money) FROM one) + (SELECT sum(money) FROM two), (SELECT count(*) FROM one), (SELECT sum(money) FROM two)");
        let (kept, last) = sums.rsplit_once('|').unwrap();
        assert_eq!(kept, "0|12000");
        assert!(last.parse::<i64>().unwrap() >= before, "older than its beginning");
        assert!(moved() > before, "nobody wrote while it was dumped");
    }
    server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'DO $$%'");
    for writer in &mut writers {
        wait_until("the writers have ended", || writer.try_wait().unwrap().is_some());
    }
}
