//! Values as PostgreSQL's `row_to_json` shows them (`datum_to_json` in json.c), told from their texts and types.

use std::sync::Arc;

use super::literal::{Element, Pair, array, composite, hstore};
use crate::charset::Charset;

/// As much of a type as its JSON depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Type {
    /// Shown as its text in quotes: the types that follow no rule of their own.
    #[default]
    Text,
    /// `true` or `false`.
    Bool,
    /// A number, unless it is NaN or infinite.
    Number,
    /// JSON as it is.
    Json,
    /// With a `T` between date and time, and a time zone's minutes where it has a zone.
    Timestamp,
    /// An array, or arrays of them.
    Array {
        /// What is in it.
        element: Arc<Self>,
        /// What stands between its elements.
        delimiter: u8,
    },
    /// `int2vector` and `oidvector`: numbers, or texts, apart by blanks.
    Vector(Arc<Self>),
    /// A row of a composite type, or of a table: the names of its fields, and their types.
    Composite(Vec<(String, Arc<Self>)>),
    /// Pairs of keys and values.
    Hstore,
}

/// Adds a value of this type; `None` is NULL.
pub fn json(value: Option<&[u8]>, kind: &Type, charset: Charset, out: &mut Vec<u8>) {
    let Some(value) = value else { return out.extend_from_slice(b"null") };
    if !known(value, kind, charset, out) {
        json_text(&charset.text(value), out);
    }
}

/// Adds it as its type has it; false where its text isn't such a value's.
fn known(value: &[u8], kind: &Type, charset: Charset, out: &mut Vec<u8>) -> bool {
    match (kind, value) {
        (Type::Text, _) => return false,
        (Type::Bool, b"t") => out.extend_from_slice(b"true"),
        (Type::Bool, b"f") => out.extend_from_slice(b"false"),
        (Type::Bool, _) => return false,
        (Type::Number, number) if is_number(number) => out.extend_from_slice(number),
        (Type::Number, _) => return false,
        (Type::Json, text) => {
            let text = charset.text(text);
            // A stranger's archive may have anything here.
            if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() {
                return false;
            }
            one_line(&text, out);
        }
        (Type::Timestamp, text) => json_text(&timestamp(&charset.text(text)), out),
        (Type::Array { element, delimiter }, text) => match array(text, *delimiter) {
            Some(elements) => array_json(&elements, element, charset, out),
            None => return false,
        },
        (Type::Vector(element), text) => {
            let numbers = text.split(|byte| *byte == b' ').filter(|number| !number.is_empty());
            list(numbers, b"[]", out, |number, out| json(Some(number), element, charset, out));
        }
        (Type::Composite(fields), text) => match composite(text).filter(|values| values.len() == fields.len()) {
            Some(values) => list(fields.iter().zip(values), b"{}", out, |((name, kind), value), out| {
                json_text(name, out);
                out.push(b':');
                json(value.as_deref(), kind, charset, out);
            }),
            None => return false,
        },
        (Type::Hstore, text) => match hstore(text) {
            Some(pairs) => pairs_json(&pairs, charset, out),
            None => return false,
        },
    }
    true
}

/// As the extension's own cast to JSON writes them.
fn pairs_json(pairs: &[Pair], charset: Charset, out: &mut Vec<u8>) {
    out.push(b'{');
    for (number, (key, value)) in pairs.iter().enumerate() {
        if number > 0 {
            out.extend_from_slice(b", ");
        }
        json_text(&charset.text(key), out);
        out.extend_from_slice(b": ");
        json(value.as_deref(), &Type::Text, charset, out);
    }
    out.push(b'}');
}

fn array_json(elements: &[Element], kind: &Type, charset: Charset, out: &mut Vec<u8>) {
    list(elements.iter(), b"[]", out, |element, out| match element {
        Element::Null => json(None, kind, charset, out),
        Element::Value(value) => json(Some(value), kind, charset, out),
        Element::Array(inner) => array_json(inner, kind, charset, out),
    });
}

fn list<T>(
    items: impl Iterator<Item = T>,
    [open, close]: &[u8; 2],
    out: &mut Vec<u8>,
    mut add: impl FnMut(T, &mut Vec<u8>),
) {
    out.push(*open);
    for (number, item) in items.enumerate() {
        if number > 0 {
            out.push(b',');
        }
        add(item, out);
    }
    out.push(*close);
}

/// A number as JSON has it (RFC 8259, 6).
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    let (integer, mut rest) = text.split_at(whole);
    if whole == 0 || (whole > 1 && integer.starts_with(b"0")) {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = fraction.split_at(length).1;
    }
    let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) else { return rest.is_empty() };
    let exponent = exponent.strip_prefix(b"-").or_else(|| exponent.strip_prefix(b"+")).unwrap_or(exponent);
    !exponent.is_empty() && digits(exponent) == exponent.len()
}

/// `2026-01-20 03:00:00+01` as `2026-01-20T03:00:00+01:00`. `infinity` stays what it is.
fn timestamp(text: &str) -> String {
    let Some((date, time)) = text.split_once([' ', 'T']) else { return text.to_owned() };
    let (time, era) = time.strip_suffix(" BC").map_or((time, ""), |time| (time, " BC"));
    let zone = time.rfind(['+', '-']).filter(|at| !time.get(*at..).unwrap_or_default().contains(':'));
    let minutes = if zone.is_some() { ":00" } else { "" };
    format!("{date}T{time}{minutes}{era}")
}

/// JSON that stays on its line: newlines between its parts mean nothing, and there are none within its texts.
fn one_line(text: &str, out: &mut Vec<u8>) {
    out.extend(text.bytes().map(|byte| if byte == b'\n' || byte == b'\r' { b' ' } else { byte }));
}

/// Adds a text in quotes.
pub fn json_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            byte => out.push(byte),
        }
    }
    out.push(b'"');
}
