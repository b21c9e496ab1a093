//! What `cost` answers.

use std::fmt;

use catalog::words;
use serde::Serialize;

use super::bill::{Amounts, Bill, Item, archives};
use super::load::{Load, Stream};
use super::note::Note;
use crate::answers::table::{Column, Table};
#[cfg(test)]
use crate::money::Dollars;
use crate::prices::{LOOKED_UP, REGION};

/// Months in a year.
const YEAR: f64 = 12.0;

/// `lastgood cost --json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CostAnswer {
    /// Null for a scenario.
    repository: Option<String>,
    prices: Prices,
    databases: Vec<Database>,
    items: Vec<Item>,
    month: Amounts,
    year: Amounts,
    /// A month, once retention removes as many backups as are added; null where nothing is ever removed.
    month_when_full: Option<Amounts>,
    restore: Vec<Item>,
    notes: Vec<Note>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Prices {
    looked_up: &'static str,
    region: &'static str,
    currency: &'static str,
}

/// One stream of backups, as a program reads it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Database {
    /// Null in a scenario.
    database: Option<String>,
    /// How many such databases there are.
    databases: u64,
    per_day: f64,
    /// The size of a new archive, in bytes.
    size: u64,
    /// Days until a backup is removed; null where no age removes it.
    days: Option<f64>,
    /// Days until an archive moves to Glacier; null where none does.
    glacier_days: Option<f64>,
    archives: u64,
    in_glacier: u64,
    bytes: u64,
}

impl CostAnswer {
    pub(super) fn new(repository: Option<String>, load: &Load, bill: Bill, notes: Vec<Note>) -> Self {
        let largest = load.streams.iter().max_by(|a, b| a.rhythm.size.total_cmp(&b.rhythm.size));
        Self {
            repository,
            prices: Prices { looked_up: LOOKED_UP, region: REGION, currency: "USD" },
            databases: load.streams.iter().map(Database::of).collect(),
            items: bill.items,
            month: bill.total,
            year: bill.total.times(YEAR),
            month_when_full: load.full().map(|full| Bill::of(&full).total),
            restore: largest.map(|stream| Bill::of_restore(stream).items).unwrap_or_default(),
            notes,
        }
    }
}

#[cfg(test)]
impl CostAnswer {
    pub(super) fn month(&self) -> Amounts {
        self.month
    }

    pub(super) fn year(&self) -> Amounts {
        self.year
    }

    /// The cost of storage per month.
    pub(super) fn storage(&self) -> Dollars {
        let kept = self.items.iter().filter(|item| item.item.starts_with("storage-") || item.item == "glacier-moves");
        kept.map(|item| item.amounts.to_pay).sum()
    }
}

impl Database {
    fn of(stream: &Stream) -> Self {
        let rhythm = stream.rhythm;
        let stock = stream.stock;
        Self {
            database: stream.database.clone(),
            databases: whole(stream.databases),
            per_day: to_the_hundredth(rhythm.per_day),
            size: whole(rhythm.size),
            days: rhythm.days.map(to_the_hundredth),
            glacier_days: rhythm.moves_after(),
            archives: whole(stock.archives()),
            in_glacier: whole(stock.glacier.archives),
            bytes: whole(stock.standard.bytes + stock.glacier.bytes),
        }
    }

    /// `shop: 1 a day of 47.7 MiB, removed after 90 days, in Glacier after 30: 90 archives, 4.2 GiB`
    fn in_words(&self) -> String {
        let who = match (&self.database, self.databases) {
            (Some(name), _) => format!("{name}: "),
            (None, 1) => String::new(),
            (None, several) => format!("{}, each with ", words::count(several, "database")),
        };
        let removed = match self.days {
            Some(days) => format!("removed after {} days", shown(days)),
            None => "never removed by age".to_owned(),
        };
        let glacier = self.glacier_days.map_or_else(String::new, |days| format!(", in Glacier after {}", shown(days)));
        let kept = format!("{}, {}", archives(self.archives), words::size(self.bytes));
        if self.per_day == 0.0 {
            return format!("{who}no new backups: {kept}");
        }
        let comes = format!("{} a day of {}", shown(self.per_day), words::size(self.size));
        format!("{who}{comes}, {removed}{glacier}: {kept}")
    }
}

impl fmt::Display for CostAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (month, year) = (self.month.to_pay.in_words(), self.year.to_pay.in_words());
        let what = self.repository.as_deref().unwrap_or("These backups");
        let verb = if self.repository.is_some() { "costs" } else { "cost" };
        writeln!(f, "{what} {verb} {month} a month, {year} a year.\n")?;
        self.databases.iter().try_for_each(|database| writeln!(f, "{}", database.in_words()))?;
        let total = [("a month", self.month), ("a year", self.year)];
        write!(f, "\n{}", table("A MONTH", &self.items, &total))?;
        write!(f, "\n{}", table("A RESTORE", &self.restore, &[]))?;
        writeln!(f)?;
        self.notes.iter().try_for_each(|note| writeln!(f, "- {}", note.text))?;
        writeln!(f, "\nAn estimate by AWS's prices in {REGION}, looked up on {LOOKED_UP}, without tax.")
    }
}

fn table(title: &'static str, items: &[Item], sums: &[(&str, Amounts)]) -> Table<4> {
    let header = [Column::Left(title), Column::Left("HOW MUCH"), Column::Right("LIST PRICE"), Column::Right("YOU PAY")];
    let mut table = Table::new(header);
    let lines = items.iter().map(|item| (item.name.as_str(), item.much.as_str(), item.amounts));
    for (name, much, amounts) in lines.chain(sums.iter().map(|(name, amounts)| (*name, "", *amounts))) {
        table.row([name.to_owned(), much.to_owned(), amounts.list_price.to_string(), amounts.to_pay.to_string()]);
    }
    table
}

/// `1`, `0.14`.
fn shown(number: f64) -> String {
    to_the_hundredth(number).to_string()
}

fn to_the_hundredth(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

fn whole(number: f64) -> u64 {
    number.round() as u64
}
