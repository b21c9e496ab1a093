//! Getting rid of multipart uploads: their parts cost money and show in no listing of objects.

use std::time::Duration;

use aws_sdk_s3::types::MultipartUpload;
use catalog::Part;
use jiff::Timestamp;

use super::{Bucket, Call, listing};
use crate::{Dead, Error, Leftover, Swept};

/// A part that was on its way while the upload was aborted may have arrived after it: look, and abort again.
const ROUNDS: u32 = 3;

/// An upload that was begun and neither completed nor aborted.
struct Open {
    leftover: Leftover,
    key: String,
    upload_id: String,
}

impl Bucket {
    /// Aborts until the store knows the upload no more. A failure is logged: the bucket's lifecycle rule, or a
    /// run's sweep a week later, gets what is left.
    pub(crate) async fn abort_multipart(&self, key: &str, upload_id: &str) {
        self.clearing().abort_and_look(key, upload_id).await;
    }

    async fn abort_and_look(&self, key: &str, upload_id: &str) {
        for _ in 0..ROUNDS {
            match self.abort_once(key, upload_id).await {
                Ok(()) | Err(Error::UploadGone { .. } | Error::NotFound { .. }) => {}
                Err(error) => {
                    tracing::warn!(key, upload_id, "the upload could not be aborted: {error}");
                    return;
                }
            }
            // Who may not list parts has at least aborted.
            if self.upload_is_gone(key, upload_id).await.unwrap_or(true) {
                return;
            }
        }
        tracing::warn!(key, upload_id, "parts of an aborted upload remain");
    }

    async fn abort_once(&self, key: &str, upload_id: &str) -> Result<(), Error> {
        let call = Call::new("s3:AbortMultipartUpload", key);
        let bucket = &self.settings.bucket;
        let send = || self.client.abort_multipart_upload().bucket(bucket).key(key).upload_id(upload_id).send();
        self.call(call, send).await.map(drop)
    }

    /// Aborts what a repeated beginning may have left: uploads of this very key but the one that `keep` names.
    pub(crate) async fn abort_strays(&self, key: &str, keep: Option<&str>) {
        match self.clearing().open_uploads(key).await {
            Ok(uploads) => {
                for upload in uploads.iter().filter(|upload| upload.key() == Some(key) && upload.upload_id() != keep) {
                    self.abort_multipart(key, upload.upload_id().unwrap_or_default()).await;
                }
            }
            Err(error) => tracing::warn!(key, "open uploads could not be listed: {error}"),
        }
    }

    /// Aborts the uploads of this database's archives that dead runs left open.
    pub(crate) async fn sweep_uploads(&self, database: &str, now: Timestamp, dead: Dead) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        for Open { leftover, key, upload_id } in self.uploads_of(database).await? {
            let age = Duration::try_from(now.duration_since(leftover.since)).unwrap_or(Duration::ZERO);
            let is_an_erasures = leftover.id.stem.erased().is_some();
            if age >= dead.older_than || (dead.erasures && is_an_erasures) {
                self.abort_multipart(&key, &upload_id).await;
                swept.gone.push(leftover);
            } else {
                swept.stays.push(leftover);
            }
        }
        Ok(swept)
    }

    /// The open uploads of this database's archives.
    pub(crate) async fn leftovers(&self, database: &str) -> Result<Vec<Leftover>, Error> {
        Ok(self.uploads_of(database).await?.into_iter().map(|open| open.leftover).collect())
    }

    async fn uploads_of(&self, database: &str) -> Result<Vec<Open>, Error> {
        let mut found = Vec::new();
        for upload in self.open_uploads(self.layout.prefix()).await? {
            let (Some(key), Some(upload_id)) = (upload.key(), upload.upload_id()) else { continue };
            let since = listing::timestamp(key, upload.initiated())?;
            if let Part::Archive { id, .. } = self.layout.parse(key)
                && id.stem.database() == database
            {
                let leftover = Leftover { name: self.url(key), id, since };
                found.push(Open { leftover, key: key.to_owned(), upload_id: upload_id.to_owned() });
            }
        }
        Ok(found)
    }

    /// All uploads that were begun and neither completed nor aborted.
    pub(crate) async fn open_uploads(&self, prefix: &str) -> Result<Vec<MultipartUpload>, Error> {
        let mut uploads = Vec::new();
        let mut after: Option<(String, String)> = None;
        loop {
            let (key_marker, id_marker) = after.clone().unzip();
            let page = self
                .call(Call::on_bucket("s3:ListBucketMultipartUploads"), || {
                    let request = self.client.list_multipart_uploads().bucket(&self.settings.bucket).prefix(prefix);
                    request.set_key_marker(key_marker.clone()).set_upload_id_marker(id_marker.clone()).send()
                })
                .await?;
            uploads.extend_from_slice(page.uploads());
            let next = page.next_key_marker().zip(page.next_upload_id_marker());
            let next = next.map(|(key, id)| (key.to_owned(), id.to_owned()));
            match (page.is_truncated(), next) {
                (Some(true), Some(next)) if Some(&next) != after.as_ref() => after = Some(next),
                (Some(true), _) => return Err(self.incomplete("the store says there are more uploads but not where")),
                _ => return Ok(uploads),
            }
        }
    }
}
