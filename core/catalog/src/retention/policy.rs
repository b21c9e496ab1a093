//! What a user asks retention to keep.

/// The days after which backups that no rule counts (damaged, unverified, safety, missing) go, where the policy names no age.
const DEFAULT_DAYS: u32 = 90;

/// A retention policy. Rules add up: what any of them keeps, stays.
///
/// A policy with neither keep rules nor an age removes no good backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The newest N good backups.
    pub keep_last: u32,
    /// The newest good backup of each of the last N days that have one; days are UTC.
    pub daily: u32,
    /// The same by ISO week, Monday to Sunday.
    pub weekly: u32,
    /// The same by month.
    pub monthly: u32,
    /// The same by year.
    pub yearly: u32,
    /// Everything younger stays; what is older goes unless another rule keeps it. None: the other rules alone decide.
    pub delete_after_days: Option<u32>,
    /// However old, this many good backups stay. The newest good one stays even with 0.
    pub minimum_good: u32,
    /// Days after which an archive of ours without a manifest goes: nothing takes this long to put its manifest.
    pub unfinished_grace_days: u32,
}

impl Default for Policy {
    /// 90 days, never fewer than 7 good ones.
    fn default() -> Self {
        Self {
            keep_last: 0,
            daily: 0,
            weekly: 0,
            monthly: 0,
            yearly: 0,
            delete_after_days: Some(DEFAULT_DAYS),
            minimum_good: 7,
            unfinished_grace_days: 7,
        }
    }
}

impl Policy {
    /// Whether nothing in it would let a good backup go.
    pub(super) fn keeps_all_good(&self) -> bool {
        let rules = [self.keep_last, self.daily, self.weekly, self.monthly, self.yearly];
        self.delete_after_days.is_none() && rules.iter().all(|limit| *limit == 0)
    }

    /// The age for what no rule counts.
    pub(super) fn days_for_others(&self) -> u32 {
        self.delete_after_days.unwrap_or(DEFAULT_DAYS)
    }
}
