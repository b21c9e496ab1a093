//! The style that no lint of clippy counts as we do: where modules lie, and how long files, functions and lists of
//! parameters are. Tests are left out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, FnArg, ImplItemFn, Item, ItemFn, Signature, TraitItemFn};

use crate::crates::{Crate, Workspace};
use crate::mentions::{attributes, is_for_tests};
use crate::modules::{self, Tree};

/// The longest that a file may be, in lines.
const FILE: usize = 400;
/// The longest that a function may be, in lines, with its signature.
const FUNCTION: usize = 60;
/// The most parameters that a function may have beside `self`.
const PARAMETERS: usize = 5;

/// Its code is tests and what they need.
const OF_TESTS: &str = "e2e";

/// What may be longer, with its reason.
pub(crate) struct Longer {
    /// A file, relative to the workspace's folder.
    pub(crate) file: &'static str,
    /// The function in it; nothing for the file itself.
    pub(crate) function: Option<&'static str>,
    pub(crate) reason: &'static str,
}

/// Nothing is longer today.
pub(crate) const LONGER: &[Longer] = &[];

/// The files called `mod.rs` in the sources of any crate.
pub(crate) fn mod_files(workspace: &Workspace) -> Vec<String> {
    let mut found = Vec::new();
    for krate in &workspace.crates {
        find_mod_files(&workspace.folder, &krate.folder.join("src"), &mut found);
    }
    let told = found.iter().map(|file| {
        let folder = file.parent().unwrap_or(Path::new(""));
        let beside = folder.with_extension("rs");
        format!(
            "error: {} is a module in the other style\nhint: git mv {} {}",
            file.display(),
            file.display(),
            beside.display()
        )
    });
    told.collect()
}

fn find_mod_files(workspace: &Path, folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(workspace.join(folder)) else { return };
    for entry in entries.flatten() {
        let path = folder.join(entry.file_name());
        if workspace.join(&path).is_dir() {
            find_mod_files(workspace, &path, found);
        } else if path.ends_with("mod.rs") {
            found.push(path);
        }
    }
}

/// What is longer than it may be, and rows of `longer` that nothing needs any more.
pub(crate) fn sizes(workspace: &Workspace, longer: &[Longer]) -> Result<Vec<String>, String> {
    let mut files = BTreeSet::new();
    for krate in workspace.crates.iter().filter(|krate| krate.name != OF_TESTS) {
        files.extend(product(&workspace.folder, krate)?);
    }
    let mut errors = Vec::new();
    let mut needed = BTreeSet::new();
    for file in files {
        for finding in measure(&workspace.folder, &file)? {
            let row = longer
                .iter()
                .position(|row| file == Path::new(row.file) && finding.function.as_deref() == row.function);
            match row {
                Some(row) => _ = needed.insert(row),
                None => errors.push(finding.told),
            }
        }
    }
    let unneeded = longer.iter().enumerate().filter(|(row, _)| !needed.contains(row));
    errors.extend(unneeded.map(|(_, row)| {
        let what = row.function.map_or_else(|| row.file.to_owned(), |function| format!("{function} in {}", row.file));
        format!("error: {what} may be longer ({}), and no longer is\nhint: remove its row in style.rs", row.reason)
    }));
    Ok(errors)
}

/// The files of a crate's library and programs, without those of its tests.
fn product(workspace: &Path, krate: &Crate) -> Result<BTreeSet<PathBuf>, String> {
    let mut files = BTreeSet::new();
    for target in krate.targets.iter().filter(|target| target.product) {
        files.extend(Tree::read(workspace, &target.root)?.files().into_iter().map(Path::to_owned));
    }
    Ok(files)
}

struct Finding {
    function: Option<String>,
    told: String,
}

fn measure(workspace: &Path, file: &Path) -> Result<Vec<Finding>, String> {
    let syntax = modules::parse(workspace, file)?;
    let lines = std::fs::read_to_string(workspace.join(file)).map_err(|error| error.to_string())?.lines().count();
    let product = syntax.items.iter().filter(|item| !is_for_tests(attributes(item)));
    let tests: usize = syntax.items.iter().filter(|item| is_for_tests(attributes(item))).map(lines_of).sum();
    let mut measure = Measure { file: file.display().to_string(), found: Vec::new() };
    product.for_each(|item| measure.visit_item(item));
    if lines - tests > FILE {
        let told = format!(
            "error: {} has {} lines, and may have {FILE}\nhint: move one of its thoughts into a file of its own",
            file.display(),
            lines - tests
        );
        measure.found.push(Finding { function: None, told });
    }
    Ok(measure.found)
}

/// The lines from the first to the last of a piece of syntax.
fn lines_of(syntax: &impl Spanned) -> usize {
    let span = syntax.span();
    span.end().line - span.start().line + 1
}

struct Measure {
    file: String,
    found: Vec<Finding>,
}

impl Measure {
    fn function(&mut self, signature: &Signature, body: Option<&Block>) {
        let name = signature.ident.to_string();
        let start = signature.span().start().line;
        let place = format!("{}:{start}: the function {name}", self.file);
        let lines = body.map_or(0, |body| body.span().end().line + 1 - start);
        let parameters = signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_))).count();
        if lines > FUNCTION {
            self.find(&name, format!(
                "error: {place} has {lines} lines, and may have {FUNCTION}\nhint: give its steps functions of their own, so that it reads as their table of contents"
            ));
        }
        if parameters > PARAMETERS {
            self.find(&name, format!(
                "error: {place} has {parameters} parameters, and may have {PARAMETERS}\nhint: make those that travel together one value"
            ));
        }
    }

    fn find(&mut self, function: &str, told: String) {
        self.found.push(Finding { function: Some(function.to_owned()), told });
    }
}

impl<'ast> Visit<'ast> for Measure {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.function(&function.sig, Some(&function.block));
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.function(&function.sig, Some(&function.block));
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        self.function(&function.sig, function.default.as_ref());
        visit::visit_trait_item_fn(self, function);
    }
}
