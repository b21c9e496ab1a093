//! How many indexes are built, as a restore tells it while it waits for them.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use postgres::Psql;
use postgres::database::indexes::Indexes;

use crate::answers::progress::Progress;
use crate::answers::report::printable;
use crate::commands::restore::job::Job;

/// How often the server is asked for its indexes.
const PAUSE: Duration = Duration::from_secs(2);

/// Tells how many indexes there are in the new database, while `act` has them built.
pub(super) fn while_indexing<T>(job: &Job, psql: &Psql, act: impl FnOnce() -> T) -> T {
    let head = &job.facts.head;
    let total = head.entries("INDEX").chain(head.entries("CONSTRAINT")).count() as u64;
    let progress = Progress::of_steps(job.report, "indexes", total);
    if total == 0 || !progress.is_shown() {
        return act();
    }
    let (done, ended) = channel::<()>();
    std::thread::scope(|scope| {
        let watched = &progress;
        scope.spawn(move || watch(psql, total, watched, |pause| ended.recv_timeout(pause)));
        let acted = act();
        drop(done);
        acted
    })
}

fn watch(psql: &Psql, total: u64, progress: &Progress, wait: impl Fn(Duration) -> Result<(), RecvTimeoutError>) {
    while wait(PAUSE) == Err(RecvTimeoutError::Timeout) {
        let Ok(Some(indexes)) = Indexes::ask(psql) else { return };
        progress.reach(indexes.built.saturating_sub(indexes.others).min(total));
        progress.at(&printable(&indexes.building.unwrap_or_default()));
    }
}
