//! Why a repository couldn't do what was asked: what happened, to which object, and what to do about it. The texts
//! carry no secrets: no keys, no headers, no bodies.

use std::{io, path::PathBuf};

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
    },
    /// The identity lacks a permission.
    #[error("access denied (AccessDenied): {action} on {resource}")]
    AccessDenied {
        /// The IAM action, such as `s3:PutObject`, or `write` for a file.
        action: String,
        /// What it was tried on.
        resource: String,
    },
    /// The bucket lies in another region than the one asked.
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
        /// What the provider chain said.
        cause: String,
    },
    /// The store doesn't know the key, or the secret doesn't fit it.
    #[error("the store refused the access key ({code})")]
    BadCredentials {
        /// S3's code.
        code: String,
    },
    /// A session's credentials are too old.
    #[error("the AWS credentials have expired ({code})")]
    ExpiredCredentials {
        /// S3's code.
        code: String,
    },
    /// This machine's clock differs too much from the store's.
    #[error("the store refused the request's time (RequestTimeTooSkewed)")]
    ClockSkew,
    /// The store can't be reached, or a connection broke.
    #[error("the network is away: {object}: {cause}")]
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
    /// The store says that it can't now.
    #[error("the store can't serve {object} now ({code})")]
    Unavailable {
        /// What was being read or written.
        object: String,
        /// S3's code, or the HTTP status.
        code: String,
        /// For a support case.
        request_id: Option<String>,
    },
    /// Something with this name was there before; it stays untouched.
    #[error("{object} exists already, with other content")]
    Exists {
        /// Key or path.
        object: String,
    },
    /// A concurrent write made the store give this one up (409): the upload has to start from its beginning.
    #[error("a concurrent write to {object} made the store give this one up (409)")]
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
    /// The object lies in Glacier and can't be read.
    #[error("{object} lies in Glacier and can't be read before it is thawed (InvalidObjectState)")]
    Archived {
        /// As `s3://bucket/key`.
        object: String,
    },
    /// The bytes that arrived are not those that were sent.
    #[error("the stored bytes of {object} differ from those sent: {cause}")]
    Checksum {
        /// Key or path.
        object: String,
        /// Which comparison failed.
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
    #[error("{object} has more than {limit} bytes, too many for a record")]
    TooLarge {
        /// Key or path.
        object: String,
        /// Bytes.
        limit: u64,
    },
    /// A listing didn't come whole.
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
    #[error("the bucket's settings can't be used: {cause}")]
    Settings {
        /// Why.
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

fn in_brackets(request_id: Option<&str>) -> String {
    request_id.map(|id| format!(" (request id {id})")).unwrap_or_default()
}

impl Error {
    /// True when the same request may succeed later with nothing changed by anybody.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.is_network() || matches!(self, Self::Unavailable { .. })
    }

    /// True when the store wasn't reached: worth waiting for within the retry budget.
    #[must_use]
    pub fn is_network(&self) -> bool {
        matches!(self, Self::NetworkAway { .. } | Self::Timeout { .. })
    }

    /// What to do about it, in one line.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { .. } => "list what is there: lastgood list".to_owned(),
            Self::NoSuchBucket { .. } => "check BACKUP_S3_BUCKET, or create the bucket: aws s3 mb s3://NAME".to_owned(),
            Self::AccessDenied { action, resource } => access_hint(action, resource),
            Self::WrongRegion { actual: Some(region), .. } => format!("set AWS_REGION={region}"),
            Self::WrongRegion { actual: None, .. } => {
                "ask for it: aws s3api get-bucket-location --bucket NAME; then set AWS_REGION".to_owned()
            }
            Self::NoCredentials { .. } => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or BACKUP_AWS_…), or name a \
                                           profile with AWS_PROFILE; try them: aws sts get-caller-identity"
                    .to_owned()
            }
            Self::BadCredentials { .. } => {
                "check the access key and its secret, without quotes around them: aws sts get-caller-identity"
                    .to_owned()
            }
            Self::ExpiredCredentials { .. } => {
                "log in again, or use a role or profile, whose credentials renew themselves".to_owned()
            }
            Self::ClockSkew => "set this machine's clock: timedatectl set-ntp true".to_owned(),
            Self::NetworkAway { .. } | Self::Timeout { .. } => {
                "check the network, the region and the endpoint; BACKUP_RETRY_MINUTES says how long to wait for them"
                    .to_owned()
            }
            Self::Unavailable { .. } => "the store's own trouble as a rule: run it again later".to_owned(),
            Self::Exists { .. } => {
                "nothing was overwritten; if the one that is there is not wanted, remove it first".to_owned()
            }
            Self::Conflict { .. } | Self::UploadGone { .. } => "run the backup once again".to_owned(),
            Self::Changed { .. } => "list again, and choose again".to_owned(),
            Self::Archived { object } => thaw_hint(object),
            Self::Checksum { .. } => {
                "run it again; if it comes back, test this machine's memory and network".to_owned()
            }
            Self::TooManyParts { .. } => "raise the part size".to_owned(),
            Self::TooLarge { .. } => "this file is none of ours: move it elsewhere".to_owned(),
            Self::IncompleteListing { .. } => "nothing is decided on part of a listing: run it again".to_owned(),
            Self::DiskFull { path } => {
                let directory = path.parent().unwrap_or(path);
                format!("free some space: df -h {}; du -sh {}", directory.display(), directory.display())
            }
            Self::Io { .. } | Self::Settings { .. } | Self::Other { .. } => return None,
        })
    }

    /// A failure of the file system, with disk full and missing permission told apart.
    pub(crate) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::NotFound => Self::NotFound { object: path.display().to_string() },
            io::ErrorKind::AlreadyExists => Self::Exists { object: path.display().to_string() },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::AccessDenied { action: "file access".to_owned(), resource: path.display().to_string() }
            }
            _ => Self::Io { path, source },
        }
    }
}

/// The hours are those of Glacier Flexible Retrieval; Deep Archive takes up to 12, and knows no `Expedited`.
fn thaw_hint(url: &str) -> String {
    let (bucket, key) = url.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).unwrap_or(("BUCKET", url));
    let object = format!("--bucket {} --key {}", shell_word(bucket), shell_word(key));
    format!(
        "thaw it, as an identity that has s3:RestoreObject: aws s3api restore-object {object} --restore-request \
         'Days=7,GlacierJobParameters={{Tier=Standard}}' (3 to 5 hours; Tier=Expedited: minutes); it is done when this says \
         ongoing-request=\"false\": aws s3api head-object {object} --query Restore"
    )
}

fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn access_hint(action: &str, resource: &str) -> String {
    match action {
        "file access" => {
            format!(
                "run as the owner of {resource}, or change it: ls -ld {resource}; a read-only file system looks alike"
            )
        }
        "s3:ListBucket" => {
            "allow s3:ListBucket on the bucket itself (arn:aws:s3:::NAME), not on its objects (…/*)".to_owned()
        }
        "s3:ListBucketVersions" => {
            "removal goes by version: allow s3:ListBucketVersions on the bucket and s3:DeleteObjectVersion on its objects for \
             this identity, whether or not the bucket keeps versions; docs/security.md lists what each command needs"
                .to_owned()
        }
        _ => format!("allow {action} for this identity on {resource}; docs/security.md lists what each command needs"),
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
        let object = r"--bucket 'b' --key 'it'\''s/a.sql.gz'";
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
