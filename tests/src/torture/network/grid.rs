//! Which requests are struck by which fault: everything that the axes make.

use super::aim::Aim;
use super::fault::{FAULTS, Fault};

/// One fault at one request.
pub(super) struct Cell {
    pub(super) aim: Aim,
    /// For a person: which of its kind.
    pub(super) moment: &'static str,
    pub(super) fault: &'static Fault,
}

/// Each kind of these requests, of which there are so many, by each fault, the first, the middle and the last, once and for good. The fault
/// varies fastest.
pub(super) fn grid(kinds: &[(String, usize)]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (kind, count) in kinds {
        for lasting in [false, true] {
            for (moment, nth) in moments(*count) {
                let struck = FAULTS.iter().filter(|fault| fault.is_for(kind) && (!lasting || fault.may_last(kind)));
                cells.extend(struck.map(|fault| Cell { fault, aim: Aim { kind: kind.clone(), nth, lasting }, moment }));
            }
        }
    }
    cells
}

/// The kinds of requests in the order of their first, and how many there are of each.
pub(super) fn count_kinds(seen: &[String]) -> Vec<(String, usize)> {
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for seen in seen {
        match kinds.iter_mut().find(|(kind, _)| kind == seen) {
            Some((_, count)) => *count += 1,
            None => kinds.push((seen.clone(), 1)),
        }
    }
    kinds
}

/// The first, the middle and the last of so many, each once.
fn moments(count: usize) -> Vec<(&'static str, usize)> {
    match count {
        1 => vec![("only", 0)],
        2 => vec![("first", 0), ("last", 1)],
        _ => vec![("first", 0), ("middle", count / 2), ("last", count - 1)],
    }
}
