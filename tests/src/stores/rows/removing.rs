//! Removal by `prune`: what goes is gone, and nothing else went.

use std::collections::BTreeSet;

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::agent::Agent;
use crate::bucket::{Bucket, wait};
use crate::stores::ground::{Ground, done, small};
use crate::stores::trouble::{Tried, Trouble};

/// The objects of a good backup, the verdict last: it must not be older than what it is about.
const IN_ORDER: [&str; 3] = [".sql.gz", ".manifest.json", ".intact.json"];

pub(super) fn what_is_old_goes_and_nothing_else(ground: &Ground) -> Tried {
    let bucket = ground.bucket();
    let agent = keeps_two(ground, &bucket);
    let kept = fill(&agent, &bucket)?;
    bucket.put("backups/notes.txt", b"mine");
    done(&agent, &["prune", "--dry-run", "--force"])?;
    assert_eq!(stems(&bucket).len(), 4, "a dry run removes nothing");
    let pruned = done(&agent, &["prune", "--force"])?;
    assert_eq!(stems(&bucket), kept, "{pruned}");
    let is_other = |key: &String| stem(key).is_none() && !key.contains("/status/history/");
    let others: Vec<String> = bucket.keys().into_iter().filter(is_other).collect();
    assert_eq!(others, [format!("backups/databases/{}.json", small().name()), "backups/notes.txt".to_owned()]);
    Ok(())
}

pub(super) fn no_version_is_left(ground: &Ground) -> Tried {
    let bucket = versioned(ground)?;
    let agent = keeps_two(ground, &bucket);
    let kept = fill(&agent, &bucket)?;
    // Another version, and a marker that hides one.
    let keys = bucket.keys();
    for suffix in IN_ORDER {
        let going = keys.iter().filter(|key| stem(key).is_some_and(|stem| !kept.contains(&stem)));
        for key in going.filter(|key| key.ends_with(suffix)) {
            bucket.delete(key);
            bucket.put(key, b"{ }");
        }
    }
    let pruned = done(&agent, &["prune", "--force"])?;
    let page = wait(bucket.client().list_object_versions().bucket(bucket.name()).send()).unwrap();
    let versions = page.versions().iter().filter_map(|version| stem(version.key().unwrap()));
    let markers = page.delete_markers().iter().filter_map(|marker| stem(marker.key().unwrap()));
    assert_eq!(versions.chain(markers).collect::<BTreeSet<_>>(), kept, "{pruned}");
    Ok(())
}

fn keeps_two(ground: &Ground, bucket: &Bucket) -> Agent {
    ground.agent(bucket).setting("BACKUP_KEEP_LAST", "2").setting("BACKUP_MIN_GOOD", "1")
}

/// Three good backups of earlier days, with next to nothing in them, and one of now. Returns the names of the two newest.
fn fill(agent: &Agent, bucket: &Bucket) -> Result<BTreeSet<String>, Trouble> {
    for days in 1..=3 {
        let made = (Timestamp::now() - SignedDuration::from_hours(24 * days)).to_zoned(TimeZone::UTC);
        let stem = format!("{}/{}_backup_{}", made.strftime("%Y%m%d"), small().name(), made.strftime("%Y%m%d_%H%M%S"));
        IN_ORDER.iter().for_each(|suffix| bucket.put(&format!("backups/{stem}{suffix}"), b"{}"));
    }
    done(agent, &["backup"])?;
    done(agent, &["verify", "latest"])?;
    let all = stems(bucket);
    assert_eq!(all.len(), 4, "{all:?}");
    Ok(all.into_iter().rev().take(2).collect())
}

/// The names of the backups of which anything is there.
fn stems(bucket: &Bucket) -> BTreeSet<String> {
    bucket.keys().iter().filter_map(|key| stem(key)).collect()
}

fn stem(key: &str) -> Option<String> {
    let file = key.rsplit('/').next().unwrap();
    file.contains("_backup_").then(|| file.split('.').next().unwrap().to_owned())
}

fn versioned(ground: &Ground) -> Result<Bucket, Trouble> {
    let bucket = ground.bucket();
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let put = bucket.client().put_bucket_versioning().bucket(bucket.name()).versioning_configuration(enabled);
    wait(put.send()).map_err(|_| Trouble::lacks(NO_VERSIONS))?;
    // What the store says of the bucket's versioning is not always what it does.
    let probe = wait(bucket.client().put_object().bucket(bucket.name()).key("probe").send()).unwrap();
    if probe.version_id().is_some_and(|version| version != "null") {
        Ok(bucket)
    } else {
        Err(Trouble::lacks(NO_VERSIONS))
    }
}

const NO_VERSIONS: &str = "it keeps no versions";
