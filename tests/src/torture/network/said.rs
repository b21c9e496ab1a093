//! Whether what was said is about the fault.

use super::blow::Blow;
use crate::agent::Outcome;
use crate::torture::ground::is_named;
use crate::torture::subject::Subject;
use crate::torture::verdict::silent;

/// A failure names the fault. What is done in spite of one is judged by what is there.
pub(super) fn judge(blow: &Blow, outcome: &Outcome, told: &str) {
    // What breaks in any case is named first.
    let base = blow.subject == Subject::BackupAborted && told.contains("no more parts");
    let names = base || blow.fault.words.is_empty() || blow.fault.words.iter().any(|word| told.contains(word));
    match outcome.code {
        Some(0) => {}
        Some(1..=6) if !is_named(outcome) => silent(&format!("it failed without a reason\n{outcome}")),
        Some(1..=6) if !names => silent(&format!("nothing names the fault: {:?}\n{outcome}", blow.fault.words)),
        Some(1..=6) => {}
        _ => panic!("it ended in a way of its own\n{outcome}"),
    }
}
