//! A script as an archive: the outline first, then its rows as they are read again.

use std::sync::Arc;

use super::super::values::Stop;
use super::super::writing;
use super::event::Event;
use super::outline::ScriptOutline;
use super::reader::Reader;
use crate::damage::Damage;

/// Script in, archive out.
#[derive(Debug)]
pub struct PlainRepack {
    reader: Reader,
    blocks: Blocks,
}

#[derive(Debug)]
struct Blocks {
    outline: Arc<ScriptOutline>,
    next: usize,
    begun: bool,
    /// Rows that wait to become a chunk.
    waiting: Vec<u8>,
    out: Vec<u8>,
}

impl PlainRepack {
    /// Before the first byte of the script that `outline` is of.
    #[must_use]
    pub fn new(outline: Arc<ScriptOutline>) -> Self {
        let blocks = Blocks { outline, next: 0, begun: false, waiting: Vec::new(), out: Vec::new() };
        Self { reader: Reader::new(), blocks }
    }

    /// Takes the script's next bytes, and gives what of the archive they make.
    ///
    /// # Errors
    /// The first thing that is wrong with the script.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Damage> {
        let blocks = &mut self.blocks;
        blocks.begin();
        self.reader.feed(bytes, &mut |event| blocks.take(event))?;
        Ok(std::mem::take(&mut blocks.out))
    }

    /// The script ends here: the archive's last bytes.
    ///
    /// # Errors
    /// It isn't whole.
    pub fn finish(&mut self) -> Result<Vec<u8>, Damage> {
        let blocks = &mut self.blocks;
        blocks.begin();
        self.reader.finish(&mut |event| blocks.take(event))?;
        Ok(std::mem::take(&mut blocks.out))
    }
}

impl Blocks {
    fn begin(&mut self) {
        if !std::mem::replace(&mut self.begun, true) {
            self.out.extend(&self.outline.head);
        }
    }

    fn take(&mut self, event: Event<'_>) -> Result<(), Stop> {
        match event {
            Event::Table(..) => {
                let dump_id = self.next_block()?;
                writing::table(&mut self.out, dump_id);
            }
            Event::LargeObjects => {
                let dump_id = self.next_block()?;
                writing::large_objects(&mut self.out, dump_id);
            }
            // The number is an unsigned one, written as a signed one.
            Event::LargeObject(oid) => writing::int(&mut self.out, oid.cast_signed()),
            Event::Rows(bytes) | Event::Content(bytes) => {
                self.waiting.extend(bytes);
                if self.waiting.len() >= writing::CHUNK {
                    self.flush();
                }
            }
            Event::TableEnd | Event::LargeObjectEnd => {
                self.flush();
                writing::end(&mut self.out);
            }
            Event::LargeObjectsEnd => writing::end(&mut self.out),
            Event::Object(_) | Event::Sql(_) | Event::Said(_) => {}
        }
        Ok(())
    }

    fn flush(&mut self) {
        writing::chunks(&mut self.out, &self.waiting);
        self.waiting.clear();
    }

    fn next_block(&mut self) -> Result<i32, Stop> {
        let dump_id = self.outline.blocks.get(self.next).copied();
        self.next += 1;
        dump_id.ok_or_else(|| "the script has changed since it was read first".into())
    }
}
