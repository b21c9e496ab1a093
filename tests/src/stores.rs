//! The S3 stores that people run, each taken through what Lastgood asks of a store (`make stores`).
//!
//! A [`Store`] is a server on this machine and the settings that it needs. A [`Row`] is one thing to try: it drives the real agent
//! and looks at what lies in the bucket with AWS's SDK. What came of it is a [`Verdict`]; all of them together are the table of
//! docs/install.md.

mod ground;
mod judge;
mod matrix;
mod results;
mod row;
mod rows;
mod server;
mod store;
mod trouble;
mod verdict;

pub use self::matrix::{failures, markdown, table};
pub use self::results::{Record, known, save};
pub use self::row::Row;
pub use self::rows::ROWS;
pub use self::store::Store;
pub use self::verdict::Verdict;

use self::ground::Ground;

/// Tries these rows at one store, one after the other, and says each result when it is there.
pub fn run(store: Store, rows: &[Row], say: impl Fn(&Record)) -> Vec<Record> {
    let ground = Ground::new(store);
    let try_row = |row: &Row| {
        let record = judge::judge(&ground, row);
        say(&record);
        record
    };
    rows.iter().map(try_row).collect()
}
