//! One of the two backups: what is known of it, and where its bytes are.

use std::collections::BTreeMap;

use ::archive::{Census, Content};
use catalog::{Entry, Object};
use repository::Repository;

use crate::answers::failure::Failure;
use crate::commands::diff::failure;
use crate::commands::restore::archive::Archive;
use crate::commands::restore::backup::{Assurance, Backup, StoredBytes};
use crate::interrupt::Interrupt;
use crate::places;
use crate::read_back::Reader;
use crate::settings::Settings;

/// A backup that is compared.
pub(super) struct Side {
    pub(super) repository: Repository,
    pub(super) entry: Entry,
    /// From the manifest; of a guest by reading it. `None` where that could not be read.
    pub(super) census: Option<Census>,
    /// By which settings its values are written; empty where that isn't known.
    pub(super) session: BTreeMap<String, String>,
    /// Its bytes; `None` where they are gone, or in Glacier.
    pub(super) archive: Option<(Object, Archive)>,
}

impl Side {
    /// Reads its manifest; of a guest, which has none, the whole archive.
    ///
    /// # Errors
    /// When they can't be read; exit 4 when a guest is damaged.
    pub(super) async fn open(
        repository: &Repository,
        entry: Entry,
        settings: &Settings,
        interrupt: &Interrupt,
    ) -> Result<Self, Failure> {
        let manifest = places::manifest(repository, &entry).await?;
        let session = manifest.as_ref().map(|manifest| manifest.database.session.clone()).unwrap_or_default();
        let object = entry.archive.clone().filter(|object| object.readable);
        let census = match (&manifest, &object) {
            (Some(manifest), _) => Some(manifest.census.clone()),
            (None, Some(object)) => interrupt.or(read(repository, object, settings)).await?,
            (None, None) => None,
        };
        let archive = match object {
            Some(object) => {
                let archive = archive(repository, &entry, &object, (settings, interrupt))?;
                Some((object, archive))
            }
            None => None,
        };
        Ok(Self { repository: repository.clone(), entry, census, session, archive })
    }

    /// What a person calls it.
    pub(super) fn name(&self) -> String {
        self.entry.name()
    }

    /// The PostgreSQL name of its database.
    pub(super) fn database(&self) -> String {
        self.entry.id.stem.database().into_owned()
    }

    /// Why its bytes can't be read, in words.
    pub(super) fn unreadable(&self) -> String {
        let name = self.name();
        match &self.entry.archive {
            None => format!("the archive of {name} is gone"),
            Some(_) => format!(
                "the archive of {name} is in Glacier (lastgood restore {name} --dry-run says how it comes back)"
            ),
        }
    }
}

/// The census of a guest.
async fn read(repository: &Repository, object: &Object, settings: &Settings) -> Result<Option<Census>, Failure> {
    let place = repository.object_name(&object.key);
    tracing::info!("reading all of {place}, because it has no manifest");
    let download = repository.download(object).await?.into_reader();
    match Reader::new(settings)?.inspect(download, &place, object.size).await?.content {
        Content::Walked(walked) => Ok(Some(walked.census)),
        Content::Unread => Ok(None),
        Content::Damaged(damage) => Err(failure::damaged(&place, &damage)),
    }
}

fn archive(
    repository: &Repository,
    entry: &Entry,
    object: &Object,
    (settings, interrupt): (&Settings, &Interrupt),
) -> Result<Archive, Failure> {
    let backup = Backup {
        name: entry.name(),
        place: repository.object_name(&object.key),
        size: object.size,
        instant: entry.instant,
        assurance: Assurance::Unverified,
        manifest: None,
        notes: Vec::new(),
        other: None,
        is_judged: false,
    };
    Archive::new(&backup, StoredBytes::Object(repository.clone(), object.clone()), settings, interrupt)
}
