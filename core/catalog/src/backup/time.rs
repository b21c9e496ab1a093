//! Times and days as names spell them: `YYYYMMDD_HHMMSS` in UTC, and the folder `YYYYMMDD`.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::invalid::InvalidName;

/// What a part of a name is, read as a time.
pub(super) enum NameTime {
    Time(Timestamp),
    /// Eight digits, `_` and six digits, but there is no such time.
    Impossible,
    /// Not shaped like a time.
    Other,
}

pub(super) fn read_time(text: &str) -> NameTime {
    let Some((date, clock)) = text.split_once('_') else { return NameTime::Other };
    let (Some(date), Some(clock)) = (numbers(date, 4), numbers(clock, 2)) else { return NameTime::Other };
    civil(date, clock)
        .and_then(|time| TimeZone::UTC.to_timestamp(time).ok())
        .map_or(NameTime::Impossible, NameTime::Time)
}

pub(super) fn spell_time(time: Timestamp) -> Result<String, InvalidName> {
    let utc = TimeZone::UTC.to_datetime(time);
    if utc.year() < 0 {
        return Err(InvalidName::ImpossibleTime(time.to_string()));
    }
    Ok(format!("{}_{:02}{:02}{:02}", spell_day(utc.date()), utc.hour(), utc.minute(), utc.second()))
}

/// The day a date folder names.
pub(crate) fn parse_day(text: &str) -> Option<Date> {
    let [year, month, day] = numbers(text, 4)?;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

pub(crate) fn spell_day(day: Date) -> String {
    format!("{:04}{:02}{:02}", day.year(), day.month(), day.day())
}

/// Three numbers of `first`, two and two digits, and nothing else.
fn numbers(text: &str, first: usize) -> Option<[i16; 3]> {
    if text.len() != first + 4 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (one, rest) = text.split_at_checked(first)?;
    let (two, three) = rest.split_at_checked(2)?;
    Some([one.parse().ok()?, two.parse().ok()?, three.parse().ok()?])
}

fn civil([year, month, day]: [i16; 3], [hour, minute, second]: [i16; 3]) -> Option<DateTime> {
    let narrow = |number: i16| i8::try_from(number).ok();
    DateTime::new(year, narrow(month)?, narrow(day)?, narrow(hour)?, narrow(minute)?, narrow(second)?, 0).ok()
}
