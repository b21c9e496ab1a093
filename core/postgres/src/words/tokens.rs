//! The words of SQL statements that an archive brings, so that what is taken from them is quoted again.
//!
//! No such text goes to psql as it is: psql obeys `\! command` wherever it isn't quoted, and an archive may come from a stranger.

/// A word, a quoted name, a text or a sign of a statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Token {
    /// A keyword, a plain name, or a number without its sign.
    Word(String),
    /// A name in double quotes, without them.
    Quoted(String),
    /// A text in single quotes, without them and with what they escaped.
    Text(String),
    /// Anything else, one character.
    Sign(char),
}

impl Token {
    /// It is this keyword.
    #[must_use]
    pub fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word == keyword)
    }

    /// As a name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Quoted(name) => Some(name),
            Self::Text(_) | Self::Sign(_) => None,
        }
    }
}

/// Takes a statement apart as far as pg_dump writes it; what is never closed ends with it.
#[must_use]
pub fn tokens(statement: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut letters = statement.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => tokens.push(Token::Quoted(quoted(&mut letters, '"', false))),
            '\'' => tokens.push(Token::Text(quoted(&mut letters, '\'', false))),
            'E' if letters.next_if_eq(&'\'').is_some() => tokens.push(Token::Text(quoted(&mut letters, '\'', true))),
            letter if letter.is_alphanumeric() || letter == '_' => {
                let mut word = String::from(letter);
                while let Some(next) = letters.next_if(|l| l.is_alphanumeric() || *l == '_' || *l == '$') {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
            letter if letter.is_whitespace() => {}
            '$' => tokens.push(dollar(&mut letters)),
            sign => tokens.push(Token::Sign(sign)),
        }
    }
    tokens
}

/// Up to the closing quote. A quote within is doubled; `escaped`: a backslash is as well.
fn quoted(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, quote: char, escaped: bool) -> String {
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        if letter == quote && letters.next_if_eq(&quote).is_none() {
            break;
        }
        if letter == '\\' && escaped {
            text.extend(letters.next());
        } else {
            text.push(letter);
        }
    }
    text
}

/// The text between `$tag$` and `$tag$`, as a function's body is; else the sign alone, as of a parameter.
fn dollar(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Token {
    let mut ahead = letters.clone();
    let mut delimiter = String::from('$');
    while let Some(letter) = ahead.next_if(|l| l.is_alphanumeric() || *l == '_') {
        delimiter.push(letter);
    }
    let is_number = delimiter.chars().nth(1).is_some_and(|letter| letter.is_ascii_digit());
    if is_number || ahead.next_if_eq(&'$').is_none() {
        return Token::Sign('$');
    }
    delimiter.push('$');
    let mut text = String::new();
    for letter in ahead.by_ref() {
        text.push(letter);
        if letter == '$' && text.ends_with(&delimiter) {
            text.truncate(text.len() - delimiter.len());
            break;
        }
    }
    *letters = ahead;
    Token::Text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_lose_their_quotes_and_keep_what_is_in_them() {
        let statement = r#"SET "a""b" TO E'it''s \\ one', 'C:\''; 9MB"#;
        let expected = [
            Token::Word("SET".into()),
            Token::Quoted("a\"b".into()),
            Token::Word("TO".into()),
            Token::Text(r"it's \ one".into()),
            Token::Sign(','),
            Token::Text(r"C:\'; 9MB".into()),
        ];
        assert_eq!(tokens(statement), expected);
    }

    #[test]
    fn what_stands_between_dollars_is_a_text() {
        let statement = "AS $_$SELECT $1, '$$'$_$, $$a \"b$$ $1 a$b$";
        let text = |text: &str| Token::Text(text.into());
        let word = |word: &str| Token::Word(word.into());
        let expected = [
            word("AS"),
            text("SELECT $1, '$$'"),
            Token::Sign(','),
            text("a \"b"),
            Token::Sign('$'),
            word("1"),
            word("a$b$"),
        ];
        assert_eq!(tokens(statement), expected);
        assert_eq!(tokens("$a$b"), [text("b")], "what is never closed ends with it");
    }

    #[test]
    fn what_psql_would_obey_is_a_sign() {
        assert_eq!(tokens("a \\! b").get(1), Some(&Token::Sign('\\')));
    }
}
