//! The connection's bytes. Every wait ends when the run is told to stop.

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{Shutdown, sockopt};

use crate::Stop;
use crate::wire::address::Place;

/// A server process sends so many bytes at once; fewer are the end of what it has to say.
const SENT: usize = 8192;
/// When less is there than this, some is let gather: whoever is woken for each 8 KiB, and wakes the server for the next ones, does
/// little else.
const GATHERED: u64 = 64 << 10;
/// How long to let it gather: a socket, which holds some 150 KiB, can't fill up in it.
const GATHERING: Duration = Duration::from_micros(200);

/// How soon a run that is told to stop gives up connecting.
const TICK: Duration = Duration::from_millis(50);

/// One end of a connection.
pub(super) struct Socket {
    file: Arc<OwnedFd>,
    stop: Stop,
    /// When login has to be over.
    until: Option<Instant>,
    received: usize,
}

/// Ends a connection from another thread.
#[derive(Clone, Debug)]
pub(crate) struct SocketStopper(Arc<OwnedFd>);

impl SocketStopper {
    /// Ends it. Returns at once.
    pub(crate) fn stop(&self) {
        let _ = rustix::net::shutdown(&self.0, Shutdown::Both);
    }
}

impl Socket {
    /// Connects.
    ///
    /// # Errors
    /// As the system says; [`io::ErrorKind::TimedOut`] at the moment `until`, which holds for all waits until [`Socket::patient`].
    pub(super) fn connect(place: &Place, stop: &Stop, until: Instant) -> io::Result<Self> {
        Self::over(connected(place, stop, until)?, stop, Some(until))
    }

    /// This end of a connection.
    pub(super) fn over(file: OwnedFd, stop: &Stop, until: Option<Instant>) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&file, true)?;
        Ok(Self { file: Arc::new(file), stop: stop.clone(), until, received: 0 })
    }

    /// From now on, waits last as long as the server works.
    pub(super) fn patient(&mut self) {
        self.until = None;
    }

    pub(super) fn stopper(&self) -> SocketStopper {
        SocketStopper(Arc::clone(&self.file))
    }

    /// Receives what is there, and waits only for the first byte. Returns how many.
    ///
    /// # Errors
    /// When the connection ends, or the run is to stop.
    pub(super) fn receive(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.received >= SENT && rustix::io::ioctl_fionread(&self.file)? < GATHERED {
            sleep(GATHERING);
        }
        self.received = loop {
            match rustix::io::read(&self.file, &mut *room) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(received) => break received,
                Err(Errno::AGAIN) => self.wait(PollFlags::IN)?,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        };
        Ok(self.received)
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// As [`Socket::receive`].
    pub(super) fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.received = 0;
        while !bytes.is_empty() {
            match rustix::io::write(&self.file, bytes) {
                Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                Err(Errno::AGAIN) => self.wait(PollFlags::OUT)?,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Sends `bytes`, if that can be done at once.
    pub(super) fn send_at_once(&self, bytes: &[u8]) {
        let _ = rustix::io::write(&self.file, bytes);
    }

    fn wait(&self, ready: PollFlags) -> io::Result<()> {
        match self.stop.or_ready(self.file.as_fd(), ready, self.until)? {
            Some(signal) => Err(io::Error::other(format!("stopped by {signal}"))),
            None => Ok(()),
        }
    }
}

/// Connects on a thread of its own, which neither a resolver nor a server that doesn't answer can keep this one in.
fn connected(place: &Place, stop: &Stop, until: Instant) -> io::Result<OwnedFd> {
    let (say, heard) = mpsc::channel();
    let place = place.clone();
    thread::spawn(move || {
        let opened = match &place {
            Place::Folder(path) => UnixStream::connect(path).map(OwnedFd::from),
            Place::Host { name, port } => tcp(name, *port, until).map(OwnedFd::from),
        };
        // Whoever asked may have given up.
        let _ = say.send(opened);
    });
    loop {
        match heard.recv_timeout(TICK) {
            Ok(opened) => return opened,
            Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("the thread that connects has ended")),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Some(signal) = stop.signal() {
            return Err(io::Error::other(format!("stopped by {signal}")));
        }
        if Instant::now() >= until {
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
}

/// The first of a host's addresses that answers.
fn tcp(name: &str, port: u16, until: Instant) -> io::Result<TcpStream> {
    let mut refused = io::Error::from(io::ErrorKind::NotFound);
    for address in (name, port).to_socket_addrs()? {
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => {
                // As libpq does.
                sockopt::set_socket_keepalive(&stream, true)?;
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => refused = error,
        }
    }
    Err(refused)
}
