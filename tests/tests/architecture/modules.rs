//! The modules of a target, read from its sources: which file each lies in, and the names in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::{Attribute, Expr, Item, ItemMod, Lit, Meta};

use crate::mentions::{self, Mention, Namespace, Use};

/// The names of the modules on the way from the target's root, which has none.
pub(crate) type ModulePath = Vec<String>;

/// All modules of a target but those for tests.
pub(crate) struct Tree {
    pub(crate) modules: BTreeMap<ModulePath, Module>,
}

/// One module, in a file of its own or within its parent's.
#[derive(Default)]
pub(crate) struct Module {
    /// Relative to the workspace's folder.
    pub(crate) file: PathBuf,
    /// The names that it defines itself.
    pub(crate) items: BTreeMap<String, Namespace>,
    /// The modules that it declares.
    pub(crate) children: BTreeSet<String>,
    /// The names that it imports or re-exports.
    pub(crate) uses: Vec<Use>,
    /// The paths that its code names.
    pub(crate) mentions: Vec<Mention>,
}

impl Tree {
    /// Reads the target that begins in the file `root`, which is relative to the workspace's `folder`.
    pub(crate) fn read(folder: &Path, root: &Path) -> Result<Self, String> {
        let mut tree = Self { modules: BTreeMap::new() };
        let children = root.parent().unwrap_or(Path::new("")).to_owned();
        tree.read_file(folder, Vec::new(), &Place { file: root.to_owned(), children })?;
        Ok(tree)
    }

    /// Every file that a module lies in.
    pub(crate) fn files(&self) -> BTreeSet<&Path> {
        self.modules.values().map(|module| module.file.as_path()).collect()
    }

    fn read_file(&mut self, folder: &Path, path: ModulePath, place: &Place) -> Result<(), String> {
        let syntax = parse(folder, &place.file)?;
        self.add(folder, path, place, &syntax.items)
    }

    fn add(&mut self, folder: &Path, path: ModulePath, place: &Place, items: &[Item]) -> Result<(), String> {
        let mut module = Module { file: place.file.clone(), ..Module::default() };
        for item in items.iter().filter(|item| !mentions::is_for_tests(mentions::attributes(item))) {
            if let Item::Mod(declared) = item {
                let name = declared.ident.to_string();
                module.children.insert(name.clone());
                let path = path.iter().cloned().chain([name.clone()]).collect();
                match &declared.content {
                    Some((_, items)) => self.add(folder, path, &place.within(&name), items)?,
                    None => self.read_file(folder, path, &place.child(folder, declared)?)?,
                }
            } else {
                module.items.extend(mentions::defined(item));
                mentions::collect(item, &mut module.uses, &mut module.mentions);
            }
        }
        self.modules.insert(path, module);
        Ok(())
    }
}

/// Parses a file, given relative to the workspace's `folder`.
pub(crate) fn parse(folder: &Path, file: &Path) -> Result<syn::File, String> {
    let cannot = |error: String| format!("error: cannot read {}: {error}", file.display());
    let text = std::fs::read_to_string(folder.join(file)).map_err(|error| cannot(error.to_string()))?;
    syn::parse_file(&text).map_err(|error| cannot(format!("line {}: {error}", error.span().start().line)))
}

/// Where a module lies, and the folder that the files of its children are looked for in.
struct Place {
    file: PathBuf,
    children: PathBuf,
}

impl Place {
    /// The place of a module written out in this one.
    fn within(&self, name: &str) -> Self {
        Self { file: self.file.clone(), children: self.children.join(name) }
    }

    /// The place of a module that has a file of its own: `name.rs`, `name/mod.rs`, or what `#[path]` says.
    fn child(&self, folder: &Path, declared: &ItemMod) -> Result<Self, String> {
        let name = declared.ident.to_string();
        if let Some(said) = said_path(&declared.attrs) {
            let file = plain(&self.file.parent().unwrap_or(Path::new("")).join(said));
            let children = file.parent().unwrap_or(Path::new("")).to_owned();
            return Ok(Self { file, children });
        }
        let children = self.children.join(&name);
        let files = [self.children.join(format!("{name}.rs")), children.join("mod.rs")];
        let found = files.into_iter().find(|file| folder.join(file).is_file());
        let missing = || format!("error: {} declares `mod {name}`, which has no file", self.file.display());
        Ok(Self { file: found.ok_or_else(missing)?, children })
    }
}

fn said_path(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(said) if said.path.is_ident("path") => match &said.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}

/// The path without its `..`: sources are reached through no symbolic links.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        if part == std::path::Component::ParentDir {
            plain.pop();
        } else {
            plain.push(part);
        }
        plain
    })
}
