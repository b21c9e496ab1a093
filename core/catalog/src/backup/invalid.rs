//! Why a text is no backup's name.

/// The longest stem we make, in bytes: a file name holds 255, and the longest suffix and a staging mark take up to 23.
pub(super) const LONGEST: usize = 232;

/// Why a text is not a backup's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// There is no `_backup_` in it, or nothing before it.
    #[error("`{0}` is not a backup's name: expected DATABASE_backup_YYYYMMDD_HHMMSS or DATABASE_backup_LABEL")]
    NoDatabase(String),
    /// It has a slash or a control character.
    #[error("`{0}` is not a backup's name: it contains a slash or a control character")]
    Unprintable(String),
    /// It is shaped like a timestamp and there is no such time, as `20250230_030000`.
    #[error("`{0}` is not a time: expected YYYYMMDD_HHMMSS, a date that exists, in UTC")]
    ImpossibleTime(String),
    /// It is shaped like a date folder and there is no such day.
    #[error("`{0}` is not a day: expected YYYYMMDD")]
    ImpossibleDay(String),
    /// The label breaks the rules of `Tag::Label`.
    #[error(
        "`{0}` cannot be a backup's label: use letters, digits, `_` and `-`, without `_backup_`, not like a timestamp and not like `_erased_1` at its end"
    )]
    Label(String),
    /// The whole name wouldn't fit a file name with its suffixes.
    #[error("the name `{0}` is longer than {LONGEST} bytes: choose a shorter label")]
    TooLong(String),
}
