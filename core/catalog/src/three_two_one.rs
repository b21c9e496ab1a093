//! 3-2-1: three copies of the data, the database itself among them, on two kinds of storage, and one of them on another machine.

use std::collections::BTreeSet;
use std::fmt;

/// Copies that there should be.
const COPIES: usize = 3;

/// Where a copy of the data is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// What kind of storage it is on: a disk, or a store.
    pub kind: String,
    /// The machine, or the store.
    pub location: String,
}

/// A part of the rule that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// There are only so many copies, the database itself among them.
    Copies(usize),
    /// All are on one kind of storage.
    Kinds,
    /// All are where the database is.
    Elsewhere,
}

/// What of the rule does not hold for a database and the copies of it.
#[must_use]
pub fn gaps(database: &Holder, copies: &[Holder]) -> Vec<Gap> {
    let all = 1 + copies.len();
    let kinds: BTreeSet<&str> = copies.iter().chain([database]).map(|holder| holder.kind.as_str()).collect();
    let is_elsewhere = copies.iter().any(|copy| copy.location != database.location);
    let gaps = [
        (all < COPIES).then_some(Gap::Copies(all)),
        (kinds.len() < 2).then_some(Gap::Kinds),
        (!is_elsewhere).then_some(Gap::Elsewhere),
    ];
    gaps.into_iter().flatten().collect()
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Copies(copies) => {
                let word = if *copies == 1 { "copy" } else { "copies" };
                write!(f, "{copies} {word} instead of {COPIES}, counting the database itself")
            }
            Self::Kinds => f.write_str("all on one kind of storage"),
            Self::Elsewhere => f.write_str("none on another machine"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(kind: &str, location: &str) -> Holder {
        Holder { kind: kind.to_owned(), location: location.to_owned() }
    }

    #[test]
    fn each_part_of_the_rule_is_named_by_itself() {
        let here = holder("disk", "this machine");
        let aws = holder("AWS", "AWS");
        let local_store = holder("http://127.0.0.1:9000", "this machine");
        let table: [(&[Holder], &[Gap]); 6] = [
            (&[], &[Gap::Copies(1), Gap::Kinds, Gap::Elsewhere]),
            (std::slice::from_ref(&here), &[Gap::Copies(2), Gap::Kinds, Gap::Elsewhere]),
            (std::slice::from_ref(&aws), &[Gap::Copies(2)]),
            (&[here.clone(), aws.clone()], &[]),
            (&[here.clone(), local_store.clone()], &[Gap::Elsewhere]),
            (&[aws.clone(), aws.clone()], &[]),
        ];
        for (copies, expected) in table {
            assert_eq!(gaps(&here, copies), expected, "{copies:?}");
        }
        let said: Vec<String> = gaps(&here, &[]).iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(said.join("; "), @"1 copy instead of 3, counting the database itself; all on one kind of storage; none on another machine");
        // A directory here is elsewhere for a database that is on another machine.
        assert_eq!(gaps(&holder("disk", "db1"), &[here.clone(), here]), [Gap::Kinds]);
    }
}
