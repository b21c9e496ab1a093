//! What became of a run: a report per database for people, one document for programs.

use std::fmt;

use catalog::drill::Drill;
use catalog::words;
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::answers::report::Report;
use crate::commands::drill::rehearsal::Rehearsal;
use crate::logging;
use crate::settings::DatabaseSettings;

/// The parts after which the database is back.
const RESTORE: [&str; 3] = ["download", "rows", "indexes"];
/// How many sentences of one kind are shown; the document has more.
const SHOWN: usize = 20;

/// What became of one database's drill.
pub(super) enum Drilled {
    /// It was only looked at.
    Rehearsed(Rehearsal),
    Done(Box<Proof>),
}

/// A drill that was carried out, or failed at it.
pub(super) struct Proof {
    pub(super) drill: Drill,
    /// What is equal in another form.
    pub(super) remarks: Vec<String>,
    /// Why it didn't pass.
    pub(super) failure: Option<Failure>,
    /// The server, in words.
    pub(super) place: String,
}

/// What went wrong with one database, if anything did.
pub(super) fn failure_of(drilled: &Result<Drilled, Failure>) -> Option<Failure> {
    match drilled {
        Err(failure) => Some(failure.clone()),
        Ok(Drilled::Rehearsed(_)) => None,
        Ok(Drilled::Done(proof)) => proof.failure.clone(),
    }
}

/// Every database of a run.
#[derive(Default)]
pub(super) struct Outcomes(Vec<(String, Result<Drilled, Failure>)>);

impl Outcomes {
    pub(super) fn add(&mut self, database: &DatabaseSettings, drilled: Result<Drilled, Failure>) {
        let name = match &drilled {
            Ok(Drilled::Done(proof)) => proof.drill.database.clone(),
            _ => database.name.clone().unwrap_or_else(|| "the default database".to_owned()),
        };
        self.0.push((name, drilled));
    }

    /// Answers, and decides the exit status: a single database's own; of several, 4 when a backup is damaged, else 6 when one differs, else
    /// 1 when one could not be drilled.
    ///
    /// # Errors
    /// The only database's failure, so that it is shown as any other.
    pub(super) fn answer(self, report: Report) -> Result<Exit, Failure> {
        let failures: Vec<Failure> = self.0.iter().filter_map(|(_, drilled)| failure_of(drilled)).collect();
        if let ([(_, drilled)], [failure]) = (self.0.as_slice(), failures.as_slice())
            && !is_compared(drilled)
        {
            return Err(failure.clone());
        }
        logging::done(&self);
        let of = |exit: Exit| failures.iter().any(|failure| failure.exit == exit).then_some(exit);
        let exit = match failures.as_slice() {
            [] => Exit::Done,
            [only] if self.0.len() == 1 => only.exit,
            _ => of(Exit::Damaged).or_else(|| of(Exit::Unhealthy)).unwrap_or(Exit::Failed),
        };
        report.outcome(exit, &Document::new(&self), &self)?;
        let untold = self.0.iter().filter(|(_, drilled)| !is_compared(drilled));
        untold.filter_map(|(_, drilled)| failure_of(drilled)).for_each(|failure| {
            logging::failed(&failure);
            report.say(&failure);
        });
        Ok(exit)
    }
}

/// Its report tells all that there is.
fn is_compared(drilled: &Result<Drilled, Failure>) -> bool {
    match drilled {
        Ok(Drilled::Done(proof)) => proof.drill.failure.is_none(),
        Ok(Drilled::Rehearsed(_)) => true,
        Err(_) => false,
    }
}

/// `lastgood drill --json`.
#[derive(Serialize)]
struct Document<'a> {
    drills: Vec<One<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum One<'a> {
    Done(&'a Drill),
    Rehearsed(&'a Rehearsal),
    Failed { database: &'a str, error: &'a str, hint: Option<&'a str>, exit: u8 },
}

impl<'a> Document<'a> {
    fn new(outcomes: &'a Outcomes) -> Self {
        let one = |(name, drilled): &'a (String, Result<Drilled, Failure>)| match drilled {
            Ok(Drilled::Done(proof)) => One::Done(&proof.drill),
            Ok(Drilled::Rehearsed(rehearsal)) => One::Rehearsed(rehearsal),
            Err(failure) => One::Failed {
                database: name,
                error: &failure.error,
                hint: failure.hint.as_deref(),
                exit: failure.exit.code(),
            },
        };
        Self { drills: outcomes.0.iter().map(one).collect() }
    }
}

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, drilled) in &self.0 {
            match drilled {
                Ok(Drilled::Done(proof)) => proof.fmt(f)?,
                Ok(Drilled::Rehearsed(rehearsal)) => rehearsal.fmt(f)?,
                Err(failure) => writeln!(f, "FAILED  {name}: {}", failure.error)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { drill, remarks, place, .. } = self;
        if let Some(failure) = &drill.failure {
            return writeln!(f, "FAILED  {}: {}: {failure}", drill.database, drill.backup);
        }
        let age = words::age(drill.started.duration_since(drill.made));
        let verdict = if drill.passed { "PASSED" } else { "FAILED" };
        writeln!(f, "{verdict}  {}: {}, made {age}, was restored and compared", drill.database, drill.backup)?;
        let version = drill.server.version.as_deref().unwrap_or("of unknown version");
        writeln!(f, "  on            {place}, PostgreSQL {version}")?;
        writeln!(f, "  {}", times(drill))?;
        writeln!(f, "  as dumped     {}", compared(drill))?;
        lines(f, "in its way", remarks)?;
        lines(f, "differs", &drill.differences)?;
        if !drill.checks.is_empty() {
            let passed = drill.checks.iter().filter(|check| check.passed).count();
            writeln!(f, "  checks        {passed} of {} passed", drill.checks.len())?;
            let failed =
                drill.checks.iter().filter_map(|check| Some(format!("{}: {}", check.query, check.answer.as_ref()?)));
            lines(f, "failed", &failed.collect::<Vec<_>>())?;
        }
        lines(f, "not compared", &drill.uncompared)
    }
}

fn lines(f: &mut fmt::Formatter<'_>, of: &str, sentences: &[String]) -> fmt::Result {
    for sentence in sentences.iter().take(SHOWN) {
        writeln!(f, "  {of:<12}  {sentence}")?;
    }
    match sentences.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => writeln!(f, "  {of:<12}  and {more} more (--json tells up to a hundred)"),
    }
}

/// `back in 12 min 3 s (download 2 min, rows 8 min, indexes 2 min); dump 4 min`
fn times(drill: &Drill) -> String {
    let (restore, others): (Vec<_>, Vec<_>) =
        drill.parts.iter().partition(|part| RESTORE.contains(&part.name.as_str()));
    let sum = restore.iter().map(|part| part.duration).sum();
    let named = |parts: Vec<&catalog::drill::TimedPart>| {
        let parts = parts.into_iter().map(|part| format!("{} {}", part.name, words::duration(part.duration)));
        parts.collect::<Vec<_>>().join(", ")
    };
    format!("back in       {} ({}); {}", words::duration(sum), named(restore), named(others))
}

fn compared(drill: &Drill) -> String {
    let compared = &drill.compared;
    let counted = [
        (compared.sequences, "sequence"),
        (compared.large_objects, "large object"),
        (compared.definitions, "definition"),
    ];
    let counted = counted.into_iter().filter(|(number, _)| *number > 0);
    let rest: String = counted.map(|(number, noun)| format!(", {}", words::count(number, noun))).collect();
    let (tables, rows) = (words::count(compared.tables, "table"), words::count(compared.rows, "row"));
    format!("{tables} with {rows}{rest} ({})", words::size(compared.bytes))
}
