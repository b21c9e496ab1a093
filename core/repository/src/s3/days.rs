//! What was stored lately, of all databases at once: keys are read in their order from the first day's folder on. After the
//! days come the marks and the status, and whatever else lies between is jumped over.

use catalog::Object;
use jiff::{Timestamp, ToSpan};

use super::newest::{date, is_settled};
use super::{Bucket, Call, listing};
use crate::Error;

impl Bucket {
    /// Everything in the folders of the last `days` days and of later ones, and all marks and status documents.
    pub(crate) async fn last_days(&self, now: Timestamp, days: i32) -> Result<Vec<Object>, Error> {
        let first = date(now).checked_sub(days.days()).unwrap_or(jiff::civil::Date::ZERO);
        // Where keys of ours can lie, in the order of keys: digits come before letters.
        let regions = [self.layout.day_prefix(first), self.layout.databases_prefix(), self.layout.status_prefix()];
        let mut objects = Vec::new();
        let mut after = regions.first().cloned().unwrap_or_default();
        loop {
            let request = || self.list_request(self.layout.prefix()).start_after(&after).send();
            let page = self.call(Call::on_bucket("s3:ListBucket"), request).await?;
            let listed = listing::objects(&page)?;
            let last = listed.last().map(|object| object.key.clone());
            let is_ours = |object: &Object| {
                let is_record = regions.iter().skip(1).any(|region| object.key.starts_with(region));
                is_record || self.day_of(&object.key).is_some()
            };
            objects.extend(listed.into_iter().filter(is_ours));
            match last.filter(|_| page.is_truncated() == Some(true)).and_then(|last| self.after(&last, &regions)) {
                None => return Ok(objects),
                Some(next) if next <= after => return Err(self.incomplete("the store's pages don't advance")),
                Some(next) => after = next,
            }
        }
    }

    /// Where a listing goes on after a key: there, or where the next keys of ours can lie.
    fn after(&self, last: &str, regions: &[String]) -> Option<String> {
        let rest = last.strip_prefix(self.layout.prefix())?;
        let is_within = rest < ":" || regions.iter().any(|region| last.starts_with(region));
        if is_within { Some(last.to_owned()) } else { regions.iter().find(|region| region.as_str() > last).cloned() }
    }

    /// Whether the last `days` days hold all that can be newer than a backup of this instant.
    pub(crate) fn is_settled_within(&self, instant: Timestamp, now: Timestamp, days: i32) -> bool {
        date(now).checked_sub(days.days()).is_ok_and(|first| is_settled(instant, first))
    }
}
