//! What the SDK and S3 say, in our words. Codes: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>

use std::error::Error as StdError;
use std::sync::atomic::Ordering;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use jiff::Timestamp;

use super::said::Said;
use super::{Bucket, Call, probe};
use crate::{CredentialsFault, EndpointError, Error};

impl Bucket {
    /// The error that `refused` amounts to.
    pub(crate) async fn refusal<E>(&self, call: &Call<'_>, refused: SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        match &refused {
            SdkError::ServiceError(answer) => {
                let said = Said::new(answer.raw(), answer.err().code(), answer.err().message());
                self.answer(call, said, Broken::of(&refused)).await
            }
            // An answer that can't be read: 502 pages of proxies, or one that was cut.
            SdkError::ResponseError(answer) => {
                let broken = Broken::of(&refused);
                self.answer(call, Said::new(answer.raw(), None, None), broken).await
            }
            SdkError::ConstructionFailure(_) => Error::Settings { cause: innermost(&refused) },
            _ => match self.unreached(self.object_of(call), &refused) {
                Error::NetworkAway { object, cause } => self.other_protocol(object, cause, is_garbled(&refused)).await,
                error => error,
            },
        }
    }

    /// Something answered. What has no code of S3's may come from something else.
    async fn answer(&self, call: &Call<'_>, said: Said, broken: Broken) -> Error {
        let object = self.object_of(call);
        let known = self.answered.load(Ordering::Relaxed);
        let is_odd = said.code.is_empty() && !matches!(said.status, 429 | 500..=599);
        if is_odd && !call.bodiless && (said.is_page() || !(known || said.is_success())) {
            return self.no_store(said.kind()).await.into();
        }
        if said.code.is_empty() && said.is_success() {
            // The rest of an answer that broke off is worth another request.
            return match broken {
                Broken { cause, cut_off: true } => Error::NetworkAway { object, cause },
                Broken { cause, .. } => Error::Unreadable { action: call.action.to_owned(), object, cause },
            };
        }
        if !said.code.is_empty() {
            self.answered.store(true, Ordering::Relaxed);
        }
        match self.refused(call, object, said) {
            denied @ Error::AccessDenied { .. } => self.others().await.unwrap_or(denied),
            error => error,
        }
    }

    /// Something answers that isn't S3; at a port for TLS that may be its complaint.
    async fn no_store(&self, found: String) -> EndpointError {
        let endpoint = self.address();
        match self.endpoint.as_deref().and_then(probe::Address::of) {
            Some(address) if !address.tls && address.speaks_tls().await => EndpointError::WantsTls { endpoint },
            _ => EndpointError::NotS3 { endpoint, found },
        }
    }

    fn refused(&self, call: &Call<'_>, object: String, said: Said) -> Error {
        let bucket = self.settings.bucket.clone();
        if let Some(skewed) = clock_skew(&said) {
            return skewed;
        }
        match (said.code.as_str(), said.status) {
            ("NoSuchBucket", _) => {
                Error::NoSuchBucket { bucket, endpoint: self.endpoint.as_deref().map(str::to_owned) }
            }
            ("NoSuchUpload", _) => Error::UploadGone { object },
            ("NoSuchKey" | "NoSuchVersion" | "NotFound", _) | ("", 404) => Error::NotFound { object },
            ("ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" | "RequestExpired", _) => {
                Error::ExpiredCredentials { code: said.code }
            }
            ("InvalidAccessKeyId" | "InvalidClientTokenId", _) => {
                self.bad_credentials(said.code, CredentialsFault::Key)
            }
            ("SignatureDoesNotMatch", _) => self.bad_credentials(said.code, CredentialsFault::Secret),
            ("InvalidToken", _) => self.bad_credentials(said.code, CredentialsFault::Token),
            ("PermanentRedirect" | "TemporaryRedirect" | "IllegalLocationConstraintException" | "InvalidRegion", _)
            | ("", 301 | 307) => self.wrong_region(bucket, said.region()),
            ("AuthorizationHeaderMalformed", _) if said.region().is_some() => self.wrong_region(bucket, said.region()),
            ("GlacierExpeditedRetrievalNotAvailable", _) => Error::NoExpedited { object },
            ("InvalidObjectState", _) => Error::Archived { object },
            ("BadDigest" | "InvalidDigest" | "XAmzContentSHA256Mismatch" | "XAmzContentChecksumMismatch", _) => {
                Error::Checksum { object, cause: format!("the store answered {}", said.code) }
            }
            ("PreconditionFailed" | "InvalidRange", _) | (_, 412 | 416) if call.action == "s3:GetObject" => {
                Error::Changed { object }
            }
            ("PreconditionFailed", _) | (_, 412) => Error::Exists { object },
            ("ConditionalRequestConflict" | "OperationAborted", _) | ("", 409) => Error::Conflict { object },
            ("SlowDown" | "RequestTimeout" | "InternalError" | "Throttling" | "ThrottlingException", _)
            | (_, 429 | 500 | 502..=599) => {
                Error::Unavailable { object, code: said.code_or_status(), request_id: said.request_id }
            }
            ("AccessDenied" | "AllAccessDisabled" | "AccountProblem", _) | (_, 401 | 403) => {
                self.denied(call, object, said)
            }
            _ => Error::Other {
                action: call.action.to_owned(),
                object,
                code: said.code_or_status(),
                message: said.message,
                request_id: said.request_id,
            },
        }
    }

    fn bad_credentials(&self, code: String, fault: CredentialsFault) -> Error {
        Error::BadCredentials { code, fault, endpoint: self.endpoint.as_deref().map(str::to_owned) }
    }

    fn wrong_region(&self, bucket: String, actual: Option<String>) -> Error {
        Error::WrongRegion { bucket, asked: self.region.to_string(), actual }
    }

    fn denied(&self, call: &Call<'_>, resource: String, said: Said) -> Error {
        let action = said.denied_action().unwrap_or(call.action).to_owned();
        // AWS has a code of its own for every other reason.
        let words = Some(said.message).filter(|words| self.endpoint.is_some() && !words.is_empty());
        Error::AccessDenied { action, resource, said: words }
    }
}

/// A clock that is off shows as a signature that doesn't fit, at some stores as a right that lacks: their own time tells.
fn clock_skew(said: &Said) -> Option<Error> {
    let ours = Timestamp::now();
    match said.code.as_str() {
        "RequestTimeTooSkewed" => Some(Error::ClockSkew { ours, theirs: said.time() }),
        "AccessDenied" | "SignatureDoesNotMatch" | "RequestExpired" => {
            said.skewed_time(ours).map(|theirs| Error::ClockSkew { ours, theirs: Some(theirs) })
        }
        _ => None,
    }
}

/// Why an answer can't be read.
struct Broken {
    cause: String,
    /// The connection broke in the middle of it.
    cut_off: bool,
}

impl Broken {
    fn of(refused: &(dyn StdError + 'static)) -> Self {
        let cut_off = causes(refused).any(|cause| cause.is::<std::io::Error>());
        Self { cause: innermost(refused), cut_off }
    }
}

/// What came back isn't HTTP.
fn is_garbled<E>(refused: &SdkError<E, HttpResponse>) -> bool {
    matches!(refused, SdkError::DispatchFailure(failure) if failure.is_other() && failure.as_other().is_none())
}

/// An error and what it is made of. An I/O error hides what it carries from `source`.
pub(crate) fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = carried.map(|carried| carried as &(dyn StdError + 'static)).or_else(|| error.source());
        Some(error)
    })
}

pub(crate) fn innermost(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}
