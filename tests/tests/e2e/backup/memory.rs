//! Memory is bound by the parts in flight and the sessions that read, whatever the size of the database.

use e2e::postgres::Postgres;

use super::{Places, agent};

/// Bytes of its own. What a release has resident in all is measured by `make bench`.
const LIMIT: u64 = 100_000_000;

#[test]
fn two_hundred_megabytes_to_both_places_take_less_than_a_hundred_of_memory() {
    let database = Postgres::shared().new_database("heavy");
    // Neither compressible, so that as much is uploaded, nor slow to make: each block of 32,000 digits stands four times.
    database.query(
        "CREATE TABLE heavy (block text); ALTER TABLE heavy ALTER block SET STORAGE EXTERNAL;
         INSERT INTO heavy SELECT block FROM generate_series(1, 1600) AS i,
         LATERAL (SELECT string_agg(md5((i * 1000 + n)::text), '') AS block FROM generate_series(1, 1000) AS n) AS made,
         generate_series(1, 4)",
    );
    let places = Places::new();
    let agent = places.both(agent().database(&database)).setting("BACKUP_COMPRESSION", "none");
    let (peak, outcome) = agent.start(&["backup"]).wait_with_peak_of_private_memory();
    outcome.succeeds().mentions("195.").mentions("MiB dumped");
    assert!(peak > 0 && peak < LIMIT, "{} MB", peak / 1_000_000);
    places.directory_holds_one_good_backup();
    places.bucket_holds_one_backup();
}
