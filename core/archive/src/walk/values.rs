//! The primitive values of the format (`ReadInt`, `ReadStr`, `ReadOffset` in pg_backup_archiver.c), read from slices that
//! may end anywhere: what has arrived of a value waits here for the rest.

use std::borrow::Cow;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::damage::Damage;

/// Why reading stops short of a value.
#[derive(Debug)]
pub(super) enum Stop {
    /// The fed slice is used up; all of it has been taken in.
    Starved,
    /// The value can't be what pg_dump wrote, and why.
    Broken(Cow<'static, str>),
    /// Damage already put into its own words.
    Found(Damage),
}

impl From<&'static str> for Stop {
    fn from(reason: &'static str) -> Self {
        Self::Broken(Cow::Borrowed(reason))
    }
}

impl From<String> for Stop {
    fn from(reason: String) -> Self {
        Self::Broken(Cow::Owned(reason))
    }
}

/// What remains of a fed slice, and where in the dump it begins.
pub(super) struct Input<'a> {
    pub(super) rest: &'a [u8],
    pub(super) position: u64,
}

impl<'a> Input<'a> {
    pub(super) fn byte(&mut self) -> Result<u8, Stop> {
        self.up_to(1)?.first().copied().ok_or(Stop::Starved)
    }

    /// At least one and at most `count` bytes, as many as there are.
    pub(super) fn up_to(&mut self, count: u64) -> Result<&'a [u8], Stop> {
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Stop::Starved)?;
        if taken.is_empty() {
            return Err(Stop::Starved);
        }
        self.rest = rest;
        self.position += taken.len() as u64;
        Ok(taken)
    }
}

/// A string of the format: absent, or bytes in the archive's encoding.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
pub(super) struct Text {
    /// As stored; `None` for an absent string, which the format tells from an empty one.
    pub(super) length: Option<u64>,
    kept: Vec<u8>,
}

impl Text {
    pub(super) fn lossy(&self) -> String {
        String::from_utf8_lossy(&self.kept).into_owned()
    }

    /// What was kept of it.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.kept
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length.unwrap_or(0) == 0
    }
}

/// Reads values one after the other.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
pub(super) struct Values {
    /// Bytes of an integer without its sign; 1 to 8.
    #[serde(deserialize_with = "width")]
    int_size: u8,
    /// Bytes of a file offset without its flag; 1 to 8.
    #[serde(deserialize_with = "width")]
    offset_size: u8,
    number: PartialNumber,
    text: Option<PartialText>,
}

/// No header has more than eight bytes for a number: but a saved place may say so.
fn width<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    let width = u8::deserialize(from)?;
    if width <= 8 { Ok(width) } else { Err(D::Error::custom("a number has more than eight bytes")) }
}

#[derive(Debug, Default, Serialize, Deserialize, Clone)]
struct PartialNumber {
    taken: u8,
    flag: u8,
    value: u64,
}

#[derive(Debug, Serialize, Deserialize, Clone)]
struct PartialText {
    text: Text,
    left: u64,
}

/// What a table-of-contents entry says of its data's place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offset {
    /// There is data, and pg_dump couldn't seek back to say where (a pipe).
    NotSet,
    /// Its block begins at this byte.
    At(u64),
    /// There is no data.
    NoData,
}

impl Values {
    /// Sizes are the header's.
    pub(super) fn sized(int_size: u8, offset_size: u8) -> Self {
        Self { int_size, offset_size, ..Self::default() }
    }

    /// Nothing of the next value has been read.
    pub(super) fn is_between(&self) -> bool {
        self.number.taken == 0 && self.text.is_none()
    }

    pub(super) fn int(&mut self, input: &mut Input<'_>) -> Result<i64, Stop> {
        let (sign, magnitude) = self.flagged(self.int_size, input)?;
        let magnitude = i64::try_from(magnitude).map_err(|_| "an integer is out of range")?;
        match sign {
            0 => Ok(magnitude),
            1 => Ok(-magnitude),
            _ => Err("an integer's sign is neither plus nor minus".into()),
        }
    }

    pub(super) fn offset(&mut self, input: &mut Input<'_>) -> Result<Offset, Stop> {
        let (flag, value) = self.flagged(self.offset_size, input)?;
        match flag {
            1 => Ok(Offset::NotSet),
            2 => Ok(Offset::At(value)),
            3 => Ok(Offset::NoData),
            _ => Err("an offset's flag is unknown".into()),
        }
    }

    /// Keeps at most the first `keep` bytes; the others are read over.
    pub(super) fn text(&mut self, keep: usize, input: &mut Input<'_>) -> Result<Text, Stop> {
        let mut partial = match self.text.take() {
            Some(partial) => partial,
            None => match self.text_length(input)? {
                None => return Ok(Text::default()),
                Some(left) => PartialText { text: Text { length: Some(left), kept: Vec::new() }, left },
            },
        };
        while partial.left > 0 {
            let Ok(taken) = input.up_to(partial.left) else {
                self.text = Some(partial);
                return Err(Stop::Starved);
            };
            partial.left -= taken.len() as u64;
            let room = keep.saturating_sub(partial.text.kept.len());
            partial.text.kept.extend(taken.iter().take(room));
        }
        Ok(partial.text)
    }

    pub(super) fn skip_text(&mut self, input: &mut Input<'_>) -> Result<(), Stop> {
        self.text(0, input).map(drop)
    }

    fn text_length(&mut self, input: &mut Input<'_>) -> Result<Option<u64>, Stop> {
        match self.int(input)? {
            -1 => Ok(None),
            length @ 0..=0x7fff_ffff => Ok(Some(length.unsigned_abs())),
            length => Err(format!("a string's length is {length}").into()),
        }
    }

    /// A byte, then a little-endian number of `size` bytes.
    fn flagged(&mut self, size: u8, input: &mut Input<'_>) -> Result<(u8, u64), Stop> {
        let number = &mut self.number;
        while number.taken <= size {
            let byte = input.byte()?;
            match number.taken {
                0 => number.flag = byte,
                taken => number.value |= u64::from(byte) << (8 * (taken - 1)),
            }
            number.taken += 1;
        }
        let PartialNumber { flag, value, .. } = std::mem::take(number);
        Ok((flag, value))
    }
}
