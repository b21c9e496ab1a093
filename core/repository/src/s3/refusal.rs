//! What the SDK and S3 say, in our words. Codes: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>

use std::error::Error as StdError;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use super::{Bucket, Call};
use crate::Error;

impl Bucket {
    /// The error that `refused` amounts to.
    pub(crate) fn refusal<E>(&self, call: &Call<'_>, refused: SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let object = self.object_of(call);
        match &refused {
            SdkError::ServiceError(answer) => {
                let said = Said::new(answer.raw(), answer.err().code(), answer.err().message());
                self.refused(call, object, said)
            }
            // An answer that can't be read: 502 pages of proxies, or one that was cut.
            SdkError::ResponseError(answer) if !answer.raw().status().is_success() => {
                self.refused(call, object, Said::new(answer.raw(), None, None))
            }
            SdkError::TimeoutError(_) => Error::Timeout { object, seconds: self.settings.connect_timeout.as_secs() },
            SdkError::ConstructionFailure(_) => Error::Settings { cause: innermost(&refused) },
            _ if chain(&refused).any(|cause| cause.to_string().contains("credential")) => {
                Error::NoCredentials { cause: innermost(&refused) }
            }
            _ => Error::NetworkAway { object, cause: innermost(&refused) },
        }
    }

    fn refused(&self, call: &Call<'_>, object: String, said: Said) -> Error {
        let bucket = self.settings.bucket.clone();
        match (said.code.as_str(), said.status) {
            ("NoSuchBucket", _) => Error::NoSuchBucket { bucket },
            ("NoSuchUpload", _) => Error::UploadGone { object },
            ("NoSuchKey" | "NoSuchVersion" | "NotFound", _) | ("", 404) => Error::NotFound { object },
            ("ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" | "RequestExpired", _) => {
                Error::ExpiredCredentials { code: said.code }
            }
            ("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" | "InvalidClientTokenId", _) => {
                Error::BadCredentials { code: said.code }
            }
            ("RequestTimeTooSkewed", _) => Error::ClockSkew,
            ("PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed", _) | ("", 301 | 307) => {
                Error::WrongRegion { bucket, asked: self.region.to_string(), actual: said.region() }
            }
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
                Error::AccessDenied { action: said.denied_action().unwrap_or(call.action).to_owned(), resource: object }
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
}

/// The parts of S3's answer that errors are made of.
struct Said {
    status: u16,
    code: String,
    message: String,
    request_id: Option<String>,
    region_header: Option<String>,
}

impl Said {
    fn new(answer: &HttpResponse, code: Option<&str>, message: Option<&str>) -> Self {
        let header = |name: &str| answer.headers().get(name).map(str::to_owned);
        Self {
            status: answer.status().as_u16(),
            code: code.unwrap_or_default().to_owned(),
            message: message.unwrap_or_default().to_owned(),
            request_id: header("x-amz-request-id"),
            region_header: header("x-amz-bucket-region"),
        }
    }

    fn code_or_status(&self) -> String {
        if self.code.is_empty() { format!("HTTP {}", self.status) } else { self.code.clone() }
    }

    /// "… is not authorized to perform: kms:GenerateDataKey on resource: …" names the permission that lacks.
    fn denied_action(&self) -> Option<&str> {
        self.message.split_once("not authorized to perform: ")?.1.split_whitespace().next()
    }

    /// "… the region 'us-east-1' is wrong; expecting 'eu-west-1'", where the header lacks.
    fn region(&self) -> Option<String> {
        let expected = || Some(self.message.split_once("expecting '")?.1.split_once('\'')?.0.to_owned());
        self.region_header.clone().or_else(expected)
    }
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

pub(crate) fn innermost(error: &(dyn StdError + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}
