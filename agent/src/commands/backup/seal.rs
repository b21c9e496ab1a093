//! What is stored beside an archive: compressed, and encrypted where archives are.

use std::io::Write as _;

use ::archive::{Compression, Digest, Digester, FRAME_SIZE, FrameError, FrameSettings};
use bytes::Bytes;

use crate::answers::failure::{Exit, Failure};
use crate::settings::Settings;

/// How archives are compressed and encrypted.
#[derive(Clone, Copy)]
pub(crate) struct Sealing<'a> {
    /// The keys to encrypt for; none: not encrypted.
    pub(crate) recipients: &'a [age::x25519::Recipient],
    /// Of gzip.
    pub(crate) level: Option<i32>,
}

impl<'a> Sealing<'a> {
    pub(super) fn of(settings: &'a Settings) -> Self {
        let level = settings.compression_level.filter(|_| settings.compression == Compression::Gzip);
        Self { recipients: &settings.recipients, level }
    }
}

/// The bytes as they are stored, and the digest of that.
///
/// # Errors
/// When they can't be compressed or encrypted.
pub(super) fn seal(plain: &[u8], sealing: Sealing<'_>) -> Result<(Bytes, Digest), Failure> {
    let failed = |error: String| Failure::new(Exit::Failed, error);
    let mut bytes = compressed(plain, sealing.level).map_err(|e| failed(format!("cannot compress: {e}")))?;
    if !sealing.recipients.is_empty() {
        let recipients = sealing.recipients.iter().map(|r| r as &dyn age::Recipient);
        let encryptor =
            age::Encryptor::with_recipients(recipients).map_err(|e| failed(format!("cannot encrypt: {e}")))?;
        let sealed = encryptor.wrap_output(Vec::new()).and_then(|mut writer| {
            writer.write_all(&bytes)?;
            writer.finish()
        });
        bytes = sealed.map_err(|e| failed(format!("cannot encrypt: {e}")))?;
    }
    let mut digester = Digester::new();
    digester.update(&bytes);
    Ok((bytes.into(), digester.finish()))
}

/// Always gzip, whatever archives are: it is small, and everybody has it.
fn compressed(plain: &[u8], level: Option<i32>) -> Result<Vec<u8>, FrameError> {
    let (mut input, output) = ::archive::compress(FrameSettings { compression: Compression::Gzip, level, threads: 1 })?;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if plain.chunks(FRAME_SIZE).all(|block| input.push(block.to_vec()).is_ok()) {
                input.finish();
            }
        });
        let mut bytes = Vec::new();
        for frame in output {
            bytes.extend_from_slice(&frame?);
        }
        Ok(bytes)
    })
}
