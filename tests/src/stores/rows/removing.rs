//! Removal by `prune`: what goes is gone, and nothing else went.

use std::collections::BTreeSet;

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};

use crate::agent::Agent;
use crate::bucket::{Bucket, wait};
use crate::history;
use crate::stores::ground::{Ground, done, next_second, small};
use crate::stores::row::{Tried, Trouble};

pub(super) fn what_is_old_goes_and_nothing_else(ground: &Ground) -> Tried {
    let bucket = ground.bucket();
    let agent = keeps_two(ground, &bucket);
    let kept = fill(&agent, &bucket)?;
    bucket.put("backups/notes.txt", b"mine");
    done(&agent, &["prune", "--dry-run", "--force"])?;
    assert_eq!(stems(&bucket).len(), 4, "a dry run removes nothing");
    done(&agent, &["prune", "--force"])?;
    assert_eq!(stems(&bucket), kept);
    let others: Vec<String> = bucket.keys().into_iter().filter(|key| stem(key).is_none()).collect();
    assert_eq!(others, [format!("backups/databases/{}.json", small().name()), "backups/notes.txt".to_owned()]);
    Ok(())
}

pub(super) fn no_version_is_left(ground: &Ground) -> Tried {
    let bucket = versioned(ground)?;
    let agent = keeps_two(ground, &bucket);
    let kept = fill(&agent, &bucket)?;
    // Older versions, and a marker that hides one.
    history::fill(&bucket, &[small().name()], 3);
    let oldest = bucket.keys().into_iter().find(|key| key.ends_with(".manifest.json")).expect("a manifest");
    let text = bucket.get(&oldest);
    bucket.delete(&oldest);
    bucket.put(&oldest, &text);
    let kept = if stems(&bucket).len() == 4 { kept } else { stems(&bucket).into_iter().rev().take(2).collect() };
    done(&agent, &["prune", "--force"])?;
    let page = wait(bucket.client().list_object_versions().bucket(bucket.name()).send()).unwrap();
    let versions = page.versions().iter().filter_map(|version| stem(version.key().unwrap()));
    let markers = page.delete_markers().iter().filter_map(|marker| stem(marker.key().unwrap()));
    assert_eq!(versions.chain(markers).collect::<BTreeSet<_>>(), kept, "{page:#?}");
    Ok(())
}

fn keeps_two(ground: &Ground, bucket: &Bucket) -> Agent {
    ground.agent(bucket).setting("BACKUP_KEEP_LAST", "2").setting("BACKUP_MIN_GOOD", "1")
}

/// Three backups of earlier and one of now. Returns the names of the two newest.
fn fill(agent: &Agent, bucket: &Bucket) -> Result<BTreeSet<String>, Trouble> {
    history::fill(bucket, &[small().name()], 3);
    next_second();
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
    let set = wait(put.send()).is_ok();
    let status = wait(bucket.client().get_bucket_versioning().bucket(bucket.name()).send());
    let is_on = status.is_ok_and(|answer| answer.status() == Some(&BucketVersioningStatus::Enabled));
    if set && is_on { Ok(bucket) } else { Err(Trouble::lacks("it keeps no versions")) }
}
