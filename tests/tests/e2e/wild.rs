//! Databases that people have (`tests/wild`): a few of each run's many trials. All of them: `make wild`.

use e2e::wild::{Case, KnownBad, Results, Verdict, bounded, failures, run};

/// As many as take a minute and a half on a machine that does nothing else.
const MOST: usize = 40;

#[test]
fn databases_that_people_have_are_restored_as_they_were() {
    let cases = Case::all();
    let trials = bounded(&cases, &KnownBad::read(), MOST);
    let folder = tempfile::tempdir().unwrap();
    let results = Results::read(&folder.path().join("results.jsonl"));
    let records = run(&cases, &trials, &results, 2, |_| ());
    let bad = records.iter().filter(|record| matches!(record.verdict, Verdict::Bad(_))).count();
    assert_eq!(bad, 0, "of {} trials:\n{}", trials.len(), failures(&records));
}
