//! The crates of a workspace, as cargo knows them: what each is called, what it takes, and where its sources begin.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::imports::{self, Imports};
use crate::modules::Tree;

/// A workspace: its folder, and the crates in it.
pub(crate) struct Workspace {
    pub(crate) folder: PathBuf,
    pub(crate) crates: Vec<Crate>,
}

/// One crate of the workspace.
pub(crate) struct Crate {
    pub(crate) name: String,
    /// Relative to the workspace's folder, as every path that a message names.
    pub(crate) folder: PathBuf,
    /// The other crates of the workspace that it depends on, for its tests and its build too.
    pub(crate) takes: BTreeSet<String>,
    /// The files in which its library, programs, tests and benchmarks begin.
    pub(crate) targets: Vec<Target>,
}

/// What cargo compiles as one: a library, a program, a test or a benchmark.
pub(crate) struct Target {
    pub(crate) root: PathBuf,
    /// Whether it is part of what users get, as libraries and programs are.
    pub(crate) product: bool,
}

/// One target, and which of its files takes what from which other.
pub(crate) struct TargetImports {
    pub(crate) package: String,
    /// The folder of the package, relative to the workspace's.
    pub(crate) folder: PathBuf,
    pub(crate) imports: Imports,
}

impl Workspace {
    /// Asks cargo, which needs no network for this.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        #[expect(
            clippy::disallowed_methods,
            reason = "cargo reads its files and ends, and this test takes nothing of e2e"
        )]
        let output = Command::new(cargo)
            .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
            .current_dir(folder)
            .output()
            .map_err(|error| format!("error: cannot run cargo: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("error: cargo cannot read the workspace in {}: {said}", folder.display()));
        }
        let metadata: Metadata = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("error: cargo describes the workspace in an unknown way: {error}"))?;
        Ok(Self::of(folder, &metadata))
    }

    fn of(folder: &Path, metadata: &Metadata) -> Self {
        let names: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
        let relative = |path: &Path| path.strip_prefix(&metadata.workspace_root).unwrap_or(path).to_owned();
        let known = |package: &Package| {
            let all = package.dependencies.iter().map(|dependency| &dependency.name);
            all.filter(|name| names.contains(name.as_str())).cloned().collect()
        };
        let targets = |package: &Package| {
            let compiled = package.targets.iter().filter(|target| !target.is("custom-build"));
            compiled.map(|target| Target { root: relative(&target.src_path), product: target.is_product() }).collect()
        };
        let crates = metadata.packages.iter().map(|package| Crate {
            name: package.name.clone(),
            folder: relative(package.manifest_path.parent().unwrap_or(Path::new(""))),
            takes: known(package),
            targets: targets(package),
        });
        Self { folder: folder.to_owned(), crates: crates.collect() }
    }

    /// Which file takes what from which other, for every target of every crate.
    pub(crate) fn imports(&self) -> Result<Vec<TargetImports>, String> {
        let targets = self.crates.iter().flat_map(|krate| krate.targets.iter().map(move |target| (krate, target)));
        let read = |(krate, target): (&Crate, &Target)| {
            let tree = Tree::read(&self.folder, &target.root)?;
            let (package, folder) = (krate.name.clone(), krate.folder.clone());
            Ok(TargetImports { package, folder, imports: imports::of(&tree) })
        };
        targets.map(read).collect()
    }
}

/// What `cargo metadata` prints, as far as it is needed.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
    targets: Vec<CargoTarget>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
}

#[derive(Deserialize)]
struct CargoTarget {
    kind: Vec<String>,
    src_path: PathBuf,
}

impl CargoTarget {
    fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|one| one == kind)
    }

    fn is_product(&self) -> bool {
        !["test", "bench", "example"].into_iter().any(|kind| self.is(kind))
    }
}
