//! Names of a subquery's columns.

use crate::words::tokens::Token;

/// `IN ( SELECT 'a'::text)` becomes `IN ( SELECT 'a'::text AS text)`: a value without a name gets that of the type that it is converted to,
/// once it is read again. The copy's words, if such names are all that it has more.
pub(super) fn of_values(original: &[Token], copy: &[Token]) -> Option<Vec<Token>> {
    let (mut rest, mut at, mut depth) = (original, 0, 0_i32);
    let mut is_other = false;
    while let Some(token) = copy.get(at) {
        match rest.split_first() {
            Some((first, after)) if first == token => {
                depth += match token {
                    Token::Sign('(') => 1,
                    Token::Sign(')') => -1,
                    _ => 0,
                };
                rest = after;
                at += 1;
            }
            // A view's own columns have names that somebody gave them.
            _ if depth > 0 && is_name_of_a_type(copy, at) => {
                is_other = true;
                at += 2;
            }
            _ => return None,
        }
    }
    (is_other && rest.is_empty()).then(|| copy.to_vec())
}

/// `AS text`, behind a conversion and at the end of what a subquery selects.
fn is_name_of_a_type(tokens: &[Token], at: usize) -> bool {
    let named = matches!(tokens.get(at..), Some([word, name, end, ..])
        if word.is("AS") && name.name().is_some() && (end.is("FROM") || matches!(end, Token::Sign(',' | ')'))));
    let mut depth = 0_i32;
    let is_type = |token: &&Token| {
        depth += match token {
            Token::Sign(')') => 1,
            Token::Sign('(') => -1,
            _ => 0,
        };
        match token {
            Token::Word(_) => !token.is("AS"),
            Token::Sign(',') => depth > 0,
            Token::Sign('(') => depth >= 0,
            token => matches!(token, Token::Quoted(_) | Token::Sign('.' | ')' | '[' | ']')),
        }
    };
    let before = tokens.get(..at).unwrap_or_default();
    let length = before.iter().rev().take_while(is_type).count();
    let conversion = before.get(..before.len() - length).unwrap_or_default();
    named && length > 0 && conversion.ends_with(&[Token::Sign(':'), Token::Sign(':')])
}
