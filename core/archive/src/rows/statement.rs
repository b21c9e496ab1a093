//! The COPY of an entry's table, as pg_dump writes it: `COPY schema.table (a, "b, c") FROM stdin;`

/// Whose rows, and which columns in which order. Names are unquoted, in the archive's character set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyStatement {
    /// Its schema; empty where the statement names none.
    pub schema: Vec<u8>,
    /// Its name.
    pub table: Vec<u8>,
    /// The names of its fields; none of a table without columns.
    pub columns: Vec<Vec<u8>>,
}

impl CopyStatement {
    /// Takes the statement apart; `None` where pg_dump didn't write it.
    #[must_use]
    pub fn parse(statement: &[u8]) -> Option<Self> {
        let mut rest = statement.strip_prefix(b"COPY ")?;
        let mut copy = Self { table: name(&mut rest)?, ..Self::default() };
        if take(&mut rest, b".") {
            copy.schema = std::mem::replace(&mut copy.table, name(&mut rest)?);
        }
        while take(&mut rest, b" ") {}
        if take(&mut rest, b"(") {
            loop {
                while take(&mut rest, b" ") {}
                if take(&mut rest, b")") {
                    break;
                }
                copy.columns.push(name(&mut rest)?);
                take(&mut rest, b",");
            }
        }
        while take(&mut rest, b" ") {}
        if take(&mut rest, b"WITH OIDS ") {
            copy.columns.insert(0, b"oid".to_vec());
        }
        rest.starts_with(b"FROM stdin").then_some(copy)
    }
}

fn take(rest: &mut &[u8], what: &[u8]) -> bool {
    let found = rest.strip_prefix(what);
    *rest = found.unwrap_or(rest);
    found.is_some()
}

/// A name, in quotes or not.
fn name(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let mut name = Vec::new();
    if !take(rest, b"\"") {
        let end = rest.iter().position(|byte| b" .,()\"".contains(byte)).unwrap_or(rest.len());
        let (plain, after) = rest.split_at(end);
        *rest = after;
        return (!plain.is_empty()).then(|| plain.to_vec());
    }
    loop {
        let end = rest.iter().position(|byte| *byte == b'"')?;
        let (part, after) = rest.split_at(end);
        name.extend_from_slice(part);
        *rest = after;
        take(rest, b"\"");
        if !take(rest, b"\"") {
            return Some(name);
        }
        name.push(b'"');
    }
}
