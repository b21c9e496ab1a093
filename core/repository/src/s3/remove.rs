//! Removal by version. What was listed is compared with what is there now; then every version of a key and every delete
//! marker goes, so that bytes are really freed and nothing is left that hides nothing.

use std::collections::{BTreeMap, HashMap};

use archive::Digester;
use aws_sdk_s3::config::http::HttpRequest;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::{
    Delete, EncodingType, ObjectIdentifier, ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention,
};
use catalog::Object;
use catalog::removal::{Outcome, Removal, Step};
use jiff::Timestamp;

use super::object::md5_text;
use super::{Bucket, Call, listing, stored};
use crate::stored::Extent;
use crate::{Error, Hidden};

/// The id of a version that was written while versioning was off.
const NULL: &str = "null";
/// Keys of one DeleteObjects request (S3's limit).
const BATCH: usize = 1_000;

/// One version or delete marker that a key has now.
#[derive(Clone, Debug)]
struct Version {
    id: String,
    written: Timestamp,
    is_latest: bool,
    /// `None` for a delete marker.
    object: Option<Object>,
}

/// What the store has under each key, newest first.
type Versions = HashMap<String, Vec<Version>>;

/// What the store has of the backups that are to go.
enum Present {
    Versions(Versions),
    /// The store keeps no versions at all: what a plain listing shows, by key.
    Plain(HashMap<String, Object>),
}

impl Present {
    /// The keys that a listing shows.
    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Plain(objects) => Box::new(objects.keys().map(String::as_str)),
            Self::Versions(versions) => {
                Box::new(versions.iter().filter(|(_, all)| is_live(all)).map(|(key, _)| key.as_str()))
            }
        }
    }
}

/// One identifier to delete; the key is what outcomes are told by.
struct Doomed {
    key: String,
    version: Option<String>,
}

impl Bucket {
    /// Removes objects that a listing or a plan showed; see [`crate::Repository::remove`].
    pub(crate) async fn remove(&self, objects: &[Object], extent: Extent) -> Result<Removal, Error> {
        let mut removal = Removal::new(&self.layout, objects);
        let present = self.present(objects).await?;
        if extent == Extent::Backups {
            removal.compare(&self.layout, present.keys());
        }
        while let Some(step) = removal.next_step() {
            let outcomes = self.take_step(&step, &present).await?;
            removal.record(&step, outcomes);
        }
        Ok(removal)
    }

    /// Deletes the objects of one step, which may go in any order among themselves.
    async fn take_step(&self, step: &Step, present: &Present) -> Result<BTreeMap<String, Outcome>, Error> {
        let mut outcomes = BTreeMap::new();
        let mut doomed = Vec::new();
        for (key, seen) in &step.objects {
            let ids = match present {
                Present::Plain(objects) => is_unchanged(seen, objects.get(key)).then(|| vec![None]),
                Present::Versions(versions) => doomed_versions(seen, versions.get(key).map_or(&[][..], Vec::as_slice))
                    .map(|ids| ids.into_iter().map(Some).collect()),
            };
            match ids {
                Some(ids) => doomed.extend(ids.into_iter().map(|version| Doomed { key: key.clone(), version })),
                None => drop(outcomes.insert(key.clone(), Outcome::Changed)),
            }
            outcomes.entry(key.clone()).or_insert(Outcome::Removed);
        }
        for batch in doomed.chunks(BATCH) {
            self.delete(batch, &mut outcomes).await?;
        }
        Ok(outcomes)
    }

    /// One DeleteObjects. It answers 200 also when it deleted nothing: what failed stands in the body.
    async fn delete(&self, batch: &[Doomed], outcomes: &mut BTreeMap<String, Outcome>) -> Result<(), Error> {
        let identifiers = batch.iter().filter_map(|doomed| {
            ObjectIdentifier::builder().key(&doomed.key).set_version_id(doomed.version.clone()).build().ok()
        });
        let delete = Delete::builder().set_objects(Some(identifiers.collect())).quiet(true).build();
        let delete = delete.map_err(|error| Error::Settings { cause: error.to_string() })?;
        let request = self.client.delete_objects().bucket(&self.settings.bucket).delete(delete);
        let send = || request.clone().customize().mutate_request(add_content_md5).send();
        let answer = self.call(Call::on_bucket("s3:DeleteObjectVersion"), send).await?;
        for failed in answer.errors() {
            let (code, message) = (failed.code().unwrap_or_default(), failed.message().unwrap_or_default());
            if code == "NoSuchKey" || code == "NoSuchVersion" {
                continue;
            }
            let key = failed.key().unwrap_or_default();
            let is_locked = speaks_of_a_lock(code, message)
                || (code == "AccessDenied" && self.is_locked(key, failed.version_id()).await);
            let outcome = if is_locked { Outcome::Locked } else { Outcome::Failed(format!("{code}: {message}")) };
            outcomes.insert(key.to_owned(), outcome);
        }
        Ok(())
    }

    /// For stores that refuse a locked version without saying why. Who may not ask is told of a refusal.
    async fn is_locked(&self, key: &str, version: Option<&str>) -> bool {
        let (bucket, version) = (&self.settings.bucket, version.map(str::to_owned));
        let retention = self.call(Call::new("s3:GetObjectRetention", key), || {
            self.client.get_object_retention().bucket(bucket).key(key).set_version_id(version.clone()).send()
        });
        if retention.await.is_ok_and(|answer| answer.retention().is_some_and(is_retained)) {
            return true;
        }
        let hold = self.call(Call::new("s3:GetObjectLegalHold", key), || {
            self.client.get_object_legal_hold().bucket(bucket).key(key).set_version_id(version.clone()).send()
        });
        let is_held = |hold: &ObjectLockLegalHold| hold.status() == Some(&ObjectLockLegalHoldStatus::On);
        hold.await.is_ok_and(|answer| answer.legal_hold().is_some_and(is_held))
    }

    /// What there is of every key to be removed; one request for each backup.
    async fn present(&self, objects: &[Object]) -> Result<Present, Error> {
        let mut prefixes: Vec<&str> = objects.iter().map(|object| common_stem(&object.key)).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        let mut versions = Versions::new();
        for prefix in &prefixes {
            match self.list_versions(prefix).await {
                Ok(found) => versions.extend(found),
                Err(error) if has_no_versions(&error) => return self.plainly_present(&prefixes).await,
                Err(error) => return Err(error),
            }
        }
        Ok(Present::Versions(versions))
    }

    async fn plainly_present(&self, prefixes: &[&str]) -> Result<Present, Error> {
        let mut present = HashMap::new();
        for prefix in prefixes {
            present.extend(self.list(prefix).await?.into_iter().map(|object| (object.key.clone(), object)));
        }
        Ok(Present::Plain(present))
    }

    /// Every version of every key under a prefix that isn't deleted; the plain listing where there are no versions.
    pub(crate) async fn live_versions(&self, prefix: &str) -> Result<Vec<Object>, Error> {
        let (mut open, mut live) = (Versions::new(), Vec::new());
        let listed = self
            .version_pages(prefix, |page| {
                add_page(page, &mut open)?;
                // Keys come in order: all but the one that may go on in the next page are whole.
                let goes_on = page.next_key_marker().map(|key| listing::plain_key(page.encoding_type(), key));
                let whole = open.extract_if(|key, _| goes_on.as_ref() != Some(key)).map(|(_, versions)| versions);
                live.extend(whole.flat_map(live_objects));
                Ok(())
            })
            .await;
        match listed {
            Err(error) if has_no_versions(&error) => self.list(prefix).await,
            Err(error) => Err(error),
            Ok(()) => {
                live.extend(open.into_values().flat_map(live_objects));
                live.sort_by(|a, b| a.key.cmp(&b.key));
                Ok(live)
            }
        }
    }

    /// Every version under a prefix, whether it is shown or not; the plain listing where there are no versions.
    pub(crate) async fn every_version(&self, prefix: &str) -> Result<Vec<Object>, Error> {
        match self.list_versions(prefix).await {
            Ok(versions) => Ok(versions.into_values().flatten().filter_map(|version| version.object).collect()),
            Err(error) if has_no_versions(&error) => self.list(prefix).await,
            Err(error) => Err(error),
        }
    }

    /// The versions under a prefix that were deleted, and when.
    pub(crate) async fn hidden(&self, prefix: &str) -> Result<Vec<Hidden>, Error> {
        let versions = match self.list_versions(prefix).await {
            Err(error) if has_no_versions(&error) => return Ok(Vec::new()),
            versions => versions?,
        };
        let hidden = versions.into_values().flat_map(|versions| {
            let deleted = versions.iter().find(|version| version.is_latest && version.object.is_none());
            let since = deleted.map(|marker| marker.written);
            versions.into_iter().filter_map(move |version| Some(Hidden { object: version.object?, since: since? }))
        });
        Ok(hidden.collect())
    }

    /// Every version and delete marker under a prefix, by key, the newest first.
    async fn list_versions(&self, prefix: &str) -> Result<Versions, Error> {
        let mut versions = Versions::new();
        self.version_pages(prefix, |page| add_page(page, &mut versions)).await?;
        for found in versions.values_mut() {
            // Markers and versions come in two lists; only the time puts them in one order again.
            found.sort_by_key(|version| std::cmp::Reverse(version.written));
        }
        Ok(versions)
    }

    /// Gives each page of versions to `take`, to the end.
    async fn version_pages(
        &self,
        prefix: &str,
        mut take: impl FnMut(&ListObjectVersionsOutput) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut after: Option<(String, Option<String>)> = None;
        loop {
            let (key_marker, version_marker) = after.clone().unzip();
            let page = self
                .call(Call::on_bucket("s3:ListBucketVersions"), || {
                    let request = self.client.list_object_versions().bucket(&self.settings.bucket).prefix(prefix);
                    let request = request.encoding_type(EncodingType::Url);
                    let request = request.set_key_marker(key_marker.clone());
                    request.set_version_id_marker(version_marker.clone().flatten()).send()
                })
                .await?;
            take(&page)?;
            let key = page.next_key_marker().map(|key| listing::plain_key(page.encoding_type(), key));
            let next = key.map(|key| (key, page.next_version_id_marker().map(str::to_owned)));
            match (page.is_truncated(), next) {
                (Some(true), Some(next)) if Some(&next) != after.as_ref() => after = Some(next),
                (Some(true), _) => return Err(self.incomplete("the store says there are more versions but not where")),
                _ => return Ok(()),
            }
        }
    }
}

/// S3 takes any checksum of the list of keys; older MinIOs, Swift and others insist on this one, which the SDK doesn't send.
fn add_content_md5(request: &mut HttpRequest) {
    if let Some(body) = request.body().bytes() {
        let mut digester = Digester::new();
        digester.update(body);
        let md5 = md5_text(digester.finish().md5);
        request.headers_mut().insert("content-md5", md5);
    }
}

/// Whether a key with these versions isn't deleted.
fn is_live(versions: &[Version]) -> bool {
    versions.iter().any(|version| version.is_latest && version.object.is_some())
}

/// The versions of a key that isn't deleted.
fn live_objects(versions: Vec<Version>) -> impl Iterator<Item = Object> {
    let is_live = is_live(&versions);
    versions.into_iter().filter(move |_| is_live).filter_map(|version| version.object)
}

/// The versions to delete so that nothing is left of what was seen; `None` when something else is there now.
///
/// Seen by version, just those go, and the delete markers with the last of them; none of them where a newer one has come that a
/// listing shows. Seen in a listing without versions, the newest must still be what was seen, and all go.
fn doomed_versions(seen: &[Object], present: &[Version]) -> Option<Vec<String>> {
    let pinned: Vec<&str> = seen.iter().filter_map(Object::pinned_version).collect();
    // The version from before versioning was switched on. Switched off, the next write replaces it under the same id.
    let is_seen_null = |version: &Version, object: &Object| {
        let same = |seen: &&Object| seen.size == object.size && seen.bare_etag() == object.bare_etag();
        version.id == NULL
            && seen.iter().filter(|seen| seen.version_id.as_deref() == Some(NULL)).any(|seen| same(&seen))
    };
    let is_doomed = |version: &Version| match &version.object {
        None => true,
        Some(object) => pinned.contains(&version.id.as_str()) || is_seen_null(version, object),
    };
    let ids = |versions: &mut dyn Iterator<Item = &Version>| Some(versions.map(|version| version.id.clone()).collect());
    if !pinned.is_empty() {
        if present.first().is_some_and(|newest| newest.object.is_some() && !is_doomed(newest)) {
            return None;
        }
        let all = present.iter().all(is_doomed);
        return ids(&mut present.iter().filter(|version| is_doomed(version) && (all || version.object.is_some())));
    }
    let newest = present.iter().find_map(|version| version.object.as_ref());
    if is_unchanged(seen, newest) { ids(&mut present.iter()) } else { None }
}

/// What is there now, if anything, is what was seen.
fn is_unchanged(seen: &[Object], present: Option<&Object>) -> bool {
    present.is_none_or(|present| {
        seen.iter().all(|seen| seen.size == present.size && seen.bare_etag() == present.bare_etag())
    })
}

fn add_page(page: &ListObjectVersionsOutput, versions: &mut Versions) -> Result<(), Error> {
    let plain = |key: Option<&str>| listing::plain_key(page.encoding_type(), key.unwrap_or_default());
    for listed in page.versions() {
        let key = plain(listed.key());
        let id = listed.version_id().unwrap_or(NULL).to_owned();
        let written = listing::timestamp(&key, listed.last_modified())?;
        let object = Object {
            key: key.clone(),
            size: listing::size(listed.size()),
            last_modified: written,
            etag: stored::bare_etag(listed.e_tag()),
            version_id: Some(id.clone()),
            readable: listing::is_readable(listed.storage_class().map(|class| class.as_str())),
        };
        let version = Version { id, written, is_latest: listed.is_latest() == Some(true), object: Some(object) };
        versions.entry(key).or_default().push(version);
    }
    for listed in page.delete_markers() {
        let key = plain(listed.key());
        let written = listing::timestamp(&key, listed.last_modified())?;
        let id = listed.version_id().unwrap_or(NULL).to_owned();
        let marker = Version { id, written, is_latest: listed.is_latest() == Some(true), object: None };
        versions.entry(key).or_default().push(marker);
    }
    Ok(())
}

/// Some stores (Cloudflare R2, Garage) don't know the request, and say so in one of these ways.
fn has_no_versions(error: &Error) -> bool {
    const UNKNOWN: [&str; 4] = ["NotImplemented", "HTTP 501", "MethodNotAllowed", "HTTP 405"];
    matches!(error, Error::Other { code, .. } if UNKNOWN.contains(&code.as_str()))
}

/// All files of one backup begin with its stem and a dot: one listing shows their versions.
fn common_stem(key: &str) -> &str {
    let name = key.rfind('/').map_or(0, |slash| slash + 1);
    let dot = key.get(name..).and_then(|file| file.find('.'));
    dot.and_then(|dot| key.get(..=name + dot)).unwrap_or(key)
}

/// A retention whose end has passed locks nothing.
fn is_retained(retention: &ObjectLockRetention) -> bool {
    retention.retain_until_date().is_some_and(|until| until.secs() > Timestamp::now().as_second())
}

/// S3 answers a locked version like any other denial; only its text tells. Names of roles and buckets in it tell nothing.
fn speaks_of_a_lock(code: &str, message: &str) -> bool {
    let said = format!("{code} {message}").to_lowercase();
    let is_name = |word: &&str| word.contains("arn:") || word.contains('/');
    let words: Vec<&str> = said.split_whitespace().filter(|word| !is_name(word)).collect();
    let said = words.join(" ");
    ["object lock", "objectlock", "object is locked", "worm", "legal hold"].iter().any(|words| said.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(etag: &str, version: Option<&str>) -> Object {
        Object {
            key: "k".into(),
            size: 1,
            last_modified: Timestamp::UNIX_EPOCH,
            etag: Some(etag.into()),
            version_id: version.map(str::to_owned),
            readable: true,
        }
    }

    fn version(id: &str, etag: Option<&str>) -> Version {
        let object = etag.map(|etag| object(etag, Some(id)));
        Version { id: id.into(), written: Timestamp::UNIX_EPOCH, is_latest: false, object }
    }

    #[test]
    fn the_list_of_what_goes_has_a_content_md5() {
        let mut request = HttpRequest::new("<Delete/>".into());
        add_content_md5(&mut request);
        // printf '<Delete/>' | openssl md5 -binary | base64
        assert_eq!(request.headers().get("content-md5"), Some("ePbrFwvNFIRnzBrIv+T8Ag=="));
    }

    #[test]
    fn seen_without_versions_everything_under_the_key_goes() {
        let present = [version("3", None), version("2", Some("b")), version("1", Some("a"))];
        assert_eq!(doomed_versions(&[object("b", None)], &present).unwrap(), ["3", "2", "1"]);
    }

    #[test]
    fn an_object_that_changed_since_it_was_listed_stays() {
        let present = [version("2", Some("b")), version("1", Some("a"))];
        assert_eq!(doomed_versions(&[object("a", None)], &present), None);
    }

    #[test]
    fn seen_by_version_an_unseen_version_stays_and_so_do_markers() {
        let present = [version("4", Some("d")), version("3", None), version("2", Some("b")), version("1", Some("a"))];
        assert_eq!(doomed_versions(&[object("d", Some("4")), object("a", Some("1"))], &present).unwrap(), ["4", "1"]);
    }

    #[test]
    fn seen_by_version_all_stays_where_a_newer_one_has_come() {
        let mut present = vec![version("3", Some("a")), version("2", None), version("1", Some("a"))];
        assert_eq!(doomed_versions(&[object("a", Some("1"))], &present), None);
        // One that nobody sees is in nobody's way.
        present.insert(0, version("4", None));
        assert_eq!(doomed_versions(&[object("a", Some("1"))], &present).unwrap(), ["1"]);
    }

    #[test]
    fn the_last_seen_version_takes_the_markers_along() {
        let present = [version("2", None), version("1", Some("a"))];
        assert_eq!(doomed_versions(&[object("a", Some("1"))], &present).unwrap(), ["2", "1"]);
    }

    #[test]
    fn a_version_from_before_versioning_goes_with_those_after_it_if_it_was_seen() {
        let present = [version("3", None), version("2", Some("b")), version("null", Some("a"))];
        let seen = [object("b", Some("2")), object("a", Some("null"))];
        assert_eq!(doomed_versions(&seen, &present).unwrap(), ["3", "2", "null"]);
        assert_eq!(doomed_versions(&seen[..1], &present).unwrap(), ["2"]);
        let replaced = [version("2", Some("b")), version("null", Some("c"))];
        assert_eq!(doomed_versions(&seen, &replaced).unwrap(), ["2"]);
    }

    #[test]
    fn what_is_gone_already_needs_no_removal() {
        assert_eq!(doomed_versions(&[object("a", None)], &[]).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn all_files_of_a_backup_share_one_listing() {
        assert_eq!(common_stem("p/20260120/app_backup_x.sql.gz"), "p/20260120/app_backup_x.");
        assert_eq!(common_stem("p/20260120/my.20app_backup_x.manifest.json"), "p/20260120/my.");
    }

    #[test]
    fn a_denial_for_a_role_named_retention_is_no_lock() {
        let denial =
            "User: arn:aws:sts::1:assumed-role/lastgood-retention/x is not authorized to perform: s3:DeleteObject";
        assert!(!speaks_of_a_lock("AccessDenied", denial));
        assert!(speaks_of_a_lock("AccessDenied", "Access Denied because object protected by object lock."));
        let name = "User: arn:aws:iam::123456789012:role/wormhole is not authorized to perform: s3:DeleteObjectVersion";
        assert!(!speaks_of_a_lock("AccessDenied", name));
        assert!(speaks_of_a_lock("ObjectLocked", "The object is WORM protected"));
    }
}
