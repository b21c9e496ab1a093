//! What reads a bucket: judging, listing, restoring and taking over.

use crate::history;
use crate::postgres::Postgres;
use crate::stores::ground::{Ground, done, holds_good_backups, large, small};
use crate::stores::trouble::Tried;

pub(super) fn what_was_stored_is_good(ground: &Ground) -> Tried {
    let bucket = ground.bucket();
    let agent = ground.in_parts(ground.agent(&bucket));
    done(&agent, &["backup"])?;
    done(&agent, &["verify", "latest"])?.mentions("intact");
    done(&agent, &["check"])?;
    done(&agent, &["list"])?.mentions("1 good");
    is_found_damaged(ground)
}

fn is_found_damaged(ground: &Ground) -> Tried {
    let bucket = ground.bucket();
    let agent = ground.agent(&bucket);
    done(&agent, &["backup"])?;
    bucket.flip_bit(&bucket.key_ending_in(".sql.gz"), 200);
    agent.run(&["verify", "latest"]).exits(4).mentions("DAMAGED");
    agent.run(&["check"]).exits(6);
    Ok(())
}

pub(super) fn a_restore_gives_the_same_database(ground: &Ground) -> Tried {
    let bucket = ground.bucket();
    let agent = ground.in_parts(ground.agent(&bucket));
    done(&agent, &["backup"])?;
    done(&agent, &["verify", "latest"])?;
    let restored = Postgres::shared().database(&format!("stores_restored_{}", ground.store.name()));
    done(&agent, &["restore", "--from-s3-latest", "--into", restored.name(), "--confirm"])?;
    let (source, copy) = (large().as_sql(), restored.as_sql());
    let differing = sorted(&source).into_iter().zip(sorted(&copy)).find(|(before, after)| before != after);
    assert_eq!(differing, None, "the restored database differs");
    assert_eq!(source.len(), copy.len(), "the restored database has more or less");
    Ok(())
}

/// Rows lie in another order where PostgreSQL fills the room that earlier pages have left.
fn sorted(sql: &str) -> Vec<&str> {
    let mut lines: Vec<_> = sql.lines().collect();
    lines.sort_unstable();
    lines
}

pub(super) fn a_guest_is_adopted(ground: &Ground) -> Tried {
    let bucket = ground.bucket();
    let key = "backups/20260120/astro_backup_20260120_030000.sql.gz";
    bucket.put_with(key, &small().dump(&["--format=custom"]), &[("database", "astro")]);
    let before = bucket.objects();
    let agent = ground.agent(&bucket).setting("DB_NAME", "astro");
    done(&agent, &["adopt", "--all"])?;
    assert_eq!(bucket.get_json(&key.replace(".sql.gz", ".manifest.json"))["purpose"], "adopted");
    assert!(bucket.objects().contains(&before[0]), "the archive is another one: {:#?}", bucket.objects());
    holds_good_backups(&agent, &bucket, 1)
}

/// A listing has a thousand keys.
pub(super) fn other_objects_are_left_alone(ground: &Ground) -> Tried {
    let bucket = ground.bucket();
    let other = |number: u32| (format!("backups/20200101/note-{number:04}.txt"), "mine".to_owned());
    history::put_all(&bucket, (0..1200).map(other));
    let agent = ground.agent(&bucket);
    done(&agent, &["backup"])?;
    holds_good_backups(&agent, &bucket, 1)?;
    assert_eq!(bucket.keys().iter().filter(|key| key.contains("/note-")).count(), 1200);
    Ok(())
}
