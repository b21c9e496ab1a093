//! What goes wrong with a request, and which words a message about it has.

use std::time::Duration;

use crate::answering::{Share, Treatment, Way};

/// What goes wrong with a request.
pub(super) struct Fault {
    pub(super) name: &'static str,
    pub(super) treatment: fn() -> Treatment,
    /// Nothing comes back that could be read: waiting may help.
    pub(super) is_network: bool,
    /// In small letters; one of them at least is in what is said of it. None where it does no harm.
    pub(super) words: &'static [&'static str],
    /// The requests that it is for begin so; none stands for all.
    only: &'static [&'static str],
}

const AWAY: &[&str] = &["network is unreachable", "no answer"];
const GARBLED: &[&str] =
    &["cannot be read", "network is unreachable", "is not s3", "not an s3", "incomplete", "speaks"];
const FLIPPED: &[&str] = &[
    "differ",
    "damaged",
    "cannot be read",
    "cannot be used",
    "badd",
    "digest",
    "checksum",
    "incomplete",
    "does not exist",
    "no such",
    "no backup of",
    "changed",
    "signature",
    "did not come as",
    "malformed",
    "in the meantime",
    "invalid",
    // What is read back of its own manifest, and differs, is taken for another run's.
    "belongs to another backup",
];
const LISTINGS: &[&str] = &["ListObjectsV2", "ListObjectVersions", "ListMultipartUploads", "ListParts"];
/// S3 may answer these with 200 before it knows how they end.
const LATE: &[&str] = &["CompleteMultipartUpload", "CopyObject", "UploadPartCopy", "DeleteObjects"];

impl Fault {
    pub(super) fn is_for(&self, kind: &str) -> bool {
        // A listing has no checksum: a version that was flipped on its way is one that nobody has, and its object stays. TLS is what helps.
        if self.name == "flipped-answer" && kind == "ListObjectVersions" {
            return false;
        }
        // The store may take minutes to join parts, and so long it is waited for.
        if self.takes_a_minute() && kind.starts_with("CompleteMultipartUpload") {
            return false;
        }
        self.only.is_empty() || self.only.iter().any(|beginning| kind.starts_with(beginning))
    }

    /// Whether it is for all requests of a kind at once. What spoils an archive the same way each time that it is read can't be told from a
    /// store that has it so.
    pub(super) fn may_last(&self, kind: &str) -> bool {
        !(self.name == "flipped-answer" && kind == "GetObject-archive")
    }

    /// The agent waits so long for an answer.
    pub(super) fn takes_a_minute(&self) -> bool {
        (self.treatment)() == Treatment::Stall
    }
}

const fn network(name: &'static str, treatment: fn() -> Treatment) -> Fault {
    Fault { name, treatment, is_network: true, words: AWAY, only: &[] }
}

const fn answer(name: &'static str, treatment: fn() -> Treatment, words: &'static [&'static str]) -> Fault {
    Fault { name, treatment, is_network: false, words, only: &[] }
}

fn error(status: &str, code: &str) -> Treatment {
    let body = format!("<Error><Code>{code}</Code><Message>said by the torture</Message></Error>");
    Treatment::answer(status, &body)
}

/// Every fault. Their number is odd, so that one of every eight cases is another fault each time.
pub(super) const FAULTS: &[Fault] = &[
    network("cut-at-its-head", || Treatment::Cut(Way::Request, Share::First)),
    network("cut-in-its-middle", || Treatment::Cut(Way::Request, Share::Middle)),
    network("cut-before-its-last-byte", || Treatment::Cut(Way::Request, Share::Last)),
    network("answer-cut-at-its-head", || Treatment::Cut(Way::Answer, Share::First)),
    Fault { words: GARBLED, ..network("answer-cut-in-its-middle", || Treatment::Cut(Way::Answer, Share::Middle)) },
    Fault { words: GARBLED, ..network("answer-cut-before-its-last-byte", || Treatment::Cut(Way::Answer, Share::Last)) },
    network("lost-answer", || Treatment::Lose),
    network("stall", || Treatment::Stall),
    Fault { words: GARBLED, ..network("garbage", || Treatment::Say(b"\x00\x15\x03garbage\r\n\r\n".repeat(50))) },
    answer("slow", || Treatment::Slow(Duration::from_secs(2)), &[]),
    answer("twice", || Treatment::Twice, &[]),
    answer("flipped-request", || Treatment::Flip(Way::Request), FLIPPED),
    answer("flipped-answer", || Treatment::Flip(Way::Answer), FLIPPED),
    answer("500", || error("500 Internal Server Error", "InternalError"), &["internalerror", "http 500"]),
    answer("503-slow-down", || error("503 Slow Down", "SlowDown"), &["slowdown", "http 503"]),
    answer("403-expired-token", || error("403 Forbidden", "ExpiredToken"), &["expired", "access denied"]),
    answer(
        "412",
        || error("412 Precondition Failed", "PreconditionFailed"),
        &["already exists", "there already", "changed", "preconditionfailed"],
    ),
    answer("409", || error("409 Conflict", "ConditionalRequestConflict"), &["409", "conflict", "concurrent"]),
    Fault { only: LATE, ..answer("error-inside-a-200", || error("200 OK", "InternalError"), &["internalerror"]) },
    Fault { only: LISTINGS, ..answer("half-a-listing", || Treatment::Half, GARBLED) },
    Fault { only: LISTINGS, ..answer("endless-listing", || Treatment::Endless, GARBLED) },
];
