//! Where what takes a backup's place is stored: beside it, compressed as it was and encrypted for the same keys.

use std::time::Instant;

use ::archive::FrameSettings;
use catalog::erasure::{Erased, ErasedTable};
use catalog::manifest::{self, Manifest, Purpose};
use catalog::shrink::{Shrink, ShrinkRecord};
use catalog::{BackupId, Object, Record, Unknown};
use jiff::Timestamp;
use postgres::Version;
use repository::{PutOutcome, Repository, Stored, UploadMetadata};
use tokio::runtime::Handle;

use crate::answers::failure::{Exit, Failure};
use crate::commands::backup::beside;
use crate::commands::backup::carry::{Carried, Road};
use crate::commands::backup::index::{self, PutIndex};
use crate::commands::backup::lanes::Lanes;
use crate::commands::backup::links;
use crate::commands::backup::seal::Sealing;
use crate::commands::erase::dump;
use crate::commands::restore::job::Job;
use crate::host;
use crate::interrupt::Interrupt;
use crate::settings::{DatabaseSettings, Settings};

/// A place for one backup.
pub(super) struct Shelf {
    pub(super) repository: Repository,
    /// What it will be called.
    pub(super) id: BackupId,
    /// The original's.
    pub(super) manifest: Manifest,
    /// The original's roles and tablespaces, as they are listed.
    pub(super) globals: Option<Object>,
    /// What the original has lost since the one before it, where nobody has accepted that: what is older still waits for it.
    pub(super) shrunk: Option<Object>,
    pub(super) erased: Erased,
    pub(super) database: DatabaseSettings,
    pub(super) settings: Settings,
    pub(super) interrupt: Interrupt,
}

/// A backup that is stored, and not judged yet.
#[derive(Clone, Debug)]
pub(super) struct Stocked {
    pub(super) id: BackupId,
    pub(super) manifest: Manifest,
}

impl Shelf {
    /// Begins to store. Nothing shows before [`Shelf::put`].
    ///
    /// # Errors
    /// When the repository refuses, or it isn't known for whom to encrypt.
    pub(super) fn open(&self, job: &Job) -> Result<(Road, Lanes), Failure> {
        let recipients = self.recipients()?;
        let compression = self.compression();
        let settings = &self.settings;
        let road = Road {
            database: job.facts.target.name.clone(),
            frames: FrameSettings {
                compression,
                level: settings.compression_level.filter(|_| settings.compression == compression),
                threads: std::thread::available_parallelism().map_or(1, usize::from),
            },
            progress: dump::progress(job),
            indexes: settings.index,
            link_size: settings.link_size.filter(|_| self.repository.is_bucket()),
            onlooker: None,
            recipients,
        };
        let metadata = UploadMetadata {
            lastgood_id: format!("{:032x}", rand::random::<u128>()),
            database: self.manifest.database.name.clone(),
            backup_date: self.erased.made,
            expected_size: self.manifest.database.size,
        };
        let encrypted = !road.recipients.is_empty();
        let places = vec![(self.repository.clone(), self.id.clone())];
        let key = |repository: &Repository, id: &BackupId| repository.layout().archive(id, compression, encrypted);
        let opening = Lanes::open(places, self.interrupt.clone(), &metadata, key, None);
        Ok((road, Handle::current().block_on(opening)?))
    }

    /// Gives up; nothing is left of what was stored.
    pub(super) fn abandon(&self, lanes: Lanes) {
        Handle::current().block_on(lanes.abort());
    }

    /// Makes visible what was carried, and with its manifest a backup.
    ///
    /// # Errors
    /// When the repository refuses. What is left of it without a manifest, the next erasure clears.
    pub(super) fn put(
        &mut self,
        job: &Job,
        carried: &Carried,
        lanes: Lanes,
        tables: Vec<ErasedTable>,
    ) -> Result<Stocked, Failure> {
        let (began, clock) = (Timestamp::now(), Instant::now());
        self.erased.tables = tables;
        Handle::current().block_on(async {
            let stored = self.complete(carried, lanes).await?;
            // The file's own time is all that says when a backup with a label was made.
            self.repository.backdate(&stored, self.erased.made).await?;
            let globals = self.copy_globals().await?;
            let index = self.put_index(carried).await?;
            let links = links::sealed(&self.id.stem, &carried.places);
            let links = links::put(&self.repository, &self.id, links.as_ref()).await;
            let shrunk = self.copy_shrink().await?;
            let mut manifest = self.describe(job, carried, &stored);
            (manifest.globals, manifest.index, manifest.shrunk) = (globals, index.named, shrunk);
            manifest.warnings.extend(index.warning.into_iter().chain(links.warning));
            (manifest.started, manifest.finished) = (began, Timestamp::now());
            manifest.duration = clock.elapsed();
            let json = manifest.to_json().map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
            self.put_new(&self.repository.layout().manifest(&self.id), json).await?;
            Ok(Stocked { id: self.id.clone(), manifest })
        })
    }

    async fn complete(&self, carried: &Carried, lanes: Lanes) -> Result<Stored, Failure> {
        lanes.complete_only(&carried.digest).await
    }

    /// The very bytes: they are encrypted where the archive is.
    async fn copy_globals(&self) -> Result<Option<manifest::Globals>, Failure> {
        let (Some(object), Some(named)) = (&self.globals, &self.manifest.globals) else { return Ok(None) };
        let bytes = self.repository.read_record(object).await?;
        let key = self.repository.layout().globals(&self.id, object.key.ends_with(".age"));
        match self.repository.put_beside(&key, bytes).await? {
            PutOutcome::Stored(stored) => {
                Ok(Some(manifest::Globals { key, version_id: stored.version_id, etag: stored.etag, ..named.clone() }))
            }
            PutOutcome::Exists => Err(self.taken(&key)),
        }
    }

    /// With the original it would go, and the older backups that it keeps.
    async fn copy_shrink(&self) -> Result<Option<Shrink>, Failure> {
        let Some(object) = &self.shrunk else { return Ok(None) };
        let shrink = self.repository.shrink(object).await?.shrink;
        let record = ShrinkRecord::new(self.id.stem.clone(), shrink.clone());
        let json = record.to_json().map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
        let key = self.repository.layout().record(&self.id, Record::Shrunk);
        match self.repository.put_new(&key, json).await? {
            PutOutcome::Stored(stored) => {
                self.repository.backdate(&stored, object.last_modified).await?;
                Ok(Some(shrink))
            }
            PutOutcome::Exists => Err(self.taken(&key)),
        }
    }

    /// As a backup's own; it holds keys of rows, and none of those that went.
    async fn put_index(&self, carried: &Carried) -> Result<PutIndex, Failure> {
        let Some(made) = &carried.index else { return Ok(PutIndex::default()) };
        let recipients = self.recipients()?;
        let sealing = Sealing { recipients: &recipients, level: None };
        let sealed = index::sealed(&self.id.stem, made, sealing);
        Ok(index::put(&self.repository, &self.id, &sealed, !recipients.is_empty()).await)
    }

    async fn put_new(&self, key: &str, json: Vec<u8>) -> Result<(), Failure> {
        match self.repository.put_new(key, json).await? {
            PutOutcome::Stored(_) => Ok(()),
            PutOutcome::Exists => Err(self.taken(key)),
        }
    }

    fn taken(&self, key: &str) -> Failure {
        Failure::new(Exit::Failed, beside::taken(&self.repository, key))
            .hint("another erasure runs elsewhere, or somebody put it there: look at it, then erase again")
    }

    /// As the original, of what was carried.
    fn describe(&self, job: &Job, carried: &Carried, stored: &Stored) -> Manifest {
        let (original, header) = (&self.manifest, &carried.walked.header);
        let server = Version::from_number(job.facts.target.role.version_number());
        let recipients = self.recipients().unwrap_or_default().iter().map(ToString::to_string).collect::<Vec<_>>();
        let compression = self.compression();
        Manifest {
            stem: self.id.stem.clone(),
            purpose: Purpose::Erased,
            database: manifest::Database { server_version: Some(server.to_string()), ..original.database.clone() },
            archive: manifest::Archive {
                key: stored.key.clone(),
                version_id: stored.version_id.clone(),
                etag: stored.etag.clone(),
                digest: carried.digest.clone(),
                compression,
                frame_size: (compression != ::archive::Compression::None).then_some(::archive::FRAME_SIZE as u64),
                encryption: (!recipients.is_empty()).then_some(manifest::Encryption { recipients }),
                pg_dump_version: Some(header.pg_dump_version.clone()),
                format_version: Some(header.version.to_string()),
                dump_options: Some(dump::options(job, &self.database)),
            },
            census: carried.walked.census.clone(),
            globals: None,
            index: None,
            shrunk: None,
            erased: Some(self.erased.clone()),
            agent: manifest::Agent { version: env!("CARGO_PKG_VERSION").to_owned(), host: host::name() },
            warnings: original.warnings.iter().chain(&carried.warnings).cloned().collect(),
            unknown: Unknown::default(),
            ..original.clone()
        }
    }

    /// A guest's own is that of another program.
    fn compression(&self) -> ::archive::Compression {
        match self.manifest.purpose {
            Purpose::Adopted => self.settings.compression,
            _ => self.manifest.archive.compression,
        }
    }

    /// For whom the original is encrypted.
    fn recipients(&self) -> Result<Vec<age::x25519::Recipient>, Failure> {
        let is_sealed = self.manifest.archive.encryption.is_some() || self.manifest.archive.key.ends_with(".age");
        if !is_sealed {
            return Ok(Vec::new());
        }
        let named = self.manifest.archive.encryption.iter().flat_map(|encryption| &encryption.recipients);
        let named: Option<Vec<age::x25519::Recipient>> = named.map(|text| text.parse().ok()).collect();
        match named {
            Some(named) if !named.is_empty() => Ok(named),
            _ if !self.settings.recipients.is_empty() => Ok(self.settings.recipients.clone()),
            _ => Err(Failure::new(Exit::Usage, "it is encrypted, and its manifest does not say for which keys")
                .hint("set BACKUP_AGE_RECIPIENTS to the keys that are to open it")),
        }
    }
}
