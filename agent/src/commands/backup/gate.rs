//! When the local copy may show. A conflict at a bucket can be answered by a whole new dump, but only while nothing shows anywhere: so
//! the local copy waits for the buckets, though not for long.

use std::time::Duration;

use tokio::sync::watch;

/// How long the local copy waits until it is known what becomes of the buckets.
const PATIENCE: Duration = Duration::from_secs(10);

/// How the repositories of a run stand.
#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    /// Buckets of which it isn't known yet.
    pending: usize,
    /// Repositories in which the archive shows, or is about to.
    shown: usize,
    /// Buckets that found another upload in the way.
    conflicts: usize,
}

impl Standing {
    fn asks_for_another_dump(self) -> bool {
        self.shown == 0 && self.pending == 0 && self.conflicts > 0
    }
}

pub(super) struct Gate {
    standing: watch::Sender<Standing>,
    may_repeat: bool,
    patience: Duration,
}

impl Gate {
    /// `may_repeat`: another dump may be taken.
    pub(super) fn new(buckets: usize, may_repeat: bool) -> Self {
        let standing = watch::channel(Standing { pending: buckets, ..Standing::default() }).0;
        Self { standing, may_repeat, patience: PATIENCE }
    }

    /// Waits for the buckets; false when the archive must not show here, because another dump is taken.
    pub(super) async fn may_show(&self) -> bool {
        let mut standing = self.standing.subscribe();
        let decided = standing.wait_for(|standing| standing.shown > 0 || standing.pending == 0);
        drop(tokio::time::timeout(self.patience, decided).await);
        let mut may = true;
        self.standing.send_modify(|standing| {
            may = !(self.may_repeat && standing.asks_for_another_dump());
            standing.shown += usize::from(may);
        });
        may
    }

    /// What became of a bucket's archive.
    pub(super) fn settle(&self, shows: bool, conflicted: bool) {
        self.standing.send_modify(|standing| {
            standing.pending = standing.pending.saturating_sub(1);
            standing.shown += usize::from(shows);
            standing.conflicts += usize::from(conflicted);
        });
    }

    /// Whether another dump is to be taken, when all is known.
    pub(super) fn asks_for_another_dump(&self) -> bool {
        self.may_repeat && self.standing.borrow().asks_for_another_dump()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_conflict_asks_for_another_dump_only_while_nothing_shows() {
        let alone = Gate::new(1, true);
        alone.settle(false, true);
        assert!(!alone.may_show().await && alone.asks_for_another_dump());
        let once = Gate::new(1, false);
        once.settle(false, true);
        assert!(once.may_show().await && !once.asks_for_another_dump());
        let beside = Gate::new(2, true);
        beside.settle(true, false);
        assert!(beside.may_show().await);
        beside.settle(false, true);
        assert!(!beside.asks_for_another_dump());
        assert!(Gate::new(0, true).may_show().await);
    }

    #[tokio::test]
    async fn the_local_copy_waits_for_a_slow_bucket_but_not_for_long() {
        let gate = Gate { patience: Duration::from_millis(10), ..Gate::new(1, true) };
        assert!(gate.may_show().await);
        gate.settle(false, true);
        assert!(!gate.asks_for_another_dump());
    }
}
