//! Whether a text is SQL.

/// The first line that is neither blank nor a comment begins a statement or a psql command; or, all being comments,
/// pg_dump's own heading is among them.
pub(super) fn looks_like_sql(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    for line in head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii) {
        if line.is_empty() {
            continue;
        }
        let Some(comment) = line.strip_prefix(b"--") else { return begins_statement(line) };
        if comment.trim_ascii_start().starts_with(b"PostgreSQL database") {
            return true;
        }
    }
    false
}

fn begins_statement(line: &[u8]) -> bool {
    const FIRST_WORDS: [&str; 12] = [
        "set",
        "select",
        "create",
        "alter",
        "drop",
        "insert",
        "copy",
        "begin",
        "comment",
        "grant",
        "\\restrict",
        "\\connect",
    ];
    let word = line.split(|byte| byte.is_ascii_whitespace() || *byte == b';').next().unwrap_or_default();
    FIRST_WORDS.iter().any(|first| word.eq_ignore_ascii_case(first.as_bytes()))
}
