//! The stage of one trial: roles and a database of names that no other trial has, and their removal.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::case::{Case, Role};
use super::ground::Ground;
use super::plan::Trial;
use super::psql::{ask, connected, feed};
use crate::agent::Agent;
use crate::postgres::{Installation, PASSWORD, Postgres, USER};
use crate::tools;

/// A database as the case makes it, on the server that it comes from.
pub(super) struct Scene<'a> {
    pub(super) trial: &'a Trial<'a>,
    pub(super) server: Arc<Postgres>,
    /// Where it is restored: the same, or the bare one.
    pub(super) target: Arc<Postgres>,
    /// Every name of this trial begins with it: it is the database's.
    pub(super) name: String,
    folder: tempfile::TempDir,
}

impl<'a> Scene<'a> {
    pub(super) fn new(ground: &Ground, trial: &'a Trial<'a>) -> Scene<'a> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("w{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let server = ground.server(trial.case, trial.version, false);
        let bare = trial.case.about.bare_version.unwrap_or(trial.version);
        let target = if trial.is_bare() { ground.server(trial.case, bare, true) } else { Arc::clone(&server) };
        let folder = tempfile::Builder::new().prefix("lastgood-wild-").tempdir().unwrap();
        Scene { trial, server, target, name, folder }
    }

    /// Makes roles and database, and runs `server.sql`, `setup.sql` and `setup.sh`.
    pub(super) fn set(&self) -> Result<(), String> {
        self.make_roles(&self.server, &["owner", "admin", "reader", "app"])?;
        self.own_folder()?;
        let create = &self.case().about.create;
        ask(
            &self.server,
            USER,
            &self.named(&format!("CREATE DATABASE @db@ OWNER @owner@ TEMPLATE template0 {create}")),
        )?;
        if let Some(sql) = self.case().text("server.sql") {
            ask(&self.server, USER, &self.named(sql))?;
        }
        if let Some(sql) = self.case().text("setup.sql") {
            ask(&self.server, &self.name, &self.named(sql))?;
        }
        match self.case().program() {
            Some(program) => self.run(&program),
            None => Ok(()),
        }
    }

    /// A program of the case: the superuser's connection in libpq's variables, where the server's programs are, and a folder
    /// that the server may read.
    fn run(&self, program: &Path) -> Result<(), String> {
        let mut command = connected(Command::new("bash"), &self.server, (USER, &self.name));
        command.arg(program).env("PROGRAMS", self.server.installation().programs());
        command.env("OWNER", self.named("@owner@")).env("ROOT", tools::root()).env("FOLDER", self.tablespace());
        feed(command, b"").map(drop)
    }

    /// The restoring role alone, and an empty database for one that may not create any, as a hoster gives it.
    pub(super) fn set_bare(&self) -> Result<(), String> {
        match self.trial.role {
            Role::Superuser => return Ok(()),
            Role::Admin => self.make_roles(&self.target, &["admin"])?,
            Role::Createdb | Role::Owner | Role::Reader => self.make_roles(&self.target, &["owner"])?,
        }
        if self.trial.role == Role::Owner {
            ask(&self.target, USER, &self.named("CREATE DATABASE @db@ OWNER @owner@ TEMPLATE template0"))?;
        }
        Ok(())
    }

    fn make_roles(&self, server: &Postgres, roles: &[&str]) -> Result<(), String> {
        let creates = matches!(self.trial.role, Role::Createdb | Role::Reader);
        let password = format!("LOGIN PASSWORD '{}'", PASSWORD.replace('\'', "''"));
        let mut sql = String::from("SET standard_conforming_strings = on;\n");
        for role in roles {
            let rights = match *role {
                "owner" if creates => format!("{password} CREATEDB"),
                "owner" | "reader" => password.clone(),
                "admin" => format!("{password} CREATEDB CREATEROLE"),
                _ => "NOLOGIN".to_owned(),
            };
            sql.push_str(&format!("CREATE ROLE @{role}@ {rights};\n"));
        }
        if roles.contains(&"reader") {
            sql.push_str("GRANT @owner@ TO @admin@; GRANT pg_read_all_data TO @reader@;\n");
        }
        ask(server, USER, &self.named(&sql)).map(drop)
    }

    /// For a tablespace, which the server's user must own.
    fn own_folder(&self) -> Result<(), String> {
        let folder = self.server.socket_directory();
        let owner = std::fs::metadata(folder.join("data")).unwrap();
        use std::os::unix::fs::MetadataExt;
        std::fs::create_dir(self.tablespace()).unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(self.tablespace(), Some(owner.uid()), Some(owner.gid())).unwrap();
        }
        Ok(())
    }

    fn tablespace(&self) -> PathBuf {
        self.server.socket_directory().join(format!("space_{}", self.name))
    }

    /// The text with this trial's names in the places of `@db@`, `@owner@` and so on.
    pub(super) fn named(&self, text: &str) -> String {
        let space = self.tablespace().display().to_string();
        let mut named = text.replace("@db@", &self.name).replace("@folder@", &space);
        for role in ["owner", "admin", "reader", "app"] {
            named = named.replace(&format!("@{role}@"), &format!("{}_{role}", self.name));
        }
        named
    }

    pub(super) fn case(&self) -> &'a Case {
        self.trial.case
    }

    /// `lastgood` as the role that backs up.
    pub(super) fn backup_agent(&self) -> Agent {
        let role = self.case().about.backup_as.unwrap_or(self.trial.role);
        let user = if role == Role::Reader { self.named("@reader@") } else { self.user(role) };
        self.agent(&self.server, &user)
    }

    /// `lastgood` as the role that restores.
    pub(super) fn restore_agent(&self) -> Agent {
        let mark = self.stop_mark();
        let agent = self.agent(&self.target, &self.user(self.trial.role));
        agent.setting("RESTORE_STOP_COMMAND", format!("touch {}", mark.display()))
    }

    /// The file that is there once services were stopped.
    pub(super) fn stop_mark(&self) -> PathBuf {
        self.folder.path().join("stopped")
    }

    /// Where backups go.
    pub(super) fn backups(&self) -> PathBuf {
        self.folder.path().join("backups")
    }

    fn agent(&self, server: &Postgres, user: &str) -> Agent {
        let backups = self.backups();
        std::fs::create_dir_all(&backups).unwrap();
        let agent = Agent::new().database_at(&server.port().to_string(), &self.name).setting("DB_USER", user);
        let agent = agent.programs_of(self.programs(server)).directory(&backups);
        let settings = self.case().about.settings.iter();
        settings.fold(agent, |agent, (name, value)| agent.setting(name, self.named(value)))
    }

    /// Client programs as new as both servers: who moves to another version has those.
    pub(super) fn programs<'b>(&'b self, server: &'b Postgres) -> &'b Installation {
        let both = [self.server.installation(), self.target.installation()];
        if both[0].major() == both[1].major() {
            server.installation()
        } else {
            both.into_iter().max_by_key(|one| one.major()).unwrap()
        }
    }

    /// Who restores.
    pub(super) fn user(&self, role: Role) -> String {
        match role {
            Role::Superuser => USER.to_owned(),
            Role::Createdb | Role::Owner | Role::Reader => self.named("@owner@"),
            Role::Admin => self.named("@admin@"),
        }
    }

    /// The databases of this trial on a server.
    pub(super) fn databases(&self, server: &Postgres) -> Vec<String> {
        let sql = format!("SELECT datname FROM pg_database WHERE datname ~ '^{}(_|$)' ORDER BY 1", self.name);
        ask(server, USER, &sql).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Removes all that begins with the name, on both servers.
    fn clear(&self) {
        if let Some(sql) = self.case().text("clean.sql") {
            let _ = ask(&self.server, USER, &self.named(sql));
        }
        for server in [&self.server, &self.target] {
            for database in self.databases(server) {
                drop_database(server, &database);
            }
            let _ = ask(server, USER, &CLEAR.replace("NAME", &self.name));
        }
    }
}

impl Drop for Scene<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Tablespaces and roles by name; what a role has in `postgres` goes with it.
const CLEAR: &str =
    "SELECT format('DROP TABLESPACE %I', spcname) FROM pg_tablespace WHERE spcname ~ '^NAME(_|$)' \\gexec
SELECT format('DROP OWNED BY %I', rolname) FROM pg_roles WHERE rolname ~ '^NAME(_|$)' \\gexec
SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname ~ '^NAME(_|$)' \\gexec";

/// Drops a database with whatever holds it: it may be a template, subscribe, and have slots.
pub(super) fn drop_database(server: &Postgres, database: &str) {
    let open = format!("ALTER DATABASE \"{database}\" WITH IS_TEMPLATE false ALLOW_CONNECTIONS true");
    let _ = ask(server, USER, &open);
    let subscriptions = "SELECT format('ALTER SUBSCRIPTION %1$I DISABLE', subname) FROM pg_subscription
            WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) \\gexec
        SELECT format('ALTER SUBSCRIPTION %1$I SET (slot_name = NONE)', subname) FROM pg_subscription
            WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) \\gexec
        SELECT format('DROP SUBSCRIPTION %1$I', subname) FROM pg_subscription
            WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) \\gexec";
    let _ = ask(server, database, subscriptions);
    let slots =
        format!("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '{database}'");
    let _ = ask(server, USER, &slots);
    let _ = ask(server, USER, &format!("DROP DATABASE IF EXISTS \"{database}\" WITH (FORCE)"));
}
