//! Names as psql and pg_dump take them: `orders`, `billing.*`, `"Odd.Name"`, `log_20??`.

/// A pattern for a name, and for its schema where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    schema: Option<Vec<Piece>>,
    name: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Letter(char),
    /// `?`
    One,
    /// `*`
    Any,
}

impl Pattern {
    /// Reads one. Outside of double quotes letters become lower case, a dot ends the schema, `*` and `?` stand for others.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let (mut schema, mut name, mut quoted) = (None, Vec::new(), false);
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '"' if quoted && letters.next_if_eq(&'"').is_some() => name.push(Piece::Letter('"')),
                '"' => quoted = !quoted,
                letter if quoted => name.push(Piece::Letter(letter)),
                '.' => schema = Some(std::mem::take(&mut name)),
                '*' => name.push(Piece::Any),
                '?' => name.push(Piece::One),
                letter => name.extend(letter.to_lowercase().map(Piece::Letter)),
            }
        }
        Self { schema, name }
    }

    /// Whether it stands for this object. Without a schema of its own it stands for it in any.
    #[must_use]
    pub fn matches(&self, schema: &str, name: &str) -> bool {
        let fits = |pieces: &[Piece], text: &str| fits(pieces, &text.chars().collect::<Vec<_>>());
        self.schema.as_ref().is_none_or(|pieces| fits(pieces, schema)) && fits(&self.name, name)
    }
}

/// Goes back to the last `*` where the rest doesn't fit, and lets it stand for one letter more.
fn fits(pieces: &[Piece], letters: &[char]) -> bool {
    let (mut piece, mut letter) = (0, 0);
    let mut any: Option<(usize, usize)> = None;
    while letter < letters.len() {
        match (pieces.get(piece), letters.get(letter)) {
            (Some(Piece::Any), _) => {
                any = Some((piece, letter));
                piece += 1;
            }
            (Some(Piece::One), _) => (piece, letter) = (piece + 1, letter + 1),
            (Some(Piece::Letter(expected)), Some(found)) if expected == found => {
                (piece, letter) = (piece + 1, letter + 1);
            }
            _ => {
                let Some((at, from)) = any else { return false };
                any = Some((at, from + 1));
                (piece, letter) = (at + 1, from + 1);
            }
        }
    }
    pieces.iter().skip(piece).all(|piece| *piece == Piece::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_matched_as_psql_matches_them() {
        for (pattern, schema, name) in [
            ("orders", "public", "orders"),
            ("Orders", "public", "orders"),
            ("\"Orders\"", "public", "Orders"),
            ("billing.*", "billing", "invoices"),
            ("bill*.inv?ices", "billing", "invoices"),
            ("*.*", "a", "b"),
            ("\"a.b\".\"c\"\"d\"", "a.b", "c\"d"),
            ("\"*\"", "x", "*"),
            ("GRÖSSE", "x", "grösse"),
            ("a*b*c", "x", "a_b_b_c"),
            ("*", "x", ""),
        ] {
            assert!(Pattern::new(pattern).matches(schema, name), "{pattern}");
        }
        for (pattern, schema, name) in [
            ("orders", "public", "Orders"),
            ("billing.orders", "public", "orders"),
            ("\"*\"", "x", "orders"),
            ("a*b*c", "x", "a_b_b"),
            ("?", "x", ""),
            ("", "x", "y"),
        ] {
            assert!(!Pattern::new(pattern).matches(schema, name), "{pattern}");
        }
    }
}
