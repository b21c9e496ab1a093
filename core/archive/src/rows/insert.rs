//! Values and names as SQL writes them, byte by byte: in no character set of a database is a byte of ASCII part of another letter.

use super::csv::in_double_quotes;

/// Adds a name in double quotes.
pub fn identifier(name: &[u8], out: &mut Vec<u8>) {
    in_double_quotes(name, out);
}

/// Adds a value as a text, which PostgreSQL reads as the column's type; on one line, whatever `standard_conforming_strings` says.
pub fn literal(value: Option<&[u8]>, out: &mut Vec<u8>) {
    let Some(value) = value else { return out.extend_from_slice(b"NULL") };
    if value.iter().any(|byte| b"\\\n\r\t".contains(byte)) {
        out.push(b'E');
    }
    out.push(b'\'');
    for byte in value {
        match byte {
            b'\'' => out.extend_from_slice(b"''"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte => out.push(*byte),
        }
    }
    out.push(b'\'');
}
