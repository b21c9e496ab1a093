//! What matters about this very bill, in sentences.

use catalog::words;
use serde::Serialize;

use super::bill::Bill;
use super::load::{Load, MONTH, Stream};
use super::money::Dollars;
use super::prices::{FIRST_TIER, GLACIER_MINIMUM_DAYS, Meter, REGION};
use super::stack::{FRESHNESS_RUNS_A_DAY, GLACIER_ABOVE, METRICS, METRICS_OF_A_DATABASE};
use crate::settings::Settings;

/// Less isn't worth a sentence.
const CENT: f64 = 0.005;

/// One sentence, and what programs know it by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Note {
    pub(super) code: &'static str,
    pub(super) text: String,
}

/// Notes on a bill, the weightiest first.
pub(super) fn on(load: &Load, bill: &Bill) -> Vec<Note> {
    let notes = [growth(load, bill), glacier(load), short_in_glacier(load), too_small(load), watching(bill)];
    let notes = notes.into_iter().chain([databases_metrics(load), first_tier(load), Some(free(bill)), Some(credits())]);
    notes.flatten().collect()
}

/// Notes on where a repository lies: the prices are those of S3 Standard in one region of AWS.
pub(super) fn on_place(settings: &Settings) -> Vec<Note> {
    let Some(bucket) = &settings.bucket else { return Vec::new() };
    let elsewhere = bucket.endpoint.as_ref().map(|endpoint| {
        Note::new("not-aws", format!("The bucket lies at {endpoint}. These are AWS's prices, and not that store's."))
    });
    let region = bucket.region.as_ref().filter(|region| *region != REGION && elsewhere.is_none()).map(|region| {
        Note::new(
            "region",
            format!("The bucket lies in {region}, where prices are somewhat different from {REGION}'s."),
        )
    });
    let class = bucket.storage_class.as_ref().filter(|class| *class != "STANDARD").map(|class| {
        Note::new("storage-class", format!("Archives are put into {class}; they are priced as S3 Standard here."))
    });
    let kms = matches!(bucket.encryption, repository::Encryption::Kms { .. });
    let kms = kms.then(|| Note::new("kms", "A KMS key of your own and its requests come on top.".to_owned()));
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
        let text = format!("Once as many backups go as come, it is {} a month.", then.in_words());
        return ((then.0 - now.0).abs() >= CENT).then(|| Note::new("full", text));
    }
    let stay = load.streams.iter().filter(|stream| stream.rhythm.days.is_none());
    let bytes: f64 = stay.map(|stream| stream.backups() * stream.rhythm.size).sum();
    let text = format!("No age removes backups here: {} come each month, and stay.", words::size(bytes.round() as u64));
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
            Note::new("glacier-does-not-pay", format!("{moving} saves nothing, and lets a restore wait for hours."))
        }
        _ => {
            let saved = saved.in_words();
            Note::new("glacier-saves", format!("{moving} saves {saved} a month, and lets a restore wait for hours."))
        }
    })
}

/// Glacier's minimum.
fn short_in_glacier(load: &Load) -> Option<Note> {
    let days = load.streams.iter().filter_map(|stream| stream.rhythm.days_in_glacier()).reduce(f64::min)?;
    let text = format!(
        "What is removed after {} in Glacier is billed for {GLACIER_MINIMUM_DAYS} all the same.",
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
            format!("Archives of up to {most} don't move to Glacier: the stack's rule leaves them."),
        )
    })
}

/// Where looking costs more than keeping.
fn watching(bill: &Bill) -> Option<Note> {
    let looking = bill.to_pay_for(&["requests-freshness"]);
    let text = format!(
        "{} of it are the freshness function's LIST requests: {FRESHNESS_RUNS_A_DAY} looks a day at each database, whatever its size.",
        capital(&looking.in_words())
    );
    (looking.0 * 4.0 > bill.total.to_pay.0).then(|| Note::new("freshness-requests", text))
}

fn databases_metrics(load: &Load) -> Option<Note> {
    let text = format!(
        "Of each database {METRICS_OF_A_DATABASE} metrics are published beside the stack's {METRICS}, {} a month each.",
        Dollars(Meter::Metric.price().dollars)
    );
    load.stack.per_database_metrics.then(|| Note::new("per-database-metrics", text))
}

/// The table of prices knows the first tier alone.
fn first_tier(load: &Load) -> Option<Note> {
    let text =
        format!("Above {}, S3 Standard is a little cheaper than it is priced here.", words::size(FIRST_TIER as u64));
    let stored = load.sum(|stream| stream.stock.standard.bytes);
    (stored > FIRST_TIER).then(|| Note::new("first-tier", text))
}

/// What is counted as free.
fn free(bill: &Bill) -> Note {
    let free = |meter: Meter| words::grouped(meter.price().free.round() as u64);
    let text = format!(
        "YOU PAY leaves out what AWS gives every account each month for good: {} metrics, {} alarms, {} dashboards, {} \
         GB-seconds and {} runs of functions, {} GB of logs. Where other things use that up, LIST PRICE holds: {} a month.",
        free(Meter::Metric),
        free(Meter::Alarm),
        free(Meter::Dashboard),
        free(Meter::Compute),
        free(Meter::Invocation),
        free(Meter::Log),
        bill.total.list_price.in_words()
    );
    Note::new("free-allowances", text)
}

fn credits() -> Note {
    let text = "S3 gives nothing for good, and a new account's credits, which end, aren't counted.";
    Note::new("credits", text.to_owned())
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Where a rhythm is a guess.
pub(super) fn on_rhythm(stream: &Stream) -> Option<Note> {
    let name = stream.database.as_deref().unwrap_or_default();
    if stream.rhythm.per_day == 0.0 {
        let text = format!("No backup of {name} came in the last 30 days: what lies there is priced, and no new ones.");
        return Some(Note::new("stopped", text));
    }
    let text = format!("The backups of {name} show no rhythm yet: one a day is assumed, {MONTH:.0} a month.");
    stream.rhythm.guessed.then(|| Note::new("assumed-rhythm", text))
}
