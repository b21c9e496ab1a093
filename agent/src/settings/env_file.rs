//! A `.env` file, read as the shells and dotenv libraries that share it read it.
//!
//! `NAME=value`, `export` before it or not, in single quotes (literal), double quotes (`\n`, `\"`, `\\` and `\$` mean what they
//! say, lines may break) or none (a ` #` begins a comment). `${NAME}` is replaced outside single quotes; a bare `$` stays,
//! because passwords have them. This is our own reader because each value must know its line, and because the usual
//! library refuses unquoted spaces and expands `$`.

use std::collections::HashMap;

/// One assignment of a `.env` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) name: String,
    pub(super) value: String,
    /// The line where it begins, from 1.
    pub(super) line: usize,
}

/// A line that could not be read; its text, which may hold a secret, is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadLine {
    pub(super) line: usize,
    /// The name it would have set, where there is one.
    pub(super) name: Option<String>,
    pub(super) complaint: String,
}

/// Reads every assignment, later ones after earlier ones, and every line that isn't one.
/// `outer` answers for `${NAME}` where the file itself hasn't set it yet.
pub(super) fn parse(text: &str, outer: &dyn Fn(&str) -> Option<String>) -> (Vec<Assignment>, Vec<BadLine>) {
    let mut assignments: Vec<Assignment> = Vec::new();
    let mut known: HashMap<String, String> = HashMap::new();
    let mut bad = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    while !rest.is_empty() {
        let before = rest;
        let lookup = |name: &str| known.get(name).cloned().or_else(|| outer(name));
        match next(&mut rest, &lookup) {
            Ok(Some((name, value))) => {
                known.insert(name.clone(), value.clone());
                assignments.push(Assignment { name, value, line });
            }
            Ok(None) => {}
            Err((name, complaint)) => bad.push(BadLine { line, name, complaint }),
        }
        let read = before.len() - rest.len();
        line += before.bytes().take(read).filter(|byte| *byte == b'\n').count();
    }
    (assignments, bad)
}

type Complaint = (Option<String>, String);

/// Takes one line, or several where a quoted value spans them, off the front of `rest`.
fn next(rest: &mut &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Option<(String, String)>, Complaint> {
    let line = take_line(rest);
    // The end stays: it may be inside a quote.
    let statement = line.trim_start();
    if statement.is_empty() || statement.starts_with('#') {
        return Ok(None);
    }
    let statement = statement.strip_prefix("export").filter(|s| s.starts_with([' ', '\t'])).unwrap_or(statement);
    let Some((name, value)) = statement.split_once('=') else { return Err((None, "expected NAME=value".into())) };
    let name = name.trim();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) {
        return Err((None, "the text before `=` is not a valid name".into()));
    }
    let own = |complaint| (Some(name.to_owned()), complaint);
    let value = value.trim_start();
    let value = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let opened = value.strip_prefix(quote).unwrap_or_default();
            let raw = quoted(opened, quote, rest).map_err(own)?;
            if quote == '\'' { raw } else { expand(&raw, true, lookup).map_err(own)? }
        }
        _ => expand(without_comment(value), false, lookup).map_err(own)?,
    };
    Ok(Some((name.to_owned(), value)))
}

fn take_line<'a>(rest: &mut &'a str) -> &'a str {
    let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
    *rest = after;
    line.strip_suffix('\r').unwrap_or(line)
}

/// A comment begins at the value's own start or after a space: `a#b` is a value.
fn without_comment(value: &str) -> &str {
    let is_comment =
        |(at, _): &(usize, &str)| value.get(..*at).is_some_and(|v| v.is_empty() || v.ends_with([' ', '\t']));
    let end = value.match_indices('#').find(is_comment).map_or(value.len(), |(at, _)| at);
    value.get(..end).unwrap_or(value).trim_end()
}

/// The text up to the closing quote, on later lines too; escapes are left as they are.
fn quoted(opened: &str, quote: char, rest: &mut &str) -> Result<String, String> {
    let mut text = String::new();
    let mut line = opened;
    let mut later = *rest;
    loop {
        if let Some(end) = closing(line, quote) {
            let (value, after) = line.split_at_checked(end).unwrap_or((line, ""));
            let after = after.strip_prefix(quote).unwrap_or(after).trim();
            if !after.is_empty() && !after.starts_with('#') {
                return Err("unexpected text after the closing quote".into());
            }
            text.push_str(value);
            *rest = later;
            return Ok(text);
        }
        if later.is_empty() {
            // Only this line is lost: those below are still read.
            return Err("the quote is not closed".into());
        }
        text.push_str(line);
        text.push('\n');
        line = take_line(&mut later);
    }
}

fn closing(line: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match c {
            c if c == quote && !escaped => return Some(at),
            '\\' if quote == '"' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

/// Replaces `${NAME}`, and inside double quotes the escapes.
fn expand(text: &str, escapes: bool, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['$', '\\']) {
        let (plain, special) = rest.split_at_checked(at).unwrap_or((rest, ""));
        expanded.push_str(plain);
        if let Some(inside) = special.strip_prefix("${") {
            let (name, after) =
                inside.split_once('}').ok_or("`${` has no closing brace; use single quotes to keep it as it is")?;
            let unknown = || format!("${{{name}}} is not set here; use single quotes to keep it as it is");
            expanded.push_str(&lookup(name).ok_or_else(unknown)?);
            rest = after;
            continue;
        }
        let mut characters = special.chars();
        match (characters.next(), characters.clone().next()) {
            (Some('\\'), Some(escaped)) if escapes && "nrt\"\\$".contains(escaped) => {
                characters.next();
                expanded.push(match escaped {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    other => other,
                });
            }
            (Some(plain), _) => expanded.push(plain),
            (None, _) => {}
        }
        rest = characters.as_str();
    }
    expanded.push_str(rest);
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let outer = |name: &str| (name == "HOME").then(|| "/root".to_owned());
        let (assignments, bad) = parse(text, &outer);
        let good = assignments.iter().map(|a| format!("{}:{}={:?}", a.line, a.name, a.value));
        let bad = bad.iter().map(|b| format!("{}! {}", b.line, b.complaint));
        good.chain(bad).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn each_way_of_writing_a_value_is_understood() {
        let cases = [
            ("A=b", r#"1:A="b""#),
            ("export A = b c \r\nB=2\r\n", r#"1:A="b c" | 2:B="2""#),
            ("BACKUP_S3_BUCKET=  # Leave empty", r#"1:BACKUP_S3_BUCKET="""#),
            ("A=#b\nB=a#b # c", r#"1:A="" | 2:B="a#b""#),
            ("A=\"quoted # not a comment\" # one", r##"1:A="quoted # not a comment""##),
            ("A='it''s'", "1! unexpected text after the closing quote"),
            ("A='$x ${y} \\n'", r#"1:A="$x ${y} \\n""#),
            ("A=\"a\\\"b\\n\\$c\\d\"", r#"1:A="a\"b\n$c\\d""#),
            ("P=pa$$word\nQ=back\\slash", r#"1:P="pa$$word" | 2:Q="back\\slash""#),
            ("U=me\nA=x://${U}@h${HOME}", r#"1:U="me" | 2:A="x://me@h/root""#),
            ("A=${NOPE}\nB=1", "2:B=\"1\" | 1! ${NOPE} is not set here; use single quotes to keep it as it is"),
            ("KEY=\"-----BEGIN\nabc\n-----END\"\nB=1", r#"1:KEY="-----BEGIN\nabc\n-----END" | 4:B="1""#),
            ("A=\"open\nB=1", "2:B=\"1\" | 1! the quote is not closed"),
            (
                "just words\n=x\n\n  # c\nA=1",
                r#"5:A="1" | 1! expected NAME=value | 2! the text before `=` is not a valid name"#,
            ),
            ("\u{feff}A=ü", "1:A=\"ü\""),
            ("A=", r#"1:A="""#),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_password_in_single_quotes_stays_as_it_is(password in "[^'\r]{0,40}") {
            let (assignments, bad) = parse(&format!("A='{password}'\nB=2\n"), &|_| None);
            proptest::prop_assert_eq!(bad, vec![]);
            let values: Vec<_> = assignments.iter().map(|a| a.value.clone()).collect();
            proptest::prop_assert_eq!(values, vec![password, "2".to_owned()]);
        }

        #[test]
        fn any_text_is_read_to_its_end(text in ".{0,200}") {
            parse(&text, &|_| None);
        }
    }
}
