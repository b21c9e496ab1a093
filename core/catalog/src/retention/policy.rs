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
    /// No backup younger than this many days goes, whatever the other rules say; 0: they alone decide.
    pub never_younger_days: u32,
    /// Days after which an archive of ours without a manifest goes: nothing takes this long to put its manifest.
    pub unfinished_grace_days: u32,
}

/// The age after which good backups go, in days; 0 means that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// A user set it: it holds, with or without keep rules.
    Set(u32),
    /// Nothing was set: it holds only where no keep rule says what stays.
    Default(u32),
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
            never_younger_days: 0,
            unfinished_grace_days: 7,
        }
    }
}

impl Policy {
    /// These rules with this age; the age that `rules` has doesn't matter.
    ///
    /// A keep rule says what stays, and would say nothing beside an age that keeps everything younger. So a default age
    /// gives way to keep rules, and only an age that was set holds beside them.
    #[must_use]
    pub fn from_rules(rules: Self, age: Age) -> Self {
        let days = match age {
            Age::Set(days) => Some(days),
            Age::Default(days) => (!rules.has_keep_rules()).then_some(days),
        };
        Self { delete_after_days: days.filter(|days| *days > 0), ..rules }
    }

    fn has_keep_rules(&self) -> bool {
        [self.keep_last, self.daily, self.weekly, self.monthly, self.yearly] != [0; 5]
    }

    /// Whether nothing in it would let a good backup go.
    pub(super) fn keeps_all_good(&self) -> bool {
        self.delete_after_days.is_none() && !self.has_keep_rules()
    }

    /// The age for what no rule counts.
    pub(super) fn days_for_others(&self) -> u32 {
        self.delete_after_days.unwrap_or(DEFAULT_DAYS).max(self.never_younger_days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_age_gives_way_to_keep_rules_and_a_set_one_holds() {
        let none = Policy::default();
        let daily = Policy { daily: 7, ..Policy::default() };
        let last = Policy { keep_last: 1, ..Policy::default() };
        let minimum = Policy { minimum_good: 30, ..Policy::default() };
        let table = [
            (&none, Age::Default(90), Some(90)),
            (&none, Age::Default(0), None),
            (&none, Age::Set(30), Some(30)),
            (&none, Age::Set(0), None),
            (&daily, Age::Default(90), None),
            (&daily, Age::Set(30), Some(30)),
            (&daily, Age::Set(0), None),
            (&last, Age::Default(90), None),
            (&last, Age::Set(30), Some(30)),
            (&minimum, Age::Default(30), Some(30)),
        ];
        for (rules, age, days) in table {
            let expected = Policy { delete_after_days: days, ..rules.clone() };
            assert_eq!(Policy::from_rules(rules.clone(), age), expected, "{age:?} with {rules:?}");
        }
        for rule in 0..5 {
            let [keep_last, daily, weekly, monthly, yearly] = std::array::from_fn(|place| u32::from(place == rule));
            let rules = Policy { keep_last, daily, weekly, monthly, yearly, ..Policy::default() };
            assert_eq!(Policy::from_rules(rules, Age::Default(90)).delete_after_days, None, "rule {rule}");
        }
    }
}
