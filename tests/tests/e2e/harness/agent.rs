//! Runs of the real binary.

use e2e::agent::Agent;

#[test]
fn the_real_binary_runs_with_nothing_of_this_machines() {
    let agent = Agent::new();
    agent.run(&["--version"]).succeeds().mentions("lastgood");
    agent.run(&["no-such-command"]).exits(2);
}

#[test]
fn a_run_is_watched_while_it_works() {
    let running = Agent::new().start(&["--help"]);
    assert!(running.pid() > 0);
    running.wait().succeeds().mentions("restore");
}
