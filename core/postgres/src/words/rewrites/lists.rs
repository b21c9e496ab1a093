//! Lists of values.

use crate::words::tokens::Token;

/// `(ARRAY['a'::character varying, …])::text[]` becomes `ARRAY[('a'::character varying)::text, …]`; nothing where there is none.
pub(super) fn converted_one_by_one(from: &[Token], _: &[Token]) -> Option<Vec<Token>> {
    let (mut made, mut rest, mut is_other) = (Vec::with_capacity(from.len()), from, false);
    while let Some((first, after)) = rest.split_first() {
        match Conversion::at(rest) {
            Some(conversion) => {
                is_other = true;
                rest = conversion.rest;
                conversion.write(&mut made);
            }
            None => {
                made.push(first.clone());
                rest = after;
            }
        }
    }
    is_other.then_some(made)
}

/// An array, in parentheses or not, and the type of array that it is converted to.
struct Conversion<'a> {
    elements: Vec<&'a [Token]>,
    to: &'a [Token],
    /// As statistics write it: with parentheses only where they are needed.
    is_bare: bool,
    rest: &'a [Token],
}

impl<'a> Conversion<'a> {
    /// The one that stands at the beginning.
    fn at(tokens: &'a [Token]) -> Option<Self> {
        let (is_bare, inner) = match tokens {
            [Token::Sign('('), array, Token::Sign('['), inner @ ..] if array.is("ARRAY") => (false, inner),
            [array, Token::Sign('['), inner @ ..] if array.is("ARRAY") => (true, inner),
            _ => return None,
        };
        let end = closing(inner).filter(|end| *end > 0)?;
        let (elements, after) = inner.split_at_checked(end)?;
        let named = match after {
            [Token::Sign(']'), Token::Sign(':'), Token::Sign(':'), named @ ..] if is_bare => named,
            [Token::Sign(']'), Token::Sign(')'), Token::Sign(':'), Token::Sign(':'), named @ ..] if !is_bare => named,
            _ => return None,
        };
        let length = named.windows(2).position(|pair| pair == [Token::Sign('['), Token::Sign(']')])?;
        let (to, after) = named.split_at_checked(length)?;
        let is_type =
            |token: &Token| matches!(token, Token::Word(_) | Token::Quoted(_) | Token::Sign('.' | '(' | ')' | ','));
        let rest = after.get(2..)?;
        to.iter().all(is_type).then(|| Self { elements: split(elements), to, is_bare, rest })
    }

    fn write(&self, into: &mut Vec<Token>) {
        into.extend([Token::Word("ARRAY".to_owned()), Token::Sign('[')]);
        for (number, element) in self.elements.iter().enumerate() {
            if number > 0 {
                into.push(Token::Sign(','));
            }
            let inner = converted_one_by_one(element, &[]);
            let element = inner.as_deref().unwrap_or(element);
            let in_parentheses = !self.is_bare || is_operation(element);
            into.extend(in_parentheses.then_some(Token::Sign('(')));
            into.extend_from_slice(element);
            into.extend(in_parentheses.then_some(Token::Sign(')')));
            into.extend([Token::Sign(':'), Token::Sign(':')]);
            into.extend_from_slice(self.to);
        }
        into.push(Token::Sign(']'));
    }
}

/// Where the bracket closes that was opened before.
fn closing(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0_u32;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign(']') if depth == 0 => return Some(at),
            Token::Sign('(' | '[') => depth += 1,
            Token::Sign(')' | ']') => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// At commas outside of parentheses.
fn split(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0_i32;
    let is_border = |token: &Token| {
        match token {
            Token::Sign('(' | '[') => depth += 1,
            Token::Sign(')' | ']') => depth -= 1,
            _ => {}
        }
        depth == 0 && *token == Token::Sign(',')
    };
    tokens.split(is_border).collect()
}

/// It has an operator of its own, outside of parentheses.
fn is_operation(tokens: &[Token]) -> bool {
    let mut depth = 0_i32;
    tokens.iter().any(|token| {
        match token {
            Token::Sign('(' | '[') => depth += 1,
            Token::Sign(')' | ']') => depth -= 1,
            _ => {}
        }
        depth == 0 && matches!(token, Token::Sign(sign) if !"()[].,:".contains(*sign))
    })
}
