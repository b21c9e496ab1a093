//! At a terminal of 80 columns no line is wider, and a command to copy stays one; in a pipe nothing is broken or cut.

use std::path::Path;

use e2e::agent::{self, Agent};
use e2e::process::{output, output_given};

use e2e::past::{agent, database, days_ago, put_in_directory, stem};

/// Runs it at a terminal of 80 columns: `stream` is where the other stream goes. What it prints there, line by line.
pub(crate) fn at_terminal(agent: &Agent, arguments: &[&str], stream: &str) -> String {
    at_terminal_typing(agent, arguments, stream, b"")
}

/// The same, where somebody types.
pub(crate) fn at_terminal_typing(agent: &Agent, arguments: &[&str], stream: &str, typed: &[u8]) -> String {
    let line = format!("stty cols 80 rows 24; exec {} {} {stream}", agent::binary().display(), arguments.join(" "));
    let mut command = agent.command_of(&["script", "--quiet", "--command", &line, "/dev/null"]);
    let output = if typed.is_empty() { output(&mut command) } else { output_given(&mut command, typed) };
    String::from_utf8_lossy(&output.stdout).replace('\r', "")
}

/// What is wider than the terminal, with the command that printed it.
fn wide(arguments: &[&str], shown: &str) -> Vec<String> {
    let wide = shown.lines().filter(|line| line.chars().count() > 80);
    wide.map(|line| format!("{}: {line}", arguments.join(" "))).collect()
}

/// Backups of databases with an ordinary and with a long name, and one that has lost rows.
fn some(folder: &Path) {
    for days in [0, 1, 3, 400] {
        put_in_directory(folder, "app", days_ago(days));
        put_in_directory(folder, "customer_portal_production", days_ago(days));
    }
    let damaged = folder.join(format!("{}.sql.gz", stem("app", days_ago(400))));
    std::fs::write(damaged, b"cut").unwrap();
}

const COMMANDS: &[&[&str]] = &[
    &["status"],
    &["status", "--all-databases"],
    &["list"],
    &["list", "--all-databases"],
    &["list", "--database", "customer_portal_production"],
    &["show", "latest"],
    &["check"],
    &["check", "--all-databases"],
    &["verify", "latest"],
    &["verify", "--all", "--force"],
    &["prune", "--dry-run"],
    &["prune", "--dry-run", "--all-databases"],
    &["adopt", "--all", "--dry-run"],
    &["config"],
    &["config", "--set"],
    &["cost", "--size", "50MB"],
    &["cost", "--size", "500GB", "--databases", "100"],
    &["diff", "latest~1", "latest"],
    &["restore", "latest", "--dry-run"],
    &["drill", "--dry-run"],
    &["backup", "--dry-run"],
    &["version"],
    &["help"],
];

#[test]
fn no_answer_is_wider_than_the_terminal() {
    let folder = tempfile::Builder::new().prefix("w").tempdir().unwrap();
    some(folder.path());
    let agent = agent().database(database()).setting("DB_NAME", "app").directory(folder.path());
    let mut found = Vec::new();
    for arguments in COMMANDS {
        let shown = at_terminal(&agent, arguments, "2>/dev/null");
        let said = at_terminal(&agent, arguments, ">/dev/null");
        // A bar is drawn over again in one line.
        let said: Vec<&str> = said.lines().filter(|line| !line.contains('\u{1b}')).collect();
        assert!(!shown.is_empty() || !said.is_empty(), "{arguments:?}");
        found.extend(wide(arguments, &shown));
        found.extend(wide(arguments, &said.join("\n")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_help_is_wider_than_the_terminal() {
    let agent = Agent::new();
    let help = agent.run(&["help"]).succeeds().stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"restore") && names.len() > 20, "{names:?}");
    let mut found = Vec::new();
    for name in names {
        let arguments = [name, "--help"];
        let shown = at_terminal(&agent, &arguments, "2>&1");
        assert!(shown.contains("Usage: lastgood"), "{shown}");
        found.extend(wide(&arguments, &shown));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A name that a narrow terminal shows without its database is accepted as it is shown.
#[test]
fn a_short_name_is_found_and_a_pipe_has_the_whole_one() {
    let folder = tempfile::Builder::new().prefix("w").tempdir().unwrap();
    some(folder.path());
    let long = "customer_portal_production";
    let agent = agent().setting("DB_NAME", long).directory(folder.path());
    let whole = stem(long, days_ago(1));
    let whole = whole.rsplit_once('_').unwrap().0;
    let piped = agent.run(&["list"]).succeeds().mentions(whole).stdout;
    assert!(piped.lines().any(|line| line.len() > 80), "{piped}");
    let shown = at_terminal(&agent, &["list"], "2>/dev/null");
    assert!(!shown.contains(whole), "{shown}");
    let row = shown.lines().find(|line| line.contains("good") && line.starts_with("  2")).unwrap();
    let name = row.split_whitespace().next().unwrap();
    agent.run(&["show", name]).succeeds().mentions(&format!("{long}_backup_{name}"));
    agent.run(&["verify", name]).succeeds();
    assert!(at_terminal(&agent, &["list", "--all-databases"], "2>/dev/null").contains(whole));
}

#[test]
fn a_command_to_copy_is_one_command_at_any_width() {
    let folder = tempfile::Builder::new().prefix("w").tempdir().unwrap();
    some(folder.path());
    let agent = agent().setting("DB_NAME", "app").directory(folder.path());
    let piped = agent.run(&["show", "latest"]).succeeds().stdout;
    let by_hand = piped.lines().find(|line| line.contains("| pg_restore")).unwrap();
    assert!(by_hand.len() > 80, "{by_hand}");
    let shown = at_terminal(&agent, &["show", "latest"], "2>/dev/null");
    let joined = shown.replace(" \\\n", " ");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&joined).contains(&words(by_hand)), "{shown}");
}
