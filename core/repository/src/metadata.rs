//! What is said of an archive beside its bytes: its user metadata and its content type.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// The user metadata that tells our archives from guests; its value is unique to one upload.
pub(crate) const LASTGOOD_ID: &str = "lastgood-id";

/// Metadata travels in HTTP headers, which are ASCII.
const HEADER_UNSAFE: &AsciiSet = &CONTROLS.add(b'%');

/// What is said of an archive when its upload starts.
#[derive(Clone, Debug)]
pub struct UploadMetadata {
    /// Unique to this upload.
    pub lastgood_id: String,
    /// The PostgreSQL name of the database.
    pub database: String,
    /// When the backup began.
    pub backup_date: Timestamp,
    /// An estimate of the archive's bytes, better too high than too low: parts of a fitting size keep memory small.
    pub expected_size: Option<u64>,
}

impl UploadMetadata {
    /// Names and values as the store keeps them; the database is percent-encoded outside ASCII.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let database = utf8_percent_encode(&self.database, HEADER_UNSAFE).to_string();
        vec![
            (LASTGOOD_ID.to_owned(), self.lastgood_id.clone()),
            ("backup_date".to_owned(), self.backup_date.to_string()),
            ("database".to_owned(), database),
        ]
    }
}

/// What an archive's name says about its bytes.
pub(crate) fn content_type(key: &str) -> &'static str {
    match key.rsplit_once('.').map(|(_, suffix)| suffix) {
        Some("gz") => "application/gzip",
        Some("zst") => "application/zstd",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_ascii_and_readable() {
        let metadata = UploadMetadata {
            lastgood_id: "1".into(),
            database: "my café 100%".into(),
            backup_date: Timestamp::UNIX_EPOCH,
            expected_size: None,
        };
        let pairs = metadata.pairs();
        assert!(pairs.contains(&("database".into(), "my caf%C3%A9 100%25".into())));
        assert!(pairs.contains(&("backup_date".into(), "1970-01-01T00:00:00Z".into())));
    }

    #[test]
    fn an_encrypted_archive_is_no_gzip() {
        assert_eq!(content_type("b/x.sql.gz"), "application/gzip");
        assert_eq!(content_type("b/x.sql.zst"), "application/zstd");
        assert_eq!(content_type("b/x.sql.gz.age"), "application/octet-stream");
    }
}
