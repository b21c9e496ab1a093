//! What a script says, in the order in which it says it: its objects, its rows, and whether it is whole.

use serde::{Deserialize, Serialize};

use super::super::values::Stop;
use super::event::{Event, Listener};
use super::heading::{Comment, Heading, comment, on_one_line};
use super::large_objects::LargeObjects;
use super::lexer::{COMMAND, Lexer};
use super::piece::Piece;
use super::statement::{Said, clears_the_way, copied_table, first_word, inserted_table, said};
use super::written::{is_copy, is_insert, is_written};
use crate::damage::Damage;
use crate::sniff::{Kind, Wrapper};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Reader {
    lexer: Lexer,
    course: Course,
}

/// What has been read so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Course {
    pub(super) begun: bool,
    pub(super) complete: bool,
    /// Of a whole server.
    pub(super) cluster: bool,
    pub(super) server_version: String,
    pub(super) tool_version: String,
    /// The database that the script is of, or connects to.
    pub(super) database: Option<String>,
    /// How it connects.
    connected: Option<String>,
    /// What comes next names a database by `-reuse-previous=on`.
    #[serde(default)]
    reconnects: bool,
    heading: Heading,
    within: Within,
    /// Something stands behind the end.
    #[serde(default)]
    followed: Option<Follower>,
    /// Where the comment ends at which something was found wrong. The lexer stands somewhere before it, by how the script was cut.
    #[serde(skip)]
    wrong_at: Option<u64>,
}

/// What stands behind a dump's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Follower {
    Dump,
    Text,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Within {
    #[default]
    Definitions,
    /// Below a table's heading, before its first row.
    BeforeRows,
    Copy,
    Inserts,
    LargeObjects(LargeObjects),
}

impl Reader {
    pub(super) fn new() -> Self {
        Self { lexer: Lexer::new(), course: Course::default() }
    }

    pub(super) fn position(&self) -> u64 {
        self.lexer.position
    }

    pub(super) fn course(&self) -> &Course {
        &self.course
    }

    /// Reads all of `bytes`.
    pub(super) fn feed(&mut self, bytes: &[u8], listener: &mut Listener<'_>) -> Result<(), Damage> {
        let (lexer, course) = (&mut self.lexer, &mut self.course);
        let fed = lexer.feed(bytes, &mut |piece, at| course.take(piece, at, listener));
        fed.map_err(|stop| self.damage(stop))
    }

    /// Judges the script's end.
    pub(super) fn finish(&mut self, listener: &mut Listener<'_>) -> Result<(), Damage> {
        let (lexer, course) = (&mut self.lexer, &mut self.course);
        let cut = lexer.finish(&mut |piece, at| course.take(piece, at, listener)).map_err(|stop| self.damage(stop))?;
        let course = &mut self.course;
        let offset = self.lexer.position;
        if course.complete && cut.is_some_and(|what| what != COMMAND) {
            return Err(self.followed(Follower::Text));
        }
        if !course.begun {
            return Err(Damage::NotAnArchive { found: Kind::PlainSql });
        }
        let whole = if course.cluster {
            "-- PostgreSQL database cluster dump complete"
        } else {
            "-- PostgreSQL database dump complete"
        };
        let within = match (cut, &course.within) {
            (Some(COMMAND), _) if course.complete => None,
            (Some("rows"), _) => Some(format!("the rows of {}", course.heading.shown())),
            (Some(what), _) => Some(format!("{what} of {}", course.heading.shown())),
            (None, _) if !course.complete => Some(format!("its script, before the last line `{whole}`")),
            _ => None,
        };
        match within {
            Some(within) => Err(Damage::Truncated { offset, within }),
            None => course.leave(listener).map_err(|stop| self.damage(stop)),
        }
    }

    fn damage(&self, stop: Stop) -> Damage {
        if !self.course.begun {
            return Damage::NotAnArchive { found: Kind::PlainSql };
        }
        if let Some(follower) = self.course.followed {
            return self.followed(follower);
        }
        let offset = self.course.wrong_at.unwrap_or(self.lexer.position);
        let object = self.course.heading.shown();
        match stop {
            Stop::Found(damage) => damage,
            Stop::Broken(reason) => Damage::BadBlock { offset, object, reason: reason.into() },
            Stop::Starved => Damage::Truncated { offset, within: object },
        }
    }

    fn followed(&self, follower: Follower) -> Damage {
        let offset = self.lexer.line_end;
        Damage::Followed { offset, another: follower == Follower::Dump, layers: Vec::new() }
    }
}

impl Heading {
    fn shown(&self) -> String {
        match (self.kind.is_empty(), self.schema.is_empty()) {
            (true, _) => "the script".to_owned(),
            (false, true) => format!("{} {}", self.kind, self.name),
            (false, false) => format!("{} {}.{}", self.kind, self.schema, self.name),
        }
    }
}

impl Course {
    fn take(&mut self, piece: Piece<'_>, at: u64, listener: &mut Listener<'_>) -> Result<(), Stop> {
        if self.complete && !belongs_to_the_end(&piece) {
            return Err(self.follow(Follower::Text));
        }
        if std::mem::take(&mut self.reconnects)
            && !matches!(piece, Piece::Command(command) if command.starts_with("\\connect -reuse-previous=on "))
        {
            return Err(for_psql(at, "it has a command that only psql follows: \\encoding SQL_ASCII"));
        }
        match piece {
            Piece::Comment(text) => {
                let found = comment(text).map_or(Ok(()), |comment| self.comment(comment, listener));
                found.inspect_err(|_| self.wrong_at = Some(at))
            }
            Piece::Command(command) => self.command(command, at),
            Piece::Copy(statement) => {
                if !is_copy(statement) {
                    return Err(not_written(at, statement));
                }
                self.leave_rows(listener)?;
                self.within = Within::Copy;
                let (schema, name) = self.table(copied_table(statement).ok_or("its COPY names no table")?);
                listener(Event::Table(&schema, &name, Some(statement)))
            }
            Piece::Rows(rows) => listener(Event::Rows(rows)),
            Piece::RowsEnd => {
                self.within = Within::Definitions;
                listener(Event::Rows(b"\\.\n\n\n"))?;
                listener(Event::TableEnd)
            }
            Piece::Inserting(part, is_first) => match is_first && !is_insert(part) {
                true => Err(not_written(at, part)),
                false => self.insert(part, listener),
            },
            Piece::Statement(statement) => self.statement(statement, at, listener),
        }
    }

    fn comment(&mut self, comment: Comment, listener: &mut Listener<'_>) -> Result<(), Stop> {
        match comment {
            Comment::Begins { cluster } => {
                if self.complete {
                    return Err(self.follow(Follower::Dump));
                }
                self.begun = true;
                self.cluster |= cluster;
            }
            Comment::Complete { cluster } => {
                self.leave(listener)?;
                self.complete = cluster || !self.cluster;
            }
            Comment::ServerVersion(version) => self.server_version = version,
            Comment::ToolVersion(version) => self.tool_version = version,
            Comment::Heading(heading) => {
                self.leave(listener)?;
                if self.complete {
                    return Err(self.follow(Follower::Text));
                }
                self.within = match heading.kind.as_str() {
                    "TABLE DATA" => Within::BeforeRows,
                    "BLOBS" => {
                        listener(Event::LargeObjects)?;
                        Within::LargeObjects(LargeObjects::default())
                    }
                    _ => Within::Definitions,
                };
                self.heading = heading;
                if self.within == Within::Definitions {
                    listener(Event::Object(&self.heading))?;
                }
            }
        }
        Ok(())
    }

    /// Whether it may connect to a database here.
    fn connects(&self) -> bool {
        self.cluster || self.heading.kind.starts_with("DATABASE")
    }

    /// psql's own commands: those that pg_dump writes mean something, and no other is followed.
    fn command(&mut self, command: &str, at: u64) -> Result<(), Stop> {
        let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        match word {
            "\\restrict" | "\\unrestrict" => Ok(()),
            // PostgreSQL's own, before the name of a database that isn't plain.
            "\\encoding" if rest.trim() == "SQL_ASCII" && self.connects() => {
                self.reconnects = true;
                Ok(())
            }
            "\\connect" if self.cluster => {
                self.database = Some(rest.trim().to_owned());
                Ok(())
            }
            "\\connect" if self.heading.kind.starts_with("DATABASE") => {
                self.database.get_or_insert_with(|| self.heading.name.clone());
                let known = self.connected.get_or_insert_with(|| rest.trim().to_owned());
                if known == rest.trim() { Ok(()) } else { Err(for_psql(at, "it holds more than one database")) }
            }
            _ => {
                let shown: String = command.chars().take(60).filter(|letter| !letter.is_control()).collect();
                Err(for_psql(at, &format!("it has a command that only psql follows: {shown}")))
            }
        }
    }

    fn statement(&mut self, statement: &[u8], at: u64, listener: &mut Listener<'_>) -> Result<(), Stop> {
        if let Within::LargeObjects(objects) = &mut self.within {
            return objects.statement(statement, listener);
        }
        // A whole server's has its roles, and is restored by psql alone.
        let is_foreign = |statement| !self.cluster && !is_written(&self.heading.kind, statement);
        match said(statement) {
            Some(Said::Owner(..)) | None if is_foreign(statement) => return Err(not_written(at, statement)),
            Some(said) => return listener(Event::Said(said)),
            None if self.is_about_rows(statement) => return Ok(()),
            None => {}
        }
        if self.heading.kind == "TABLE DATA" && first_word(statement).eq_ignore_ascii_case(b"INSERT") {
            return self.insert(statement, listener);
        }
        if self.within == Within::Inserts {
            self.leave_rows(listener)?;
        }
        match self.heading.kind.is_empty() && clears_the_way(statement) {
            true => Ok(()),
            false => listener(Event::Sql(statement)),
        }
    }

    /// What pg_dump does to be able to write rows: pg_restore does as it is told.
    fn is_about_rows(&self, statement: &[u8]) -> bool {
        let starts = |start: &str| statement.trim_ascii_start().starts_with(start.as_bytes());
        let is_about = starts("ALTER ") || starts("SET ") || starts("RESET ");
        self.heading.kind == "TABLE DATA" && is_about
    }

    fn insert(&mut self, part: &[u8], listener: &mut Listener<'_>) -> Result<(), Stop> {
        if self.within != Within::Inserts {
            self.begin_inserts(inserted_table(part), listener)?;
        }
        listener(Event::Rows(part))
    }

    fn begin_inserts(
        &mut self,
        table: Option<(Option<String>, String)>,
        listener: &mut Listener<'_>,
    ) -> Result<(), Stop> {
        self.leave_rows(listener)?;
        self.within = Within::Inserts;
        let (schema, name) = self.table(table.unwrap_or_else(|| (None, self.heading.name.clone())));
        listener(Event::Table(&schema, &name, None))
    }

    /// The table whose rows these are, by the statement that brings them. With `--load-via-partition-root` that names the table on top, into
    /// which each partition's rows go: they are counted as the partition's, as in an archive.
    fn table(&self, (schema, name): (Option<String>, String)) -> (String, String) {
        let Heading { kind, name: headed, schema: headed_schema, .. } = &self.heading;
        let is_headed = kind == "TABLE DATA" && !headed.is_empty();
        // A heading has a name on one line, whatever is in it.
        let name = if is_headed && on_one_line(&name) != *headed { headed.clone() } else { name };
        let schema = schema.filter(|schema| !is_headed || on_one_line(schema) == *headed_schema);
        (self.in_database(&schema.unwrap_or_else(|| headed_schema.clone())), name)
    }

    /// The dump is whole, and this isn't its own.
    fn follow(&mut self, follower: Follower) -> Stop {
        self.followed = Some(follower);
        "something follows its end".into()
    }

    /// Ends what is being read of the last object.
    fn leave(&mut self, listener: &mut Listener<'_>) -> Result<(), Stop> {
        if self.within == Within::BeforeRows {
            // Without a COPY and without an INSERT: a table that is empty, of a dump with INSERTs.
            self.begin_inserts(None, listener)?;
        }
        self.leave_rows(listener)
    }

    fn leave_rows(&mut self, listener: &mut Listener<'_>) -> Result<(), Stop> {
        match std::mem::take(&mut self.within) {
            Within::Inserts => {
                listener(Event::Rows(b"\n\n"))?;
                listener(Event::TableEnd)
            }
            Within::LargeObjects(objects) => objects.end(listener),
            _ => Ok(()),
        }
    }

    /// In a dump of a whole server the same schema occurs in each database.
    fn in_database(&self, schema: &str) -> String {
        match &self.database {
            Some(database) if self.cluster => format!("{database}.{schema}"),
            _ => schema.to_owned(),
        }
    }
}

/// Comments, and a command of psql's that pg_dump ends with.
fn belongs_to_the_end(piece: &Piece<'_>) -> bool {
    match piece {
        Piece::Comment(_) => true,
        Piece::Command(command) => command.starts_with("\\unrestrict"),
        _ => false,
    }
}

/// The script's objects are pg_dump's, and this is somebody's.
fn not_written(offset: u64, statement: &[u8]) -> Stop {
    if statement.trim_ascii_start().starts_with(b"pg_dump: ") {
        return Stop::Found(Damage::of_other(Kind::Wrapped(Wrapper::Messages)));
    }
    let text = String::from_utf8_lossy(statement.trim_ascii());
    let shown: Vec<&str> = text.split_whitespace().take(8).collect();
    let shown: String = shown.join(" ").chars().take(60).filter(|letter| !letter.is_control()).collect();
    for_psql(offset, &format!("it has a statement that pg_dump does not write: {shown}"))
}

/// It may be whole, and nothing but psql restores it.
fn for_psql(offset: u64, reason: &str) -> Stop {
    Stop::Found(Damage::ForPsql { offset, reason: reason.to_owned(), server: false, layers: Vec::new() })
}
