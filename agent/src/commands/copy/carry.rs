//! One backup on its way: archive, what lies beside it, manifest, and in a directory the verdict.

use std::time::Instant;

use archive::{Digest, Digester};
use bytes::Bytes;
use catalog::{BackupId, Entry, Manifest, Object, Part};
use repository::{Error, PutOutcome, Repository, Resumed, Stored, UploadMetadata};

use super::answer::{Copied, Fate};
use super::beside::{Beside, taken};
use super::way::Way;
use crate::answers::failure::{Exit, Failure};
use crate::answers::progress::Progress;
use crate::places;

/// What becomes of a backup whose name the other place has: the same is well, another is an error.
///
/// # Errors
/// When a manifest cannot be read, or they are not the same.
pub(super) async fn compare(way: &Way<'_>, entry: &Entry, there: &Entry) -> Result<Fate, Failure> {
    let (ours, theirs) = (described(&way.from, entry).await?, described(&way.to, there).await?);
    if !is_same(&ours, &theirs) {
        let (name, to) = (entry.name(), way.target());
        return Err(Failure::new(Exit::Failed, format!("{to} has another backup that is called {name}"))
            .hint("nothing was overwritten; compare them: lastgood show with --repository"));
    }
    Ok(Fate::There(there.state))
}

fn is_same(one: &Manifest, other: &Manifest) -> bool {
    one.stem == other.stem && one.archive.digest == other.archive.digest && one.census == other.census
}

async fn described(repository: &Repository, entry: &Entry) -> Result<Manifest, Failure> {
    places::manifest(repository, entry).await?.ok_or_else(|| {
        Failure::new(Exit::NotFound, format!("{} has no manifest any more", entry.name())).hint("run the copy again")
    })
}

/// Copies a backup that the other place lacks. It shows there when it is whole, and not before.
///
/// # Errors
/// Exit 4 when its bytes are not what its manifest says; otherwise those of either place.
pub(super) async fn copy(way: &Way<'_>, entry: &Entry) -> Result<Fate, Failure> {
    let began = Instant::now();
    let mut manifest = described(&way.from, entry).await?;
    let beside = Beside::read(&way.from, entry, &manifest).await.map_err(|failure| reading(way, failure))?;
    let Some(object) = &entry.archive else { return Err(without_archive(way, entry)) };
    let id = place(way, entry, &manifest);
    let Sent { stored, resumed, in_store } = archive(way, object, &id, &manifest).await?;
    let mut all = vec![stored];
    if let Err(failure) = finish(way, (entry, &id), &mut manifest, &beside, &mut all).await {
        for stored in all.iter().rev() {
            if let Err(error) = way.to.take_back(stored).await {
                tracing::warn!("the archive without a manifest stays: {error}");
            }
        }
        return Err(failure);
    }
    let verdict = way.reader.judge_stored(way.settings.verify, &way.to, &id, &manifest).await?;
    let (seconds, notes) = (began.elapsed().as_secs_f64(), beside.lost);
    Ok(Fate::Copied(Box::new(Copied { id, resumed, in_store, seconds, notes, verdict })))
}

/// Where it goes: a bucket has a folder for the day.
fn place(way: &Way<'_>, entry: &Entry, manifest: &Manifest) -> BackupId {
    match (&way.to, entry.id.day) {
        (Repository::Bucket(_), Some(_)) => entry.id.clone(),
        _ => way.to.layout().place(entry.id.stem.clone(), entry.instant.min(manifest.started)),
    }
}

/// An archive that is at the other place.
struct Sent {
    stored: Stored,
    resumed: Resumed,
    /// The store copied it by itself.
    in_store: bool,
}

/// The archive's bytes. What was sent of an upload that a break-off ends stays there, for the next copy to go on with.
async fn archive(way: &Way<'_>, object: &Object, id: &BackupId, manifest: &Manifest) -> Result<Sent, Failure> {
    let Part::Archive { compression, encrypted, .. } = way.from.layout().parse(&object.key) else {
        return Err(Failure::new(Exit::Failed, format!("{} is not called as an archive is", object.key)));
    };
    let key = way.to.layout().archive(id, compression, encrypted);
    let metadata = UploadMetadata {
        lastgood_id: format!("{:032x}", rand::random::<u128>()),
        database: manifest.database.name.clone(),
        backup_date: manifest.started,
        expected_size: Some(object.size),
    };
    let digest = &manifest.archive.digest;
    let within = way.to.copy_from((&way.from, object), &key, &metadata, digest).await;
    let within = match within {
        Err(Error::Checksum { .. }) => return Err(misread(way, object, manifest).await),
        Err(Error::Exists { .. }) => return Err(taken(&way.to, &key)),
        within => within?,
    };
    if let Some(stored) = within {
        return Ok(Sent { stored, resumed: Resumed::Nothing, in_store: true });
    }
    let resuming = way.to.resume_upload(&key, &metadata).await;
    let (mut upload, resumed) = resuming.map_err(|error| way.spots.1.own(error.into()))?;
    match &resumed {
        Resumed::Bytes(bytes) => {
            tracing::info!("{} are there already, of a copy that was broken off", catalog::words::size(*bytes));
        }
        Resumed::Unknown => {
            tracing::info!(
                "an earlier copy may have left parts there, but they cannot be listed; all parts are sent again"
            );
        }
        Resumed::Nothing => {}
    }
    let read =
        read(way, object, async |bytes| upload.write(bytes).await.map_err(|error| way.spots.1.own(error.into())));
    let digest = match read.await {
        Ok(digest) => digest,
        Err(failure) => {
            upload.leave().await;
            return Err(failure);
        }
    };
    if digest != manifest.archive.digest {
        upload.abort().await;
        return Err(misread(way, object, manifest).await);
    }
    let stored = upload.complete(&digest).await.map_err(|error| match error {
        Error::Exists { .. } => taken(&way.to, &key),
        error => way.spots.1.own(error.into()),
    })?;
    Ok(Sent { stored, resumed, in_store: false })
}

/// Why it didn't come as its manifest says. Where the network has changed a byte, it is whole when it is read once more.
async fn misread(way: &Way<'_>, object: &Object, manifest: &Manifest) -> Failure {
    let name = way.from.object_name(&object.key);
    tracing::warn!("{name} did not come as its manifest says; reading it once more");
    match read(way, object, async |_| Ok(())).await {
        Ok(digest) if digest == manifest.archive.digest => {
            Failure::new(Exit::Failed, format!("{name} was changed on its way; read once more, it is whole"))
                .hint("nothing was copied: copy it again, and look at the network, which S3 over https would protect")
        }
        Ok(_) => damaged(way, object),
        Err(failure) => failure,
    }
}

fn damaged(way: &Way<'_>, object: &Object) -> Failure {
    let error = format!("{} is not what its manifest says: it is damaged", way.from.object_name(&object.key));
    Failure::new(Exit::Damaged, error).hint("nothing was copied; copy another backup, or this one from another place")
}

/// Hands the bytes over, and digests them as they go by.
async fn read(
    way: &Way<'_>,
    object: &Object,
    mut to: impl AsyncFnMut(Bytes) -> Result<(), Failure>,
) -> Result<Digest, Failure> {
    let progress = Progress::of_hours(way.settings.report, "copying", object.size);
    let mut digester = Digester::new();
    let unread = |error: Error| reading(way, error.into());
    let mut download = way.from.download(object).await.map_err(unread)?;
    while let Some(bytes) = download.next().await {
        if let Some(signal) = way.interrupt.seen() {
            return Err(crate::interrupt::stopped_by(signal));
        }
        let bytes = bytes.map_err(unread)?;
        digester.update(&bytes);
        progress.read(bytes.len() as u64);
        to(bytes).await?;
    }
    Ok(digester.finish())
}

/// What comes after the archive, the manifest last.
async fn finish(
    way: &Way<'_>,
    (entry, id): (&Entry, &BackupId),
    manifest: &mut Manifest,
    beside: &Beside,
    stored: &mut Vec<Stored>,
) -> Result<(), Failure> {
    if let Some(archive) = stored.first() {
        archive.key.clone_into(&mut manifest.archive.key);
        manifest.archive.version_id.clone_from(&archive.version_id);
        manifest.archive.etag.clone_from(&archive.etag);
    }
    beside.put(&way.to, (id, entry), manifest, stored).await?;
    let key = way.to.layout().manifest(id);
    let json = manifest.to_json().map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    match way.to.put_new(&key, json).await? {
        PutOutcome::Stored(_) => {}
        // Another copy of the same came first.
        PutOutcome::Exists => match way.to.manifest_of(id).await? {
            Some(theirs) if is_same(manifest, &theirs) => {}
            _ => return Err(taken(&way.to, &key)),
        },
    }
    // In a directory the file's own time is all that says when a backup with a label was made. Last, for an old archive without a
    // manifest is one that a prune beside it takes for what a killed run left.
    match stored.first() {
        Some(archive) => Ok(way.to.backdate(archive, entry.instant).await?),
        None => Ok(()),
    }
}

/// A source that may not be read: it takes another identity than a backup.
fn reading(way: &Way<'_>, failure: Failure) -> Failure {
    let failure = way.spots.0.own(failure);
    if !failure.error.starts_with("access denied") {
        return failure;
    }
    let profile = match way.spots.0 {
        crate::places::Spot::Bucket(number @ 2..) => format!("AWS_PROFILE_{number}"),
        _ => "AWS_PROFILE".to_owned(),
    };
    failure.hint(format!(
        "copy with the operator's identity at {}: --aws-profile NAME, or {profile} (docs/security.md)",
        way.source()
    ))
}

fn without_archive(way: &Way<'_>, entry: &Entry) -> Failure {
    Failure::new(Exit::NotFound, format!("{} in {} has no archive", entry.name(), way.source()))
        .hint("lastgood list shows what there is")
}
