//! What holds the architecture of docs/design.md: which crate may take from which, that no file imports another in a circle,
//! which folders of the agent stay apart, and how long a file, a function and a list of parameters may be.
//!
//! Needs no PostgreSQL and no built binaries, and takes seconds: `make architecture`. To learn what a message wants, read
//! the table in `rules.rs` that it names. That each check bites is shown in `bites.rs`, on small crates made for it.

mod bites;
mod circles;
mod crates;
mod imports;
mod mentions;
mod modules;
mod pages;
mod rules;
mod style;

use std::path::{Path, PathBuf};

use crates::Workspace;

/// The folder of the workspace that this test belongs to.
fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("tests/ lies in the workspace")
}

/// Fails with all that was found, each an error and its hint.
fn nothing(found: &[String]) {
    assert!(found.is_empty(), "\n\n{}\n", found.join("\n\n"));
}

fn workspace() -> Workspace {
    Workspace::read(&here()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn crates_take_only_from_crates_below_them() {
    nothing(&rules::crates(&workspace(), rules::CRATES));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let circles = workspace().imports().map(|targets| targets.iter().flat_map(circles::told).collect::<Vec<_>>());
    nothing(&circles.unwrap_or_else(|error| vec![error]));
}

#[test]
fn folders_that_must_stay_apart_do() {
    let crossed = workspace().imports().map(|targets| rules::folders(&targets, rules::FOLDERS));
    nothing(&crossed.unwrap_or_else(|error| vec![error]));
}

#[test]
fn one_module_style() {
    nothing(&style::mod_files(&workspace()));
}

#[test]
fn files_functions_and_parameter_lists_stay_short() {
    nothing(&style::sizes(&workspace(), style::LONGER).unwrap_or_else(|error| vec![error]));
}

#[test]
fn tests_that_the_pages_name_are_there() {
    let sources = pages::sources(&here());
    nothing(&pages::PAGES.iter().flat_map(|page| pages::missing_tests(&here(), page, &sources)).collect::<Vec<_>>());
}
