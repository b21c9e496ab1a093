//! Misspelt names: a setting under a wrong name would be ignored silently.

use postgres::libpq;

use super::table;

/// Beginnings of names that only Lastgood's settings are likely to have.
const OURS: [&str; 6] = ["BACKUP_", "RESTORE_", "LASTGOOD_", "MAX_BACKUP_", "MIN_BACKUP_", "DB_"];
/// How many letters may be changed, missing or exchanged in a name that is still recognized as a typo.
const MOST_TYPOS: usize = 2;

/// Whether some setting, or libpq, has this name.
pub(super) fn is_known(name: &str) -> bool {
    known().any(|known| known == name)
}

/// The name that was probably meant.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let near = known().map(|known| (strsim::damerau_levenshtein(name, known), known));
    near.filter(|(distance, _)| *distance <= MOST_TYPOS).min().map(|(_, known)| known)
}

/// The name that was probably meant by one that looks like ours and isn't.
/// A name of another program is not a mistake.
pub(super) fn misspelt(name: &str) -> Option<&'static str> {
    let ours = OURS.iter().any(|start| name.starts_with(start));
    if ours && !is_known(name) { nearest(name) } else { None }
}

/// Every name that is read.
pub(super) fn known() -> impl Iterator<Item = &'static str> {
    let settings = table::ALL.iter().flat_map(|definition| definition.names());
    settings.chain(libpq::PARAMETERS.iter().map(|(_, variable)| *variable)).chain(["PGSYSCONFDIR"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_from_another_programs_name() {
        let cases = [
            ("BACKUP_S3_BUKET", Some("BACKUP_S3_BUCKET")),
            ("BACKUP_KEEP_DIALY", Some("BACKUP_KEEP_DAILY")),
            ("DB_HSOT", Some("DB_HOST")),
            ("BACKUP_S3_BUCKET", None),
            ("BACKUP_TARGET_HOST", None),
            ("DB_POOL_SIZE", None),
            ("SECRET_KEY", None),
        ];
        for (name, meant) in cases {
            assert_eq!(misspelt(name), meant, "{name}");
        }
    }
}
