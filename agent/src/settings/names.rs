//! Names: those that are read, and those that are probably a slip. A name of another program is neither.

use postgres::libpq;

use super::definition::Definition;
use super::{foreign, table};

/// What only the names of Lastgood's settings are likely to begin with.
const OURS: [&str; 6] = ["BACKUP_", "RESTORE_", "LASTGOOD_", "MAX_BACKUP_", "MIN_BACKUP_", "DB_"];
/// How many letters may be changed, missing or exchanged in a name of the TOML file, which is ours alone.
const MOST_TYPOS: usize = 2;
/// So long a last word is nobody else's by chance.
const LONG: usize = 6;

/// Whether some setting, or libpq, has this name.
pub(super) fn is_known(name: &str) -> bool {
    known().any(|known| known == name) || is_file_of_known(name)
}

/// Whether it is read: a setting's, libpq's, or one of another program's that says where its database is.
pub(crate) fn is_read(name: &str) -> bool {
    is_known(name) || foreign::is_read(name)
}

/// Whether a value of this name is never shown.
pub(crate) fn is_secret(name: &str) -> bool {
    let own = table::ALL.iter().any(|definition| definition.secret && definition.is_called(name));
    own || libpq::is_secret(name) || foreign::is_secret(name)
}

/// The name whose value is in the file that `NAME_FILE` names: a secret's, or one of a database's address.
pub(super) fn of_file(name: &str) -> Option<&str> {
    let base = name.strip_suffix("_FILE")?;
    let is_own = definition_of(base).is_some_and(|definition| {
        definition.secret || ADDRESS.contains(&base) || definition.name.ends_with("ACCESS_KEY_ID")
    });
    (is_own || foreign::is_read(base)).then_some(base)
}

/// The setting of this name, which may be an alias, or that of another bucket than the first.
pub(super) fn definition_of(name: &str) -> Option<&'static Definition> {
    table::ALL.iter().find(|definition| definition.is_called(name)).copied()
}

/// A text about the first bucket, with the names of the settings of the one of this number: a hint is to work as it is written.
pub(crate) fn numbered(text: &str, number: usize) -> String {
    let is_of_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let own = |word: &str| {
        let definition =
            table::ALL.iter().find(|definition| definition.numbered && definition.names().any(|n| n == word));
        definition.and_then(|definition| definition.twin(number))
    };
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(is_of_name) {
        let (before, from) = rest.split_at(begin);
        let (word, after) = from.split_at(from.find(|c: char| !is_of_name(c)).unwrap_or(from.len()));
        told.push_str(before);
        told.push_str(own(word).unwrap_or(word));
        rest = after;
    }
    told + rest
}

/// What is wrong with a name that numbers a bucket which can't be: `BACKUP_S3_BUCKET_5`. Names of AWS may be another program's.
pub(super) fn misnumbered(name: &str) -> Option<String> {
    let (base, number) = name.strip_suffix("_FILE").unwrap_or(name).rsplit_once('_')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_ours = base.starts_with("BACKUP_") && !is_known(name) && is_number;
    let definition = table::ALL.iter().find(|definition| definition.numbered && definition.name == base)?;
    let [second, _, fourth] = definition.twins;
    is_ours.then(|| match number.parse() {
        Ok(1) => format!("the first bucket's has no number: {base}"),
        _ => format!("there are four buckets at most: {base}, and {second} to {fourth}"),
    })
}

/// What of a database's address is no secret.
const ADDRESS: [&str; 4] = ["DB_HOST", "DB_PORT", "DB_NAME", "DB_USER"];

fn is_file_of_known(name: &str) -> bool {
    of_file(name).is_some_and(|base| known().any(|known| known == base))
}

/// The name that was probably meant in the TOML file.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let near = known().map(|known| (strsim::damerau_levenshtein(name, known), known));
    near.filter(|(distance, _)| *distance <= MOST_TYPOS).min().map(|(_, known)| known)
}

/// The name that was meant by one that looks like ours but for one letter. `DB_HOST2`, `DB_POST` and `BACKUP_DIRS` are
/// words of their own.
pub(super) fn misspelt(name: &str) -> Option<&'static str> {
    if !OURS.iter().any(|start| name.starts_with(start)) || is_read(name) || of_file(name).is_some() {
        return None;
    }
    known().find(|known| strsim::damerau_levenshtein(name, known) == 1 && is_slip(name, known))
}

/// Whether the one letter that differs is a slip of the hand and not what makes it another name.
fn is_slip(name: &str, meant: &str) -> bool {
    let is_exchange = name.len() == meant.len() && strsim::levenshtein(name, meant) == 2;
    let number = |name: &str| {
        let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_').len();
        name.get(bare..).unwrap_or_default().to_owned()
    };
    let is_numbered = !number(name).is_empty() && number(name) != number(meant);
    let is_plural = name.strip_suffix('S') == Some(meant) || meant.strip_suffix('S') == Some(name);
    let words = meant.split('_').count();
    let is_long = words > 2 || meant.rsplit('_').next().is_some_and(|last| last.len() >= LONG);
    is_exchange || (is_long && !is_numbered && !is_plural)
}

/// Every name of ours and of libpq.
pub(super) fn known() -> impl Iterator<Item = &'static str> {
    let settings = table::ALL.iter().flat_map(|definition| definition.names());
    let further = table::ALL.iter().flat_map(|definition| definition.further().map(|(_, name)| name));
    let settings = settings.chain(further);
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
            ("DB_PASWORD", Some("DB_PASSWORD")),
            ("BACKUP_COMPRESION", Some("BACKUP_COMPRESSION")),
            ("BACKUP_S3_BUCKET", None),
            ("BACKUP_S3_BUKET_2", Some("BACKUP_S3_BUCKET_2")),
            ("BACKUP_S3_BUCKET_5", None),
            ("BACKUP_TARGET_HOST", None),
            ("DB_POOL_SIZE", None),
            ("SECRET_KEY", None),
        ];
        for (name, meant) in cases {
            assert_eq!(misspelt(name), meant, "{name}");
        }
    }

    #[test]
    fn names_that_other_programs_have_are_nobodys_slip() {
        let names = "DB_POOL DB_TEST DB_HOST_2 DB_HOST2 DB_NAME1 DB_PORTS DB_POST DB_ROOT DB_SORT DB_USE DB_USERS DB_GAME \
                     DB_PASSWORD2 DB_PASSWORDS DB_PASS DB_DATABASE DB_USERNAME BACKUP_TIME BACKUP_DATE BACKUP_DB BACKUP_DIRS BACKUP_DIM \
                     BACKUP_GAME BACKUP_KEEP_DAYS BACKUP_KEEP_WEEKS BACKUP_KEEP_MONTHS BACKUP_S3_BUCKETS BACKUP_S3_BUCKET_2 PGPASS PGPOOL \
                     PGDATA POSTGRES_HOST AWS_REGIONS AWS_PROFILES MIN_BACKUPS MAX_BACKUPS DB_PASSWORD_FILE RESTORE_LOG_FILES";
        for name in names.split_whitespace() {
            assert_eq!(misspelt(name), None, "{name}");
        }
    }

    #[test]
    fn a_number_that_no_bucket_has_is_a_mistake_of_ours_alone() {
        for name in ["BACKUP_S3_BUCKET_5", "BACKUP_S3_PREFIX_10", "BACKUP_S3_ENDPOINT_0"] {
            assert!(misnumbered(name).unwrap().contains("four buckets at most"), "{name}");
        }
        assert_eq!(
            misnumbered("BACKUP_S3_BUCKET_1").as_deref(),
            Some("the first bucket's has no number: BACKUP_S3_BUCKET")
        );
        assert!(misnumbered("BACKUP_AWS_SECRET_ACCESS_KEY_7_FILE").is_some());
        for name in ["BACKUP_S3_BUCKET_2", "AWS_REGION_5", "BACKUP_DIR_2", "BACKUP_S3_BUCKET_", "DB_HOST_2"] {
            assert_eq!(misnumbered(name), None, "{name}");
        }
    }

    #[test]
    fn a_hint_names_the_settings_of_the_bucket_that_it_is_about() {
        let hint =
            "check BACKUP_S3_ENDPOINT, or BACKUP_S3_BUCKET_OWNER; set AWS_REGION=eu-west-1 (BACKUP_RETRY_MINUTES)";
        let third = "check BACKUP_S3_ENDPOINT_3, or BACKUP_S3_BUCKET_OWNER_3; set AWS_REGION_3=eu-west-1 (BACKUP_RETRY_MINUTES)";
        assert_eq!(numbered(hint, 3), third);
        assert_eq!(numbered(hint, 1), hint);
        assert_eq!(numbered("nothing É", 2), "nothing É");
    }

    #[test]
    fn a_file_may_hold_a_secret_or_a_part_of_the_address() {
        let cases = [
            ("DB_PASSWORD_FILE", Some("DB_PASSWORD")),
            ("POSTGRES_PASSWORD_FILE", Some("POSTGRES_PASSWORD")),
            ("AWS_SECRET_ACCESS_KEY_FILE", Some("AWS_SECRET_ACCESS_KEY")),
            ("BACKUP_AWS_ACCESS_KEY_ID_FILE", Some("BACKUP_AWS_ACCESS_KEY_ID")),
            ("BACKUP_AWS_ACCESS_KEY_ID_3_FILE", Some("BACKUP_AWS_ACCESS_KEY_ID_3")),
            ("BACKUP_AWS_SECRET_ACCESS_KEY_2_FILE", Some("BACKUP_AWS_SECRET_ACCESS_KEY_2")),
            ("BACKUP_S3_BUCKET_2_FILE", None),
            ("DATABASE_URL_FILE", Some("DATABASE_URL")),
            ("POSTGRES_DB_FILE", Some("POSTGRES_DB")),
            ("BACKUP_AGE_RECIPIENTS_FILE", None),
            ("BACKUP_LOG_FILE", None),
            ("SECRET_KEY_FILE", None),
        ];
        for (name, base) in cases {
            assert_eq!(of_file(name), base, "{name}");
        }
    }
}
