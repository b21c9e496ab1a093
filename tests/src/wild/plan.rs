//! Which trials a run takes: every pair, or the whole product.

use std::collections::HashSet;

use super::case::{Case, Role, Way};
use crate::postgres::Installation;

/// The versions that are here: what `make tools` brings, and Debian's own.
fn versions_here() -> Vec<u32> {
    Installation::all().iter().map(Installation::major).collect()
}

/// One case on one way, by one role, on one version.
#[derive(Clone, Copy)]
pub struct Trial<'a> {
    /// The case.
    pub case: &'a Case,
    /// The way.
    pub way: Way,
    /// The role.
    pub role: Role,
    /// PostgreSQL's major version.
    pub version: u32,
}

impl Trial<'_> {
    pub(super) fn is_bare(&self) -> bool {
        self.way == Way::Bare
    }

    /// Case, way, role and version.
    pub fn title(&self) -> String {
        format!("{} · {} · {} · {}", self.case.name, self.way.name(), self.role.name(), self.version)
    }
}

/// All that the cases allow.
pub fn product(cases: &[Case]) -> Vec<Trial<'_>> {
    cases.iter().flat_map(allowed).collect()
}

/// As few as cover every pair of case and way, of case and role, and every triple of way, role and version.
pub fn pairs(cases: &[Case]) -> Vec<Trial<'_>> {
    let mut cover = Cover::default();
    let mut chosen = Vec::new();
    for case in cases {
        let mut left = allowed(case);
        if case.is_taken_whole() {
            left.iter().for_each(|trial| cover.take(trial));
            chosen.append(&mut left);
        }
        while let Some(best) = cover.best(&left, true) {
            let trial = left.swap_remove(best);
            cover.take(&trial);
            chosen.push(trial);
        }
    }
    let taken: HashSet<String> = chosen.iter().map(Trial::title).collect();
    let mut left: Vec<_> = product(cases).into_iter().filter(|trial| !taken.contains(&trial.title())).collect();
    while let Some(best) = cover.best(&left, false) {
        let trial = left.swap_remove(best);
        cover.take(&trial);
        chosen.push(trial);
    }
    chosen
}

/// Each case once, ways, roles and versions in turn, without what is known to be bad or takes long.
pub fn bounded(cases: &[Case]) -> Vec<Trial<'_>> {
    let good = cases.iter().filter(|case| case.is_in_every_test());
    let turn = |(index, case)| {
        let allowed = allowed(case);
        allowed.get(index * 7 % allowed.len().max(1)).copied()
    };
    good.enumerate().filter_map(turn).collect()
}

fn allowed(case: &Case) -> Vec<Trial<'_>> {
    let about = &case.about;
    let (ways, roles) =
        (about.ways.clone().unwrap_or(Way::ALL.into()), about.roles.clone().unwrap_or(Role::ALL.into()));
    let here = versions_here();
    let mut versions = about.versions.clone().unwrap_or_else(|| here.clone());
    // A case that is about another one has nothing to be tried on.
    versions.retain(|version| here.contains(about.bare_version.as_ref().unwrap_or(version)) && here.contains(version));
    let mut trials = Vec::new();
    for way in ways {
        for role in &roles {
            trials.extend(versions.iter().map(|version| Trial { case, way, role: *role, version: *version }));
        }
    }
    trials
}

/// What has been covered so far.
#[derive(Default)]
struct Cover {
    ways: HashSet<(String, Way)>,
    roles: HashSet<(String, Role)>,
    triples: HashSet<(Way, Role, u32)>,
}

impl Cover {
    fn take(&mut self, trial: &Trial<'_>) {
        self.ways.insert((trial.case.name.clone(), trial.way));
        self.roles.insert((trial.case.name.clone(), trial.role));
        self.triples.insert((trial.way, trial.role, trial.version));
    }

    /// The trial that adds most; none if none adds a pair (or, at the end, a triple).
    fn best(&self, trials: &[Trial<'_>], of_case: bool) -> Option<usize> {
        let gain = |trial: &Trial<'_>| {
            let way = !self.ways.contains(&(trial.case.name.clone(), trial.way));
            let role = !self.roles.contains(&(trial.case.name.clone(), trial.role));
            let triple = !self.triples.contains(&(trial.way, trial.role, trial.version));
            let pairs = usize::from(way) + usize::from(role);
            if of_case && pairs == 0 { 0 } else { 2 * pairs + usize::from(triple) }
        };
        let gains = trials.iter().map(gain).enumerate();
        // The first of the best, so that a plan is the same each time.
        gains.rev().max_by_key(|(_, gain)| *gain).filter(|(_, gain)| *gain > 0).map(|(index, _)| index)
    }
}
