//! Which command to run next, by what `check` found.

use catalog::freshness::next_command;
use catalog::words;

use crate::commands::check::Health;
use crate::settings::Settings;

/// The command that mends the first thing that is wrong with a database, or shows more of it.
pub(super) fn command(health: &Health, settings: &Settings) -> Option<String> {
    let first = &health.findings.first()?.finding;
    Some(next_command(first, &of_database(&health.database, settings), health.unverified.as_deref()))
}

/// The flag that chooses a database, where the settings don't choose it alone.
fn of_database(name: &str, settings: &Settings) -> String {
    match settings.databases.as_slice() {
        [one] if one.name.as_deref() == Some(name) && !settings.are_chosen_by_flag() => String::new(),
        _ => format!(" --database {}", words::shell_word(name)),
    }
}
