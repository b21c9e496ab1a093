//! The lowest and the highest of some keys.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A longer text is not kept whole.
const LONGEST: usize = 96;

/// A key, or what stands for one as a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Bound {
    /// Where all keys are whole numbers.
    Number(i64),
    /// By its bytes.
    Text(String),
}

impl Bound {
    pub(super) fn is_at_most(&self, text: &[u8]) -> bool {
        match self {
            // Among whole numbers there is no other text.
            Self::Number(number) => whole(text).is_some_and(|text| *number <= text),
            Self::Text(bound) => bound.as_bytes() <= text,
        }
    }

    pub(super) fn is_at_least(&self, text: &[u8]) -> bool {
        match self {
            Self::Number(number) => whole(text).is_some_and(|text| *number >= text),
            Self::Text(bound) => bound.as_bytes() >= text,
        }
    }
}

/// A whole number in its one spelling.
fn whole(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let is_plain = match digits {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => digits.len() <= 19 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if !is_plain {
        return None;
    }
    let sign = if digits.len() == text.len() { 1 } else { -1 };
    digits.iter().try_fold(0_i64, |sum, digit| sum.checked_mul(10)?.checked_add(sign * i64::from(digit - b'0')))
}

/// What has been seen of a part's keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Zone {
    /// As whole numbers, while all are.
    numbers: Option<(i64, i64)>,
    texts: Option<(Vec<u8>, Vec<u8>)>,
    is_unknown: bool,
}

impl Zone {
    /// One more key, without COPY's backslashes; `None`: one that can't be told.
    pub(super) fn see(&mut self, key: Option<Cow<'_, [u8]>>) {
        let Some(key) = key else {
            self.is_unknown = true;
            return;
        };
        let Some((low, high)) = &mut self.texts else {
            self.numbers = whole(&key).map(|number| (number, number));
            self.texts = Some((key.to_vec(), key.into_owned()));
            return;
        };
        if let Some((lowest, highest)) = &mut self.numbers {
            match whole(&key) {
                Some(number) => (*lowest, *highest) = ((*lowest).min(number), (*highest).max(number)),
                None => self.numbers = None,
            }
        }
        if *key < **low {
            low.clear();
            low.extend_from_slice(&key);
        } else if *key > **high {
            high.clear();
            high.extend_from_slice(&key);
        }
    }

    /// The limits of what has been seen, and none any more.
    pub(super) fn take(&mut self) -> (Option<Bound>, Option<Bound>) {
        let seen = std::mem::take(self);
        match (seen.is_unknown, seen.numbers, seen.texts) {
            (false, Some((low, high)), _) => (Some(Bound::Number(low)), Some(Bound::Number(high))),
            (false, None, Some((low, high))) => match (String::from_utf8(low), String::from_utf8(high)) {
                (Ok(low), Ok(high)) => {
                    (Some(Bound::Text(beginning(low))), (high.len() <= LONGEST).then_some(Bound::Text(high)))
                }
                _ => (None, None),
            },
            _ => (None, None),
        }
    }
}

/// A beginning of it, which is not above it.
fn beginning(mut text: String) -> String {
    let end = (0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.truncate(end);
    text
}
