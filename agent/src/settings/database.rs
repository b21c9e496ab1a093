//! One database's settings: its `[[database]]` entry over what all databases share.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use catalog::shrink::Rule;
use catalog::{Policy, Thresholds};
use jiff::SignedDuration;
use postgres::libpq::{self, Variables};
use postgres::{Connection, Secret};

use super::checks::Checks;
use super::connection::{self, Places, Resolved};
use super::database_url::DrillServer;
use super::foreign::Findings;
use super::layers::{Layer, Layers, Source};
use super::read::Given;
use super::twins::Unread;
use super::{retention, table};

/// What may differ from one database to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DatabaseSettings {
    /// Its name; `None`: libpq uses the role's name, and only the server can tell.
    pub(crate) name: Option<String>,
    pub(crate) connection: Connection,
    /// How long pg_dump waits for a lock; zero: without a limit.
    pub(crate) lock_timeout: Duration,
    /// How many sessions read rows at the same time; `None`: as many as suit the machine.
    pub(crate) dump_jobs: Option<NonZeroUsize>,
    /// More options for pg_dump.
    pub(crate) dump_options: Vec<String>,
    /// The rules of `prune` for a bucket.
    pub(crate) policy: Policy,
    /// The rules of `prune` for a directory without a bucket behind it.
    pub(crate) directory_policy: Policy,
    /// After how many days local copies that are also in the bucket go.
    pub(crate) local_days: u32,
    /// The limits of `check`.
    pub(crate) thresholds: Thresholds,
    /// Whether the days since the first backup say how many there should be.
    pub(crate) counts_days: bool,
    /// Those of them that a database's mark may have, too, where they were set.
    pub(crate) limits: Limits,
    /// How old the last drill that passed may be for `check`, where drills count.
    pub(crate) max_drill_age: Option<SignedDuration>,
    pub(crate) healthcheck: Option<Secret>,
    pub(crate) healthcheck_fail: Option<Secret>,
    /// The shell command that stops what uses the database, and the one that starts it again.
    /// Where people are told.
    pub(crate) notify: Option<Secret>,
    /// Shell commands around a backup.
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) on_failure: Option<String>,
    pub(crate) stop_command: Option<String>,
    pub(crate) start_command: Option<String>,
    /// Queries that a restored database has to answer with true.
    pub(crate) checks: Option<Checks>,
    /// Where drills restore; `None`: on its own server.
    pub(crate) drill_server: Option<DrillPlace>,
    pub(crate) drill_healthcheck: Option<Secret>,
    /// Which losses of rows a backup warns of.
    pub(crate) shrink: Rule,
}

/// A place for drills that isn't the database's own server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DrillPlace {
    /// A private server.
    Temporary,
    /// Another server.
    Other(Connection),
}

impl DrillPlace {
    fn of(layers: &Layers) -> Option<Self> {
        Some(match layers.get(&table::BACKUP_DRILL_SERVER)? {
            DrillServer::Temporary => Self::Temporary,
            DrillServer::Url(url) => Self::Other(connection::another(layers, *url)),
        })
    }
}

/// Limits that were set, and are no defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) max_age_hours: Option<u32>,
    pub(crate) min_size: Option<u64>,
}

impl Limits {
    /// Whether none was set.
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    fn of(layers: &Layers) -> Self {
        let is_set = |definition| layers.set_as(definition).is_some();
        Self {
            max_age_hours: layers
                .get(&table::MAX_BACKUP_AGE_HOURS)
                .filter(|_| is_set(&table::MAX_BACKUP_AGE_HOURS.definition)),
            min_size: layers.get(&table::MIN_BACKUP_SIZE).filter(|_| is_set(&table::MIN_BACKUP_SIZE.definition)),
        }
    }
}

/// What settings of further databases are made from.
#[derive(Clone)]
pub(super) struct Sources {
    pub(super) layers: Layers,
    pub(super) entries: Vec<(Layer, Source)>,
    pub(super) home: Option<PathBuf>,
    /// Values that could not be read.
    pub(super) unread: Vec<Unread>,
    /// Whether the databases are chosen by flags.
    pub(super) is_named: bool,
}

impl fmt::Debug for Sources {
    /// The texts of secrets are in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sources")
    }
}

impl Sources {
    /// The databases that were chosen.
    pub(super) fn databases(&self, given: &Given, mistakes: &mut Vec<String>) -> Vec<DatabaseSettings> {
        if given.all_databases {
            return Vec::new();
        }
        if !given.databases.is_empty() {
            return given.databases.iter().map(|name| self.named(name)).collect();
        }
        if self.entries.is_empty() {
            return vec![self.general()];
        }
        let mut chosen: Vec<DatabaseSettings> = Vec::new();
        for (entry, source) in &self.entries {
            let settings = self.entry(entry);
            match &settings.name {
                None => mistakes.push(format!("[[database]] ({source}): db_name is missing")),
                Some(name) if chosen.iter().any(|other| other.name.as_ref() == Some(name)) => {
                    mistakes.push(format!("[[database]] ({source}): {name} is listed twice"));
                }
                Some(_) => chosen.push(settings),
            }
        }
        chosen
    }

    pub(super) fn named(&self, name: &str) -> DatabaseSettings {
        let entries = self.entries.iter().map(|(entry, _)| self.entry(entry));
        let mut settings =
            entries.into_iter().find(|entry| entry.name.as_deref() == Some(name)).unwrap_or_else(|| self.general());
        settings.connection = settings.connection.to(name);
        settings.name = Some(name.to_owned());
        settings
    }

    pub(super) fn general(&self) -> DatabaseSettings {
        DatabaseSettings::new(&self.layers, self.resolve(None, &self.layers).connection)
    }

    /// What is to be said of the places that name the server and the database.
    pub(super) fn findings(&self) -> Findings {
        self.resolve(None, &self.layers).findings
    }

    fn resolve(&self, entry: Option<&Layers>, all: &Layers) -> Resolved {
        connection::resolve(Places {
            entry,
            all,
            home: self.home.as_deref(),
            service: &|name, file| self.service(name, file),
            unread: &self.unread,
            is_named: self.is_named || !self.entries.is_empty(),
        })
    }

    fn entry(&self, entry: &Layer) -> DatabaseSettings {
        let own = Layers::new(vec![entry.clone()]);
        let all = self.layers.with_entry(entry);
        let mut settings = DatabaseSettings::new(&all, self.resolve(Some(&own), &all).connection);
        // Its name must be its own: what all databases share would name the same one twice.
        settings.name = connection::own_database(&own);
        settings
    }

    fn service(&self, name: &str, file: Option<&str>) -> Option<Variables> {
        let folder = self.layers.set("PGSYSCONFDIR").map(|found| found.text);
        libpq::service(name, &libpq::service_files(file, self.home.as_deref(), folder.as_deref()))
    }

    /// Secrets in files that can't be read, where they are needed. Those of a database's address are judged with it.
    pub(super) fn unread_mistakes(&self) -> Vec<String> {
        let has_bucket = self.layers.get(&table::BACKUP_S3_BUCKET).is_some();
        let ours =
            self.unread.iter().filter(|unread| table::ALL.iter().any(|definition| definition.name == unread.base));
        let others = ours.filter(|unread| !connection::is_part(&unread.base));
        let needed = others.filter(|unread| self.layers.set(&unread.base).is_none());
        let needed = needed.filter(|unread| has_bucket || !unread.base.contains("AWS_"));
        needed.map(|unread| format!("{} ({}): {}", unread.name, unread.source, unread.complaint)).collect()
    }

    pub(super) fn entry_mistakes(&self) -> Vec<String> {
        self.entries.iter().flat_map(|(entry, _)| Layers::new(vec![entry.clone()]).mistakes()).collect()
    }
}

impl DatabaseSettings {
    /// Texts that are wrong are among the mistakes already, so that their numbers here are never used.
    fn new(layers: &Layers, connection: Connection) -> Self {
        let count = |setting| layers.get(setting).unwrap_or_default();
        let min_count = layers.get(&table::MIN_BACKUP_COUNT);
        let min_count = min_count.map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        Self {
            name: connection.get("PGDATABASE").or_else(|| connection.get("PGUSER")).map(str::to_owned),
            connection,
            lock_timeout: layers.get(&table::BACKUP_LOCK_TIMEOUT).unwrap_or_default(),
            dump_jobs: layers
                .get(&table::BACKUP_JOBS)
                .and_then(|jobs| NonZeroUsize::new(usize::try_from(jobs).unwrap_or(usize::MAX))),
            dump_options: layers.get(&table::BACKUP_PG_DUMP_OPTIONS).unwrap_or_default(),
            policy: retention::bucket(layers),
            directory_policy: retention::directory(layers),
            local_days: count(&table::BACKUP_RETENTION_DAYS),
            thresholds: Thresholds {
                max_age: SignedDuration::from_hours(count(&table::MAX_BACKUP_AGE_HOURS).into()),
                min_size: layers.get(&table::MIN_BACKUP_SIZE),
                min_count: min_count.unwrap_or_default(),
            },
            counts_days: min_count.is_none(),
            limits: Limits::of(layers),
            max_drill_age: layers
                .get(&table::BACKUP_MAX_DRILL_AGE)
                .map(|hours| SignedDuration::from_hours(hours.into())),
            healthcheck: layers.get(&table::BACKUP_HEALTHCHECK_URL),
            healthcheck_fail: layers.get(&table::BACKUP_HEALTHCHECK_FAIL_URL),
            notify: layers.get(&table::BACKUP_NOTIFY_URL),
            before: layers.get(&table::BACKUP_BEFORE),
            after: layers.get(&table::BACKUP_AFTER),
            on_failure: layers.get(&table::BACKUP_ON_FAILURE),
            stop_command: layers.get(&table::RESTORE_STOP_COMMAND),
            start_command: layers.get(&table::RESTORE_START_COMMAND),
            checks: layers.get(&table::RESTORE_CHECKS),
            drill_server: DrillPlace::of(layers),
            drill_healthcheck: layers.get(&table::BACKUP_DRILL_HEALTHCHECK_URL),
            shrink: Rule {
                percent: count(&table::BACKUP_SHRINK_PERCENT),
                except: layers.get(&table::BACKUP_SHRINK_EXCEPT).unwrap_or_default(),
            },
        }
    }
}
