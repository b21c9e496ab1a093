//! What a test waits for comes within a bound, or the test fails and says what didn't come.

use std::time::{Duration, Instant};

/// The longest that a program may take, on a machine that is busy with other things too.
pub const LIMIT: Duration = Duration::from_secs(300);

/// The longest that a state may be waited for.
pub const MOMENT: Duration = Duration::from_secs(60);

/// Waits until `happened` says so; fails after [`MOMENT`].
#[track_caller]
pub fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + MOMENT;
    while !happened() {
        assert!(Instant::now() < deadline, "waited {MOMENT:?} in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
