//! The road from pg_dump to the repositories, in one pass: dump → census → frames → [age] → digest → uploads.
//!
//! There are two threads: one reads pg_dump and counts, one digests what was compressed and hands it to the uploads; between
//! them the frames are compressed on all cores. Every hand-off is bounded, so that a slow network slows pg_dump and costs no memory.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use archive::index::{Frames, Index};
use archive::{
    Chain, Damage, Digest, Digester, FRAME_SIZE, FrameError, FrameInput, FrameOutput, FrameSettings, Walk, Walked,
};
use bytes::Bytes;
use postgres::{AnyDump, DumpError, Finished, TableRows};

use crate::answers::failure::Failure;
use crate::answers::progress::Progress;
use crate::commands::backup::globals::Globals;
use crate::commands::backup::index::Indexing;
use crate::commands::backup::lanes::Lanes;
use crate::commands::backup::links::{Linker, Linking};

/// What was read, counted and stored.
#[derive(Debug)]
pub(crate) struct Carried {
    pub(crate) walked: Walked,
    /// The digest of the stored bytes.
    pub(crate) digest: Digest,
    /// pg_dump's own length, in bytes.
    pub(crate) dumped: u64,
    /// What pg_dump said on stderr.
    pub(crate) warnings: Vec<String>,
    /// What is stored beside the archive; read after it.
    pub(crate) globals: Globals,
    /// Where the archive has what; `None` where it wasn't asked for.
    pub(crate) index: Option<Index>,
    /// Places from which it can be verified in parts; none of a short one.
    pub(crate) places: Chain,
}

/// Why nothing may be made visible.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CarryError {
    #[error(transparent)]
    Dump(#[from] DumpError),
    #[error("cannot read from pg_dump: {0}")]
    Read(io::Error),
    /// pg_dump reported success, but its archive is not whole.
    #[error("pg_dump wrote an incomplete or damaged archive: {0}")]
    NotWhole(Damage),
    /// It may be whole, but nothing here can tell.
    #[error("pg_dump wrote an archive beyond the limits of lastgood: {0}")]
    BeyondLimits(Damage),
    /// The user's own options chose another database than the one that was asked for.
    #[error("pg_dump dumped database {found} instead")]
    OtherDatabase { found: String },
    /// What was read isn't what the server said that it sent.
    #[error("the rows that were read are not as many as the server said: {table}")]
    OtherRows { table: String },
    #[error("cannot compress: {0}")]
    Frames(FrameError),
    #[error("cannot encrypt: {0}")]
    Encrypt(String),
    /// No repository accepts more bytes.
    #[error("{0}")]
    Stored(Failure),
}

/// What the dumping side knows at its end.
struct Dumped {
    walked: Walked,
    bytes: u64,
    warnings: Vec<String>,
    index: Option<Index>,
}

/// What a dump becomes on its way.
pub(crate) struct Road {
    /// The database that was asked for.
    pub(crate) database: String,
    pub(crate) frames: FrameSettings,
    /// The age keys to encrypt for; none: not encrypted.
    pub(crate) recipients: Vec<age::x25519::Recipient>,
    pub(crate) progress: Progress,
    /// An index is made as well.
    pub(crate) indexes: bool,
    /// Every so many stored bytes a place is noted from which the archive can be verified in parts.
    pub(crate) link_size: Option<u64>,
    /// Who else looks at the dump as it goes by.
    pub(crate) onlooker: Option<Onlooker>,
}

/// Sees every block of a dump, in their order.
pub(crate) type Onlooker = Arc<Mutex<dyn FnMut(&[u8]) -> Result<(), Damage> + Send>>;

impl Road {
    /// Carries one dump into `lanes`. On success every byte has been handed to the uploads, and nothing is visible yet.
    ///
    /// # Errors
    /// [`CarryError`]; the uploads are then to be aborted.
    pub(crate) fn carry(&self, dump: impl Into<AnyDump>, lanes: &mut Lanes) -> Result<Carried, CarryError> {
        let dump = dump.into();
        let stopper = dump.stopper();
        let (input, output) = archive::compress(self.frames).map_err(CarryError::Frames)?;
        let linking = self.link_size.map(Linking::every);
        std::thread::scope(|scope| {
            let dumping = scope.spawn(|| self.read(dump, input, linking.as_ref()));
            let stored = self.store(output, lanes, linking.as_ref());
            if stored.is_err() {
                stopper.stop();
            }
            let panicked = |_| Err(CarryError::Read(io::Error::other("its reader panicked")));
            match (dumping.join().unwrap_or_else(panicked), stored) {
                (Ok(Dumped { walked, bytes, warnings, index }), Ok((digest, frames, places))) => {
                    let index = index.map(|index| Index { frames, ..index });
                    Ok(Carried { walked, digest, dumped: bytes, warnings, globals: Globals::default(), index, places })
                }
                // A dump that ends early aborts the frames: the dump's own error is the cause.
                (Err(error), Err(CarryError::Frames(_)) | Ok(_)) => Err(error),
                (_, Err(error)) => Err(error),
            }
        })
    }

    /// pg_dump → census and index → frames.
    fn read(&self, mut dump: AnyDump, mut input: FrameInput, linking: Option<&Linking>) -> Result<Dumped, CarryError> {
        let mut walk = Walk::counting();
        let mut indexing = self.indexes.then(Indexing::new);
        let (mut bytes, mut frames) = (0, 0);
        loop {
            let mut block = input.take_buffer();
            dump.fill(&mut block, FRAME_SIZE).map_err(CarryError::Read)?;
            if block.is_empty() {
                break;
            }
            match &mut indexing {
                Some(indexing) => indexing.feed(&mut walk, &block),
                None => walk.feed(&block),
            }
            .map_err(not_whole)?;
            if let Some(onlooker) = &self.onlooker {
                onlooker.lock().unwrap_or_else(PoisonError::into_inner)(&block).map_err(not_whole)?;
            }
            (bytes, frames) = (bytes + block.len() as u64, frames + 1);
            self.progress.dumped(bytes);
            if let Some(linking) = linking {
                linking.read(frames, &walk);
            }
            if input.push(block).is_err() {
                // The other side takes no more frames, and knows why.
                return Err(CarryError::Frames(FrameError::Aborted));
            }
        }
        // The exit status first: it explains a short archive.
        let Finished { warnings, rows } = dump.finish()?;
        let contents_end = walk.contents_end();
        let walked = walk.finish().map_err(not_whole)?;
        rows.iter().try_for_each(|rows| refuse_other_rows(&walked, rows))?;
        refuse_other(&walked.header.database, &self.database)?;
        input.finish();
        let index = indexing.and_then(|indexing| Some(indexing.finish(contents_end?, bytes)));
        Ok(Dumped { walked, bytes, warnings, index })
    }

    /// Frames → [age] → digest → uploads.
    fn store(
        &self,
        frames: FrameOutput,
        lanes: &mut Lanes,
        linking: Option<&Linking>,
    ) -> Result<(Digest, Frames, Chain), CarryError> {
        let mut lengths = Frames::default();
        let linker = linking.map(|linking| Linker::new(linking, self.frames.compression));
        let mut sink = Sink { digester: Digester::new(), lanes, progress: &self.progress, linker };
        if self.recipients.is_empty() {
            for frame in frames {
                let frame = frame.map_err(CarryError::Frames)?;
                lengths.push(frame.len() as u64);
                sink.put(frame.into()).map_err(CarryError::Stored)?;
                if let Some(linker) = &mut sink.linker {
                    linker.stored(&sink.digester);
                }
            }
            return Ok(sink.finish(lengths));
        }
        let recipients = self.recipients.iter().map(|r| r as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(recipients).map_err(|e| CarryError::Encrypt(e.to_string()))?;
        let gathered = Gather { sink: &mut sink, bytes: Vec::with_capacity(FRAME_SIZE) };
        let mut sealed = encryptor.wrap_output(gathered).map_err(sealing)?;
        for frame in frames {
            let frame = frame.map_err(CarryError::Frames)?;
            lengths.push(frame.len() as u64);
            sealed.write_all(&frame).map_err(sealing)?;
        }
        sealed.finish().and_then(|mut gathered| gathered.flush()).map_err(sealing)?;
        Ok(sink.finish(lengths))
    }
}

fn not_whole(damage: Damage) -> CarryError {
    if damage.is_limit() { CarryError::BeyondLimits(damage) } else { CarryError::NotWhole(damage) }
}

/// Refuses a dump of another database: a name among the user's options overrules ours. A name that is not UTF-8 shows U+FFFD
/// and cannot be compared.
fn refuse_other(found: &str, database: &str) -> Result<(), CarryError> {
    if found == database || found.contains(char::REPLACEMENT_CHARACTER) {
        return Ok(());
    }
    Err(CarryError::OtherDatabase { found: found.to_owned() })
}

/// Refuses rows that are others than those of which the server said how many they are.
fn refuse_other_rows(walked: &Walked, told: &[TableRows]) -> Result<(), CarryError> {
    let counted = walked.census.tables.iter().map(|table| table.rows);
    if counted.clone().eq(told.iter().map(|told| Some(told.rows))) {
        return Ok(());
    }
    let differs = told.iter().zip(counted).find(|(told, counted)| *counted != Some(told.rows));
    let table = differs.map_or("the number of tables", |(told, _)| &told.table).to_owned();
    Err(CarryError::OtherRows { table })
}

/// The last station before the repositories: counts and hashes exactly the bytes that are stored.
struct Sink<'a> {
    digester: Digester,
    lanes: &'a mut Lanes,
    progress: &'a Progress,
    linker: Option<Linker<'a>>,
}

impl Sink<'_> {
    fn finish(self, lengths: Frames) -> (Digest, Frames, Chain) {
        (self.digester.finish(), lengths, self.linker.map(Linker::finish).unwrap_or_default())
    }

    fn put(&mut self, bytes: Bytes) -> Result<(), Failure> {
        self.digester.update(&bytes);
        self.progress.stored(self.digester.size());
        self.lanes.write(&bytes)
    }
}

/// age writes 64 KiB at a time; uploads like larger pieces.
struct Gather<'a, 'b> {
    sink: &'a mut Sink<'b>,
    bytes: Vec<u8>,
}

impl Write for Gather<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= FRAME_SIZE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let bytes = std::mem::replace(&mut self.bytes, Vec::with_capacity(FRAME_SIZE));
        let bytes = Bytes::from(bytes);
        self.sink.put(bytes.clone()).map_err(io::Error::other)?;
        if let Some(linker) = &mut self.sink.linker {
            linker.sealed(&bytes, &self.sink.digester);
        }
        Ok(())
    }
}

/// What stopped the encryption: a repository's failure comes out as it went in.
fn sealing(error: io::Error) -> CarryError {
    match error.downcast::<Failure>() {
        Ok(failure) => CarryError::Stored(failure),
        Err(error) => CarryError::Encrypt(error.to_string()),
    }
}
