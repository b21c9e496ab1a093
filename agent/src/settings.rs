//! Every setting, its value and where it came from.
//!
//! `table` declares each setting once. `read` gathers what was given, `layers` decides which place wins, and [`Settings`] is
//! the outcome in plain types. All mistakes are reported at once, each with its place. `connection` finds a database's address part by
//! part, and `foreign` has the names under which other programs keep it; `dialects` has the files that show what comes of them.

mod address;
mod bucket;
mod checks;
mod connection;
mod database;
mod database_url;
mod definition;
#[cfg(test)]
mod dialects;
#[cfg(test)]
mod document;
mod env_file;
mod foreign;
mod form;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod layers;
mod names;
mod read;
mod retention;
mod table;
mod taken;
mod toml_file;
mod twins;

use std::path::{Path, PathBuf};
use std::time::Duration;

use postgres::{Connection, Tools};
use repository::BucketSettings;

pub(crate) use bucket::store;
pub(crate) use database::{DatabaseSettings, DrillPlace, Limits};
pub(crate) use definition::{Definition, Section};
pub(crate) use env_file::line as env_line;
pub(crate) use foreign::names as foreign_names;
pub(crate) use form::{AGE, Compression, DATABASE_URL, NotifyOn, SIZE, Verify};
pub(crate) use layers::{Layers, Source, has_login};
pub(crate) use names::{is_secret, numbered};
pub(crate) use read::{Given, Read, STATE, read};
pub(crate) use table::ALL;
pub(crate) use taken::{complaint, of_env_file};

pub(crate) use names::is_read;

use crate::answers::failure::{Exit, Failure};
use crate::answers::report::Report;
use database::Sources;
use definition::Setting;
use read::Hidden;

/// The folder of local backups when neither `BACKUP_DIR` nor a bucket is set.
const DIRECTORY: &str = "/var/backups/lastgood";

/// What a command works with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The databases that were chosen: by `--database`, else the `[[database]]` entries, else the one of `DB_*`. Empty with
    /// `--all-databases`: [`Settings::database`] then answers for each that the server names.
    pub(crate) databases: Vec<DatabaseSettings>,
    /// `--all-databases`.
    pub(crate) all_databases: bool,
    /// The folder of local backups; `None`: backups go to a bucket alone.
    pub(crate) directory: Option<PathBuf>,
    /// The buckets, in the order of their numbers: the first one governs. Empty: backups stay in the directory.
    pub(crate) buckets: Vec<BucketSettings>,
    /// How long in all a dump waits for a place that is slower than the others; `None`: as long as it would have taken without it.
    pub(crate) slow_place_wait: Option<Duration>,
    /// After how many days the bucket moves an archive to Glacier; `None`: never.
    pub(crate) glacier_days: Option<u32>,
    /// The label of a named backup.
    pub(crate) name: Option<String>,
    pub(crate) compression: Compression,
    /// `None`: the compression's usual level.
    pub(crate) compression_level: Option<i32>,
    /// How far a backup steps back for others, as `nice` has it.
    pub(crate) nice: u32,
    pub(crate) verify: Verify,
    /// After how many days `verify --all` reads what is intact again; `None`: never.
    pub(crate) reverify_days: Option<u32>,
    /// The age keys that archives are encrypted for; empty: not encrypted.
    pub(crate) recipients: Vec<age::x25519::Recipient>,
    /// Whether the server's roles and tablespaces are stored beside each archive.
    pub(crate) globals: bool,
    /// Whether the roles' passwords are stored with them.
    pub(crate) globals_passwords: bool,
    /// Whether an index is stored beside each archive.
    pub(crate) index: bool,
    /// How many stored bytes lie between two places from which an archive can be verified in parts; `None`: no places are stored.
    pub(crate) link_size: Option<u64>,
    /// The age key that decrypts.
    pub(crate) identity_file: Option<PathBuf>,
    /// The folder of PostgreSQL's programs; `None`: look for them.
    program_directory: Option<PathBuf>,
    /// The folder of the lock files.
    pub(crate) lock_directory: PathBuf,
    /// Where rows may wait during a restore.
    pub(crate) spool_directory: PathBuf,
    /// The file that `--env-file` or `--config` names, whole; empty without either.
    pub(crate) own_file: String,
    /// Where is remembered what people were told.
    pub(crate) state_directory: PathBuf,
    pub(crate) notify_on: NotifyOn,
    pub(crate) logs: LogFiles,
    pub(crate) report: Report,
    /// What is doubtful but not wrong, one line each.
    pub(crate) warnings: Vec<String>,
    /// What was left out because it means nothing here, for `-v`.
    pub(crate) remarks: Vec<String>,
    sources: Sources,
}

/// The log file of each command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogFiles {
    pub(crate) backup: LogFile,
    pub(crate) restore: LogFile,
    pub(crate) verify: LogFile,
}

/// Where log lines go besides stderr.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogFile {
    pub(crate) path: PathBuf,
    /// Whether it was set; otherwise it is the default, which not every user can write to.
    pub(crate) is_set: bool,
}

impl LogFile {
    fn of(layers: &Layers, setting: &Setting<PathBuf>) -> Option<Self> {
        Some(Self { path: layers.get(setting)?, is_set: layers.set_as(&setting.definition).is_some() })
    }
}

impl Settings {
    /// Reads every place and checks every value.
    ///
    /// # Errors
    /// Exit 2 with all mistakes, one line and one place each.
    pub(crate) fn load(given: &Given, report: Report) -> Result<Self, Failure> {
        let read = read(given);
        let is_closed = read.is_closed;
        let (settings, mistakes) = Self::judge(given, read, report);
        settings.filter(|_| mistakes.is_empty()).ok_or_else(|| match refuse(&mistakes) {
            refusal if is_closed => {
                refusal.hint("run it with sudo: only the file's owner may read it, because it may hold passwords")
            }
            refusal => refusal,
        })
    }

    /// The settings, where they are whole, and everything that is wrong with what was given.
    pub(crate) fn judge(given: &Given, read: Read, report: Report) -> (Option<Self>, Vec<String>) {
        let Read { layers, entries, mut mistakes, mut warnings, unread, hidden, .. } = read;
        mistakes.extend(layers.mistakes());
        warnings.extend(hidden.iter().map(|hidden| tell(hidden, &layers)));
        let is_named = given.all_databases || !given.databases.is_empty();
        let home = given.home.clone();
        let sources = Sources { layers, entries, home, unread, is_named };
        mistakes.extend(sources.entry_mistakes());
        mistakes.extend(sources.unread_mistakes());
        let findings = sources.findings();
        mistakes.extend(findings.mistakes);
        warnings.extend(findings.warnings);
        let databases = sources.databases(given, &mut mistakes);
        let recipients = recipients(&sources.layers, &mut mistakes);
        mistakes.extend(open_passwords(&sources.layers, &recipients));
        let buckets = bucket::resolve(&sources.layers, &mut mistakes);
        let parts = Parts { databases, recipients, buckets, warnings, remarks: findings.remarks };
        (assemble(sources, given, parts, report), mistakes)
    }

    /// The settings for one database of the server: its `[[database]]` entry's, else those of all.
    pub(crate) fn database(&self, name: &str) -> DatabaseSettings {
        self.sources.named(name)
    }

    /// Whether neither a database nor a place for backups is set anywhere.
    pub(crate) fn are_none(&self) -> bool {
        let layers = &self.sources.layers;
        let has_place = !self.buckets.is_empty() || layers.get(&table::BACKUP_DIR).is_some();
        let is_named = |database: &DatabaseSettings| {
            database.name.is_some()
                || ["PGHOST", "PGSERVICE"].iter().any(|name| database.connection.get(name).is_some())
        };
        !has_place && !self.all_databases && !self.databases.iter().any(is_named)
    }

    /// How long a store or a server that cannot answer now is waited for.
    pub(crate) fn retry_budget(&self) -> Duration {
        let minutes = self.sources.layers.get(&table::BACKUP_RETRY_MINUTES).unwrap_or_default();
        Duration::from_secs(60 * u64::from(minutes))
    }

    /// The server of this URL, which was typed, and so may hold no password.
    ///
    /// # Errors
    /// Exit 2 when it is none, or holds one.
    pub(crate) fn server_at(&self, url: &str) -> Result<Connection, Failure> {
        let read = (form::DATABASE_URL.parse)(url);
        let read = read.map_err(|complaint| Failure::new(Exit::Usage, format!("--server: {complaint}")))?;
        if read.variables.contains_key("PGPASSWORD") {
            let error = "--server: every user of this machine can read a password that is typed";
            return Err(Failure::new(Exit::Usage, error).hint(
                "leave it out of the URL: set PGPASSWORD, add a line to ~/.pgpass, or set the whole URL as BACKUP_DRILL_SERVER",
            ));
        }
        Ok(connection::another(&self.sources.layers, read))
    }

    /// The server's own settings, without a chosen database: `--all-databases` uses them to list the databases.
    pub(crate) fn server(&self) -> DatabaseSettings {
        self.sources.general()
    }

    /// Whether `--database` or `--all-databases` says which databases are meant, and not the settings.
    pub(crate) fn are_chosen_by_flag(&self) -> bool {
        self.sources.is_named
    }

    /// PostgreSQL's programs, which inherit no secret of ours.
    pub(crate) fn tools(&self) -> Tools {
        Tools::find(self.program_directory.as_deref(), &connection::SECRETS)
    }
}

/// What is made of several settings together.
struct Parts {
    databases: Vec<DatabaseSettings>,
    recipients: Vec<age::x25519::Recipient>,
    buckets: Vec<BucketSettings>,
    warnings: Vec<String>,
    remarks: Vec<String>,
}

/// The file that a flag names, by its whole path.
fn own_file(given: &Given) -> String {
    let named = given.env_file.as_ref().or(given.config.as_ref());
    let whole = named.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()));
    whole.map_or(String::new(), |path| path.display().to_string())
}

/// Every setting in its type. `None`: a setting that has a default is wrong, and is among the mistakes.
fn assemble(sources: Sources, given: &Given, parts: Parts, report: Report) -> Option<Settings> {
    let Parts { databases, recipients, buckets, warnings, remarks } = parts;
    let all = &sources.layers;
    let directory = all.get(&table::BACKUP_DIR);
    let directory = if buckets.is_empty() { Some(directory.unwrap_or_else(|| DIRECTORY.into())) } else { directory };
    Some(Settings {
        databases,
        all_databases: given.all_databases,
        directory,
        buckets,
        slow_place_wait: all.get(&table::BACKUP_SLOW_PLACE_WAIT),
        glacier_days: all.get(&table::BACKUP_S3_GLACIER_DAYS).filter(|days| *days > 0),
        name: all.get(&table::BACKUP_NAME),
        compression: all.get(&table::BACKUP_COMPRESSION)?,
        compression_level: all.get(&table::BACKUP_COMPRESSION_LEVEL),
        nice: all.get(&table::BACKUP_NICE)?,
        verify: all.get(&table::BACKUP_VERIFY)?,
        reverify_days: all.get(&table::BACKUP_REVERIFY_DAYS).filter(|days| *days > 0),
        recipients,
        globals: all.get(&table::BACKUP_GLOBALS)?,
        globals_passwords: all.get(&table::BACKUP_GLOBALS_PASSWORDS)?,
        index: all.get(&table::BACKUP_INDEX)?,
        link_size: all.get(&table::BACKUP_LINK_SIZE).filter(|size| *size > 0),
        identity_file: all.get(&table::BACKUP_AGE_IDENTITY_FILE),
        program_directory: all.get(&table::PG_BIN_DIR),
        spool_directory: given.spool_directory(),
        own_file: own_file(given),
        state_directory: given.state_directory(),
        notify_on: all.get(&table::BACKUP_NOTIFY_ON)?,
        lock_directory: all.get(&table::BACKUP_LOCK_DIR).unwrap_or_else(usual_lock_directory),
        logs: LogFiles {
            backup: LogFile::of(all, &table::BACKUP_LOG_FILE)?,
            restore: LogFile::of(all, &table::RESTORE_LOG_FILE)?,
            verify: LogFile::of(all, &table::BACKUP_VERIFY_LOG_FILE)?,
        },
        report,
        warnings,
        remarks,
        sources,
    })
}

/// That a file is not read because another one is, and where backups go without it.
fn tell(hidden: &Hidden, layers: &Layers) -> String {
    let Hidden { flag, by, file } = hidden;
    let (by, file) = (by.display(), file.display());
    let has_place = layers.get(&table::BACKUP_DIR).is_some() || layers.get(&table::BACKUP_S3_BUCKET).is_some();
    let place = if has_place {
        String::new()
    } else {
        format!("; BACKUP_DIR and BACKUP_S3_BUCKET are not set, so backups go to {DIRECTORY}")
    };
    format!("settings are read from {by}, and {file} is ignored{place}: {flag} {file} chooses it")
}

/// Keys from the setting and from the file together.
fn recipients(layers: &Layers, mistakes: &mut Vec<String>) -> Vec<age::x25519::Recipient> {
    let mut recipients = layers.get(&table::BACKUP_AGE_RECIPIENTS).unwrap_or_default();
    let Some(found) = layers.find(&table::BACKUP_AGE_RECIPIENTS_FILE.definition) else { return recipients };
    let path = Path::new(&found.text);
    match std::fs::read_to_string(path) {
        Err(error) => mistakes.push(format!("{}={} ({}): {error}", found.name, found.text, found.source)),
        Ok(text) => {
            let keys = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
            for (line, key) in keys.filter(|(_, key)| !key.is_empty() && !key.starts_with('#')) {
                match key.parse() {
                    Ok(recipient) => recipients.push(recipient),
                    Err(error) => mistakes.push(format!("{}:{line}: not an age public key: {error}", path.display())),
                }
            }
            if recipients.is_empty() {
                mistakes.push(format!("{}: contains no age public key, so nothing would be encrypted", path.display()));
            }
        }
    }
    recipients
}

/// Passwords, hashed or not, never lie anywhere for all to read who may read backups.
fn open_passwords(layers: &Layers, recipients: &[age::x25519::Recipient]) -> Option<String> {
    let setting = &table::BACKUP_GLOBALS_PASSWORDS;
    let found = layers.find(&setting.definition).filter(|_| layers.get(setting) == Some(true))?;
    recipients.is_empty().then(|| {
        format!(
            "{}={} ({}): passwords are only stored encrypted: set BACKUP_AGE_RECIPIENTS too, or leave this out",
            found.name, found.text, found.source
        )
    })
}

/// Shared by all users where the system has such a folder, so that two of them don't back up the same database at once.
#[expect(clippy::disallowed_methods, reason = "where the system keeps what is temporary, as a last resort")]
fn usual_lock_directory() -> PathBuf {
    let shared = Path::new("/run/lock");
    let writable = rustix::fs::access(shared, rustix::fs::Access::WRITE_OK).is_ok();
    if writable { shared.to_owned() } else { std::env::temp_dir() }
}

/// One mistake on the error's line, several on a line each.
fn refuse(mistakes: &[String]) -> Failure {
    let error = match mistakes {
        [one] => one.clone(),
        several => format!("{} settings are wrong:\n  {}", several.len(), several.join("\n  ")),
    };
    Failure::new(Exit::Usage, error).hint("run lastgood config to see every setting and where its value came from")
}

#[cfg(test)]
mod tests;
