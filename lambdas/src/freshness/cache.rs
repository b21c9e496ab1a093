//! What a warm function remembers of small objects: read again only when their ETag is another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use catalog::Object;

/// The most objects that are remembered: some hundred bytes each.
const MOST: usize = 20_000;

/// Values read from objects, by key and `ETag`.
#[derive(Clone, Debug)]
pub(super) struct Cache<T>(Arc<Mutex<HashMap<String, (String, T)>>>);

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> Cache<T> {
    /// What was read of the object as it is listed, if it was.
    pub(super) fn known(&self, object: &Object) -> Option<T> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (etag, value) = known.get(&object.key)?;
        (object.etag.as_ref() == Some(etag)).then(|| value.clone())
    }

    /// Remembers what the object is, unless the store gives no `ETag` to know it by.
    pub(super) fn learn(&self, object: &Object, value: T) {
        let Some(etag) = object.etag.clone() else { return };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            // A day's worth of verdicts that nobody asks for any more: the others are read once again.
            known.clear();
        }
        known.insert(object.key.clone(), (etag, value));
    }

    /// What the object is: known, or read.
    pub(super) async fn get<E>(&self, object: &Object, read: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        if let Some(known) = self.known(object) {
            return Ok(known);
        }
        let value = read.await?;
        self.learn(object, value.clone());
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(etag: Option<&str>) -> Object {
        let (key, last_modified) = ("k".to_owned(), jiff::Timestamp::UNIX_EPOCH);
        Object { key, size: 1, last_modified, etag: etag.map(str::to_owned), version_id: None, readable: true }
    }

    #[tokio::test]
    async fn an_object_is_read_again_only_when_it_is_another() {
        let cache = Cache::default();
        let get = async |etag: Option<&str>, value: u8| {
            cache.get(&object(etag), async { Ok::<u8, ()>(value) }).await.unwrap()
        };
        assert_eq!(get(Some("a"), 1).await, 1);
        assert_eq!(get(Some("a"), 2).await, 1, "it is the same");
        assert_eq!(get(Some("b"), 3).await, 3, "it is another");
        assert_eq!(get(None, 4).await, 4);
        assert_eq!(get(None, 5).await, 5, "nothing to know it by");
        assert_eq!(cache.get(&object(Some("c")), async { Err::<u8, u8>(1) }).await, Err(1));
        assert_eq!(get(Some("c"), 6).await, 6, "a failure is not remembered");
    }
}
