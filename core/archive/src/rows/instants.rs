//! Dates, times and intervals as PostgreSQL shows them (`DateStyle` ISO, `IntervalStyle` postgres, which pg_dump sets), and as people
//! write them.

/// Microseconds of a second and of a day.
const SECOND: i128 = 1_000_000;
const DAY: i128 = 86_400 * SECOND;
/// Days of a month where two intervals are compared, as PostgreSQL does it.
const MONTH: i128 = 30;

/// A point in time, or one without a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// `infinity`, or `-infinity`.
    Endless { is_past: bool },
    /// Microseconds since 1970 on the clock on the wall, and by how many seconds that is ahead of UTC; `None`: no zone was written.
    At { local: i128, ahead: Option<i64> },
}

impl Moment {
    /// `2026-01-20 03:00:00.5+01`, with a `T` before the time or none at all, and with `Z`; `None` for what is no such text.
    pub(super) fn read(text: &str) -> Option<Self> {
        let lower = text.trim().to_ascii_lowercase();
        match lower.as_str() {
            "infinity" | "+infinity" => return Some(Self::Endless { is_past: false }),
            "-infinity" => return Some(Self::Endless { is_past: true }),
            _ => {}
        }
        let (rest, is_before_christ) = match lower.strip_suffix("bc") {
            Some(rest) => (rest.trim_end(), true),
            None => (lower.strip_suffix("ad").unwrap_or(&lower).trim_end(), false),
        };
        let end = rest.find(|letter: char| letter == 't' || letter.is_whitespace()).unwrap_or(rest.len());
        let (date, rest) = rest.split_at(end);
        let days = days(date, is_before_christ)?;
        let rest = rest.strip_prefix('t').unwrap_or(rest).trim_start();
        if rest.is_empty() {
            return Some(Self::At { local: days * DAY, ahead: None });
        }
        let (time, ahead) = zoned(rest)?;
        Some(Self::At { local: days * DAY + time_of_day(time).filter(|time| *time <= DAY)?, ahead })
    }

    /// As PostgreSQL shows a `timestamp`.
    pub(super) fn shown(self) -> String {
        match self {
            Self::Endless { is_past } => if is_past { "-infinity" } else { "infinity" }.to_owned(),
            Self::At { local, .. } => {
                let (date, era) = date(local.div_euclid(DAY));
                format!("{date} {}{era}", clock(local.rem_euclid(DAY)))
            }
        }
    }

    /// Its day as PostgreSQL shows a `date`.
    pub(super) fn day_shown(self) -> String {
        match self {
            Self::Endless { .. } => self.shown(),
            Self::At { local, .. } => {
                let (date, era) = date(local.div_euclid(DAY));
                format!("{date}{era}")
            }
        }
    }

    /// The same for all that are the same instant; one without a zone is taken for UTC.
    pub(super) fn instant(self) -> String {
        match self {
            Self::Endless { .. } => self.shown(),
            Self::At { local, ahead } => (local - i128::from(ahead.unwrap_or(0)) * SECOND).to_string(),
        }
    }

    /// Whether it says in which zone it is; what is endless is it in all.
    pub(super) fn is_zoned(self) -> bool {
        !matches!(self, Self::At { ahead: None, .. })
    }
}

/// A time of a day, as PostgreSQL shows it, and by how many seconds it is ahead of UTC where that was written.
pub(super) fn time(text: &str) -> Option<(String, Option<i64>)> {
    let lower = text.trim().to_ascii_lowercase();
    let (time, ahead) = zoned(&lower)?;
    Some((clock(time_of_day(time).filter(|time| *time <= DAY)?), ahead))
}

/// The microseconds of an interval, in which a month has thirty days and a day 24 hours, as where two are compared.
pub(super) fn interval(text: &str) -> Option<i128> {
    let lower = text.trim().to_ascii_lowercase();
    match lower.as_str() {
        "infinity" => return Some(i128::MAX),
        "-infinity" => return Some(i128::MIN),
        _ => {}
    }
    if let Some(designated) = lower.strip_prefix('p') {
        return by_designators(designated);
    }
    let (words, is_ago) = match lower.strip_suffix("ago") {
        Some(words) => (words.trim_end(), true),
        None => (lower.as_str(), false),
    };
    let mut words = words.strip_prefix('@').unwrap_or(words).split_whitespace().peekable();
    let mut sum: i128 = 0;
    words.peek()?;
    while let Some(word) = words.next() {
        let part = if word.contains(':') {
            signed(word, time_of_day)?
        } else {
            let end = word.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(word.len());
            let (number, unit) = word.split_at(end);
            let unit = if unit.is_empty() { words.next().unwrap_or("s") } else { unit };
            scaled(number, micros_of(unit)?)?
        };
        sum = sum.checked_add(part)?;
    }
    Some(if is_ago { -sum } else { sum })
}

/// `1y2m3dt4h5m6s`, behind its `p`.
fn by_designators(text: &str) -> Option<i128> {
    let (mut sum, mut rest, mut in_time) = (0_i128, text, false);
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix('t') {
            (rest, in_time) = (behind, true);
            continue;
        }
        let end = rest.find(|letter: char| letter.is_ascii_alphabetic())?;
        let (number, unit) = rest.split_at(end);
        let (designator, behind) = unit.split_at_checked(1)?;
        let unit = match (designator, in_time) {
            ("y", false) => "year",
            ("m", false) => "month",
            ("w", false) => "week",
            ("d", false) => "day",
            ("h", true) => "hour",
            ("m", true) => "minute",
            ("s", true) => "second",
            _ => return None,
        };
        sum = sum.checked_add(scaled(number, micros_of(unit)?)?)?;
        rest = behind;
    }
    (!text.is_empty()).then_some(sum)
}

fn micros_of(unit: &str) -> Option<i128> {
    Some(match unit {
        "us" | "usec" | "usecs" | "microsecond" | "microseconds" => 1,
        "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => 1_000,
        "s" | "sec" | "secs" | "second" | "seconds" => SECOND,
        "m" | "min" | "mins" | "minute" | "minutes" => 60 * SECOND,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600 * SECOND,
        "d" | "day" | "days" => DAY,
        "w" | "week" | "weeks" => 7 * DAY,
        "mon" | "mons" | "month" | "months" => MONTH * DAY,
        "y" | "yr" | "yrs" | "year" | "years" => 12 * MONTH * DAY,
        "decade" | "decades" => 120 * MONTH * DAY,
        "century" | "centuries" | "cent" | "c" => 1_200 * MONTH * DAY,
        "millennium" | "millennia" | "mil" | "mils" => 12_000 * MONTH * DAY,
        _ => return None,
    })
}

/// A decimal number of units. Half a month has as many days as PostgreSQL gives it.
fn scaled(number: &str, unit: i128) -> Option<i128> {
    signed(number, |digits| {
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.len() > 12 {
            return None;
        }
        let whole = natural(if whole.is_empty() { "0" } else { whole })?.checked_mul(unit)?;
        let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        let part = natural(if fraction.is_empty() { "0" } else { fraction })?.checked_mul(unit)?;
        whole.checked_add((part + scale / 2) / scale)
    })
}

fn signed(text: &str, read: impl Fn(&str) -> Option<i128>) -> Option<i128> {
    match text.strip_prefix('-') {
        Some(rest) => read(rest).map(|value| -value),
        None => read(text.strip_prefix('+').unwrap_or(text)),
    }
}

fn natural(digits: &str) -> Option<i128> {
    (!digits.is_empty() && digits.len() <= 24 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())?
}

/// `03:00:00.5`, and the zone behind it: by how many seconds it is ahead of UTC.
fn zoned(text: &str) -> Option<(&str, Option<i64>)> {
    let end =
        text.find(|letter: char| !letter.is_ascii_digit() && letter != ':' && letter != '.').unwrap_or(text.len());
    let (time, zone) = text.split_at(end);
    let zone = zone.trim();
    let ahead = match zone.chars().next() {
        None => None,
        Some('+') => Some(offset(zone.get(1..)?)?),
        Some('-') => Some(-offset(zone.get(1..)?)?),
        _ if ["z", "utc", "gmt", "zulu"].contains(&zone) => Some(0),
        _ => return None,
    };
    Some((time, ahead))
}

/// `01`, `0130`, `01:30` or `01:30:15`, in seconds.
fn offset(text: &str) -> Option<i64> {
    let parts: Vec<&str> = match text.split(':').collect::<Vec<_>>().as_slice() {
        [four] if four.len() == 4 => vec![four.get(..2)?, four.get(2..)?],
        [one] if one.len() <= 2 => vec![*one],
        several @ ([_, _] | [_, _, _]) => several.to_vec(),
        _ => return None,
    };
    let mut seconds = 0;
    for (part, unit) in parts.iter().zip([3_600, 60, 1]) {
        seconds += i64::try_from(natural(part)?).ok()? * unit;
    }
    (seconds < 16 * 3_600).then_some(seconds)
}

/// The microseconds of `03:00`, `03:00:00` or `03:00:00.5`; hours may be more than a day has, as in an interval.
fn time_of_day(text: &str) -> Option<i128> {
    let mut parts = text.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next().unwrap_or("0"));
    let minutes = natural(minutes).filter(|minutes| *minutes < 60)?;
    let seconds =
        scaled(seconds, SECOND).filter(|micros| *micros <= 60 * SECOND && !seconds.starts_with(['-', '+']))?;
    parts.next().is_none().then_some(())?;
    natural(hours)?.checked_mul(3_600 * SECOND)?.checked_add(minutes * 60 * SECOND + seconds)
}

/// Up to `24:00:00`, without zeros behind the point that say nothing.
fn clock(micros: i128) -> String {
    let (seconds, fraction) = (micros / SECOND, micros % SECOND);
    let shown = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match fraction {
        0 => shown,
        fraction => format!("{shown}.{}", format!("{fraction:06}").trim_end_matches('0')),
    }
}

/// Days since 1970 of `2026-01-20`, `2026-1-20` or `20260120`, in the Gregorian calendar as if it had always been there.
fn days(text: &str, is_before_christ: bool) -> Option<i128> {
    let parts: Vec<&str> = if text.len() == 8 && !text.contains('-') {
        vec![text.get(..4)?, text.get(4..6)?, text.get(6..)?]
    } else {
        text.split(['-', '/']).collect()
    };
    let [year, month, day] = parts.as_slice() else { return None };
    if year.len() < 4 || year.len() > 7 || month.len() > 2 || day.len() > 2 {
        return None;
    }
    let (year, month, day) = (natural(year)?, natural(month)?, natural(day)?);
    let year = match (is_before_christ, year) {
        (_, 0) => return None,
        (true, year) => 1 - year,
        (false, year) => year,
    };
    let days = days_of(year, month, day);
    (civil(days) == (year, month, day)).then_some(days)
}

/// After Howard Hinnant's `days_from_civil`, and his way back.
fn days_of(year: i128, month: i128, day: i128) -> i128 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil(days: i128) -> (i128, i128, i128) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days - era * 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i128::from(month <= 2), month, day)
}

/// A date, and the era that stands at the end.
fn date(days: i128) -> (String, &'static str) {
    let (year, month, day) = civil(days);
    let (year, era) = if year < 1 { (1 - year, " BC") } else { (year, "") };
    (format!("{year:04}-{month:02}-{day:02}"), era)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_and_postgresql_write_them() {
        let shown = |text: &str| Moment::read(text).map(Moment::shown);
        for (text, expected) in [
            ("2024-01-01", "2024-01-01 00:00:00"),
            ("20240101", "2024-01-01 00:00:00"),
            ("2024-1-1 3:04", "2024-01-01 03:04:00"),
            ("2024-02-29T23:59:59.500", "2024-02-29 23:59:59.5"),
            ("2024-01-01 24:00", "2024-01-02 00:00:00"),
            ("2024-01-01 00:00:00.0000005", "2024-01-01 00:00:00.000001"),
            ("0044-03-15 00:00:00 BC", "0044-03-15 00:00:00 BC"),
            ("0001-01-01 BC", "0001-01-01 00:00:00 BC"),
            ("12024-12-31", "12024-12-31 00:00:00"),
            ("Infinity", "infinity"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
        for text in
            ["", "x", "2024-02-30", "2024-13-01", "24-01-01", "2024-01-01 10", "2024-01-01 1:2:3:4", "0000-01-01"]
        {
            assert_eq!(shown(text), None, "{text}");
        }
        for (one, other) in [
            ("2024-01-01 00:00:00Z", "2024-01-01 01:00:00+01"),
            ("2024-01-01 00:00 UTC", "2023-12-31 18:30:00-05:30"),
            ("1800-01-01 00:53:28+00:53:28", "1800-01-01T00:00:00+0000"),
        ] {
            let instant = |text: &str| Moment::read(text).unwrap().instant();
            assert_eq!(instant(one), instant(other), "{one}");
        }
        assert!(Moment::read("2024-01-01 Europe/Berlin").is_none());
    }

    #[test]
    fn every_day_is_shown_as_it_was_read() {
        for day in (-800_000..800_000).step_by(733) {
            let (text, era) = date(day);
            assert_eq!(days(&text, !era.is_empty()), Some(day), "{text}{era}");
        }
        assert_eq!((days("1970-01-01", false), days("2000-03-01", false)), (Some(0), Some(11_017)));
    }

    #[test]
    fn times_and_intervals_are_compared_by_what_they_are() {
        assert_eq!(time("3:00"), Some(("03:00:00".to_owned(), None)));
        assert_eq!(time("03:00:00.250+05:30"), Some(("03:00:00.25".to_owned(), Some(19_800))));
        assert_eq!(time("24:00:00"), Some(("24:00:00".to_owned(), None)));
        assert_eq!(time("3"), None);
        for (one, other) in [
            ("1 day", "24:00:00"),
            ("1 mon", "30 days"),
            ("1 year 2 mons 3 days 04:05:06.5", "P1Y2M3DT4H5M6.5S"),
            ("-1 days +02:00:00", "-22 hours"),
            ("90 minutes", "1h 30m"),
            ("@ 5 secs ago", "-00:00:05"),
            ("1.5 hours", "90 min"),
            ("5", "00:00:05"),
            ("2 weeks", "P2W"),
        ] {
            assert!(interval(one).is_some(), "{one}");
            assert_eq!(interval(one), interval(other), "{one}");
        }
        for text in ["", "x", "1 x", "P", "1:2:3:4", "--1 day", "@"] {
            assert_eq!(interval(text), None, "{text}");
        }
    }
}
