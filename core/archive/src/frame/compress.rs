//! Compresses a dump into frames: in order, on all cores, in bounded memory.
//!
//! Blocks pass from [`FrameInput`] to threads and from these to [`FrameOutput`]; twice as many as there are threads may
//! be under way, beyond which [`FrameInput::push`] waits. Buffers go round: blocks come back through
//! [`FrameInput::take_buffer`], frames through [`FrameOutput::recycle`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{io, thread};

use crossbeam_channel::{Receiver, Sender, bounded};
use libdeflater::CompressionLvl;

use super::FRAME_SIZE;
use super::gzip::MemberCompressor;
use super::ticket::{InOrder, Numbered, Ticket};
use super::zstd::FrameCompressor;
use crate::Compression;

/// How to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameSettings {
    /// What the frames are.
    pub compression: Compression,
    /// gzip 1 to 12 (libdeflate's; 6 if none), zstd -7 to 22 (1 if none). Without compression it has no meaning.
    pub level: Option<i32>,
    /// Threads that compress, at least 1.
    pub threads: usize,
}

/// Why frames can't be had.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The level is none of this compression's.
    #[error("{compression} has no level {level}: {lowest} to {highest}")]
    Level {
        /// The compression asked for.
        compression: Compression,
        /// The level asked for.
        level: i32,
        /// Its lowest level.
        lowest: i32,
        /// Its highest level.
        highest: i32,
    },
    /// A thread couldn't be started.
    #[error("a thread for compressing couldn't be started: {0}")]
    Thread(#[source] io::Error),
    /// The dump was given up before its end: its input was dropped unfinished.
    #[error("the dump was given up before its end")]
    Aborted,
    /// The compressor refused a block.
    #[error("compressing failed: {0}")]
    Compressor(String),
    /// A thread died with a block in its hands.
    #[error("a thread died while compressing")]
    Lost,
}

/// The frames' reader has gone or has reported an error: nothing pushed will arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the frames' reader has gone")]
pub struct Closed;

/// Where the dump goes in. Dropped without [`FrameInput::finish`], it makes the output end in an error.
pub struct FrameInput {
    jobs: Sender<Job>,
    results: Sender<Numbered<Compressed>>,
    /// One for each frame that may be under way.
    permits: Receiver<()>,
    spare_blocks: Receiver<Vec<u8>>,
    spare_frames: Receiver<Vec<u8>>,
    compression: Compression,
    pushed: u64,
    finished: Arc<AtomicBool>,
}

/// Where the frames come out, in order.
pub struct FrameOutput {
    results: Receiver<Numbered<Compressed>>,
    in_order: InOrder<Option<Compressed>>,
    /// None once an error has been reported, so that pushing fails.
    permits: Option<Sender<()>>,
    spare_blocks: Sender<Vec<u8>>,
    spare_frames: Sender<Vec<u8>>,
    finished: Arc<AtomicBool>,
}

struct Job {
    block: Vec<u8>,
    frame: Vec<u8>,
    ticket: Ticket<Compressed>,
}

struct Compressed {
    block: Vec<u8>,
    frame: Result<Vec<u8>, String>,
}

/// Starts the threads. They end when both halves are dropped.
///
/// # Errors
/// A level that the compression hasn't, or a thread that can't be started.
pub fn compress(settings: FrameSettings) -> Result<(FrameInput, FrameOutput), FrameError> {
    let threads = settings.threads.max(1);
    let under_way = 2 * threads;
    let (jobs, jobs_to_do) = bounded::<Job>(under_way);
    for _ in 0..threads {
        let Some(compressor) = Compressor::new(&settings)? else { break };
        let jobs = jobs_to_do.clone();
        let thread = thread::Builder::new().name("compress".to_owned());
        thread.spawn(move || work(compressor, &jobs)).map_err(FrameError::Thread)?;
    }
    let (results_in, results) = bounded(under_way);
    let (permits_in, permits) = bounded(under_way);
    for _ in 0..under_way {
        let _ = permits_in.send(());
    }
    let (spare_blocks_in, spare_blocks) = bounded(under_way);
    let (spare_frames_in, spare_frames) = match settings.compression {
        Compression::None => (spare_blocks_in.clone(), spare_blocks.clone()),
        Compression::Gzip | Compression::Zstd => bounded(under_way),
    };
    let finished = Arc::new(AtomicBool::new(false));
    let input = FrameInput {
        jobs,
        results: results_in,
        permits,
        spare_blocks,
        spare_frames,
        compression: settings.compression,
        pushed: 0,
        finished: Arc::clone(&finished),
    };
    let output = FrameOutput {
        results,
        in_order: InOrder::new(),
        permits: Some(permits_in),
        spare_blocks: spare_blocks_in,
        spare_frames: spare_frames_in,
        finished,
    };
    Ok((input, output))
}

impl FrameInput {
    /// Makes a frame of `block`, waiting while too many are under way. Full blocks of [`FRAME_SIZE`] compress best;
    /// a longer one makes several frames, an empty one none.
    ///
    /// # Errors
    /// The reader of the frames has gone, or has seen an error.
    pub fn push(&mut self, block: Vec<u8>) -> Result<(), Closed> {
        if block.len() <= FRAME_SIZE {
            return if block.is_empty() { Ok(()) } else { self.submit(block) };
        }
        block.chunks(FRAME_SIZE).try_for_each(|part| self.submit(part.to_vec()))
    }

    /// The dump is complete: after the frames under way the output ends. Even an empty dump makes a frame, so that the
    /// stored stream is a valid one.
    pub fn finish(mut self) {
        if self.pushed == 0 && self.compression != Compression::None && self.submit(Vec::new()).is_err() {
            return;
        }
        self.finished.store(true, Ordering::Release);
    }

    /// An empty buffer for the next block, with the memory of one before if there is one.
    #[must_use]
    pub fn take_buffer(&self) -> Vec<u8> {
        let mut buffer = self.spare_blocks.try_recv().unwrap_or_default();
        buffer.clear();
        buffer.reserve_exact(FRAME_SIZE);
        buffer
    }

    fn submit(&mut self, block: Vec<u8>) -> Result<(), Closed> {
        self.permits.recv().map_err(|_| Closed)?;
        let ticket = Ticket::new(self.pushed, self.results.clone());
        self.pushed += 1;
        if self.compression == Compression::None {
            ticket.redeem(Compressed { block: Vec::new(), frame: Ok(block) });
            return Ok(());
        }
        let frame = self.spare_frames.try_recv().unwrap_or_default();
        self.jobs.send(Job { block, frame, ticket }).map_err(|_| Closed)
    }
}

impl FrameOutput {
    /// Takes a frame's buffer back once its bytes have been copied elsewhere. Without it each frame allocates its own.
    pub fn recycle(&mut self, frame: Vec<u8>) {
        // A full pool drops the buffer.
        let _ = self.spare_frames.try_send(frame);
    }

    fn fail(&mut self, error: FrameError) -> Option<Result<Vec<u8>, FrameError>> {
        self.permits = None;
        Some(Err(error))
    }
}

impl Iterator for FrameOutput {
    type Item = Result<Vec<u8>, FrameError>;

    /// The next frame, waiting for it. After an error there is nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        let permits = self.permits.clone()?;
        loop {
            match self.in_order.pop() {
                Some(Some(Compressed { block, frame: Ok(frame) })) => {
                    if block.capacity() > 0 {
                        let _ = self.spare_blocks.try_send(block);
                    }
                    let _ = permits.try_send(());
                    return Some(Ok(frame));
                }
                Some(Some(Compressed { frame: Err(reason), .. })) => return self.fail(FrameError::Compressor(reason)),
                Some(None) => return self.fail(FrameError::Lost),
                None => {}
            }
            match self.results.recv() {
                Ok(Numbered { number, result }) => self.in_order.fill(number, result),
                Err(_) if self.finished.load(Ordering::Acquire) && self.in_order.is_empty() => return None,
                Err(_) => return self.fail(FrameError::Aborted),
            }
        }
    }
}

enum Compressor {
    Gzip(MemberCompressor),
    Zstd(FrameCompressor),
}

impl Compressor {
    fn new(settings: &FrameSettings) -> Result<Option<Self>, FrameError> {
        match settings.compression {
            Compression::Gzip => {
                let level = check_level(settings, 6, 1..=12)?;
                let level = CompressionLvl::new(level).unwrap_or_default();
                Ok(Some(Self::Gzip(MemberCompressor::new(level))))
            }
            Compression::Zstd => {
                let level = check_level(settings, 1, -7..=22)?;
                let compressor = FrameCompressor::new(level).map_err(FrameError::Compressor)?;
                Ok(Some(Self::Zstd(compressor)))
            }
            Compression::None => Ok(None),
        }
    }
}

fn check_level(
    settings: &FrameSettings,
    default: i32,
    known: std::ops::RangeInclusive<i32>,
) -> Result<i32, FrameError> {
    let level = settings.level.unwrap_or(default);
    if known.contains(&level) {
        return Ok(level);
    }
    Err(FrameError::Level { compression: settings.compression, level, lowest: *known.start(), highest: *known.end() })
}

fn work(mut compressor: Compressor, jobs: &Receiver<Job>) {
    for Job { block, mut frame, ticket } in jobs {
        let compressed = match &mut compressor {
            Compressor::Gzip(gzip) => gzip.compress(&block, &mut frame),
            Compressor::Zstd(zstd) => zstd.compress(&block, &mut frame),
        };
        ticket.redeem(Compressed { block, frame: compressed.map(|()| frame) });
    }
}
