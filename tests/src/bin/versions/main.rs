//! `make matrix`: every installed server, client and target, and archives of versions that aren't installed.

use std::process::ExitCode;

use e2e::tools::root;
use e2e::versions::{BEGIN, END, PAGE, tables};

fn main() -> ExitCode {
    let page = root().join(PAGE);
    let text = std::fs::read_to_string(&page).unwrap();
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let Some((before, after)) = parts else {
        eprintln!("error: {PAGE} has no place for the tables\nhint: put {BEGIN}{END} there");
        return ExitCode::FAILURE;
    };
    let tables = tables();
    println!("{tables}");
    std::fs::write(&page, format!("{before}{BEGIN}\n{tables}\n{END}{after}")).unwrap();
    if tables.contains("BAD") { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
