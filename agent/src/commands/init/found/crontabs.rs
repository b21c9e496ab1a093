//! Crontabs that run a backup already: ours, or the guide's scripts.

use std::path::{Path, PathBuf};

use postgres::Stop;

use super::super::machine::{Machine, User};
use super::super::programs::Call;

/// The guide's scripts, and our commands that a night has.
const SCRIPTS: [&str; 2] = ["backup-db.sh", "verify-backups.sh"];
const COMMANDS: [&str; 5] = ["backup", "verify", "check", "prune", "drill"];
/// Where the system's crontabs are, whose lines name their user.
const SYSTEM: &str = "/etc/crontab";
const FOLDER: &str = "/etc/cron.d";
/// Where `crontab` is.
const PROGRAMS: [&str; 4] = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin"];

/// One with such a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands::init) struct Crontab {
    pub(in crate::commands::init) owner: Owner,
    pub(in crate::commands::init) text: String,
}

/// Whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands::init) enum Owner {
    /// A user's, which `crontab` reads and writes.
    User(User),
    /// The system's.
    File(PathBuf),
}

/// Those that run a backup.
pub(super) fn read(machine: &Machine, stop: &Stop) -> Vec<Crontab> {
    let mut users = vec![&machine.own];
    if machine.is_handed_over() {
        users.push(&machine.nightly);
    }
    users.extend(&machine.caller);
    let mut all: Vec<Crontab> = users.into_iter().filter_map(|user| of_user(user, stop)).collect();
    let folder = std::fs::read_dir(FOLDER).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = folder.filter(|path| path.is_file() && is_read_by_cron(path)).collect();
    files.sort();
    all.extend([PathBuf::from(SYSTEM)].into_iter().chain(files).filter_map(|path| {
        let text = std::fs::read_to_string(&path).ok()?;
        Some(Crontab { owner: Owner::File(path), text })
    }));
    all.retain(|crontab| crontab.text.lines().any(|line| kind(line) == Some(Kind::Backup)));
    all
}

/// Debian's cron passes over names with a dot.
fn is_read_by_cron(path: &Path) -> bool {
    path.file_name().is_some_and(|name| !name.to_string_lossy().contains('.'))
}

fn of_user(user: &User, stop: &Stop) -> Option<Crontab> {
    let answer = crontab(user)?.arguments(&["-l"]).given("", stop).ok()?;
    answer.is_done.then(|| Crontab { owner: Owner::User(user.clone()), text: answer.stdout })
}

/// The program, as this user.
pub(in crate::commands::init) fn crontab(user: &User) -> Option<Call> {
    Some(Call::found("crontab", &PROGRAMS.map(PathBuf::from))?.by(user))
}

/// What one of the lines does that are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Backup,
    /// What belongs to it.
    Beside,
}

fn kind(line: &str) -> Option<Kind> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let words: Vec<&str> = line.split([' ', '\t', ';', '&', '|', '"', '\'']).filter(|word| !word.is_empty()).collect();
    let name = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let is_script = |script: &str| words.iter().any(|word| name(word) == script);
    let [backup, verify] = SCRIPTS.map(is_script);
    let commands: Vec<&str> = words
        .iter()
        .enumerate()
        .filter(|(_, word)| name(word) == "lastgood")
        .filter_map(|(at, _)| words.get(at + 1..)?.iter().find(|word| COMMANDS.contains(*word)).copied())
        .collect();
    match (backup || commands.contains(&"backup"), verify || !commands.is_empty()) {
        (true, _) => Some(Kind::Backup),
        (false, true) => Some(Kind::Beside),
        (false, false) => None,
    }
}

impl Crontab {
    /// True when it has not changed since it was read.
    pub(in crate::commands::init) fn is_as_read(&self, stop: &Stop) -> bool {
        let now = match &self.owner {
            Owner::User(user) => of_user(user, stop).map(|crontab| crontab.text),
            Owner::File(path) => std::fs::read_to_string(path).ok(),
        };
        now.as_ref() == Some(&self.text)
    }

    /// Its lines that a schedule of ours replaces.
    pub(in crate::commands::init) fn own_lines(&self) -> Vec<&str> {
        self.text.lines().filter(|line| kind(line).is_some()).collect()
    }

    /// What stays of it. `instead` are the lines that come where the first of ours was.
    pub(in crate::commands::init) fn without_own(&self, instead: &[String]) -> String {
        let mut text = String::with_capacity(self.text.len());
        let mut instead = Some(instead);
        for line in self.text.lines() {
            if kind(line).is_none() {
                text.push_str(line);
                text.push('\n');
                continue;
            }
            for line in instead.take().unwrap_or_default() {
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }

    /// The guide's settings, beside the folder of the script that a line runs.
    pub(super) fn env_files(&self) -> Vec<PathBuf> {
        let words = self
            .text
            .lines()
            .filter(|line| kind(line).is_some())
            .flat_map(|line| line.split([' ', '\t', ';', '&', '|']));
        let script = |word: &str| word.strip_suffix(SCRIPTS[0])?.strip_suffix('/').map(PathBuf::from);
        let mut files: Vec<PathBuf> = words.filter_map(script).map(|folder| folder.join("../.env")).collect();
        files.dedup();
        files
    }

    /// Whose it is, in words.
    pub(in crate::commands::init) fn name(&self) -> String {
        match &self.owner {
            Owner::User(user) => format!("{}'s crontab", user.name),
            Owner::File(path) => path.display().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_known_by_what_it_runs() {
        let backup = [
            "0 3 * * * /srv/app/scripts/backup-db.sh",
            "0 3 * * * root cd /srv && ./scripts/backup-db.sh --quiet >> /var/log/x 2>&1",
            "@daily /usr/local/bin/lastgood backup --quiet",
            "0 3 * * * lastgood --env-file /etc/a.env backup",
            "0 3 * * * FOO=1 /usr/bin/lastgood --quiet backup; curl -fsS https://hc.example/x",
        ];
        for line in backup {
            assert_eq!(kind(line), Some(Kind::Backup), "{line}");
        }
        let beside = [
            "0 6 * * * lastgood verify --all --quiet; lastgood check --quiet",
            "0 6 * * * /a/verify-backups.sh",
            "30 4 * * 0 lastgood drill --quiet",
        ];
        for line in beside {
            assert_eq!(kind(line), Some(Kind::Beside), "{line}");
        }
        let others = [
            "# 0 3 * * * /srv/app/scripts/backup-db.sh",
            "0 3 * * * /srv/my-backup-db.sh",
            "0 3 * * * pg_dump shop > backup",
            "0 3 * * * lastgood list",
            "0 3 * * * /opt/lastgood-extra backup",
            "MAILTO=root",
            "",
        ];
        for line in others {
            assert_eq!(kind(line), None, "{line}");
        }
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        let text = "MAILTO=me\n\n# nightly\n0 3 * * * /a/scripts/backup-db.sh\n5 * * * * date +\\%s\n0 6 * * * lastgood check\n";
        let owner = Owner::File("/etc/crontab".into());
        let crontab = Crontab { owner, text: text.to_owned() };
        assert_eq!(crontab.own_lines().len(), 2);
        assert_eq!(crontab.without_own(&[]), "MAILTO=me\n\n# nightly\n5 * * * * date +\\%s\n");
        let instead = ["new 1".to_owned(), "new 2".to_owned()];
        assert_eq!(crontab.without_own(&instead), "MAILTO=me\n\n# nightly\nnew 1\nnew 2\n5 * * * * date +\\%s\n");
        assert_eq!(crontab.env_files(), [PathBuf::from("/a/scripts/../.env")]);
    }
}
