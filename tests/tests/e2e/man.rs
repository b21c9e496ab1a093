//! The manual pages, as a reader's `man` shows them.

use std::process::Command;

use e2e::agent::Agent;
use e2e::process::output;

/// A build's date would make two builds of one version differ.
const DATE: &str = "missing date";

#[test]
fn every_page_has_its_sections_and_nothing_for_a_checker_to_say() {
    let agent = Agent::new();
    let folder = agent.home().join("man");
    agent.run(&["man", "--directory", folder.to_str().unwrap()]).succeeds();
    let pages: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|page| page.unwrap().path()).collect();
    assert!(pages.len() > 20, "{pages:?}");
    for page in pages {
        let name = page.file_name().unwrap().to_str().unwrap().to_owned();
        let checked = output(Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).arg(&page));
        let said = String::from_utf8_lossy(&checked.stdout).into_owned();
        let said: Vec<&str> = said.lines().filter(|line| !line.contains(DATE)).collect();
        assert!(said.is_empty(), "{}", said.join("\n"));
        let shown = output(Command::new("mandoc").args(["-T", "ascii", "-O", "width=78"]).arg(&page));
        // Bold and underlined as on a printer that goes back.
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        let mut plain = String::new();
        shown.chars().for_each(|c| if c == '\u{8}' { plain.truncate(plain.len() - 1) } else { plain.push(c) });
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "FILES", "SEE ALSO"] {
            assert!(plain.lines().any(|line| line == section), "{name}: {section}\n{plain}");
        }
        assert!(
            plain.lines().any(|line| line == "EXIT STATUS")
                || ["completions", "man.1", "version"].iter().any(|of| name.contains(of)),
            "{name}\n{plain}"
        );
        assert!(!plain.contains("EXTRA"), "{name}");
        let wide: Vec<&str> = plain.lines().filter(|line| line.len() > 80).collect();
        assert!(wide.is_empty(), "{name}: {wide:?}");
    }
}

#[test]
fn a_page_has_values_in_its_synopsis_and_examples_as_they_are_typed() {
    let agent = Agent::new();
    let folder = agent.home().join("man");
    agent.run(&["man", "--directory", folder.to_str().unwrap()]).succeeds();
    let page = std::fs::read_to_string(folder.join("lastgood-backup.1")).unwrap();
    assert!(page.contains("[\\fB\\-\\-name\\fR \\fINAME\\fR]"), "{page}");
    assert!(page.contains("\n.nf\n.in 2\nlastgood backup \\-\\-dry\\-run "), "{page}");
    assert!(page.contains("\\fBlastgood\\fR(1)"), "{page}");
    let main = agent.run(&["man"]).succeeds().stdout;
    assert_eq!(main.trim_end(), std::fs::read_to_string(folder.join("lastgood.1")).unwrap().trim_end());
}
