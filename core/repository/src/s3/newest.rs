//! The newest backups without listing all: date folders from the newest down, and in each only the one database.
//!
//! Requests: one for the folders of the last month (one more when those don't hold a good backup, for a year; and one
//! per thousand folders beyond that), one for each folder down to the newest good backup, and one or two to make sure
//! that none in the day before is newer. The same with ten backups or a million.

use catalog::{Catalog, Object, catalogs, encode_database};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

use super::Bucket;
use crate::Error;

/// How far back folders are listed at first, and then; after that, all of them.
const WINDOWS_DAYS: [i32; 2] = [31, 366];

impl Bucket {
    /// The newest entries of one database, down to its newest good backup; all of its entries where none is good.
    pub(crate) async fn recent(&self, database: &str, now: Timestamp) -> Result<Catalog, Error> {
        let today = date(now);
        let oldest = WINDOWS_DAYS.map(|days| today.checked_sub(days.days()).ok());
        let mut rows = Vec::new();
        let mut before = None;
        for from in oldest.into_iter().flatten().map(Some).chain([None]) {
            let mut days = self.day_folders(from, before).await?;
            days.sort_unstable();
            for day in days.into_iter().rev() {
                if self.catalog_of(database, &rows).newest_good().is_some_and(|good| is_settled(good.instant, day)) {
                    return Ok(self.catalog_of(database, &rows));
                }
                rows.extend(self.day_of_database(day, database).await?);
            }
            if self.catalog_of(database, &rows).newest_good().is_some() {
                break;
            }
            before = from;
        }
        Ok(self.catalog_of(database, &rows))
    }

    /// The date folders from a day on and before another one.
    async fn day_folders(&self, from: Option<Date>, before: Option<Date>) -> Result<Vec<Date>, Error> {
        let root = self.layout.prefix();
        let start = from.map(|day| self.layout.day_prefix(day).trim_end_matches('/').to_owned());
        let request = self.list_request(root).delimiter("/").set_start_after(start);
        let mut days = Vec::new();
        self.pages(request, |page| {
            let folders = page.common_prefixes().iter().filter_map(|folder| folder.prefix());
            let found: Vec<Date> = folders.filter_map(|folder| self.layout.day_of_folder(folder)).collect();
            days.extend(found.iter().filter(|day| before.is_none_or(|before| **day < before)));
            // Folders come in order: what follows the days asked for needs no reading.
            let past = found.iter().any(|day| before.is_some_and(|before| *day >= before));
            Ok(!past && !begins_past_days(page, root))
        })
        .await?;
        Ok(days)
    }

    async fn day_of_database(&self, day: Date, database: &str) -> Result<Vec<Object>, Error> {
        let folder = self.layout.day_prefix(day);
        let encoded = encode_database(database);
        let mut objects = self.list(&format!("{folder}{encoded}_backup_"), None).await?;
        if encoded != database {
            // Guests spell the name as it is.
            objects.extend(self.list(&format!("{folder}{database}_backup_"), None).await?);
        }
        Ok(objects)
    }

    fn catalog_of(&self, database: &str, objects: &[Object]) -> Catalog {
        let found = catalogs(&self.layout, objects.iter().cloned()).into_iter().find(|c| c.database == database);
        found.unwrap_or_else(|| Catalog { database: database.to_owned(), entries: Vec::new(), expected: None })
    }
}

/// A backup is hardly younger than its folder says: with a good one at `instant`, days well before it can't hold a newer
/// one. A folder from a wrong clock's future can, so the folder that held the good one doesn't count, only its instant.
fn is_settled(instant: Timestamp, day: Date) -> bool {
    date(instant).yesterday().is_ok_and(|yesterday| day < yesterday)
}

fn date(instant: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(instant).date()
}

/// True when a page has come to names that sort after every date.
fn begins_past_days(page: &aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output, root: &str) -> bool {
    let folders = page.common_prefixes().iter().filter_map(|folder| folder.prefix());
    let keys = page.contents().iter().filter_map(|object| object.key());
    folders.chain(keys).filter_map(|key| key.strip_prefix(root)).any(|name| name > ":")
}
