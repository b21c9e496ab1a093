//! Settings as people have them: files and URLs after the conventions of frameworks, images and platforms.
//!
//! `dialects/FRAMEWORK/NAME.env` is a settings file; `dialects/urls/NAME.txt` has a connection URL a line. What is understood,
//! warned about and refused is the golden of their folder: `INSTA_UPDATE=always` writes it, and then it is to be read.
//! In a file a comment may say more: `#environment: NAME=value` is set outside of the file, `#file: NAME text` is a file in the
//! folder `@FOLDER@`, `#database: NAME` is `--database`. Every password is `hush` with something around it, or has `n0ne` behind
//! its middle.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use postgres::{Connection, libpq};

use super::*;

/// What every password begins with, and what the later part of one has that is cut in two.
const PLANTED: [&str; 2] = ["hush", "n0ne"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/settings/dialects")
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|row| row.unwrap().path()).collect();
    paths.sort();
    paths
}

/// A case's surroundings, as its comments say them.
fn given(text: &[u8], folder: &Path) -> Given {
    let mut given = Given::default();
    for line in text.split(|byte| *byte == b'\n') {
        let Some(said) = line.strip_prefix(b"#") else { continue };
        if let Some(pair) = said.strip_prefix(b"environment: ") {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap();
            let name = String::from_utf8(pair[..at].to_vec()).unwrap();
            let value = replaced(&pair[at + 1..], folder);
            given.environment.insert(name, OsString::from_vec(value));
        } else if let Some(file) = said.strip_prefix(b"file: ") {
            let at = file.iter().position(|byte| *byte == b' ').unwrap_or(file.len());
            let name = std::ffi::OsStr::from_bytes(&file[..at]);
            let text = file.get(at + 1..).unwrap_or_default();
            std::fs::write(folder.join(name), [text, b"\n"].concat()).unwrap();
        } else if let Some(name) = said.strip_prefix(b"database: ") {
            given.databases.push(String::from_utf8(name.to_vec()).unwrap());
        }
    }
    given
}

fn replaced(text: &[u8], folder: &Path) -> Vec<u8> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = memory(rest, b"@FOLDER@") {
        parts.extend_from_slice(&rest[..at]);
        parts.extend_from_slice(folder.as_os_str().as_bytes());
        rest = &rest[at + b"@FOLDER@".len()..];
    }
    parts.extend_from_slice(rest);
    parts
}

fn memory(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// What comes of a settings file.
fn outcome(text: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut given = given(text, folder.path());
    let file = folder.path().join(".env");
    std::fs::write(&file, replaced(text, folder.path())).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    given.config = Some("/dev/null".into());
    given.env_file = Some(file);
    let place = format!("{}/", folder.path().display());
    let (settings, mistakes) = Settings::judge(&given, read(&given), Report::default());
    let mut said = String::new();
    if mistakes.is_empty() {
        let settings = settings.unwrap();
        settings.databases.iter().for_each(|database| said.push_str(&shown(&database.connection)));
        settings.warnings.iter().for_each(|line| writeln!(said, "warning: {line}").unwrap());
        settings.remarks.iter().for_each(|line| writeln!(said, "-v: {line}").unwrap());
    } else {
        said.push_str("exit 2\n");
        mistakes.iter().for_each(|line| writeln!(said, "{line}").unwrap());
    }
    said.replace(&place, "")
}

/// The address in words, and what else libpq is told.
fn shown(connection: &Connection) -> String {
    let password = connection.get("PGPASSWORD").map_or("", |password| match password.starts_with(PLANTED[0]) {
        true => ", with its password",
        false => ", with a password that isn't its own",
    });
    let mut text = format!("{}{password}\n", connection.place());
    let said = ["PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGAPPNAME"];
    for (_, variable) in libpq::PARAMETERS.iter().filter(|(_, variable)| !said.contains(variable)) {
        if let Some(value) = connection.get(variable) {
            writeln!(text, "{variable}={value}").unwrap();
        }
    }
    text
}

#[track_caller]
fn assert_silent(case: &str, text: &[u8], said: &str) {
    assert!(PLANTED.iter().any(|planted| memory(text, planted.as_bytes()).is_some()), "{case}: no password is planted");
    for planted in PLANTED {
        assert!(!said.contains(planted), "{case}: a password shows:\n{said}");
    }
}

#[test]
fn settings_files_of_every_framework_are_understood_named_or_refused() {
    let mut cases = 0;
    for framework in sorted(&folder()).into_iter().filter(|path| path.is_dir() && !path.ends_with("urls")) {
        let mut golden = String::new();
        for file in sorted(&framework) {
            let text = std::fs::read(&file).unwrap();
            let name = file.file_stem().unwrap().to_str().unwrap();
            let said = outcome(&text);
            assert_silent(&file.display().to_string(), &text, &said);
            writeln!(golden, "== {name}\n{said}").unwrap();
            cases += 1;
        }
        let name = framework.file_name().unwrap().to_str().unwrap();
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, golden.trim_end());
        });
    }
    assert!(cases >= 100, "{cases}");
}

#[test]
fn urls_of_every_client_are_understood_or_refused() {
    let mut cases = 0;
    for file in sorted(&folder().join("urls")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut golden = String::new();
        for url in text.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
            let line = format!("#environment: DATABASE_URL={url}\n");
            let said = outcome(line.as_bytes());
            assert_silent(url, url.as_bytes(), &said);
            let url = PLANTED.iter().fold(url.to_owned(), |url, planted| url.replace(planted, "…"));
            writeln!(golden, "== {url}\n{said}").unwrap();
            cases += 1;
        }
        let name = format!("url-{}", file.file_stem().unwrap().to_str().unwrap());
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, golden.trim_end());
        });
    }
    assert!(cases >= 100, "{cases}");
}
