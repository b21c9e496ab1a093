//! Why a repository could not do what was asked: what happened, to which object, and what to do about it. The texts
//! carry no secrets: no keys, no headers, no bodies.

mod endpoint;
mod hint;

use std::io;
use std::path::PathBuf;

use catalog::DocumentError;
use catalog::words::second;
use jiff::Timestamp;

pub use endpoint::{CertificateFault, EndpointError};

/// A failure of the repository. What is wrong with a backup's bytes is never an error, but a verdict of the catalog.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such object, file or directory.
    #[error("{object} does not exist")]
    NotFound {
        /// Key or path, as a user would write it.
        object: String,
    },
    /// There is no such bucket.
    #[error("the bucket {bucket} does not exist (NoSuchBucket)")]
    NoSuchBucket {
        /// Its name.
        bucket: String,
        /// Another store than AWS.
        endpoint: Option<String>,
    },
    /// The identity lacks a permission.
    #[error("access denied (AccessDenied): {action} on {resource}{}", told(said.as_deref()))]
    AccessDenied {
        /// The IAM action, such as `s3:PutObject`, or `write` for a file.
        action: String,
        /// What it was tried on.
        resource: String,
        /// The words of another store than AWS, which may have no other code for a key that it doesn't know.
        said: Option<String>,
    },
    /// The bucket is another account's than the settings say.
    #[error("the bucket {bucket} belongs to another account than {owner}")]
    OthersBucket {
        /// Its name.
        bucket: String,
        /// The account that it must belong to.
        owner: String,
    },
    /// The bucket is in another region than the one asked.
    #[error("the bucket {bucket} is not in the region {asked}")]
    WrongRegion {
        /// Its name.
        bucket: String,
        /// The region that was asked.
        asked: String,
        /// The right one, where the store said it.
        actual: Option<String>,
    },
    /// No credentials were found.
    #[error("no AWS credentials were found (NoCredentialsError): {cause}")]
    NoCredentials {
        /// The provider chain's own words.
        cause: String,
    },
    /// The store doesn't know the key, or the secret doesn't fit it.
    #[error("the store refused the access key ({code}): {}", fault.words())]
    BadCredentials {
        /// S3's code.
        code: String,
        /// Which part of them.
        fault: CredentialsFault,
        /// Another store than AWS.
        endpoint: Option<String>,
    },
    /// A session's credentials are too old.
    #[error("the AWS credentials have expired ({code})")]
    ExpiredCredentials {
        /// S3's code.
        code: String,
    },
    /// The same, where others were fetched: the next try has those.
    #[error("the AWS credentials had expired ({code}), and were fetched again")]
    RenewedCredentials {
        /// The store's error code.
        code: String,
    },
    /// This machine's clock differs too much from the store's.
    #[error("the store refused the request's time (RequestTimeTooSkewed){}", clocks(*ours, *theirs))]
    ClockSkew {
        /// This machine's time.
        ours: Timestamp,
        /// The store's, where it said it.
        theirs: Option<Timestamp>,
    },
    /// The address leads to no store.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The store accepted the request, and what it answered makes no sense.
    #[error("the store's answer to {action} on {object} cannot be read: {cause}")]
    Unreadable {
        /// The IAM action of the request.
        action: String,
        /// Its object.
        object: String,
        /// The innermost cause.
        cause: String,
    },
    /// The run was told to stop, by the signal of this name.
    #[error("stopped by {0}")]
    Interrupted(&'static str),
    /// The store cannot be reached, or a connection broke.
    #[error("the network is unreachable: {object}: {cause}")]
    NetworkAway {
        /// What was being read or written.
        object: String,
        /// The innermost cause.
        cause: String,
    },
    /// No answer came in time.
    #[error("no answer for {object} within {seconds} s")]
    Timeout {
        /// What was being read or written.
        object: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The store says that it cannot serve the request now.
    #[error("the store cannot serve {object} now ({code})")]
    Unavailable {
        /// What was being read or written.
        object: String,
        /// S3's code, or the HTTP status.
        code: String,
        /// For a support case.
        request_id: Option<String>,
    },
    /// Something with this name was there before; it stays untouched.
    #[error("{object} already exists with other content")]
    Exists {
        /// Key or path.
        object: String,
    },
    /// The store gave up this write because of a concurrent one (409): the upload has to start from its beginning.
    #[error("the store gave up this write to {object} because of a concurrent one (409)")]
    Conflict {
        /// Its key.
        object: String,
    },
    /// The multipart upload is no longer there: completed by an earlier try, or aborted.
    #[error("the multipart upload of {object} no longer exists (NoSuchUpload)")]
    UploadGone {
        /// Its key.
        object: String,
    },
    /// The object is not the one that was listed.
    #[error("{object} has changed since it was listed")]
    Changed {
        /// Key or path.
        object: String,
    },
    /// The object is in Glacier and cannot be read.
    #[error("{object} is in Glacier and cannot be read before it is thawed (InvalidObjectState)")]
    Archived {
        /// As `s3://bucket/key`.
        object: String,
    },
    /// S3 has no room for an expedited retrieval just now.
    #[error("{object} cannot be brought back within minutes now (GlacierExpeditedRetrievalNotAvailable)")]
    NoExpedited {
        /// As `s3://bucket/key`.
        object: String,
    },
    /// The bytes that arrived are not those that were sent.
    #[error("the stored bytes of {object} differ from those sent: {cause}")]
    Checksum {
        /// Key or path.
        object: String,
        /// The comparison that failed.
        cause: String,
    },
    /// The bytes of a record that came are not those that the store says it has.
    #[error("{object} did not come as the store has it: {cause}")]
    Misread {
        /// As `s3://bucket/key`.
        object: String,
        /// The comparison that failed.
        cause: String,
    },
    /// The store takes no more parts.
    #[error("{object} needs more than the {max_parts} parts that the store takes")]
    TooManyParts {
        /// Its key.
        object: String,
        /// The limit.
        max_parts: u32,
    },
    /// A record is larger than any of ours.
    #[error("{object} is larger than {limit} bytes, too large for a record")]
    TooLarge {
        /// Key or path.
        object: String,
        /// Bytes.
        limit: u64,
    },
    /// A record isn't what its name says, or a newer version wrote it.
    #[error("the record {object} cannot be used: {source}")]
    Document {
        /// Key or path.
        object: String,
        /// What is wrong with it.
        source: DocumentError,
    },
    /// A listing is not whole.
    #[error("the listing of {object} is incomplete: {cause}")]
    IncompleteListing {
        /// Bucket and prefix, or directory.
        object: String,
        /// What was missing.
        cause: String,
    },
    /// No space is left, or a quota is used up.
    #[error("no space left for {}", path.display())]
    DiskFull {
        /// The file being written.
        path: PathBuf,
    },
    /// The operating system refused something to do with a file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Settings that the SDK refuses.
    #[error("the bucket's settings cannot be used: {cause}")]
    Settings {
        /// What the SDK objects to.
        cause: String,
    },
    /// Anything else the store said.
    #[error("{action} on {object} failed: {code}: {message}{}", in_brackets(request_id.as_deref()))]
    Other {
        /// The IAM action of the request.
        action: String,
        /// Its object.
        object: String,
        /// S3's code, or the HTTP status.
        code: String,
        /// S3's message.
        message: String,
        /// For a support case.
        request_id: Option<String>,
    },
}

/// Which part of the credentials a store refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialsFault {
    /// It doesn't know the key.
    Key,
    /// The secret isn't the key's.
    Secret,
    /// The session token isn't one, or isn't the key's.
    Token,
}

impl CredentialsFault {
    fn words(self) -> &'static str {
        match self {
            Self::Key => "it does not know it",
            Self::Secret => "the secret is not the key's",
            Self::Token => "the session token is not the key's",
        }
    }
}

fn clocks(ours: Timestamp, theirs: Option<Timestamp>) -> String {
    let theirs = theirs.map(|theirs| format!(", there {}", second(theirs)));
    format!(": it is {} here{}", second(ours), theirs.unwrap_or_default())
}

fn told(said: Option<&str>) -> String {
    said.map(|said| format!(": {said}")).unwrap_or_default()
}

fn in_brackets(request_id: Option<&str>) -> String {
    request_id.map(|id| format!(" (request id {id})")).unwrap_or_default()
}

impl Error {
    /// True when the same request may succeed later without any change.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        let may_pass = matches!(self, Self::Endpoint(error) if error.may_pass());
        let passes = matches!(self, Self::Unavailable { .. } | Self::RenewedCredentials { .. } | Self::Misread { .. });
        may_pass || self.is_network() || passes
    }

    /// True when the store wasn't reached: worth waiting for within the retry budget.
    #[must_use]
    pub fn is_network(&self) -> bool {
        matches!(self, Self::NetworkAway { .. } | Self::Timeout { .. })
    }

    /// Whether nothing can be stored there before somebody mends it: no such bucket, another's, credentials that are refused, an address
    /// that leads to no store. A missing right is none: who may not list may still store.
    #[must_use]
    pub fn is_closed_door(&self) -> bool {
        let leads_nowhere = matches!(self, Self::Endpoint(error) if !error.may_pass());
        leads_nowhere
            || matches!(
                self,
                Self::NoSuchBucket { .. }
                    | Self::WrongRegion { .. }
                    | Self::OthersBucket { .. }
                    | Self::NoCredentials { .. }
                    | Self::BadCredentials { .. }
                    | Self::ExpiredCredentials { .. }
                    | Self::ClockSkew { .. }
                    | Self::Settings { .. }
            )
    }

    /// The store says that it can't put on a condition.
    pub(crate) fn lacks_conditions(&self) -> bool {
        matches!(self, Self::Other { code, .. } if code == "NotImplemented" || code == "HTTP 501")
    }

    /// The store takes no checksums in the list of an upload's parts (Swift).
    pub(crate) fn lacks_checksums(&self) -> bool {
        matches!(self, Self::Other { code, .. } if code == "MalformedXML")
    }

    /// A failure of the file system, with disk full and missing permission told apart.
    pub(crate) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::NotFound => Self::NotFound { object: path.display().to_string() },
            io::ErrorKind::AlreadyExists => Self::Exists { object: path.display().to_string() },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                let resource = path.display().to_string();
                Self::AccessDenied { action: "file access".to_owned(), resource, said: None }
            }
            _ => Self::Io { path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_disks_and_refused_files_are_told_apart() {
        let error = |kind: i32| Error::io("/b/x", io::Error::from_raw_os_error(kind));
        assert!(matches!(error(28), Error::DiskFull { .. }));
        assert!(matches!(error(122), Error::DiskFull { .. }));
        assert!(matches!(error(13), Error::AccessDenied { .. }));
        assert!(matches!(error(5), Error::Io { .. }));
    }

    #[test]
    fn a_frozen_archive_is_thawed_by_the_commands_of_its_hint() {
        let hint = Error::Archived { object: "s3://b/it's/a.sql.gz".into() }.hint().unwrap();
        let object = r#"--bucket b --key "it's/a.sql.gz""#;
        assert!(hint.contains(&format!("aws s3api restore-object {object} --restore-request")), "{hint}");
        assert!(hint.ends_with(&format!("aws s3api head-object {object} --query Restore")), "{hint}");
    }

    #[test]
    fn a_full_disk_names_the_file_and_what_to_do() {
        let error = Error::io("/backups/.x.partial", io::Error::from_raw_os_error(28));
        assert_eq!(error.to_string(), "no space left for /backups/.x.partial");
        assert_eq!(error.hint().unwrap(), "free some space: df -h /backups; du -sh /backups");
    }
}
