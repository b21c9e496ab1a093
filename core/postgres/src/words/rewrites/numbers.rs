//! Negative numbers.

use crate::words::tokens::Token;

/// `(- 1)` becomes `'-1'::integer`: what was an operator before a number is read again as one number. Nothing where there is none.
pub(super) fn as_constants(from: &[Token], _: &[Token]) -> Option<Vec<Token>> {
    let (mut made, mut rest, mut is_other) = (Vec::with_capacity(from.len()), from, false);
    while let Some((first, after)) = rest.split_first() {
        let (number, of_type, behind) = match rest {
            [Token::Sign('('), Token::Sign('-'), Token::Word(whole), Token::Sign(')'), behind @ ..] => {
                (whole.clone(), "integer", behind)
            }
            [
                Token::Sign('('),
                Token::Sign('-'),
                Token::Word(whole),
                Token::Sign('.'),
                Token::Word(part),
                Token::Sign(')'),
                behind @ ..,
            ] => (format!("{whole}.{part}"), "numeric", behind),
            _ => (String::new(), "", after),
        };
        rest = behind;
        if number.starts_with(|letter: char| letter.is_ascii_digit()) {
            is_other = true;
            made.push(Token::Text(format!("-{number}")));
            made.extend([Token::Sign(':'), Token::Sign(':'), Token::Word(of_type.to_owned())]);
        } else {
            made.push(first.clone());
            rest = after;
        }
    }
    is_other.then_some(made)
}
