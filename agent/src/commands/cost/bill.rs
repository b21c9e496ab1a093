//! A month's bill: what is used times AWS's prices, at list price, and without AWS's permanent free allowance.

use catalog::words;
use serde::Serialize;

use super::load::{Load, Pile, Stream};
use super::stack::{ALARMS, MAILS, METRICS, METRICS_OF_A_DATABASE};
use super::usage::{Function, Requests, Usage, restore};
use crate::money::Dollars;
use crate::prices::{GLACIER_INDEX, GLACIER_NAME, Meter};

/// AWS's GB: for S3, Lambda and logs alike.
const GB: f64 = 1_073_741_824.0;

/// The lines of a bill and their sums.
#[derive(Clone, Debug)]
pub(super) struct Bill {
    pub(super) items: Vec<Item>,
    pub(super) total: Amounts,
}

/// One line of a bill.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    /// The line's name for programs.
    pub(super) item: &'static str,
    /// The line's name for people.
    #[serde(skip)]
    pub(super) name: String,
    /// How much is used, in words.
    #[serde(rename = "text")]
    pub(super) much: String,
    pub(super) quantities: Vec<Quantity>,
    #[serde(flatten)]
    pub(super) amounts: Amounts,
}

/// What one meter counts.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Quantity {
    #[serde(skip)]
    pub(super) meter: Meter,
    pub(super) unit: &'static str,
    #[serde(serialize_with = "to_the_thousandth")]
    pub(super) quantity: f64,
    /// AWS's page with its price.
    source: &'static str,
}

/// A price with and without the free allowance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Amounts {
    /// What it costs if other things in the account use up the free allowance.
    pub(super) list_price: Dollars,
    /// What it costs if nothing else in the account uses it.
    pub(super) to_pay: Dollars,
}

impl Bill {
    /// The bill for a month of this load.
    pub(super) fn of(load: &Load) -> Self {
        let usage = Usage::of(load);
        let items = [storage(load, &usage), requests(&usage), functions(load, &usage), watching(load, &usage)];
        Self::new(items.into_iter().flatten().collect())
    }

    /// The bill for restoring one archive of this stream, to a machine outside AWS and from Glacier too.
    pub(super) fn of_restore(stream: &Stream) -> Self {
        let Requests { puts, gets } = restore(&stream.rhythm);
        let gb = stream.rhythm.size / GB;
        let mut items = vec![
            Item::new(
                "restore-requests",
                "its requests",
                asked(Requests { puts, gets }),
                [(Meter::Put, puts), (Meter::Get, gets)],
            ),
            Item::new("restore-transfer", "to a machine outside AWS", size(stream.rhythm.size), [(Meter::Egress, gb)]),
        ];
        if stream.rhythm.moves_after().is_some() || stream.stock.glacier.archives > 0.0 {
            items.push(Item::new(
                "restore-glacier",
                "Glacier, 3 to 5 hours (12: free)",
                size(stream.rhythm.size),
                [(Meter::Retrieval, gb), (Meter::RetrievalRequest, 1.0)],
            ));
        }
        Self::new(items)
    }

    /// Sums up, and subtracts the free allowance: the same share of each meter from every line.
    fn new(mut items: Vec<Item>) -> Self {
        let quantities = || items.iter().flat_map(|item| &item.quantities);
        let used = |meter: Meter| -> f64 {
            quantities().filter(|quantity| quantity.meter == meter).map(|quantity| quantity.quantity).sum()
        };
        let billed: Vec<(Meter, f64)> = Meter::ALL.map(|meter| (meter, billed_share(used(meter), meter))).into();
        for item in &mut items {
            item.amounts = Amounts {
                list_price: item.quantities.iter().map(|quantity| quantity.list_price()).sum(),
                to_pay: item.quantities.iter().map(|quantity| quantity.to_pay(&billed)).sum(),
            };
        }
        let total = Amounts {
            list_price: items.iter().map(|item| item.amounts.list_price).sum(),
            to_pay: items.iter().map(|item| item.amounts.to_pay).sum(),
        };
        Self { items, total }
    }

    /// What the lines of these names cost together.
    pub(super) fn to_pay_for(&self, items: &[&str]) -> Dollars {
        self.items.iter().filter(|item| items.contains(&item.item)).map(|item| item.amounts.to_pay).sum()
    }
}

/// The share of a meter's units that AWS bills.
fn billed_share(used: f64, meter: Meter) -> f64 {
    let free = meter.price().free;
    if used > free { (used - free) / used } else { 0.0 }
}

impl Quantity {
    fn new(meter: Meter, quantity: f64) -> Self {
        let price = meter.price();
        Self { meter, unit: price.unit, quantity, source: price.page }
    }

    fn list_price(self) -> Dollars {
        let price = self.meter.price();
        Dollars(self.quantity / price.per * price.dollars)
    }

    fn to_pay(self, billed: &[(Meter, f64)]) -> Dollars {
        let share = billed.iter().find(|(meter, _)| *meter == self.meter).map_or(1.0, |(_, share)| *share);
        self.list_price().times(share)
    }
}

impl Amounts {
    pub(super) fn times(self, factor: f64) -> Self {
        Self { list_price: self.list_price.times(factor), to_pay: self.to_pay.times(factor) }
    }
}

impl Item {
    fn new<const N: usize>(item: &'static str, name: &str, much: String, used: [(Meter, f64); N]) -> Self {
        let quantities = used.map(|(meter, quantity)| Quantity::new(meter, quantity));
        Self { item, name: name.to_owned(), much, quantities: quantities.into(), amounts: Amounts::default() }
    }
}

/// The lines for archives by storage class, for what Glacier adds to them, and for their records.
fn storage(load: &Load, usage: &Usage) -> Vec<Item> {
    let pile = |of: &dyn Fn(&Stream) -> Pile| Pile {
        archives: load.sum(|stream| of(stream).archives),
        bytes: load.sum(|stream| of(stream).bytes),
    };
    let standard = pile(&|stream| stream.stock.standard);
    let glacier = pile(&|stream| stream.stock.glacier);
    let beyond = pile(&|stream| stream.stock.beyond);
    let records = load.sum(|stream| stream.stock.records);
    let piled = |pile: Pile| format!("{}, {}", archives(whole(pile.archives)), size(pile.bytes));
    let in_glacier = |pile: Pile| {
        [
            (Meter::Glacier, (pile.bytes + pile.archives * GLACIER_INDEX) / GB),
            (Meter::Standard, pile.archives * GLACIER_NAME / GB),
        ]
    };
    let mut items = vec![Item::new(
        "storage-standard",
        "in S3 Standard",
        piled(standard),
        [(Meter::Standard, standard.bytes / GB)],
    )];
    if glacier.archives > 0.0 {
        items.push(Item::new("storage-glacier", "in Glacier", piled(glacier), in_glacier(glacier)));
    }
    if beyond.archives > 0.0 {
        items.push(Item::new(
            "storage-glacier-minimum",
            "removed, billed to day 90",
            piled(beyond),
            in_glacier(beyond),
        ));
    }
    items.push(Item::new(
        "storage-records",
        "manifests and verdicts",
        size(records),
        [(Meter::Standard, records / GB)],
    ));
    if usage.moves > 0.0 {
        let moved = archives(whole(usage.moves));
        items.push(Item::new("glacier-moves", "moving to Glacier", moved, [(Meter::Move, usage.moves)]));
    }
    items
}

/// The lines for S3's requests, by who sends them.
fn requests(usage: &Usage) -> Vec<Item> {
    let by = |item, name, requests: Requests| {
        Item::new(item, name, asked(requests), [(Meter::Put, requests.puts), (Meter::Get, requests.gets)])
    };
    vec![
        by("requests-agent", "requests: backup", usage.agent),
        by("requests-verify", "requests: verify", usage.verify.requests),
        by("requests-retention", "requests: retention", usage.retention.requests),
        by("requests-freshness", "requests: freshness", usage.freshness.requests),
    ]
}

fn functions(load: &Load, usage: &Usage) -> Vec<Item> {
    let compute = if load.stack.arm64 { Meter::ComputeArm } else { Meter::Compute };
    let function = |item, name, function: Function| {
        let much = format!("{} runs, {} GB-s", number(function.runs), number(function.gb_seconds));
        Item::new(item, name, much, [(compute, function.gb_seconds), (Meter::Invocation, function.runs)])
    };
    vec![
        function("function-verify", "function: verify", usage.verify),
        function("function-retention", "function: retention", usage.retention),
        function("function-freshness", "function: freshness", usage.freshness),
    ]
}

/// The lines for what notifies people, and for what starts the functions.
fn watching(load: &Load, usage: &Usage) -> Vec<Item> {
    let drills = if load.stack.drills { 1.0 } else { 0.0 };
    let of_a_database = if load.stack.per_database_metrics { METRICS_OF_A_DATABASE + drills } else { 0.0 };
    let (metrics, alarms) = (METRICS + drills + of_a_database * load.databases(), ALARMS + drills);
    let puts = format!("{}, {} requests", number(metrics), number(usage.metric_requests));
    let mut items = vec![
        Item::new(
            "metrics",
            "metrics",
            puts,
            [(Meter::Metric, metrics), (Meter::MetricRequest, usage.metric_requests)],
        ),
        Item::new("alarms", "alarms", number(alarms), [(Meter::Alarm, alarms)]),
    ];
    if load.stack.paging {
        items.push(Item::new("composite-alarm", "composite alarm", number(1.0), [(Meter::CompositeAlarm, 1.0)]));
    }
    let woken = format!("{} events, {} starts", number(usage.events), number(usage.schedules));
    items.extend([
        Item::new("dashboard", "dashboard", number(1.0), [(Meter::Dashboard, 1.0)]),
        Item::new("logs", "logs", size(usage.log_bytes), [(Meter::Log, usage.log_bytes / GB)]),
        Item::new("mails", "e-mails", number(MAILS), [(Meter::Mail, MAILS)]),
        Item::new(
            "events",
            "events and schedules",
            woken,
            [(Meter::Event, usage.events), (Meter::Schedule, usage.schedules)],
        ),
        Item::new(
            "queues",
            "queues",
            format!("2, {} requests", number(usage.queue_requests)),
            [(Meter::QueueRequest, usage.queue_requests)],
        ),
    ]);
    items
}

fn asked(Requests { puts, gets }: Requests) -> String {
    format!("{} PUT/LIST, {} GET", number(puts), number(gets))
}

pub(super) fn archives(count: u64) -> String {
    words::count(count, "archive")
}

/// Quantities are averages, and shown as whole numbers.
fn number(quantity: f64) -> String {
    words::grouped(whole(quantity))
}

fn whole(quantity: f64) -> u64 {
    quantity.round() as u64
}

fn size(bytes: f64) -> String {
    words::size(whole(bytes))
}

fn to_the_thousandth<S: serde::Serializer>(quantity: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((quantity * 1_000.0).round() / 1_000.0)
}
