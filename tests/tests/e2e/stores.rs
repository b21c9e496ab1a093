//! The bounded part of `make stores`: every row once, at SeaweedFS and MiniStack in turn.

use e2e::stores::{ROWS, Record, Row, Store, Verdict, failures, run};

#[test]
fn two_stores_do_what_is_asked_of_a_store() {
    let rows_of = |store, turn| {
        let rows: Vec<Row> = ROWS.iter().skip(turn).step_by(2).copied().collect();
        std::thread::spawn(move || run(store, &rows, |_| {}))
    };
    let running = [rows_of(Store::Seaweedfs, 0), rows_of(Store::Ministack, 1)];
    let records: Vec<Record> = running.into_iter().flat_map(|rows| rows.join().unwrap()).collect();
    assert_eq!(records.len(), ROWS.len());
    let good = records.iter().filter(|record| record.verdict == Verdict::Good).count();
    assert!(failures(&records).is_empty(), "{}", failures(&records));
    assert!(good + 3 >= ROWS.len(), "more than keys and regions is lacking: {records:#?}");
}
