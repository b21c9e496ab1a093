//! Circles: files that import each other, directly or through others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use crate::crates::TargetImports;
use crate::imports::Imports;

/// Every circle of a target, as the error that a developer reads.
pub(crate) fn told(target: &TargetImports) -> Vec<String> {
    circles(&target.imports).iter().map(|files| tell(&target.package, files, &target.imports)).collect()
}

/// The groups of files in which each leads to each other.
fn circles(imports: &Imports) -> Vec<BTreeSet<&Path>> {
    let reached: BTreeMap<&Path, BTreeSet<&Path>> =
        imports.keys().map(|file| (file.as_path(), reach(imports, file))).collect();
    let leads = |from: &Path, to: &Path| reached.get(from).is_some_and(|files| files.contains(to));
    let mut found: Vec<BTreeSet<&Path>> = Vec::new();
    for (&file, files) in reached.iter().filter(|(file, files)| files.contains(*file)) {
        if !found.iter().any(|circle| circle.contains(file)) {
            found.push(files.iter().copied().filter(|other| leads(other, file)).collect());
        }
    }
    found
}

/// Every file that one leads to: itself only by a circle.
fn reach<'a>(imports: &'a Imports, from: &Path) -> BTreeSet<&'a Path> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Path> = taken_from(imports, from).collect();
    while let Some(file) = next.pop() {
        if reached.insert(file) {
            next.extend(taken_from(imports, file));
        }
    }
    reached
}

fn taken_from<'a>(imports: &'a Imports, file: &Path) -> impl Iterator<Item = &'a Path> {
    imports.get(file).into_iter().flat_map(|files| files.keys().map(|file| file.as_path()))
}

fn tell(package: &str, files: &BTreeSet<&Path>, imports: &Imports) -> String {
    let ways = files.iter().filter_map(|file| way_back(imports, file));
    let shortest = ways.min_by_key(Vec::len).unwrap_or_default();
    let mut lines = vec![format!("error: {package}: {} files import each other in a circle", files.len())];
    if shortest.len() < files.len() {
        let all: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
        lines.push(format!("  they are {}", all.join(", ")));
        lines.push("  the shortest way round:".to_owned());
    }
    for (position, file) in shortest.iter().enumerate() {
        let from = shortest[(position + 1) % shortest.len()];
        let names: Vec<_> = imports[*file][from].iter().map(String::as_str).collect();
        lines.push(format!("  {} takes {} from {}", file.display(), names.join(", "), from.display()));
    }
    lines.push("hint: move what both sides need into a file below both, or let the caller hand it in".to_owned());
    lines.join("\n")
}

/// The shortest way from a file to itself: the file, and each further one on the way.
fn way_back<'a>(imports: &'a Imports, start: &'a Path) -> Option<Vec<&'a Path>> {
    let mut came_from: BTreeMap<&Path, &Path> = BTreeMap::new();
    let mut next = VecDeque::from([start]);
    while let Some(file) = next.pop_front() {
        for to in taken_from(imports, file) {
            if to == start {
                let mut way = vec![file];
                while let Some(before) = came_from.get(way[way.len() - 1]) {
                    way.push(before);
                }
                way.reverse();
                return Some(way);
            }
            if !came_from.contains_key(to) {
                came_from.insert(to, file);
                next.push_back(to);
            }
        }
    }
    None
}
