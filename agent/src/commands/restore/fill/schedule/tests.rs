use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn unit(blocks: &[usize], weight: u64) -> Share {
    Share { blocks: blocks.to_vec(), weight, has_rest: false }
}

fn task(id: i32, units: &[usize], after: &[usize], tables: &[(usize, bool)]) -> Task {
    Task {
        ids: vec![id],
        units: units.iter().copied().collect(),
        after: after.iter().copied().collect(),
        tables: tables.iter().copied().collect::<BTreeMap<_, _>>(),
        ..Task::default()
    }
}

#[test]
fn an_index_begins_when_its_rows_are_in_while_another_loads() {
    let queues = vec![vec![unit(&[1], 9), unit(&[3], 9)], vec![unit(&[2], 9)]];
    let tasks = vec![task(70, &[0], &[], &[(1, true)]), task(71, &[0, 2], &[0], &[(1, true), (2, true)])];
    let mut schedule = Schedule::new(queues, tasks);
    assert_eq!([schedule.next(0), schedule.next(1)], [Next::Do(Work::Load(0)), Next::Do(Work::Load(2))]);
    schedule.done(Work::Load(0));
    assert_eq!(schedule.next(0), Next::Do(Work::Make(0)), "the other one loads");
    schedule.done(Work::Load(2));
    assert_eq!(schedule.next(1), Next::Do(Work::Load(1)), "nobody loads, and what is left is another's");
    schedule.done(Work::Make(0));
    assert_eq!(schedule.next(0), Next::Do(Work::Make(1)), "both tables have rows and the key stands");
    schedule.done(Work::Load(1));
    assert_eq!(schedule.next(1), Next::Wait);
    assert!(schedule.is_loaded());
    schedule.done(Work::Make(1));
    assert_eq!([schedule.next(0), schedule.next(1)], [Next::Over; 2]);
    assert_eq!(schedule.made(), [70, 71].into());
}

#[test]
fn what_was_stopped_leaves_the_rest() {
    let mut schedule = Schedule::new(vec![vec![unit(&[1], 1)]], vec![task(70, &[0], &[], &[(1, true)])]);
    assert_eq!(schedule.next(0), Next::Do(Work::Load(0)));
    schedule.done(Work::Load(0));
    schedule.stop();
    assert_eq!((schedule.next(0), schedule.made()), (Next::Over, BTreeSet::new()));
}

/// Units of each worker, and tasks of which each needs some units and some tasks before it.
fn any_schedule() -> impl Strategy<Value = Schedule> {
    let part =
        (prop::collection::btree_set(0_usize..8, 0..3), prop::collection::btree_set(0_usize..12, 0..3), any::<bool>());
    (prop::collection::vec(0_usize..4, 1..4), prop::collection::vec(part, 0..12)).prop_map(|(counts, parts)| {
        let mut block = 0;
        let queues: Vec<Vec<Share>> = counts
            .iter()
            .map(|count| {
                (0..*count)
                    .map(|_| {
                        block += 1;
                        unit(&[block], block as u64 % 3)
                    })
                    .collect()
            })
            .collect();
        let tasks = (0..).zip(parts).map(|(number, (units, after, alone)): (usize, _)| {
            let units: Vec<usize> = units.into_iter().filter(|unit| *unit < block).collect();
            let after: Vec<usize> = after.into_iter().filter(|before| *before < number).collect();
            let tables: Vec<(usize, bool)> = units.iter().map(|unit| (unit + 1, alone)).collect();
            task(number as i32, &units, &after, &tables)
        });
        let tasks = tasks.collect();
        Schedule::new(queues, tasks)
    })
}

proptest! {
    /// Whoever ends first: everything is done once, each in its time, never two at a time that hinder each other, and rows flow as long as
    /// there are some.
    #[test]
    fn everything_is_done_once_and_in_its_time(mut schedule in any_schedule(), workers in 1_usize..5, ends in prop::collection::vec(any::<prop::sample::Index>(), 64)) {
        let mut busy: BTreeMap<usize, Work> = BTreeMap::new();
        let (mut loaded, mut made) = (BTreeSet::new(), BTreeSet::new());
        let mut ends = ends.into_iter();
        loop {
            for worker in 0..workers {
                if busy.contains_key(&worker) {
                    continue;
                }
                if let Next::Do(work) = schedule.next(worker) {
                    if let Work::Make(number) = work {
                        let task = &schedule.tasks[number];
                        prop_assert!(task.units.is_subset(&loaded) && task.after.is_subset(&made));
                        for other in busy.values() {
                            prop_assert!(!matches!(other, Work::Make(other) if schedule.tasks[*other].hinders(task)));
                        }
                    }
                    busy.insert(worker, work);
                }
            }
            let is_loading = busy.values().any(|work| matches!(work, Work::Load(_)));
            prop_assert!(is_loading || loaded.len() == schedule.units.len() || busy.len() == workers, "rows don't flow");
            let Some(end) = ends.next().filter(|_| !busy.is_empty()) else { break };
            let worker = *busy.keys().nth(end.index(busy.len())).unwrap();
            let work = busy.remove(&worker).unwrap();
            schedule.done(work);
            let is_new = match work {
                Work::Load(unit) => loaded.insert(unit),
                Work::Make(task) => made.insert(task),
            };
            prop_assert!(is_new, "twice");
        }
        prop_assert_eq!((loaded.len(), made.len()), (schedule.units.len(), schedule.tasks.len()));
        prop_assert_eq!(schedule.next(0), Next::Over);
    }
}
