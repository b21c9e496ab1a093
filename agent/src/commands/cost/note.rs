//! What matters about a bill, in sentences.

use catalog::words;
use serde::Serialize;

use super::bill::Bill;
use super::load::{Load, MONTH, Stream};
use super::stack::{FRESHNESS_RUNS_A_DAY, GLACIER_ABOVE, METRICS, METRICS_OF_A_DATABASE};
use crate::money::Dollars;
use crate::prices::{FIRST_TIER, GLACIER_MINIMUM_DAYS, Meter, REGION};
use crate::settings::Settings;

/// A smaller difference is not worth a sentence.
const CENT: f64 = 0.005;

/// One sentence, and its code for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Note {
    pub(super) code: &'static str,
    pub(super) text: String,
}

/// Notes on a bill, the most important first.
pub(super) fn on(load: &Load, bill: &Bill) -> Vec<Note> {
    let notes = [growth(load, bill), glacier(load), short_in_glacier(load), too_small(load), watching(bill)];
    let notes = notes.into_iter().chain([databases_metrics(load), first_tier(load), Some(free(bill)), Some(credits())]);
    notes.flatten().collect()
}

/// Notes on where a repository is: the prices are those of S3 Standard in one region of AWS.
pub(super) fn on_place(settings: &Settings) -> Vec<Note> {
    let Some(bucket) = settings.buckets.first() else { return Vec::new() };
    let elsewhere = bucket.endpoint.as_ref().map(|endpoint| {
        Note::new("not-aws", format!("The bucket is at {endpoint}: these are AWS's prices, not that store's."))
    });
    let region = bucket.region.as_ref().filter(|region| *region != REGION && elsewhere.is_none()).map(|region| {
        Note::new("region", format!("The bucket is in {region}, where prices differ somewhat from those in {REGION}."))
    });
    let class = bucket.storage_class.as_ref().filter(|class| *class != "STANDARD").map(|class| {
        Note::new("storage-class", format!("Archives are stored in {class}, but priced here as S3 Standard."))
    });
    let kms = matches!(bucket.encryption, repository::Encryption::Kms { .. });
    let kms = kms.then(|| Note::new("kms", "Your KMS key and its requests are not included.".to_owned()));
    [elsewhere, region, class, kms].into_iter().flatten().collect()
}

impl Note {
    pub(super) fn new(code: &'static str, text: String) -> Self {
        Self { code, text }
    }
}

/// A repository that isn't full yet, or never will be.
fn growth(load: &Load, bill: &Bill) -> Option<Note> {
    if let Some(full) = load.full() {
        let (now, then) = (bill.total.to_pay, Bill::of(&full).total.to_pay);
        let text =
            format!("Once retention removes as many backups as are added, it will cost {} a month.", then.in_words());
        return ((then.0 - now.0).abs() >= CENT).then(|| Note::new("full", text));
    }
    let stay = load.streams.iter().filter(|stream| stream.rhythm.days.is_none());
    let bytes: f64 = stay.map(|stream| stream.backups() * stream.rhythm.size).sum();
    let text = format!(
        "Nothing is removed by age here: {} are added each month, and stay.",
        words::size(bytes.round() as u64)
    );
    (bytes > 0.0).then(|| Note::new("grows", text))
}

/// What Glacier saves, or adds.
fn glacier(load: &Load) -> Option<Note> {
    let days = load.streams.iter().find_map(|stream| stream.rhythm.moves_after())?;
    let with = Bill::of(&load.full()?).total.to_pay;
    let without = Bill::of(&load.with_glacier(None)?).total.to_pay;
    let moving = format!("Moving archives to Glacier after {days} days");
    let saved = Dollars(without.0 - with.0);
    Some(match saved.0 {
        saved if saved <= -CENT => {
            let more = Dollars(-saved).in_words();
            Note::new(
                "glacier-does-not-pay",
                format!("{moving} costs {more} a month more than it saves; GlacierDays=0 stops it."),
            )
        }
        little if little < CENT => {
            Note::new("glacier-does-not-pay", format!("{moving} saves nothing and delays a restore by hours."))
        }
        _ => {
            let saved = saved.in_words();
            Note::new("glacier-saves", format!("{moving} saves {saved} a month and delays a restore by hours."))
        }
    })
}

/// A note on Glacier's minimum of days.
fn short_in_glacier(load: &Load) -> Option<Note> {
    let days = load.streams.iter().filter_map(|stream| stream.rhythm.days_in_glacier()).reduce(f64::min)?;
    let text = format!(
        "An archive that is removed after {} in Glacier is still billed for {GLACIER_MINIMUM_DAYS}.",
        words::count(days.round() as u64, "day")
    );
    (days < GLACIER_MINIMUM_DAYS).then(|| Note::new("glacier-minimum", text))
}

/// Archives that the lifecycle rule leaves where they are.
fn too_small(load: &Load) -> Option<Note> {
    let stays = |stream: &Stream| {
        let lives_longer = stream.rhythm.days.is_none_or(|days| stream.rhythm.glacier_days.is_some_and(|g| g < days));
        stream.rhythm.glacier_days.is_some() && lives_longer && stream.rhythm.moves_after().is_none()
    };
    load.streams.iter().any(stays).then(|| {
        let most = words::size(GLACIER_ABOVE as u64);
        Note::new(
            "too-small-for-glacier",
            format!("Archives of up to {most} do not move to Glacier: the AWS stack's rule skips them."),
        )
    })
}

/// A note where checking costs more than storing.
fn watching(bill: &Bill) -> Option<Note> {
    let looking = bill.to_pay_for(&["requests-freshness"]);
    let text = format!(
        "{} a month go to the freshness function's requests: it checks all databases {FRESHNESS_RUNS_A_DAY} times a day, whatever their size.",
        capital(&looking.in_words())
    );
    (looking.0 * 4.0 > bill.total.to_pay.0).then(|| Note::new("freshness-requests", text))
}

fn databases_metrics(load: &Load) -> Option<Note> {
    let text = format!(
        "The AWS stack publishes {METRICS_OF_A_DATABASE} metrics per database in addition to its other {METRICS}, at {} a month each.",
        Dollars(Meter::Metric.price().dollars)
    );
    load.stack.per_database_metrics.then(|| Note::new("per-database-metrics", text))
}

/// A note where the first tier is exceeded: the table of prices has only that one.
fn first_tier(load: &Load) -> Option<Note> {
    let text = format!("Above {}, S3 Standard is a little cheaper than priced here.", words::size(FIRST_TIER as u64));
    let stored = load.sum(|stream| stream.stock.standard.bytes);
    (stored > FIRST_TIER).then(|| Note::new("first-tier", text))
}

/// A note on what is counted as free.
fn free(bill: &Bill) -> Note {
    let free = |meter: Meter| words::grouped(meter.price().free.round() as u64);
    let text = format!(
        "YOU PAY leaves out the permanent free allowance of every AWS account each month: {} metrics, {} alarms, {} dashboards, {} \
         GB-seconds and {} runs of functions, {} GB of logs, {} requests to queues. If other things in the account use that up, LIST PRICE applies: {} a month.",
        free(Meter::Metric),
        free(Meter::Alarm),
        free(Meter::Dashboard),
        free(Meter::Compute),
        free(Meter::Invocation),
        free(Meter::Log),
        free(Meter::QueueRequest),
        bill.total.list_price.in_words()
    );
    Note::new("free-allowances", text)
}

fn credits() -> Note {
    let text = "S3 has no permanent free allowance. The temporary credits of a new account are not counted.";
    Note::new("credits", text.to_owned())
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A note where no backups were added lately, or where their rhythm is a guess.
pub(super) fn on_rhythm(stream: &Stream) -> Option<Note> {
    let name = stream.database.as_deref().unwrap_or_default();
    if stream.rhythm.per_day == 0.0 {
        let text = format!("{name} had no new backup in the last 30 days: only what is stored is priced.");
        return Some(Note::new("stopped", text));
    }
    let text =
        format!("How often {name} is backed up is unknown yet: one backup a day is assumed, {MONTH:.0} a month.");
    stream.rhythm.guessed.then(|| Note::new("assumed-rhythm", text))
}
