//! One database of a server: asking it, filling it, dumping and restoring it the plain way that Lastgood is compared with.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::password::percent_encode;
use super::{Installation, PASSWORD, Postgres, USER};
use crate::bounds::MOMENT;
use crate::process::{output, output_given, output_within, try_output};
use crate::tools::{self, succeed};

/// For ten gigabytes, made by SQL on a machine that is busy.
const LOADING: Duration = Duration::from_secs(3600);

impl Postgres {
    /// A new database whose name begins with `name` and is nobody else's. Dropped with the value.
    pub fn new_database(&self, name: &str) -> Database<'_> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        self.new_database_named(&format!("{name}_{}", NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// A new database of exactly this name, which may hold anything that PostgreSQL allows. Dropped with the value.
    pub fn new_database_named(&self, name: &str) -> Database<'_> {
        Database::create(self, name)
    }

    /// A database that something else creates, such as a restore. Dropped with the value, if it is there then.
    pub fn database(&self, name: &str) -> Database<'_> {
        Database::named(self, name)
    }

    /// The names of the databases that are there, templates excepted.
    pub fn databases(&self) -> Vec<String> {
        let names = self.query("SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1");
        names.lines().map(str::to_owned).collect()
    }

    /// What SQL answers in the database `postgres`: for what concerns the whole server.
    pub fn query(&self, sql: &str) -> String {
        query(self, USER, sql)
    }
}

/// A database; dropped with the value, whoever is connected.
pub struct Database<'a> {
    server: &'a Postgres,
    name: String,
}

impl<'a> Database<'a> {
    fn create(server: &'a Postgres, name: &str) -> Database<'a> {
        query(server, USER, &format!("CREATE DATABASE {} TEMPLATE template0", quote(name)));
        Database { server, name: name.to_owned() }
    }

    fn named(server: &'a Postgres, name: &str) -> Database<'a> {
        Database { server, name: name.to_owned() }
    }

    /// Its name as PostgreSQL has it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its server.
    pub fn server(&self) -> &'a Postgres {
        self.server
    }

    /// What SQL answers: one line a row, columns parted by `|`, without the last line's end.
    pub fn query(&self, sql: &str) -> String {
        query(self.server, &self.name, sql)
    }

    /// Creates every kind of object (`sql/everything.sql`).
    pub fn fill_with_everything(&self) {
        self.load(&tools::root().join("tests/sql/everything.sql"), &[]);
    }

    /// Creates tables and rows of about `megabytes` in a plain dump, the same ones each time (`sql/sized.sql`).
    pub fn fill_with_megabytes(&self, megabytes: u32) {
        self.load(&tools::root().join("tests/sql/sized.sql"), &[("megabytes", &megabytes.to_string())]);
    }

    /// Runs a file of SQL with psql's variables set.
    pub fn load(&self, file: &Path, variables: &[(&str, &str)]) {
        let mut psql = psql(self.server, &self.name);
        for (name, value) in variables {
            psql.arg("--set").arg(format!("{name}={value}"));
        }
        succeed(output_within(LOADING, psql.arg("--file").arg(file), None), "psql");
    }

    /// `pg_dump` of the server's version with these arguments: the plain way, which ours is compared with.
    pub fn dump(&self, arguments: &[&str]) -> Vec<u8> {
        self.dump_by(self.server.installation(), arguments)
    }

    /// `pg_dump` of another version.
    pub fn dump_by(&self, installation: &Installation, arguments: &[&str]) -> Vec<u8> {
        let mut pg_dump = self.client(installation, "pg_dump");
        succeed(output(pg_dump.args(arguments)), "pg_dump")
    }

    /// The whole database as SQL, without the lines that differ from one dump to the next: what two equal ones have in common.
    pub fn as_sql(&self) -> String {
        let sql = String::from_utf8(self.dump(&[])).expect("a dump in UTF-8");
        sql.lines().filter(|line| !is_random(line)).flat_map(|line| [line, "\n"]).collect()
    }

    /// `pg_restore` of an archive into this database, which must succeed.
    pub fn restore(&self, archive: &[u8]) {
        let mut pg_restore = self.client(self.server.installation(), "pg_restore");
        pg_restore.args(["--exit-on-error", "--dbname", &connection_string(&self.name)]);
        succeed(output_given(&mut pg_restore, archive), "pg_restore");
    }

    /// A client program that libpq's variables lead to this database.
    pub fn client(&self, installation: &Installation, program: &str) -> Command {
        let mut command = installation.program(program);
        command.envs(self.libpq_environment());
        command
    }

    /// libpq's variables for this database by TCP, the password among them.
    pub fn libpq_environment(&self) -> [(&'static str, String); 5] {
        environment(self.server, &self.name)
    }

    /// As a URL, with every special character escaped.
    pub fn url(&self) -> String {
        let (password, name) = (percent_encode(PASSWORD), percent_encode(&self.name));
        format!("postgresql://{USER}:{password}@127.0.0.1:{}/{name}", self.server.port())
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        // Of no consequence: the server itself may have been crashed on purpose, and goes in any case.
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quote(&self.name));
        let _ = try_output(MOMENT, psql(self.server, USER).args(["--command", &drop]), None);
    }
}

/// An identifier in SQL.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn query(server: &Postgres, database: &str, sql: &str) -> String {
    let output = output_given(&mut psql(server, database), sql.as_bytes());
    String::from_utf8(succeed(output, "psql")).unwrap().trim_end_matches('\n').to_owned()
}

fn psql(server: &Postgres, database: &str) -> Command {
    let mut psql = server.installation().program("psql");
    psql.envs(environment(server, database));
    psql.args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--set", "ON_ERROR_STOP=1"]);
    psql
}

pub(super) fn environment(server: &Postgres, database: &str) -> [(&'static str, String); 5] {
    [
        ("PGHOST", "127.0.0.1".into()),
        ("PGPORT", server.port().to_string()),
        ("PGUSER", USER.into()),
        ("PGPASSWORD", PASSWORD.into()),
        ("PGDATABASE", database.into()),
    ]
}

/// For `--dbname`, which libpq takes for a connection string or a URL where the name looks like one.
fn connection_string(database: &str) -> String {
    format!("dbname='{}'", database.replace('\\', r"\\").replace('\'', r"\'"))
}

/// Since August 2025 pg_dump fences its output with a random word.
fn is_random(line: &str) -> bool {
    line.starts_with(r"\restrict ") || line.starts_with(r"\unrestrict ")
}
