//! Settings that are wrong: exit status, error and hint say which.

use crate::agent::Outcome;
use crate::bucket::Access;
use crate::stores::ground::Ground;
use crate::stores::trouble::{Tried, Trouble};

pub(super) fn a_missing_bucket_is_named(ground: &Ground) -> Tried {
    let agent = ground.agent_as("no-such-bucket", ground.access());
    for arguments in [&["backup", "--dry-run"][..], &["list"], &["backup"]] {
        let outcome = agent.run(arguments);
        if arguments == ["backup"] && outcome.code == Some(0) {
            return Err(Trouble::lacks("`backup --dry-run` and `list` name it; a put creates it"));
        }
        let outcome = outcome.exits(2).mentions("the bucket no-such-bucket does not exist");
        hint_names(&outcome, "BACKUP_S3_BUCKET");
    }
    Ok(())
}

pub(super) fn an_unknown_key_is_named(ground: &Ground) -> Tried {
    let unknown = "GKffffffffffffffffffffffff";
    keys_are_named(ground, &Access { key_id: unknown.to_owned(), ..ground.access().clone() }, "it takes any access key")
}

pub(super) fn a_wrong_secret_is_named(ground: &Ground) -> Tried {
    let wrong = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    keys_are_named(ground, &Access { secret: wrong.to_owned(), ..ground.access().clone() }, "it takes any secret")
}

/// A store that knows the key as a wrong one gives exit 2; from one that only denies access, exit 1 is all that can be known.
fn keys_are_named(ground: &Ground, access: &Access, lacks: &str) -> Tried {
    let bucket = ground.bucket();
    let agent = ground.agent_as(bucket.name(), access);
    for arguments in [&["backup", "--dry-run"][..], &["backup"], &["list"]] {
        let outcome = agent.run(arguments);
        if outcome.code == Some(0) {
            return Err(Trouble::lacks(lacks));
        }
        let denied = outcome.stderr.contains("(AccessDenied)");
        let outcome = outcome.exits(if denied { 1 } else { 2 }).keeps_silent_about(&access.secret);
        hint_names(&outcome, "key");
    }
    assert_eq!(bucket.keys(), Vec::<String>::new());
    Ok(())
}

pub(super) fn a_wrong_region_is_named(ground: &Ground) -> Tried {
    let bucket = ground.bucket();
    let wrong = "nowhere-1";
    let access = Access { region: wrong.to_owned(), ..ground.access().clone() };
    let agent = ground.agent_as(bucket.name(), &access).setting("AWS_REGION", wrong);
    for arguments in [&["backup", "--dry-run"][..], &["backup"], &["list"]] {
        let outcome = agent.run(arguments);
        if outcome.code == Some(0) {
            return Err(Trouble::lacks("it takes any region"));
        }
        hint_names(&outcome.exits(2), &format!("AWS_REGION={}", ground.access().region));
    }
    Ok(())
}

#[track_caller]
fn hint_names(outcome: &Outcome, what: &str) {
    let hint = outcome.stderr.lines().find(|line| line.starts_with("hint: "));
    assert!(hint.is_some_and(|hint| hint.contains(what)), "no hint at {what}\n{outcome}");
}
