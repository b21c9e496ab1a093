//! A `.env` file, read as the shells and dotenv libraries that share it read it.
//!
//! `NAME=value` or `NAME: value`, `export` before it or not, in single quotes or backquotes (literal), double quotes (`\n`,
//! `\"`, `\\` and `\$` mean what they say, lines may break) or none (a ` #` begins a comment). `expand` says what is replaced.
//! This is our own reader because each value must know its line, and because the usual library refuses unquoted spaces
//! and expands `$`.

mod expand;
mod write;

use std::collections::HashMap;

use expand::{Names, expand};

pub(crate) use write::line;

/// Stands for bytes that are not UTF-8. Unicode keeps it for a program's own use.
const NOT_TEXT: char = '\u{fdd0}';

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
    pub(super) kind: Broken,
    /// The name it would have set, or words that may be meant as one.
    pub(super) names: Vec<String>,
    pub(super) complaint: String,
}

impl BadLine {
    /// An assignment whose value no program can be given.
    pub(super) fn with_zero_byte(Assignment { name, line, .. }: Assignment) -> Self {
        Self { line, kind: Broken::Value, names: vec![name], complaint: "its value contains a zero byte".into() }
    }
}

/// What of a line is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The value of a name.
    Value,
    /// It is a name alone.
    Bare,
    /// It is no assignment at all.
    Line,
}

/// Reads every assignment, later ones after earlier ones, and every line that isn't one.
/// `outer` answers for `${NAME}` where the file itself hasn't set it yet.
pub(super) fn parse(bytes: &[u8], outer: &dyn Fn(&str) -> Option<String>) -> (Vec<Assignment>, Vec<BadLine>) {
    let text = text(bytes);
    let mut assignments: Vec<Assignment> = Vec::new();
    let mut known: HashMap<String, String> = HashMap::new();
    let mut bad = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut line = 1;
    while !rest.is_empty() {
        let before = rest;
        match next(&mut rest, &Names { known: &known, outer }) {
            Ok(Some((name, value))) => {
                known.insert(name.clone(), value.clone());
                assignments.push(Assignment { name, value, line });
            }
            Ok(None) => {}
            Err((kind, names, complaint)) => bad.push(BadLine { line, kind, names, complaint }),
        }
        let read = before.len() - rest.len();
        line += before.bytes().take(read).filter(|byte| *byte == b'\n').count();
    }
    (assignments, bad)
}

/// The file's text, with a mark where its bytes are none: they may stand in a line of another program.
fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(NOT_TEXT);
        }
    }
    text
}

type Complaint = (Broken, Vec<String>, String);

/// Takes one line, or several where a quoted value spans them, off the front of `rest`.
fn next(rest: &mut &str, names: &Names<'_>) -> Result<Option<(String, String)>, Complaint> {
    let line = take_line(rest);
    // The end stays: it may be inside a quote.
    let statement = line.trim_start();
    if statement.is_empty() || statement.starts_with('#') {
        return Ok(None);
    }
    let exported = statement.strip_prefix("export").filter(|s| s.starts_with([' ', '\t']));
    let statement = exported.unwrap_or(statement);
    let Some((name, value)) = halves(statement) else {
        // A shell exports what it has set before.
        let kind = if is_name(statement.trim_end()) { Broken::Bare } else { Broken::Line };
        return match exported {
            Some(_) => Ok(None),
            None => Err((kind, first_word(statement), "expected NAME=value".into())),
        };
    };
    let name = name.trim();
    if !is_name(name) {
        return Err((Broken::Line, words(name), "the text before `=` is not a valid name".into()));
    }
    let own = |complaint| (Broken::Value, vec![name.to_owned()], complaint);
    let value = value.trim_start();
    let value = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let opened = value.strip_prefix(quote).unwrap_or_default();
            let raw = quoted(opened, quote, rest).map_err(own)?;
            if quote == '\'' { raw } else { expand(&raw, true, names).map_err(own)? }
        }
        _ => match backquoted(value) {
            Some(raw) => raw.to_owned(),
            None => expand(without_comment(value), false, names).map_err(own)?,
        },
    };
    if value.contains(NOT_TEXT) {
        return Err(own("its value is not valid UTF-8".into()));
    }
    Ok(Some((name.to_owned(), value)))
}

/// Name and value: at `=`, or at a colon and a space where that comes first, as Ruby's and Node's dotenv have it.
fn halves(statement: &str) -> Option<(&str, &str)> {
    let colon = statement
        .split_once(':')
        .filter(|(name, value)| is_name(name.trim()) && (value.is_empty() || value.starts_with([' ', '\t', '\r'])));
    colon.or_else(|| statement.split_once('='))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

/// The words of what is no name: one of them may be meant.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

fn first_word(text: &str) -> Vec<String> {
    let before = |word: &String| ["set", "setenv", "declare", "env", "x"].contains(&word.as_str());
    words(text).into_iter().skip_while(before).take(1).collect()
}

/// The text between two backquotes, which Node's dotenv takes literally. A single one is part of a password.
fn backquoted(value: &str) -> Option<&str> {
    let (text, after) = value.strip_prefix('`')?.split_once('`')?;
    let after = after.trim();
    (after.is_empty() || after.starts_with('#')).then_some(text)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let outer = |name: &str| (name == "HOME").then(|| "/root".to_owned());
        let (assignments, bad) = parse(text.as_bytes(), &outer);
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
            (
                "A: b\nB:c\nC: 'd # e' # f\nU: http://x",
                r#"1:A="b" | 3:C="d # e" | 4:U="http://x" | 2! expected NAME=value"#,
            ),
            ("A=`b \"c\" 'd' $e`\nB=`c", r#"1:A="b \"c\" 'd' $e" | 2:B="`c""#),
            ("export A\nA=${B:-x}$C\nC=y\nD=$C", r#"2:A="x$C" | 3:C="y" | 4:D="y""#),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_the_trouble_of_their_own_line() {
        let (assignments, bad) = parse(b"A=caf\xe9\nB=ok\n# \xff\nC=${A:-d}\n\xfe=1\nD='\xc3\xa9'", &|_| None);
        let values: Vec<_> = assignments.iter().map(|a| format!("{}={}", a.name, a.value)).collect();
        assert_eq!(values, ["B=ok", "C=d", "D=é"]);
        let bad: Vec<_> = bad.iter().map(|b| format!("{} {:?} {}", b.line, b.names, b.complaint)).collect();
        let expected = ["1 [\"A\"] its value is not valid UTF-8", "5 [] the text before `=` is not a valid name"];
        assert_eq!(bad, expected);
    }

    #[test]
    fn a_broken_line_tells_which_name_may_be_meant() {
        let cases = [
            ("DB_NAME shop", "DB_NAME"),
            ("set DB_NAME", "DB_NAME"),
            ("- DB_NAME=shop", "DB_NAME"),
            ("\"DB_NAME\"=shop", "DB_NAME"),
            ("set DB_NAME=shop", "set DB_NAME"),
            ("DB_NAME=\"shop", "DB_NAME"),
            ("DB_NAME:shop", "DB_NAME"),
        ];
        for (text, names) in cases {
            let (assignments, bad) = parse(text.as_bytes(), &|_| None);
            let found: Vec<_> = bad.iter().map(|line| line.names.join(" ")).collect();
            assert_eq!((assignments.len(), found), (0, vec![names.to_owned()]), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_password_in_single_quotes_stays_as_it_is(password in "[^'\r]{0,40}") {
            let (assignments, bad) = parse(format!("A='{password}'\nB=2\n").as_bytes(), &|_| None);
            proptest::prop_assert_eq!(bad, vec![]);
            let values: Vec<_> = assignments.iter().map(|a| a.value.clone()).collect();
            proptest::prop_assert_eq!(values, vec![password, "2".to_owned()]);
        }

        #[test]
        fn any_text_is_read_to_its_end(text in ".{0,200}") {
            parse(text.as_bytes(), &|_| None);
        }
    }
}
