//! What came of a case.

use std::any::Any;

use serde::{Deserialize, Serialize};

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The command was done in spite of the fault, and what it says is true.
    Done,
    /// The command failed, said why, and left nothing that is not whole.
    Failed,
    /// The command was killed, and left nothing that is not whole.
    Killed,
    /// The fault did not come about.
    Missed,
    /// A fault that nobody was told of: what was found.
    Silent(String),
    /// Something good is no longer there, or was promised and isn't: what was found.
    Lost(String),
    /// Wrong in another way: what was found.
    Bad(String),
}

impl Verdict {
    /// What was found, where that is wrong.
    pub fn wrong(&self) -> Option<(&'static str, &str)> {
        match self {
            Verdict::Silent(why) => Some(("SILENT", why)),
            Verdict::Lost(why) => Some(("LOST", why)),
            Verdict::Bad(why) => Some(("BAD", why)),
            Verdict::Done | Verdict::Failed | Verdict::Killed | Verdict::Missed => None,
        }
    }

    /// Of a judge's panic.
    pub(super) fn of_panic(panic: &(dyn Any + Send)) -> Verdict {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
        match text.split_at_checked(SILENT.len()) {
            Some((SILENT, why)) => Verdict::Silent(why.to_owned()),
            Some((LOST, why)) => Verdict::Lost(why.to_owned()),
            _ => Verdict::Bad(text),
        }
    }
}

const SILENT: &str = "silent: ";
const LOST: &str = "lost:   ";

/// What a case tells where nothing is wrong.
pub(super) struct Told {
    pub(super) verdict: Verdict,
    /// The command's last words.
    pub(super) said: String,
}

/// Ends the case: nobody was told.
#[track_caller]
pub(super) fn silent(what: &str) -> ! {
    panic!("{SILENT}{what}")
}

/// Ends the case: something is lost.
#[track_caller]
pub(super) fn lost(what: &str) -> ! {
    panic!("{LOST}{what}")
}
