//! A stranger's text, made safe to look at: markup is escaped by maud; what can't be seen, or turns the text around, is shown.

use maud::{Markup, html};

/// The longest name that is shown whole, in characters.
const LONGEST: usize = 120;

/// A name, on its own: marks of direction within it turn nothing beside it.
pub(crate) fn name(text: &str) -> Markup {
    html! { bdi { (shown(text)) } }
}

/// A text with everything visible: `\u{202e}` for a mark that would turn the text around, `\n` for a line's end.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (place, c) in text.chars().enumerate() {
        if place == LONGEST {
            shown.push('…');
            break;
        }
        push(&mut shown, c);
    }
    shown
}

/// The same of a sentence, whatever its length.
pub(crate) fn sentence(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        push(&mut shown, c);
        shown
    })
}

fn push(shown: &mut String, c: char) {
    if is_unseen(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
}

/// Controls, marks of direction, and characters without a width: by them two names may look the same. A joiner of emoji is one too.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
