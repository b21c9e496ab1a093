//! What is corrupted: an archive in each form that Lastgood makes or reads, and the manifest that tells it.

use std::path::Path;
use std::process::Command;

use archive::{Content, Digest, Walk, inspect};
use catalog::Manifest;
use e2e::agent::Agent;
use e2e::postgres::{Database, Installation, Postgres};
use e2e::process::output_given;

use crate::backup::encryption::key;
use crate::damage::file_ending_in;

/// A few frames of the dump, of which each holds a MiB.
const ROWS: &str = "CREATE TABLE filler AS SELECT i AS id, md5(i::text) || repeat(' and so on', 8) AS text
    FROM generate_series(1, 18000) AS i";

pub(super) struct Subject {
    /// In words: `gzip`, `tar`.
    pub(super) form: String,
    /// Of its file.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) manifest: Manifest,
    rows: Vec<u8>,
}

/// Every form, each in a folder of its own below `folder`.
pub(super) fn make_all(folder: &Path) {
    let database = Postgres::shared().new_database("corrupted");
    database.fill_with_everything();
    database.query(ROWS);
    let (_, public) = key(folder);
    let ours: [(&str, &[(&str, &str)]); 5] = [
        ("gzip", &[]),
        ("zstd", &[("BACKUP_COMPRESSION", "zstd")]),
        ("none", &[("BACKUP_COMPRESSION", "none")]),
        ("woven", &[("BACKUP_COMPRESSION", "none"), ("BACKUP_JOBS", "2")]),
        ("encrypted", &[("BACKUP_AGE_RECIPIENTS", &public)]),
    ];
    for (form, settings) in ours {
        let agent = Agent::new().database(&database).directory(&folder.join("forms").join(form));
        let agent = settings.iter().fold(agent, |agent, (name, value)| agent.setting(name, *value));
        agent.run(&["backup", "--name", "whole"]).succeeds();
    }
    make_guests(&database, &folder.join("forms"));
}

/// What pg_dump makes by itself, with a manifest as `lastgood adopt` would give it.
fn make_guests(database: &Database<'_>, folder: &Path) {
    let dump = |arguments: &[&str]| database.dump_by(&Installation::eighteen(), arguments);
    let plain = dump(&["-Fc", "-Z0"]);
    let guests = [
        ("zlib inside", dump(&["-Fc", "-Z6"])),
        ("LZ4 inside", recompressed(&plain, LZ4, &["lz4", "-c", "-q"]).unwrap()),
        ("zstd inside", recompressed(&plain, ZSTD, &["zstd", "-c", "-q"]).unwrap()),
        ("rows as INSERTs", dump(&["-Fc", "-Z0", "--rows-per-insert=100"])),
        ("tar", dump(&["-Ft"])),
        ("plain", dump(&["-Fp"])),
    ];
    let like = std::fs::read(file_ending_in(&folder.join("none"), ".manifest.json")).unwrap();
    let like = Manifest::from_json(&like).unwrap();
    for (form, bytes) in guests {
        let inspected = inspect(bytes.as_slice(), 1).unwrap();
        let Content::Walked(walked) = inspected.content else { panic!("{form}: {:?}", inspected.content) };
        let mut manifest = like.clone();
        (manifest.archive.digest, manifest.census) = (inspected.digest, walked.census);
        let folder = folder.join(form);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join(format!("{}.sql", manifest.stem)), bytes).unwrap();
        std::fs::write(folder.join(format!("{}.manifest.json", manifest.stem)), manifest.to_json().unwrap()).unwrap();
    }
}

/// How an archive's header of format 1.16 calls what its blocks are compressed by, and where.
const ALGORITHM: usize = 11;
const LZ4: u8 = 2;
const ZSTD: u8 = 3;

/// An archive of format 1.16 with each stream passed through a program, as a pg_dump has it that was built with another compression
/// than those at hand; `None` where the program fails.
fn recompressed(plain: &[u8], algorithm: u8, program: &[&str]) -> Option<Vec<u8>> {
    let mut walk = Walk::new();
    walk.feed(plain).ok()?;
    let (mut out, mut rest) = (Vec::new(), plain);
    let head = usize::try_from(walk.contents_end()?).unwrap();
    out.extend(take(&mut rest, head));
    out[ALGORITHM] = algorithm;
    while !rest.is_empty() {
        let begin = take(&mut rest, 6);
        out.extend(begin);
        let is_of_large_objects = begin[0] == 3;
        loop {
            if is_of_large_objects && number_and_copy(&mut rest, &mut out) == 0 {
                break;
            }
            let stream = said(Command::new(program[0]).args(&program[1..]), &stream(&mut rest))?;
            for chunk in stream.chunks(4096) {
                out.push(0);
                out.extend((chunk.len() as u32).to_le_bytes());
                out.extend(chunk);
            }
            out.extend([0; 5]);
            if !is_of_large_objects {
                break;
            }
        }
    }
    Some(out)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, behind) = rest.split_at(length);
    *rest = behind;
    taken
}

fn number_and_copy(rest: &mut &[u8], out: &mut Vec<u8>) -> u32 {
    let number = take(rest, 5);
    out.extend(number);
    u32::from_le_bytes(number[1..].try_into().unwrap())
}

/// The content of the chunks up to the one that ends them.
fn stream(rest: &mut &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    loop {
        match number_and_copy(rest, &mut Vec::new()) {
            0 => return content,
            length => content.extend(take(rest, length as usize)),
        }
    }
}

impl Subject {
    pub(super) fn read_all(folder: &Path) -> Vec<Self> {
        let forms = std::fs::read_dir(folder.join("forms")).unwrap();
        let mut folders: Vec<_> = forms.map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        folders.iter().map(|folder| Self::read(folder)).collect()
    }

    fn read(folder: &Path) -> Self {
        let manifest = std::fs::read(file_ending_in(folder, ".manifest.json")).unwrap();
        let manifest = Manifest::from_json(&manifest).unwrap();
        let stem = format!("{}.sql", manifest.stem);
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let name = names.into_iter().find(|name| name.starts_with(&stem)).unwrap();
        let bytes = std::fs::read(folder.join(&name)).unwrap();
        let form = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let rows = if form == "encrypted" { Vec::new() } else { rows(&bytes).expect("other programs read it too") };
        Self { form, name, bytes, manifest, rows }
    }

    /// Its manifest, as somebody forges it who wants other bytes to be taken for it.
    pub(super) fn forged(&self, digest: &Digest) -> Manifest {
        let mut manifest = self.manifest.clone();
        manifest.archive.digest = digest.clone();
        manifest
    }

    /// Whether other programs than ours find the same rows in these bytes.
    pub(super) fn has_rows_of(&self, bytes: &[u8]) -> bool {
        rows(bytes).is_some_and(|rows| rows == self.rows)
    }
}

/// The rows of every table, as gunzip or zstd and pg_restore tell them; `None` where one of them fails.
fn rows(bytes: &[u8]) -> Option<Vec<u8>> {
    let plain = match bytes {
        [0x1f, 0x8b, ..] => said(Command::new("gunzip").arg("-c"), bytes)?,
        [0x28, 0xb5, ..] => said(Command::new("zstd").args(["-d", "-c"]), bytes)?,
        _ => bytes.to_vec(),
    };
    let plain = match (plain.starts_with(b"PGDMP"), plain.get(ALGORITHM)) {
        (true, Some(&LZ4)) => recompressed(&plain, 0, &["lz4", "-d", "-c", "-q"])?,
        (true, Some(&ZSTD)) => recompressed(&plain, 0, &["zstd", "-d", "-c", "-q"])?,
        _ => plain,
    };
    let is_archive = plain.starts_with(b"PGDMP") || plain.get(257..262) == Some(b"ustar");
    let script = if is_archive {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &plain).unwrap();
        said(Installation::eighteen().program("pg_restore").args(["-a", "-f", "-"]).arg(file.path()), b"")?
    } else {
        plain
    };
    let (mut rows, mut within) = (Vec::new(), false);
    for line in script.split_inclusive(|&byte| byte == b'\n') {
        let begins = line.starts_with(b"COPY ") && line.ends_with(b" FROM stdin;\n");
        if within || begins || line.starts_with(b"INSERT ") {
            rows.extend_from_slice(if begins { b"COPY\n" } else { line });
        }
        within = (within || begins) && line != b"\\.\n";
    }
    Some(rows)
}

fn said(command: &mut Command, input: &[u8]) -> Option<Vec<u8>> {
    let output = output_given(command, input);
    output.status.success().then_some(output.stdout)
}
