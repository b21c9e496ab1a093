//! Which file of a target takes what from which other. A name is taken from the file that defines it, whatever re-exports lead
//! there: a child that takes its sibling's name through their parent depends on the sibling, not on the parent.
//!
//! Declaring a module, or importing one, takes nothing yet: what is named through it does. A re-export is a signpost and takes
//! nothing either, unless the file that has it uses the name too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::mentions::{Mention, Namespace, Use};
use crate::modules::{Module, ModulePath, Tree};

/// File → the files that it takes from → the names that it takes.
pub(crate) type Imports = BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>;

/// All imports between the files of a target.
pub(crate) fn of(tree: &Tree) -> Imports {
    let mut imports = Imports::new();
    for (path, module) in &tree.modules {
        let mut resolver = Resolver { tree, under_way: BTreeSet::new() };
        let taken = resolver.taken_by(path, module);
        for (definer, name) in taken {
            let from = &tree.modules[&definer].file;
            if *from != module.file {
                let files = imports.entry(module.file.clone()).or_default();
                files.entry(from.clone()).or_default().insert(shown(&definer, &name));
            }
        }
    }
    imports
}

/// A name as a message shows it, with the module that it is defined in.
fn shown(module: &ModulePath, name: &str) -> String {
    module.last().map_or_else(|| format!("crate::{name}"), |module| format!("{module}::{name}"))
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Module(ModulePath),
    /// An item, with the module that defines it.
    Item(ModulePath, String, Namespace),
}

struct Resolver<'a> {
    tree: &'a Tree,
    /// The names that are being followed through imports, so that two which name each other don't lead on for ever.
    under_way: BTreeSet<(ModulePath, String)>,
}

impl Resolver<'_> {
    /// Every item that a module names, with the module that defines it.
    fn taken_by(&mut self, path: &ModulePath, module: &Module) -> BTreeSet<(ModulePath, String)> {
        let imports = module.uses.iter().filter(|import| !import.shown).map(|import| &import.path);
        let mut all: Vec<Found> = imports.flat_map(|import| self.resolve(path, import)).collect();
        for mention in &module.mentions {
            match mention.as_slice() {
                // What a private import brings is counted with the import.
                [name] if module.uses.iter().any(|import| !import.shown && import.name.as_ref() == Some(name)) => {}
                [name] => all.extend(self.look_up(path, name)),
                _ => all.extend(self.resolve(path, mention)),
            }
        }
        let items = all.into_iter().filter_map(|found| match found {
            Found::Item(module, name, _) => Some((module, name)),
            Found::Module(_) => None,
        });
        items.collect()
    }

    /// Whatever a path may lead to, in any of Rust's namespaces; nothing when it leads out of the crate.
    fn resolve(&mut self, from: &ModulePath, path: &Mention) -> BTreeSet<Found> {
        let Some((first, rest)) = path.split_first() else { return BTreeSet::new() };
        let start = match first.as_str() {
            "crate" => BTreeSet::from([Found::Module(Vec::new())]),
            "self" => BTreeSet::from([Found::Module(from.clone())]),
            "super" => BTreeSet::from([Found::Module(parent(from))]),
            name => self.look_up(from, name),
        };
        rest.iter().fold(start, |reached, name| {
            reached.into_iter().flat_map(|found| self.step(found, name)).collect::<BTreeSet<_>>()
        })
    }

    fn step(&mut self, found: Found, name: &str) -> BTreeSet<Found> {
        match found {
            // A variant, a constant or a function of a type lies where the type does.
            Found::Item(_, _, Namespace::Type) => BTreeSet::from([found]),
            // A function may be called as a module is, but only the module leads on.
            Found::Item(_, _, Namespace::Value) => BTreeSet::new(),
            Found::Module(module) if name == "super" => BTreeSet::from([Found::Module(parent(&module))]),
            Found::Module(module) => {
                let found = self.look_up(&module, name);
                // What can't be seen is made by a macro, and lies in the module that calls it.
                if found.is_empty() {
                    BTreeSet::from([Found::Item(module, name.to_owned(), Namespace::Type)])
                } else {
                    found
                }
            }
        }
    }

    /// A name as a module knows it.
    fn look_up(&mut self, path: &ModulePath, name: &str) -> BTreeSet<Found> {
        let Some(module) = self.tree.modules.get(path) else { return BTreeSet::new() };
        let mut found = own(path, module, name);
        if !self.under_way.insert((path.clone(), name.to_owned())) {
            return found;
        }
        for import in module.uses.iter().filter(|import| import.name.as_deref() == Some(name)) {
            found.extend(self.resolve(path, &import.path));
        }
        self.under_way.remove(&(path.clone(), name.to_owned()));
        if found.is_empty() { self.through_globs(path, module, name) } else { found }
    }

    /// A name that a module has from a glob alone.
    fn through_globs(&mut self, path: &ModulePath, module: &Module, name: &str) -> BTreeSet<Found> {
        let named = |import: &Use| import.name.as_deref() == Some(name);
        if !own(path, module, name).is_empty() || module.uses.iter().any(named) {
            return BTreeSet::new();
        }
        let key = (path.clone(), format!("{name} through a glob"));
        if !self.under_way.insert(key.clone()) {
            return BTreeSet::new();
        }
        let globs = module.uses.iter().filter(|import| import.name.is_none());
        let modules = globs.flat_map(|glob| self.resolve(path, &glob.path)).collect::<Vec<_>>();
        let found = modules.into_iter().flat_map(|found| match found {
            Found::Module(module) => self.look_up(&module, name),
            Found::Item(..) => BTreeSet::new(),
        });
        let found = found.collect();
        self.under_way.remove(&key);
        found
    }
}

/// What a module declares or defines under a name.
fn own(path: &ModulePath, module: &Module, name: &str) -> BTreeSet<Found> {
    let child = || Found::Module(path.iter().cloned().chain([name.to_owned()]).collect());
    let item = |namespace: &Namespace| Found::Item(path.clone(), name.to_owned(), *namespace);
    let child = module.children.contains(name).then(child);
    child.into_iter().chain(module.items.get(name).map(item)).collect()
}

fn parent(path: &ModulePath) -> ModulePath {
    path.split_last().map(|(_, parent)| parent.to_vec()).unwrap_or_default()
}
