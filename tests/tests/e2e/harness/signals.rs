//! What a test binary hands on to the programs that it starts.

use std::process::Command;

use e2e::process::output;
use e2e::signals::is_ignored;
use rustix::process::Signal;

/// Set for the test binary that was told to ignore signals.
const DEAF: &str = "LASTGOOD_E2E_DEAF";

const SIGNALS: [Signal; 3] = [Signal::HUP, Signal::INT, Signal::QUIT];

#[test]
fn programs_begin_with_default_signals_where_the_tests_ignore_them() {
    if std::env::var_os(DEAF).is_some() {
        return start_a_program();
    }
    // As a script does it that starts the tests by `&`, and `nohup`.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP INT QUIT; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap()).env(DEAF, "1");
    let name = "harness::signals::programs_begin_with_default_signals_where_the_tests_ignore_them";
    let inner = output(shell.args(["--exact", name, "--nocapture"]));
    let said = String::from_utf8_lossy(&inner.stdout);
    assert!(
        inner.status.success() && said.contains("heard by the program"),
        "{said}\n{}",
        String::from_utf8_lossy(&inner.stderr)
    );
}

fn start_a_program() {
    let ignored = |status: &str| SIGNALS.map(|signal| is_ignored(status, signal));
    let own = std::fs::read_to_string("/proc/self/status").unwrap();
    assert_eq!(ignored(&own), [true; 3], "the shell has them ignored");
    let programs = String::from_utf8(output(Command::new("cat").arg("/proc/self/status")).stdout).unwrap();
    assert_eq!(ignored(&programs), [false; 3]);
    println!("heard by the program");
}
