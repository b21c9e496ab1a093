//! What must hold of any settings file, URL and value. `make fuzz` looks for texts of which it doesn't; what it kept is tried by the
//! test of this file. A panic is a finding.

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

use std::path::Path;

use super::env_file;
use super::form::DATABASE_URL;
use super::layers::Layers;
use super::table::ALL;
use super::toml_file;

/// Every line is read or complained of, and what was read is the same when it is written in single quotes.
pub fn env_file(bytes: &[u8]) {
    let outer = |name: &str| (name == "HOME").then(|| "/root".to_owned());
    let (assignments, bad) = env_file::parse(bytes, &outer);
    let lines = 1 + bytes.iter().filter(|&&byte| byte == b'\n').count();
    for line in assignments.iter().map(|one| one.line).chain(bad.iter().map(|one| one.line)) {
        assert!((1..=lines).contains(&line), "line {line} of {lines}");
    }
    for one in assignments.iter().filter(|one| !one.value.contains(['\'', '\r'])) {
        let (again, bad) = env_file::parse(format!("{}='{}'\n", one.name, one.value).as_bytes(), &outer);
        assert!(bad.is_empty(), "{bad:?}");
        let again: Vec<_> = again.into_iter().map(|again| (again.name, again.value)).collect();
        assert_eq!(again, [(one.name.clone(), one.value.clone())]);
    }
}

/// A URL says the same with space or quotes around it, and its parts can be given to a program.
pub fn database_url(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(url) = (DATABASE_URL.parse)(text) else { return };
    assert!(url.variables.values().all(|value| !value.expose().contains('\0')), "a part has a zero byte");
    assert_eq!((DATABASE_URL.parse)(&format!(" {} ", text.trim())).ok(), Some(url));
}

/// Whatever a TOML file says, each of its values is one of its setting or a mistake.
pub fn toml_file(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let file = toml_file::parse(text, Path::new("settings.toml"));
    let layers = Layers::new(vec![file.general]);
    let _ = layers.mistakes();
    file.entries.iter().for_each(|entry| _ = layers.with_entry(&entry.layer).mistakes());
}

/// Any text is a value of each setting, or isn't: addresses of stores and keys of backups too.
pub fn values(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    ALL.iter().for_each(|definition| _ = (definition.check)(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its name, and what must hold of any bytes.
    type Target = (&'static str, fn(&[u8]));

    #[test]
    fn what_fuzzing_kept_holds() {
        let targets: [Target; 4] =
            [("env_file", env_file), ("database_url", database_url), ("toml_file", toml_file), ("values", values)];
        targets.into_iter().for_each(|(name, holds)| super::replay::replay(name, holds));
    }
}
