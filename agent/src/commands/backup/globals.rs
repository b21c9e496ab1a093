//! What the whole server has and no archive holds: roles, memberships, settings of roles and tablespaces. They are stored beside
//! the archive, before its manifest. A backup without them is a backup all the same: whatever stands in the way is said, and
//! nothing fails of it.

use ::archive::Digest;
use bytes::Bytes;
use catalog::BackupId;
use catalog::manifest::{self, Purpose};
use postgres::programs::pg_dumpall::GlobalsError;
use repository::{Repository, Stored};

use crate::answers::failure::Failure;
use crate::commands::backup::beside;
use crate::commands::backup::lanes;
use crate::commands::backup::run::Run;
use crate::commands::backup::seal::{Sealing, seal};
use crate::commands::backup::source::Source;
use crate::settings::Settings;

/// What was read of the server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Globals {
    /// `None`: they weren't wanted, or couldn't be read.
    sealed: Option<Sealed>,
    /// What is not as it was asked for.
    warning: Option<String>,
}

/// What is stored: compressed, and encrypted where archives are.
#[derive(Clone, Debug)]
struct Sealed {
    bytes: Bytes,
    digest: Digest,
    passwords: bool,
}

/// What became of them in one repository.
#[derive(Debug, Default)]
pub(super) struct Put {
    /// What the manifest names.
    pub(super) named: Option<manifest::Globals>,
    /// The same, as the repository knows it.
    pub(super) stored: Option<Stored>,
    pub(super) warning: Option<String>,
}

impl Run<'_> {
    /// Reads them, where the settings want them. The way back from a restore needs none: the server is still there.
    ///
    /// # Errors
    /// When the run is told to stop.
    pub(super) async fn read_globals(&self) -> Result<Globals, Failure> {
        if !self.settings.globals || self.purpose != Purpose::Backup {
            return Ok(Globals::default());
        }
        let (source, settings) = (self.source.clone(), self.settings.clone());
        let reading = tokio::task::spawn_blocking(move || read(&source, &settings)).await;
        let globals = reading.unwrap_or_else(|e| Ok(Globals::missing(&format!("its own thread failed: {e}"))))?;
        globals.warning.iter().for_each(|warning| tracing::warn!("{warning}"));
        Ok(globals)
    }

    /// Stores them beside the archive, which is there already.
    pub(super) async fn put_globals(&self, repository: &Repository, id: &BackupId, globals: &Globals) -> Put {
        let Some(sealed) = &globals.sealed else { return Put { warning: globals.warning.clone(), ..Put::default() } };
        let key = repository.layout().globals(id, !self.settings.recipients.is_empty());
        let refused = match beside::put(repository, &key, &sealed.bytes).await {
            Ok(stored) => {
                let named = manifest::Globals {
                    key,
                    version_id: stored.version_id.clone(),
                    etag: stored.etag.clone(),
                    digest: sealed.digest.clone(),
                    passwords: sealed.passwords,
                };
                return Put { named: Some(named), stored: Some(stored), warning: globals.warning.clone() };
            }
            Err(why) => why,
        };
        let warning = not_stored(&refused);
        tracing::warn!("{warning}");
        Put { warning: Some(warning), ..Put::default() }
    }
}

/// Says beforehand what a backup will say of them.
pub(super) fn rehearse(settings: &Settings, source: &Source) {
    if settings.globals
        && let Ok(Globals { warning: Some(warning), .. }) = read(source, settings)
    {
        tracing::warn!("{warning}");
    }
}

/// # Errors
/// When the run is told to stop.
fn read(source: &Source, settings: &Settings) -> Result<Globals, Failure> {
    let mut passwords = settings.globals_passwords;
    let mut warning = None;
    let mut asked = source.globals(passwords);
    if let (true, Err(error @ GlobalsError::Failed { .. })) = (passwords, &asked) {
        warning = Some(format!(
            "the roles' passwords were not stored: {error}; only a superuser may read them (BACKUP_GLOBALS_PASSWORDS)"
        ));
        passwords = false;
        asked = source.globals(passwords);
    }
    let sql = match asked {
        Ok(sql) => sql,
        Err(GlobalsError::Interrupted(signal)) => return Err(lanes::stopped_by(signal)),
        Err(error) => return Ok(Globals::missing(&error.to_string())),
    };
    Ok(match seal(&sql, Sealing::of(settings)) {
        Ok((bytes, digest)) => Globals { sealed: Some(Sealed { bytes, digest, passwords }), warning },
        Err(failure) => Globals::missing(&failure.error),
    })
}

impl Globals {
    fn missing(why: &str) -> Self {
        Self { sealed: None, warning: Some(not_stored(why)) }
    }
}

fn not_stored(why: &str) -> String {
    format!(
        "the server's roles and tablespaces were not stored with this backup: {why} (BACKUP_GLOBALS=false leaves them out)"
    )
}
