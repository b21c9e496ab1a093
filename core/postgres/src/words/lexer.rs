//! The words of SQL as people write it, in the bodies of functions: with comments, dollar quotes and names in any case.

use std::iter::Peekable;
use std::str::CharIndices;

/// One word or sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lexeme {
    /// A keyword or a name, in lower case unless it was quoted.
    Name { text: String, quoted: bool },
    /// A text, without its quotes.
    Text(String),
    /// A number, or a parameter such as `$1`.
    Number,
    /// Anything else, one character.
    Sign(char),
}

impl Lexeme {
    /// It is this keyword, given in lower case.
    pub(super) fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Name { text, quoted: false } if text == keyword)
    }

    /// It is one of these keywords.
    pub(super) fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    /// As a name.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Name { text, .. } => Some(text),
            _ => None,
        }
    }
}

/// Takes SQL apart. What is never closed ends with it.
pub(super) fn lexemes(sql: &str) -> Vec<Lexeme> {
    let mut lexer = Lexer::new(sql);
    std::iter::from_fn(|| lexer.next()).collect()
}

/// A walk from word to word.
pub(super) struct Lexer<'a> {
    sql: &'a str,
    letters: Peekable<CharIndices<'a>>,
}

impl<'a> Lexer<'a> {
    /// Before the first word.
    pub(super) fn new(sql: &'a str) -> Self {
        Self { sql, letters: sql.char_indices().peekable() }
    }

    /// The offset behind the last word.
    pub(super) fn position(&mut self) -> usize {
        self.letters.peek().map_or(self.sql.len(), |(at, _)| *at)
    }

    /// The next word.
    pub(super) fn next(&mut self) -> Option<Lexeme> {
        loop {
            let (at, letter) = self.letters.next()?;
            match letter {
                letter if letter.is_whitespace() => {}
                '-' if self.follows("-") => while self.letters.next_if(|(_, l)| *l != '\n').is_some() {},
                '/' if self.follows("*") => self.skip_comment(),
                '\'' => return Some(Lexeme::Text(self.quoted('\'', false))),
                '"' => return Some(Lexeme::Name { text: self.quoted('"', false), quoted: true }),
                'e' | 'E' if self.follows("'") => {
                    self.letters.next();
                    return Some(Lexeme::Text(self.quoted('\'', true)));
                }
                '$' => return Some(self.dollar(at)),
                letter if letter.is_ascii_digit() => {
                    self.skip_while(|l| l.is_ascii_alphanumeric());
                    return Some(Lexeme::Number);
                }
                letter if letter.is_alphabetic() || letter == '_' => {
                    let end = self.skip_while(|l| l.is_alphanumeric() || l == '_' || l == '$');
                    let text = self.sql.get(at..end).unwrap_or_default().to_ascii_lowercase();
                    return Some(Lexeme::Name { text, quoted: false });
                }
                sign => return Some(Lexeme::Sign(sign)),
            }
        }
    }

    fn rest(&mut self) -> &str {
        let at = self.position();
        self.sql.get(at..).unwrap_or_default()
    }

    fn follows(&mut self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    /// The offset after the last letter that was skipped.
    fn skip_while(&mut self, is_part: impl Fn(char) -> bool) -> usize {
        while self.letters.next_if(|(_, letter)| is_part(*letter)).is_some() {}
        self.position()
    }

    fn skip_to(&mut self, end: usize) {
        while self.letters.next_if(|(at, _)| *at < end).is_some() {}
    }

    /// Comments lie within comments.
    fn skip_comment(&mut self) {
        let mut depth = 0_usize;
        let mut before = '/';
        for (_, letter) in self.letters.by_ref() {
            match (before, letter) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth = depth.saturating_sub(1),
                _ => {
                    before = letter;
                    continue;
                }
            }
            if depth == 0 {
                return;
            }
            before = ' ';
        }
    }

    fn quoted(&mut self, quote: char, escaped: bool) -> String {
        let mut text = String::new();
        while let Some((_, letter)) = self.letters.next() {
            if letter == quote && self.letters.next_if(|(_, next)| *next == quote).is_none() {
                break;
            }
            if letter == '\\' && escaped {
                text.extend(self.letters.next().map(|(_, letter)| letter));
            } else {
                text.push(letter);
            }
        }
        text
    }

    /// `$1`, or a text between `$tag$` and `$tag$`.
    fn dollar(&mut self, at: usize) -> Lexeme {
        let rest = self.sql.get(at + 1..).unwrap_or_default();
        let tag = rest.split('$').next().filter(|tag| tag.len() < rest.len()).filter(|tag| {
            !tag.starts_with(|l: char| l.is_ascii_digit()) && tag.chars().all(|l| l.is_alphanumeric() || l == '_')
        });
        let Some(tag) = tag else {
            self.skip_while(|letter| letter.is_ascii_digit());
            return Lexeme::Number;
        };
        let begin = at + tag.len() + 2;
        let delimiter = format!("${tag}$");
        let body = self.sql.get(begin..).unwrap_or_default();
        let body = body.split(&delimiter).next().unwrap_or_default();
        self.skip_to(begin + body.len() + delimiter.len());
        Lexeme::Text(body.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(sql: &str) -> String {
        let words = lexemes(sql).into_iter().map(|lexeme| match lexeme {
            Lexeme::Name { text, quoted: false } => text,
            Lexeme::Name { text, quoted: true } => format!("<{text}>"),
            Lexeme::Text(text) => format!("'{text}'"),
            Lexeme::Number => "#".to_owned(),
            Lexeme::Sign(sign) => sign.to_string(),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn sql_is_taken_apart_as_postgresql_does() {
        for (sql, expected) in [
            ("SELECT Is_Odd($1) -- is_even(1)\n+ 2.5", "select is_odd ( # ) + # . #"),
            ("a /* b /* c */ d */ \"E f\"\"g\"", "a <E f\"g>"),
            (r"E'it\'s' || 'a\' || $$b 'c' $$ || $x$d$$e$x$", r"'it's' | | 'a\' | | 'b 'c' ' | | 'd$$e'"),
            ("a$b$c $1$2", "a$b$c # #"),
            ("'never closed", "'never closed'"),
            ("größe/2", "größe / #"),
            ("/* never closed", ""),
        ] {
            assert_eq!(shown(sql), expected, "{sql}");
        }
    }
}
