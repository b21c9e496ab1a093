//! `make cloud-smoke` on the local AWS: what is run for a sandbox account before a release, with another endpoint.

use e2e::functions;
use e2e::ministack::{Ministack, Rights};
use e2e::smoke::{Account, run};
use e2e::stack::Stack;

use e2e::past::database;

#[test]
fn a_stack_lives_its_whole_life_and_leaves_nothing() {
    // A server of its own: its alarms ignore dimensions.
    let ministack = Ministack::start(Rights::Enforced);
    let release = Stack::new(&ministack, "smoke").functions(functions::folder()).release();
    let mut steps = Vec::new();
    run(&Account::local(&ministack.root()), &release.folder, database(), &mut |step| steps.push(step.to_owned()));
    assert_eq!(steps.len(), 7, "{steps:#?}");
}
