//! Long lines broken between words, so that they fit a terminal.

use unicode_width::UnicodeWidthStr as _;

/// A label in front of a text, with a gap behind it, is at most this wide: what is broken off goes on under the text.
const LABEL: usize = 24;

/// The text with each line broken between words into lines of at most `width` columns. What is broken off is indented as far as
/// the text behind a label, or by two more than its line. A word that is wider stays whole.
pub(crate) fn fold(text: &str, width: usize) -> String {
    text.lines().map(|line| fold_line(line, width)).collect::<Vec<_>>().join("\n")
}

fn fold_line(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_owned();
    }
    let hang = hang(line).min(width / 2);
    let (mut folded, mut column, mut is_first) = (String::new(), 0, true);
    for word in line.split_inclusive(' ') {
        let bare = word.trim_end_matches(' ').width();
        if !is_first && bare > 0 && column + bare > width {
            folded.truncate(folded.trim_end().len());
            folded.push('\n');
            folded.push_str(&" ".repeat(hang));
            column = hang;
        }
        folded.push_str(word);
        column += word.width();
        is_first &= bare == 0;
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// How far what is broken off a line is indented.
fn hang(line: &str) -> usize {
    let text = line.trim_start_matches(' ');
    let indent = line.len() - text.len();
    let gap = text.find("  ").filter(|gap| indent + gap < LABEL);
    let behind = gap.and_then(|gap| Some((gap, text.get(gap..)?.trim_start_matches(' '))));
    match behind.filter(|(_, behind)| !behind.is_empty()) {
        Some((gap, behind)) => {
            let label = text.get(..gap).unwrap_or_default();
            indent + label.width() + (text.len() - gap - behind.len())
        }
        None => indent + 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_go_on_under_their_text() {
        let text = "  state  one two three\nnote: four five six\nshort";
        assert_eq!(fold(text, 16), "  state  one two\n         three\nnote: four five\n  six\nshort");
    }

    #[test]
    fn a_word_stays_whole_and_wide_characters_count_twice() {
        assert_eq!(fold("  a_very_long_word x", 8), "  a_very_long_word\n    x");
        assert_eq!(fold("注文 注文 注文", 9), "注文 注文\n  注文");
        assert_eq!(fold("", 10), "");
    }
}
