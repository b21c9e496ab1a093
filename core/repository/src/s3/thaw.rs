//! Asking S3 to bring an object back from an archive storage class. That it is on its way, or back, its HEAD says.

use aws_sdk_s3::types::{GlacierJobParameters, RestoreRequest, Tier};
use catalog::Object;
use catalog::glacier::{ColdClass, Retrieval};

use super::{Bucket, Call};
use crate::Error;

/// S3's code where somebody has asked before, or an earlier try of ours.
const ASKED_BEFORE: &str = "RestoreAlreadyInProgress";

impl Bucket {
    /// Asks for the version that is pinned. S3 answers 202 when it begins, and 200 when there is a copy already, whose days begin
    /// again.
    pub(crate) async fn thaw(
        &self,
        object: &Object,
        class: ColdClass,
        retrieval: Retrieval,
        days: u16,
    ) -> Result<(), Error> {
        let wish = wish(class, retrieval, days)?;
        let send = || {
            let request = self.client.restore_object().bucket(&self.settings.bucket).key(&object.key);
            let version = object.pinned_version().map(str::to_owned);
            request.set_version_id(version).restore_request(wish.clone()).send()
        };
        match self.call(Call::new("s3:RestoreObject", &object.key), send).await {
            Err(Error::Other { code, .. }) if code == ASKED_BEFORE => Ok(()),
            asked => asked.map(drop),
        }
    }
}

/// Of Intelligent-Tiering nothing goes back after some days, and S3 refuses a request that names them.
fn wish(class: ColdClass, retrieval: Retrieval, days: u16) -> Result<RestoreRequest, Error> {
    let tier = match retrieval {
        Retrieval::Standard => Tier::Standard,
        Retrieval::Bulk => Tier::Bulk,
        Retrieval::Expedited => Tier::Expedited,
    };
    let job = GlacierJobParameters::builder().tier(tier).build();
    let job = job.map_err(|error| Error::Settings { cause: error.to_string() })?;
    let days = class.makes_a_copy().then_some(i32::from(days));
    Ok(RestoreRequest::builder().set_days(days).glacier_job_parameters(job).build())
}
