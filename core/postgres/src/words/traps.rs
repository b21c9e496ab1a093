//! Traps of search_path: what an archive evaluates while it is restored, and names things without their schemas.
//!
//! pg_dump lets every restore run with an empty search_path, so that nobody's objects come between. Its own SQL names all
//! schemas; the text of a function names what its author wrote. Where a CHECK, a domain, a generated column, an index, an
//! exclusion constraint or a materialized view calls such a function, the restore fails half way. What is evaluated is found
//! in the script that `pg_restore` makes of the definitions.

mod body;
mod definition;
mod mention;
mod when;

use std::collections::{BTreeMap, BTreeSet};

use crate::words::traps::body::Kind;
use crate::words::traps::definition::{Entry, Evaluated, Function};
use crate::words::traps::mention::Mention;
pub use crate::words::traps::when::When;

/// Something that will fail while it is restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    /// The function whose text names something without its schema, such as `public.is_fine(integer)`.
    pub function: String,
    /// What it names so.
    pub name: String,
    /// What evaluates it, in words.
    pub evaluated_by: String,
    /// When that is.
    pub when: When,
}

/// What is known of names besides the archive's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Found without a search_path, or no name at all: what `pg_catalog` has, and keywords.
    pub without_path: BTreeSet<String>,
    /// Functions of the archive's extensions.
    pub of_extensions: BTreeSet<String>,
}

/// The definitions of an archive, as far as they tell what is evaluated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    functions: BTreeMap<Mention, Vec<Function>>,
    carriers: BTreeMap<Mention, BTreeSet<Mention>>,
    evaluated: Vec<Evaluated>,
    /// Names of the archive, whatever their schema.
    named: BTreeSet<(Kind, String)>,
}

/// Reads a script line by line.
#[derive(Debug, Default)]
pub struct TrapFinder {
    before: String,
    entry: Option<Entry>,
    definitions: Definitions,
}

impl TrapFinder {
    /// Reads the script's next line.
    pub fn line(&mut self, line: &str) {
        // Every entry has its comment between two lines of this form.
        if self.before == "--"
            && let Some(entry) = Entry::of_comment(line)
        {
            self.end();
            self.entry = Some(entry);
        } else if let Some(entry) = self.entry.as_mut().filter(|entry| is_read(&entry.kind)) {
            entry.sql.push_str(line);
            entry.sql.push('\n');
        }
        line.clone_into(&mut self.before);
    }

    fn end(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.definitions.add(&entry);
        }
    }

    /// What all lines so far define.
    #[must_use]
    pub fn finish(mut self) -> Definitions {
        self.end();
        self.definitions
    }
}

/// Kinds of entries whose SQL matters.
fn is_read(kind: &str) -> bool {
    const READ: &[&str] = &[
        "AGGREGATE",
        "CHECK CONSTRAINT",
        "CONSTRAINT",
        "DOMAIN",
        "FUNCTION",
        "INDEX",
        "MATERIALIZED VIEW",
        "OPERATOR",
        "OPERATOR CLASS",
        "PROCEDURE",
        "TABLE",
        "TYPE",
        "VIEW",
    ];
    READ.contains(&kind)
}

/// The function that fails, and what it names.
#[derive(Clone, Copy, Debug)]
struct Cause<'a> {
    function: &'a str,
    name: &'a str,
    /// It fails as soon as an expression is planned.
    when_planned: bool,
}

impl Definitions {
    fn add(&mut self, entry: &Entry) {
        let name = || entry.plain_name().to_owned();
        match entry.kind.as_str() {
            "FUNCTION" | "PROCEDURE" | "AGGREGATE" => self.named.insert((Kind::Function, name())),
            "TABLE" | "VIEW" | "MATERIALIZED VIEW" | "FOREIGN TABLE" | "SEQUENCE" => {
                self.named.insert((Kind::Type, entry.name.clone()));
                self.named.insert((Kind::Relation, entry.name.clone()))
            }
            "TYPE" | "DOMAIN" => self.named.insert((Kind::Type, entry.name.clone())),
            _ => false,
        };
        if ["FUNCTION", "PROCEDURE"].contains(&entry.kind.as_str()) {
            let key = Mention::call(&entry.schema, entry.plain_name());
            self.functions.entry(key).or_default().push(entry.function());
        }
        if let Some((carrier, mentions)) = entry.carried() {
            self.carriers.entry(carrier).or_default().extend(mentions);
        }
        self.evaluated.extend(entry.evaluated());
    }

    /// Names without a schema in the texts of functions without a search_path.
    #[must_use]
    pub fn unqualified(&self) -> BTreeSet<&str> {
        let functions = self.functions.values().flatten().filter(|function| is_open(function));
        functions.flat_map(|function| function.body.unqualified.iter().map(|(_, name)| name.as_str())).collect()
    }

    /// Names that a function may not find: those without a schema, and the archive's own in texts that it may run as SQL.
    #[must_use]
    pub fn suspects(&self, known: &Known) -> BTreeSet<String> {
        let own: BTreeSet<&str> = self.named.iter().map(|(_, name)| name.as_str()).collect();
        let functions = self.functions.values().flatten().filter(|function| is_open(function));
        let spoken = functions.flat_map(|function| function.body.spoken.iter().map(String::as_str));
        let names = self.unqualified().into_iter().chain(spoken.filter(|name| own.contains(name)));
        names.filter(|name| !known.without_path.contains(*name)).map(str::to_owned).collect()
    }

    /// What will fail, each once for what evaluates it.
    #[must_use]
    pub fn traps(&self, known: &Known) -> Vec<Trap> {
        let causes = self.causes(known);
        let trapped = self.evaluated.iter().filter_map(|evaluated| {
            let found = evaluated.mentions.iter().filter_map(|mention| causes.get(mention));
            let cause = found.max_by_key(|cause| cause.when_planned)?;
            let planned = evaluated.planned.clone().filter(|_| cause.when_planned);
            Some(Trap {
                function: cause.function.to_owned(),
                name: cause.name.to_owned(),
                evaluated_by: evaluated.words.clone(),
                when: planned.unwrap_or_else(|| evaluated.when.clone()),
            })
        });
        trapped.collect()
    }

    /// What fails when it is evaluated: functions by their own texts, and whatever calls those.
    fn causes<'a>(&'a self, known: &Known) -> BTreeMap<&'a Mention, Cause<'a>> {
        let mut causes = BTreeMap::new();
        loop {
            let before = causes.len();
            for (key, functions) in &self.functions {
                // Which of several of one name is meant, the types of its arguments tell, which aren't known here.
                let found: Option<Vec<Cause<'_>>> =
                    functions.iter().map(|function| self.cause(function, known, &causes)).collect();
                if let Some(cause) = found.and_then(|found| found.first().copied()) {
                    causes.entry(key).or_insert(cause);
                }
            }
            for (key, mentions) in &self.carriers {
                let found = mentions.iter().find_map(|mention| causes.get(mention).copied());
                if let Some(cause) = found.filter(|_| !causes.contains_key(key)) {
                    causes.insert(key, Cause { when_planned: false, ..cause });
                }
            }
            if causes.len() == before {
                return causes;
            }
        }
    }

    fn cause<'a>(
        &'a self,
        function: &'a Function,
        known: &Known,
        causes: &BTreeMap<&'a Mention, Cause<'a>>,
    ) -> Option<Cause<'a>> {
        if !is_open(function) {
            return None;
        }
        let own = function.body.unqualified.iter().find(|name| self.needs_path(name, known));
        let own = own.map(|(_, name)| Cause { function: &function.label, name, when_planned: true });
        let cause = own.or_else(|| function.mentions.iter().find_map(|mention| causes.get(mention).copied()))?;
        Some(Cause { when_planned: cause.when_planned && function.is_inlined, ..cause })
    }

    fn needs_path(&self, name: &(Kind, String), known: &Known) -> bool {
        let (kind, text) = name;
        let of_extension = *kind == Kind::Function && known.of_extensions.contains(text);
        (of_extension || self.named.contains(name)) && !known.without_path.contains(text)
    }
}

/// It takes the search_path that there is when it is called.
fn is_open(function: &Function) -> bool {
    !function.has_path && !function.body.is_safe
}

#[cfg(test)]
mod tests;
