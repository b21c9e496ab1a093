//! Which command to run next, by what `check` found.

use catalog::freshness::Finding;
use catalog::words;

use crate::commands::check::Health;
use crate::settings::Settings;

/// The command that mends the first thing that is wrong with a database, or shows more of it.
pub(super) fn command(health: &Health, settings: &Settings) -> Option<String> {
    let of_it = || of_database(&health.database, settings);
    Some(match &health.findings.first()?.finding {
        Finding::Never { unverified: 1.., .. } => format!("lastgood verify --all{}", of_it()),
        Finding::Stale { .. } | Finding::NewestDamaged { .. } => match &health.unverified {
            Some(name) => format!("lastgood verify {}", words::shell_word(name)),
            None => format!("lastgood backup{}", of_it()),
        },
        Finding::Never { .. } => format!("lastgood backup{}", of_it()),
        Finding::Changed { id, .. } | Finding::BrokenRecord { id, .. } => {
            format!("lastgood verify {}", words::shell_word(&id.to_string()))
        }
        Finding::TooSmall { id, .. } => format!("lastgood show {}", words::shell_word(&id.to_string())),
        Finding::TooFew { .. } | Finding::InTheFuture { .. } => format!("lastgood list{}", of_it()),
        Finding::DrillFailed { .. }
        | Finding::DrillOld { .. }
        | Finding::NeverDrilled { .. }
        | Finding::DrillUnknown { .. } => format!("lastgood drill{}", of_it()),
    })
}

/// The flag that chooses a database, where the settings don't choose it alone.
fn of_database(name: &str, settings: &Settings) -> String {
    match settings.databases.as_slice() {
        [one] if one.name.as_deref() == Some(name) => String::new(),
        _ => format!(" --database {}", words::shell_word(name)),
    }
}
