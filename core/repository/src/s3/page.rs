//! The page for people: how it is stored, and a link to it.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use bytes::Bytes;

use super::Bucket;
use super::object::{Body, Condition};
use crate::{Error, Stored};

const HTML: &str = "text/html; charset=utf-8";

impl Bucket {
    /// Stores the page over the one that may be there.
    pub(crate) async fn put_page(&self, key: &str, bytes: Bytes) -> Result<Stored, Error> {
        let body = Body { content_type: HTML, ..Body::record(key, bytes, Condition::Anything) };
        self.put(&body).await
    }

    /// An address that ends. Browsers are told what it is, whatever type it was stored with.
    pub(crate) async fn link(&self, key: &str, lasts: Duration) -> Result<String, Error> {
        let refused = |cause: String| Error::Settings { cause };
        let config = PresigningConfig::expires_in(lasts).map_err(|error| refused(error.to_string()))?;
        let request = self.client.get_object().bucket(&self.settings.bucket).key(key);
        let signed = request.response_content_type(HTML).response_content_disposition("inline").presigned(config).await;
        match signed {
            Ok(signed) => Ok(signed.uri().to_owned()),
            Err(error) => Err(refused(format!("cannot sign a link: {}", super::refusal::innermost(&error)))),
        }
    }
}
