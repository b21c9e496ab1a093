//! What an archive says of itself in its first bytes: who made it, what is in it, and whom it names.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};

use ::archive::{Entry, Header, LargeObjectEntry, Outliner, Walk};
use postgres::programs::pg_restore;
use postgres::programs::program::Program;
use postgres::words::building::{Step, StepFinder};
use postgres::words::needs::{Needs, NeedsFinder};
use postgres::words::origin;
use postgres::words::roles::Finder;
use postgres::words::traps::{Definitions, TrapFinder};
use postgres::{Tool, Tools, Version};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::archive::Archive;
use crate::commands::restore::failure;
use crate::commands::restore::reading::{self, ReadingError, filled};
use crate::commands::restore::server::Server;
use crate::interrupt::Interrupt;

/// An archive's head, and the program that can restore it.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) header: Header,
    /// Its table of contents, in its order.
    pub(crate) contents: Vec<Entry>,
    /// The entries of single large objects, which its contents leave out.
    pub(crate) large_objects: Vec<LargeObjectEntry>,
    /// The roles of its policies and user mappings.
    pub(crate) roles_in_definitions: BTreeSet<String>,
    /// What its statements need of a server.
    pub(crate) needs: Needs,
    /// What its statements evaluate while they are restored.
    pub(crate) definitions: Definitions,
    /// What of its indexes and keys needs the rows of its own tables alone.
    pub(crate) steps: Vec<Step>,
    pub(crate) pg_restore: Tool,
    /// It is a script, which by hand goes to psql.
    pub(crate) is_script: bool,
    /// Entries were taken out of its contents, and are not to be restored.
    pub(crate) is_cut: bool,
    /// Its scripts forbid psql every command of its own, such as `\! command`, which a hostile archive may contain
    /// (CVE-2025-8714).
    pub(crate) restricts_psql: bool,
}

impl Head {
    /// Reads up to the end of the table of contents, and no further.
    ///
    /// # Errors
    /// Exit 4 when it is damaged, exit 2 when no installed `pg_restore` reads such an archive, exit 1 when it cannot be read.
    pub(crate) fn read(archive: &Archive, server: &Server) -> Result<Self, Failure> {
        let unreadable = |error: ReadingError| failure::reading(&archive.place, error);
        let mut expander = reading::open(archive.open()?, archive).map_err(unreadable)?;
        let (mut walk, mut outliner, mut steps) = (Walk::new(), Outliner::default(), StepFinder::default());
        let mut block = vec![0; 1 << 18];
        let mut script: Option<Script> = None;
        // What came before the header's end told which pg_restore to start.
        let mut unfed = Vec::new();
        while walk.contents().is_none() {
            let length = expander.read(&mut block).map_err(|e| unreadable(reading::reading(e)))?;
            let bytes = filled(&block, length).map_err(|e| unreadable(ReadingError::Read(e)))?;
            if bytes.is_empty() {
                return Err(unreadable(ends_early(walk)));
            }
            let damaged = |damage| unreadable(ReadingError::Damaged(damage));
            walk.feed(bytes).map_err(damaged)?;
            outliner.feed(bytes, &mut |entry| steps.entry(&entry)).map_err(damaged)?;
            unfed.extend_from_slice(bytes);
            if let (None, Some(header)) = (&script, walk.header()) {
                script = Some(Script::start(
                    tool(header, expander.is_script(), &server.tools)?,
                    server,
                    &archive.interrupt,
                )?);
            }
            if let Some(script) = &mut script {
                script.feed(&std::mem::take(&mut unfed));
            }
        }
        let (Some(header), Some(contents), Some(script)) = (walk.header(), walk.contents(), script) else {
            return Err(Failure::new(Exit::Failed, "the archive has no header"));
        };
        let (pg_restore, said) = script.finish()?;
        Ok(Self {
            header: header.clone(),
            contents: contents.to_vec(),
            large_objects: walk.large_object_entries().to_vec(),
            roles_in_definitions: said.roles,
            needs: said.needs,
            definitions: said.definitions,
            // What a script's own order needs isn't known.
            steps: if expander.is_script() { Vec::new() } else { steps.finish() },
            pg_restore,
            is_script: expander.is_script(),
            is_cut: false,
            restricts_psql: said.restricts_psql,
        })
    }

    /// The character set of its texts, as PostgreSQL calls it.
    pub(crate) fn encoding(&self) -> &str {
        encoding(&self.contents)
    }

    /// The SQL of the first entry of this kind, for those that keep theirs.
    pub(crate) fn definition(&self, kind: &str) -> Option<&str> {
        self.contents.iter().find(|entry| entry.kind == kind)?.definition.as_deref()
    }

    /// The SQL of the database's own entry of this kind, such as `ACL` or `COMMENT`.
    pub(crate) fn of_database(&self, kind: &str) -> Option<&str> {
        let is_its_own = |entry: &&Entry| entry.kind == kind && entry.name.starts_with("DATABASE ");
        self.contents.iter().find(is_its_own)?.definition.as_deref()
    }

    /// The role that the database belonged to.
    pub(crate) fn database_owner(&self) -> Option<&String> {
        self.entries("DATABASE").map(|entry| &entry.owner).find(|owner| !owner.is_empty())
    }

    /// The database's settings for every role: each its name, and a `SET` for a session.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        origin::session_settings(self.definition("DATABASE PROPERTIES").unwrap_or_default())
    }

    /// The entries of this kind.
    pub(crate) fn entries<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.contents.iter().filter(move |entry| entry.kind == kind)
    }

    /// The entry by which the archive makes the schema `public`, which every new database has already, as after `--schema=public`.
    pub(crate) fn makes_public(&self) -> Option<&Entry> {
        self.entries("SCHEMA").find(|entry| entry.name == "public" && creates_schema(entry))
    }

    /// How many entries have data: what a parallel restore has to share out.
    pub(crate) fn data_blocks(&self) -> usize {
        self.contents.iter().filter(|entry| entry.has_data()).count()
    }
}

/// The character set of the texts of an archive with these contents, as PostgreSQL calls it.
pub(crate) fn encoding(contents: &[Entry]) -> &str {
    let entry = contents.iter().find(|entry| entry.kind == "ENCODING");
    let statement = entry.and_then(|entry| entry.definition.as_deref()).unwrap_or_default();
    let plain = |name: &&str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter));
    statement.split('\'').nth(1).filter(plain).unwrap_or("UTF8")
}

/// The entry of a schema makes it. Of one that is in every database it says only what differs there.
pub(crate) fn creates_schema(entry: &Entry) -> bool {
    entry.definition.as_deref().is_some_and(|sql| sql.trim_start().starts_with("CREATE SCHEMA"))
}

/// An archive that ends in its head says itself what is missing.
fn ends_early(walk: Walk) -> ReadingError {
    match walk.finish() {
        Err(damage) => ReadingError::Damaged(damage),
        Ok(_) => ReadingError::Read(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// The oldest installed pg_restore that reads what this pg_dump wrote. A script isn't read by pg_restore, but made into what each does
/// that is not older than the format.
fn tool(header: &Header, is_script: bool, tools: &Tools) -> Result<Tool, Failure> {
    if is_script {
        return Ok(tools.fitting("pg_restore", Version::from_number(120_000), "what lastgood makes of a script")?);
    }
    let unknown = || {
        let error = format!("the archive was made by a pg_dump of unknown version ({})", header.pg_dump_version);
        Failure::new(Exit::Failed, error)
    };
    let needed = Version::parse(&header.pg_dump_version).ok_or_else(unknown)?;
    let why = format!("this archive (format {}), which pg_dump {needed} made", header.version);
    Ok(tools.fitting("pg_restore", needed, &why)?)
}

/// pg_restore making a script of the definitions, which is read as it comes.
struct Script {
    tool: Tool,
    program: Program,
    stdin: Option<std::process::ChildStdin>,
    reader: std::thread::JoinHandle<Said>,
}

/// What the script tells.
#[derive(Default)]
struct Said {
    roles: BTreeSet<String>,
    needs: Needs,
    definitions: Definitions,
    restricts_psql: bool,
}

/// What stands before the first text of the archive's own, which may look like anything.
const BEGINNING: [&[u8]; 4] = [b"--", b"-- PostgreSQL database dump", b"--", b""];
const RESTRICTION: &[u8] = b"\\restrict ";

impl Script {
    fn start(tool: Tool, server: &Server, interrupt: &Interrupt) -> Result<Self, Failure> {
        let mut command = pg_restore::definitions(&tool, server.psql.connection());
        let (program, pipes) = Program::start("pg_restore", &mut command, interrupt.stop())
            .map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
        let stdout = pipes.stdout;
        let reader = std::thread::spawn(move || {
            let mut finder = Finder::default();
            let mut needs = NeedsFinder::default();
            let mut traps = TrapFinder::default();
            let mut begins_so = true;
            let mut restricts_psql = false;
            let lines = stdout.into_iter().flat_map(|pipe| BufReader::new(pipe).split(b'\n')).map_while(Result::ok);
            lines.enumerate().for_each(|(number, line)| {
                match BEGINNING.get(number) {
                    Some(expected) => begins_so &= line == *expected,
                    None if number == BEGINNING.len() => restricts_psql = begins_so && line.starts_with(RESTRICTION),
                    None => {}
                }
                let line = String::from_utf8_lossy(&line);
                finder.line(&line);
                needs.line(&line);
                traps.line(&line);
            });
            let (roles, needs, definitions) = (finder.finish(), needs.finish(), traps.finish());
            Said { roles, needs, definitions, restricts_psql }
        });
        Ok(Self { tool, program, stdin: pipes.stdin, reader })
    }

    /// One that has read enough closes its input: its exit status tells whether that is well.
    fn feed(&mut self, bytes: &[u8]) {
        if self.stdin.as_mut().is_some_and(|pipe| pipe.write_all(bytes).is_err()) {
            self.stdin = None;
        }
    }

    fn finish(mut self) -> Result<(Tool, Said), Failure> {
        self.stdin = None;
        let said = self.reader.join().unwrap_or_default();
        self.program.end().map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
        Ok((self.tool, said))
    }
}
