//! A contest: contestants take turns, round after round.

use std::ops::RangeInclusive;

use serde::Serialize;

use crate::stopwatch::Lap;

/// One who takes part.
pub(crate) struct Contestant<'a> {
    name: String,
    goal: Option<f64>,
    run: Box<dyn FnMut() -> Lap + 'a>,
}

impl<'a> Contestant<'a> {
    /// `run` makes everything ready, has the work timed, and clears up; only the work counts.
    pub(crate) fn new(name: impl Into<String>, run: impl FnMut() -> Lap + 'a) -> Contestant<'a> {
        Contestant { name: name.into(), goal: None, run: Box::new(run) }
    }

    /// At most so many times the floor.
    pub(crate) fn goal(mut self, ratio: f64) -> Contestant<'a> {
        self.goal = Some(ratio);
        self
    }
}

/// What became of a contest.
#[derive(Serialize)]
pub(crate) struct Contest {
    pub(crate) title: String,
    /// What the ratios are of.
    pub(crate) measure: &'static str,
    /// The floor first.
    pub(crate) results: Vec<Standing>,
}

/// What became of a contestant: medians over the rounds.
#[derive(Serialize)]
pub(crate) struct Standing {
    pub(crate) name: String,
    pub(crate) goal: Option<f64>,
    /// The magnitude that is varied, where one is.
    pub(crate) at: Option<f64>,
    /// Of what it took by what the floor took in the same round.
    pub(crate) ratio: f64,
    pub(crate) median: Lap,
    pub(crate) laps: Vec<Lap>,
}

impl Standing {
    /// What it took at this magnitude.
    pub(crate) fn at(self, magnitude: f64, unit: &str) -> Standing {
        Standing { name: format!("{}, {magnitude} {unit}", self.name), at: Some(magnitude), ..self }
    }

    /// Whether it reached its goal, where it has one.
    pub(crate) fn reached(&self) -> Option<bool> {
        self.goal.map(|goal| self.ratio <= goal)
    }
}

/// Lets the contestants, the first of which is the floor, run `rounds` times in turn, after one round that doesn't count:
/// it fills the caches for all alike.
pub(crate) fn race(title: impl Into<String>, contestants: Vec<Contestant<'_>>, rounds: usize) -> Contest {
    let turns = take_turns(contestants, 0..=rounds);
    Contest { title: title.into(), measure: "time", results: standings(turns, |lap| lap.wall) }
}

/// Lets each run once, and compares something else than time.
pub(crate) fn compare(
    measure: &'static str,
    of: fn(&Lap) -> f64,
    title: impl Into<String>,
    contestants: Vec<Contestant<'_>>,
) -> Contest {
    let turns = take_turns(contestants, 1..=1);
    Contest { title: title.into(), measure, results: standings(turns, of) }
}

type Turns<'a> = Vec<(Contestant<'a>, Vec<Lap>)>;

/// Round 0 doesn't count.
fn take_turns(contestants: Vec<Contestant<'_>>, rounds: RangeInclusive<usize>) -> Turns<'_> {
    let mut turns: Turns<'_> = contestants.into_iter().map(|contestant| (contestant, Vec::new())).collect();
    for round in rounds {
        for (contestant, laps) in &mut turns {
            let lap = (contestant.run)();
            if round > 0 {
                eprintln!("  {:>6.2} s  {}", lap.wall, contestant.name);
                laps.push(lap);
            }
        }
    }
    turns
}

fn standings(turns: Turns<'_>, measure: fn(&Lap) -> f64) -> Vec<Standing> {
    let floor: Vec<f64> = turns.first().map_or_else(Vec::new, |(_, laps)| laps.iter().map(measure).collect());
    let standing = |(contestant, laps): (Contestant<'_>, Vec<Lap>)| Standing {
        name: contestant.name,
        goal: contestant.goal,
        at: None,
        ratio: median(laps.iter().zip(&floor).map(|(lap, floor)| measure(lap) / floor)),
        median: middle(&laps),
        laps,
    };
    turns.into_iter().map(standing).collect()
}

fn middle(laps: &[Lap]) -> Lap {
    let of = |value: fn(&Lap) -> f64| median(laps.iter().map(value));
    Lap {
        wall: of(|lap| lap.wall),
        client: of(|lap| lap.client),
        postgres: of(|lap| lap.postgres),
        s3: of(|lap| lap.s3),
        peak: laps.iter().map(|lap| lap.peak).max().unwrap_or(0),
        stored: laps.iter().filter_map(|lap| lap.stored).max(),
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_taken_against_the_floor_of_the_same_round() {
        // A machine that grows slower from round to round: the ratio stays two.
        let walls = |first: f64| {
            let mut wall = first;
            move || {
                wall *= 1.5;
                Lap { wall, ..Lap::default() }
            }
        };
        let contestants = vec![Contestant::new("floor", walls(1.0)), Contestant::new("twice", walls(2.0)).goal(1.9)];
        let contest = race("", contestants, 4);
        assert!((contest.results[1].ratio - 2.0).abs() < 1e-9);
        assert_eq!(contest.results[1].reached(), Some(false));
        assert_eq!(contest.results[1].laps.len(), 4);
    }
}
