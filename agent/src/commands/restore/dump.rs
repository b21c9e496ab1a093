//! The dump within stored bytes, whatever form it has: always read as a custom archive.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use ::archive::packed::TarReader;
use ::archive::{Damage, Expander, Kind, PlainRepack, SNIFF_LEN, ScriptOutline, ScriptReader, sniff};

use crate::interrupt::Interrupt;
use crate::keys::Source;

/// A dump as a custom archive.
pub(crate) struct Dump {
    expander: Expander<Source>,
    form: Form,
    /// What has been made of the dump's bytes, and how much of that has been read.
    made: Vec<u8>,
    read: usize,
    ended: bool,
}

/// What turns the bytes into a custom archive's.
enum Form {
    Custom,
    Tar(Box<TarReader>),
    Script(Box<PlainRepack>),
}

impl Dump {
    /// The dump that `expander` gives; `outline` reads a script once, to its end.
    ///
    /// # Errors
    /// When the first bytes, or the outline, can't be read.
    pub(crate) fn new<E: From<io::Error>>(
        mut expander: Expander<Source>,
        outline: impl FnOnce() -> Result<Arc<ScriptOutline>, E>,
    ) -> Result<Self, E> {
        let mut head = Vec::with_capacity(SNIFF_LEN);
        (&mut expander).take(SNIFF_LEN as u64).read_to_end(&mut head)?;
        let mut form = match sniff(&head) {
            found if found.is_wrapper() => {
                return Err(damaged(Damage::Wrapped { found, layers: Vec::new() }).into());
            }
            Kind::Tar => Form::Tar(Box::default()),
            Kind::PlainSql => Form::Script(Box::new(PlainRepack::new(outline()?))),
            _ => Form::Custom,
        };
        let made = form.make(&head).map_err(damaged)?;
        Ok(Self { expander, form, made, read: 0, ended: false })
    }

    /// Whether it is a script, which any pg_restore restores that reads what is made of it.
    pub(crate) fn is_script(&self) -> bool {
        matches!(self.form, Form::Script(_))
    }

    /// Gives the stored stream back, wherever reading it has come to.
    pub(crate) fn into_inner(self) -> Source {
        self.expander.into_inner()
    }

    /// Makes more of the dump's next bytes.
    fn make(&mut self) -> io::Result<()> {
        let bytes = self.expander.fill_buf()?;
        let length = bytes.len();
        self.ended = length == 0;
        let made = if self.ended { self.form.end() } else { self.form.make(bytes) };
        self.made = made.map_err(damaged)?;
        self.read = 0;
        self.expander.consume(length);
        Ok(())
    }
}

impl Form {
    /// What the dump's next bytes make of the archive.
    fn make(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Damage> {
        match self {
            Self::Custom => Ok(bytes.to_vec()),
            Self::Script(script) => script.feed(bytes),
            Self::Tar(tar) => {
                let mut made = Vec::new();
                tar.feed(bytes, &mut |archive| {
                    made.extend(archive);
                    Ok(())
                })?;
                Ok(made)
            }
        }
    }

    /// What its end makes.
    fn end(&mut self) -> Result<Vec<u8>, Damage> {
        match self {
            Self::Custom => Ok(Vec::new()),
            Self::Script(script) => script.finish(),
            Self::Tar(tar) => tar.finish().map(|()| Vec::new()),
        }
    }
}

impl BufRead for Dump {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if matches!(self.form, Form::Custom) && self.read == self.made.len() {
            return self.expander.fill_buf();
        }
        while self.read == self.made.len() && !self.ended {
            self.make()?;
        }
        Ok(self.made.get(self.read..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        match self.form {
            Form::Custom if self.read == self.made.len() => self.expander.consume(amount),
            _ => self.read = (self.read + amount).min(self.made.len()),
        }
    }
}

impl Read for Dump {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let length = ready.len().min(buffer.len());
        buffer.iter_mut().zip(ready).for_each(|(to, from)| *to = *from);
        self.consume(length);
        Ok(length)
    }
}

/// Reads a whole script for its outline.
///
/// # Errors
/// When it can't be read, or is no whole script; when the run is told to stop.
pub(crate) fn outline(mut script: Expander<Source>, interrupt: &Interrupt) -> io::Result<ScriptOutline> {
    let mut outline = ScriptReader::new();
    loop {
        if interrupt.seen().is_some() {
            return Err(io::Error::other("the restore was told to stop"));
        }
        let bytes = script.fill_buf()?;
        let length = bytes.len();
        if length == 0 {
            return outline.finish().map_err(damaged);
        }
        outline.feed(bytes).map_err(damaged)?;
        script.consume(length);
    }
}

fn damaged(damage: Damage) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, damage)
}
