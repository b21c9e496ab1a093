//! A session by PostgreSQL's own protocol, for where psql in between would cost half of what the server takes: rows are read as they
//! come off the connection.
//!
//! libpq's settings mean here what they mean to libpq, or the session isn't to be had: whoever asks for one has psql to fall back on.
//! <https://www.postgresql.org/docs/current/protocol-message-formats.html>

mod address;
mod inbox;
mod login;
mod passfile;
mod socket;

use std::io;
use std::time::Instant;

use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::{DataRowBody, Message};
use postgres_protocol::message::frontend;

pub(crate) use self::address::{Address, Resolved};
use self::inbox::Inbox;
use self::login::words;
use self::socket::Socket;
pub(crate) use self::socket::SocketStopper;
use crate::Stop;

/// A session that has logged in.
pub(crate) struct Wire {
    socket: Socket,
    inbox: Inbox,
    /// What the server complained of.
    complaints: Vec<String>,
}

/// What a script brings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Brought<'a> {
    /// Text of COPY: part of a row, or one.
    Text(&'a [u8]),
    /// A row of a query, its columns as text with `|` between.
    Row(Vec<u8>),
    /// A statement is done, and its command tag says so many rows.
    Done(u64),
    /// A statement was refused, with this SQLSTATE. What follows it isn't run.
    Refused(String),
}

/// Why a script's end isn't known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError<E> {
    /// The connection is gone, or the run is to stop.
    #[error("the connection to the server is gone")]
    Gone,
    /// Whoever the text was shown to doesn't want more.
    #[error(transparent)]
    Unwanted(E),
}

impl<E> From<io::Error> for WireError<E> {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl Wire {
    /// Connects and logs in.
    ///
    /// # Errors
    /// Why not, in words.
    pub(crate) fn connect(address: &Address, stop: &Stop) -> Result<Self, String> {
        let until = Instant::now() + address.timeout;
        let mut socket = Socket::connect(&address.place, stop, until).map_err(|error| error.to_string())?;
        let mut inbox = Inbox::default();
        login::log_in(&mut socket, &mut inbox, address).map_err(|error| error.to_string())?;
        socket.patient();
        Ok(Self { socket, inbox, complaints: Vec::new() })
    }

    /// What can end it from another thread.
    pub(crate) fn stopper(&self) -> SocketStopper {
        self.socket.stopper()
    }

    /// Runs a script of statements, and shows what they bring.
    ///
    /// # Errors
    /// [`WireError`]; the session is of no use then.
    pub(crate) fn run<E>(
        &mut self,
        script: &[u8],
        mut show: impl FnMut(Brought<'_>) -> Result<(), E>,
    ) -> Result<(), WireError<E>> {
        let mut show = |brought: Brought<'_>| show(brought).map_err(WireError::Unwanted);
        self.socket.send(&query(script)?)?;
        loop {
            let Self { socket, inbox, .. } = self;
            let mut message = inbox.next(socket, |text| show(Brought::Text(text)))?;
            match Message::parse(&mut message)?.ok_or(WireError::Gone)? {
                Message::ReadyForQuery(_) => return Ok(()),
                Message::DataRow(row) => show(Brought::Row(line(&row)?))?,
                Message::CommandComplete(done) => show(Brought::Done(done.tag().map_or(0, rows)))?,
                Message::ErrorResponse(error) => {
                    let (state, words) = words(error.fields());
                    self.complaints.extend(words);
                    show(Brought::Refused(state))?;
                }
                _ => {}
            }
        }
    }

    /// What the server complained of.
    pub(crate) fn complaints(mut self) -> Vec<String> {
        if self.complaints.is_empty() {
            self.complaints.push("the connection to the server was lost".to_owned());
        }
        std::mem::take(&mut self.complaints)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let mut goodbye = BytesMut::new();
        frontend::terminate(&mut goodbye);
        self.socket.send_at_once(&goodbye);
    }
}

/// The script as a message. Its text is in the session's character set, which may not be UTF-8.
fn query(script: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(script.len() + 5).map_err(|_| io::ErrorKind::InvalidInput)?;
    Ok([b"Q", length.to_be_bytes().as_slice(), script, b"\0"].concat())
}

/// The rows of a command tag: `COPY 5`, `SELECT 1`, `LOCK TABLE`.
fn rows(tag: &str) -> u64 {
    tag.rsplit(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// A row as psql shows it without its frames.
fn line(row: &DataRowBody) -> io::Result<Vec<u8>> {
    let columns = row.ranges().map(|range| Ok(range.and_then(|range| row.buffer().get(range)).unwrap_or_default()));
    Ok([columns.collect::<Vec<_>>()?.join(&b'|').as_slice(), b"\n"].concat())
}

#[cfg(test)]
mod tests;
