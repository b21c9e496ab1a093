//! Messages as they come off the connection.

use std::io;

use bytes::BytesMut;
use postgres_protocol::message::backend::{COPY_DATA_TAG, Header};

use crate::wire::socket::Socket;

/// Bytes that are read at once.
const ROOM: usize = 256 << 10;
/// No message but text of COPY is longer.
const LONGEST: usize = 16 << 20;
/// A header's bytes: the tag, and the length of what follows the tag.
const HEADER: usize = 5;

/// What has come and hasn't been looked at.
pub(super) struct Inbox {
    bytes: Vec<u8>,
    begin: usize,
    end: usize,
    /// Bytes of COPY's text that are still to come of a message under way.
    text: usize,
}

impl Default for Inbox {
    fn default() -> Self {
        Self { bytes: vec![0; ROOM], begin: 0, end: 0, text: 0 }
    }
}

impl Inbox {
    /// The next message that isn't text of COPY. Text that comes before it is shown; it may be cut anywhere.
    ///
    /// # Errors
    /// When the connection ends, or what comes is no message; and as `show` says.
    pub(super) fn next<E: From<io::Error>>(
        &mut self,
        socket: &mut Socket,
        mut show: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<BytesMut, E> {
        loop {
            if self.text > 0 {
                let some = self.waiting().get(..self.text).unwrap_or(self.waiting());
                let length = some.len();
                show(some)?;
                self.begin += length;
                self.text -= length;
            }
            match Header::parse(self.waiting())? {
                Some(header) if header.tag() == COPY_DATA_TAG && self.text == 0 => {
                    self.begin += HEADER;
                    self.text = length(header)? - HEADER;
                }
                Some(header) if self.text == 0 => {
                    let length = length(header)?;
                    if let Some(message) = self.waiting().get(..length) {
                        let message = BytesMut::from(message);
                        self.begin += length;
                        return Ok(message);
                    }
                    self.receive(socket, length)?;
                }
                _ => self.receive(socket, HEADER)?,
            }
        }
    }

    fn waiting(&self) -> &[u8] {
        self.bytes.get(self.begin..self.end).unwrap_or_default()
    }

    /// Receives more behind what waits, which will be so long.
    fn receive(&mut self, socket: &mut Socket, length: usize) -> io::Result<()> {
        if length > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.bytes.copy_within(self.begin..self.end, 0);
        self.end -= self.begin;
        self.begin = 0;
        if self.bytes.len() < length {
            self.bytes.resize(length, 0);
        }
        self.end += socket.receive(self.bytes.get_mut(self.end..).unwrap_or_default())?;
        Ok(())
    }
}

/// A message's whole length, in bytes.
fn length(header: Header) -> io::Result<usize> {
    usize::try_from(header.len()).map(|length| length + 1).map_err(|_| io::ErrorKind::InvalidData.into())
}
