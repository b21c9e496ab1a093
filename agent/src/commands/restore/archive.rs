//! The archive that is restored, as bytes that can be opened again and again.

use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ::archive::ScriptOutline;

use crate::answers::failure::Failure;
use crate::commands::restore::backup::{Backup, StoredBytes};
use crate::commands::restore::watch::Watch;
use crate::interrupt::Interrupt;
use crate::keys::{Keys, Source};
use crate::settings::Settings;

/// StoredBytes bytes, and the keys that open them.
pub(crate) struct Archive {
    /// What messages call it: `s3://bucket/key`, or a path.
    pub(crate) place: String,
    stored: StoredBytes,
    pub(crate) keys: Keys,
    pub(crate) interrupt: Interrupt,
    /// What is on its way already, for whoever opens it next.
    ahead: Mutex<Option<Source>>,
    /// Of a script, once it has been read.
    outline: OnceLock<Arc<ScriptOutline>>,
    /// Who else looks at what is read of it.
    pub(crate) watch: Option<Watch>,
}

impl Archive {
    /// The archive of `backup`, with the keys of the settings.
    ///
    /// # Errors
    /// Exit 2 when the key file cannot be read.
    pub(crate) fn new(
        backup: &Backup,
        stored: StoredBytes,
        settings: &Settings,
        interrupt: &Interrupt,
    ) -> Result<Self, Failure> {
        let keys = Keys::read(settings.identity_file.as_deref())?;
        let (interrupt, outline) = (interrupt.clone(), OnceLock::new());
        Ok(Self { place: backup.place.clone(), stored, keys, interrupt, ahead: Mutex::default(), outline, watch: None })
    }

    /// The outline of a script, which is read for it once.
    ///
    /// # Errors
    /// As `read`.
    pub(crate) fn outline(&self, read: impl FnOnce() -> io::Result<ScriptOutline>) -> io::Result<Arc<ScriptOutline>> {
        if let Some(outline) = self.outline.get() {
            return Ok(Arc::clone(outline));
        }
        let outline = Arc::new(read()?);
        Ok(Arc::clone(self.outline.get_or_init(|| outline)))
    }

    /// Where its bytes are.
    pub(crate) fn stored(&self) -> &StoredBytes {
        &self.stored
    }

    /// Its stored bytes from the first on. For a thread that may block, inside the runtime.
    ///
    /// # Errors
    /// When they cannot be opened.
    pub(crate) fn open(&self) -> Result<Source, Failure> {
        match self.ahead.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(source) => Ok(source),
            None => self.stored.open(&self.place),
        }
    }

    /// Asks for the bytes before somebody opens it, who says what is wrong with them. Where [`Archive::open`] may be called.
    pub(crate) fn open_ahead(&self) {
        let source = self.stored.open(&self.place).ok();
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = source;
    }
}
