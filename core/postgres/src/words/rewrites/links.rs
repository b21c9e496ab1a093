//! Operators that name each other.

use crate::words::tokens::Token;

/// A commutator or negator that one operator names alone is entered with the other one as well when it is made again: the words of the copy,
/// if such links are all that it has more.
pub(super) fn filled_in(original: &[Token], copy: &[Token]) -> Option<Vec<Token>> {
    let is_operator = matches!(original, [create, operator, ..] if create.is("CREATE") && operator.is("OPERATOR"));
    if !is_operator {
        return None;
    }
    let (before, after) = (clauses(original), clauses(copy));
    let is_link = |clause: &[Token]| clause.first().is_some_and(|word| word.is("COMMUTATOR") || word.is("NEGATOR"));
    let known: Vec<_> = after.iter().filter(|clause| before.contains(clause) || !is_link(clause)).collect();
    (known.len() < after.len() && known.into_iter().eq(&before)).then(|| copy.to_vec())
}

/// At commas outside of inner parentheses; what closes the statement belongs to none.
fn clauses(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0_i32;
    let is_border = |token: &Token| {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth -= 1,
            _ => {}
        }
        depth <= 1 && matches!(token, Token::Sign(',' | ';')) || depth == 0 && *token == Token::Sign(')')
    };
    tokens.split(is_border).collect()
}
