//! Reads the stored bytes once and in order, in memory that does not grow, until their end or until time is up.

use archive::{Inspected, Inspection};
use bytes::Bytes;
use catalog::Object;
use jiff::Timestamp;
use repository::{Download, Repository};
use tokio::time::{Instant, timeout_at};

use super::place::Place;
use crate::{Deadline, Failure};

/// Bytes between two looks at the clock. They expand to 64 MiB at most as gzip: a fraction of a second.
const SLICE: usize = 64 << 10;

/// How often a backup may wait for an invocation with all its time; more would be a loop without progress.
const WAITS: u32 = 3;

/// Where reading starts, and what earlier invocations have found.
pub(super) struct Start {
    inspection: Inspection,
    /// Stored bytes that earlier invocations have read.
    position: u64,
    /// When the first invocation began to read.
    pub(super) begun: Timestamp,
    /// How many invocations have read, including this one.
    pub(super) rounds: u32,
    sweeping: bool,
}

/// How far reading came.
pub(super) enum Reading {
    /// It came to the end.
    Whole(Box<Inspected>),
    /// Time is up, and the next invocation goes on here.
    Stopped(Box<Place>),
    /// Time is up, and no invocation has more of it: such a stream cannot be read in parts.
    Unfinished {
        /// Bytes that were read.
        read: u64,
    },
}

impl Start {
    /// Starts at the saved place if it is in this object, else at the beginning.
    pub(super) fn of(saved: Option<Place>, object: &Object, now: Timestamp, sweeping: bool) -> Self {
        let fresh = Place::new(object, now, 0, None);
        let place = saved.filter(|place| place.is_in(object)).unwrap_or(fresh);
        let (position, begun, rounds) = (place.position(), place.begun, place.rounds + 1);
        let inspection = place.inspection.map_or_else(Inspection::new, Inspection::resume);
        Self { inspection, position, begun, rounds, sweeping: sweeping || place.sweeping }
    }
}

/// Reads on from `start`.
///
/// # Errors
/// When the bytes cannot be read, or all the time was not enough for a single one.
pub(super) async fn read(
    repository: &Repository,
    object: &Object,
    start: Start,
    deadline: Deadline,
) -> Result<Reading, Failure> {
    let had_all_the_time = deadline.is_untouched();
    let mut download = repository.download_from(object, start.position).await?;
    let Start { mut inspection, position, begun, rounds, sweeping } = start;
    if feed(&mut inspection, &mut download, deadline.stop()).await? {
        return Ok(Reading::Whole(Box::new(inspection.finish())));
    }
    let read = inspection.position();
    let stopped = |saved| {
        let place = Place::new(object, begun, rounds, saved).sweeping(sweeping);
        Ok(Reading::Stopped(Box::new(place)))
    };
    match inspection.save().filter(|saved| saved.position() > position) {
        Some(saved) => stopped(Some(saved)),
        None if position == 0 && !had_all_the_time && rounds <= WAITS => stopped(None),
        // The rest of somebody's time says nothing of the archive.
        None if read > position && (had_all_the_time || position == 0) => Ok(Reading::Unfinished { read }),
        None => Err(Failure::NoProgress { object: repository.object_name(&object.key), position }),
    }
}

/// Feeds the download to the inspection; whether the end came before the time was up.
pub(super) async fn feed(inspection: &mut Inspection, download: &mut Download, stop: Instant) -> Result<bool, Failure> {
    loop {
        let block: Bytes = match timeout_at(stop, download.next()).await {
            Err(_) => return Ok(false),
            Ok(None) => return Ok(true),
            Ok(Some(block)) => block?,
        };
        for slice in block.chunks(SLICE) {
            if Instant::now() >= stop {
                return Ok(false);
            }
            inspection.feed(slice);
        }
    }
}
