//! The tests that a page names as proof are there.

use std::path::{Path, PathBuf};

/// The pages that name tests.
pub(crate) const PAGES: [&str; 2] = ["docs/security.md", "docs/reliability.md"];

/// What a page names between backticks as `module::…::test`, and no source file has.
pub(crate) fn missing_tests(folder: &Path, page: &str, sources: &[PathBuf]) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
    let quoted = text.split('`').skip(1).step_by(2);
    let named = quoted.filter(|words| words.contains("::") && !words.contains([' ', '\n']));
    let missing = named.filter(|name| !is_test(name, sources));
    missing
        .map(|name| {
            let hint = "name a test by its modules and its own name, as `cargo test` prints it";
            format!("error: {page} names the test {name}, which is nowhere\nhint: {hint}")
        })
        .collect()
}

/// Every source file of the project.
pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
    let below = |top: &str| find(&folder.join(top));
    ["core", "agent", "lambdas", "tests"].into_iter().flat_map(below).collect()
}

fn find(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display())).path());
    let of = |path: PathBuf| match path.is_dir() && !path.ends_with("target") {
        true => find(&path),
        false => vec![path],
    };
    paths.flat_map(of).filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

fn is_test(name: &str, sources: &[PathBuf]) -> bool {
    let Some((modules, function)) = name.rsplit_once("::") else { return false };
    let file = format!("/{}.rs", modules.replace("::", "/"));
    let mut of_module = sources.iter().filter(|path| path.to_string_lossy().ends_with(&file));
    of_module.any(|path| {
        let source = std::fs::read_to_string(path).unwrap_or_default();
        let begins = format!("fn {function}(");
        let mut tests = source.split("#[test]").skip(1);
        tests.any(|test| test.trim_start().starts_with(&begins))
    })
}
