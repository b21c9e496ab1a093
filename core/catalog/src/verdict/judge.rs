//! The decision, from what was read and what was promised.

use archive::{Census, Damage, Digest, Inspected, LargeObjectCensus, TableCensus, pairs};
use jiff::Timestamp;

use super::{Code, Content, Expected, Finding, Identity, Outcome, Verdict, Verifier};
use crate::document::Unknown;
use crate::manifest::Manifest;
use crate::object::Object;
use crate::words;

/// How many differing tables a finding names before it only counts.
const NAMED: usize = 5;

/// What is known of an object whose bytes were read to their end.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The object, as it was read.
    pub object: &'a Object,
    /// What the store said of it.
    pub expected: &'a Expected,
    /// What its bytes are.
    pub inspected: &'a Inspected,
}

/// The verdict of `by` at `at`, from the evidence and the manifest; a guest has none.
#[must_use]
pub fn judge(manifest: Option<&Manifest>, evidence: Evidence<'_>, at: Timestamp, by: Verifier) -> Verdict {
    let Evidence { object, expected, inspected } = evidence;
    let digest = &inspected.digest;
    let findings: Vec<Finding> = if digest.size == 0 {
        vec![Finding::new(Code::EMPTY, "there isn't a single byte")]
    } else {
        let promised = manifest.into_iter().flat_map(|manifest| against_manifest(manifest, object, digest));
        let content = against_content(manifest, expected, inspected);
        against_store(object, expected, digest).into_iter().chain(promised).chain(content).collect()
    };
    Verdict {
        outcome: if findings.is_empty() { Outcome::Intact } else { Outcome::Damaged },
        content: match &inspected.content {
            archive::Content::Unread => Content::Unread,
            archive::Content::Damaged(damage) if damage.is_limit() => Content::Unread,
            _ => Content::Read,
        },
        findings,
        identity: Identity::read(object, digest),
        digest: Some(digest.clone()),
        verifier: by,
        verified: at,
        extent: None,
        unknown: Unknown::default(),
    }
}

/// Why nothing can be said of these bytes: they are beyond the limits of whoever read them, and nothing but their content could
/// prove them.
#[must_use]
pub fn beyond_limits<'a>(manifest: Option<&Manifest>, evidence: Evidence<'a>) -> Option<&'a Damage> {
    match &evidence.inspected.content {
        archive::Content::Damaged(damage) if damage.is_limit() => {
            Some(damage).filter(|_| manifest.is_none() && !evidence.expected.is_proof())
        }
        _ => None,
    }
}

/// Whether what is wrong may be the reading's fault and not that of the bytes: all of them came, and neither the manifest nor the
/// store says that those which came are those which are stored. A network or memory that spoils a byte leaves just that.
#[must_use]
pub fn may_be_misread(manifest: Option<&Manifest>, evidence: Evidence<'_>) -> bool {
    let Evidence { object, expected, inspected } = evidence;
    let digest = &inspected.digest;
    let promised = manifest.map(|manifest| &manifest.archive.digest);
    let is_all = digest.size == object.size && promised.is_none_or(|promised| promised.size == digest.size);
    let is_proven = promised == Some(digest)
        || [expected.metadata, expected.etag].contains(&Some(digest.md5))
        || expected.crc64nvme == Some(digest.crc64nvme);
    is_all && !is_proven
}

/// What the store says of the bytes it holds.
fn against_store(object: &Object, expected: &Expected, digest: &Digest) -> Vec<Finding> {
    let size = (digest.size != object.size)
        .then(|| Finding::new(Code::SIZE, format!("{} bytes were read, the store lists {}", digest.size, object.size)));
    let metadata = expected
        .metadata
        .filter(|md5| *md5 != digest.md5)
        .map(|md5| Finding::new(Code::DIGEST, format!("the bytes' MD5 is {}, their uploader said {md5}", digest.md5)));
    let etag = expected
        .etag
        .filter(|md5| *md5 != digest.md5)
        .map(|md5| Finding::new(Code::CHECKSUM, format!("the bytes' MD5 is {}, the store received {md5}", digest.md5)));
    let crc = expected.crc64nvme.filter(|crc| *crc != digest.crc64nvme).map(|crc| {
        Finding::new(Code::CHECKSUM, format!("the bytes' CRC64NVME is {}, the store received {crc}", digest.crc64nvme))
    });
    [size, metadata, etag, crc].into_iter().flatten().collect()
}

/// What the manifest says of the bytes.
fn against_manifest(manifest: &Manifest, object: &Object, digest: &Digest) -> Vec<Finding> {
    let promised = &manifest.archive.digest;
    let file = object.key.rsplit('/').next().unwrap_or_default();
    let is_its_name = file.strip_prefix(manifest.stem.as_str()).is_some_and(|suffix| suffix.starts_with('.'));
    let stem = (!is_its_name)
        .then(|| Finding::new(Code::STEM, format!("its manifest is about {}, not about {file}", manifest.stem)));
    let bytes = if digest.size != promised.size {
        let text = format!("{} bytes are stored, the manifest says {}", digest.size, promised.size);
        Some(Finding::new(Code::SIZE, text))
    } else if digest.md5 != promised.md5 {
        let text = format!("the bytes' MD5 is {}, the manifest says {}", digest.md5, promised.md5);
        Some(Finding::new(Code::DIGEST, text))
    } else if digest.crc64nvme != promised.crc64nvme {
        let text = format!("the bytes' CRC64NVME is {}, the manifest says {}", digest.crc64nvme, promised.crc64nvme);
        Some(Finding::new(Code::DIGEST, text))
    } else {
        None
    };
    stem.into_iter().chain(bytes).collect()
}

/// What the dump inside is.
fn against_content(manifest: Option<&Manifest>, expected: &Expected, inspected: &Inspected) -> Option<Finding> {
    match (&inspected.content, manifest) {
        // What is beyond a reader's limits is proved by its digest, as what is encrypted.
        (archive::Content::Damaged(damage), _) if damage.is_limit() && (manifest.is_some() || expected.is_proof()) => {
            None
        }
        (archive::Content::Damaged(damage), _) => Some(Finding::of(damage)),
        (archive::Content::Walked(walked), Some(manifest)) => census(&walked.census, &manifest.census),
        (archive::Content::Walked(_), None) => None,
        (archive::Content::Unread, Some(manifest)) if manifest.archive.encryption.is_none() => {
            Some(Finding::new(Code::UNPROVEN, "it is encrypted, and its manifest says it isn't"))
        }
        (archive::Content::Unread, None) if !expected.is_proof() => {
            Some(Finding::new(Code::UNPROVEN, "it is encrypted, and nothing says what its bytes should be"))
        }
        (archive::Content::Unread, _) => None,
    }
}

fn census(found: &Census, promised: &Census) -> Option<Finding> {
    let pairs = pairs(&promised.tables, &found.tables, |table| table);
    let mut differences: Vec<String> = pairs
        .first
        .iter()
        .filter_map(|(promised, found)| table(*found, promised))
        .chain(large_objects(&found.large_objects, &promised.large_objects))
        .collect();
    differences.extend(pairs.only_second.iter().map(|table| format!("{} isn't in the manifest", name(table))));
    if differences.is_empty() {
        return None;
    }
    let named = words::first_of(differences, NAMED, "; ");
    Some(Finding::new(Code::CENSUS, format!("other content than the manifest says: {named}")))
}

fn table(found: Option<&TableCensus>, promised: &TableCensus) -> Option<String> {
    let name = name(promised);
    let Some(found) = found else { return Some(format!("{name} is missing")) };
    match (found.rows, promised.rows) {
        _ if found == promised => None,
        (Some(rows), Some(said)) if rows != said => Some(format!("{name} has {rows} rows, not {said}")),
        _ if found.bytes != promised.bytes => Some(format!("{name} has {} bytes, not {}", found.bytes, promised.bytes)),
        _ => Some(format!("{name} has other content of the same size")),
    }
}

fn large_objects(found: &LargeObjectCensus, promised: &LargeObjectCensus) -> Option<String> {
    if found == promised {
        None
    } else if found.count != promised.count {
        Some(format!("there are {} large objects, not {}", found.count, promised.count))
    } else if found.bytes != promised.bytes {
        Some(format!("the large objects have {} bytes, not {}", found.bytes, promised.bytes))
    } else {
        Some("the large objects have other content of the same size".to_owned())
    }
}

fn name(table: &TableCensus) -> String {
    format!("table {}.{}", table.schema, table.name)
}
