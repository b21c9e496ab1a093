//! How a backup is called. A [`Stem`] is `{database}_backup_{YYYYMMDD_HHMMSS}` in UTC, or `{database}_backup_{label}`
//! for a named backup; its text is kept as it was found, because guests' names don't always follow our encoding.
//!
//! A stem is read from its right end: the last `_backup_` parts database and tag, so `app` never matches
//! `app_staging`, nor does a database that is itself called `app_backup_old` confuse anything.
//! A name without a database part, such as the `pre_restore_20250120_030000.sql.gz` some scripts leave behind, is not
//! a backup of any database we could name: it isn't listed, counted or removed; it can be restored by its path.

mod encoding;
mod invalid;
#[cfg(test)]
mod tests;
mod time;

#[cfg(test)]
pub(crate) use tests::any_tag;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::clock::SKEW;
pub(crate) use encoding::decode_database;
pub use encoding::encode_database;
pub use invalid::InvalidName;
use invalid::LONGEST;
use time::{NameTime, read_time, spell_time};
pub(crate) use time::{parse_day, spell_day};

/// What parts the database from the tag.
const MARK: &str = "_backup_";
/// What a safety backup's tag begins with, before its time.
const SAFETY: &str = "pre_restore_";
/// What follows the original's tag in the name of one that rows were erased from, before its number.
const ERASED: &str = "_erased_";
/// The highest of these numbers: a bucket's policy knows the names by their one or two last characters.
const MOST_ERASED: u32 = 99;

/// A backup's name without folder and suffix: `app_backup_20260120_030000`.
///
/// Two stems are equal when their texts are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Stem {
    text: String,
    /// Where the last `_backup_` begins.
    mark: usize,
    tag: Tag,
    /// It took the place of a backup, for the so-manieth time.
    erased: Option<u32>,
}

/// What a stem says after its database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tag {
    /// When the backup began, in whole seconds UTC. Guests' names are in their host's local time.
    At(Timestamp),
    /// A name the user gave: `[A-Za-z0-9_-]+`, neither containing `_backup_` nor beginning with `backup_`, and not
    /// shaped like a timestamp, a safety backup's tag or an erased one's.
    Label(String),
    /// `pre_restore_{timestamp}`: taken before a restore in place, to undo it. Excluded from latest, freshness, counts.
    Safety(Timestamp),
}

impl Stem {
    /// The stem of a new backup of `database` (its PostgreSQL name, not encoded).
    ///
    /// # Errors
    /// When the database is empty, the label breaks the rules of [`Tag::Label`], the time lies outside the years 0 to
    /// 9999, or the name would be too long.
    pub fn new(database: &str, tag: &Tag) -> Result<Self, InvalidName> {
        let tag = match tag {
            Tag::At(time) => spell_time(*time)?,
            Tag::Safety(time) => format!("{SAFETY}{}", spell_time(*time)?),
            Tag::Label(label) => match (read_tag(label)?, split_erased(label)) {
                (Tag::Label(label), (_, None)) => label,
                _ => return Err(InvalidName::Label(label.clone())),
            },
        };
        let text = format!("{}{MARK}{tag}", encode_database(database));
        if text.len() > LONGEST { Err(InvalidName::TooLong(text)) } else { text.parse() }
    }

    /// The name of the backup that takes this one's place once rows were erased from it: the `number`th of its kind, which counts from
    /// 1 to 99. It says the original's time; where a clock was so wrong that it was stored well before the time in its name, that `instant`.
    ///
    /// # Errors
    /// When the number is out of its bounds, or the name would be too long.
    pub fn as_erased(&self, number: u32, instant: Timestamp) -> Result<Self, InvalidName> {
        let (database, tag) = (self.text.split_at(self.mark).0, self.base().get(self.mark + MARK.len()..));
        let is_ahead = |time: Timestamp| time.duration_since(instant) > SKEW;
        let tag = match self.tag {
            Tag::At(time) if is_ahead(time) => spell_time(instant)?,
            Tag::Safety(time) if is_ahead(time) => format!("{SAFETY}{}", spell_time(instant)?),
            _ => tag.unwrap_or_default().to_owned(),
        };
        let text = format!("{database}{MARK}{tag}{ERASED}{number}");
        if text.len() > LONGEST {
            return Err(InvalidName::TooLong(text));
        }
        text.parse()
            .and_then(|stem: Self| if stem.erased == Some(number) { Ok(stem) } else { Err(InvalidName::Label(text)) })
    }

    /// The so-manieth that took a backup's place because rows were erased from it; None of any other.
    #[must_use]
    pub fn erased(&self) -> Option<u32> {
        self.erased
    }

    /// The name without what an erasure added to it: all that took one backup's place share it.
    #[must_use]
    pub fn base(&self) -> &str {
        if self.erased.is_some() { split_erased(&self.text).0 } else { &self.text }
    }

    /// The name as it stands in keys and file names.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The PostgreSQL name of the database. A guest's name that isn't in our encoding (`my.db`) is taken literally.
    #[must_use]
    pub fn database(&self) -> Cow<'_, str> {
        let encoded = self.text.split_at(self.mark).0;
        decode_database(encoded).map_or(Cow::Borrowed(encoded), Cow::Owned)
    }

    /// What follows the database.
    #[must_use]
    pub fn tag(&self) -> &Tag {
        &self.tag
    }

    /// The time in the name, where there is one.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        match self.tag {
            Tag::At(time) | Tag::Safety(time) => Some(time),
            Tag::Label(_) => None,
        }
    }

    /// Whether this is a safety backup, taken before a restore.
    #[must_use]
    pub fn is_safety(&self) -> bool {
        matches!(self.tag, Tag::Safety(_))
    }
}

impl FromStr for Stem {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text.chars().any(|c| c == '/' || c.is_control()) {
            return Err(InvalidName::Unprintable(text.escape_debug().to_string()));
        }
        let (database, tag) = text.rsplit_once(MARK).ok_or_else(|| InvalidName::NoDatabase(text.to_owned()))?;
        if database.is_empty() {
            return Err(InvalidName::NoDatabase(text.to_owned()));
        }
        let (tag, erased) = split_erased(tag);
        Ok(Self { mark: database.len(), tag: read_tag(tag)?, erased, text: text.to_owned() })
    }
}

/// A tag, or a whole name, and the number that an erasure put behind it.
fn split_erased(text: &str) -> (&str, Option<u32>) {
    let number = |text: &str| {
        let number = text.parse().ok().filter(|number| (1..=MOST_ERASED).contains(number))?;
        (number.to_string() == text).then_some(number)
    };
    let found = text.rsplit_once(ERASED).filter(|(rest, _)| !rest.is_empty());
    match found.map(|(rest, end)| (rest, number(end))) {
        Some((rest, Some(number))) => (rest, Some(number)),
        _ => (text, None),
    }
}

fn read_tag(text: &str) -> Result<Tag, InvalidName> {
    let (safety, rest) = text.strip_prefix(SAFETY).map_or((false, text), |rest| (true, rest));
    match read_time(rest) {
        NameTime::Time(time) if safety => Ok(Tag::Safety(time)),
        NameTime::Time(time) => Ok(Tag::At(time)),
        NameTime::Impossible => Err(InvalidName::ImpossibleTime(rest.to_owned())),
        NameTime::Other if is_label(text) => Ok(Tag::Label(text.to_owned())),
        NameTime::Other => Err(InvalidName::Label(text.to_owned())),
    }
}

/// A label that began with `backup_` would move the last `_backup_` of its stem to the right.
fn is_label(text: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !text.is_empty() && text.bytes().all(letters) && !text.contains(MARK) && !text.starts_with("backup_")
}

impl fmt::Display for Stem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Stem {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Stem {}

impl Hash for Stem {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Ord for Stem {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl PartialOrd for Stem {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl TryFrom<String> for Stem {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Stem> for String {
    fn from(stem: Stem) -> Self {
        stem.text
    }
}

/// One backup's place in a repository: its stem and the date folder it lies in.
///
/// As text `STEM`, or `YYYYMMDD/STEM` when it lies in a date folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BackupId {
    /// The date folder. None in a directory, and for what lies beside the date folders of a bucket.
    pub day: Option<Date>,
    /// The backup's own name.
    pub stem: Stem,
}

impl BackupId {
    /// When it was made, as its name says; of a label the end of the day that its folder names, because what was copied from another
    /// repository is younger there than what it holds. Of one that took a label's place, the beginning of that day, before which the
    /// original wasn't there.
    #[must_use]
    pub fn named_time(&self) -> Option<Timestamp> {
        let of_day = || {
            let day = self.day?;
            let day = if self.stem.erased.is_some() { day } else { day.tomorrow().ok()? };
            TimeZone::UTC.to_timestamp(day.to_datetime(Time::midnight())).ok()
        };
        self.stem.time().or_else(of_day)
    }

    /// The backup of `database` that a person calls by its label or time alone, as `initial` or `20261122/initial`; None when
    /// that is neither.
    #[must_use]
    pub fn of_tag(text: &str, database: &str) -> Option<Self> {
        let (day, tag) = text.rsplit_once('/').map_or((None, text), |(day, tag)| (Some(day), tag));
        let stem = format!("{}{MARK}{tag}", encode_database(database)).parse().ok()?;
        Some(Self { day: day.map(|day| parse_day(day).ok_or(())).transpose().ok()?, stem })
    }
}

impl fmt::Display for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.day {
            Some(day) => write!(f, "{}/{}", spell_day(day), self.stem),
            None => self.stem.fmt(f),
        }
    }
}

impl FromStr for BackupId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let (day, stem) = match text.split_once('/') {
            Some((day, stem)) => {
                (Some(parse_day(day).ok_or_else(|| InvalidName::ImpossibleDay(day.to_owned()))?), stem)
            }
            None => (None, text),
        };
        Ok(Self { day, stem: stem.parse()? })
    }
}

impl TryFrom<String> for BackupId {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<BackupId> for String {
    fn from(id: BackupId) -> Self {
        id.to_string()
    }
}
