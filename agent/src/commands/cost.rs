//! `lastgood cost`: what the backups cost per month on AWS, together with the AWS stack that watches over them.
//!
//! It prices what is in the repository, at the cost of one listing, or a scenario, without any request. A load follows from
//! either, and a bill from the load and the table of prices alone. It is an estimate, and says so.

mod answer;
mod bill;
#[cfg(test)]
mod document;
mod listed;
mod load;
mod note;
mod scenario;
mod stack;
#[cfg(test)]
mod tests;
mod usage;

use std::collections::BTreeMap;

use catalog::Catalog;
use jiff::Timestamp;
use repository::Repository;

use crate::answers::failure::{Exit, Failure};
use crate::cli::CostArgs;
use crate::commands::cost::answer::CostAnswer;
use crate::commands::cost::bill::Bill;
use crate::commands::cost::load::{Load, Stream};
use crate::commands::cost::stack::Stack;
use crate::places;
use crate::settings::Settings;

/// The lines of a bill that one database causes by itself.
const OF_A_DATABASE: [&str; 6] = [
    "storage-standard",
    "storage-glacier",
    "storage-glacier-minimum",
    "storage-records",
    "glacier-moves",
    "requests-agent",
];

/// Prices the scenario of the command line, else every database of the bucket.
///
/// # Errors
/// Exit 2 where there is nothing to price, exit 5 where there is no backup yet, and when it cannot be listed completely.
pub(crate) async fn run(args: &CostArgs, settings: &Settings) -> Result<Exit, Failure> {
    let answer = match args.size {
        Some(size) => imagined(size, args, settings)?,
        None => Box::pin(listed(args, settings)).await?,
    };
    settings.report.answer(&answer, &answer)?;
    Ok(Exit::Done)
}

fn imagined(size: u64, args: &CostArgs, settings: &Settings) -> Result<CostAnswer, Failure> {
    let load = scenario::load(size, args, settings)?;
    let bill = Bill::of(&load);
    let notes = note::on(&load, &bill);
    Ok(CostAnswer::new(None, &load, bill, notes))
}

async fn listed(args: &CostArgs, settings: &Settings) -> Result<CostAnswer, Failure> {
    let repository = bucket(settings).await?;
    let catalogs = repository.catalogs().await?;
    found(&repository.display_name(), &catalogs, args, settings, Timestamp::now())
}

fn found(
    repository: &str,
    catalogs: &[Catalog],
    args: &CostArgs,
    settings: &Settings,
    now: Timestamp,
) -> Result<CostAnswer, Failure> {
    let policy = |database: &str| scenario::policy(settings.database(database).policy, args);
    let load = listed::load(catalogs, policy, scenario::glacier_days(args, settings), Stack::of(args), now);
    if load.streams.is_empty() {
        return Err(Failure::new(Exit::NotFound, format!("there are no backups in {repository} yet"))
            .hint("price future backups: lastgood cost --size 50MB --per-day 1"));
    }
    let bill = Bill::of(&load);
    let rhythms = load.streams.iter().filter_map(note::on_rhythm);
    let notes = note::on_place(settings).into_iter().chain(rhythms).chain(note::on(&load, &bill));
    Ok(CostAnswer::new(Some(repository.to_owned()), &load, bill, notes.collect()))
}

/// What each of these databases costs a month on AWS, by its PostgreSQL name: its storage and its own requests, without the stack that
/// all of them share.
pub(crate) fn months(catalogs: &[Catalog], settings: &Settings, now: Timestamp) -> BTreeMap<String, f64> {
    let args = CostArgs::default();
    let policy = |database: &str| settings.database(database).policy;
    let load = listed::load(catalogs, policy, scenario::glacier_days(&args, settings), Stack::of(&args), now);
    let month = |stream: Stream| {
        let name = stream.database.clone()?;
        let bill = Bill::of(&Load { streams: vec![stream], stack: Stack::of(&args) });
        Some((name, bill.to_pay_for(&OF_A_DATABASE).0))
    };
    load.streams.into_iter().filter_map(month).collect()
}

/// The bucket to price; a directory has no price that could be looked up.
async fn bucket(settings: &Settings) -> Result<Repository, Failure> {
    places::bucket(settings).await?.ok_or_else(|| {
        Failure::new(Exit::Usage, "no bucket is set, and a directory has no price").hint(
            "set BACKUP_S3_BUCKET to the bucket's name, or price future backups: lastgood cost --size 50MB --per-day 1",
        )
    })
}
