//! Listings, page after page to their end. One that can't be read to its end is an error, never a shorter listing.

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{EncodingType, OptionalObjectAttributes, RestoreStatus};
use catalog::Object;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::{Bucket, Call, stored};
use crate::Error;

impl Bucket {
    /// Every object whose key begins with `prefix`, in the order of keys.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<Object>, Error> {
        let request = self.list_request(prefix);
        let mut objects = Vec::new();
        self.pages(request, |page| {
            objects.extend(self::objects(page)?);
            Ok(())
        })
        .await?;
        Ok(objects)
    }

    /// What a listing shows under a key; `None` when there is nothing.
    pub(crate) async fn find_listed(&self, key: &str) -> Result<Option<Object>, Error> {
        Ok(self.list(key).await?.into_iter().find(|object| object.key == key))
    }

    pub(crate) fn list_request(&self, prefix: &str) -> ListObjectsV2FluentBuilder {
        let request = self.client.list_objects_v2().bucket(&self.settings.bucket).prefix(prefix);
        // A foreign key may hold bytes that XML can't, which would make the whole page unreadable.
        let request = request.encoding_type(EncodingType::Url);
        // Other stores may refuse a header that they don't know.
        if self.endpoint.is_some() {
            request
        } else {
            request.optional_object_attributes(OptionalObjectAttributes::RestoreStatus)
        }
    }

    /// Gives each page to `take`.
    async fn pages(
        &self,
        request: ListObjectsV2FluentBuilder,
        mut take: impl FnMut(&ListObjectsV2Output) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut token: Option<String> = None;
        loop {
            let send = || request.clone().set_continuation_token(token.clone()).send();
            let page = self.call(Call::on_bucket("s3:ListBucket"), send).await?;
            take(&page)?;
            if page.is_truncated() != Some(true) {
                return Ok(());
            }
            let next = page.next_continuation_token().map(str::to_owned);
            if next.is_none() || next == token {
                return Err(self.incomplete("the store says there is more but not where"));
            }
            token = next;
        }
    }

    pub(crate) fn incomplete(&self, cause: &str) -> Error {
        Error::IncompleteListing { object: self.display_name(), cause: cause.to_owned() }
    }
}

/// A page's rows.
pub(crate) fn objects(page: &ListObjectsV2Output) -> Result<Vec<Object>, Error> {
    page.contents().iter().map(|listed| object(page, listed)).collect()
}

fn object(page: &ListObjectsV2Output, listed: &aws_sdk_s3::types::Object) -> Result<Object, Error> {
    let key = plain_key(page.encoding_type(), listed.key().unwrap_or_default());
    let restored = listed.restore_status().is_some_and(is_restored);
    Ok(Object {
        size: size(listed.size()),
        last_modified: timestamp(&key, listed.last_modified())?,
        etag: stored::bare_etag(listed.e_tag()),
        version_id: None,
        readable: restored || is_readable(listed.storage_class().map(|class| class.as_str())),
        key,
    })
}

/// Keys come back as asked for: form-encoded, unless the store doesn't know how.
pub(crate) fn plain_key(encoding: Option<&EncodingType>, key: &str) -> String {
    match encoding {
        Some(EncodingType::Url) => percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned(),
        _ => key.to_owned(),
    }
}

fn is_restored(status: &RestoreStatus) -> bool {
    status.is_restore_in_progress() == Some(false) && status.restore_expiry_date().is_some()
}

/// Glacier's instant retrieval reads like STANDARD; its other classes must be restored first.
pub(crate) fn is_readable(storage_class: Option<&str>) -> bool {
    !matches!(storage_class, Some("GLACIER" | "DEEP_ARCHIVE"))
}

pub(crate) fn size(size: Option<i64>) -> u64 {
    size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0)
}

/// A row without its time would be a row without its age: the listing cannot be used then.
pub(crate) fn timestamp(key: &str, time: Option<&DateTime>) -> Result<Timestamp, Error> {
    let parsed = time.and_then(|time| Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok());
    parsed.ok_or_else(|| Error::IncompleteListing { object: key.to_owned(), cause: "no LastModified".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_keys_are_decoded_once_and_only_when_the_store_says_so() {
        assert_eq!(plain_key(Some(&EncodingType::Url), "a+b%2Bc%2520d"), "a b+c%20d");
        assert_eq!(plain_key(None, "a+b%2Bc"), "a+b%2Bc");
    }

    #[test]
    fn instant_retrieval_is_readable_and_glacier_is_not() {
        assert!(is_readable(None) && is_readable(Some("GLACIER_IR")) && is_readable(Some("STANDARD_IA")));
        assert!(!is_readable(Some("GLACIER")) && !is_readable(Some("DEEP_ARCHIVE")));
    }
}
