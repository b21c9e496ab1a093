//! What to do about each error, in one line: an instruction that works when it is followed.

use catalog::words::shell_word;

use super::{CredentialsFault, Error};

impl Error {
    /// What to do about it, in one line.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { .. } => "list what is there: lastgood list".to_owned(),
            Self::NoSuchBucket { bucket, endpoint } => {
                let create = aws(endpoint.as_deref(), &format!("s3 mb s3://{}", shell_word(bucket)));
                format!("check BACKUP_S3_BUCKET, or create the bucket: {create}")
            }
            Self::AccessDenied { action, resource, said } => access(action, resource, said.is_some()),
            Self::OthersBucket { .. } => OTHERS.to_owned(),
            Self::WrongRegion { actual: Some(region), .. } => format!("set AWS_REGION={region}"),
            Self::WrongRegion { actual: None, bucket, .. } => {
                format!("ask for it: aws s3api get-bucket-location --bucket {}; then set AWS_REGION", shell_word(bucket))
            }
            Self::NoCredentials { .. } => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or BACKUP_AWS_…), or name a profile with AWS_PROFILE"
                    .to_owned()
            }
            Self::BadCredentials { fault, endpoint, .. } => credentials(*fault, endpoint.as_deref()),
            Self::ExpiredCredentials { .. } | Self::RenewedCredentials { .. } => {
                "log in again, or use a role or profile, whose credentials renew themselves".to_owned()
            }
            Self::ClockSkew { .. } => "set this machine's clock: timedatectl set-ntp true".to_owned(),
            Self::Endpoint(error) => error.hint(),
            Self::Unreadable { .. } => {
                "look whether docs/install.md has settings for this store; a proxy in between may have changed the answer"
                    .to_owned()
            }
            Self::Interrupted(_) => "start it again".to_owned(),
            Self::NetworkAway { .. } | Self::Timeout { .. } => {
                "check the network, the region and the endpoint; BACKUP_RETRY_MINUTES says how long to wait for them"
                    .to_owned()
            }
            Self::Unavailable { .. } => "usually a passing fault of the store: run it again later".to_owned(),
            Self::Exists { .. } => {
                "nothing was overwritten; if what is there is not needed, remove it first".to_owned()
            }
            Self::Conflict { .. } | Self::UploadGone { .. } => "run the backup again".to_owned(),
            Self::Changed { .. } => "list the backups again, and choose again".to_owned(),
            Self::Archived { object } => thaw(object),
            Self::NoExpedited { .. } => "ask with --retrieval standard, or try it again in some minutes".to_owned(),
            Self::Checksum { .. } | Self::Misread { .. } => {
                "run it again; if it comes back, test this machine's memory and network".to_owned()
            }
            Self::TooManyParts { .. } => "raise the part size".to_owned(),
            Self::TooLarge { .. } => "this file is not one of lastgood's: move it elsewhere".to_owned(),
            Self::Document { source, .. } => source.hint().to_owned(),
            Self::IncompleteListing { .. } => "no decision is made on part of a listing: run it again".to_owned(),
            Self::DiskFull { path } => room(path.parent().unwrap_or(path)),
            Self::Other { code, .. } if code == "AuthorizationHeaderMalformed" => {
                "check AWS_REGION and the access key: one of them is not what the store expects".to_owned()
            }
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotADirectory => {
                "set BACKUP_DIR to a folder".to_owned()
            }
            Self::Io { .. } | Self::Settings { .. } | Self::Other { .. } => return None,
        })
    }
}

/// The bucket is another account's.
const OTHERS: &str = "check BACKUP_S3_BUCKET and BACKUP_S3_BUCKET_OWNER; if both are right, somebody else has taken the bucket's name, \
                      and nothing may go there";

fn room(directory: &std::path::Path) -> String {
    let directory = shell_word(&directory.to_string_lossy());
    format!("free some space: df -h {directory}; du -sh {directory}")
}

/// A command of the AWS CLI, for the store that is meant.
fn aws(endpoint: Option<&str>, command: &str) -> String {
    let endpoint = endpoint.map(|url| format!(" --endpoint-url {}", shell_word(url)));
    format!("aws {command}{}", endpoint.unwrap_or_default())
}

fn credentials(fault: CredentialsFault, endpoint: Option<&str>) -> String {
    let try_them = match endpoint {
        None => "aws sts get-caller-identity".to_owned(),
        Some(_) => aws(endpoint, "s3 ls"),
    };
    match fault {
        CredentialsFault::Key => {
            format!("check the access key and its secret, without quotes around them; is it a key of this store? {try_them}")
        }
        CredentialsFault::Secret => format!("check the access key and its secret, without quotes around them: {try_them}"),
        CredentialsFault::Token => {
            "set the session token that was issued together with the key (AWS_SESSION_TOKEN or BACKUP_AWS_SESSION_TOKEN), or \
             unset it: lasting keys have none"
                .to_owned()
        }
    }
}

/// The hours are those of Glacier Flexible Retrieval; Deep Archive takes up to 12, and knows no `Expedited`.
fn thaw(url: &str) -> String {
    let (bucket, key) = url.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).unwrap_or(("BUCKET", url));
    let object = format!("--bucket {} --key {}", shell_word(bucket), shell_word(key));
    format!(
        "thaw it, as an identity that has s3:RestoreObject: lastgood restore --from-s3 {}, which says what it costs, and \
         asks first; or aws s3api restore-object {object} --restore-request \
         'Days=7,GlacierJobParameters={{Tier=Standard}}' (3 to 5 hours; Tier=Expedited: minutes); it is done when this says \
         ongoing-request=\"false\": aws s3api head-object {object} --query Restore",
        shell_word(url)
    )
}

fn access(action: &str, resource: &str, elsewhere: bool) -> String {
    match action {
        "file access" => {
            format!(
                "run as the owner of {resource}, or change its permissions: ls -ld {}; a read-only file system gives the same error",
                shell_word(resource)
            )
        }
        _ if elsewhere => format!(
            "allow {action} for this identity on {resource}; some stores say the same of a wrong key or secret: check both"
        ),
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
