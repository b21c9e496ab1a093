//! Whose bucket it is. A bucket's name is free again when the bucket is gone, and anybody may take it: so where a setting names the
//! owner, every request says it, and S3 refuses those to another account's bucket.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::{BoxError, ProvideErrorMetadata};

use super::Bucket;
use crate::Error;

const HEADER: &str = "x-amz-expected-bucket-owner";

/// Has every request say whose the bucket must be, and signs that.
#[derive(Debug)]
pub(super) struct ExpectedOwner(pub(super) String);

impl Intercept for ExpectedOwner {
    fn name(&self) -> &'static str {
        "ExpectedOwner"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        context.request_mut().headers_mut().try_insert(HEADER, self.0.clone())?;
        Ok(())
    }
}

impl Bucket {
    /// S3 has one code for a missing right and for another's bucket. So it is tried: what is listed to whoever doesn't ask for the
    /// owner, and is refused to who does, is another's.
    pub(crate) async fn others(&self) -> Option<Error> {
        let owner = self.settings.owner.clone()?;
        let anyone = self.anyone.as_ref().filter(|_| !self.has_served())?;
        let listed = self.lists(anyone).await.is_some_and(|refused| refused.is_empty());
        let refused = listed && self.lists(&self.client).await.is_some_and(|refused| refused == "AccessDenied");
        refused.then(|| Error::OthersBucket { bucket: self.settings.bucket.clone(), owner })
    }

    /// The code of the refusal, empty where it was listed; `None` where nothing of the kind came back.
    async fn lists(&self, client: &Client) -> Option<String> {
        let request = client.list_objects_v2().bucket(&self.settings.bucket).prefix(self.layout.prefix()).max_keys(1);
        match tokio::time::timeout(self.settings.request_timeout, request.send()).await.ok()? {
            Ok(_) => Some(String::new()),
            Err(error) => error.code().map(str::to_owned),
        }
    }
}
