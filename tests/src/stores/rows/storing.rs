//! Backups, as they land in the bucket.

use crate::agent::Agent;
use crate::bucket::is_archive;
use crate::stores::ground::{Ground, done, holds_good_backups, large, open_uploads};
use crate::stores::trouble::{Tried, Trouble};

pub(super) fn a_dry_run_writes_nothing(ground: &Ground) -> Tried {
    let bucket = ground.bucket();
    done(&ground.agent(&bucket), &["backup", "--dry-run"])?;
    assert_eq!(bucket.keys(), Vec::<String>::new());
    assert_eq!(open_uploads(&bucket), Vec::<String>::new());
    Ok(())
}

pub(super) fn a_small_archive_is_put(ground: &Ground) -> Tried {
    let (bucket, proxy) = (ground.bucket(), ground.proxy());
    done(&ground.agent_through(&bucket, &proxy), &["backup"])?;
    assert!(!proxy.requests().iter().any(|request| request.method == "POST"), "{:?}", proxy.requests());
    assert_eq!(
        bucket.keys().len(),
        5,
        "an archive, the globals, the index, its manifest and the database's mark: {:?}",
        bucket.keys()
    );
    holds_good_backups(&ground.agent(&bucket), &bucket, 1)
}

/// Nothing is set that a store could need: with what it needs the archive may go otherwise.
pub(super) fn a_large_archive_goes_in_parts(ground: &Ground) -> Tried {
    let bucket = ground.bucket();
    let agent = ground.agent_by_default(&bucket).database(large());
    let backup = done(&agent, &["backup"]);
    if backup.is_err() {
        assert_eq!(bucket.keys_of_backups(), Vec::<String>::new(), "a failed backup left something");
        assert_eq!(open_uploads(&bucket), Vec::<String>::new());
    }
    backup?;
    let archive = bucket.objects().into_iter().find(|object| is_archive(&object.key)).expect("an archive");
    assert!(archive.size > 8 << 20, "{} bytes make one part", archive.size);
    holds_good_backups(&agent, &bucket, 1)
}

pub(super) fn parts_have_an_md5(ground: &Ground) -> Tried {
    with_checksum(ground, "md5")
}

pub(super) fn parts_have_no_checksum(ground: &Ground) -> Tried {
    with_checksum(ground, "none")
}

fn with_checksum(ground: &Ground, checksum: &str) -> Tried {
    if !ground.takes_parts() {
        return Err(Trouble::lacks(ONE_PUT));
    }
    let bucket = ground.bucket();
    let agent: Agent = ground.in_parts(ground.agent(&bucket)).setting("BACKUP_S3_CHECKSUM", checksum);
    done(&agent, &["backup"])?;
    holds_good_backups(&agent, &bucket, 1)
}

/// Why rows about parts aren't for a store.
pub(super) const ONE_PUT: &str = "with the setting above every archive goes by one put";
