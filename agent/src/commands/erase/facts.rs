//! The backups of a database, and what is known of each before anything is done: its manifest, its locks, whether it can be read.

use std::collections::{BTreeMap, BTreeSet};

use catalog::erasure::Known;
use catalog::{BackupId, Catalog, Entry, Manifest, Object};
use jiff::Timestamp;
use repository::{Error, Leftover, Repository};

use crate::answers::failure::{Exit, Failure};
use crate::cli::EraseArgs;
use crate::keys::Keys;
use crate::places;
use crate::settings::{DatabaseSettings, Settings};

/// What an erasure is about.
pub(super) struct Ground {
    pub(super) repository: Repository,
    pub(super) catalog: Catalog,
    pub(super) known: BTreeMap<BackupId, Known>,
    /// Those that were asked for.
    pub(super) chosen: BTreeSet<BackupId>,
    /// Whether all were.
    pub(super) all: bool,
    /// What runs have left of uploads of its backups, or still write; nothing where that can't be asked.
    pub(super) leftovers: Vec<Leftover>,
    pub(super) began: Timestamp,
}

impl Ground {
    /// Lists, and reads the records.
    ///
    /// # Errors
    /// Exit 5 when a backup that is named isn't there, or there is none at all; exit 2 when it isn't clear of which database.
    pub(super) async fn gather(args: &EraseArgs, settings: &Settings) -> Result<Self, Failure> {
        let began = Timestamp::now();
        let repository = places::repository(&args.place, settings).await?;
        places::there(&repository).await?;
        let mut catalog = repository.catalog(&database(args, settings)?).await?;
        repository.resolve(&mut catalog).await?;
        let chosen = chosen(args, &repository, &catalog, began).await?;
        let keys = Keys::read(settings.identity_file.as_deref())?;
        let knows_locks = repository.knows_locks().await;
        let meant: BTreeSet<&str> = chosen.iter().map(|id| id.stem.base()).collect();
        let mut known = BTreeMap::new();
        // What takes a backup's place may be called by another time, where a clock was wrong.
        let related = |entry: &&Entry| meant.contains(entry.id.stem.base()) || entry.id.stem.erased().is_some();
        for entry in catalog.entries.iter().filter(related) {
            known.insert(entry.id.clone(), look(&repository, entry, &keys, knows_locks).await?);
        }
        let leftovers = repository.leftovers(&catalog.database).await.unwrap_or_else(|error| {
            tracing::debug!("{error}");
            Vec::new()
        });
        Ok(Self { repository, catalog, known, chosen, all: args.all, leftovers, began })
    }

    /// The settings of its database.
    pub(super) fn database(&self, settings: &Settings) -> DatabaseSettings {
        let known = settings.databases.iter().find(|database| database.name.as_ref() == Some(&self.catalog.database));
        known.cloned().unwrap_or_else(|| settings.database(&self.catalog.database))
    }

    /// Its manifest, of a backup that has a readable one.
    pub(super) fn manifest(&self, entry: &Entry) -> Option<&Manifest> {
        self.known.get(&entry.id)?.manifest.as_ref()?.as_ref().ok()
    }
}

/// The database: the one that was chosen, or that of the backups that were named.
fn database(args: &EraseArgs, settings: &Settings) -> Result<String, Failure> {
    let named: BTreeSet<String> =
        args.ids.iter().filter_map(|id| Some(id.parse::<BackupId>().ok()?.stem.database().into_owned())).collect();
    let chosen: Vec<&String> = settings.databases.iter().filter_map(|database| database.name.as_ref()).collect();
    let several = || {
        Failure::new(Exit::Usage, "rows are erased from the backups of one database at a time")
            .hint("name it with --database NAME")
    };
    match (named.len(), chosen.as_slice()) {
        (1, _) => named.into_iter().next().ok_or_else(several),
        (0, [one]) if !settings.all_databases => Ok((*one).clone()),
        _ => Err(several()),
    }
}

async fn chosen(
    args: &EraseArgs,
    repository: &Repository,
    catalog: &Catalog,
    now: Timestamp,
) -> Result<BTreeSet<BackupId>, Failure> {
    if args.all {
        let all: BTreeSet<BackupId> = catalog.entries.iter().map(|entry| entry.id.clone()).collect();
        return if all.is_empty() {
            let error = format!("database `{}` has no backups in {}", catalog.database, repository.display_name());
            Err(Failure::new(Exit::NotFound, error).hint("see what there is: lastgood list --all-databases"))
        } else {
            Ok(all)
        };
    }
    let mut chosen = BTreeSet::new();
    for name in &args.ids {
        let found = match catalog.find(name, now) {
            Ok(entry) => Ok(entry.id.clone()),
            Err(error) => in_its_place(repository, catalog, name).await?.ok_or(error),
        };
        chosen.insert(found.map_err(|e| {
            Failure::new(Exit::NotFound, format!("{e} in {}", repository.display_name())).hint(e.hint())
        })?);
    }
    Ok(chosen)
}

/// What erasures made of a backup that is gone since: the command that broke off is given again as it was, with the names it had.
async fn in_its_place(repository: &Repository, catalog: &Catalog, name: &str) -> Result<Option<BackupId>, Failure> {
    let Some(gone) = name.parse().ok().or_else(|| BackupId::of_tag(name, &catalog.database)) else { return Ok(None) };
    let (mut stem, mut found) = (gone.stem, None);
    let in_its_folder = |entry: &&Entry| gone.day.is_none() || entry.id.day == gone.day;
    let mut made: Vec<&Entry> = catalog.entries.iter().filter(in_its_folder).collect();
    made.retain(|entry| entry.id.stem.erased().is_some());
    made.sort_by_key(|entry| entry.id.stem.erased());
    for entry in made {
        let Some(Ok(manifest)) = manifest(repository, entry).await? else { continue };
        if manifest.erased.is_some_and(|erased| erased.of == stem) {
            stem = entry.id.stem.clone();
            found = Some(entry.id.clone());
        }
    }
    Ok(found)
}

/// Its manifest, or why that can't be understood; `None` where it has none.
async fn manifest(repository: &Repository, entry: &Entry) -> Result<Option<Result<Manifest, String>>, Failure> {
    let Some(object) = &entry.manifest else { return Ok(None) };
    match repository.manifest(object).await {
        Ok(manifest) => Ok(Some(Ok(manifest))),
        Err(Error::Document { source, .. }) => Ok(Some(Err(source.to_string()))),
        Err(error) => Err(error.into()),
    }
}

/// What the listing doesn't say.
async fn look(repository: &Repository, entry: &Entry, keys: &Keys, knows_locks: bool) -> Result<Known, Failure> {
    let manifest = manifest(repository, entry).await?;
    let lock = if knows_locks { repository.lock(&repository.every_version(entry).await?).await } else { None };
    let is_cold = match &entry.archive {
        Some(archive) if !archive.readable => !thawed(repository, archive).await?,
        _ => false,
    };
    let is_open = is_open(entry, manifest.as_ref().and_then(|read| read.as_ref().ok()), keys);
    Ok(Known { manifest, lock, is_cold, is_open, has_keys: !keys.is_empty() })
}

/// Whether it needs no key, or one that is there opens it, as far as its manifest says for whom it is encrypted.
fn is_open(entry: &Entry, manifest: Option<&Manifest>, keys: &Keys) -> bool {
    let is_sealed = entry.archive.as_ref().is_some_and(|archive| archive.key.ends_with(".age"));
    let named = manifest.and_then(|manifest| manifest.archive.encryption.as_ref()).map(|found| &found.recipients);
    let recipients: Vec<_> = named.into_iter().flatten().filter_map(|text| text.parse().ok()).collect();
    match (is_sealed, recipients.is_empty()) {
        (false, _) => true,
        (true, true) => !keys.is_empty(),
        (true, false) => keys.fit(&recipients),
    }
}

/// Whether what lies in an archive storage class has been brought back.
async fn thawed(repository: &Repository, archive: &Object) -> Result<bool, Failure> {
    let head = repository.head_of(archive).await?;
    Ok(head.is_some_and(|head| head.cold.is_none_or(|cold| cold.is_readable())))
}
