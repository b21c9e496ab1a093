//! `lastgood cost`: what the backups cost a month at AWS, with all that watches over them.
//!
//! It prices what lies in the repository, at the cost of one listing, or a scenario, at the cost of nothing. A load follows from
//! either, a bill from the load and the table of prices alone; an estimate, and as honest about it as it can be.

mod answer;
mod bill;
#[cfg(test)]
mod document;
mod listed;
mod load;
mod money;
mod note;
mod prices;
mod scenario;
mod stack;
#[cfg(test)]
mod tests;
mod usage;

use catalog::Catalog;
use jiff::Timestamp;
use repository::Repository;

use crate::answers::failure::{Exit, Failure};
use crate::cli::CostArgs;
use crate::commands::cost::answer::CostAnswer;
use crate::commands::cost::bill::Bill;
use crate::commands::cost::stack::Stack;
use crate::places;
use crate::settings::Settings;

/// Prices the scenario of the command line, else every database of the bucket.
///
/// # Errors
/// Exit 2 where there is nothing to price, exit 5 where no backup lies there yet, and when it can't be listed whole.
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
    let catalogs = places::all(&repository).await?;
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
            .hint("lastgood cost --size 50MB --per-day 1 prices backups to come"));
    }
    let bill = Bill::of(&load);
    let rhythms = load.streams.iter().filter_map(note::on_rhythm);
    let notes = note::on_place(settings).into_iter().chain(rhythms).chain(note::on(&load, &bill));
    Ok(CostAnswer::new(Some(repository.to_owned()), &load, bill, notes.collect()))
}

/// A directory costs nothing that anybody could look up.
async fn bucket(settings: &Settings) -> Result<Repository, Failure> {
    match &settings.bucket {
        Some(bucket) => Ok(Repository::bucket(bucket.clone()).await?),
        None => Err(Failure::new(Exit::Usage, "no bucket is set, and a directory has no price").hint(
            "set BACKUP_S3_BUCKET to the bucket's name, or price backups to come: lastgood cost --size 50MB --per-day 1",
        )),
    }
}
