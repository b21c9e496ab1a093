//! Expands a stored stream while it is read: frames that stand alone on all cores, the rest as it comes.
//!
//! The reader's own thread reads, cuts and hands frames out; while the next block isn't ready it decompresses one itself.
//! So `threads` threads are busy, no core idles behind a hand-off, and one thread means no hand-off at all.

use std::io::{self, BufRead, Read};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::cut::{Cutter, Piece};
use super::inflate::{Block, Frame, Inflater};
use super::ticket::{InOrder, Numbered, Ticket};
use crate::sniff::Sniffer;
use crate::{Damage, Kind};

const READ_SIZE: usize = 256 << 10;

/// Stored bytes in, the dump's bytes out. Reads ours and anybody's gzip and zstd; all else passes through as it is,
/// for [`kinds`](Expander::kinds) and the walk to judge.
///
/// Memory is bounded: per thread two frames under way, stored and plain, and one block at the reader's.
/// Damage comes as an [`io::Error`] from which [`damage`] takes it, behind all bytes before it.
pub struct Expander<R> {
    stored: R,
    input: Vec<u8>,
    /// The part of `input` that isn't cut yet.
    unread: std::ops::Range<usize>,
    cutter: Cutter,
    stored_kind: Sniffer,
    plain_kind: Sniffer,
    kinds: Vec<Kind>,
    stored_ended: bool,
    queue: InOrder<Result<Block, io::Error>>,
    /// Most blocks in the queue.
    under_way: usize,
    crew: Option<Crew>,
    inflater: Inflater,
    spare: Vec<Block>,
    /// An error has been returned: nothing may follow it, as if what it stands for had never been there.
    failed: bool,
    /// The block being read, and how much of it has been.
    current: Block,
    read: usize,
}

/// The threads that decompress beside the reader's.
struct Crew {
    jobs: Sender<Job>,
    /// Of the same channel: the reader helps.
    jobs_to_do: Receiver<Job>,
    results_in: Sender<Numbered<Inflated>>,
    results: Receiver<Numbered<Inflated>>,
}

struct Job {
    frame: Frame,
    block: Block,
    ticket: Ticket<Inflated>,
}

struct Inflated {
    stored: Vec<u8>,
    block: Block,
    outcome: Result<(), Damage>,
}

/// The damage that an error of an [`Expander`] carries; none if reading itself failed.
#[must_use]
pub fn damage(error: &io::Error) -> Option<&Damage> {
    error.get_ref()?.downcast_ref()
}

impl<R: Read> Expander<R> {
    /// Starts `threads` - 1 threads, which end when this is dropped, and reads the first bytes.
    ///
    /// # Errors
    /// Reading the first bytes, starting a thread.
    pub fn new(stored: R, threads: usize) -> io::Result<Self> {
        let crew = if threads > 1 { Some(Crew::new(threads)?) } else { None };
        let mut expander = Self {
            stored,
            input: vec![0; READ_SIZE],
            unread: 0..0,
            cutter: Cutter::new(),
            stored_kind: Sniffer::default(),
            plain_kind: Sniffer::default(),
            kinds: Vec::new(),
            stored_ended: false,
            queue: InOrder::new(),
            under_way: if crew.is_some() { 2 * threads } else { 1 },
            crew,
            inflater: Inflater::default(),
            spare: Vec::new(),
            failed: false,
            current: Block::default(),
            read: 0,
        };
        while expander.stored_kind.kind().is_none() {
            expander.read_head()?;
        }
        expander.kinds.extend(expander.stored_kind.kind());
        Ok(expander)
    }

    /// What the stored stream is, and, where that is a compression, what the content is: the latter once 512 bytes of it
    /// or its end have been read.
    #[must_use]
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// Gives the stored stream back, wherever reading it has come to.
    #[must_use]
    pub fn into_inner(self) -> R {
        self.stored
    }

    /// Reads behind what has been read, until the kind shows: long before `input` is full.
    fn read_head(&mut self) -> io::Result<()> {
        let Some(space) = self.input.get_mut(self.unread.end..) else { return Ok(()) };
        let length = read_some(&mut self.stored, space)?;
        self.stored_kind.feed(space.get(..length).unwrap_or_default());
        self.unread.end += length;
        if length == 0 {
            self.stored_kind.end();
            self.stored_ended = true;
        }
        Ok(())
    }

    /// Makes the next block the current one. False at the end.
    fn advance(&mut self) -> io::Result<bool> {
        if self.failed {
            return Err(io::Error::other("the stream could not be expanded, as an error has said before"));
        }
        let last = std::mem::take(&mut self.current);
        self.spare.push(last);
        self.read = 0;
        loop {
            self.keep_busy();
            if let Some(block) = self.queue.pop() {
                self.current = block.inspect_err(|_| self.failed = true)?;
                self.sniff_plain();
                return Ok(true);
            }
            if self.queue.is_empty() {
                self.end_plain();
                return Ok(false);
            }
            self.wait();
        }
    }

    /// Reads and cuts until enough is under way. What can't be read or cut takes its place in the queue, and ends it.
    fn keep_busy(&mut self) {
        while self.queue.len() < self.under_way {
            match self.cut() {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    self.stored_ended = true;
                    self.unread = 0..0;
                    self.cutter = Cutter::exhausted();
                    let place = self.queue.take_place();
                    self.queue.fill(place, Err(error));
                }
            }
        }
    }

    /// Cuts the next piece and queues it. False: the stream has ended and everything is queued.
    fn cut(&mut self) -> io::Result<bool> {
        let mut input = self.input.get(self.unread.clone()).unwrap_or_default();
        let given = input.len();
        let cut = self.cutter.cut(&mut input).map_err(finding);
        self.unread.start += given - input.len();
        let piece = match cut? {
            Some(piece) => piece,
            None if self.stored_ended => match self.cutter.finish().map_err(finding)? {
                Some(piece) => piece,
                None => return Ok(false),
            },
            None => {
                let length = read_some(&mut self.stored, &mut self.input)?;
                self.unread = 0..length;
                self.stored_ended = length == 0;
                return Ok(true);
            }
        };
        match piece {
            Piece::Frame(frame) => self.hand_out(frame),
            Piece::Plain(mut plain) => {
                while !plain.is_empty() {
                    let mut block = self.spare.pop().unwrap_or_default();
                    plain = plain.get(block.copy(plain)..).unwrap_or_default();
                    let place = self.queue.take_place();
                    self.queue.fill(place, Ok(block));
                }
            }
        }
        Ok(true)
    }

    fn hand_out(&mut self, frame: Frame) {
        let block = self.spare.pop().unwrap_or_default();
        let number = self.queue.take_place();
        match &self.crew {
            Some(crew) => {
                let ticket = Ticket::new(number, crew.results_in.clone());
                // A job that can't be sent drops its ticket, whose result then says that it is lost.
                let _ = crew.jobs.send(Job { frame, block, ticket });
            }
            None => {
                let inflated = inflate(&mut self.inflater, frame, block);
                self.settle(number, Some(inflated));
            }
        }
    }

    /// Until one more result is there: helps, or waits.
    fn wait(&mut self) {
        let Some(crew) = &self.crew else { return };
        if let Ok(Numbered { number, result }) = crew.results.try_recv() {
            self.settle(number, result);
        } else if let Ok(Job { frame, block, ticket }) = crew.jobs_to_do.try_recv() {
            ticket.redeem(inflate(&mut self.inflater, frame, block));
        } else if let Ok(Numbered { number, result }) = crew.results.recv() {
            self.settle(number, result);
        }
    }

    fn settle(&mut self, number: u64, result: Option<Inflated>) {
        let outcome = match result {
            Some(Inflated { stored, block, outcome }) => {
                self.cutter.recycle(stored);
                outcome.map(|()| block).map_err(finding)
            }
            None => Err(io::Error::other("a thread died while decompressing")),
        };
        self.queue.fill(number, outcome);
    }

    fn sniff_plain(&mut self) {
        if self.plain_kind.kind().is_none() {
            self.plain_kind.feed(self.current.plain());
            self.note_plain_kind();
        }
    }

    fn end_plain(&mut self) {
        if self.plain_kind.kind().is_none() {
            self.plain_kind.end();
            self.note_plain_kind();
        }
    }

    fn note_plain_kind(&mut self) {
        if matches!(self.kinds.as_slice(), [Kind::Gzip | Kind::Zstd]) {
            self.kinds.extend(self.plain_kind.kind());
        }
    }
}

impl<R: Read> BufRead for Expander<R> {
    /// The rest of the current block, or the next one: no byte is copied.
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.read >= self.current.plain().len() {
            if !self.advance()? {
                return Ok(&[]);
            }
        }
        Ok(self.current.plain().get(self.read..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.read += amount;
    }
}

impl<R: Read> Read for Expander<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl Crew {
    fn new(threads: usize) -> io::Result<Self> {
        let under_way = 2 * threads;
        let (jobs, jobs_to_do) = bounded::<Job>(under_way);
        let (results_in, results) = bounded(under_way);
        for _ in 1..threads {
            let jobs = jobs_to_do.clone();
            thread::Builder::new().name("expand".to_owned()).spawn(move || work(&jobs))?;
        }
        Ok(Self { jobs, jobs_to_do, results_in, results })
    }
}

fn work(jobs: &Receiver<Job>) {
    let mut inflater = Inflater::default();
    for Job { frame, block, ticket } in jobs {
        ticket.redeem(inflate(&mut inflater, frame, block));
    }
}

fn inflate(inflater: &mut Inflater, frame: Frame, mut block: Block) -> Inflated {
    let outcome = inflater.inflate(&frame, &mut block);
    Inflated { stored: frame.stored, block, outcome }
}

fn finding(damage: Damage) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, damage)
}

fn read_some(stored: &mut impl Read, space: &mut [u8]) -> io::Result<usize> {
    loop {
        match stored.read(space) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}
