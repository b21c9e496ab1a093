//! What would be written and done: values alone, made of the answers, and shown before anything happens.

use std::fmt;
use std::path::{Path, PathBuf};

use catalog::words;

use super::asked::{Source, Wish};
use super::machine::{Machine, PACKAGED};
use super::offer::{Lines, database_name, shown};
use super::role::Role;
use super::stack::Stack;
use crate::answers::failure::{Exit, Failure};
use crate::answers::report::printable;
use crate::cli::Schedule;
use crate::settings::env_line;

/// Where the package's units look for settings.
pub(super) const TARGET: &str = "/etc/lastgood.env";
/// Where the units' drop-ins are.
const DROP_INS: [&str; 2] = ["/etc/systemd/system/lastgood.service.d", "/etc/systemd/system/lastgood-.service.d"];
/// What the units do not see, or see as another folder.
const HIDDEN: [&str; 7] = ["/home", "/root", "/run/user", "/tmp", "/var/tmp", "/dev", "/proc"];
/// Where the package's user logs.
pub(super) const LOGS: &str = "/var/log/lastgood";

/// Everything that is to be done.
#[derive(Clone)]
pub(super) struct Plan {
    /// The settings file, and its text.
    pub(super) target: PathBuf,
    pub(super) text: String,
    pub(super) role: Option<Role>,
    pub(super) folder: Option<PathBuf>,
    /// Files of systemd's, and their texts.
    pub(super) drop_ins: Vec<(PathBuf, String)>,
    pub(super) schedule: Schedule,
    /// The timers to enable.
    pub(super) timers: Vec<&'static str>,
    /// Lines of the user's crontab who backs up.
    pub(super) cron_lines: Vec<CronLine>,
    /// Whether the settings are to be that user's own, and a folder for its logs is needed.
    pub(super) is_users_own: bool,
    /// The database's name, where it is known.
    pub(super) name: String,
    /// The database, and the places, in words.
    pub(super) database: String,
    pub(super) places: Vec<String>,
    /// The policy to attach, which the stack made.
    pub(super) policy: Option<String>,
    nightly: String,
    /// The server is this machine's, asked over its socket, and root may be its superuser.
    pub(super) is_roots: bool,
    /// The settings say as whom to connect.
    pub(super) names_role: bool,
}

/// A line of a crontab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CronLine {
    when: &'static str,
    command: String,
}

impl Plan {
    /// The same, with a drill every week.
    pub(super) fn with_drill(&self) -> Self {
        let mut plan = self.clone();
        match self.schedule {
            Schedule::Systemd => plan.timers.push("lastgood-drill.timer"),
            Schedule::Cron => plan.cron_lines.push(CronLine::of("30 4 * * 0", &["drill --quiet"], &self.target)),
            Schedule::None => {}
        }
        plan
    }

    /// All of it.
    ///
    /// # Errors
    /// Exit 2 for a value that no settings file can hold, and for a folder that the units cannot write to.
    pub(super) fn of(
        wish: &Wish,
        machine: &Machine,
        target: PathBuf,
        role: Option<Role>,
        stack: Option<&Stack>,
    ) -> Result<Self, Failure> {
        let is_systemd = wish.schedule == Schedule::Systemd;
        let folder = wish.place.directory.clone();
        let drop_ins = match &folder {
            Some(folder) if is_systemd => drop_ins(folder)?,
            _ => Vec::new(),
        };
        if is_systemd && target != Path::new(TARGET) {
            return Err(Failure::new(Exit::Usage, format!("the units read {TARGET}, not {}", target.display()))
                .hint("leave --env-file out, or choose --schedule cron"));
        }
        let is_users_own = machine.is_handed_over() && !is_systemd;
        let has_bucket = wish.place.lines.iter().any(|(name, _)| name == "BACKUP_S3_BUCKET");
        let mut timers = vec!["lastgood.timer"];
        let mut commands = vec![("0 3 * * *", vec!["backup --quiet"])];
        if stack.is_none() {
            timers.push("lastgood-verify.timer");
            commands.push(("0 6 * * *", vec!["verify --all --quiet", "check --quiet"]));
            if has_bucket {
                timers.push("lastgood-prune.timer");
                commands.push(("30 6 * * *", vec!["prune --quiet"]));
            }
        }
        let cron_lines = commands.into_iter().map(|(when, commands)| CronLine::of(when, &commands, &target));
        Ok(Self {
            text: text(wish, is_users_own)?,
            role,
            drop_ins,
            schedule: wish.schedule,
            timers: if is_systemd { timers } else { Vec::new() },
            cron_lines: if wish.schedule == Schedule::Cron { cron_lines.collect() } else { Vec::new() },
            is_users_own,
            name: database_name(&wish.database.lines).unwrap_or_else(|| "database".to_owned()),
            database: shown(&wish.database.lines).unwrap_or_else(|| "the database".to_owned()),
            places: places(folder.as_deref(), &wish.place.lines),
            policy: stack.and_then(|stack| stack.policy.clone()),
            nightly: machine.nightly.name.clone(),
            is_roots: wish.database.cluster.as_ref().is_some_and(|cluster| cluster.has_superuser),
            names_role: wish
                .database
                .lines
                .iter()
                .any(|(name, _)| ["DB_USER", "PGUSER", "DATABASE_URL"].contains(&name.as_str())),
            folder,
            target,
        })
    }
}

impl Plan {
    /// The text of the settings file, with another folder for the backups.
    ///
    /// # Errors
    /// Exit 2 for one that no settings file can hold.
    pub(super) fn with_folder(&self, folder: &Path) -> Result<String, Failure> {
        let own = self.folder.as_deref().map(folder_line).transpose()?.unwrap_or_default();
        Ok(self.text.replacen(&own, &folder_line(folder)?, 1))
    }
}

fn folder_line(folder: &Path) -> Result<String, Failure> {
    line("BACKUP_DIR", folder.to_str().unwrap_or_default())
}

/// A line of the settings file.
fn line(name: &str, value: &str) -> Result<String, Failure> {
    env_line(name, value).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("{name} has a character that no settings file can hold"))
            .hint("choose another value, without zero bytes and noncharacters")
    })
}

/// The text of the settings file.
fn text(wish: &Wish, is_users_own: bool) -> Result<String, Failure> {
    let Source { lines, from, .. } = &wish.database;
    let mut parts = vec![(format!("The database ({from})."), lines.clone())];
    let directory = wish.place.directory.as_ref().and_then(|folder| folder.to_str());
    let directory = directory.map(|folder| ("BACKUP_DIR".to_owned(), folder.to_owned()));
    let place = directory.into_iter().chain(wish.place.lines.iter().cloned()).collect();
    parts.push((format!("Where backups go ({}).", wish.place.from), place));
    if is_users_own {
        let names = ["BACKUP_LOG_FILE", "RESTORE_LOG_FILE", "BACKUP_VERIFY_LOG_FILE"];
        let logs = names.map(|name| (name.to_owned(), format!("{LOGS}/lastgood.log")));
        parts.push(("Where the user who backs up may write.".to_owned(), logs.to_vec()));
    }
    let mut text = "# Settings of Lastgood, written by `lastgood init`. `lastgood config` shows every setting, its value and where it came\n\
                    # from; docs/settings.md says what each does.\n"
        .to_owned();
    let mut written = Lines::new();
    for (about, lines) in parts {
        text.push_str(&format!("\n# {}\n", printable(&about)));
        for (name, value) in lines {
            // A name that two parts have is taken once: the first one's value was tried.
            if written.iter().any(|(known, _)| *known == name) {
                continue;
            }
            text.push_str(&line(&name, &value)?);
            text.push('\n');
            written.push((name, value));
        }
    }
    Ok(text)
}

/// What lets the units write to another folder than the package's.
fn drop_ins(folder: &Path) -> Result<Vec<(PathBuf, String)>, Failure> {
    if folder == Path::new(PACKAGED) {
        return Ok(Vec::new());
    }
    let path = folder.to_str().unwrap_or_default();
    if let Some(hidden) = HIDDEN.iter().find(|hidden| folder.starts_with(hidden)) {
        return Err(Failure::new(
            Exit::Usage,
            format!("the package's units cannot write to {path}: {hidden} is closed to them"),
        )
        .hint("choose a folder elsewhere, such as /srv/backups, or --schedule cron"));
    }
    if path.contains(char::is_control) {
        return Err(Failure::new(Exit::Usage, "the folder's name has a control character, which no unit can hold")
            .hint("choose another folder for the backups, or --schedule cron"));
    }
    let text =
        format!("# Written by `lastgood init`: where backups go.\n[Service]\nReadWritePaths={}\n", unit_word(path));
    Ok(DROP_INS.map(|drop_in| (Path::new(drop_in).join("folder.conf"), text.clone())).to_vec())
}

/// A path as one word of a unit file.
fn unit_word(path: &str) -> String {
    let escaped = path.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    format!("\"{escaped}\"")
}

fn places(folder: Option<&Path>, lines: &Lines) -> Vec<String> {
    let value = |wanted: &str| lines.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let bucket = value("BACKUP_S3_BUCKET").map(|bucket| {
        let prefix = value("BACKUP_S3_PREFIX").unwrap_or("backups");
        let at = value("BACKUP_S3_ENDPOINT").map_or(String::new(), |endpoint| format!(" at {endpoint}"));
        format!("s3://{bucket}/{prefix}{at}")
    });
    folder.map(|folder| folder.display().to_string()).into_iter().chain(bucket).collect()
}

impl CronLine {
    fn of(when: &'static str, commands: &[&str], target: &Path) -> Self {
        // Where an upgrade has replaced it meanwhile, the kernel adds a word to its name.
        let program = std::fs::read_link("/proc/self/exe").ok().filter(|program| program.exists());
        let program = program.unwrap_or_else(|| PathBuf::from("/usr/bin/lastgood"));
        let program = words::shell_word(&program.display().to_string()).to_string();
        let file = words::shell_word(&target.display().to_string()).to_string();
        let settings = if target == Path::new(TARGET) { String::new() } else { format!(" --env-file {file}") };
        let commands: Vec<String> = commands.iter().map(|command| format!("{program}{settings} {command}")).collect();
        // cron makes a line's end of a bare `%`.
        Self { when, command: commands.join("; ").replace('%', "\\%") }
    }

    /// The line, for a crontab whose lines name their user, or for that user's own.
    pub(super) fn text(&self, user: Option<&str>) -> String {
        let user = user.map_or(String::new(), |user| format!("{user} "));
        format!("{}\t{user}{}", self.when, self.command)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "database  {}", self.database)?;
        if let Some(role) = &self.role {
            writeln!(f, "role      {}", role.statements().join("; "))?;
        }
        for place in &self.places {
            writeln!(f, "place     {place}")?;
        }
        writeln!(
            f,
            "settings  {}, which only {} may read",
            self.target.display(),
            if self.is_users_own { &self.nightly } else { "their owner" }
        )?;
        for (path, _) in &self.drop_ins {
            writeln!(f, "systemd   {}", path.display())?;
        }
        match self.schedule {
            Schedule::Systemd => writeln!(f, "at night  {}", self.timers.join(", "))?,
            Schedule::Cron => writeln!(f, "at night  lines for {}'s crontab", self.nightly)?,
            Schedule::None => return writeln!(f, "at night  nothing"),
        }
        writeln!(f, "weekly    a drill on a private server, if one can be made here")
    }
}

#[cfg(test)]
mod tests;
