//! docs/troubleshooting.md held to the program: it names no message that nobody says, and leaves none out.

use std::path::{Path, PathBuf};

use e2e::tools::root;

/// What stands for a name or a cause in a message.
const BLANK: char = '…';

fn page() -> String {
    std::fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap()
}

/// The code of the agent and of what it is made of, without its tests.
fn sources() -> String {
    let mut files = Vec::new();
    for folder in ["agent/src", "core/archive/src", "core/catalog/src", "core/postgres/src", "core/repository/src"] {
        gather(&root().join(folder), &mut files);
    }
    let code = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).unwrap();
        let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
        text[..tests].to_owned()
    };
    files.iter().map(code).collect()
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    for row in std::fs::read_dir(folder).unwrap() {
        let path = row.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            gather(&path, files);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            files.push(path);
        }
    }
}

/// A literal's text: an escaped quote is one, and a line that goes on in the next is one line.
fn unescaped(code: &str) -> String {
    let mut lines = code.split("\\\n").map(str::trim_start);
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| text + line).replace("\\\"", "\"")
}

/// The messages of the page's tables, but for those of the guide's scripts.
fn documented() -> Vec<String> {
    let page = page();
    let own = page.split("## Messages of the guide's scripts").next().unwrap();
    let first_cells = own.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    first_cells.map(|(message, _)| message.to_owned()).collect()
}

/// The text that every failure of the agent, and every error of a repository or of PostgreSQL, begins with in the code.
fn said(sources: &str) -> Vec<String> {
    let failures = sources.split("Failure::new(").skip(1).filter_map(|rest| {
        let (before, literal) = rest.split_once('"')?;
        let words: String = before.split_whitespace().collect();
        let is_literal = words.ends_with(',') || words.ends_with(",format!(");
        (is_literal && words.matches(',').count() == 1).then_some(literal)
    });
    let read = |file: &str| std::fs::read_to_string(root().join(file)).unwrap();
    let typed = ["core/repository/src/error.rs", "core/postgres/src/error.rs"].map(read);
    let errors = typed.iter().flat_map(|file| file.split("#[error(\"").skip(1));
    failures.chain(errors).map(|literal| unescaped(up_to_quote(literal))).collect()
}

fn up_to_quote(code: &str) -> &str {
    let ends = code.char_indices().filter(|(at, character)| *character == '"' && !code[..*at].ends_with('\\'));
    ends.map(|(at, _)| &code[..at]).next().unwrap_or(code)
}

/// What is constant in a message, its longest stretch.
fn longest(message: &str) -> String {
    let mut stretches = vec![String::new()];
    let mut depth = 0;
    for character in message.chars() {
        match character {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                stretches.push(String::new());
            }
            _ if depth == 0 => stretches.last_mut().unwrap().push(character),
            _ => {}
        }
    }
    let trimmed = stretches.into_iter().map(|stretch| stretch.trim_matches([' ', ':', '(', ')', '`']).to_owned());
    trimmed.max_by_key(String::len).unwrap()
}

#[test]
fn every_message_of_the_page_is_the_programs_own() {
    let sources = unescaped(&sources());
    let messages = documented();
    assert!(messages.len() > 80, "{messages:#?}");
    for message in messages {
        for part in message.split(BLANK).map(str::trim).filter(|part| part.len() > 3) {
            assert!(sources.contains(part), "nothing says {part:?} of {message:?}");
        }
    }
}

#[test]
fn every_message_of_the_program_is_on_the_page() {
    let page = page();
    let said = said(&sources());
    // What is looked for in the sources is found there: were they written otherwise, nothing would be missing.
    assert!(said.len() > 100, "only {} messages were found: {said:#?}", said.len());
    let missing: Vec<_> =
        said.into_iter().filter(|message| longest(message).len() > 8 && !page.contains(&longest(message))).collect();
    assert!(missing.is_empty(), "docs/troubleshooting.md says nothing about {missing:#?}");
}
