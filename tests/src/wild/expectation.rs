//! What is right for one trial.

use super::case::{Expect, Expected};
use super::nature;
use super::plan::Trial;

/// What is right for a trial, from what the corpus and the case say.
pub(super) struct Expectation {
    pub(super) refusals: Vec<Expect>,
    pub(super) says: Vec<String>,
    pub(super) never: Vec<String>,
    pub(super) except: Vec<String>,
    pub(super) owners: bool,
}

/// From the corpus' own rules and the case's.
pub(super) fn expectation(trial: &Trial<'_>) -> Expectation {
    let all = nature::expectations().into_iter().chain(trial.case.about.expect.iter().cloned());
    let concerning: Vec<_> = all.filter(|expect| expect.concerns(trial.way, trial.role, trial.version)).collect();
    let (equal, refusals): (Vec<_>, Vec<_>) = concerning.into_iter().partition(|one| one.result == Expected::Equal);
    Expectation {
        refusals,
        owners: !equal.iter().any(|expect| expect.without_owners),
        says: equal.iter().flat_map(|expect| expect.says.clone()).collect(),
        never: equal.iter().flat_map(|expect| expect.never.clone()).collect(),
        except: equal.into_iter().flat_map(|expect| expect.except).collect(),
    }
}
