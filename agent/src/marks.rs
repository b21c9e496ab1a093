//! The marks that say which databases' backups are expected in a bucket, and with which limits of their own.

use catalog::{DatabaseEntry, Thresholds};
use jiff::{SignedDuration, Timestamp};
use repository::{Error, Repository};

use crate::answers::failure::{Exit, Failure};
use crate::settings::{DatabaseSettings, Limits};

/// Marks once that backups of `database` are expected in a bucket from `since` on, so that their absence is noticed. A directory is
/// small enough to be looked through, and has no marks.
///
/// # Errors
/// Those of the store. A backup without this mark is still whole.
pub(crate) async fn expect(repository: &Repository, database: &str, since: Timestamp) -> Result<(), Error> {
    let Repository::Bucket(_) = repository else { return Ok(()) };
    let Ok(json) = DatabaseEntry::new(database, since).to_json() else { return Ok(()) };
    repository.put_new(&repository.layout().database_entry(database), json).await.map(drop)
}

/// Says that a database could not be marked; the next backup tries again.
pub(crate) fn warn(repository: &Repository, database: &str, error: &Error) {
    tracing::warn!(
        "cannot mark {database} as expected in {}, so nobody would notice if its backups stopped: {error}",
        repository.display_name()
    );
}

/// Writes a mark over the one that is there.
///
/// # Errors
/// Those of the store.
pub(crate) async fn write(repository: &Repository, entry: &DatabaseEntry) -> Result<(), Failure> {
    let json = entry.to_json().map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
    repository.put_over(&repository.layout().database_entry(&entry.database), json).await?;
    Ok(())
}

/// The limits of `check`: those that were set here; else those of the database's mark; else the defaults.
pub(crate) fn thresholds(database: &DatabaseSettings, mark: Option<&DatabaseEntry>) -> Thresholds {
    let Limits { max_age_hours, min_size } = database.limits;
    let mut thresholds = database.thresholds.clone();
    let hours = mark.and_then(|mark| mark.max_age_hours).filter(|_| max_age_hours.is_none());
    if let Some(hours) = hours {
        thresholds.max_age = SignedDuration::from_hours(hours.into());
    }
    if let Some(bytes) = mark.and_then(|mark| mark.min_size).filter(|_| min_size.is_none()) {
        thresholds.min_size = Some(bytes);
    }
    thresholds
}

/// Where the settings contradict the mark, a sentence each: `check` goes by the one, and the AWS stack's alarms by the other.
pub(crate) fn contradictions(limits: Limits, mark: &DatabaseEntry) -> Vec<String> {
    let differ = |set: Option<u64>, marked: Option<u64>| set.zip(marked).filter(|(set, marked)| set != marked);
    let say = |name: &str, (set, marked): (u64, u64)| {
        format!(
            "{name} is {set} here, and {marked} in the mark of {}: `check` goes by the one, and the AWS stack's alarms by the other \
             (lastgood expect changes the mark)",
            mark.database
        )
    };
    let age = differ(limits.max_age_hours.map(u64::from), mark.max_age_hours.map(u64::from));
    let size = differ(limits.min_size, mark.min_size);
    let age = age.map(|both| say("MAX_BACKUP_AGE_HOURS", both));
    age.into_iter().chain(size.map(|both| say("MIN_BACKUP_SIZE", both))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(max_age_hours: Option<u32>, min_size: Option<u64>) -> DatabaseEntry {
        DatabaseEntry { max_age_hours, min_size, ..DatabaseEntry::new("shop", Timestamp::UNIX_EPOCH) }
    }

    #[test]
    fn only_what_is_set_by_hand_and_otherwise_than_in_the_mark_contradicts_it() {
        let set = |max_age_hours, min_size| Limits { max_age_hours, min_size };
        let table = [
            (set(None, None), mark(Some(2), Some(5)), 0),
            (set(Some(2), Some(5)), mark(Some(2), Some(5)), 0),
            (set(Some(26), Some(5)), mark(None, None), 0),
            (set(Some(26), None), mark(Some(2), Some(5)), 1),
            (set(Some(26), Some(6)), mark(Some(2), Some(5)), 2),
        ];
        for (limits, mark, count) in table {
            assert_eq!(contradictions(limits, &mark).len(), count, "{limits:?} {mark:?}");
        }
        let said = contradictions(set(Some(26), None), &mark(Some(2), None));
        assert!(said[0].starts_with("MAX_BACKUP_AGE_HOURS is 26 here, and 2 in the mark of shop"), "{said:?}");
    }
}
