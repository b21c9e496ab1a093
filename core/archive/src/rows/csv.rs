//! CSV as `COPY … TO … (FORMAT csv)` writes it.

/// Adds a field: nothing for NULL, and in quotes what is empty or would be mistaken.
pub fn csv(value: Option<&[u8]>, is_alone: bool, out: &mut Vec<u8>) {
    let Some(value) = value else { return };
    let mistaken = |byte: &u8| b",\"\n\r".contains(byte);
    // What COPY would take for the end of its input.
    let is_end = is_alone && value == b"\\.";
    if !value.is_empty() && !is_end && !value.iter().any(mistaken) {
        return out.extend_from_slice(value);
    }
    in_double_quotes(value, out);
}

/// Adds it between double quotes, with those in it doubled.
pub(super) fn in_double_quotes(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}
