//! `make stores`: what Lastgood asks of a store, tried at the S3 stores that people run.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Parser;
use e2e::page::Part;
use e2e::stores::{ROWS, Record, Row, Store, Verdict, failures, known, markdown, run, save, table};

/// Tries every row at every store and says what is wrong.
#[derive(Parser)]
struct Arguments {
    /// Only this store; repeat it for several.
    #[arg(long, value_name = "NAME", value_parser = Store::ALL.map(Store::name))]
    store: Vec<String>,
    /// Only rows whose name holds this; repeat it for several. Nothing is kept for the page.
    #[arg(long, value_name = "NAME")]
    row: Vec<String>,
    /// So many stores at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Write the table between the two markers of docs/install.md; run nothing.
    #[arg(long)]
    docs: bool,
}

/// Where the table is.
const PART: Part = Part {
    page: "docs/install.md",
    begin: "<!-- stores: written by `make stores-docs` -->\n",
    end: "<!-- stores: end -->",
};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.docs {
        return write_docs();
    }
    let chosen = |store: &Store| arguments.store.is_empty() || arguments.store.iter().any(|name| name == store.name());
    let stores: Vec<Store> = Store::ALL.into_iter().filter(chosen).collect();
    let wanted = |row: &&Row| arguments.row.is_empty() || arguments.row.iter().any(|text| row.name.contains(text));
    let rows: Vec<Row> = ROWS.iter().filter(wanted).copied().collect();
    let records = run_all(&stores, &rows, arguments.jobs, rows.len() == ROWS.len());
    println!("\n{}\n{}", failures(&records), table(&rows, &stores, &records));
    let is_bad = records.iter().any(|record| matches!(record.verdict, Verdict::Bad(_)));
    if is_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Stores side by side, the rows of each one after the other.
fn run_all(stores: &[Store], rows: &[Row], jobs: usize, keep: bool) -> Vec<Record> {
    e2e::agent::binary();
    // Told at the end, all at once.
    std::panic::set_hook(Box::new(|_| {}));
    let (next, records) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(store) = stores.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let of_store = run(*store, rows, say);
                    if keep {
                        save(*store, &of_store);
                    }
                    records.lock().unwrap().extend(of_store);
                }
            });
        }
    });
    records.into_inner().unwrap()
}

fn say(record: &Record) {
    let word = match &record.verdict {
        Verdict::Good => "ok",
        Verdict::Lacks(_) => "lacks",
        Verdict::Refused(_) => "refused",
        Verdict::Bad(_) => "BAD",
    };
    eprintln!("{word:8}{:5.1} s  {} · {}", record.seconds, record.store.name(), record.row);
}

fn write_docs() -> ExitCode {
    let missing: Vec<_> = Store::ALL.into_iter().filter(|store| known(*store).is_none()).map(Store::name).collect();
    if !missing.is_empty() {
        eprintln!("error: no result of this agent at {}\nhint: make stores", missing.join(", "));
        return ExitCode::FAILURE;
    }
    let records: Vec<Record> = Store::ALL.into_iter().filter_map(known).flatten().collect();
    PART.write(&markdown(ROWS, &Store::ALL, &records))
}
