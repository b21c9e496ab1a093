//! Where backups are: a bucket or a directory, holding the same objects. This is the only code of the project that
//! talks to S3.
//!
//! Nothing shows before it is whole: an archive becomes visible at the end of its upload, a record at once. What is there
//! is never overwritten unasked, and goes only as the object that was listed. A listing is whole or an error.

// A request of the AWS SDK is a future of some hundred layers, and ours wrap it.
#![recursion_limit = "256"]

mod cancellation;
mod directory;
mod download;
mod erasure;
mod error;
mod history;
mod leftovers;
mod limits;
mod metadata;
mod part_sizes;
mod records;
mod repository;
mod retry;
mod s3;
mod settings;
mod stored;
mod upload;
mod which;

pub use cancellation::{Cancellation, Told};
pub use catalog::Removal;
pub use directory::Directory;
pub use download::{Download, DownloadReader};
pub use erasure::Hidden;
pub use error::{CertificateFault, CredentialsFault, EndpointError, Error};
pub use leftovers::{Dead, Leftover, Swept};
pub use metadata::UploadMetadata;
pub use repository::Repository;
pub use retry::Retry;
pub use s3::Bucket;
pub use settings::{BucketSettings, Checksum, Encryption, Keys, Secret};
pub use stored::{Head, PutOutcome, Scope, Stored, Version};
pub use upload::{Resumed, Upload};
