//! What keeps a transaction from being committed before its time: SQL of an archive may say COMMIT, and what was dropped for it
//! would be gone.
//!
//! A temporary table has two equal rows under a deferred unique constraint. So every COMMIT fails, and takes all back, until one
//! who knows the table removes them. Nobody can drop or empty it meanwhile, because it has pending events; who looks for it can
//! remove its rows, and has to be found out otherwise.

/// A guard of one transaction.
#[derive(Clone, Debug)]
pub struct Guard {
    name: String,
}

impl Guard {
    /// `number` is to be another one for each transaction, and one that nobody guesses.
    #[must_use]
    pub fn new(number: u128) -> Self {
        Self { name: format!("lastgood_{number:032x}") }
    }

    /// psql's input that sets it up. A role that may not make temporary tables goes on without.
    #[must_use]
    pub fn set(&self) -> String {
        let name = &self.name;
        format!(
            "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMP') AS lastgood_guards \\gset\n\
             \\if :lastgood_guards\n\
             CREATE TEMPORARY TABLE {name} (n integer UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP;\n\
             INSERT INTO pg_temp.{name} VALUES (1), (1);\n\
             \\endif\n"
        )
    }

    /// psql's input after which the transaction can be committed.
    #[must_use]
    pub fn lift(&self) -> String {
        let name = &self.name;
        format!(
            "SELECT 'DELETE FROM pg_temp.{name}' WHERE pg_catalog.to_regclass('pg_temp.{name}') IS NOT NULL\n\\gexec\n"
        )
    }

    /// Whether an error of the server's tells that a COMMIT failed at it: in whatever language, it names the constraint.
    #[must_use]
    pub fn is_named_in(&self, error: &str) -> bool {
        error.contains(&self.name)
    }
}
