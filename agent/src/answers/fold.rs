//! Long lines broken between words, so that they fit a terminal. Commands to copy stay what they are.

use unicode_width::UnicodeWidthStr as _;

/// A label in front of a text, with a gap behind it, is at most this wide: what is broken off goes on under the text.
const LABEL: usize = 24;

/// What a line for a shell begins with.
const PROGRAMS: [&str; 9] =
    ["age ", "aws ", "createdb ", "gunzip ", "lastgood ", "pg_restore ", "psql ", "unzip ", "zstd "];
/// Behind this a sentence ends in a command.
const COMMAND: &str = ": lastgood ";

/// The text with each line broken between words into lines of at most `width` columns. What is broken off is indented as far as
/// the text behind a label, or by two more than its line. A word that is wider stays whole. A line for a shell is broken as a
/// shell reads it; the command that ends a sentence gets a line of its own.
pub(crate) fn fold(text: &str, width: usize) -> String {
    text.lines().map(|line| fold_line(line, width)).collect::<Vec<_>>().join("\n")
}

fn fold_line(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_owned();
    }
    let hang = hang(line).min(width / 2);
    if PROGRAMS.iter().any(|program| line.trim_start().starts_with(program)) {
        return break_words(line, width.saturating_sub(2), hang, " \\");
    }
    if let Some(at) = line.rfind(COMMAND) {
        let (sentence, command) = line.split_at(at + 1);
        let command = fold_line(&format!("{}{}", " ".repeat(hang), command.trim_start()), width);
        return format!("{}\n{command}", fold_line(sentence, width));
    }
    break_words(line, width, hang, "")
}

/// Breaks between words, with `mark` at the end of each line but the last.
fn break_words(line: &str, width: usize, hang: usize, mark: &str) -> String {
    let (mut folded, mut column, mut is_first) = (String::new(), 0, true);
    for word in line.split_inclusive(' ') {
        let bare = word.trim_end_matches(' ').width();
        if !is_first && bare > 0 && column + bare > width {
            folded.truncate(folded.trim_end().len());
            folded.push_str(mark);
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
        let text = "  state  one two three\nnote: four five six seven\nshort";
        assert_eq!(fold(text, 20), "  state  one two\n         three\nnote: four five six\n  seven\nshort");
    }

    #[test]
    fn commands_can_be_copied_still() {
        let text = "  createdb -T template0 shop\nnote: it is gone: lastgood show shop_backup_x";
        let expected = "  createdb -T \\\n    template0 shop\nnote: it is gone:\n  lastgood show \\\n    shop_backup_x";
        assert_eq!(fold(text, 20), expected);
    }

    #[test]
    fn a_word_stays_whole_and_wide_characters_count_twice() {
        assert_eq!(fold("  a_very_long_word x", 8), "  a_very_long_word\n    x");
        assert_eq!(fold("注文 注文 注文", 9), "注文 注文\n  注文");
        assert_eq!(fold("", 10), "");
    }
}
