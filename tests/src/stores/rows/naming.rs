//! What may be there only once: a name, a run, the mark of a database.

use aws_sdk_s3::primitives::ByteStream;

use crate::agent::Agent;
use crate::bucket::{Bucket, Stored, is_archive, wait};
use crate::proxy::{Direction, Fault, Proxy};
use crate::stores::ground::{Ground, done, holds_good_backups, next_second, small};
use crate::stores::trouble::{Tried, Trouble};

/// Bytes of the archive's upload after which a run is made to wait.
const HALFWAY: u64 = 6_000_000;

/// It says since when the database is expected, and whether it is retired.
pub(super) fn a_mark_is_written_once(ground: &Ground) -> Tried {
    let bucket = ground.bucket();
    let agent = ground.agent(&bucket);
    let mark = || bucket.get_json(&format!("backups/databases/{}.json", small().name()));
    done(&agent, &["backup"])?;
    let first = mark();
    next_second();
    done(&agent, &["backup"])?;
    assert_eq!(mark(), first, "the second backup wrote the mark again");
    done(&agent, &["retire", small().name(), "--confirm"])?;
    let retired = mark();
    assert!(retired["retired"].is_string(), "{retired}");
    next_second();
    done(&agent, &["backup"])?;
    assert_eq!(mark(), retired, "a backup wrote the retired mark again");
    Ok(())
}

pub(super) fn a_name_is_given_once(ground: &Ground) -> Tried {
    let bucket = ground.bucket();
    let agent = ground.agent(&bucket);
    done(&agent, &["backup", "--name", "same"])?;
    let first = backup(&bucket);
    next_second();
    agent.run(&["backup", "--name", "same"]).exits(1).mentions("already exists");
    assert_eq!(backup(&bucket), first, "the first backup was touched");
    holds_good_backups(&agent, &bucket, 1)
}

pub(super) fn one_host_runs_one_at_a_time(ground: &Ground) -> Tried {
    let (bucket, proxy) = (ground.bucket(), ground.proxy());
    let agent = ground.in_parts(ground.agent_through(&bucket, &proxy));
    proxy.set(Fault::Stall(Direction::Up, HALFWAY));
    let mut first = agent.start(&["backup", "--name", "same"]);
    first.wait_until("the middle of the archive", |_| proxy.has_struck());
    agent.run(&["backup", "--name", "same"]).exits(3).mentions("is already running");
    proxy.heal();
    first.wait().succeeds();
    holds_good_backups(&agent, &bucket, 1)
}

/// The first one's look at what is there has gone, and its answer is late.
pub(super) fn two_hosts_put(ground: &Ground) -> Tried {
    let (bucket, proxy) = (ground.bucket(), ground.proxy());
    two_hosts([&ground.agent_through(&bucket, &proxy), &ground.agent(&bucket)], &bucket, (&proxy, 1))
}

/// The first one is in the middle of its archive.
pub(super) fn two_hosts_in_parts(ground: &Ground) -> Tried {
    let (bucket, proxy) = (ground.bucket(), ground.proxy());
    let slow = ground.in_parts(ground.agent_through(&bucket, &proxy));
    two_hosts([&slow, &ground.in_parts(ground.agent(&bucket))], &bucket, (&proxy, HALFWAY))
}

/// Each has a lock of its own. The second begins and ends while the first stands still after so many bytes.
fn two_hosts([slow, quick]: [&Agent; 2], bucket: &Bucket, (proxy, after): (&Proxy, u64)) -> Tried {
    proxy.set(Fault::Stall(Direction::Up, after));
    let mut first = slow.start(&["backup", "--name", "same"]);
    first.wait_until("the first run stands still", |_| proxy.has_struck());
    let second = quick.run(&["backup", "--name", "same"]);
    let kept = (second.code == Some(0)).then(|| backup(bucket));
    proxy.heal();
    let first = first.wait();
    let refused = match (first.code, second.code) {
        (Some(0), Some(0)) => panic!("both runs say that they are done, and one backup is lost"),
        (Some(0), Some(1)) => second,
        (Some(1), Some(0)) => first,
        _ => panic!("neither run is done as it must be\n{first}\n{second}"),
    };
    if let Some(kept) = kept.filter(|kept| backup(bucket) != *kept) {
        assert!(ignores_conditions(bucket), "the backup that was there first was touched: {kept:#?}");
        quick.run(&["verify", "--all"]).exits(4);
        return Err(Trouble::lacks(
            "it ignores `If-None-Match`, and one run was in the middle of its put: one fails, and `verify` calls what is left damaged",
        ));
    }
    holds_good_backups(quick, bucket, 1)?;
    if refused.stderr.contains("already exists") { Ok(()) } else { Err(Trouble::Failed(refused)) }
}

/// Whether the store puts over what is there although it is told not to.
fn ignores_conditions(bucket: &Bucket) -> bool {
    bucket.put("condition", b"there");
    let put = bucket.client().put_object().bucket(bucket.name()).key("condition").if_none_match("*");
    let is_put = wait(put.body(ByteStream::from_static(b"again")).send()).is_ok();
    bucket.delete("condition");
    is_put
}

/// Archive and manifest.
fn backup(bucket: &Bucket) -> Vec<Stored> {
    let is_record = |key: &str| is_archive(key) || key.ends_with(".manifest.json");
    bucket.objects().into_iter().filter(|object| is_record(&object.key)).collect()
}
