//! A folder that `pg_dump --format=directory` made, read as the custom archive that it could have been.

use std::fs::File;
use std::io::{self, BufRead as _, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use archive::packed::{self, PackedContents, PackedFile};
use archive::{Damage, Expander, InnerCompression};

/// Endings that files have where they are compressed.
const ENDINGS: [&str; 4] = ["", ".gz", ".lz4", ".zst"];
/// Files that may be read at once.
const BLOCK: usize = 256 << 10;
/// Bytes of a table of contents, or of a list of large objects, which are kept in memory: half a million tables have less.
const LIST_LIMIT: u64 = 256 << 20;

/// What to do with one in a repository, which holds files.
pub(crate) const INTO_A_FILE: &str = "restore one with lastgood restore --backup-file FOLDER; to have it listed and adopted, make it one file \
    (of a folder in a bucket after aws s3 cp --recursive): pg_restore --file=- FOLDER | gzip > DATABASE_backup_20260131_030000.sql.gz";

/// Whether this is such a folder.
pub(crate) fn is_one(folder: &Path) -> bool {
    folder.is_dir() && existing(folder, "toc.dat").is_some()
}

/// Bytes of all its files.
pub(crate) fn size(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).filter(|file| file.is_file()).map(|file| file.len()).sum()
}

/// The archive, as it is read.
pub(crate) struct FolderReader {
    folder: PathBuf,
    compression: InnerCompression,
    files: std::vec::IntoIter<PackedFile>,
    /// The large objects of the block that is being read: number, file.
    objects: Option<std::vec::IntoIter<(u32, String)>>,
    current: Option<Content>,
    out: Vec<u8>,
    read: usize,
    /// What is wrong with it, for whoever reads it as bytes alone: to them it ends there.
    found: Option<Arc<Mutex<Option<Damage>>>>,
}

/// A file that is being read: as it is, where the archive's head says how it is compressed.
enum Content {
    Stored(File),
    Expanded(String, Box<Expander<File>>),
}

impl FolderReader {
    /// Opens the folder, and reads its table of contents.
    ///
    /// # Errors
    /// When it can't be read; damage comes as an error from which [`archive::damage`] takes it.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let contents = PackedContents::read(&whole(folder, "toc.dat")?).map_err(damaged)?;
        Ok(Self {
            folder: folder.to_owned(),
            compression: contents.compression,
            files: contents.files.into_iter(),
            objects: None,
            current: None,
            out: contents.head,
            read: 0,
            found: None,
        })
    }

    /// The same, but what is damaged ends it, and is put into what is returned second.
    ///
    /// # Errors
    /// When it can't be read.
    pub(crate) fn judged(folder: &Path) -> io::Result<(Self, Arc<Mutex<Option<Damage>>>)> {
        let found: Arc<Mutex<Option<Damage>>> = Arc::default();
        let opened = match Self::open(folder) {
            Err(error) if archive::damage(&error).is_some() => {
                let reader = Self {
                    folder: folder.to_owned(),
                    compression: InnerCompression::None,
                    files: Vec::new().into_iter(),
                    objects: None,
                    current: None,
                    out: Vec::new(),
                    read: 0,
                    found: None,
                };
                note(&found, archive::damage(&error));
                reader
            }
            opened => opened?,
        };
        Ok((Self { found: Some(Arc::clone(&found)), ..opened }, found))
    }

    /// Makes the next part of the archive; false at its end.
    fn advance(&mut self) -> io::Result<bool> {
        self.out.clear();
        self.read = 0;
        if let Some(content) = &mut self.current {
            let part = content.next()?;
            if part.is_empty() {
                self.current = None;
                self.out = packed::ends();
            } else {
                self.out = packed::content(&part);
            }
            return Ok(true);
        }
        if let Some(objects) = &mut self.objects {
            if let Some((oid, name)) = objects.next() {
                self.out = packed::large_object_begins(oid);
                self.current = Some(self.content(&name)?);
            } else {
                self.objects = None;
                self.out = packed::ends();
            }
            return Ok(true);
        }
        let Some(file) = self.files.next() else { return Ok(false) };
        if file.large_objects {
            self.out = packed::large_objects_begin(&file);
            let list = whole(&self.folder, &file.name)?;
            let listed = packed::listed_objects(&list).ok_or_else(|| {
                let reason = "it isn't a list of large objects".to_owned();
                damaged(Damage::BadBlock { offset: 0, object: file.name.clone(), reason })
            })?;
            self.objects = Some(listed.into_iter());
        } else {
            self.out = packed::table_begins(&file);
            self.current = Some(self.content(&file.name)?);
        }
        Ok(true)
    }

    fn content(&self, name: &str) -> io::Result<Content> {
        let path = find(&self.folder, name)?;
        let file = File::open(&path)?;
        match self.compression {
            InnerCompression::Lz4 | InnerCompression::Zstd => Ok(Content::Stored(file)),
            InnerCompression::None | InnerCompression::Zlib => {
                Ok(Content::Expanded(name.to_owned(), Box::new(Expander::new(file, 1)?)))
            }
        }
    }
}

impl Content {
    /// The next bytes; none at the end.
    fn next(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Stored(file) => {
                let mut part = Vec::new();
                file.take(BLOCK as u64).read_to_end(&mut part)?;
                Ok(part)
            }
            Self::Expanded(name, expander) => {
                let part = expander.fill_buf().map_err(|error| in_file(name, error))?.to_vec();
                expander.consume(part.len());
                Ok(part)
            }
        }
    }
}

impl Read for FolderReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read == self.out.len() {
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return Ok(0),
                Err(error) => {
                    let Some(found) = self.found.clone().filter(|_| archive::damage(&error).is_some()) else {
                        return Err(error);
                    };
                    note(&found, archive::damage(&error));
                    (self.files, self.objects, self.current) = (Vec::new().into_iter(), None, None);
                    return Ok(0);
                }
            }
        }
        let ready = self.out.get(self.read..).unwrap_or_default();
        let length = ready.len().min(buffer.len());
        buffer.iter_mut().zip(ready).for_each(|(to, from)| *to = *from);
        self.read += length;
        Ok(length)
    }
}

fn note(found: &Mutex<Option<Damage>>, damage: Option<&Damage>) {
    if let (Ok(mut found), Some(damage)) = (found.lock(), damage) {
        found.get_or_insert_with(|| damage.clone());
    }
}

/// A whole file, however it is compressed: a list of what there is, and no rows.
fn whole(folder: &Path, name: &str) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let file = Expander::new(File::open(find(folder, name)?)?, 1)?;
    file.take(LIST_LIMIT + 1).read_to_end(&mut content).map_err(|error| in_file(name, error))?;
    if content.len() as u64 > LIST_LIMIT {
        let reason =
            format!("the file {name} has more than {} MiB, which is the most that is kept of it", LIST_LIMIT >> 20);
        return Err(damaged(Damage::BeyondLimits { offset: LIST_LIMIT, reason }));
    }
    Ok(content)
}

/// The file of this name; a name that leads out of the folder is none.
fn find(folder: &Path, name: &str) -> io::Result<PathBuf> {
    existing(folder, name).ok_or_else(|| damaged(Damage::MissingFile { file: name.to_owned() }))
}

fn existing(folder: &Path, name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return None;
    }
    ENDINGS.iter().map(|ending| folder.join(format!("{name}{ending}"))).find(|path| path.is_file())
}

fn damaged(damage: Damage) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, damage)
}

/// What is wrong with a file names it.
fn in_file(name: &str, error: io::Error) -> io::Error {
    match archive::damage(&error) {
        Some(found) => {
            let (offset, reason) = (0, found.to_string());
            damaged(Damage::BadBlock { offset, object: format!("the file {name}"), reason })
        }
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_few_bytes_do_not_take_the_memory() {
        let folder = tempfile::tempdir().unwrap();
        let toc = folder.path().join("toc.dat.gz");
        let zeros = format!("head -c {} /dev/zero | gzip -1 > '{}'", LIST_LIMIT + 2, toc.display());
        #[expect(clippy::disallowed_methods, reason = "a tool of the test's")]
        let made = Command::new("sh").args(["-c", &zeros]).status().unwrap();
        assert!(made.success());
        assert!(toc.metadata().unwrap().len() < 4 << 20);
        let error = FolderReader::open(folder.path()).map(drop).unwrap_err();
        assert!(archive::damage(&error).is_some_and(Damage::is_limit), "{error}");
    }
}
