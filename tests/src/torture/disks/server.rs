//! The server's disk: full, by a limit on the length of its files, while a backup is restored into it.

use std::mem::ManuallyDrop;

use crate::agent::Outcome;
use crate::bounds::wait_until;
use crate::past;
use crate::postgres::{Installation, Postgres};
use crate::torture::case::{Case, Family};
use crate::torture::ground::{is_named, last_words};
use crate::torture::verdict::{Told, Verdict, lost, silent};

/// Bytes that no file of the server may exceed: less than its log's files have, and less than the table has.
const LIMITS: [(&str, u64); 2] = [("log-full", 8_192), ("table-full", 20_000_000)];
/// 40 MB in the table's file.
const ROWS: &str = "CREATE TABLE t AS SELECT n, repeat(md5(n::text), 20) AS text FROM generate_series(1, 60000) AS n";

pub(super) fn cases() -> Vec<Case> {
    let case = |(name, limit)| Case {
        family: Family::Disks,
        name: format!("disks/restore/server/{name}"),
        waits: false,
        act: Box::new(move || strike(limit)),
    };
    LIMITS.into_iter().map(case).collect()
}

/// Restores into a server that has no room, and then into the same one with room.
fn strike(limit: u64) -> Told {
    let mut server = Postgres::start(Installation::debian());
    // It goes with its server.
    let source = ManuallyDrop::new(server.new_database("source"));
    source.query(ROWS);
    let content = source.as_sql();
    let folder = tempfile::tempdir().unwrap();
    let agent = past::agent().database(&source).directory(folder.path());
    agent.run(&["backup"]).succeeds();
    let arguments = ["restore", "latest", "--into", "restored", "--confirm"];
    server.limit_files(Some(limit));
    let outcome = agent.run(&arguments);
    server.limit_files(None);
    what_was_said(&outcome, &server);
    // A server that cannot write while it recovers from its crash gives up: its administrator makes room and starts it.
    server.recover();
    wait_until("the server takes sessions", || server.answers());
    let again = agent.run(&arguments);
    if again.code != Some(0) || server.database("restored").as_sql() != content {
        lost(&format!("with room again it doesn't come back\n{again}\nafter\n{outcome}"));
    }
    Told { verdict: Verdict::Failed, said: last_words(&outcome) }
}

fn what_was_said(outcome: &Outcome, server: &Postgres) {
    let names = ["file too large", "no space", "could not extend", "could not write", "server"];
    let said = outcome.stderr.to_lowercase();
    match outcome.code {
        Some(0) => silent(&format!("it says that it is restored where there was no room\n{outcome}")),
        Some(1) if is_named(outcome) && names.iter().any(|word| said.contains(word)) => {}
        _ => silent(&format!("nothing names the fault\n{outcome}\n{}", server.log())),
    }
}
