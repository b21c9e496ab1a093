//! How a run ends: an exit status that monitoring can rely on, and for a failure one line of what and one of what to do.

use std::process::ExitCode;

/// The exit status of every command. The numbers are a contract: `--help` and the README list them. (A Nagios plugin has its own: `check --format nagios`.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Everything asked for was done.
    Done = 0,
    /// It failed, or was only partly done, or the prompt was answered with no.
    Failed = 1,
    /// The command line or a setting is wrong.
    Usage = 2,
    /// Another run holds the lock.
    Locked = 3,
    /// A backup is damaged.
    Damaged = 4,
    /// No such backup, database or file.
    NotFound = 5,
    /// `check`, `status`: backups too old, too few, too small, damaged, or none at all. `drill`, `diff`: two that should be the same are not.
    Unhealthy = 6,
}

impl Exit {
    /// The exit status as a number.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command didn't do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}{}", .hint.as_ref().map_or(String::new(), |hint| format!("\nhint: {hint}")))]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: String,
    /// What to do about it, as an instruction.
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, error: impl Into<String>) -> Self {
        Self { exit, error: error.into(), hint: None }
    }

    /// The same failure, and what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<repository::Error> for Failure {
    fn from(error: repository::Error) -> Self {
        use repository::Error;
        let exit = match error {
            Error::NotFound { .. } => Exit::NotFound,
            Error::NoSuchBucket { .. }
            | Error::WrongRegion { .. }
            | Error::OthersBucket { .. }
            | Error::NoCredentials { .. }
            | Error::BadCredentials { .. }
            | Error::TooManyParts { .. }
            | Error::Settings { .. } => Exit::Usage,
            Error::Endpoint(ref error) if error.is_setting() => Exit::Usage,
            _ => Exit::Failed,
        };
        Self { exit, error: error.to_string(), hint: error.hint() }
    }
}

impl From<postgres::Error> for Failure {
    fn from(error: postgres::Error) -> Self {
        use postgres::Error;
        let exit = match error {
            Error::NoSuchDatabase { .. } => Exit::NotFound,
            Error::ToolMissing { .. } | Error::ToolTooOld { .. } | Error::ToolBroken { .. } => Exit::Usage,
            _ => Exit::Failed,
        };
        Self { exit, error: error.to_string(), hint: error.hint() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_reads_as_error_then_hint() {
        let failure = Failure::new(Exit::NotFound, "no such backup").hint("see what there is: lastgood list");
        assert_eq!(failure.to_string(), "no such backup\nhint: see what there is: lastgood list");
        assert_eq!(Failure::new(Exit::Failed, "it broke").to_string(), "it broke");
    }

    #[test]
    fn what_a_setting_would_mend_ends_in_two() {
        let failure = Failure::from(repository::Error::NoSuchBucket { bucket: "b".into(), endpoint: None });
        assert_eq!((failure.exit, failure.hint.is_some()), (Exit::Usage, true));
        let failure = Failure::from(repository::Error::NotFound { object: "o".into() });
        assert_eq!(failure.exit, Exit::NotFound);
    }

    #[test]
    fn a_database_that_is_not_there_ends_in_five_and_a_missing_program_in_two() {
        use postgres::Error;
        let (place, cause) = ("database shop".to_owned(), "FATAL".to_owned());
        for (error, exit) in [
            (Error::NoSuchDatabase { place: place.clone(), cause: cause.clone() }, Exit::NotFound),
            (Error::ToolMissing { program: "psql".to_owned(), needed: None }, Exit::Usage),
            (Error::Unreachable { place, cause, obstacle: postgres::Obstacle::NoServer }, Exit::Failed),
            (Error::Interrupted("SIGTERM"), Exit::Failed),
        ] {
            assert_eq!(Failure::from(error).exit, exit);
        }
    }

    #[test]
    fn exit_statuses_are_the_documented_numbers() {
        let all = [Exit::Done, Exit::Failed, Exit::Usage, Exit::Locked, Exit::Damaged, Exit::NotFound, Exit::Unhealthy];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 3, 4, 5, 6]);
    }
}
