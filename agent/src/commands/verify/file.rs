//! Any dump in a file: judged by its content, and by the manifest beside it where there is one.

use std::fs::File;
use std::path::Path;

use catalog::manifest::Manifest;
use catalog::verdict::{self, Evidence, Expected, judge};
use catalog::{DocumentError, Layout, Object, Part, Verdict};
use jiff::Timestamp;
use repository::{Error, Repository};

use crate::answers::failure::{Exit, Failure};
use crate::beyond_limits;
use crate::commands::verify::verified::{Finding, Judgement, Recorded, Verified};
use crate::folder::{self, FolderReader};
use crate::read_back::{self, Reader};

/// Verifies the file at `path`.
///
/// # Errors
/// When the file, or the manifest beside it, cannot be read.
pub(super) async fn verify(reader: &Reader, path: &Path) -> Result<Verified, Failure> {
    let shown = path.display().to_string();
    let unreadable = |e: std::io::Error| Failure::new(Exit::Failed, format!("cannot read {shown}: {e}"));
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let mut object = Object {
        key: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        size: metadata.len(),
        last_modified: metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok()).unwrap_or_default(),
        etag: None,
        version_id: None,
        readable: true,
    };
    let inspected = match metadata.is_dir() {
        false => reader.inspect(file, &shown, object.size).await?,
        true => {
            object.size = folder::size(path);
            let (folder, found) = FolderReader::judged(path).map_err(unreadable)?;
            let mut inspected = reader.inspect(folder, &shown, object.size).await?;
            object.size = inspected.digest.size;
            if let Some(damage) = found.lock().ok().and_then(|mut found| found.take()) {
                inspected.content = archive::Content::Damaged(damage);
            }
            inspected
        }
    };
    let (now, by) = (Timestamp::now(), read_back::verifier());
    let evidence = Evidence { object: &object, expected: &Expected::default(), inspected: &inspected };
    let (manifest, broken) = match manifest_beside(path, &object.key).await?.transpose() {
        Ok(manifest) => (manifest, None),
        Err(broken) => (None, Some(broken)),
    };
    if let Some(limit) = verdict::beyond_limits(manifest.as_ref(), evidence) {
        return Err(beyond_limits::failure(&shown, limit));
    }
    let verdict = judge(manifest.as_ref(), evidence, now, by);
    let verdict = broken.iter().fold(verdict, Verdict::with_broken_manifest);
    let judgement = Judgement { verdict, inspected: Some(inspected), recorded: Recorded::Told };
    Ok(Verified { name: shown.clone(), place: shown, finding: Finding::Judged(Box::new(judgement)) })
}

/// The manifest beside the file, where there is one; what is wrong with one that is broken.
async fn manifest_beside(path: &Path, name: &str) -> Result<Option<Result<Manifest, DocumentError>>, Failure> {
    let Part::Archive { id, .. } = Layout::directory().parse(name) else { return Ok(None) };
    let folder = path.parent().unwrap_or(path);
    match Repository::directory(folder).manifest_of(&id).await {
        Ok(manifest) => Ok(manifest.map(Ok)),
        Err(Error::Document { source, .. }) if source.is_broken() => Ok(Some(Err(source))),
        Err(error) => Err(error.into()),
    }
}
