//! A link to the page that the AWS stack makes each day.

use std::fmt;
use std::time::Duration;

use catalog::{StatusRecord, words};
use jiff::{SignedDuration, Timestamp};
use repository::Repository;
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::settings::Settings;

/// S3 signs nothing for longer: seven days.
const MOST: u32 = 7 * 24;
/// Hours, where nothing is said.
const USUAL: u32 = 24;

/// `lastgood report --link --json`.
#[derive(Serialize)]
struct LinkAnswer {
    link: String,
    /// When it ends at the latest: with temporary credentials it ends with them.
    ends: Timestamp,
    /// When the page was made.
    made: Timestamp,
}

/// Signs a link, once the page is known to be there.
pub(super) async fn give(repository: &Repository, hours: Option<u32>, settings: &Settings) -> Result<Exit, Failure> {
    let hours = hours.unwrap_or(USUAL);
    if !(1..=MOST).contains(&hours) {
        return Err(
            Failure::new(Exit::Usage, "a link cannot last longer than 7 days").hint("choose 1h to 7d: --expires 12h")
        );
    }
    let key = repository.layout().status(StatusRecord::Page);
    let Repository::Bucket(_) = repository else {
        return Err(Failure::new(Exit::Usage, "a directory has no links").hint("make the page: lastgood report"));
    };
    let Some(page) = repository.head(&key).await? else {
        return Err(Failure::new(Exit::NotFound, format!("there is no page at {}", repository.object_name(&key)))
            .hint("the AWS stack's freshness function makes it each day; make one here: lastgood report"));
    };
    let (lasts, now) = (Duration::from_secs(u64::from(hours) * 3_600), Timestamp::now());
    let link = repository.link(&key, lasts).await?.unwrap_or_default();
    let ends = now + SignedDuration::from_hours(hours.into());
    let answer = LinkAnswer { link, ends, made: page.object.last_modified };
    settings.report.answer(&answer, &answer)?;
    Ok(Exit::Done)
}

impl fmt::Display for LinkAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.link)?;
        writeln!(f, "\nThe page was made on {}. Whoever has this link can read it", words::minute(self.made))?;
        writeln!(f, "until {}; with temporary credentials it ends with them.", words::minute(self.ends))
    }
}
