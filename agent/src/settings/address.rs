//! A database's address while it is found part by part: each part knows who named it, and who named another.

use std::collections::BTreeMap;
use std::fmt;

use postgres::Secret;
use postgres::libpq::Variables;

use super::layers::{Found, Source};

/// The parts that choose a database, in words.
const PARTS: [(&str, &str); 5] = [
    ("PGHOST", "host"),
    ("PGPORT", "port"),
    ("PGDATABASE", "database"),
    ("PGUSER", "role"),
    ("PGPASSWORD", "password"),
];
/// The names of this machine itself.
const HERE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) name: String,
    pub(super) source: Source,
    /// See [`Found::distance`].
    pub(super) distance: usize,
}

impl Origin {
    pub(super) fn of(found: &Found) -> Self {
        Self { name: found.name.clone(), source: found.source.clone(), distance: found.distance }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.source)
    }
}

/// One part's value, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) value: Secret,
    pub(super) origin: Origin,
}

impl Claim {
    pub(super) fn of(found: &Found) -> Self {
        Self { value: Secret::new(&found.text), origin: Origin::of(found) }
    }
}

/// What one place says, by libpq's variables.
pub(super) type Claims = BTreeMap<&'static str, Claim>;

/// The parts that are decided, strongest first.
#[derive(Default)]
pub(super) struct Address {
    claims: Claims,
    differences: Vec<Difference>,
}

/// A part that two places name differently.
struct Difference {
    part: &'static str,
    loser: Origin,
    winner: Origin,
}

impl Address {
    /// What a weaker place says about parts that no stronger one named.
    pub(super) fn add(&mut self, weaker: Claims) {
        // A host that was named must not be reached at the address of another.
        let host_is_known = self.claims.contains_key("PGHOST");
        for (variable, claim) in weaker {
            if self.differs(variable, &claim) {
                self.note(variable, &claim.origin);
            }
            if variable != "PGHOSTADDR" || !host_is_known {
                self.claims.entry(variable).or_insert(claim);
            }
        }
    }

    /// Sets a part that nobody has named.
    pub(super) fn fill(&mut self, variable: &'static str, claim: Claim) {
        self.claims.entry(variable).or_insert(claim);
    }

    pub(super) fn claim(&self, variable: &str) -> Option<&Claim> {
        self.claims.get(variable)
    }

    pub(super) fn get(&self, variable: &str) -> Option<&str> {
        self.claim(variable).map(|claim| claim.value.expose())
    }

    pub(super) fn claims(&self) -> impl Iterator<Item = (&'static str, &Claim)> {
        self.claims.iter().map(|(variable, claim)| (*variable, claim))
    }

    pub(super) fn remove(&mut self, variable: &str) {
        self.claims.remove(variable);
    }

    /// Whether a part is decided, and otherwise than here.
    pub(super) fn differs(&self, variable: &str, claim: &Claim) -> bool {
        self.get(variable).is_some_and(|decided| !is_same(variable, decided, claim.value.expose()))
    }

    /// Remembers that `loser` names a part differently. Who stands farther away was overruled on purpose.
    pub(super) fn note(&mut self, variable: &str, loser: &Origin) {
        let part = PARTS.iter().find(|(name, _)| *name == variable).map(|(_, part)| *part);
        let Some((part, winner)) = part.zip(self.claim(variable)) else { return };
        if loser.distance <= winner.origin.distance {
            self.differences.push(Difference { part, loser: loser.clone(), winner: winner.origin.clone() });
        }
    }

    /// A line for each place that names something else than what counts. `is_named`: the database itself was chosen, so that
    /// another one is no surprise.
    pub(super) fn warnings(&self, is_named: bool) -> Vec<String> {
        let mut lines: Vec<(&Origin, Vec<&str>, Vec<String>)> = Vec::new();
        for difference in self.differences.iter().filter(|difference| !(is_named && difference.part == "database")) {
            let winner = difference.winner.to_string();
            match lines.iter_mut().find(|(loser, ..)| *loser == &difference.loser) {
                Some((_, parts, winners)) => {
                    parts.push(difference.part);
                    if !winners.contains(&winner) {
                        winners.push(winner);
                    }
                }
                None => lines.push((&difference.loser, vec![difference.part], vec![winner])),
            }
        }
        let line = |(loser, parts, winners): &(&Origin, Vec<&str>, Vec<String>)| {
            let wins = if winners.len() == 1 { "wins" } else { "win" };
            format!("{loser} names another {} than {}, which {wins}", list(parts), list(winners))
        };
        lines.iter().map(line).collect()
    }

    pub(super) fn into_variables(self) -> Variables {
        self.claims.into_iter().map(|(variable, claim)| (variable, claim.value)).collect()
    }
}

/// Whether two values mean the same.
pub(super) fn is_same(variable: &str, one: &str, other: &str) -> bool {
    let is_here = |host: &str| HERE.contains(&host);
    one == other || (variable == "PGHOST" && is_here(one) && is_here(other))
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}
