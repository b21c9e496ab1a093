//! Archives of every PostgreSQL since 9.0: of those that can't be installed here, a writer of ours makes them.

use std::process::Command;

use archive::Walk;
use e2e::old_archives::{LARGE_OBJECT, RELEASES, ROWS, Release, Relic};
use e2e::postgres::Installation;
use e2e::process::output_given;
use e2e::tools::root;
use e2e::versions::{BEGIN, END, PAGE};

use super::Scene;

/// The rows as they are asked for.
const SELECT: &str = "SELECT id, coalesce(note, 'NULL'), twice(id) FROM orders ORDER BY 1";
const ROWS_ASKED: &str = "1|one|2\n2|NULL|4\n3|three \\. dots|6";

fn judged_by_others(release: &Release, archive: &[u8]) {
    let mut walk = Walk::new();
    walk.feed(archive).unwrap_or_else(|damage| panic!("{}: {damage}", release.version));
    let walked = walk.finish().unwrap_or_else(|damage| panic!("{}: {damage}", release.version));
    assert_eq!(walked.census.tables[0].rows, Some(3), "{}", release.version);
    assert_eq!(walked.census.large_objects.bytes, LARGE_OBJECT.1.len() as u64, "{}", release.version);
    // libpgdump has a third opinion, and offsets of eight bytes alone.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), archive).unwrap();
    if let Ok(dump) = libpgdump::load(file.path()) {
        let rows = dump.entry_data(16).unwrap();
        assert_eq!(rows, format!("{ROWS}\\.\n\n\n").as_bytes(), "{}", release.version);
    } else {
        assert_eq!(release.version, "9.0.23", "libpgdump does not read it");
    }
    let newest = Installation::eighteen();
    let list = output_given(Command::new(newest.programs().join("pg_restore")).arg("--list"), archive);
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert!(list.contains("TABLE DATA public orders postgres"), "{}: {list}", release.version);
}

#[test]
fn archives_of_every_version_come_back_with_every_row() {
    let scene = Scene::new("shop");
    let (server, name) = (scene.database.server(), scene.database.name().to_owned());
    let newest = Installation::eighteen();
    let agent = scene.agent.programs_of(&newest);
    for release in RELEASES {
        let archive = release.archive(&name, Relic::None);
        judged_by_others(&release, &archive);
        let by_hand = server.new_database("by_hand");
        let mut pg_restore = by_hand.client(&newest, "pg_restore");
        let script = output_given(pg_restore.args(["--file=-"]), &archive);
        assert!(script.status.success(), "{}: {}", release.version, String::from_utf8_lossy(&script.stderr));
        let file = scene.folder.path().join(release.version);
        std::fs::write(&file, &archive).unwrap();
        let run = agent.run(&["restore", "--backup-file", file.to_str().unwrap(), "--confirm"]).succeeds();
        run.mentions(release.version).mentions("1 table, 3 rows");
        assert_eq!(scene.database.query(SELECT), ROWS_ASKED, "{}", release.version);
        assert_eq!(scene.database.query("SELECT nextval('orders_id_seq')"), "4", "{}", release.version);
        let (oid, content) = LARGE_OBJECT;
        let read = scene.database.query(&format!("SELECT encode(lo_get({oid}), 'escape')"));
        assert_eq!(read.replace("\\\\", "\\"), String::from_utf8_lossy(content).trim_end(), "{}", release.version);
        agent.run(&["restore", "--drop-old", "--confirm"]).succeeds();
    }
    let file = scene.folder.path().join("9.6.6");
    agent
        .run(&["restore", "--backup-file", file.to_str().unwrap(), "--in-place", "--skip-backup", "--confirm"])
        .succeeds();
    assert_eq!(scene.database.query(SELECT), ROWS_ASKED);
}

/// Half way through is too late: each is named in the plan, with what to do on the server that was dumped.
#[test]
fn what_later_servers_have_no_more_is_refused_beforehand() {
    let scene = Scene::backed_up("relics");
    let release = RELEASES.iter().find(|release| release.version == "9.6.24").unwrap();
    let relics = [
        (Relic::Oids, "tables WITH OIDS", "ALTER TABLE public.orders SET WITHOUT OIDS"),
        (Relic::Column("abstime"), "TABLE orders uses abstime", "ALTER TABLE … ALTER COLUMN"),
        (Relic::Opaque, "uses opaque", "its real type"),
        (Relic::Aggregate, "anycompatiblearray since PostgreSQL 14", "drop the aggregate on the old server"),
    ];
    for (relic, what, remedy) in relics {
        let file = scene.folder.path().join("relic");
        std::fs::write(&file, release.archive(scene.database.name(), relic)).unwrap();
        let run = scene.agent.run(&["restore", "--backup-file", file.to_str().unwrap(), "--dry-run"]).exits(1);
        run.mentions(what).mentions(remedy);
    }
    assert_eq!(scene.rows(), "10");
    assert_eq!(scene.beside().len(), 0);
}

/// `make matrix` writes it; what a version may and may not do is a rule.
#[test]
fn the_table_of_versions_has_every_version_and_says_what_is_so() {
    let page = std::fs::read_to_string(root().join(PAGE)).unwrap();
    let table = page.split_once(BEGIN).unwrap().1.split_once(END).unwrap().0;
    assert!(!table.contains("BAD"), "{table}");
    let majors: Vec<u32> = Installation::all().iter().map(Installation::major).collect();
    for (server, client) in majors.iter().flat_map(|server| majors.iter().map(move |client| (server, client))) {
        let backup = if client < server { "refused" } else { "ok" };
        let onto = if client < server { " – |" } else { " ok |" }.repeat(majors.len());
        let row = format!("| {server} | {client} | {backup} |{onto}");
        assert!(table.contains(&row), "no {row}");
    }
    for release in RELEASES {
        let words = majors.iter().map(|client| if *client < release.major() { " refused |" } else { " ok |" });
        let row = format!("| {} | {} |{}", release.version, release.format(), words.collect::<String>());
        assert!(table.contains(&row), "no {row}");
    }
}
