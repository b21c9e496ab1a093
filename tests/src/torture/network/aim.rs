//! A stand-in that strikes one request of many.

use std::sync::{Arc, Mutex};

use super::fault::Fault;
use super::kind;
use crate::answering::{Request, StandIn, Treatment};
use crate::bucket::Access;
use crate::torture::subject::Subject;

/// Which request is struck.
#[derive(Clone, Debug)]
pub(super) struct Aim {
    pub(super) kind: String,
    /// Of its kind, from 0 on.
    pub(super) nth: usize,
    /// And all of its kind that come later.
    pub(super) lasting: bool,
}

impl Aim {
    /// As cases' names end.
    pub(super) fn lasts(&self) -> &'static str {
        if self.lasting { "lasting" } else { "once" }
    }
}

/// What breaks in any case, so that what comes after it can be struck.
pub(super) type Base = fn(&str) -> Option<Treatment>;

/// What breaks for a command in any case.
pub(super) fn base(subject: Subject) -> Base {
    match subject {
        Subject::BackupAborted => |kind| {
            let denied = "<Error><Code>AccessDenied</Code><Message>no more parts</Message></Error>";
            (kind == "UploadPart-archive").then(|| Treatment::answer("403 Forbidden", denied))
        },
        _ => |_| None,
    }
}

/// A store in front of which a fault waits.
pub(super) struct Stood {
    stand_in: StandIn,
    store: Access,
    log: Arc<Mutex<Log>>,
}

#[derive(Default)]
struct Log {
    seen: Vec<String>,
    struck: bool,
}

impl Stood {
    /// Strikes nothing but what `base` says.
    pub(super) fn watching(store: &Access, base: Base) -> Stood {
        Self::start(store, base, |_, _| None)
    }

    /// Strikes what was aimed at.
    pub(super) fn striking(store: &Access, base: Base, aim: Aim, fault: &'static Fault) -> Stood {
        Self::start(store, base, move |kind, nth| {
            let is_meant = *kind == aim.kind && (nth == aim.nth || (aim.lasting && nth > aim.nth));
            is_meant.then(|| (fault.treatment)())
        })
    }

    fn start(
        store: &Access,
        base: Base,
        strike: impl Fn(&String, usize) -> Option<Treatment> + Send + Sync + 'static,
    ) -> Stood {
        let log = Arc::new(Mutex::new(Log::default()));
        let written = Arc::clone(&log);
        let treat = move |request: &Request| {
            let kind = kind::of(request);
            let mut log = written.lock().unwrap();
            let nth = log.seen.iter().filter(|seen| **seen == kind).count();
            let treatment = strike(&kind, nth);
            log.struck |= treatment.is_some();
            let treatment = treatment.or_else(|| base(&kind)).unwrap_or(Treatment::Pass);
            log.seen.push(kind);
            bodiless(request, treatment)
        };
        Stood { stand_in: StandIn::start(store, treat), store: store.clone(), log }
    }

    pub(super) fn access(&self) -> Access {
        self.stand_in.access(&self.store)
    }

    pub(super) fn has_struck(&self) -> bool {
        self.log.lock().unwrap().struck
    }

    /// The kinds of requests so far.
    pub(super) fn seen(&self) -> Vec<String> {
        self.log.lock().unwrap().seen.clone()
    }
}

/// No answer to HEAD has a body.
fn bodiless(request: &Request, treatment: Treatment) -> Treatment {
    match treatment {
        Treatment::Say(bytes) if request.method() == "HEAD" && bytes.starts_with(b"HTTP/") => {
            let text = String::from_utf8_lossy(&bytes);
            let status = text.lines().next().unwrap_or_default().trim_start_matches("HTTP/1.1 ");
            Treatment::answer(status, "")
        }
        treatment => treatment,
    }
}
