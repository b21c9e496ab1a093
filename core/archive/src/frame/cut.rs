//! Cuts a stored stream into frames that stand alone, without decompressing them, and streams through those that don't.
//!
//! One state machine for both readers and for any mixture of frames: ours, those of others, skippable ones, plain bytes.
//! It is fed; what it holds back is at most one frame.

use serde::{Deserialize, Serialize};

use super::inflate::{Codec, Frame};
use super::stream::Stream;
use super::{Measure, gzip, zstd};
use crate::{Damage, Kind, sniff};

/// Decompressed bytes handed out at once while streaming.
const STREAM_PIECE: usize = 128 << 10;
/// Bytes that tell frames from anything else.
const LONGEST_MAGIC: usize = 4;

/// What a stored stream is made of.
pub(super) enum Piece<'a> {
    /// A frame that stands alone, still compressed.
    Frame(Frame),
    /// Bytes of the dump.
    Plain(&'a [u8]),
}

/// Where in a stream's structure its next byte stands.
enum Place {
    Start,
    /// At a frame's border, or within a frame that is still being measured.
    Border(zstd::Ruler),
    /// Within a frame of this many stored bytes.
    Frame(usize),
    /// Within a member or frame that is streamed, and began at this stored byte.
    Stream(Stream, u64),
    /// Within a skippable frame.
    Skip {
        left: u64,
        begin: u64,
    },
    /// Zeros behind the last gzip member.
    Padding,
    /// The stream isn't compressed.
    Plain,
}

/// A place between frames, to go on from. Small, whatever has been read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "place", rename_all = "lowercase")]
pub(super) enum Border {
    Start,
    Frames { codec: Codec, may_be_padded: bool },
    Padding,
    Plain,
}

impl Border {
    /// As a frame of ours leaves it.
    pub(super) fn behind_frame(codec: Codec) -> Self {
        Self::Frames { codec, may_be_padded: false }
    }
}

pub(super) struct Cutter {
    place: Place,
    codec: Codec,
    /// The last member was not ours: zeros may follow it to the stream's end, as tapes and `gunzip` have it. We never
    /// pad, so that behind one of ours they are damage.
    may_be_padded: bool,
    /// Stored bytes taken in, `held` included.
    taken: u64,
    /// The beginning of a frame that isn't complete.
    held: Vec<u8>,
    spare: Vec<Vec<u8>>,
    plain: Vec<u8>,
}

/// What one step of the machine came to.
enum Step {
    Again,
    /// Give me more stored bytes.
    Starved,
    Frame,
    /// So many bytes in `plain`.
    Streamed(usize),
    /// The input is the dump.
    Passed,
}

impl Cutter {
    pub(super) fn new() -> Self {
        Self {
            place: Place::Start,
            codec: Codec::Gzip,
            may_be_padded: false,
            taken: 0,
            held: Vec::new(),
            spare: Vec::new(),
            plain: Vec::new(),
        }
    }

    /// Goes on with the stored byte at `position`.
    pub(super) fn resume(position: u64, border: Border) -> Self {
        let mut cutter = Self { taken: position, ..Self::new() };
        cutter.place = match border {
            Border::Start => Place::Start,
            Border::Padding => Place::Padding,
            Border::Plain => Place::Plain,
            Border::Frames { codec, may_be_padded } => {
                (cutter.codec, cutter.may_be_padded) = (codec, may_be_padded);
                Place::Border(zstd::Ruler::default())
            }
        };
        cutter
    }

    /// Cuts nothing any more.
    pub(super) fn exhausted() -> Self {
        Self { place: Place::Plain, ..Self::new() }
    }

    /// The newest place from which reading can go on, when there is one: all before it has been handed out, nothing
    /// behind it has. None within a frame that is streamed, whose decompressor's state can't be saved.
    pub(super) fn border(&self) -> Option<(u64, Border)> {
        let border = match self.place {
            Place::Start => Border::Start,
            Place::Border(_) | Place::Frame(_) => {
                Border::Frames { codec: self.codec, may_be_padded: self.may_be_padded }
            }
            Place::Padding => Border::Padding,
            Place::Plain => Border::Plain,
            Place::Stream(..) | Place::Skip { .. } => return None,
        };
        Some((self.frame_offset(), border))
    }

    /// Takes stored bytes from `input` until they make a piece. None: `input` is used up.
    pub(super) fn cut<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Result<Option<Piece<'a>>, Damage> {
        loop {
            match self.step(input)? {
                Step::Again => {}
                Step::Starved => return Ok(None),
                Step::Frame => return Ok(Some(Piece::Frame(self.release()))),
                Step::Streamed(length) => return Ok(self.plain.get(..length).map(Piece::Plain)),
                Step::Passed => {
                    let plain = std::mem::take(input);
                    self.taken += plain.len() as u64;
                    return Ok(Some(Piece::Plain(plain)));
                }
            }
        }
    }

    /// The stream ends here. May give a last piece.
    pub(super) fn finish(&mut self) -> Result<Option<Piece<'_>>, Damage> {
        if matches!(self.place, Place::Border(_)) {
            self.check_beginning()?;
        }
        let begin = match self.place {
            Place::Start if !matches!(sniff(&self.held), Kind::Gzip | Kind::Zstd) => {
                self.place = Place::Plain;
                self.plain = std::mem::take(&mut self.held);
                return Ok(Some(Piece::Plain(&self.plain)));
            }
            Place::Border(_) if self.held.is_empty() => return Ok(None),
            Place::Padding | Place::Plain => return Ok(None),
            Place::Stream(_, begin) | Place::Skip { begin, .. } => begin,
            Place::Start | Place::Border(_) | Place::Frame(_) => self.frame_offset(),
        };
        let within = format!("the {} that begins at stored byte {begin}", name(self.codec));
        Err(Damage::Truncated { offset: self.taken, within })
    }

    /// Takes a frame's buffer back.
    pub(super) fn recycle(&mut self, mut stored: Vec<u8>) {
        stored.clear();
        self.spare.push(stored);
    }

    fn step(&mut self, input: &mut &[u8]) -> Result<Step, Damage> {
        match self.place {
            Place::Start => Ok(self.start(input)),
            Place::Border(_) => self.measure(input),
            Place::Frame(length) => Ok(if self.hold(input, length) { Step::Frame } else { Step::Starved }),
            Place::Stream(..) => self.stream(input),
            Place::Skip { left, begin } => Ok(self.skip(input, left, begin)),
            Place::Padding => self.pass_padding(input),
            Place::Plain if !self.held.is_empty() => Ok(self.pass_held()),
            Place::Plain => Ok(if input.is_empty() { Step::Starved } else { Step::Passed }),
        }
    }

    fn start(&mut self, input: &mut &[u8]) -> Step {
        if !self.hold(input, LONGEST_MAGIC) {
            return Step::Starved;
        }
        self.codec = match sniff(&self.held) {
            Kind::Gzip => Codec::Gzip,
            Kind::Zstd => Codec::Zstd,
            _ => {
                self.place = Place::Plain;
                return Step::Again;
            }
        };
        self.place = Place::Border(zstd::Ruler::default());
        Step::Again
    }

    fn measure(&mut self, input: &mut &[u8]) -> Result<Step, Damage> {
        if !self.hold(input, 1) {
            return Ok(Step::Starved);
        }
        if self.codec == Codec::Gzip && self.may_be_padded && self.held == [0] {
            self.held.clear();
            self.place = Place::Padding;
            return Ok(Step::Again);
        }
        self.check_beginning()?;
        let Place::Border(ruler) = &mut self.place else { return Ok(Step::Again) };
        let measured = match self.codec {
            Codec::Gzip => gzip::measure(&self.held),
            Codec::Zstd => ruler.measure(&self.held),
        };
        match measured.map_err(|reason| self.bad_frame(reason))? {
            Measure::Need(length) if !self.hold(input, length) => return Ok(Step::Starved),
            Measure::Need(_) => {}
            Measure::Whole(length) => self.place = Place::Frame(length),
            Measure::Stream => {
                let stream = Stream::new(self.codec).map_err(|reason| self.bad_frame(reason))?;
                self.place = Place::Stream(stream, self.frame_offset());
                self.plain.resize(STREAM_PIECE, 0);
            }
            Measure::Beyond(reason) => {
                return Err(Damage::BeyondLimits { offset: self.frame_offset(), reason });
            }
            Measure::Skip(length) => {
                let left = length.saturating_sub(self.held.len() as u64);
                self.place = Place::Skip { left, begin: self.frame_offset() };
                self.held.clear();
            }
        }
        Ok(Step::Again)
    }

    /// What is held must be the beginning of a frame, as far as can be seen.
    fn check_beginning(&self) -> Result<(), Damage> {
        let can_begin = match self.codec {
            Codec::Gzip => gzip::can_begin(&self.held),
            Codec::Zstd => zstd::can_begin(&self.held),
        };
        if can_begin { Ok(()) } else { Err(self.bad_frame(format!("no {} begins here", name(self.codec)))) }
    }

    /// Held bytes go through the stream first, then the input.
    fn stream(&mut self, input: &mut &[u8]) -> Result<Step, Damage> {
        let Place::Stream(stream, offset) = &mut self.place else { return Ok(Step::Again) };
        let offset = *offset;
        let from_held = !self.held.is_empty();
        let stored = if from_held { self.held.as_slice() } else { *input };
        let given = stored.len();
        let step = stream.step(stored, &mut self.plain).map_err(|reason| Damage::BadFrame { offset, reason })?;
        if from_held {
            self.held.drain(..step.used.min(given));
        } else {
            *input = input.split_at(step.used).1;
            self.taken += step.used as u64;
        }
        if step.ended {
            self.may_be_padded = self.codec == Codec::Gzip;
            self.place = Place::Border(zstd::Ruler::default());
        }
        match step.made {
            0 if step.ended || step.used > 0 => Ok(Step::Again),
            0 if given > 0 => {
                Err(Damage::BadFrame { offset, reason: format!("{} makes no progress", name(self.codec)) })
            }
            0 => Ok(Step::Starved),
            made => Ok(Step::Streamed(made)),
        }
    }

    fn skip(&mut self, input: &mut &[u8], left: u64, begin: u64) -> Step {
        let skipped = left.min(input.len() as u64);
        *input = input.split_at(skipped as usize).1;
        self.taken += skipped;
        self.place = match left - skipped {
            0 => Place::Border(zstd::Ruler::default()),
            left => Place::Skip { left, begin },
        };
        if skipped < left { Step::Starved } else { Step::Again }
    }

    fn pass_padding(&mut self, input: &mut &[u8]) -> Result<Step, Damage> {
        let zeros = input.iter().take_while(|&&byte| byte == 0).count();
        self.taken += zeros as u64;
        *input = input.split_at(zeros).1;
        if input.is_empty() {
            Ok(Step::Starved)
        } else {
            Err(self.bad_frame("bytes other than zeros in the padding behind the last gzip member".to_owned()))
        }
    }

    fn pass_held(&mut self) -> Step {
        std::mem::swap(&mut self.plain, &mut self.held);
        self.held.clear();
        Step::Streamed(self.plain.len())
    }

    /// Takes from `input` until `length` bytes are held. False: the input didn't reach.
    fn hold(&mut self, input: &mut &[u8], length: usize) -> bool {
        let missing = length.saturating_sub(self.held.len());
        let (taken, rest) = input.split_at(missing.min(input.len()));
        self.held.extend_from_slice(taken);
        self.taken += taken.len() as u64;
        *input = rest;
        taken.len() == missing
    }

    /// Lets go of the held frame.
    fn release(&mut self) -> Frame {
        let offset = self.frame_offset();
        let stored = std::mem::replace(&mut self.held, self.spare.pop().unwrap_or_default());
        self.may_be_padded = false;
        self.place = Place::Border(zstd::Ruler::default());
        Frame { codec: self.codec, offset, stored }
    }

    /// Where the held bytes begin.
    fn frame_offset(&self) -> u64 {
        self.taken.saturating_sub(self.held.len() as u64)
    }

    fn bad_frame(&self, reason: String) -> Damage {
        Damage::BadFrame { offset: self.frame_offset(), reason }
    }
}

fn name(codec: Codec) -> &'static str {
    match codec {
        Codec::Gzip => "gzip member",
        Codec::Zstd => "zstd frame",
    }
}
