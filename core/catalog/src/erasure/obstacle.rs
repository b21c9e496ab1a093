//! Why a backup is left as it is, and what can be done about it.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

/// Until when an object can't be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lock {
    /// None: a legal hold, which ends when somebody ends it.
    pub until: Option<Timestamp>,
    /// Nobody can end it before: Object Lock's COMPLIANCE.
    pub compliance: bool,
}

/// Why nothing can be erased from a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Its bytes are damaged.
    Damaged,
    /// Its upload was never finished.
    Unfinished,
    /// Another program made it.
    Guest,
    /// Its archive is gone.
    OnlyRecords,
    /// Object Lock.
    Locked(Lock),
    /// In an archive storage class of S3, and not brought back.
    Cold,
    /// It is encrypted, and no key is set.
    NoKey,
    /// It is encrypted, and none of the keys that are set opens it.
    OtherKey,
    /// Its manifest can't be read, in words.
    Manifest(String),
    /// No name is left for what would take its place.
    Nameless,
}

impl Obstacle {
    /// What can be done, as an instruction; `name` is the backup's.
    #[must_use]
    pub fn remedy(&self, name: &str) -> String {
        match self {
            Self::Damaged => {
                "nothing can be restored from it: remove its objects by hand, or wait until retention does".to_owned()
            }
            Self::Unfinished => {
                "it never was a backup: prune, or the AWS stack, removes it a week after it came".to_owned()
            }
            Self::Guest => {
                format!("take it over with lastgood adopt {name}, then erase again; or remove the file by hand")
            }
            Self::OnlyRecords => "its records hold no rows, and an index is removed here: prune, or the AWS stack, removes the others by age".to_owned(),
            Self::Locked(Lock { until: None, .. }) => "end the legal hold, then erase again".to_owned(),
            Self::Locked(Lock { compliance: true, .. }) => {
                "erase again when the lock has ended; nobody can end it before".to_owned()
            }
            Self::Locked(_) => {
                "erase again when the lock has ended, or let an administrator end it (s3:BypassGovernanceRetention)"
                    .to_owned()
            }
            Self::Cold => {
                format!("bring it back with lastgood restore {name} --into SCRATCH --retrieval bulk, then erase again")
            }
            Self::NoKey => "set BACKUP_AGE_IDENTITY_FILE to its key, then erase again".to_owned(),
            Self::OtherKey => "add its key to the file of BACKUP_AGE_IDENTITY_FILE, then erase again".to_owned(),
            Self::Manifest(_) => "use the newest lastgood, or remove its objects by hand".to_owned(),
            Self::Nameless => "restore it, change it and back it up by hand, then remove it".to_owned(),
        }
    }

    /// Until when it is known to last.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        if let Self::Locked(lock) = self { lock.until } else { None }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => f.write_str("it is damaged"),
            Self::Unfinished => f.write_str("its upload was never finished"),
            Self::Guest => f.write_str("another program made it"),
            Self::OnlyRecords => f.write_str("its archive is gone"),
            Self::Locked(Lock { until: Some(until), .. }) => {
                write!(f, "Object Lock keeps it until {}", until.strftime("%Y-%m-%d %H:%M:%S UTC"))
            }
            Self::Locked(_) => f.write_str("a legal hold keeps it"),
            Self::Cold => f.write_str("it is in Glacier"),
            Self::NoKey => f.write_str("it is encrypted, and no key is set here"),
            Self::OtherKey => f.write_str("it is encrypted, and none of the keys that are set here opens it"),
            Self::Manifest(how) => write!(f, "its manifest cannot be used: {how}"),
            Self::Nameless => f.write_str("no name is left for what would take its place"),
        }
    }
}
