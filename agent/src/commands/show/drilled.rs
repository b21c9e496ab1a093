//! A drill in words: what came of it, how long each part took, what was compared and what differs.

use std::fmt;

use catalog::drill::{Drill, DrillStatus, ServerKind};
use catalog::words;

/// How many differences are shown; `--json` has those that the record has.
const SHOWN: usize = 5;

/// The drill of the backup that is shown.
pub(super) struct Drilled<'a>(pub(super) &'a Drill);

/// The last drill of its database, of another backup.
pub(super) struct LastDrilled<'a>(pub(super) &'a DrillStatus);

impl fmt::Display for Drilled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(drill) = self;
        let server = match drill.server.kind {
            ServerKind::Settings => "the server of the settings",
            ServerKind::Other => "another server",
            ServerKind::Temporary => "a temporary server",
        };
        let version =
            drill.server.version.as_ref().map_or_else(String::new, |version| format!(" (PostgreSQL {version})"));
        let (outcome, when) = (outcome(drill), words::second(drill.finished));
        write!(f, "{outcome}, {when} by lastgood {} on {}", drill.agent.version, drill.agent.host)?;
        write!(f, "\n             onto {server}{version}, in {:.1} s", drill.duration().as_secs_f64())?;
        let parts = drill.parts.iter().map(|part| format!("{} {:.1} s", part.name, part.duration.as_secs_f64()));
        let parts: Vec<String> = parts.collect();
        if !parts.is_empty() {
            write!(f, ": {}", parts.join(", "))?;
        }
        let compared = &drill.compared;
        let counts = [
            (compared.tables, "table"),
            (compared.rows, "row"),
            (compared.large_objects, "large object"),
            (compared.sequences, "sequence"),
            (compared.definitions, "definition"),
            (drill.checks.len() as u64, "check"),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, noun)| words::count(count, noun));
        let counts: Vec<String> = counts.collect();
        if !counts.is_empty() {
            write!(f, "\n             compared {}", counts.join(", "))?;
        }
        said(f, drill)
    }
}

impl fmt::Display for LastDrilled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DrillStatus { last, last_passed, .. } = self.0;
        write!(f, "{}, {} with {}", outcome(last), words::second(last.finished), last.backup)?;
        if let Some(passed) = last_passed.filter(|_| !last.passed) {
            write!(f, "; the last that passed ended {}", words::second(passed))?;
        }
        said(f, last)
    }
}

fn outcome(drill: &Drill) -> &'static str {
    if drill.passed { "passed" } else { "FAILED" }
}

/// What is wrong, and what nobody could compare, a line each.
fn said(f: &mut fmt::Formatter<'_>, drill: &Drill) -> fmt::Result {
    drill.failure.iter().try_for_each(|failure| write!(f, "\n             {failure}"))?;
    drill.differences.iter().take(SHOWN).try_for_each(|difference| write!(f, "\n             {difference}"))?;
    let more = drill.differing.saturating_sub(drill.differences.len().min(SHOWN) as u64);
    if more > 0 {
        write!(f, "\n             {} more (--json shows the first hundred)", words::count(more, "difference"))?;
    }
    for check in drill.checks.iter().filter(|check| !check.passed) {
        let answer = check.answer.as_ref().map_or_else(String::new, |answer| format!(": {answer}"));
        write!(f, "\n             the check `{}` is not true{answer}", check.query)?;
    }
    drill.uncompared.iter().try_for_each(|uncompared| write!(f, "\n             not compared: {uncompared}"))
}
