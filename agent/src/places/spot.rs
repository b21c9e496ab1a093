//! A place of the settings: the directory, or one of the buckets by its number.

use std::path::Path;

use repository::{Error, Repository};

use crate::answers::failure::{Exit, Failure};
use crate::cli::Which;
use crate::settings::{Settings, numbered, store};

/// One place that backups go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Spot {
    Directory,
    /// The bucket of this number, counted from 1.
    Bucket(usize),
}

impl Spot {
    /// Every place that is set, the directory first, where there is one.
    pub(crate) fn all(settings: &Settings) -> Vec<Self> {
        let directory = settings.directory.iter().map(|_| Self::Directory);
        directory.chain((1..=settings.buckets.len()).map(Self::Bucket)).collect()
    }

    /// The place that governs: the first bucket, or the directory where there is none.
    pub(crate) fn first(settings: &Settings) -> Self {
        if settings.buckets.is_empty() { Self::Directory } else { Self::Bucket(1) }
    }

    /// The one that the command line asks for, or the one that governs.
    ///
    /// # Errors
    /// Exit 2 when it is not set.
    pub(crate) fn asked(which: Option<&Which>, settings: &Settings) -> Result<Self, Failure> {
        let spot = match which {
            None => Self::first(settings),
            Some(Which::Number(1)) if settings.buckets.is_empty() => Self::Directory,
            Some(Which::Bucket) => Self::Bucket(1),
            Some(Which::Directory) => Self::Directory,
            Some(Which::Number(number)) => Self::Bucket(*number),
            Some(Which::At(address)) => return at(address, settings),
        };
        if Self::all(settings).contains(&spot) { Ok(spot) } else { Err(spot.unset(settings)) }
    }

    fn unset(self, settings: &Settings) -> Failure {
        match self {
            Self::Directory => Failure::new(Exit::Usage, "no directory is set")
                .hint("set BACKUP_DIR to the folder of the local backups"),
            Self::Bucket(1) => {
                Failure::new(Exit::Usage, "no bucket is set").hint("set BACKUP_S3_BUCKET to the bucket's name")
            }
            Self::Bucket(number) => {
                Failure::new(Exit::Usage, format!("there is no bucket {number}: BACKUP_S3_BUCKET_{number} is not set"))
                    .hint(choices(settings))
            }
        }
    }

    /// Makes ready to use it; nothing is sent yet.
    ///
    /// # Errors
    /// When a bucket's settings are refused.
    pub(crate) async fn open(self, settings: &Settings) -> Result<Repository, Error> {
        match self.bucket(settings) {
            Some(bucket) => Repository::bucket(bucket.clone()).await,
            None => Ok(Repository::directory(settings.directory.clone().unwrap_or_default())),
        }
    }

    /// What `--repository` calls it: `directory`, `bucket` where it is the only one, or its number.
    pub(crate) fn label(self, settings: &Settings) -> String {
        match self {
            Self::Directory => "directory".to_owned(),
            Self::Bucket(_) if settings.buckets.len() == 1 => "bucket".to_owned(),
            Self::Bucket(number) => number.to_string(),
        }
    }

    /// The same, as the command line has it.
    pub(crate) fn which(self, settings: &Settings) -> Which {
        match self {
            Self::Directory => Which::Directory,
            Self::Bucket(_) if settings.buckets.len() == 1 => Which::Bucket,
            Self::Bucket(number) => Which::Number(number),
        }
    }

    /// Its address: `s3://bucket/prefix`, or the directory's path. Two stores may have buckets of one name.
    pub(crate) fn address(self, settings: &Settings) -> String {
        match self.bucket(settings) {
            Some(bucket) if bucket.prefix.is_empty() => format!("s3://{}", bucket.bucket),
            Some(bucket) => format!("s3://{}/{}", bucket.bucket, bucket.prefix),
            None => settings.directory.clone().unwrap_or_default().display().to_string(),
        }
    }

    /// Its address, with its number in front where there are several buckets.
    pub(crate) fn name(self, settings: &Settings) -> String {
        match self {
            Self::Bucket(number) if settings.buckets.len() > 1 => {
                format!("bucket {number} ({})", self.address(settings))
            }
            _ => self.address(settings),
        }
    }

    /// A failure of this place, whose hint names the settings that are its own.
    pub(crate) fn own(self, failure: Failure) -> Failure {
        let number = match self {
            Self::Directory => 1,
            Self::Bucket(number) => number,
        };
        Failure { hint: failure.hint.map(|hint| numbered(&hint, number)), ..failure }
    }

    /// Whether the repository is this place.
    pub(crate) fn is(self, repository: &Repository, settings: &Settings) -> bool {
        match (self.bucket(settings), repository.bucket_settings()) {
            (Some(own), Some(other)) => {
                store(own) == store(other) && own.bucket == other.bucket && own.prefix == other.prefix
            }
            (None, None) => true,
            _ => false,
        }
    }

    /// Its settings; `None` of the directory.
    pub(crate) fn bucket(self, settings: &Settings) -> Option<&repository::BucketSettings> {
        match self {
            Self::Directory => None,
            Self::Bucket(number) => settings.buckets.get(number.checked_sub(1)?),
        }
    }
}

/// The place with this address. A bucket may be named without its prefix where no other has its name.
fn at(address: &str, settings: &Settings) -> Result<Spot, Failure> {
    let wanted = address.trim_end_matches('/');
    let whole = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let is_it = |spot: &Spot| match spot {
        Spot::Directory => settings.directory.as_ref().is_some_and(|path| whole(path) == whole(Path::new(wanted))),
        Spot::Bucket(_) => spot.address(settings) == wanted,
    };
    let is_its_bucket = |spot: &Spot| matches!(spot, Spot::Bucket(_)) && bare(*spot, settings) == wanted;
    let all = Spot::all(settings);
    let found: Vec<Spot> = all.iter().copied().filter(is_it).collect();
    let found = if found.is_empty() { all.into_iter().filter(is_its_bucket).collect() } else { found };
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            Err(Failure::new(Exit::Usage, format!("{address} is none of the places that are set"))
                .hint(choices(settings)))
        }
        _ => Err(Failure::new(Exit::Usage, format!("{address} is more than one of the places that are set"))
            .hint(choices(settings))),
    }
}

/// `s3://bucket`, without its prefix.
fn bare(spot: Spot, settings: &Settings) -> String {
    spot.bucket(settings).map_or_else(String::new, |bucket| format!("s3://{}", bucket.bucket))
}

fn choices(settings: &Settings) -> String {
    let all = Spot::all(settings).into_iter();
    let named: Vec<String> = all.map(|spot| format!("{} ({})", spot.label(settings), spot.address(settings))).collect();
    format!("choose one of these: {}", named.join(", "))
}
