//! The numbers of docs/cost.md and of the README, made from the command. `UPDATE_DOCS=1 cargo test -p lastgood` writes them
//! again.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::answer::CostAnswer;
use super::stack;
use super::tests::{scenario, usual};
use crate::prices::{LOOKED_UP, Meter, REGION};
use catalog::words;

/// The guide's rows: its title, its monthly total, and what it says of the backups.
const SCENARIOS: [(&str, &str, &str, u32, u32); 5] = [
    ("small: 50 MB a day, kept 30 days", "$0.04", "50MB", 30, 0),
    ("medium: 100 MB a day, kept 90 days", "$0.21", "100MB", 90, 0),
    ("large: 500 MB a day, kept 90 days", "$1.04", "500MB", 90, 0),
    ("with Glacier: 50 MB a day, 30 days in S3 and 60 in Glacier", "$0.06", "50MB", 90, 30),
    ("the same without Glacier", "–", "50MB", 90, 0),
];

/// The page with this text between its marks of this name.
fn filled(page: &str, (name, text): &(&str, String)) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let parts = page.split_once(&begin).and_then(|(head, rest)| Some((head, rest.split_once(&end)?.1)));
    let (head, tail) = parts.unwrap_or_else(|| panic!("no {name}"));
    format!("{head}{begin}{text}{end}{tail}")
}

fn cost_page(page: &str) -> String {
    let blocks = [("example", example()), ("estimates", estimates()), ("scenarios", scenarios()), ("prices", prices())];
    blocks.iter().fold(page.to_owned(), |page, block| filled(&page, block))
}

fn example() -> String {
    format!("\n```\n$ lastgood cost --size 50MB --per-day 1\n{}\n```\n\n", usual().to_string().trim_end())
}

fn estimates() -> String {
    let mut table = "\n| | |\n|---|--:|\n".to_owned();
    let megabytes = |bytes: f64| format!("{} MB", bytes / 1e6);
    let rows = [
        ("stored bytes that the verify function reads per second", megabytes(stack::VERIFIED_A_SECOND)),
        ("everything else in a run", words::count(stack::RUN_SECONDS as u64, "second")),
        ("each page of a listing (1,000 objects)", format!("{} seconds", stack::PAGE_SECONDS)),
        ("log of a run", format!("{} bytes", words::grouped(stack::LOG_OF_A_RUN as u64))),
        ("log of the freshness function, per database and run", format!("{} bytes", stack::LOG_OF_A_DATABASE)),
        ("requests a minute by which a function looks into its queue", stack::LOOKS_A_MINUTE.to_string()),
        ("e-mails per month", stack::MAILS.to_string()),
        ("roles, manifest and verdict of a future backup", words::size(stack::RECORD_BYTES as u64)),
    ];
    for (what, value) in rows {
        writeln!(table, "| {what} | {value} |").unwrap();
    }
    table + "\n"
}

fn scenarios() -> String {
    let mut table = "\n| | the guide, a month | storage | everything | a year |\n|---|--:|--:|--:|--:|\n".to_owned();
    for (title, guide, size, days, glacier_days) in SCENARIOS {
        let answer = scenario(size, days, glacier_days);
        let (storage, month, year) = (answer.storage(), answer.month().to_pay, answer.year().to_pay);
        writeln!(table, "| {title} | {guide} | {storage} | {month} | {year} |").unwrap();
    }
    table + "\n"
}

fn prices() -> String {
    let mut table = format!(
        "\nIn {REGION}, looked up on {LOOKED_UP}.\n\n| unit | US dollars | for | free each month | source |\n|---|--:|--:|--:|---|\n"
    );
    for meter in Meter::ALL {
        let price = meter.price();
        let count = |units: f64| if units > 0.0 { words::grouped(units as u64) } else { "–".to_owned() };
        let (per, free) = (count(price.per), count(price.free));
        writeln!(table, "| {} | {} | {per} | {free} | <{}> |", price.unit, price.dollars, price.page).unwrap();
    }
    table + "\n"
}

/// The README's sentence with the number in it.
fn readme(page: &str) -> String {
    const BEGINS: &str = "- **About ";
    let line = page.lines().find(|line| line.starts_with(BEGINS)).expect("the README says what it costs");
    let (_, rest) = line.split_once(" a month on AWS**").expect("the README says it by the month");
    page.replace(line, &format!("{BEGINS}{} a month on AWS**{rest}", CostAnswer::month(&usual()).to_pay.in_words()))
}

#[test]
fn the_pages_say_what_the_command_says() {
    holds("docs/cost.md", cost_page);
    holds("README.md", readme);
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the test says whether to write the page anew")]
fn holds(name: &str, made: fn(&str) -> String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    let page = std::fs::read_to_string(&path).unwrap();
    let made = made(&page);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        assert!(
            std::env::var_os("CI").is_none(),
            "UPDATE_DOCS writes pages anew, and checks none: not where CI is set"
        );
        std::fs::write(&path, &made).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page == made, "{name} is old: UPDATE_DOCS=1 cargo test -p lastgood cost");
}
