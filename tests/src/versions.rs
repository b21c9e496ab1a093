//! Which client programs make and restore backups of which server, onto which: tried, and written into docs/restore.md.

use crate::agent::Agent;
use crate::old_archives::{RELEASES, Relic};
use crate::postgres::{Installation, Postgres};

/// Where the tables are.
pub const PAGE: &str = "docs/restore.md";
/// What stands before them.
pub const BEGIN: &str = "<!-- versions: written by `make matrix` -->\n";
/// And behind them.
pub const END: &str = "<!-- versions: end -->";

/// What came of one try, in a word.
fn outcome(agent: &Agent, arguments: &[&str]) -> &'static str {
    match agent.run(arguments).code {
        Some(0) => "ok",
        Some(2) => "refused",
        _ => "BAD",
    }
}

/// Both tables, from real runs.
pub fn tables() -> String {
    let servers: Vec<Postgres> = Installation::all().into_iter().map(Postgres::start).collect();
    format!("{}\n{}", matrix(&servers), archives(&servers))
}

/// Server × client × target.
fn matrix(servers: &[Postgres]) -> String {
    let majors: Vec<u32> = servers.iter().map(|server| server.installation().major()).collect();
    let heads: String = majors.iter().map(|major| format!(" onto {major} |")).collect();
    let mut table =
        format!("| server | client programs | backup |{heads}\n|---|---|---|{}\n", "---|".repeat(majors.len()));
    for source in servers {
        let database = source.new_database("matrix");
        // Extensions are not in every installation.
        database.fill_with_megabytes(1);
        for client in Installation::all() {
            let folder = tempfile::tempdir().unwrap();
            let only = |agent: Agent| {
                agent.directory(folder.path()).setting("PG_BIN_DIR", client.programs().display().to_string())
            };
            let backup = outcome(&only(Agent::new().database(&database)), &["backup"]);
            let targets = servers.iter().map(|target| {
                let copy = target.database(&format!("{}_copy", database.name()));
                let agent = only(Agent::new().database(&copy)).setting("DB_NAME", database.name());
                match backup {
                    "ok" => outcome(&agent, &["restore", "latest", "--into", copy.name(), "--confirm"]),
                    _ => "–",
                }
            });
            let targets: String = targets.map(|word| format!(" {word} |")).collect();
            let (of, by) = (source.installation().major(), client.major());
            table.push_str(&format!("| {of} | {by} | {backup} |{targets}\n"));
        }
    }
    table
}

/// Archives of versions that aren't here × client programs, onto the newest server.
fn archives(servers: &[Postgres]) -> String {
    let target = servers.last().unwrap();
    let clients = Installation::all();
    let heads: String = clients.iter().map(|client| format!(" pg_restore {} |", client.major())).collect();
    let mut table = format!("| archive of pg_dump | format |{heads}\n|---|---|{}\n", "---|".repeat(clients.len()));
    for release in RELEASES {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), release.archive("old", Relic::None)).unwrap();
        let words = clients.iter().map(|client| {
            let copy = target.database("old_copy");
            let agent = Agent::new().database(&copy).setting("PG_BIN_DIR", client.programs().display().to_string());
            outcome(
                &agent,
                &["restore", "--backup-file", file.path().to_str().unwrap(), "--into", copy.name(), "--confirm"],
            )
        });
        let words: String = words.map(|word| format!(" {word} |")).collect();
        table.push_str(&format!("| {} | {} |{words}\n", release.version, release.format()));
    }
    table
}
