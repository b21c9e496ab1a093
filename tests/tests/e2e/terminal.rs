//! What only a terminal gets: colours, and how much of a dump is left.

use e2e::postgres::Postgres;
use e2e::proxy::{Fault, Proxy};

use crate::width::at_terminal;
use e2e::past::{agent, days_ago, put_in_directory};

const ESCAPE: char = '\u{1b}';

#[test]
fn colours_come_where_a_terminal_takes_them_and_say_nothing_alone() {
    let folder = tempfile::tempdir().unwrap();
    put_in_directory(folder.path(), "app", days_ago(3));
    let agent = || agent().setting("DB_NAME", "app").directory(folder.path());
    let coloured = at_terminal(&agent().setting("TERM", "xterm"), &["check"], "2>/dev/null");
    assert!(coloured.contains("\u{1b}[31mUNHEALTHY\u{1b}[0m: app"), "{coloured}");
    let error = at_terminal(&agent().setting("TERM", "xterm"), &["show", "app_backup_none"], ">/dev/null");
    assert!(error.contains("\u{1b}[31merror:\u{1b}[0m "), "{error}");
    let plain = at_terminal(&agent().setting("TERM", "xterm").setting("NO_COLOR", "1"), &["check"], "2>/dev/null");
    let bare = coloured.replace("\u{1b}[31m", "").replace("\u{1b}[0m", "");
    // Its ages may be a second older.
    assert_eq!(plain.lines().count(), bare.lines().count());
    assert!(plain.contains("UNHEALTHY: app") && !plain.contains(ESCAPE), "{plain}");
    let dumb = at_terminal(&agent().setting("TERM", "dumb"), &["check"], "2>/dev/null");
    assert!(!dumb.contains(ESCAPE), "{dumb}");
    let piped = agent().setting("TERM", "xterm").run(&["check"]).exits(6);
    assert!(!piped.stdout.contains(ESCAPE), "{piped}");
}

#[test]
fn a_backup_says_how_much_is_left_by_the_last_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = Postgres::shared();
    let database = server.new_database("left");
    database.fill_with_megabytes(3);
    let proxy = Proxy::start(&format!("127.0.0.1:{}", server.port()));
    let port = proxy.address().port().to_string();
    let agent = agent().database(&database).database_at(&port, database.name()).directory(folder.path());
    let agent = agent.setting("TERM", "xterm").setting("BACKUP_JOBS", "1").setting("BACKUP_GLOBALS", "false");
    proxy.set(Fault::Rate(1_500_000));
    let first = at_terminal(&agent, &["backup"], ">/dev/null");
    assert!(first.contains(" dumped") && !first.contains("of about"), "{first:?}");
    let second = at_terminal(&agent, &["backup"], ">/dev/null");
    assert!(second.contains("of about") && second.contains(" left"), "{second:?}");
}
