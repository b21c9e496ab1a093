//! A load that a listing shows: what is in the repository, and how often backups were added lately.

use catalog::{Catalog, Entry, Object, Policy};
use jiff::Timestamp;

use super::load::{Load, Pile, Rhythm, Stock, Stream};
use super::scenario::lifetime;
use super::stack::Stack;

/// How many days "lately" means.
const LATELY: f64 = 30.0;
/// How many of the newest archives are averaged to estimate the next one's size.
const NEWEST: usize = 7;

/// Every database of the repository. `policy` is a database's, by its name.
pub(super) fn load(
    catalogs: &[Catalog],
    policy: impl Fn(&str) -> Policy,
    glacier_days: Option<u32>,
    stack: Stack,
    now: Timestamp,
) -> Load {
    let streams = catalogs.iter().filter(|catalog| catalog.entries.iter().any(|entry| entry.archive.is_some()));
    let streams = streams.map(|catalog| stream(catalog, &policy(&catalog.database), glacier_days, now));
    Load { streams: streams.collect(), stack }
}

fn stream(catalog: &Catalog, policy: &Policy, glacier_days: Option<u32>, now: Timestamp) -> Stream {
    let mut stock = Stock { records: records(catalog), ..Stock::default() };
    for archive in catalog.entries.iter().flat_map(archives) {
        let pile = if archive.readable { &mut stock.standard } else { &mut stock.glacier };
        *pile = Pile { archives: pile.archives + 1.0, bytes: pile.bytes + archive.size as f64 };
    }
    let ages = ages(catalog, now);
    let rate = per_day(&ages);
    let per_day = rate.unwrap_or(1.0);
    let rhythm = Rhythm {
        per_day,
        guessed: rate.is_none(),
        size: usual_size(catalog),
        days: lifetime(policy, per_day),
        glacier_days: glacier_days.map(f64::from),
    };
    let is_old = |days: f64| ages.last().is_some_and(|oldest| *oldest >= days - 1.0);
    if rhythm.days.is_some_and(is_old) && stock.glacier.archives > 0.0 {
        stock.beyond = rhythm.beyond();
    }
    let expected = catalog.expected.is_some();
    Stream { database: Some(catalog.database.clone()), databases: 1.0, expected, rhythm, stock }
}

fn archives(entry: &Entry) -> impl Iterator<Item = &Object> {
    entry.archive.iter().chain(&entry.strays)
}

/// Bytes of everything of this database that is not an archive.
fn records(catalog: &Catalog) -> f64 {
    let of_entry = |entry: &Entry| -> u64 {
        let Entry { manifest, intact, damaged, verifying, drill, globals, index, .. } = entry;
        let records = [manifest, intact, damaged, verifying, drill, globals, index];
        records.into_iter().flatten().map(|record| record.size).sum()
    };
    let mark = catalog.expected.as_ref().map_or(0, |mark| mark.size);
    (catalog.entries.iter().map(of_entry).sum::<u64>() + mark) as f64
}

/// Ages of the backups in days, the newest first.
fn ages(catalog: &Catalog, now: Timestamp) -> Vec<f64> {
    let made = catalog.entries.iter().filter(|entry| entry.archive.is_some()).map(|entry| entry.instant);
    let mut ages: Vec<f64> = made.map(|made| now.duration_since(made).as_secs_f64() / 86_400.0).collect();
    ages.sort_by(f64::total_cmp);
    ages
}

/// Backups per day lately; `None` where the first one is less than a day old, so that the rate is unknown.
fn per_day(ages: &[f64]) -> Option<f64> {
    let recent: Vec<f64> = ages.iter().copied().filter(|age| *age <= LATELY).collect();
    match (ages.last(), recent.as_slice()) {
        (Some(oldest), _) if *oldest > LATELY => Some(recent.len() as f64 / LATELY),
        (_, [newest, .., oldest]) if *oldest >= 1.0 && oldest > newest => {
            Some((recent.len() - 1) as f64 / (oldest - newest))
        }
        _ => None,
    }
}

fn usual_size(catalog: &Catalog) -> f64 {
    let mut archives: Vec<&Object> = catalog.entries.iter().filter_map(|entry| entry.archive.as_ref()).collect();
    archives.sort_by_key(|archive| std::cmp::Reverse(archive.last_modified));
    let newest: Vec<f64> = archives.iter().take(NEWEST).map(|archive| archive.size as f64).collect();
    newest.iter().sum::<f64>() / (newest.len() as f64).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(rate: Option<f64>, expected: f64) {
        assert!((rate.unwrap() - expected).abs() < 1e-9, "{rate:?} instead of {expected}");
    }

    #[test]
    fn a_rhythm_is_read_off_the_last_thirty_days() {
        let daily: Vec<f64> = (0..90).map(|days| f64::from(days) + 0.5).collect();
        is(per_day(&daily), 1.0);
        is(per_day(&daily[..10]), 1.0);
        let hourly: Vec<f64> = (0..48).map(|hours| f64::from(hours) / 24.0).collect();
        is(per_day(&hourly), 24.0);
    }

    #[test]
    fn backups_that_stopped_are_none_a_day() {
        is(per_day(&[40.0, 41.0]), 0.0);
    }

    #[test]
    fn the_first_day_tells_no_rhythm() {
        for ages in [&[0.1][..], &[0.1, 0.2], &[5.0]] {
            assert_eq!(per_day(ages), None, "{ages:?}");
        }
    }
}
