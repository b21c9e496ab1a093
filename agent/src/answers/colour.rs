//! Colour for the words that say how something is, at a terminal that takes it. Nothing is said by colour alone.

use std::borrow::Cow;

const RED: &str = "31";
const YELLOW: &str = "33";
const GREEN: &str = "32";

/// Words that stand for themselves in capital letters, and the labels of lines.
const WORDS: [(&str, &str); 9] = [
    ("UNHEALTHY", RED),
    ("HEALTHY", GREEN),
    ("DAMAGED", RED),
    ("NONE OF THEM GOOD", RED),
    ("NO BACKUPS", RED),
    ("DRILL FAILED", RED),
    ("SHRUNK", YELLOW),
    ("error:", RED),
    ("warning:", YELLOW),
];

/// Whether a terminal is to have colours: not where `NO_COLOR` is set (no-color.org), nor where `TERM` says that it is a dumb one.
#[expect(clippy::disallowed_methods, reason = "it is the terminal's own, and is needed before any setting is read")]
pub(crate) fn is_wanted() -> bool {
    let is_set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    is_set("NO_COLOR").is_none() && is_set("TERM").is_some_and(|term| term != "dumb")
}

/// The same text with these words in colour. It is as wide as before.
pub(crate) fn paint(text: &str) -> Cow<'_, str> {
    if !WORDS.iter().any(|(word, _)| text.contains(word)) {
        return Cow::Borrowed(text);
    }
    let (mut painted, mut rest) = (String::new(), text);
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let word = WORDS.iter().find(|(word, _)| !before.is_alphanumeric() && is_whole(rest, word));
        let length = match word {
            Some((word, colour)) => {
                painted.extend(["\u{1b}[", colour, "m", word, "\u{1b}[0m"]);
                word.len()
            }
            None => {
                painted.push(c);
                c.len_utf8()
            }
        };
        before = rest.get(..length).and_then(|done| done.chars().last()).unwrap_or(c);
        rest = rest.get(length..).unwrap_or_default();
    }
    Cow::Owned(painted)
}

/// Whether the text begins with this word, and not with a longer one.
fn is_whole(text: &str, word: &str) -> bool {
    text.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_painted_and_nothing_else_changes() {
        let painted = paint("UNHEALTHY: shop is DAMAGED\n  healthy  UNHEALTHY_shop, xHEALTHY");
        let expected =
            "\u{1b}[31mUNHEALTHY\u{1b}[0m: shop is \u{1b}[31mDAMAGED\u{1b}[0m\n  healthy  UNHEALTHY_shop, xHEALTHY";
        assert_eq!(painted, expected);
        assert_eq!(paint("Straße"), "Straße");
        assert_eq!(paint("error: é"), "\u{1b}[31merror:\u{1b}[0m é");
    }
}
