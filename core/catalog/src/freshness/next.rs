//! Which command to run next, by what was found.

use super::Finding;
use crate::words::shell_word;

/// The command that mends what is wrong with a database, or shows more of it. `of_it` is the flag that chooses the database, with a
/// space before it, or nothing; `unverified` the name of a backup newer than the newest good one that nobody has judged yet.
#[must_use]
pub fn next_command(finding: &Finding, of_it: &str, unverified: Option<&str>) -> String {
    match finding {
        Finding::Never { unverified: 1.., .. } => format!("lastgood verify --all{of_it}"),
        Finding::Stale { .. } | Finding::NewestDamaged { .. } => match unverified {
            Some(name) => format!("lastgood verify {}", shell_word(name)),
            None => format!("lastgood backup{of_it}"),
        },
        Finding::Never { .. } => format!("lastgood backup{of_it}"),
        Finding::Changed { id, .. } | Finding::BrokenRecord { id, .. } => {
            format!("lastgood verify {}", shell_word(&id.to_string()))
        }
        Finding::TooSmall { id, .. } => format!("lastgood show {}", shell_word(&id.to_string())),
        Finding::TooFew { .. } | Finding::InTheFuture { .. } => format!("lastgood list{of_it}"),
        Finding::DrillFailed { .. }
        | Finding::DrillOld { .. }
        | Finding::NeverDrilled { .. }
        | Finding::DrillUnknown { .. } => format!("lastgood drill{of_it}"),
    }
}
