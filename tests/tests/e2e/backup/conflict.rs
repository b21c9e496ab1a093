//! A store that answers the completion with a conflict (409), which asks for the whole archive again. No server on this
//! machine does so by itself: the answer is put into the mouth of a real one.

use std::sync::atomic::{AtomicU32, Ordering};

use e2e::bucket::Access;

use super::{Places, agent, in_parts, large};
use e2e::answering::answering;

const CONFLICT: &str = "<Error><Code>ConditionalRequestConflict</Code><Message>a concurrent write</Message></Error>";

/// The same store, of which the first so many completions of a multipart upload end in a conflict.
fn conflicting(store: &Access, completions: u32) -> Access {
    let left = AtomicU32::new(completions);
    answering(store, move |first_line| {
        let completes = first_line.starts_with("POST ") && first_line.contains("uploadId=");
        let is_left =
            completes && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        is_left.then_some(("409 Conflict", CONFLICT))
    })
}

#[test]
fn a_conflict_on_completion_is_answered_by_a_second_dump() {
    let places = Places::new();
    let agent = in_parts(places.both_as(agent().database(large()), &conflicting(places.bucket.access(), 1)));
    agent.run(&["backup"]).succeeds().mentions("dumping again");
    places.directory_holds_one_good_backup();
    places.bucket_holds_one_backup();
}

#[test]
fn a_second_conflict_fails_the_bucket_alone() {
    let places = Places::new();
    let agent = in_parts(places.both_as(agent().database(large()), &conflicting(places.bucket.access(), 2)));
    let failed = agent.run(&["backup"]).exits(1).mentions("the backup is only partly done");
    failed.mentions("because of a concurrent one (409)").mentions("hint: run the backup again");
    places.directory_holds_one_good_backup();
    places.bucket_holds_the_mark_alone();
}
