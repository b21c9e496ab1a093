//! Which repository it is: what is known of it without asking it anything.

use catalog::Layout;

use crate::{BucketSettings, Repository};

impl Repository {
    /// Whether it is a bucket: what others read there, and what only the store itself can say, is of none of a directory's concern.
    #[must_use]
    pub fn is_bucket(&self) -> bool {
        matches!(self, Self::Bucket(_))
    }

    /// What it was connected with; `None` of a directory.
    #[must_use]
    pub fn bucket_settings(&self) -> Option<&BucketSettings> {
        match self {
            Self::Bucket(bucket) => Some(&bucket.settings),
            Self::Directory(_) => None,
        }
    }

    /// How keys are spelled here.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        match self {
            Self::Bucket(bucket) => &bucket.layout,
            Self::Directory(directory) => &directory.layout,
        }
    }

    /// The name of the whole repository for people: `s3://bucket/prefix`, or the directory's path.
    #[must_use]
    pub fn display_name(&self) -> String {
        match self {
            Self::Bucket(bucket) => bucket.display_name(),
            Self::Directory(directory) => directory.display_name(),
        }
    }

    /// `s3://bucket/key`, or the file's path: how a user names an object.
    #[must_use]
    pub fn object_name(&self, key: &str) -> String {
        match self {
            Self::Bucket(bucket) => bucket.url(key),
            Self::Directory(directory) => directory.path_of(key).display().to_string(),
        }
    }
}
