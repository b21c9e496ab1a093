//! What is taken over from other programs' files, and values before they are written down.

use std::io;
use std::path::Path;

use super::{env_file, names, table};

/// What an env file sets under names that are read, in its order, with what it refers to replaced. Of a name that stands there twice
/// the later value counts; lines that can't be read are left out.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn of_env_file(path: &Path) -> io::Result<Vec<(String, String)>> {
    let (assignments, _) = env_file::parse(&std::fs::read(path)?, &|_| None);
    let mut taken: Vec<(String, String)> = Vec::new();
    for assignment in assignments.into_iter().filter(|one| names::is_read(&one.name) && !one.value.is_empty()) {
        taken.retain(|(name, _)| *name != assignment.name);
        taken.push((assignment.name, assignment.value));
    }
    Ok(taken)
}

/// What is wrong with a value of this setting, if anything is. It never repeats the value.
pub(crate) fn complaint(name: &str, value: &str) -> Option<String> {
    let definition = table::ALL.iter().find(|definition| definition.name == name)?;
    (definition.check)(value).err()
}
