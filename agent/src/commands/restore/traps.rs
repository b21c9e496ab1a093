//! What an empty search_path would make fail, by the archive and by what the server knows.

use std::collections::BTreeSet;

use postgres::database::known_names;
use postgres::words::traps::Trap;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::failure::{LIVE_IS_UNCHANGED, unexplained};
use crate::commands::restore::head::Head;
use crate::commands::restore::server::{Server, Target};

/// What will fail, and what may.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traps {
    pub(crate) all: Vec<Trap>,
    /// What functions name without a schema, or may, and is nothing that every database has.
    pub(crate) names: BTreeSet<String>,
}

impl Traps {
    /// Asks the server about the names that functions use without a schema.
    ///
    /// # Errors
    /// Exit 1 when it cannot be asked.
    pub(crate) fn ask(server: &Server, head: &Head, target: &Target) -> Result<Self, Failure> {
        let names = head.definitions.unqualified();
        let extensions: BTreeSet<&str> =
            head.entries("EXTENSION").map(|entry| entry.name.as_str()).filter(|name| *name != "plpgsql").collect();
        let living = target.living.as_ref().map(|_| &server.psql);
        let known = known_names::ask(&server.maintenance, living, &names, &extensions)
            .map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
        Ok(Self { all: head.definitions.traps(&known), names: head.definitions.suspects(&known) })
    }

    /// A failure that a name without its schema may have caused, with the way out. What was found in advance is refused there;
    /// a name may as well stand in a text that a function puts together.
    pub(crate) fn explain(&self, failure: Failure) -> Failure {
        let is_unexplained = failure.hint.as_ref() == Some(&unexplained());
        let mut words = failure.error.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        if !is_unexplained || !words.any(|word| self.names.contains(word)) {
            return failure;
        }
        failure.hint(format!(
            "{LIVE_IS_UNCHANGED}; where a function names this without its schema, --search-path-fix gives it a search_path"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_names_a_suspect_leads_to_the_option() {
        let traps = Traps { all: Vec::new(), names: ["is_odd".to_owned()].into() };
        let hint = |error: &str, hint: &str| traps.explain(Failure::new(Exit::Failed, error).hint(hint)).hint.unwrap();
        for error in ["FEHLER: Funktion is_odd(integer) existiert nicht", "relation \"is_odd\" does not exist"] {
            assert!(hint(error, &unexplained()).contains("--search-path-fix"), "{error}");
        }
        assert_eq!(hint("function is_odd_or_even(integer) does not exist", &unexplained()), unexplained());
        assert_eq!(hint("is_odd", "another"), "another");
    }
}
