//! The bounded part of `make torture`: each fault once, at one command or another.

use e2e::torture::{Case, Family, Record, bounded, failures, run};

#[test]
fn no_fault_is_silent_and_nothing_is_lost() {
    let cases: Vec<Case> = Family::ALL.into_iter().flat_map(bounded).collect();
    assert!(cases.len() > 20, "the matrix has shrunk to {} cases", cases.len());
    let records: Vec<Record> = run(&cases, 3, |_| {});
    let wrong: Vec<Record> = records.iter().filter(|record| record.verdict.wrong().is_some()).cloned().collect();
    assert!(wrong.is_empty(), "{}", failures(&wrong));
    let missed = records.iter().filter(|record| record.verdict == e2e::torture::Verdict::Missed).count();
    assert!(missed * 10 < records.len(), "{missed} faults did not come about:\n{}", failures(&records));
}
