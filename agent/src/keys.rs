//! The age keys that open encrypted archives.

use std::io::{self, BufReader, Read, Seek, Write as _};
use std::path::Path;

use age::stream::StreamReader;

use crate::answers::failure::{Exit, Failure};

/// Keys of one identity file; none where none is set.
#[derive(Default)]
pub(crate) struct Keys(Vec<Box<dyn age::Identity + Send + Sync>>);

/// Bytes that come from anywhere.
pub(crate) type Source = Box<dyn Read + Send>;

impl Keys {
    /// Reads an identity file, if one is set.
    ///
    /// # Errors
    /// Exit 2 when it cannot be read or contains no key.
    pub(crate) fn read(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::default()) };
        let refused = |e: String| {
            Failure::new(Exit::Usage, format!("cannot use the age key {}: {e}", path.display()))
                .hint("set BACKUP_AGE_IDENTITY_FILE to a file that age-keygen made")
        };
        let file = age::IdentityFile::from_file(path.display().to_string()).map_err(|e| refused(e.to_string()))?;
        file.into_identities().map(Self).map_err(|e| refused(e.to_string()))
    }

    /// Whether there are no keys.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether these keys open what is encrypted for `recipients`, tried with a few bytes.
    pub(crate) fn fit(&self, recipients: &[age::x25519::Recipient]) -> bool {
        let mut sealed = Vec::new();
        let encryptor = age::Encryptor::with_recipients(recipients.iter().map(|r| r as &dyn age::Recipient));
        let Ok(mut writer) = encryptor.map_err(io::Error::other).and_then(|e| e.wrap_output(&mut sealed)) else {
            return false;
        };
        let written = writer.write_all(b"lastgood").and_then(|()| writer.finish());
        written.is_ok() && self.open(Box::new(io::Cursor::new(sealed))).is_ok()
    }

    /// The decrypted content of an encrypted file.
    ///
    /// # Errors
    /// When none of these keys opens it, or it is not encrypted with age.
    pub(crate) fn open(&self, sealed: Source) -> Result<Source, age::DecryptError> {
        let decryptor = age::Decryptor::new_buffered(BufReader::new(sealed))?;
        let opened = decryptor.decrypt(self.0.iter().map(|key| key.as_ref() as &dyn age::Identity))?;
        Ok(Box::new(opened))
    }

    /// The decrypted content of an encrypted file, to be read from any place on.
    ///
    /// # Errors
    /// As [`Keys::open`].
    pub(crate) fn open_anywhere<R: Read + Seek>(
        &self,
        sealed: R,
    ) -> Result<StreamReader<BufReader<R>>, age::DecryptError> {
        let decryptor = age::Decryptor::new_buffered(BufReader::new(sealed))?;
        decryptor.decrypt(self.0.iter().map(|key| key.as_ref() as &dyn age::Identity))
    }
}
