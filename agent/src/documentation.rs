//! README.md, CONTRIBUTING.md and docs/ held to the program: a command line or a setting in them that does not exist fails a test.

use std::path::Path;

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::cli::Cli;
use crate::settings::is_read;
use crate::watchers::TOLD;

/// What may follow a command line: a remark in a column of its own, another command, the end of its code.
const ENDS: [&str; 8] = ["   ", " | ", " > ", ";", " && ", " || ", "`", "#"];

/// What the names of settings begin with.
const BEGINNINGS: [&str; 7] = ["BACKUP_", "DB_", "LASTGOOD_", "MAX_BACKUP_", "MIN_BACKUP_", "PG_", "RESTORE_"];

/// Every page, with its path.
fn pages() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|row| row.unwrap().path());
    let beside = ["README.md", "CONTRIBUTING.md"].map(|name| root.join(name));
    let files = docs.chain(beside).filter(|path| path.extension().is_some_and(|end| end == "md"));
    files.map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap())).collect()
}

/// A page's code: the lines of its blocks, and what is between backquotes in its text.
fn code(page: &str) -> Vec<&str> {
    let pieces = page.split("```").enumerate();
    // Every second piece is between two fences.
    let spans = pieces.flat_map(|(at, piece)| -> Vec<&str> {
        if at % 2 == 1 { piece.lines().collect() } else { piece.split('`').skip(1).step_by(2).collect() }
    });
    let indented = page.lines().filter(|line| line.starts_with("    "));
    spans.chain(indented).collect()
}

/// The command line in a piece of code, whatever comes before it: cron's times, `sudo`, a folder, a variable.
fn command_line(code: &str) -> Option<&str> {
    let (before, after) = code.split_once("lastgood ")?;
    let line = code.get(before.len()..)?;
    let end = ENDS.iter().filter_map(|end| line.find(end)).min().unwrap_or(line.len());
    let is_run = (before.is_empty() || before.ends_with([' ', '/']))
        && after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-');
    if is_run { Some(line.get(..end)?.trim()) } else { None }
}

/// In the text a command may be named without all that it needs; a flag or a command that isn't there is always a mistake.
#[test]
fn every_command_line_of_the_documentation_parses() {
    let fine = [ErrorKind::DisplayHelp, ErrorKind::MissingRequiredArgument, ErrorKind::MissingSubcommand];
    let mut seen = 0;
    for (page, text) in pages() {
        for line in code(&text).into_iter().filter_map(command_line) {
            let words = shlex::split(&line.replace("COMMAND", "backup")).unwrap();
            if let Err(error) = Cli::try_parse_from(&words) {
                assert!(fine.contains(&error.kind()), "{page}: {line}: {error}");
            }
            seen += 1;
        }
    }
    assert!(seen > 70, "{seen}");
}

#[test]
fn every_setting_of_the_documentation_is_one() {
    let mut seen = 0;
    for (page, text) in pages() {
        let words = text.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
        // `BACKUP_KEEP_*` stands for several.
        let names = words.filter(|word| !word.ends_with('_') && BEGINNINGS.iter().any(|start| word.starts_with(start)));
        for name in names {
            assert!(is_read(name) || TOLD.contains(&name), "{page}: no setting is called {name}");
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

/// As GitHub and others make it of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -".contains(*c)).collect::<String>();
    kept.trim().replace(' ', "-")
}

#[test]
fn every_link_of_the_documentation_leads_somewhere() {
    let mut seen = 0;
    for (page, text) in pages() {
        let links = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
        for link in links.filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone().into() } else { Path::new(&page).with_file_name(file) };
            // A picture is no text.
            let there = std::fs::read(&target).unwrap_or_else(|e| panic!("{page}: {link}: {e}"));
            let there = String::from_utf8_lossy(&there);
            let headings =
                there.lines().filter(|line| line.starts_with('#')).map(|line| anchor(line.trim_matches('#')));
            assert!(heading.is_empty() || headings.into_iter().any(|known| known == heading), "{page}: {link}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}
