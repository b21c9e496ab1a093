//! Columns whose order a restore changes: a table that was put below another by `ALTER TABLE … INHERIT` keeps its own order, and is made
//! again with its parents' columns first. What names such columns in the order of their numbers changes with it.

use crate::words::tokens::Token;

/// A child table, its columns in any order: the copy's words, if nothing else differs. Nothing of a table without parents.
pub(super) fn of_a_child(original: &[Token], copy: &[Token]) -> Option<Vec<Token>> {
    same_but_for_order(original, copy, child)
}

/// The columns of statistics.
pub(super) fn of_statistics(original: &[Token], copy: &[Token]) -> Option<Vec<Token>> {
    same_but_for_order(original, copy, statistics)
}

/// The columns of a table that a publication has.
pub(super) fn of_a_publication(original: &[Token], copy: &[Token]) -> Option<Vec<Token>> {
    same_but_for_order(original, copy, publication)
}

/// A definition: a list whose order does not count, and what stands around it.
struct Listing<'a> {
    before: &'a [Token],
    elements: Vec<&'a [Token]>,
    after: &'a [Token],
    /// Further statements, in any order.
    further: Vec<&'a [Token]>,
}

fn same_but_for_order(
    original: &[Token],
    copy: &[Token],
    listing: fn(&[Token]) -> Option<Listing<'_>>,
) -> Option<Vec<Token>> {
    let (a, b) = (listing(original)?.sorted(), listing(copy)?.sorted());
    let is_same = (a.before, a.after) == (b.before, b.after) && (a.elements, a.further) == (b.elements, b.further);
    (is_same && original != copy).then(|| copy.to_vec())
}

impl Listing<'_> {
    fn sorted(mut self) -> Self {
        self.elements.sort_unstable();
        self.further.sort_unstable();
        self
    }
}

/// `CREATE TABLE name (columns and constraints) INHERITS (parents) …; ALTER TABLE ONLY name ALTER COLUMN …; …`
fn child(tokens: &[Token]) -> Option<Listing<'_>> {
    let mut statements = split(tokens, ';').into_iter();
    let first = statements.next()?;
    let is_table = first.iter().take(3).any(|word| word.is("TABLE")) && first.first()?.is("CREATE");
    let listing = group(first).filter(|_| is_table)?;
    let further: Vec<_> = statements.collect();
    let is_about_columns = |statement: &&[Token]| statement.is_empty() || is_about_a_column(statement);
    let is_child = listing.after.first()?.is("INHERITS") && further.iter().all(is_about_columns);
    is_child.then_some(Listing { further, ..listing })
}

/// `ALTER [FOREIGN] TABLE [ONLY] name ALTER COLUMN …`
fn is_about_a_column(statement: &[Token]) -> bool {
    statement.first().is_some_and(|word| word.is("ALTER"))
        && statement.windows(2).any(|pair| matches!(pair, [alter, column] if alter.is("ALTER") && column.is("COLUMN")))
}

/// `CREATE STATISTICS name (kinds) ON columns FROM table; …`
fn statistics(tokens: &[Token]) -> Option<Listing<'_>> {
    let is_it = matches!(tokens, [create, statistics, ..] if create.is("CREATE") && statistics.is("STATISTICS"));
    let on = at_top(tokens, "ON").filter(|_| is_it)?;
    let (before, rest) = tokens.split_at_checked(on + 1)?;
    let (list, after) = rest.split_at_checked(at_top(rest, "FROM")?)?;
    Some(Listing { before, elements: split(list, ','), after, further: Vec::new() })
}

/// `ALTER PUBLICATION name ADD TABLE ONLY name (columns) WHERE (…);`
fn publication(tokens: &[Token]) -> Option<Listing<'_>> {
    let is_it = matches!(tokens, [alter, publication, _, add, table, ..]
        if alter.is("ALTER") && publication.is("PUBLICATION") && add.is("ADD") && table.is("TABLE"));
    // Without columns the first parentheses are the filter's.
    group(tokens).filter(|listing| is_it && !listing.before.last().is_some_and(|word| word.is("WHERE")))
}

/// What stands before, in and behind the first parentheses.
fn group(tokens: &[Token]) -> Option<Listing<'_>> {
    let open = tokens.iter().position(|token| *token == Token::Sign('('))?;
    let (before, rest) = tokens.split_at_checked(open)?;
    let mut depth = 0_i32;
    let close = rest.iter().position(|token| {
        depth += step(token);
        depth == 0
    })?;
    let (list, after) = rest.split_at_checked(close)?;
    Some(Listing { before, elements: split(list.get(1..)?, ','), after: after.get(1..)?, further: Vec::new() })
}

/// Where a word stands outside of parentheses.
fn at_top(tokens: &[Token], word: &str) -> Option<usize> {
    let mut depth = 0_i32;
    tokens.iter().position(|token| {
        depth += step(token);
        depth == 0 && token.is(word)
    })
}

/// At a sign, outside of parentheses.
fn split(tokens: &[Token], border: char) -> Vec<&[Token]> {
    let mut depth = 0_i32;
    let is_border = |token: &Token| {
        depth += step(token);
        depth == 0 && *token == Token::Sign(border)
    };
    tokens.split(is_border).collect()
}

fn step(token: &Token) -> i32 {
    match token {
        Token::Sign('(' | '[') => 1,
        Token::Sign(')' | ']') => -1,
        _ => 0,
    }
}
