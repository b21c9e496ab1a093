//! What PostgreSQL says in other words once it has read its own: each such rewriting by name. A drill that finds a definition changed takes it
//! for the same only if it is one of these, *and* the server makes the same of the original words a second time.

use crate::words::tokens::{Token, tokens};

/// One way in which PostgreSQL changes its own words.
#[derive(Debug)]
pub struct Rewriting {
    /// Its name, as a report says it.
    pub name: &'static str,
    /// Why PostgreSQL does it.
    pub reason: &'static str,
    /// The words as they are once they were restored.
    restored: fn(&[Token]) -> Option<Vec<Token>>,
}

/// All that are known.
pub const ALL: [Rewriting; 1] = [Rewriting {
    name: "lists of values",
    reason: "`x IN ('a', 'b')` of a varchar is an array that is converted as a whole; read again from there, each value is converted by itself",
    restored: converted_one_by_one,
}];

/// Which rewriting makes `copy` of `original`; nothing where none does. The body of a function in quotes is never rewritten.
#[must_use]
pub fn known(original: &str, copy: &str) -> Option<&'static Rewriting> {
    if original.contains("\n    AS ") || copy.contains("\n    AS ") {
        return None;
    }
    let (original, copy) = (tokens(original), tokens(copy));
    ALL.iter().find(|rewriting| (rewriting.restored)(&original).is_some_and(|restored| restored == copy))
}

/// `(ARRAY['a'::character varying, …])::text[]` becomes `ARRAY[('a'::character varying)::text, …]`; nothing where there is none.
fn converted_one_by_one(from: &[Token]) -> Option<Vec<Token>> {
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

/// An array in parentheses, and the type of array that it is converted to.
struct Conversion<'a> {
    elements: Vec<&'a [Token]>,
    to: &'a [Token],
    rest: &'a [Token],
}

impl<'a> Conversion<'a> {
    /// The one that stands at the beginning.
    fn at(tokens: &'a [Token]) -> Option<Self> {
        let [Token::Sign('('), array, Token::Sign('['), inner @ ..] = tokens else { return None };
        if !array.is("ARRAY") {
            return None;
        }
        let end = closing(inner)?;
        let (elements, after) = inner.split_at_checked(end)?;
        let [Token::Sign(']'), Token::Sign(')'), Token::Sign(':'), Token::Sign(':'), named @ ..] = after else {
            return None;
        };
        let length = named.windows(2).position(|pair| pair == [Token::Sign('['), Token::Sign(']')])?;
        let (to, after) = named.split_at_checked(length)?;
        let is_type =
            |token: &Token| matches!(token, Token::Word(_) | Token::Quoted(_) | Token::Sign('.' | '(' | ')' | ','));
        let rest = after.get(2..)?;
        to.iter().all(is_type).then(|| Self { elements: split(elements), to, rest })
    }

    fn write(&self, into: &mut Vec<Token>) {
        into.extend([Token::Word("ARRAY".to_owned()), Token::Sign('[')]);
        for (number, element) in self.elements.iter().enumerate() {
            if number > 0 {
                into.push(Token::Sign(','));
            }
            into.push(Token::Sign('('));
            into.extend_from_slice(element);
            into.extend([Token::Sign(')'), Token::Sign(':'), Token::Sign(':')]);
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

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str =
        "CHECK (((status)::text = ANY ((ARRAY['new'::character varying, 'a,b'::character varying])::text[])))";
    const AFTER: &str =
        "CHECK (((status)::text = ANY (ARRAY[('new'::character varying)::text, ('a,b'::character varying)::text])))";

    #[test]
    fn a_list_of_values_is_known_in_both_its_forms() {
        assert_eq!(known(BEFORE, AFTER).map(|rewriting| rewriting.name), Some("lists of values"));
        let nested = |list: &str| format!("CASE WHEN (x = ANY ({list})) THEN 1 END");
        let (a, b) = (
            "(ARRAY[f(1, 2), NULL::character varying(3)])::public.\"T\"[]",
            "ARRAY[(f(1, 2))::public.\"T\", (NULL::character varying(3))::public.\"T\"]",
        );
        assert!(known(&nested(a), &nested(b)).is_some());
    }

    #[test]
    fn nothing_else_is() {
        for (a, b) in [
            (AFTER, BEFORE),
            (BEFORE, BEFORE),
            (BEFORE, &AFTER.replace("new", "old")),
            (BEFORE, &AFTER.replace("ANY", "ALL")),
            (BEFORE, &AFTER.replace(")::text]", ")::name]")),
            (&format!("CREATE FUNCTION f()\n    AS $${BEFORE}$$"), &format!("CREATE FUNCTION f()\n    AS $${AFTER}$$")),
            ("CHECK ((a > 1))", "CHECK (a > 1)"),
        ] {
            assert!(known(a, b).is_none(), "{a} → {b}");
        }
    }
}
