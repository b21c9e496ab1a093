//! A value that is looked for, and how values of its column are compared with it: in the spellings that people use, though an
//! archive has one of them.

use std::borrow::Cow;

use super::json::timestamp;
use super::text::value;

/// When two texts of a column are one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comparison {
    /// When they are the same.
    #[default]
    Text,
    /// When they are the same whole number.
    Integer,
    /// When they are the same number, whatever zeros it has behind its point.
    Decimal,
    /// When they are the same floating-point number.
    Float,
    /// When both are true or both are false.
    Bool,
    /// When they have the same hexadecimal digits.
    Uuid,
    /// When they are the same without the blanks behind them.
    Padded,
    /// When they are the same, with a `T` or a blank before the time.
    Timestamp,
    /// When they have the same hexadecimal digits behind `\x`.
    Bytes,
}

/// The value can't be one of its column's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value is not {0}")]
pub struct BadValue(&'static str);

/// What is looked for in a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Probe {
    /// Values that are NULL.
    Null,
    /// All others.
    NotNull,
    /// One value.
    Equal(Comparison, Vec<u8>),
}

impl Probe {
    /// Looks for this value, in the archive's character set.
    ///
    /// # Errors
    /// [`BadValue`].
    pub fn equal(wanted: &[u8], comparison: Comparison) -> Result<Self, BadValue> {
        let canonical = canonical(wanted, comparison).ok_or(BadValue(match comparison {
            Comparison::Integer => "a whole number",
            Comparison::Decimal | Comparison::Float => "a number",
            Comparison::Bool => "true or false",
            Comparison::Uuid => "a UUID",
            _ => "of the column's type",
        }))?;
        Ok(Self::Equal(comparison, canonical.into_owned()))
    }

    /// Whether a field, as COPY writes it, is what is looked for.
    #[must_use]
    pub fn matches(&self, field: &[u8]) -> bool {
        match (self, value(field)) {
            (Self::Null, found) => found.is_none(),
            (Self::NotNull, found) => found.is_some(),
            (Self::Equal(..), None) => false,
            (Self::Equal(Comparison::Text, wanted), Some(found)) => *wanted == *found,
            (Self::Equal(comparison, wanted), Some(found)) => {
                canonical(&found, *comparison).is_some_and(|found| *wanted == *found)
            }
        }
    }

    /// The one text that a value has which is looked for, where an archive has but one.
    #[must_use]
    pub fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Equal(Comparison::Text | Comparison::Integer | Comparison::Uuid | Comparison::Bool, text) => {
                Some(text)
            }
            _ => None,
        }
    }
}

/// One spelling for all that are the same value; `None` for what is no such value.
fn canonical(text: &[u8], comparison: Comparison) -> Option<Cow<'_, [u8]>> {
    let trimmed = text.trim_ascii();
    Some(match comparison {
        Comparison::Text => Cow::Borrowed(text),
        Comparison::Padded => Cow::Borrowed(trimmed_end(text)),
        Comparison::Integer => {
            Cow::Owned(std::str::from_utf8(trimmed).ok()?.parse::<i64>().ok()?.to_string().into_bytes())
        }
        Comparison::Decimal => Cow::Owned(decimal(trimmed)?),
        Comparison::Float => {
            let number: f64 = std::str::from_utf8(trimmed).ok()?.parse().ok()?;
            let number = if number == 0.0 { 0.0 } else { number };
            Cow::Owned(if number.is_nan() { b"nan".to_vec() } else { number.to_bits().to_be_bytes().to_vec() })
        }
        Comparison::Bool => match trimmed.to_ascii_lowercase().as_slice() {
            b"t" | b"true" | b"yes" | b"y" | b"on" | b"1" => Cow::Borrowed(b"t"),
            b"f" | b"false" | b"no" | b"n" | b"off" | b"0" => Cow::Borrowed(b"f"),
            _ => return None,
        },
        Comparison::Uuid => Cow::Owned(uuid(trimmed)?),
        Comparison::Timestamp => {
            let text = timestamp(std::str::from_utf8(trimmed).ok()?);
            Cow::Owned(text.strip_suffix('Z').map_or(text.clone(), |time| format!("{time}+00:00")).into_bytes())
        }
        Comparison::Bytes => Cow::Owned(trimmed.to_ascii_lowercase()),
    })
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
