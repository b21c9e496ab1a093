//! What the histories had in them, so that nobody takes a world for hostile in which nothing happens.

use std::fmt;

macro_rules! tally {
    ($($field:ident: $what:literal,)*) => {
        #[derive(Default)]
        pub(crate) struct Tally {
            $(pub(crate) $field: u64,)*
        }

        impl Tally {
            pub(crate) fn add(&mut self, other: &Self) {
                $(self.$field += other.$field;)*
            }

            /// Each of these happened.
            pub(crate) fn is_about_something(&self) {
                $(assert!(self.$field > 0, "not once: {}", $what);)*
            }
        }

        impl fmt::Display for Tally {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $(writeln!(f, "{:>12} {}", self.$field, $what)?;)*
                Ok(())
            }
        }
    };
}

tally! {
    histories: "histories",
    backups: "backups, guests and remains in them",
    plans: "plans that were held to what must stay",
    removals: "removals in these plans",
    refused: "plans refused because more than half would go",
    held: "backups kept for the sake of a shrink alone",
    of_the_future: "plans with good backups of the future",
    clocks: "wrong clocks",
    saved_by_clock: "wrong clocks that kept what a right one lets go",
    richer: "policies made richer",
    fill_changed: "richer policies that let go what only the minimum had kept",
    deletions: "deletions",
    refusals: "deletions that the store refused",
    locked: "deletions that met a lock",
    crashes: "runs killed between two deletions",
    lying: "listings that left something out unsaid",
    changed: "deletions held back because there was more than was listed",
    refilled: "listings with a part left out, by which went what only the minimum had kept",
    pairs: "pairs of retentions at once",
    days: "days lived through",
    day_refused: "plans refused because of what the day had removed already",
}
