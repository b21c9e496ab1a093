//! libpq's password file. <https://www.postgresql.org/docs/current/libpq-pgpass.html>

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::Secret;

/// Where a server's socket lies by default; a password file calls that `localhost`.
const DEFAULT_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];
/// What others may do with a file.
const OTHERS: u32 = 0o077;

/// Whose password is looked for: host, port, database and role.
pub(super) type Wanted<'a> = [&'a str; 4];

/// The password that libpq would find in the file of this name, or in the user's own.
pub(super) fn password(named: Option<&str>, wanted: Wanted<'_>) -> Option<Secret> {
    let path = named.map(PathBuf::from).or_else(own)?;
    let file = std::fs::metadata(&path).ok()?;
    // libpq warns of it, and doesn't read it.
    if !file.is_file() || file.mode() & OTHERS != 0 {
        return None;
    }
    find(&std::fs::read_to_string(path).ok()?, wanted)
}

#[expect(clippy::disallowed_methods, reason = "libpq finds its own file by itself, and so do we")]
fn own() -> Option<PathBuf> {
    std::env::home_dir().map(|home| home.join(".pgpass"))
}

/// What a password file calls a server's host, or its socket's folder.
pub(super) fn host(told: &str) -> &str {
    if DEFAULT_FOLDERS.iter().any(|folder| Path::new(folder) == Path::new(told)) { "localhost" } else { told }
}

/// The first line whose four fields fit.
fn find(text: &str, wanted: Wanted<'_>) -> Option<Secret> {
    text.lines().find_map(|line| {
        let mut rest = line.strip_prefix('#').map_or(Some(line), |_| None)?;
        for wanted in wanted {
            let (field, after) = field(rest)?;
            rest = after;
            if rest_is_other(&field, wanted) {
                return None;
            }
        }
        Some(Secret::new(unescaped(rest).0))
    })
}

fn rest_is_other((is_any, field): &(bool, String), wanted: &str) -> bool {
    !is_any && field != wanted
}

/// The first field, whether it stands for anything, and what follows it.
fn field(line: &str) -> Option<((bool, String), &str)> {
    let (field, length) = unescaped(line);
    let after = line.get(length..)?.strip_prefix(':')?;
    Some(((line.starts_with("*:"), field), after))
}

/// What stands before the next colon, and how many bytes that takes. A backslash takes what follows it as it is.
fn unescaped(line: &str) -> (String, usize) {
    let (mut field, mut letters) = (String::new(), line.char_indices());
    while let Some((at, letter)) = letters.next() {
        match letter {
            ':' => return (field, at),
            '\\' => field.extend(letters.next().map(|(_, escaped)| escaped)),
            letter => field.push(letter),
        }
    }
    (field, line.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<String> {
        find(text, ["db1", "5432", "shop", "ann"]).map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn the_first_line_that_fits_counts() {
        assert_eq!(found("db1:5432:other:ann:no\ndb1:5432:shop:ann:yes\n*:*:*:*:late\n").as_deref(), Some("yes"));
        assert_eq!(found("*:*:*:ann:any").as_deref(), Some("any"));
        assert_eq!(found("# db1:5432:shop:ann:no\n"), None);
        assert_eq!(found("db1:5432:shop:ann\nshort\n\n"), None);
        assert_eq!(found("\\*:*:*:*:no"), None);
    }

    #[test]
    fn a_backslash_takes_what_follows() {
        assert_eq!(found("db1:5432:sh\\op:ann:a\\:b\\\\c:ignored").as_deref(), Some("a:b\\c"));
        assert_eq!(found("d\\:b1:5432:shop:ann:no"), None);
    }

    #[test]
    fn the_usual_socket_is_called_localhost() {
        assert_eq!((host("/var/run/postgresql"), host("/srv/pg"), host("db1")), ("localhost", "/srv/pg", "db1"));
    }

    #[test]
    fn a_file_that_others_may_read_isnt_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "*:*:*:*:hush").unwrap();
        let read = |mode| {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            password(file.path().to_str(), ["h", "1", "d", "u"]).is_some()
        };
        assert_eq!([0o600, 0o640, 0o604].map(read), [true, false, false]);
    }
}
