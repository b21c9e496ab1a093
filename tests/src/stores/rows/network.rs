//! A network that breaks, and a run that is killed.

use rustix::process::Signal;

use super::storing::ONE_PUT;
use crate::proxy::{Direction, Fault};
use crate::stores::ground::{Ground, done, holds_good_backups, next_second, open_uploads};
use crate::stores::trouble::{Tried, Trouble};

pub(super) fn three_cuts_are_mended(ground: &Ground) -> Tried {
    let (bucket, proxy) = (ground.bucket(), ground.proxy());
    let agent = ground.in_parts(ground.agent_through(&bucket, &proxy));
    proxy.set(Fault::CutOnce(Direction::Up, 4_000_000));
    let mut running = agent.start(&["backup"]);
    for _ in 0..2 {
        running.wait_until("a cut", |_| proxy.has_struck());
        proxy.set(Fault::CutOnce(Direction::Up, 4_000_000));
    }
    running.wait_until("the last cut", |_| proxy.has_struck());
    running.wait().succeeds();
    holds_good_backups(&ground.in_parts(ground.agent(&bucket)), &bucket, 1)
}

pub(super) fn a_lost_beginning(ground: &Ground) -> Tried {
    in_parts_despite(ground, Fault::LoseAnswer("POST", "?uploads"))
}

pub(super) fn a_lost_completion(ground: &Ground) -> Tried {
    in_parts_despite(ground, Fault::LoseAnswer("POST", "uploadId="))
}

fn in_parts_despite(ground: &Ground, fault: Fault) -> Tried {
    if !ground.takes_parts() {
        return Err(Trouble::lacks(ONE_PUT));
    }
    let (bucket, proxy) = (ground.bucket(), ground.proxy());
    let agent = ground.in_parts(ground.agent_through(&bucket, &proxy));
    proxy.set(fault);
    done(&agent, &["backup"])?;
    assert!(proxy.has_struck(), "{fault:?} has not happened: {:?}", proxy.requests());
    holds_good_backups(&agent, &bucket, 1)
}

pub(super) fn lost_puts(ground: &Ground) -> Tried {
    for object in [".sql", ".manifest.json", "/databases/"] {
        let (bucket, proxy) = (ground.bucket(), ground.proxy());
        let agent = ground.agent_through(&bucket, &proxy);
        proxy.set(Fault::LoseAnswer("PUT", object));
        done(&agent, &["backup"])?;
        assert!(proxy.has_struck(), "no put of {object}: {:?}", proxy.requests());
        holds_good_backups(&agent, &bucket, 1)?;
    }
    Ok(())
}

/// What it leaves of an open upload is swept after a day, which nobody waits for here.
pub(super) fn a_killed_run_shows_nothing(ground: &Ground) -> Tried {
    let (bucket, proxy) = (ground.bucket(), ground.proxy());
    let agent = ground.in_parts(ground.agent_through(&bucket, &proxy));
    proxy.set(Fault::Stall(Direction::Up, 6_000_000));
    let mut running = agent.start(&["backup"]);
    running.wait_until("the middle of the archive", |_| proxy.has_struck());
    running.signal(Signal::KILL);
    assert_eq!(running.wait().code, None);
    drop(proxy);
    assert_eq!(bucket.keys_of_backups(), Vec::<String>::new(), "a killed run shows");
    let left = open_uploads(&bucket);
    assert!(left.len() <= 1, "{left:?}");
    next_second();
    let agent = ground.in_parts(ground.agent(&bucket));
    done(&agent, &["backup"])?;
    done(&agent, &["verify", "latest"])?;
    assert_eq!(bucket.keys().iter().filter(|key| key.ends_with(".manifest.json")).count(), 1);
    Ok(())
}
