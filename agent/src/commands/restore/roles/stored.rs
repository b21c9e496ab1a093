//! The globals as they are stored beside an archive.

use std::io::{self, Read as _};

use ::archive::{Digest, Digester, Expander};
use catalog::manifest::Globals;
use catalog::{BackupId, Part};
use repository::{Error, Repository};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::archive::Archive;
use crate::commands::restore::backup::StoredBytes;
use crate::keys::Source;

/// More than a server's roles ever are, in bytes of SQL.
const LONGEST: u64 = 64 << 20;
const WITHOUT: &str =
    "restore with an identity that reads backups, or without --create-roles: then what needs missing roles is left out";
const LATER: &str =
    "a restore that isn't a dry run asks S3 for it: run it again some hours later, or without --create-roles";

/// The SQL that the manifest names; `None`: it is not there any more.
///
/// # Errors
/// Exit 1 when it can't be read, or isn't what was stored.
pub(super) fn read(named: &Globals, archive: &Archive) -> Result<Option<String>, Failure> {
    let StoredBytes::Object(repository, object) = archive.stored() else { return Ok(None) };
    let Some(key) = key(named, repository, &object.key) else { return Ok(None) };
    let place = repository.object_name(&key);
    let read = tokio::runtime::Handle::current().block_on(repository.read_key(&key));
    let refused = |error: Error| {
        let hint = if matches!(error, Error::Archived { .. }) { LATER } else { WITHOUT };
        Failure { exit: Exit::Failed, ..Failure::from(error) }.hint(hint)
    };
    let Some(stored) = read.map_err(refused)? else { return Ok(None) };
    let mut digester = Digester::new();
    digester.update(&stored);
    let Digest { size, md5, .. } = digester.finish();
    if (size, md5) != (named.digest.size, named.digest.md5) {
        let error = format!("{place} is not what the backup's manifest says: its roles can't be relied on");
        return Err(Failure::new(Exit::Failed, error).hint(WITHOUT));
    }
    let failed = |error: String| Failure::new(Exit::Failed, format!("cannot read {place}: {error}")).hint(WITHOUT);
    let stored: Source = Box::new(io::Cursor::new(stored));
    let plain =
        if key.ends_with(".age") { archive.keys.open(stored).map_err(|e| failed(e.to_string()))? } else { stored };
    let mut sql = Vec::new();
    let expander = Expander::new(plain, 1).map_err(|e| failed(e.to_string()))?;
    expander.take(LONGEST).read_to_end(&mut sql).map_err(|e| failed(e.to_string()))?;
    Ok(Some(String::from_utf8_lossy(&sql).into_owned()))
}

/// Where they are now, beside the archive of this key: a repository may have been moved.
pub(crate) fn key(named: &Globals, repository: &Repository, archive: &str) -> Option<String> {
    let id = id_of(repository, archive)?;
    Some(repository.layout().globals(&id, named.key.ends_with(".age")))
}

fn id_of(repository: &Repository, key: &str) -> Option<BackupId> {
    match repository.layout().parse(key) {
        Part::Archive { id, .. } => Some(id),
        _ => None,
    }
}
