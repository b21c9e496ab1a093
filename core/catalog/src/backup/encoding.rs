//! A database's name within a key: every UTF-8 byte outside `[A-Za-z0-9_-]` becomes `.` and two upper-case hex digits,
//! so `my app` is `my.20app`. Each name has exactly one encoding, and only that one decodes.

use std::fmt::Write;

/// The name as it stands in keys.
#[must_use]
pub fn encode_database(name: &str) -> String {
    name.bytes().fold(String::with_capacity(name.len()), |mut encoded, byte| {
        if stands_for_itself(byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(encoded, ".{byte:02X}");
        }
        encoded
    })
}

/// The name that `encoded` stands for, or None when [`encode_database`] never makes such a text.
pub(crate) fn decode_database(encoded: &str) -> Option<String> {
    let mut name = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'.' => name.push(escaped(rest.next()?, rest.next()?)?),
            byte if stands_for_itself(byte) => name.push(byte),
            _ => return None,
        }
    }
    String::from_utf8(name).ok()
}

fn stands_for_itself(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// The byte of two hex digits. A byte that should have stood for itself is refused, or two texts would mean one name.
fn escaped(high: u8, low: u8) -> Option<u8> {
    let byte = hex(high)? * 16 + hex(low)?;
    (!stands_for_itself(byte)).then_some(byte)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
