//! When two texts of a column are one value: in the spellings that people use, and in those that a session's settings gave them.

use std::borrow::Cow;
use std::net::IpAddr;

use super::instants::{Moment, interval, time};

/// When two texts of a column are one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comparison {
    /// When they are the same, though values of this type have other spellings as well.
    #[default]
    Spelled,
    /// When they are the same.
    Text,
    /// When they are the same in lower case.
    Folded,
    /// When they are the same without the blanks behind them.
    Padded,
    /// When they are the same whole number.
    Integer,
    /// When they are the same number, whatever zeros it has behind its point.
    Decimal,
    /// When they are the same floating-point number of 32 bits.
    Real,
    /// When they are the same floating-point number of 64 bits.
    Float,
    /// When both are true or both are false.
    Bool,
    /// When they have the same hexadecimal digits.
    Uuid,
    /// When they are the same day.
    Date,
    /// When they are the same time of a day.
    Time,
    /// When they are the same time of a day in the same time zone.
    ZonedTime,
    /// When they are the same time of a day, in whatever zone.
    LocalTime,
    /// When they are the same day and time; a zone means nothing.
    Timestamp,
    /// When they are the same instant, in whatever zone they are written.
    Instant,
    /// When they are the same day and time, each in its own zone.
    LocalInstant,
    /// When they are as long, with months of thirty days.
    Interval,
    /// When they are the same bytes, in hexadecimal digits or escaped.
    Bytes,
    /// When they are the same address with as many bits of network.
    Address,
    /// When they are the same hardware address of six bytes.
    Hardware,
    /// When they are the same hardware address of eight bytes.
    LongHardware,
}

impl Comparison {
    /// What a value has to be, in words.
    pub(super) fn wants(self) -> &'static str {
        match self {
            Self::Integer => "a whole number",
            Self::Decimal | Self::Real | Self::Float => "a number",
            Self::Bool => "true or false",
            Self::Uuid => "a UUID",
            Self::Date => "a date like 2026-01-20",
            Self::Time | Self::LocalTime | Self::ZonedTime => "a time like 03:00:00",
            Self::Timestamp => "a time like 2026-01-20 03:00:00",
            Self::Instant | Self::LocalInstant => "a time like 2026-01-20 03:00:00+00",
            Self::Interval => "an interval like 1 day 02:03:04",
            Self::Bytes => "bytes like \\x00ff",
            Self::Address => "an address like 10.0.0.1 or 10.0.0.0/8",
            Self::Hardware | Self::LongHardware => "a hardware address",
            Self::Spelled | Self::Text | Self::Folded | Self::Padded => "of the column's type",
        }
    }

    /// The one that a value is compared by which was written so: without a zone it is meant in the zone that is shown.
    pub(super) fn for_wanted(self, wanted: &[u8]) -> Self {
        let text = std::str::from_utf8(wanted).unwrap_or_default();
        match self {
            Self::Instant if Moment::read(text).is_some_and(|moment| !moment.is_zoned()) => Self::LocalInstant,
            Self::ZonedTime if time(text).is_some_and(|(_, ahead)| ahead.is_none()) => Self::LocalTime,
            other => other,
        }
    }

    /// Whether every value has but one text in an archive, the one that [`Comparison::canonical`] gives; where other spellings aren't
    /// known, it is taken for one.
    #[must_use]
    pub fn has_one_text(self) -> bool {
        use Comparison::{Bool, Date, Integer, Spelled, Text, Time, Timestamp, Uuid};
        matches!(self, Spelled | Text | Integer | Uuid | Bool | Date | Time | Timestamp)
    }

    /// Whether two values are one, though their texts may not be the same. What can't be read as such a value is only the same as itself.
    #[must_use]
    pub fn is_same(self, one: &[u8], other: &[u8]) -> bool {
        one == other
            || match (self.canonical(one), self.canonical(other)) {
                (Some(one), Some(other)) => one == other,
                _ => false,
            }
    }

    /// One text for all that are the same value; `None` for what is no such value.
    #[must_use]
    pub fn canonical(self, text: &[u8]) -> Option<Cow<'_, [u8]>> {
        let trimmed = text.trim_ascii();
        let plain = || std::str::from_utf8(trimmed).ok();
        Some(match self {
            Self::Spelled | Self::Text => Cow::Borrowed(text),
            Self::Folded => match std::str::from_utf8(text) {
                Ok(text) => owned(text.to_lowercase()),
                Err(_) => Cow::Owned(text.to_ascii_lowercase()),
            },
            Self::Padded => Cow::Borrowed(trimmed_end(text)),
            Self::Integer => owned(plain()?.parse::<i128>().ok()?.to_string()),
            Self::Decimal => Cow::Owned(decimal(trimmed)?),
            Self::Real => {
                let number: f32 = plain()?.parse().ok()?;
                float(number.is_nan(), &(if number == 0.0 { 0.0 } else { number }).to_bits().to_be_bytes())
            }
            Self::Float => {
                let number: f64 = plain()?.parse().ok()?;
                float(number.is_nan(), &(if number == 0.0 { 0.0 } else { number }).to_bits().to_be_bytes())
            }
            Self::Bool => Cow::Borrowed(truth(&trimmed.to_ascii_lowercase())?),
            Self::Uuid => Cow::Owned(uuid(trimmed)?),
            Self::Date => owned(Moment::read(plain()?)?.day_shown()),
            Self::Time | Self::LocalTime => owned(time(plain()?)?.0),
            Self::ZonedTime => {
                let (time, ahead) = time(plain()?)?;
                owned(format!("{time}{ahead:?}"))
            }
            Self::Timestamp | Self::LocalInstant => owned(Moment::read(plain()?)?.shown()),
            Self::Instant => owned(Moment::read(plain()?)?.instant()),
            Self::Interval => owned(interval(plain()?)?.to_string()),
            Self::Bytes => Cow::Owned(bytes(text)?),
            Self::Address => owned(address(plain()?)?),
            Self::Hardware => Cow::Owned(hardware(trimmed).filter(|digits| digits.len() == 12)?),
            Self::LongHardware => Cow::Owned(long_hardware(hardware(trimmed)?)?),
        })
    }
}

fn owned(text: String) -> Cow<'static, [u8]> {
    Cow::Owned(text.into_bytes())
}

fn float(is_nan: bool, bits: &[u8]) -> Cow<'static, [u8]> {
    Cow::Owned(if is_nan { b"nan".to_vec() } else { bits.to_vec() })
}

/// The beginnings of these words as well, where only one of them begins so.
fn truth(lower: &[u8]) -> Option<&'static [u8]> {
    let begins = |word: &[u8]| !lower.is_empty() && word.starts_with(lower);
    match lower {
        b"o" => None,
        b"1" | b"on" => Some(b"t"),
        b"0" => Some(b"f"),
        _ if begins(b"true") || begins(b"yes") => Some(b"t"),
        _ if begins(b"false") || begins(b"no") || begins(b"off") => Some(b"f"),
        _ => None,
    }
}

/// Of `\x00ff` and of `a\\000`, as `bytea_output` has it.
fn bytes(text: &[u8]) -> Option<Vec<u8>> {
    if let Some(digits) = text.strip_prefix(b"\\x").or_else(|| text.strip_prefix(b"\\X")) {
        let digits: Vec<u8> = digits.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        return hex::decode(digits).ok();
    }
    let (mut rest, mut bytes) = (text, Vec::with_capacity(text.len()));
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, behind) {
            (b'\\', [b'\\', behind @ ..]) => {
                bytes.push(b'\\');
                rest = behind;
            }
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', behind @ ..]) => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = behind;
            }
            (b'\\', _) => return None,
            (byte, _) => bytes.push(byte),
        }
    }
    Some(bytes)
}

fn address(text: &str) -> Option<String> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().ok()?;
    let all = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(all), |bits| bits.parse::<u32>().ok()).filter(|bits| *bits <= all)?;
    Some(format!("{address}/{bits}"))
}

/// The digits of `08:00:2b:01:02:03`, whatever stands between them.
fn hardware(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.iter().filter(|byte| !b":-.".contains(byte)).map(u8::to_ascii_lowercase).collect();
    digits.iter().all(u8::is_ascii_hexdigit).then_some(digits)
}

/// One of six bytes is taken for one of eight as PostgreSQL does it.
fn long_hardware(digits: Vec<u8>) -> Option<Vec<u8>> {
    match digits.len() {
        16 => Some(digits),
        12 => Some([digits.get(..6)?, b"fffe", digits.get(6..)?].concat()),
        _ => None,
    }
}

fn trimmed_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
    text.get(..end).unwrap_or(text)
}

/// In groups of 8, 4, 4, 4 and 12 lower-case digits, as PostgreSQL shows it.
fn uuid(text: &[u8]) -> Option<Vec<u8>> {
    let inner = text.strip_prefix(b"{").and_then(|text| text.strip_suffix(b"}")).unwrap_or(text);
    let digits: Vec<u8> = inner.iter().filter(|byte| **byte != b'-').map(u8::to_ascii_lowercase).collect();
    if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut shown = Vec::with_capacity(36);
    for (number, digit) in digits.iter().enumerate() {
        if [8, 12, 16, 20].contains(&number) {
            shown.push(b'-');
        }
        shown.push(*digit);
    }
    Some(shown)
}

/// Sign, the digits that count, and where the point is.
fn decimal(text: &[u8]) -> Option<Vec<u8>> {
    let lower = text.to_ascii_lowercase();
    let (sign, rest) = match lower.split_first()? {
        (b'-', rest) => ("-", rest),
        (b'+', rest) => ("", rest),
        _ => ("", lower.as_slice()),
    };
    match rest {
        b"nan" => return Some(b"nan".to_vec()),
        b"inf" | b"infinity" => return Some(format!("{sign}inf").into_bytes()),
        _ => {}
    }
    let text = std::str::from_utf8(rest).ok()?;
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let point = i64::try_from(whole.len()).ok()?.checked_add(exponent.parse::<i64>().ok()?)?;
    let significant = digits.trim_start_matches('0');
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let significant = significant.trim_end_matches('0');
    if significant.is_empty() {
        return Some(b"0".to_vec());
    }
    Some(format!("{sign}.{significant}e{}", point.checked_sub(zeros)?).into_bytes())
}
