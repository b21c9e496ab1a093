//! The bounded part of `make wild`: every case of the corpus once, with ways, roles and versions in turn.

use e2e::wild::{Case, Results, Verdict, bounded, run};

#[test]
fn databases_that_people_have_come_back_as_they_were() {
    let cases = Case::all();
    let trials = bounded(&cases);
    assert!(trials.len() > 100, "the corpus has shrunk to {} cases", trials.len());
    let folder = tempfile::tempdir().unwrap();
    let results = Results::read(&folder.path().join("results.jsonl"));
    // The last test by its name: the others have left it the machine, and half of its time are waits.
    let workers = 2 * std::thread::available_parallelism().unwrap().get();
    let records = run(&cases, &trials, &results, workers, |_| {});
    assert_eq!(records.len(), trials.len());
    let bad = records.iter().filter_map(|record| match &record.verdict {
        Verdict::Bad(why) => Some(format!("make wild CASE={}: {why}\n", record.case)),
        Verdict::Ok | Verdict::Refused(_) => None,
    });
    let bad: String = bad.collect();
    assert!(bad.is_empty(), "{bad}");
}
