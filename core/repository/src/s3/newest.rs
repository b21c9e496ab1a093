//! The newest backups without listing all of them: windows of days, from the newest back, read in the order of keys with
//! a skip past whatever isn't the one database's.
//!
//! Requests: one for the last days, as a rule. A page shows a thousand keys, so days with few of them come together; of a
//! day with many, only the one database's are read. So it costs at most one request for each day down to the oldest
//! wanted, and one more for each thousand keys of the database itself: the same with ten backups or a million.

use catalog::{Catalog, Object, catalogs, encode_database};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::{Bucket, Call, listing};
use crate::Error;

/// How many days back each window begins; the last one has no beginning.
const WINDOWS_DAYS: [i32; 3] = [2, 31, 366];
/// Pages of a thousand keys that are looked through for the oldest entries.
const OLDEST_PAGES: usize = 2;
/// Keys of a whole page.
const PAGE: i32 = 1_000;
/// Keys that are asked for where a jump lands on a crowded day: what follows the one database's is not read only to be left out.
const LANDING: i32 = 100;

impl Bucket {
    /// The newest entries of one database, down to its newest `good` good backups that do not lie in the future of `now`; all of
    /// its entries where there are fewer.
    pub(crate) async fn recent(&self, database: &str, now: Timestamp, good: usize) -> Result<Catalog, Error> {
        let starts = WINDOWS_DAYS.map(|days| date(now).checked_sub(days.days()).unwrap_or(Date::MIN));
        let mut rows = Vec::new();
        let mut before = None;
        for from in starts.into_iter().chain([Date::ZERO]) {
            rows.extend(self.window_of_database(database, from, before).await?);
            let catalog = self.catalog_of(database, &rows);
            let last = catalog.good().filter(|entry| !entry.is_in_the_future(now)).nth(good.saturating_sub(1));
            if last.is_some_and(|last| is_settled(last.instant, from)) {
                return Ok(catalog);
            }
            before = Some(from);
        }
        Ok(self.catalog_of(database, &rows))
    }

    /// The entries of one database in the first pages of the listing that can hold any: some of its oldest.
    pub(crate) async fn oldest(&self, database: &str) -> Result<Catalog, Error> {
        let name = format!("{}_backup_", encode_database(database));
        Ok(self.catalog_of(database, &self.skip_scan(&name, Date::ZERO, None, OLDEST_PAGES).await?))
    }

    async fn window_of_database(&self, database: &str, from: Date, before: Option<Date>) -> Result<Vec<Object>, Error> {
        let encoded = encode_database(database);
        let mut objects = self.skip_scan(&format!("{encoded}_backup_"), from, before, usize::MAX).await?;
        if encoded != database {
            // Guests spell the name as it is.
            objects.extend(self.skip_scan(&format!("{database}_backup_"), from, before, usize::MAX).await?);
        }
        Ok(objects)
    }

    /// The objects in date folders from a day on and before another, whose names begin so, in at most so many pages.
    async fn skip_scan(
        &self,
        name: &str,
        from: Date,
        before: Option<Date>,
        pages: usize,
    ) -> Result<Vec<Object>, Error> {
        let end = before.map(|day| self.layout.day_prefix(day));
        let mut objects = Vec::new();
        let mut after = format!("{}{name}", self.layout.day_prefix(from));
        let mut keys = PAGE;
        for _ in 0..pages {
            let request = || self.list_request(self.layout.prefix()).start_after(&after).max_keys(keys).send();
            let page = self.call(Call::on_bucket("s3:ListBucket"), request).await?;
            let listed = listing::objects(&page)?;
            let last = listed.last().map(|object| object.key.clone());
            let is_one_day = self.is_one_day(&listed);
            let is_wanted = |object: &Object| {
                self.named_in_day(&object.key, name) && end.as_ref().is_none_or(|end| object.key < *end)
            };
            objects.extend(listed.into_iter().filter(is_wanted));
            let last = last.filter(|_| page.is_truncated() == Some(true));
            let next = last.as_ref().and_then(|last| self.skip(last, name));
            keys = if is_one_day && last != next { LANDING } else { PAGE };
            match next {
                Some(next) if next <= after => return Err(self.incomplete("the store's pages don't advance")),
                Some(next) if end.as_ref().is_none_or(|end| next < *end) => after = next,
                _ => break,
            }
        }
        Ok(objects)
    }

    /// Where the scan goes on after a key; `None` when no date folder can follow.
    fn skip(&self, last: &str, name: &str) -> Option<String> {
        let rest = last.strip_prefix(self.layout.prefix())?;
        let Some(day) = self.day_of(last) else {
            // Digits sort before letters: past them there are no dates.
            return (rest < ":").then(|| last.to_owned());
        };
        let wanted = format!("{}{name}", self.layout.day_prefix(day));
        if last < wanted.as_str() {
            Some(wanted)
        } else if last.starts_with(&wanted) {
            Some(last.to_owned())
        } else {
            Some(format!("{}{name}", self.layout.day_prefix(day.tomorrow().ok()?)))
        }
    }

    /// Whether a page's keys lie in the folder of a single day: then others will be as crowded.
    fn is_one_day(&self, listed: &[Object]) -> bool {
        let day = |object: Option<&Object>| object.and_then(|object| self.day_of(&object.key));
        let (first, last) = (day(listed.first()), day(listed.last()));
        first.is_some() && first == last
    }

    fn named_in_day(&self, key: &str, name: &str) -> bool {
        self.day_of(key).is_some_and(|day| {
            key.strip_prefix(&self.layout.day_prefix(day)).is_some_and(|file| file.starts_with(name))
        })
    }

    pub(super) fn day_of(&self, key: &str) -> Option<Date> {
        let rest = key.strip_prefix(self.layout.prefix())?;
        let folder = rest.find('/').and_then(|slash| key.get(..=self.layout.prefix().len() + slash))?;
        self.layout.day_of_folder(folder)
    }

    fn catalog_of(&self, database: &str, objects: &[Object]) -> Catalog {
        let found = catalogs(&self.layout, objects.iter().cloned()).into_iter().find(|c| c.database == database);
        found.unwrap_or_else(|| Catalog { database: database.to_owned(), entries: Vec::new(), expected: None })
    }
}

/// Whether no day before `from` can hold a newer backup than one of this instant: a backup is hardly younger than its
/// folder says. The instant counts and not its folder, which a wrong clock may have put into the future.
pub(super) fn is_settled(instant: Timestamp, from: Date) -> bool {
    date(instant).yesterday().is_ok_and(|yesterday| from <= yesterday)
}

pub(super) fn date(instant: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(instant).date()
}
