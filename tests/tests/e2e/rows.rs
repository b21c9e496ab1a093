//! `lastgood rows`: what it prints of a backup is what the living table says.

mod charsets;
mod formats;
mod guests;
mod parts;
mod refusals;
mod spellings;

use std::process::Command;

use e2e::agent::Agent;
use e2e::postgres::Installation;
use e2e::process;

use crate::scene::Scene;

impl Scene<'_> {
    /// What `rows` prints of the newest backup, which it must.
    #[track_caller]
    fn printed(&self, arguments: &[&str]) -> String {
        self.agent.run(&[&["rows"], arguments].concat()).succeeds().stdout
    }

    /// What a query answers, byte by byte.
    fn answer(&self, sql: &str) -> String {
        let mut psql = self.database.client(&Installation::debian(), "psql");
        psql.env("PGCLIENTENCODING", "UTF8").env("PGTZ", "UTC");
        let output = process::output(psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql]));
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The tables of all schemas that have rows of their own or of partitions: each `SCHEMA.NAME`, its name in SQL, and the columns
    /// that a dump has.
    fn tables(&self) -> Vec<(String, String, String)> {
        let separator = "\u{1}";
        let listed = self.answer(&format!(
            "SELECT n.nspname || '.' || c.relname || '{separator}' || format('%I.%I', n.nspname, c.relname) || '{separator}'
                || coalesce((SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''), '') || '\u{2}'
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY 1"
        ));
        let rows = listed.split('\u{2}').map(|row| row.trim_start_matches('\n')).filter(|row| !row.is_empty());
        let parts = rows.map(|row| row.split('\u{1}').map(str::to_owned).collect::<Vec<_>>());
        parts.map(|parts| <[String; 3]>::try_from(parts).unwrap().into()).collect()
    }
}

fn sorted(lines: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    let mut lines: Vec<String> = lines.into_iter().map(Into::into).collect();
    lines.sort();
    lines
}

/// The rows of a document of `--json`, each on its line.
fn documents(json: &str) -> Vec<String> {
    assert!(serde_json::from_str::<Vec<serde_json::value::Value>>(json).is_ok() || json.contains("1e400"), "{json}");
    sorted(json.lines().filter(|line| line.starts_with('{')).map(|line| line.trim_end_matches(',')))
}

/// A key of age, and whom it is for.
fn age_key(agent: &Agent) -> (String, String) {
    let identity = agent.home().join("key.txt");
    assert!(process::output(Command::new("age-keygen").arg("-o").arg(&identity)).status.success());
    let key = std::fs::read_to_string(&identity).unwrap();
    let recipient = key.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap().to_owned();
    (identity.to_str().unwrap().to_owned(), recipient)
}
