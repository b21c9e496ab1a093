//! The table that was asked for, and where its rows are.

use std::collections::BTreeSet;

use ::archive::Entry;
use catalog::words;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::tables;
use crate::commands::rows::contents::Contents;

/// A schema, and a name in it.
type Name = (String, String);

/// How alike a name has to be that is offered instead of one that isn't there: 1 is the same.
const ALIKE: f64 = 0.6;

/// A table, or several that hold the rows of one.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) schema: String,
    pub(super) name: String,
    /// Those that have rows in the archive, in its order.
    pub(super) sources: Vec<Source>,
    /// It or a table above it has a column that is GENERATED ALWAYS AS IDENTITY, which its partitions have from it.
    pub(super) is_identity: bool,
}

/// A table that has rows in the archive.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) schema: String,
    pub(super) name: String,
    /// Both as a census has them.
    pub(super) counted_as: Name,
    /// The number of the entry with its rows.
    pub(super) id: i32,
}

impl Table {
    /// The table of this name, and its partitions.
    ///
    /// # Errors
    /// Exit 5 when there is none, or none with rows; exit 2 when there are several.
    pub(super) fn of(table: &str, contents: &Contents) -> Result<Self, Failure> {
        let roots: Vec<Name> = tables::named(&contents.entries, table).into_iter().collect();
        let (schema, name) = match roots.as_slice() {
            [one] => one.clone(),
            [] => return Err(missing(table, contents)),
            several => {
                let names = words::first_of(several.iter().map(|(schema, name)| format!("{schema}.{name}")), 5, ", ");
                return Err(Failure::new(Exit::Usage, format!("{table} is the name of several tables: {names}"))
                    .hint("name one with its schema: --table SCHEMA.NAME"));
            }
        };
        let families = tables::families(&contents.entries);
        let family = families(&schema, &name);
        let sources = contents.entries.iter().filter(|entry| entry.kind == "TABLE DATA" && entry.has_data());
        let sources: Vec<Source> = sources.map(Source::of).filter(|source| family.contains(&source.names())).collect();
        if sources.is_empty() {
            let error = format!("the backup has no rows of table {schema}.{name}");
            return Err(Failure::new(Exit::NotFound, error)
                .hint("they were left out (BACKUP_PG_DUMP_OPTIONS), or it is a partitioned table without partitions"));
        }
        if let Some(source) = sources.iter().find(|source| !contents.copies.contains_key(&source.id)) {
            let error = format!("the rows of {}.{} were dumped as INSERT statements", source.schema, source.name);
            return Err(Failure::new(Exit::Failed, error)
                .hint("restore the table instead: lastgood restore ID --table NAME --into DATABASE"));
        }
        let is_identity = contents.identities.iter().any(|(above, table)| {
            let below = families(above, table);
            sources.iter().any(|source| below.contains(&source.names()))
        });
        Ok(Self { schema, name, sources, is_identity })
    }
}

impl Source {
    fn of(entry: &Entry) -> Self {
        let (schema, name) = entry.names();
        let (schema, name) = (schema.to_owned(), name.to_owned());
        Self { schema, name, counted_as: (entry.schema.clone(), entry.name.clone()), id: entry.dump_id }
    }

    fn names(&self) -> Name {
        (self.schema.clone(), self.name.clone())
    }
}

/// What there is instead of the table.
fn missing(table: &str, contents: &Contents) -> Failure {
    let bare = table.rsplit('.').next().unwrap_or(table);
    let without_rows = ["VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FOREIGN TABLE"];
    let others = contents.entries.iter().filter(|entry| without_rows.contains(&entry.kind.as_str()));
    let other: BTreeSet<Name> = others.clone().map(|entry| Source::of(entry).names()).collect();
    if let Some((schema, name)) = tables::among(&other, table).first() {
        let kind = others.clone().find(|entry| entry.names() == (schema, name)).map_or("", |entry| &entry.kind);
        let error = match kind {
            "FOREIGN TABLE" => {
                format!("{schema}.{name} is a foreign table: its rows are on another server, and not in a backup")
            }
            kind => format!("{schema}.{name} is a {}: a backup has no rows of it", kind.to_lowercase()),
        };
        return Failure::new(Exit::NotFound, error).hint("name a table: lastgood show lists them");
    }
    let known: BTreeSet<(&str, &str)> = contents
        .entries
        .iter()
        .filter(|entry| ["TABLE", "TABLE DATA"].contains(&entry.kind.as_str()))
        .map(Entry::names)
        .collect();
    let alike = |name: &str| strsim::jaro_winkler(&name.to_lowercase(), &bare.to_lowercase());
    let mut near: Vec<(f64, String)> = known
        .iter()
        .map(|(schema, name)| (alike(name), format!("{schema}.{name}")))
        .filter(|(alike, _)| *alike >= ALIKE)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let names = words::first_of(near.iter().map(|(_, name)| name), 5, ", ");
    let failure = Failure::new(Exit::NotFound, format!("the backup has no table {table}"));
    match near.is_empty() {
        true => failure.hint("lastgood show lists its tables"),
        false => failure.hint(format!("tables with names like it: {names}")),
    }
}
