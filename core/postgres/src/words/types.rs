//! What the types of an archive's columns look like as JSON, and how their values are compared: told from the archive's own definitions.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use archive::rows::{Comparison, Type};

use crate::words::columns::{self, Column, TypeName};

/// How deep types may lie in types.
const DEEPEST: usize = 32;

/// The definitions of an archive's tables and types, by schema and name.
#[derive(Debug, Default)]
pub struct Types {
    definitions: HashMap<(String, String), (Kind, String)>,
    known: RefCell<HashMap<(String, String), Arc<Type>>>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Table,
    Composite,
    Domain,
}

#[derive(Debug)]
enum Definition {
    Table(columns::Columns),
    Composite(Vec<Column>),
    Domain(TypeName),
}

/// A column's type, as far as it matters here.
#[derive(Clone, Debug, Default)]
pub struct ColumnType {
    /// What its values look like as JSON.
    pub json: Arc<Type>,
    /// How two of them are compared.
    pub comparison: Comparison,
}

impl Types {
    /// Notes an entry of the archive's contents: those of other kinds say nothing here.
    pub fn note(&mut self, kind: &str, schema: &str, name: &str, definition: &str) {
        let kind = match kind {
            "TABLE" | "FOREIGN TABLE" => Kind::Table,
            "TYPE" => Kind::Composite,
            "DOMAIN" => Kind::Domain,
            _ => return,
        };
        self.definitions.insert((schema.to_owned(), name.to_owned()), (kind, definition.to_owned()));
    }

    /// The columns of a table, those of its parents first.
    #[must_use]
    pub fn columns(&self, schema: &str, table: &str) -> Vec<(String, ColumnType)> {
        let columns = self.table(schema, table, DEEPEST);
        columns.into_iter().map(|column| (column.name, self.column_type(&column.kind))).collect()
    }

    fn table(&self, schema: &str, table: &str, depth: usize) -> Vec<Column> {
        let Some(Definition::Table(own)) = self.find(schema, table) else { return Vec::new() };
        if depth == 0 {
            return Vec::new();
        }
        let mut columns: Vec<Column> = Vec::new();
        let inherited = own.parents.iter().flat_map(|(schema, table)| self.table(schema, table, depth - 1));
        let typed = own.of.iter().filter_map(|of| match self.find(&of.schema, &of.name) {
            Some(Definition::Composite(fields)) => Some(fields),
            _ => None,
        });
        for column in inherited.chain(typed.flatten()).chain(own.columns) {
            match columns.iter_mut().find(|known| known.name == column.name) {
                Some(known) => *known = column,
                None => columns.push(column),
            }
        }
        columns
    }

    /// What is defined by this name, read when it is asked for: most of an archive's tables never are.
    fn find(&self, schema: &str, name: &str) -> Option<Definition> {
        // Old dumps name things of the path's first schema alone.
        let schema = if schema.is_empty() { "public" } else { schema };
        let (kind, definition) = self.definitions.get(&(schema.to_owned(), name.to_owned()))?;
        match kind {
            Kind::Table => columns::of_table(definition).map(Definition::Table),
            Kind::Composite => columns::of_composite(definition).map(Definition::Composite),
            Kind::Domain => columns::of_domain(definition).map(Definition::Domain),
        }
    }

    fn column_type(&self, kind: &TypeName) -> ColumnType {
        let json = self.json(kind, DEEPEST);
        ColumnType { json, comparison: self.comparison(&self.base(kind)) }
    }

    fn comparison(&self, base: &TypeName) -> Comparison {
        if base.is_array {
            return Comparison::Spelled;
        }
        if let Some(known) = comparison(base) {
            return known;
        }
        let defined = self.definitions.get(&(base.schema.clone(), base.name.clone()));
        match defined {
            // A label has no other spelling.
            Some((_, sql)) if sql.contains(" AS ENUM (") => Comparison::Text,
            None if base.name == "citext" => Comparison::Folded,
            _ => Comparison::Spelled,
        }
    }

    /// The type that a domain is of, however many lie between.
    fn base(&self, kind: &TypeName) -> TypeName {
        let mut kind = kind.clone();
        for _ in 0..DEEPEST {
            match self.find(&kind.schema, &kind.name) {
                Some(Definition::Domain(of)) if !kind.is_array && built_in(&kind).is_none() => kind = of,
                _ => break,
            }
        }
        kind
    }

    fn json(&self, kind: &TypeName, depth: usize) -> Arc<Type> {
        if depth == 0 {
            return Arc::default();
        }
        if kind.is_array {
            let element = TypeName { is_array: false, ..kind.clone() };
            let delimiter = if element.name == "box" && is_own(&element) { b';' } else { b',' };
            return Arc::new(Type::Array { element: self.json(&element, depth - 1), delimiter });
        }
        if let Some(known) = built_in(kind) {
            return Arc::new(known);
        }
        let name = (kind.schema.clone(), kind.name.clone());
        if let Some(known) = self.known.borrow().get(&name) {
            return Arc::clone(known);
        }
        let found = match self.find(&kind.schema, &kind.name) {
            Some(Definition::Domain(of)) => self.json(&of, depth - 1),
            Some(Definition::Composite(fields)) => self.composite(&fields, depth),
            Some(Definition::Table(_)) => self.composite(&self.table(&kind.schema, &kind.name, DEEPEST), depth),
            None if kind.name == "hstore" => Arc::new(Type::Hstore),
            None => Arc::default(),
        };
        self.known.borrow_mut().insert(name, Arc::clone(&found));
        found
    }

    fn composite(&self, fields: &[Column], depth: usize) -> Arc<Type> {
        let field = |field: &Column| (field.name.clone(), self.json(&field.kind, depth - 1));
        Arc::new(Type::Composite(fields.iter().map(field).collect()))
    }
}

fn is_own(kind: &TypeName) -> bool {
    kind.schema.is_empty() || kind.schema == "pg_catalog"
}

/// What PostgreSQL's own types are; `None` for those of the archive.
fn built_in(kind: &TypeName) -> Option<Type> {
    if !is_own(kind) {
        return None;
    }
    Some(match kind.name.as_str() {
        "boolean" => Type::Bool,
        "smallint" | "integer" | "bigint" | "real" | "double precision" | "numeric" => Type::Number,
        "json" | "jsonb" => Type::Json,
        "timestamp without time zone" | "timestamp with time zone" => Type::Timestamp,
        "int2vector" => Type::Vector(Arc::new(Type::Number)),
        "oidvector" => Type::Vector(Arc::default()),
        "text" | "character varying" | "character" | "uuid" | "date" | "bytea" | "interval" | "inet" | "money" => {
            Type::Text
        }
        _ if kind.schema == "pg_catalog" => Type::Text,
        _ => return None,
    })
}

/// How values of PostgreSQL's own types are compared; `None` for those of the archive, and for those that have many spellings.
fn comparison(kind: &TypeName) -> Option<Comparison> {
    if !is_own(kind) {
        return None;
    }
    Some(match kind.name.as_str() {
        "text" | "character varying" | "name" | "char" => Comparison::Text,
        "smallint" | "integer" | "bigint" | "oid" | "xid" | "xid8" | "cid" => Comparison::Integer,
        "numeric" => Comparison::Decimal,
        "real" => Comparison::Real,
        "double precision" => Comparison::Float,
        "boolean" => Comparison::Bool,
        "uuid" => Comparison::Uuid,
        "character" | "bpchar" => Comparison::Padded,
        "date" => Comparison::Date,
        "time without time zone" => Comparison::Time,
        "time with time zone" => Comparison::ZonedTime,
        "timestamp without time zone" => Comparison::Timestamp,
        "timestamp with time zone" => Comparison::Instant,
        name if name == "interval" || name.starts_with("interval ") => Comparison::Interval,
        "bytea" => Comparison::Bytes,
        "inet" | "cidr" => Comparison::Address,
        "macaddr" => Comparison::Hardware,
        "macaddr8" => Comparison::LongHardware,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_compared_as_its_type_is_whatever_lies_between() {
        let mut types = Types::default();
        for (kind, name, definition) in [
            ("DOMAIN", "stamp", "CREATE DOMAIN public.stamp AS timestamp(3) with time zone"),
            ("DOMAIN", "inner", "CREATE DOMAIN public.inner AS public.stamp"),
            ("TYPE", "mood", "CREATE TYPE public.mood AS ENUM (\n    'a'\n);"),
            ("TYPE", "pair", "CREATE TYPE public.pair AS (\n\ta integer\n);"),
            (
                "TABLE",
                "t",
                "CREATE TABLE public.t (\n    a public.inner,\n    b public.mood,\n    c public.pair,\n    d integer[],\n    e public.citext,\n    f money,\n    g interval year to month,\n    h character(3),\n    i \"char\",\n    j oid\n);",
            ),
        ] {
            types.note(kind, "public", name, definition);
        }
        let found: Vec<Comparison> = types.columns("public", "t").iter().map(|(_, kind)| kind.comparison).collect();
        use Comparison::{Folded, Instant, Integer, Interval, Padded, Spelled, Text};
        assert_eq!(found, [Instant, Text, Spelled, Spelled, Folded, Spelled, Interval, Padded, Text, Integer]);
    }
}
