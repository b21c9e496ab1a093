//! PostgreSQL's texts of values that hold others: arrays, rows of composite types, hstore.

/// An element of an array.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Element {
    Null,
    Value(Vec<u8>),
    Array(Vec<Self>),
}

/// A key, and its value; `None` is NULL.
pub(super) type Pair = (Vec<u8>, Option<Vec<u8>>);

/// How deep arrays lie in arrays: PostgreSQL has six dimensions.
const DEEPEST: usize = 16;

/// The elements of `{a,"b c",NULL,{d}}`, with bounds before it or not; `None` where it is none.
pub(super) fn array(text: &[u8], delimiter: u8) -> Option<Vec<Element>> {
    let mut rest = text;
    if rest.first() == Some(&b'[') {
        let equals = rest.iter().position(|byte| *byte == b'=')?;
        rest = rest.get(equals + 1..)?;
    }
    let (elements, rest) = elements(rest, delimiter, DEEPEST)?;
    rest.is_empty().then_some(elements)
}

fn elements(text: &[u8], delimiter: u8, depth: usize) -> Option<(Vec<Element>, &[u8])> {
    let mut rest = text.strip_prefix(b"{").filter(|_| depth > 0)?;
    let mut found = Vec::new();
    if let Some(rest) = rest.strip_prefix(b"}") {
        return Some((found, rest));
    }
    loop {
        let (element, after) = match rest.first()? {
            b'{' => {
                let (inner, after) = elements(rest, delimiter, depth - 1)?;
                (Element::Array(inner), after)
            }
            b'"' => {
                let (value, after) = quoted(rest)?;
                (Element::Value(value), after)
            }
            _ => plain_element(rest, delimiter)?,
        };
        found.push(element);
        let (&next, after) = after.split_first()?;
        match next {
            b'}' => return Some((found, after)),
            byte if byte == delimiter => rest = after,
            _ => return None,
        }
    }
}

fn plain_element(text: &[u8], delimiter: u8) -> Option<(Element, &[u8])> {
    let end = text.iter().position(|byte| *byte == delimiter || *byte == b'}')?;
    let (value, rest) = text.split_at(end);
    let element = if value.eq_ignore_ascii_case(b"NULL") { Element::Null } else { Element::Value(value.to_vec()) };
    Some((element, rest))
}

/// A text in double quotes, in which a backslash stands before what it keeps, and a doubled quote is one.
fn quoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = text.strip_prefix(b"\"")?;
    let mut value = Vec::new();
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'\\' => {
                let (&kept, after) = rest.split_first()?;
                value.push(kept);
                rest = after;
            }
            b'"' => match rest.strip_prefix(b"\"") {
                Some(after) => {
                    value.push(b'"');
                    rest = after;
                }
                None => return Some((value, rest)),
            },
            byte => value.push(byte),
        }
    }
}

/// The fields of `(a,"b c",,)`: `None` for NULL.
pub(super) fn composite(text: &[u8]) -> Option<Vec<Option<Vec<u8>>>> {
    let mut rest = text.strip_prefix(b"(")?;
    let mut fields = Vec::new();
    if rest == b")" {
        return Some(fields);
    }
    loop {
        let (field, after) = composite_field(rest)?;
        fields.push(field);
        let (&next, after) = after.split_first()?;
        match (next, after) {
            (b')', []) => return Some(fields),
            (b',', after) => rest = after,
            _ => return None,
        }
    }
}

fn composite_field(text: &[u8]) -> Option<(Option<Vec<u8>>, &[u8])> {
    if text.first() == Some(&b'"') {
        let (value, rest) = quoted(text)?;
        return Some((Some(value), rest));
    }
    let end = text.iter().position(|byte| b",)".contains(byte))?;
    let (value, rest) = text.split_at(end);
    Some(((!value.is_empty()).then(|| value.to_vec()), rest))
}

/// The pairs of `"key"=>"value", "other"=>NULL`.
pub(super) fn hstore(text: &[u8]) -> Option<Vec<Pair>> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (key, after) = quoted(rest)?;
        let after = after.strip_prefix(b"=>")?;
        let (value, after) = match after.strip_prefix(b"NULL") {
            Some(after) => (None, after),
            None => quoted(after).map(|(value, after)| (Some(value), after))?,
        };
        pairs.push((key, value));
        rest = match after {
            [] => after,
            after => after.strip_prefix(b", ")?,
        };
    }
    Some(pairs)
}
