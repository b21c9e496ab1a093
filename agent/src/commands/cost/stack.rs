//! What the AWS stack does and how often, as far as it costs: taken from `infra/template.yaml` with its defaults, `lambdas/`
//! and `core/repository`. A test compares these numbers with the template.

/// Runs of the freshness function that its schedule starts each day.
pub(super) const FRESHNESS_RUNS_A_DAY: f64 = 96.0;
/// Runs each day of the sweep and of retention.
pub(super) const OTHER_RUNS_A_DAY: f64 = 2.0;

/// Memory of the verify function, in Lambda's GB: a whole core comes with it.
pub(super) const VERIFY_GB: f64 = 1769.0 / 1024.0;
/// Memory of the retention function: a hundred thousand backups take 211 MB (docs/performance.md).
pub(super) const RETENTION_GB: f64 = 512.0 / 1024.0;
/// Memory of the freshness function.
pub(super) const FRESHNESS_GB: f64 = 256.0 / 1024.0;

pub(super) const METRICS: f64 = 10.0;
/// With `PerDatabaseMetrics=true`.
pub(super) const METRICS_OF_A_DATABASE: f64 = 16.0;
pub(super) const ALARMS: f64 = 10.0;

/// After how many days the sweep has an archive verified again, unless it is in Glacier.
pub(super) const REVERIFY_DAYS: f64 = 25.0;
/// A sweep has at most this part of the bytes read again.
pub(super) const REREAD_PART: f64 = 30.0;
/// Of how many backups the page that freshness makes has the records.
pub(super) const RECORDS_OF_A_PAGE: f64 = 500.0;
/// How often a day a database's history is read and put: when the day begins, and when its backup has come.
pub(super) const NOTED_A_DAY: f64 = 2.0;
/// Queues that functions take from.
pub(super) const QUEUES: f64 = 2.0;
/// Times a day at which verdicts can start retention: it waits 300 seconds for more of them.
pub(super) const WINDOWS_A_DAY: f64 = 288.0;
/// The lifecycle rule does not move archives of up to this many bytes.
pub(super) const GLACIER_ABOVE: f64 = 16_777_216.0;

/// Bytes of a part that is uploaded, and of a range that is read.
pub(super) const PART: f64 = 8_388_608.0;
/// Parts of an upload that knows its length.
pub(super) const MOST_PARTS: f64 = 8_000.0;
/// Objects on one page of a listing.
pub(super) const PAGE: f64 = 1_000.0;
/// Archive, the server's roles, manifest and verdict.
pub(super) const OBJECTS_OF_A_BACKUP: f64 = 4.0;
/// Earlier backups that a new one is compared with.
pub(super) const COMPARED: f64 = 7.0;
/// Days that one freshness run lists for all databases together, today among them.
pub(super) const LISTED_DAYS: f64 = 3.0;
/// Databases that one freshness run measures at the same time.
pub(super) const MEASURED_AT_ONCE: f64 = 8.0;

// What cannot be looked up: estimates, each on the safe side.

/// Stored bytes that the verify function reads per second. One core of a server of 2026 judges 120 MB/s of any gzip, and more
/// of our frames; a function's network carries some 75 MB/s.
pub(super) const VERIFIED_A_SECOND: f64 = 75e6;
/// Requests a minute by which a function looks into its queue, whether something comes or not: five at the same time, each of
/// which waits twenty seconds.
pub(super) const LOOKS_A_MINUTE: f64 = 15.0;
/// Requests by which a message is sent, handed out and deleted.
pub(super) const REQUESTS_OF_A_MESSAGE: f64 = 3.0;
/// Seconds of a run besides reading: its start, its requests, its end.
pub(super) const RUN_SECONDS: f64 = 1.0;
/// Seconds for each page of a listing.
pub(super) const PAGE_SECONDS: f64 = 0.5;
/// Seconds of an invocation's 900 in which the verify function reads.
pub(super) const READING_SECONDS: f64 = 840.0;
/// Bytes that a run writes into its log, Lambda's own lines included.
pub(super) const LOG_OF_A_RUN: f64 = 3_000.0;
/// Bytes that a run of the freshness function writes into its log for each database.
pub(super) const LOG_OF_A_DATABASE: f64 = 300.0;
/// E-mails of alarms and messages in a month.
pub(super) const MAILS: f64 = 10.0;
/// Roles, manifest and verdict of a backup of some sixty tables.
pub(super) const RECORD_BYTES: f64 = 16_384.0;

/// The parameters of the stack that change its price.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stack {
    /// `Architecture=arm64`.
    pub(super) arm64: bool,
    /// `PagingTopicArn`: a composite alarm.
    pub(super) paging: bool,
    /// `DrillMaxAgeDays`: a metric, one for each database if they have their own, and an alarm.
    pub(super) drills: bool,
    /// `PerDatabaseMetrics=true`.
    pub(super) per_database_metrics: bool,
}
