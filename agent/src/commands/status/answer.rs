//! What `status` answers.

use std::fmt;

use catalog::words;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::answers::fold::fold;
use crate::answers::table::{Column, Table};
use crate::commands::check::{CheckAnswer, Health, Newest};
use crate::commands::status::next;
use crate::settings::Settings;

/// How wide it is, at a terminal or not.
const WIDTH: usize = 80;
/// How wide a database's name may be.
const NAME: usize = 36;
/// How many databases have a row: where all is well, and where there is something to say of some.
const ROWS: (usize, usize) = (14, 6);
/// How many lines say what is wrong.
const LINES: usize = 8;
/// How many lines one sentence has.
const SENTENCE: usize = 3;
/// How many other databases are named.
const OTHERS: usize = 3;

/// `lastgood status --json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusAnswer {
    healthy: bool,
    repository: String,
    /// Those with something to say of them first.
    databases: Vec<Line>,
    /// What is wrong with the AWS stack itself.
    stack: Vec<String>,
    /// Databases that were not chosen but have backups in the same repository.
    other_databases: Vec<String>,
    /// What to run first; null where nothing is wrong.
    next: Option<String>,
}

/// One database.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    database: String,
    healthy: bool,
    retired: Option<Timestamp>,
    newest_good: Option<Newest>,
    /// What makes it unhealthy, a sentence each.
    problems: Vec<String>,
    /// What is to be said and is no reason to call it unhealthy.
    notes: Vec<String>,
    next: Option<String>,
}

impl StatusAnswer {
    pub(super) fn new(checked: CheckAnswer, other_databases: Vec<String>, settings: &Settings) -> Self {
        let stack = checked.of_stack().map(|(text, remedy)| format!("the AWS stack: {text}; {remedy}")).collect();
        let healthy = checked.is_healthy();
        let CheckAnswer { repository, databases, .. } = checked;
        let mut databases: Vec<Line> = databases.into_iter().map(|health| Line::new(health, settings)).collect();
        databases.sort_by_key(|line| (line.healthy, line.notes.is_empty()));
        let next = databases.iter().find_map(|line| line.next.clone());
        Self { healthy, repository, databases, stack, other_databases, next }
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.healthy
    }
}

impl Line {
    fn new(health: Health, settings: &Settings) -> Self {
        let next = next::command(&health, settings);
        let Health { database, healthy, findings, retired, newest_good, notes, .. } = health;
        let problems = findings.into_iter().map(|told| told.text).collect();
        Self { database, healthy, retired, newest_good, problems, notes, next }
    }

    fn cells(&self) -> [String; 4] {
        let newest = self.newest_good.as_ref();
        let age = newest.map(|newest| words::short_age(SignedDuration::from_secs(newest.age_seconds)));
        let size = newest.map(|newest| words::size(newest.size));
        let state = match (self.healthy, self.retired) {
            (_, Some(_)) => "retired",
            (true, None) => "healthy",
            (false, None) => "UNHEALTHY",
        };
        [cut(&self.database), age.unwrap_or_else(|| "never".to_owned()), size.unwrap_or_default(), state.to_owned()]
    }

    /// What is to be said of it, and what to run.
    fn words(&self) -> Option<Vec<String>> {
        let said = self.problems.first().or(self.notes.first())?;
        let next = self.next.iter().map(|next| format!("  {next}"));
        Some(sentence(&format!("{}: {said}", cut(&self.database))).into_iter().chain(next).collect())
    }
}

/// A name that leaves room for the other columns.
fn cut(name: &str) -> String {
    if name.width() <= NAME {
        return name.to_owned();
    }
    let (mut kept, mut width) = (String::new(), 1);
    for c in name.chars() {
        width += c.width().unwrap_or(0);
        if width > NAME {
            break;
        }
        kept.push(c);
    }
    kept + "…"
}

/// A sentence in a few lines; `check` has the rest.
fn sentence(text: &str) -> Vec<String> {
    let folded = fold(text, WIDTH);
    let mut lines: Vec<String> = folded.lines().take(SENTENCE).map(str::to_owned).collect();
    if let Some(last) = lines.last_mut().filter(|_| folded.lines().count() > SENTENCE) {
        last.push_str(" …");
    }
    lines
}

impl fmt::Display for StatusAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said: Vec<Vec<String>> = self.stack.iter().map(|text| sentence(text)).collect();
        let said: Vec<Vec<String>> = said.into_iter().chain(self.databases.iter().filter_map(Line::words)).collect();
        writeln!(f, "{}\n", fold(&format!("Last good backups in {}", self.repository), WIDTH))?;
        self.rows(f, if said.is_empty() { ROWS.0 } else { ROWS.1 })?;
        if !self.other_databases.is_empty() {
            let names: Vec<String> = self.other_databases.iter().map(|name| cut(name)).collect();
            let names = words::first_of(&names, OTHERS, ", ");
            writeln!(f, "{}", fold(&format!("  others, with --all-databases: {names}"), WIDTH))?;
        }
        self.sentences(f, &said)?;
        writeln!(f, "\nlastgood list shows every backup, lastgood --help every command.")
    }
}

impl StatusAnswer {
    fn rows(&self, f: &mut fmt::Formatter<'_>, limit: usize) -> fmt::Result {
        let header =
            [Column::Left("DATABASE"), Column::Right("LAST GOOD"), Column::Right("SIZE"), Column::Left("STATE")];
        let mut table = Table::new(header);
        self.databases.iter().take(limit).for_each(|line| table.row(line.cells()));
        write!(f, "{table}")?;
        let hidden = self.databases.get(limit..).unwrap_or_default();
        let unhealthy = hidden.iter().filter(|line| !line.healthy).count();
        match (hidden.len(), unhealthy) {
            (0, _) => Ok(()),
            (more, 0) => writeln!(f, "  … and {more} more, all healthy"),
            (more, unhealthy) => writeln!(f, "  … and {more} more, {unhealthy} of them UNHEALTHY"),
        }
    }

    /// As many as there is room for, the first one in any case.
    fn sentences(&self, f: &mut fmt::Formatter<'_>, said: &[Vec<String>]) -> fmt::Result {
        let mut lines = 0;
        for (at, one) in said.iter().enumerate() {
            if at == 0 {
                writeln!(f)?;
            } else if lines + one.len() >= LINES {
                return writeln!(f, "… and {} more: lastgood check", said.len() - at);
            }
            one.iter().try_for_each(|line| writeln!(f, "{line}"))?;
            lines += one.len();
        }
        Ok(())
    }
}
