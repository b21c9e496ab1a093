use proptest::prelude::*;

use super::*;
use crate::database::counts::tests::census;

const NONE: [u64; 0] = [];

fn tally(oid: u64, rows: u64) -> Tally {
    Tally {
        oid,
        schema: "public".to_owned(),
        name: format!("t{oid}"),
        seeded: false,
        root: None,
        is_foreign: false,
        inserted: rows,
        untouched: true,
        live: rows,
        has_triggers: false,
        is_empty: rows == 0,
    }
}

fn of(tables: &[Tally]) -> Tallies {
    Tallies { tables: tables.to_vec(), large_objects: 0, alone: true }
}

fn open(census: &Census, tables: &[Tally]) -> Vec<u64> {
    of(tables).prove(census, |_, _| true).open.into_iter().collect()
}

#[test]
fn only_sums_that_say_exactly_what_the_archive_holds_prove_it() {
    let census = census(&[("t1", Some(3))]);
    assert_eq!(open(&census, &[tally(1, 3)]), NONE);
    let doubtful = [
        tally(1, 2),
        tally(1, 4),
        Tally { untouched: false, ..tally(1, 3) },
        Tally { seeded: true, ..tally(1, 3) },
        Tally { has_triggers: true, live: 2, ..tally(1, 3) },
        Tally { inserted: 0, ..tally(1, 3) },
        Tally { is_foreign: false, is_empty: true, inserted: 0, ..tally(1, 3) },
    ];
    for doubtful in doubtful {
        assert_eq!(open(&census, std::slice::from_ref(&doubtful)), [1], "{doubtful:?}");
    }
    assert_eq!(open(&census, &[Tally { has_triggers: true, ..tally(1, 3) }]), NONE, "it kept none out");
    assert_eq!(open(&census, &[Tally { live: 9, ..tally(1, 3) }]), NONE, "an estimate");
}

#[test]
fn an_empty_table_has_no_page() {
    let census = census(&[("t1", Some(0))]);
    assert_eq!(open(&census, &[Tally { untouched: false, ..tally(1, 0) }]), NONE);
    assert_eq!(open(&census, &[Tally { is_empty: false, ..tally(1, 0) }]), [1], "the server adds nothing up");
    assert_eq!(open(&census, &[tally(1, 1)]), [1]);
}

#[test]
fn what_nobody_asks_for_is_not_counted() {
    let census = census(&[("t1", None), ("t2", Some(3)), ("t3", Some(3))]);
    let tables = [tally(1, 9), Tally { is_foreign: true, ..tally(2, 0) }, tally(3, 0), tally(4, 7)];
    let proven = of(&tables).prove(&census, |_, name| name != "t3");
    assert_eq!(proven.open, BTreeSet::new());
    assert_eq!(proven.tables.len(), 4);
}

#[test]
fn names_that_look_alike_are_counted() {
    let same = |oid, rows| Tally { name: "\u{fffd}".to_owned(), ..tally(oid, rows) };
    assert_eq!(open(&census(&[("\u{fffd}", Some(1)), ("\u{fffd}", Some(2))]), &[same(1, 1), same(2, 2)]), [1, 2]);
    assert_eq!(open(&census(&[("\u{fffd}", Some(1))]), &[same(1, 1), same(2, 2)]), [1, 2]);
}

#[test]
fn partitions_are_counted_together() {
    let part = |oid, rows| Tally { root: Some(9), ..tally(oid, rows) };
    let census = census(&[("t1", Some(1)), ("t2", Some(2)), ("t3", Some(3))]);
    assert_eq!(open(&census, &[part(1, 1), part(2, 2), tally(3, 3)]), NONE);
    assert_eq!(open(&census, &[part(1, 2), part(2, 1), tally(3, 3)]), [1, 2]);
    assert_eq!(open(&census, &[part(1, 1), part(2, 1), tally(3, 3), part(4, 0)]), [1, 2, 4]);
}

#[test]
fn what_was_proven_is_so_only_as_long_as_nothing_moved() {
    let census = census(&[("t1", Some(1)), ("t2", Some(0)), ("t3", None)]);
    let first = of(&[tally(1, 1), tally(2, 0), tally(3, 5)]);
    let proven = first.prove(&census, |_, _| true);
    let undone = |later: &Tallies| first.undone(&proven, later).into_iter().collect::<Vec<_>>();
    assert_eq!(undone(&first), NONE);
    assert_eq!(undone(&Tallies { alone: false, ..first.clone() }), [1, 2], "somebody may still hand in more");
    let with = |tally: Tally| {
        let others = first.tables.iter().filter(|other| other.oid != tally.oid).cloned();
        of(&others.chain([tally.clone()]).collect::<Vec<_>>())
    };
    assert_eq!(undone(&with(Tally { has_triggers: true, live: 0, ..tally(1, 1) })), NONE, "made after the rows");
    assert_eq!(undone(&with(Tally { untouched: false, ..tally(1, 1) })), [1]);
    assert_eq!(undone(&with(tally(1, 2))), [1]);
    assert_eq!(undone(&with(tally(2, 1))), [2]);
    assert_eq!(undone(&with(Tally { is_empty: false, ..tally(2, 0) })), [2], "forgotten");
    assert_eq!(undone(&with(tally(3, 6))), NONE, "nobody asks for its rows");
    assert_eq!(undone(&of(&[tally(2, 0)])), [1], "gone");
}

#[test]
fn psqls_answer_is_read_line_by_line() {
    let answer = r#"{"alone":true}
{"oid":16384,"schema":"public","name":"größe","seeded":false,"root":null,"is_foreign":false,"inserted":3,"untouched":true,"live":3,"has_triggers":false,"is_empty":false}
{"large_objects":2}
"#;
    let tallies = read(answer).unwrap();
    assert!(tallies.alone && tallies.tables.first().is_some_and(|tally| tally.rows() == Some(3)));
    assert_eq!(tallies.large_objects(), Counted::LargeObjects { large_objects: 2 });
}

fn any_tally() -> impl Strategy<Value = (Tally, u64)> {
    // What happened to a table of some rows: so many went in, and how many are in it then.
    (0_u64..4, 0_u64..4, 0_u64..4, any::<bool>()).prop_map(|(inserted, failed, removed, has_triggers)| {
        let removed = removed.min(inserted);
        let there = inserted - removed;
        let all = inserted + failed;
        let tally = Tally {
            untouched: removed == 0,
            live: there,
            has_triggers: has_triggers || failed > 0,
            is_empty: all == 0,
            ..tally(1, all)
        };
        (tally, there)
    })
}

proptest! {
    /// Whatever happened to a table: what is proven is what is in it, and what is in it as it went in needs no count.
    #[test]
    fn what_is_proven_is_in_the_table((tally, there) in any_tally(), expected in 0_u64..8) {
        let is_open = !open(&census(&[("t1", Some(expected))]), std::slice::from_ref(&tally)).is_empty();
        prop_assert!(is_open || there == expected, "{tally:?} has {there}");
        let is_plain = tally.untouched && tally.inserted == there;
        prop_assert!(!is_plain || is_open == (there != expected));
    }
}
