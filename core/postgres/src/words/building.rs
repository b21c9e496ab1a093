//! What an archive makes of a table once its rows are in: keys, indexes and foreign keys, and which of them need no other table's rows.
//!
//! pg_dump puts all of them behind the last row. What an index evaluates may look into other tables, whatever it says of
//! itself, and would then be built of what isn't there yet; so only such may come early that evaluate nothing but PostgreSQL's own
//! functions. pg_dump's SQL names everything else with its schema, which shows.

use std::collections::BTreeSet;

use archive::Described;

use crate::quote::identifier;
use crate::words::inheritance;
use crate::words::tokens::{Token, tokens};

/// A schema, and a name in it.
type Name = (String, String);

/// A statement that may be executed as soon as its tables have their rows, and what a foreign key refers to has its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The entry's number in the archive.
    pub dump_id: i32,
    /// The table that it changes, with its schema.
    pub table: (String, String),
    /// The table that a foreign key refers to, with its schema.
    pub refers_to: Option<(String, String)>,
    /// A foreign key may refer to what it makes.
    pub is_key: bool,
    /// Others like it may be made of the same table at the same time.
    pub shares: bool,
    /// The foreign key in two statements, where it can be made in two.
    pub in_two: Option<InTwo>,
}

/// A foreign key that is made first and checked then: the check keeps nobody from checking others, the whole does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InTwo {
    /// Makes it, and checks no row.
    pub unchecked: String,
    /// Checks the rows that are there.
    pub check: String,
}

/// Goes through an archive's entries.
#[derive(Debug, Default)]
pub struct StepFinder {
    steps: Vec<Step>,
    /// Tables with keys that come late.
    late: BTreeSet<Name>,
    /// Tables with children: what is done to them may lock these as well.
    parents: BTreeSet<Name>,
    /// Something in the archive may hide what is evaluated.
    is_hindered: bool,
}

/// What a definition turned out to be.
enum Found {
    Early(Step),
    /// A key of this table that has to wait for all rows, or may have to.
    Late(Name),
    /// Nothing that is known.
    Nothing,
}

/// Entries by which a plain column, or an operator of PostgreSQL's, may come to call a function of the user's.
const HINDERING: [&str; 4] = ["CAST", "OPERATOR CLASS", "OPERATOR FAMILY", "ACCESS METHOD"];

impl StepFinder {
    /// Looks at the next entry.
    pub fn entry(&mut self, entry: &Described) {
        let (definition, is_text) = text(&entry.definition);
        match entry.kind.as_str() {
            kind if HINDERING.contains(&kind) => self.is_hindered = true,
            "TYPE" => {
                let words = ["subtype_diff", "canonical"];
                self.is_hindered |= words.iter().any(|word| definition.contains(word));
            }
            "TABLE DATA" => self.is_hindered |= goes_elsewhere(entry),
            "INDEX" | "CONSTRAINT" | "FK CONSTRAINT" if !is_text || entry.is_cut => self.is_hindered = true,
            "INDEX" | "CONSTRAINT" | "FK CONSTRAINT" => match find(entry, &definition) {
                Found::Early(step) => self.steps.push(step),
                Found::Late(table) => _ = self.late.insert(table),
                Found::Nothing if entry.kind != "FK CONSTRAINT" => self.is_hindered = true,
                Found::Nothing => {}
            },
            "TABLE" | "TABLE ATTACH" => self.parents.extend(inheritance::parents(&definition)),
            _ => {}
        }
    }

    /// What may be executed early, in the archive's order.
    #[must_use]
    pub fn finish(self) -> Vec<Step> {
        if self.is_hindered {
            return Vec::new();
        }
        let Self { mut steps, late, parents, .. } = self;
        steps.retain(|step| {
            let refers_to_late = step.refers_to.as_ref().is_some_and(|to| late.contains(to) || parents.contains(to));
            !refers_to_late && !parents.contains(&step.table)
        });
        steps
    }
}

fn text(bytes: &[u8]) -> (String, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), true),
        Err(_) => (String::from_utf8_lossy(bytes).into_owned(), false),
    }
}

/// Rows that are loaded by way of the table that theirs is a partition of: they may go into any of its partitions.
fn goes_elsewhere(entry: &Described) -> bool {
    let (copy, _) = text(&entry.copy_statement);
    let (schema, name) = (String::from_utf8_lossy(&entry.schema), String::from_utf8_lossy(&entry.name));
    let copy = tokens(&copy);
    let into = copy.split_first().and_then(|(_, rest)| table(rest, &schema));
    let is_its_own = into.is_none_or(|(into, _)| into == (schema.into_owned(), name.into_owned()));
    !entry.definition.is_empty() || !is_its_own
}

fn find(entry: &Described, definition: &str) -> Found {
    let schema = String::from_utf8_lossy(&entry.schema);
    let words = tokens(definition);
    match entry.kind.as_str() {
        "INDEX" => index(entry.dump_id, &words, &schema),
        _ => constraint((entry.dump_id, definition), &words, &schema),
    }
    .unwrap_or(Found::Nothing)
}

/// `CREATE [UNIQUE] INDEX n ON s.t USING m (…) …;`
fn index(dump_id: i32, words: &[Token], schema: &str) -> Option<Found> {
    let rest = after(words, "CREATE")?;
    let is_key = after(rest, "UNIQUE").is_some();
    let (_, rest) = after(after(rest, "UNIQUE").unwrap_or(rest), "INDEX")?.split_first()?;
    let rest = after(rest, "ON")?;
    let is_of_parent = after(rest, "ONLY").is_some();
    let (table, rest) = table(after(rest, "ONLY").unwrap_or(rest), schema)?;
    let (_, rest) = after(rest, "USING")?.split_first()?;
    let end = rest.iter().position(|word| *word == Token::Sign(';')).unwrap_or(rest.len());
    let (own, more) = rest.split_at_checked(end)?;
    if is_of_parent || !evaluates_nothing(own) {
        return Some(Found::Late(table));
    }
    // With it comes what sets the table's clustering or replica identity.
    let shares = more.len() <= 1;
    Some(Found::Early(Step { dump_id, table, refers_to: None, is_key, shares, in_two: None }))
}

/// What stands behind the method evaluates nothing but PostgreSQL's own functions: every other one has its schema before it.
fn evaluates_nothing(own: &[Token]) -> bool {
    let mut depth = 0_usize;
    let mut deepest = 0;
    for word in own {
        match word {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let is_plain = deepest <= 1 && !own.iter().any(|word| word.is("WHERE"));
    // Of a plain column, the schema is its operator class's or its collation's.
    is_plain || !own.contains(&Token::Sign('.'))
}

/// `ALTER TABLE ONLY s.t ADD CONSTRAINT n PRIMARY KEY (…)`, `UNIQUE …` or `FOREIGN KEY (…) REFERENCES s.t…`.
fn constraint((dump_id, definition): (i32, &str), words: &[Token], schema: &str) -> Option<Found> {
    let rest = after(after(words, "ALTER")?, "TABLE")?;
    let is_alone = after(rest, "ONLY").is_some();
    let (of, rest) = table(after(rest, "ONLY").unwrap_or(rest), schema)?;
    let (name, rest) = after(after(rest, "ADD")?, "CONSTRAINT")?.split_first()?;
    let step = |refers_to: Option<Name>| Step {
        dump_id,
        table: of.clone(),
        is_key: refers_to.is_none(),
        in_two: refers_to.as_ref().and_then(|_| in_two(definition, words, (&of, name.name()?))),
        refers_to,
        shares: false,
    };
    if let Some(rest) = after(rest, "FOREIGN") {
        let at = rest.iter().position(|word| word.is("REFERENCES"))?;
        let (refers_to, _) = table(rest.get(at + 1..)?, schema)?;
        return Some(if is_alone { Found::Early(step(Some(refers_to))) } else { Found::Nothing });
    }
    let is_key = after(rest, "PRIMARY").is_some() || after(rest, "UNIQUE").is_some();
    Some(if is_alone && is_key { Found::Early(step(None)) } else { Found::Late(of) })
}

/// A foreign key that is checked, and nothing else beside it.
fn in_two(definition: &str, words: &[Token], ((schema, table), name): (&Name, &str)) -> Option<InTwo> {
    let is_said = |word: &str| words.iter().any(|said| said.is(word));
    let statement = definition.trim_end().strip_suffix(';')?;
    let is_alone = words.iter().filter(|word| **word == Token::Sign(';')).count() == 1;
    let is_plain = is_alone && !is_said("VALID") && !is_said("ENFORCED");
    let (table, name) = (format!("{}.{}", identifier(schema), identifier(table)), identifier(name));
    is_plain.then(|| InTwo {
        unchecked: format!("{statement} NOT VALID;\n"),
        check: format!("ALTER TABLE ONLY {table} VALIDATE CONSTRAINT {name};\n"),
    })
}

/// What follows this keyword, where it is the first word.
fn after<'a>(words: &'a [Token], keyword: &str) -> Option<&'a [Token]> {
    let (first, rest) = words.split_first()?;
    first.is(keyword).then_some(rest)
}

/// The table that stands first, and what follows; `schema`: of a name that has none before it.
fn table<'a>(words: &'a [Token], schema: &str) -> Option<(Name, &'a [Token])> {
    match words {
        [first, Token::Sign('.'), second, rest @ ..] => {
            Some(((first.name()?.to_owned(), second.name()?.to_owned()), rest))
        }
        [name, rest @ ..] => Some(((schema.to_owned(), name.name()?.to_owned()), rest)),
        [] => None,
    }
}

#[cfg(test)]
mod tests;
