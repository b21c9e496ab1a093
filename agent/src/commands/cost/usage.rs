//! How much of everything AWS counts in a month: the load, and what the AWS stack does with it.

use super::load::{Load, MONTH, Rhythm, Stream};
use super::stack::{
    COMPARED, FRESHNESS_GB, FRESHNESS_RUNS_A_DAY, LISTED_DAYS, LOG_OF_A_DATABASE, LOG_OF_A_RUN, LOOKS_A_MINUTE,
    MEASURED_AT_ONCE, MOST_PARTS, NOTED_A_DAY, OBJECTS_OF_A_BACKUP, OTHER_RUNS_A_DAY, PAGE, PAGE_SECONDS, PART, QUEUES,
    READING_SECONDS, RECORDS_OF_A_PAGE, REQUESTS_OF_A_MESSAGE, RETENTION_GB, RUN_SECONDS, VERIFIED_A_SECOND, VERIFY_GB,
    WINDOWS_A_DAY,
};

/// Requests to S3 in a month, by their price.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Requests {
    /// PUT and LIST, which cost the same.
    pub(super) puts: f64,
    /// GET and HEAD, which cost the same.
    pub(super) gets: f64,
}

/// One function's month.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Function {
    pub(super) runs: f64,
    pub(super) gb_seconds: f64,
    pub(super) requests: Requests,
}

/// A month of the whole repository.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Usage {
    pub(super) backups: f64,
    pub(super) moves: f64,
    pub(super) agent: Requests,
    pub(super) verify: Function,
    pub(super) retention: Function,
    pub(super) freshness: Function,
    pub(super) metric_requests: f64,
    pub(super) log_bytes: f64,
    pub(super) events: f64,
    pub(super) schedules: f64,
    pub(super) queue_requests: f64,
}

impl Usage {
    pub(super) fn of(load: &Load) -> Self {
        let (backups, rereads) = (load.sum(Stream::backups), load.sum(Stream::rereads));
        let verdicts = backups + rereads;
        let moves = load.sum(Stream::moves);
        let (verify, retention, freshness) = (verify(load), retention(load, verdicts), freshness(load));
        let runs = verify.runs + retention.runs + freshness.runs;
        // The objects of a backup come and go, verdicts are renewed, a move is an event too, and the runs leave their
        // status.
        let statuses = retention.runs + MONTH;
        let events = 2.0 * OBJECTS_OF_A_BACKUP * backups + rereads + load.sum(extra_rounds) + moves + statuses;
        // What is to be verified comes by the one queue, and the verdict by the other.
        let messages = 2.0 * verdicts + load.sum(extra_rounds);
        Self {
            backups,
            moves,
            agent: agent(load),
            verify,
            retention,
            freshness,
            metric_requests: verdicts + retention.runs + freshness.runs,
            log_bytes: runs * LOG_OF_A_RUN + freshness.runs * load.expected() * LOG_OF_A_DATABASE,
            events,
            schedules: (FRESHNESS_RUNS_A_DAY + OTHER_RUNS_A_DAY) * MONTH,
            queue_requests: QUEUES * LOOKS_A_MINUTE * 60.0 * 24.0 * MONTH + messages * REQUESTS_OF_A_MESSAGE,
        }
    }
}

/// A backup looks for open uploads and for its own name, and puts archive, roles, index, manifest and the database's mark.
fn agent(load: &Load) -> Requests {
    let puts = |stream: &Stream| stream.backups() * (2.0 + upload(stream.rhythm.size) + 4.0);
    Requests { puts: load.sum(puts), gets: 0.0 }
}

/// An upload is one request, or its parts with a beginning and an end.
fn upload(size: f64) -> f64 {
    if size < PART { 1.0 } else { (size / PART).ceil().min(MOST_PARTS) + 2.0 }
}

/// Requests in which an archive is read.
pub(super) fn ranges(size: f64) -> f64 {
    (size / PART).ceil().max(1.0)
}

/// Every new backup is looked up, read, judged and compared with those before it. The daily sweep lists everything and has
/// read again what is due, for which the verdict before is looked at.
fn verify(load: &Load) -> Function {
    // An entry is looked up with a LIST, a HEAD and its manifest; a verdict is put.
    let judged = |stream: &Stream| stream.backups() + stream.rereads();
    let compared = |stream: &Stream| COMPARED.min(stream.stock.archives() / stream.databases);
    let puts = |stream: &Stream| {
        2.0 * judged(stream) + stream.backups() * stream.rhythm.lists_back(COMPARED + 1.0) + 2.0 * extra_rounds(stream)
    };
    let gets = |stream: &Stream| {
        let read = judged(stream) * (2.0 + ranges(stream.rhythm.size)) + stream.backups() * compared(stream);
        read + stream.rereads() + 4.0 * extra_rounds(stream)
    };
    let sweeps = MONTH;
    let runs = load.sum(|stream| judged(stream) + extra_rounds(stream)) + sweeps;
    let reading = load.sum(|stream| judged(stream) * stream.rhythm.size / VERIFIED_A_SECOND);
    let seconds = runs * RUN_SECONDS + sweeps * pages(load) * PAGE_SECONDS + reading;
    let requests = Requests { puts: load.sum(puts) + sweeps * (pages(load) + 1.0), gets: load.sum(gets) };
    Function { runs, gb_seconds: seconds * VERIFY_GB, requests }
}

/// Invocations that go on where one before them ran out of time.
fn extra_rounds(stream: &Stream) -> f64 {
    let rounds = (stream.rhythm.size / VERIFIED_A_SECOND / READING_SECONDS).ceil().max(1.0);
    (stream.backups() + stream.rereads()) * (rounds - 1.0)
}

/// On verdicts and daily it lists all versions, reads each database's mark and leaves its status; what goes is looked up once
/// more. Verdicts that come together start it once; priced is the worst, that none do.
fn retention(load: &Load, verdicts: f64) -> Function {
    let runs = verdicts.min(WINDOWS_A_DAY * MONTH) + MONTH;
    let removed = load.sum(|stream| if stream.rhythm.days.is_some() { stream.backups() } else { 0.0 });
    let seconds = runs * (RUN_SECONDS + pages(load) * PAGE_SECONDS) + removed * PAGE_SECONDS;
    // The account of what it removes is read and put, and its end is put.
    let requests = Requests { puts: runs * (pages(load) + 2.0) + removed, gets: runs * (load.expected() + 1.0) };
    Function { runs, gb_seconds: seconds * RETENTION_GB, requests }
}

/// Every quarter of an hour it lists the last days of all databases at once, and once a day by itself each that has nothing
/// there. It reads what it told before, each database's mark and newest verdict, which a warm function remembers: priced is
/// one that never does. And it puts what it found.
fn freshness(load: &Load) -> Function {
    let runs = FRESHNESS_RUNS_A_DAY * MONTH;
    let recent = |stream: &Stream| stream.databases * (2.0 + LISTED_DAYS * stream.rhythm.per_day * OBJECTS_OF_A_BACKUP);
    let pages = (load.sum(recent) / PAGE).ceil().max(1.0);
    let is_rare = |stream: &Stream| stream.expected && stream.rhythm.per_day < 1.0;
    let alone = |stream: &Stream| {
        if is_rare(stream) { stream.databases * stream.rhythm.lists_back(1.0) } else { 0.0 }
    };
    let (alone, days) = (load.sum(alone), MONTH);
    let seconds = runs * (RUN_SECONDS * (load.expected() / MEASURED_AT_ONCE).ceil().max(1.0) + pages * PAGE_SECONDS)
        + days * alone * PAGE_SECONDS;
    let (page, noted) = (page_of_a_day(load), NOTED_A_DAY * load.expected());
    let requests = Requests {
        puts: runs * (pages + 1.0) + days * (alone + page.puts + noted),
        gets: runs * (1.0 + 2.0 * load.expected()) + days * (page.gets + noted),
    };
    Function { runs, gb_seconds: seconds * FRESHNESS_GB, requests }
}

/// Once a day it lists everything for the page, reads manifest and verdict of the newest backups, and of each database its mark, history
/// and drills, and puts the page and its data.
fn page_of_a_day(load: &Load) -> Requests {
    let backups = load.sum(|stream| stream.stock.archives()).min(RECORDS_OF_A_PAGE);
    Requests { puts: pages(load) + 2.0, gets: 1.0 + 2.0 * backups + 3.0 * load.databases() }
}

/// LIST requests that show everything.
fn pages(load: &Load) -> f64 {
    let archives = load.sum(|stream| stream.stock.archives());
    ((archives * OBJECTS_OF_A_BACKUP + load.databases()) / PAGE).ceil().max(1.0)
}

/// What restoring one archive asks of S3: listings, manifest and verdict, and the archive in ranges.
pub(super) fn restore(rhythm: &Rhythm) -> Requests {
    Requests { puts: 2.0, gets: 3.0 + ranges(rhythm.size) }
}
