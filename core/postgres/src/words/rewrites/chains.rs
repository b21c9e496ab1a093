//! Conditions joined by AND or OR.

use crate::words::tokens::Token;

/// `((a AND b) AND c)` becomes `(a AND b AND c)`, as `x BETWEEN 1 AND 2 AND …` is stored and read again: PostgreSQL's parser takes the
/// leftmost operand apart, and no other. Nothing where there is none.
pub(super) fn flattened(from: &[Token], _: &[Token]) -> Option<Vec<Token>> {
    let groups = Groups::of(from);
    let mut is_dropped = vec![false; from.len()];
    for outer in 0..from.len() {
        let Some(word) = groups.word(outer) else { continue };
        let mut inner = outer + 1;
        while groups.word(inner) == Some(word)
            && let Some(end) = groups.end(inner)
            && from.get(end + 1).is_some_and(|next| next.is(word))
        {
            [inner, end].iter().filter_map(|at| is_dropped.get_mut(*at).map(|it| *it = true)).for_each(drop);
            inner += 1;
        }
    }
    let made: Vec<Token> =
        from.iter().zip(&is_dropped).filter(|(_, dropped)| !**dropped).map(|(t, _)| t.clone()).collect();
    (made.len() < from.len()).then_some(made)
}

/// For each token that opens a parenthesis, where it closes, and the only word of AND and OR that stands right within it.
struct Groups(Vec<Option<Group>>);

#[derive(Clone, Copy)]
struct Group {
    end: usize,
    word: Option<&'static str>,
}

impl Groups {
    fn of(tokens: &[Token]) -> Self {
        let mut groups = vec![None; tokens.len()];
        let mut open: Vec<(usize, [bool; 2])> = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                Token::Sign('(') => open.push((at, [false; 2])),
                Token::Sign(')') => {
                    let Some((begin, words)) = open.pop() else { continue };
                    let word = match words {
                        [true, false] => Some("AND"),
                        [false, true] => Some("OR"),
                        _ => None,
                    };
                    groups.get_mut(begin).into_iter().for_each(|group| *group = Some(Group { end: at, word }));
                }
                token => {
                    if let Some((_, [and, or])) = open.last_mut() {
                        *and |= token.is("AND");
                        *or |= token.is("OR");
                    }
                }
            }
        }
        Self(groups)
    }

    fn word(&self, at: usize) -> Option<&'static str> {
        self.0.get(at)?.as_ref()?.word
    }

    fn end(&self, at: usize) -> Option<usize> {
        Some(self.0.get(at)?.as_ref()?.end)
    }
}
