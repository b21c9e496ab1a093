//! What is in a database, object by object, and what hangs on what: what a restore in place has to know before it drops anything.
//!
//! Names come back in the archive's own character set and are spelled as the entries of an archive spell them, so that the two can
//! be compared. Objects that extensions made are no objects here: a dump doesn't have them.

mod select;

use serde::Deserialize;
use serde_json::Error;

use crate::quote::literal;

/// A catalog, and the row in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct ObjectId {
    /// The catalog's OID.
    pub class: u32,
    /// The row's OID.
    pub oid: u32,
}

/// What is in a database.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// All that a dump has entries for.
    pub all: Vec<Object>,
    /// What hangs on what.
    pub dependents: Vec<Dependent>,
    /// Which tables publications name.
    pub members: Vec<Member>,
    /// Tables of extensions whose rows a dump has.
    pub configured: Vec<Configured>,
    /// How many locks tables and the like take.
    pub locks: Vec<Locks>,
    /// Large objects that the role may not remove.
    pub large_objects_of_others: Vec<LargeObject>,
}

/// An object that a dump has an entry for.
#[derive(Clone, Debug, Deserialize)]
pub struct Object {
    /// Where it is in the catalogs.
    #[serde(flatten)]
    pub id: ObjectId,
    /// As the archive's entries name it: `TABLE`, `FUNCTION`, `FOREIGN DATA WRAPPER` and so on.
    pub kind: String,
    /// Its schema; empty for what lies in none.
    pub schema: String,
    /// Its name as an entry has it: functions have their argument types behind it.
    pub name: String,
    /// The role that owns it.
    pub owner: String,
    /// The role may act as the owner.
    pub is_ours: bool,
    /// The role may drop it, because it or its schema is its own.
    pub droppable: bool,
    /// The role may make one like it.
    pub made_by_us: bool,
    /// Of a sequence: the table whose column it belongs to.
    pub owned_by: Option<u32>,
}

/// A part of `id` can't be without `on`.
#[derive(Clone, Debug, Deserialize)]
pub struct Dependent {
    class: u32,
    oid: u32,
    on_class: u32,
    on_oid: u32,
    /// The part in PostgreSQL's words: `trigger touch on table public.orders`.
    pub words: String,
}

impl Dependent {
    /// `words` hang on `on`, and are a part of `id`, or all of it.
    #[must_use]
    pub fn new(id: ObjectId, on: ObjectId, words: &str) -> Self {
        Self { class: id.class, oid: id.oid, on_class: on.class, on_oid: on.oid, words: words.to_owned() }
    }

    /// The whole that hangs on another.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        ObjectId { class: self.class, oid: self.oid }
    }

    /// What it hangs on.
    #[must_use]
    pub fn on(&self) -> ObjectId {
        ObjectId { class: self.on_class, oid: self.on_oid }
    }
}

/// A table that a publication names.
#[derive(Clone, Debug, Deserialize)]
pub struct Member {
    /// The publication's OID.
    pub publication_oid: u32,
    /// The publication's name.
    pub publication: String,
    /// The table's OID.
    pub oid: u32,
    /// The table's schema.
    pub schema: String,
    /// The table's name.
    pub name: String,
    /// The role may act as the publication's owner.
    pub is_ours: bool,
}

/// A table of an extension, whose rows a dump has as far as they are the user's own.
#[derive(Clone, Debug, Deserialize)]
pub struct Configured {
    /// The table's OID.
    pub oid: u32,
    /// The extension's name.
    pub extension: String,
    /// The table's schema.
    pub schema: String,
    /// The table's name.
    pub name: String,
    /// The role may delete and insert its rows.
    pub is_writable: bool,
}

/// How many locks a table, view or sequence takes until the end of a transaction.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Locks {
    /// Its OID.
    pub oid: u32,
    /// To drop it: its own, and those of its indexes, TOAST table, types, constraints, defaults, triggers, rules and policies.
    pub dropped: u64,
    /// To make another: at least its own, and those of its indexes and TOAST table.
    pub made: u64,
}

/// A large object, and whose it is.
#[derive(Clone, Debug, Deserialize)]
pub struct LargeObject {
    /// Its number.
    pub oid: u32,
    /// The role that owns it.
    pub owner: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Row {
    Object(Object),
    Dependent(Dependent),
    Member(Member),
    Configured(Configured),
    Locks(Locks),
    LargeObject(LargeObject),
}

/// Catalogs of many tables have no statistics that fit them, and a nested loop over them takes minutes.
const PLAINLY: &str = "SET search_path = ''; SET enable_nestloop = off; SET jit = off; SET work_mem = '64MB';\n";
const AS_BEFORE: &str = "RESET search_path; RESET enable_nestloop; RESET jit; RESET work_mem; RESET client_encoding;\n";

/// psql's input that makes it print what is in the database, one JSON document a line, and leaves the session as it was.
/// `encoding` is the archive's character set.
#[must_use]
pub fn questions(encoding: &str) -> String {
    let ask =
        |kind: &str, select: &str| format!("SELECT json_build_object('{kind}', row_to_json(a)) FROM ({select}) a;\n");
    [
        format!("SET client_encoding = {};\n{PLAINLY}", literal(encoding)),
        ask("object", select::OBJECTS),
        ask("dependent", select::DEPENDENTS),
        ask("member", select::MEMBERS),
        ask("configured", select::CONFIGURED),
        ask("locks", select::LOCKS),
        ask("largeObject", select::LARGE_OBJECTS),
        AS_BEFORE.to_owned(),
    ]
    .concat()
}

/// Reads what psql printed.
///
/// # Errors
/// When it isn't the answer to [`questions`].
pub fn read(answer: &str) -> Result<Objects, Error> {
    let mut objects = Objects::default();
    for line in answer.split('\n').filter(|line| !line.is_empty()) {
        match serde_json::from_str(line)? {
            Row::Object(object) => objects.all.push(object),
            Row::Dependent(dependent) => objects.dependents.push(dependent),
            Row::Member(member) => objects.members.push(member),
            Row::Configured(configured) => objects.configured.push(configured),
            Row::Locks(locks) => objects.locks.push(locks),
            Row::LargeObject(large_object) => objects.large_objects_of_others.push(large_object),
        }
    }
    Ok(objects)
}
