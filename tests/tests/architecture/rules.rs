//! The rules as tables: which crate may take which, and which folders of one crate stay apart. Each has its reason, which
//! the error repeats. A row whose crate or folder doesn't exist holds nothing back.

use std::path::Path;

use crate::crates::{TargetImports, Workspace};

/// What a crate of the workspace may depend on.
pub(crate) struct MayTake {
    pub(crate) package: &'static str,
    /// Nothing stands for every crate.
    pub(crate) others: Option<&'static [&'static str]>,
    pub(crate) reason: &'static str,
}

/// The arrows of docs/design.md. The agent and the functions are in no other crate's list but the tests': so neither depends on
/// the other.
pub(crate) const CRATES: &[MayTake] = &[
    MayTake { package: "archive", others: Some(&[]), reason: "it knows bytes alone, and all else is built on it" },
    MayTake {
        package: "catalog",
        others: Some(&["archive"]),
        reason: "the rules decide from values alone: they know no store, no server and no program",
    },
    MayTake {
        package: "postgres",
        others: Some(&["archive"]),
        reason: "it speaks to PostgreSQL and knows nothing of backups, their rules and their stores",
    },
    MayTake {
        package: "repository",
        others: Some(&["catalog", "archive"]),
        reason: "it stores what the rules name, for the agent and the functions alike",
    },
    MayTake {
        package: "report",
        others: Some(&["repository", "catalog", "archive"]),
        reason: "it makes a page of what is stored, for the command and the functions alike",
    },
    MayTake {
        package: "lastgood",
        others: Some(&["postgres", "report", "repository", "catalog", "archive"]),
        reason: "the command shares with the functions what lies below both, and nothing else",
    },
    MayTake {
        package: "lambdas",
        others: Some(&["report", "repository", "catalog", "archive"]),
        reason: "the functions stay small, speak to no PostgreSQL, and share with the command what lies below both",
    },
    MayTake {
        package: "protocol",
        others: Some(&["catalog", "archive"]),
        reason: "the model of the commit protocol knows the real rules, and no real store",
    },
    MayTake { package: "e2e", others: None, reason: "it tries everything, and nothing is built on it" },
    MayTake { package: "fuzz", others: None, reason: "it feeds everything, and nothing is built on it" },
];

/// The arrows between crates that the table doesn't allow.
pub(crate) fn crates(workspace: &Workspace, table: &[MayTake]) -> Vec<String> {
    let mut errors = Vec::new();
    for krate in &workspace.crates {
        let Some(row) = table.iter().find(|row| row.package == krate.name) else {
            errors.push(format!(
                "error: the crate {} has no row in the table of crates\nhint: say in tests/tests/architecture/rules.rs what it may take, and why",
                krate.name
            ));
            continue;
        };
        let Some(allowed) = row.others else { continue };
        let manifest = krate.folder.join("Cargo.toml");
        let more = krate.takes.iter().filter(|name| !allowed.contains(&name.as_str()));
        errors.extend(more.map(|name| {
            let may = if allowed.is_empty() { "no other crate".to_owned() } else { allowed.join(", ") };
            format!(
                "error: {} takes {name} and may take {may}, because {}\nhint: take {name} out of {}, and move down what both need",
                krate.name,
                row.reason,
                manifest.display()
            )
        }));
    }
    errors
}

/// A folder of one crate that some of its files may not take from. A folder is named relative to the crate's `src`, and the file beside
/// it belongs to it: `commands` is `src/commands.rs` and all that lies in `src/commands/`.
pub(crate) struct Apart {
    pub(crate) package: &'static str,
    pub(crate) files: Files,
    pub(crate) folder: &'static str,
    pub(crate) reason: &'static str,
}

/// Whom a rule binds.
pub(crate) enum Files {
    /// The files of a folder.
    In(&'static str),
    /// All files but those of some folders.
    Outside(&'static [&'static str]),
    /// Within the rule's own folder, each part: it may not take from another part but from these.
    PartsBut(&'static [&'static str]),
}

/// The layers of the agent.
pub(crate) const FOLDERS: &[Apart] = &[
    Apart {
        package: "lastgood",
        files: Files::Outside(&["lib", "commands"]),
        folder: "commands",
        reason: "lib.rs starts the commands, and everything else serves them without knowing any",
    },
    Apart {
        package: "lastgood",
        files: Files::In("cli"),
        folder: "commands",
        reason: "the command line says what may be typed, not what is done with it",
    },
    Apart {
        package: "lastgood",
        files: Files::PartsBut(&["backup", "check", "restore", "drill", "cost"]),
        folder: "commands",
        reason: "a command is read without reading another; restore alone takes the backup that it makes first, a drill restores, an erasure does all three, `status` shows what `check` finds, `verify` notes it, and `report` shows what `cost` counts",
    },
];

/// The imports that a rule forbids, each said once.
pub(crate) fn folders(targets: &[TargetImports], table: &[Apart]) -> Vec<String> {
    let mut errors = Vec::new();
    for target in targets {
        let sources = target.folder.join("src");
        for (file, from) in &target.imports {
            let Ok(inside) = file.strip_prefix(&sources) else { continue };
            for (other, names) in from {
                let Ok(taken) = other.strip_prefix(&sources) else { continue };
                let rules = table.iter().filter(|rule| rule.package == target.package);
                if let Some(rule) = rules.into_iter().find(|rule| rule.forbids(inside, taken)) {
                    let names: Vec<_> = names.iter().map(String::as_str).collect();
                    errors.push(format!(
                        "error: {} takes {} from {}, but {}\nhint: move it out of {}, or hand it in",
                        file.display(),
                        names.join(", "),
                        other.display(),
                        rule.reason,
                        sources.join(rule.folder).display()
                    ));
                }
            }
        }
    }
    errors
}

impl Apart {
    fn forbids(&self, file: &Path, taken: &Path) -> bool {
        if !lies_in(taken, self.folder) {
            return false;
        }
        match self.files {
            Files::In(folder) => lies_in(file, folder),
            Files::Outside(folders) => !folders.iter().any(|folder| lies_in(file, folder)),
            Files::PartsBut(open) => match (part(file, self.folder), part(taken, self.folder)) {
                (Some(own), Some(other)) => own != other && !open.contains(&other.as_str()),
                _ => false,
            },
        }
    }
}

fn lies_in(file: &Path, folder: &str) -> bool {
    file.starts_with(folder) || file.with_extension("") == Path::new(folder)
}

/// The file or folder of `folder` that a file belongs to, without `.rs`.
fn part(file: &Path, folder: &str) -> Option<String> {
    let first = file.strip_prefix(folder).ok()?.components().next()?;
    let name = Path::new(first.as_os_str()).file_stem()?;
    Some(name.to_string_lossy().into_owned())
}
