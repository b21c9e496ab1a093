//! The guard against slowness that needs no clock: how many instructions the hot parts take for a fixed input must stay
//! within a band around `instructions.json`. `cargo bench -p archive --bench instructions` checks, with `-- --record` it
//! writes the file anew.
//!
//! Valgrind counts, in this very program: once while a part runs over the input once, and once while it runs over it twice.
//! The difference is one pass, without the loader, the allocator's beginnings, and the making of the input. Load and
//! clock speed of the machine don't show. Nor do most of its features: Valgrind presents every x86-64 machine with AVX2 as
//! one and the same processor, without AVX-512 and SHA instructions. What remains are the compilers, which the file names:
//! with another rustc, or on another architecture, there is nothing to compare with, which is a failure unless
//! `--allow-unchecked` says that it may be; another C compiler, which makes libdeflate and zstd alone, has a wider band.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own: it prints, and ends where it can't run"
)]
#![allow(missing_docs, reason = "criterion's macros write none")]

mod parts;

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use archive::Compression;
use serde::{Deserialize, Serialize};

/// Of the input, in bytes.
const SIZE: usize = 1 << 20;
/// A part may take so much more or less than recorded, in per cent. Less is a gain that wants to be recorded.
const BAND: f64 = 5.0;
/// The same where another C compiler made the libraries.
const BAND_OF_ANOTHER_CC: f64 = 15.0;
/// A hidden argument: run this part, so many times.
const RUN: &str = "--run";
const PARTS: [&str; 9] = [
    "walk",
    "weave",
    "digest",
    "compress gzip",
    "compress zstd",
    "expand gzip",
    "expand zstd",
    "inspect gzip",
    "inspect zstd",
];

/// What was counted, and by what.
#[derive(Deserialize, Serialize)]
struct Recorded {
    /// The compilers: another one may count otherwise for the same source.
    rustc: String,
    cc: String,
    /// Instructions of each part, by architecture.
    instructions: BTreeMap<String, BTreeMap<String, u64>>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [run, part, times, ..] = arguments.as_slice()
        && run == RUN
    {
        run_part(part, times.parse().unwrap());
        return ExitCode::SUCCESS;
    }
    if arguments.iter().any(|argument| argument == "--record") {
        record(count_all());
        return ExitCode::SUCCESS;
    }
    match recorded_here() {
        Ok((expected, band)) => check(&count_all(), &expected, band),
        Err(why) if arguments.iter().any(|argument| argument == "--allow-unchecked") => {
            println!("instructions: not checked, because {why}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("error: the instructions of the hot parts cannot be compared: {why}");
            eprintln!(
                "hint: make instructions-record counts them here; make test INSTRUCTIONS=--allow-unchecked does without"
            );
            ExitCode::FAILURE
        }
    }
}

/// What was recorded on this architecture by this compiler and how far it may stray, or why there is nothing to compare with.
fn recorded_here() -> Result<(BTreeMap<String, u64>, f64), String> {
    let mut recorded: Recorded = serde_json::from_slice(&std::fs::read(file()).unwrap()).unwrap();
    let (rustc, cc) = (first_line("rustc"), first_line("cc"));
    if recorded.rustc != rustc {
        return Err(format!("they were recorded by {}, and this is {rustc}", recorded.rustc));
    }
    let counts = recorded.instructions.remove(ARCH).ok_or_else(|| format!("none are recorded for {ARCH}"))?;
    Ok((counts, if recorded.cc == cc { BAND } else { BAND_OF_ANOTHER_CC }))
}

fn count_all() -> BTreeMap<String, u64> {
    PARTS.map(|part| (part.to_owned(), count(part) - count_hashing(part))).into()
}

/// Instructions of one pass over the input.
fn count(part: &str) -> u64 {
    let [once, twice] = ["1", "2"].map(|times| counted_run(part, times));
    twice - once
}

/// What a part's SHA-256 takes, where it takes nearly all: without the processor's SHA instructions a walk twice as slow would
/// stay within the band. Its count depends on the number of bytes alone.
fn count_hashing(part: &str) -> u64 {
    if part == "walk" { count("sha256") } else { 0 }
}

fn counted_run(part: &str, times: &str) -> u64 {
    let counts = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--error-exitcode=1"])
        .arg(format!("--callgrind-out-file={}", counts.path().display()))
        .arg(std::env::current_exe().unwrap())
        .args([RUN, part, times])
        .output()
        .unwrap_or_else(|error| panic!("valgrind can't be run: {error}\nhint: make tools"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "valgrind: {}\n{said}", output.status);
    let line = said.lines().find_map(|line| line.split_once("Collected : "));
    line.and_then(|(_, count)| count.trim().parse().ok()).unwrap_or_else(|| panic!("valgrind counted nothing:\n{said}"))
}

fn check(counted: &BTreeMap<String, u64>, expected: &BTreeMap<String, u64>, band: f64) -> ExitCode {
    let mut strayed = false;
    println!("instructions for {} MiB, beside what is recorded (± {band} %)", SIZE >> 20);
    for (part, &now) in counted {
        let before = expected.get(part).copied().unwrap_or_default();
        let change = 100.0 * (now as f64 / before as f64 - 1.0);
        let within = change.abs() <= band;
        strayed |= !within;
        println!("  {part:<14} {now:>13} {change:>+7.2} %{}", if within { "" } else { "  <- outside the band" });
    }
    if !strayed {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: the hot parts no longer take the instructions that {} has", file().display());
    eprintln!("hint: find out why (docs/performance.md); if it is meant: make instructions-record, and commit it");
    ExitCode::FAILURE
}

fn record(counted: BTreeMap<String, u64>) {
    let before = std::fs::read(file()).ok().and_then(|json| serde_json::from_slice::<Recorded>(&json).ok());
    // What other compilers made of other architectures is old.
    let (rustc, cc) = (first_line("rustc"), first_line("cc"));
    let before = before.filter(|recorded| recorded.rustc == rustc);
    let mut instructions = before.map(|recorded| recorded.instructions).unwrap_or_default();
    instructions.insert(ARCH.to_owned(), counted);
    let recorded = Recorded { rustc, cc, instructions };
    std::fs::write(file(), serde_json::to_string_pretty(&recorded).unwrap() + "\n").unwrap();
    println!("recorded in {}", file().display());
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.json")
}

fn first_line(program: &str) -> String {
    let output = Command::new(program).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or(program).to_owned()
}

fn run_part(part: &str, times: usize) {
    let archive = parts::archive(SIZE);
    let Some((work, compression)) = part.split_once(' ') else {
        let work = match part {
            "walk" => parts::walk,
            "weave" => parts::weave,
            "digest" => parts::digest,
            _ => parts::hash_rows,
        };
        return (0..times).for_each(|_| work(&archive));
    };
    let compression: Compression = compression.parse().unwrap();
    if work == "compress" {
        return (0..times).for_each(|_| drop(parts::stored(&archive, compression)));
    }
    let stored = parts::stored(&archive, compression);
    let work = if work == "expand" { parts::expand } else { parts::inspect };
    (0..times).for_each(|_| work(&stored));
}
