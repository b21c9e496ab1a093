use super::*;
use crate::scenes::{PAIRS, retention, verifier, world};
use crate::store::Rules;

/// How far one actor is after each of its steps, where it is alone.
fn alone(mut store: Store, mut actor: Actor) -> (Vec<Actor>, Store) {
    let mut all = vec![actor.clone()];
    while let Some((after, next)) = actor.steps(&store).into_iter().next() {
        (store, actor) = (after, next);
        all.push(actor.clone());
    }
    (all, store)
}

fn agent(store: &Store, at: AgentAt) -> (Vec<AgentAt>, Store) {
    let (all, after) = alone(store.clone(), Actor::Agent(Agent { at, ..Agent::new(0, 2, Part::Archive) }));
    let ats = all.iter().map(|actor| if let Actor::Agent(agent) = actor { agent.at } else { panic!("{actor:?}") });
    (ats.collect(), after)
}

fn store(kind: Kind, rules: Rules) -> Store {
    world(kind, rules, &PAIRS[0][..1]).store
}

#[test]
fn an_agent_puts_the_archive_first_and_the_manifest_last_and_a_directory_is_judged_at_once() {
    use AgentAt::{Archive, Done, Globals, Judging, Looking, Manifest};
    let (ats, after) = agent(&store(Kind::Bucket, Rules::default()), Looking);
    assert_eq!(ats, [Looking, Archive, Globals, Manifest, Done { exit: 0 }]);
    assert!(after.head((2, Part::Intact)).is_none(), "that is the verifier's");
    let (ats, after) = agent(&store(Kind::Directory, Rules::default()), Looking);
    assert_eq!(ats, [Looking, Archive, Globals, Manifest, Judging, Done { exit: 0 }]);
    assert_eq!(after.head((2, Part::Intact)).map(|verdict| verdict.of), Some(1));
    let other_way = Rules { archive_first: false, ..Rules::default() };
    assert_eq!(agent(&store(Kind::Bucket, other_way), Looking).0, [Looking, Manifest, Archive, Done { exit: 0 }]);
}

#[test]
fn an_agent_gives_way_to_what_is_there_and_takes_back_in_a_directory_what_it_has_made() {
    for part in [Part::Archive, Part::Manifest] {
        let mut taken = store(Kind::Bucket, Rules::default());
        taken.put((2, part), 900, 9);
        assert_eq!(agent(&taken, AgentAt::Looking).0, [AgentAt::Looking, AgentAt::Done { exit: 1 }], "{part:?}");
    }
    for (kind, stays) in [(Kind::Bucket, true), (Kind::Directory, false)] {
        let (_, mut made) = agent(&store(kind, Rules::default()), AgentAt::Archive);
        made.remove((2, Part::Manifest), &[NUMBERS + 2]);
        let (ats, after) = agent(&made, AgentAt::TakingBack);
        assert_eq!(ats, [AgentAt::TakingBack, AgentAt::Done { exit: 1 }]);
        let is_there = [Part::Archive, Part::Globals].map(|part| after.head((2, part)).is_some());
        assert_eq!(is_there, [stays; 2], "{kind:?}");
    }
    // Somebody took the archive away: what is judged is damaged, and the run has failed.
    let (ats, after) = agent(&store(Kind::Directory, Rules::default()), AgentAt::Judging);
    assert_eq!(ats, [AgentAt::Judging, AgentAt::Done { exit: 1 }]);
    assert!(after.head((2, Part::Damaged)).is_some() && after.head((2, Part::Intact)).is_none());
}

#[test]
fn a_verifier_judges_once_for_each_event_and_each_verdict_is_a_version_of_its_own() {
    let (all, after) = alone(store(Kind::Bucket, Rules::default()), verifier(2));
    assert_eq!(all.len(), 1 + 2 * 3, "{all:?}");
    let versions = &after.objects[&(0, Part::Intact)];
    let ids: Vec<u32> = versions.iter().map(|version| version.id).collect();
    assert!(ids.len() == 3 && ids[1] != ids[2] && ids[0] != ids[1], "{ids:?}");
    assert_eq!(all.last().map(|actor| actor.clone().or_dead()), Some(Actor::Dead), "no event is left");
    assert_ne!(all[1].clone().or_dead(), Actor::Dead, "its last event is under way");
    assert!(verifier(0).steps(&after).is_empty());
    assert_ne!(all[4].clone().or_dead(), Actor::Dead, "so is this one");
}

#[test]
fn a_retention_lists_at_once_or_page_by_page() {
    let first = |pages: bool| {
        let (all, _) = alone(store(Kind::Bucket, Rules { pages, ..Rules::default() }), retention());
        all[1].clone()
    };
    assert!(matches!(first(true), Actor::Retention(Retention { at: RetentionAt::Page(_) })));
    assert!(matches!(first(false), Actor::Retention(Retention { at: RetentionAt::Removing(..) })));
}
