use crate::actors::{Actor, AgentAt};
use crate::explore::{explore, next, promise};
use crate::explore_all;
use crate::scenes::{PAIRS, retention, verifier, with, world};
use crate::store::{Kind, Part, Rules};
use crate::world::World;

#[test]
fn the_promise_is_kept_in_every_order_of_steps() {
    let all = explore_all();
    println!("{} scenes, {} states", all.len(), all.iter().map(|explored| explored.states).sum::<usize>());
    assert_eq!(all.len(), 10);
    // Of each kind the last is the third, with a listing of two pages.
    assert!([0, 5].iter().all(|first| all[first + 4].states > all[first + 2].states), "what comes between two pages");
    for explored in all {
        assert!(explored.broken.is_none(), "{}", explored.broken.unwrap_or_default());
        assert!(explored.states > 1_000 && explored.removed && explored.good_came, "{}", explored.states);
    }
}

/// Each rule of the protocol is needed: without it the model finds an order of steps that breaks the promise.
#[test]
fn no_rule_can_be_left_out() {
    let rules = Rules::default();
    for (broken, kind) in [
        (Rules { archive_first: false, ..rules }, Kind::Bucket),
        (Rules { never_overwrites: false, ..rules }, Kind::Bucket),
        (Rules { never_overwrites: false, ..rules }, Kind::Directory),
        (Rules { manifest_goes_first: false, ..rules }, Kind::Bucket),
    ] {
        let mut worlds = PAIRS.iter().map(|pair| with(world(kind, broken, pair), vec![verifier(1), retention()]));
        let way = worlds.find_map(|world| explore(world).broken);
        let way = way.unwrap_or_else(|| panic!("{broken:?} in a {kind:?} breaks nothing"));
        // What is wrong, and two lines for each state on the way, from the first one on.
        let lines: Vec<&str> = way.lines().collect();
        assert!(lines.len() > 5 && lines.len() % 2 == 1, "{way}");
        assert_eq!(lines[1].matches("at: Looking").count(), 2, "{way}");
    }
}

#[test]
fn anybody_may_die_between_two_requests() {
    let start = world(Kind::Bucket, Rules::default(), &PAIRS[0]);
    let dead = |world: &World, number: usize| world.actors[number] == Actor::Dead;
    let after = next(&start);
    assert!([0, 1].iter().all(|number| after.iter().any(|world| dead(world, *number))), "{after:?}");
    assert!(after.iter().any(|world| !dead(world, 0) && !dead(world, 1)), "or go on");
}

/// Another one's backup under the same name is none of one's own.
#[test]
fn who_says_that_all_went_well_has_made_a_backup_or_is_behind_a_newer_one() {
    let done = |backup: usize| {
        let mut world = world(Kind::Bucket, Rules::default(), &[(backup, Part::Archive)]);
        if let Actor::Agent(agent) = &mut world.actors[0] {
            agent.at = AgentAt::Done { exit: 0 };
        }
        promise(&world, Some(1))
    };
    assert!(done(1).unwrap_err().contains("an agent said that backup 1 is made"));
    assert_eq!(done(0), Ok(()), "a newer one is good");
}
