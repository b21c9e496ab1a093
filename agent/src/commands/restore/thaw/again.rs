//! The command line that goes on with a restore: the same one, of just this backup.

use catalog::words::shell_word;

/// Command lines to type.
#[derive(Clone, Debug)]
pub(super) struct Again {
    /// Later, when the archive is back.
    pub(super) later: String,
    /// To ask for the archive.
    pub(super) anew: String,
}

impl Again {
    /// After the command line of this process. Secrets are never part of one.
    #[expect(clippy::disallowed_methods, reason = "the line is not read here, but repeated as it was typed")]
    pub(super) fn typed(name: &str, place: &str) -> Self {
        let arguments = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
        Self::of(arguments, name, place)
    }

    /// After the command line with these arguments, which meant the archive at this place: by then `latest` may be another.
    fn of(arguments: impl IntoIterator<Item = String>, name: &str, place: &str) -> Self {
        let mut words: Vec<String> = arguments.into_iter().collect();
        let latest = |at: &usize| words.get(*at).is_some_and(|word| catalog::going_back(word).0 == "latest");
        let all: Vec<usize> = (0..words.len()).filter(latest).collect();
        let is_value =
            |at: &usize| at.checked_sub(1).and_then(|before| words.get(before)).is_some_and(|w| w.starts_with('-'));
        // `--into latest` names a database.
        let meant = all.iter().find(|at| !is_value(at)).or(all.last()).copied();
        if let Some(word) = meant.and_then(|at| words.get_mut(at)) {
            name.clone_into(word);
        }
        let is_drill = words.first().is_some_and(|word| word == "drill");
        if is_drill && meant.is_none() && !names_one(&words) {
            words.insert(1, name.to_owned());
        }
        let words = words.into_iter().filter(|word| !matches!(word.as_str(), "--resume" | "--wait" | "--dry-run"));
        let words = words.flat_map(|word| match word.as_str() {
            "--from-s3-latest" => vec!["--from-s3".to_owned(), place.to_owned()],
            _ => vec![word],
        });
        let words: Vec<String> = words.map(|word| shell_word(&word)).collect();
        let anew = format!("lastgood {}", words.join(" "));
        Self { later: format!("{anew} --resume"), anew }
    }
}

/// A drill's command line names a backup: something stands in it that is neither an option nor the value of one.
fn names_one(words: &[String]) -> bool {
    let takes_value = |option: &str| !option.contains('=') && !DRILLS_FLAGS.contains(&option);
    words.iter().enumerate().skip(1).any(|(at, word)| {
        let before = words.get(at - 1).filter(|before| at > 1 && before.starts_with('-'));
        !word.starts_with('-') && !before.is_some_and(|before| takes_value(before))
    })
}

/// Options of a drill without a value.
const DRILLS_FLAGS: [&str; 12] = [
    "--temporary-server",
    "--search-path-fix",
    "--dry-run",
    "--confirm",
    "--wait",
    "--resume",
    "--json",
    "--quiet",
    "-q",
    "--verbose",
    "-v",
    "-vv",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn later(line: &str) -> String {
        let words = shlex::split(line).unwrap();
        Again::of(words, "app_backup_20260120_030000", "s3://b/k y").later
    }

    #[test]
    fn the_same_backup_is_named_again() {
        let table = [
            ("restore latest --wait", "lastgood restore app_backup_20260120_030000 --resume"),
            (
                "restore --into latest latest --confirm",
                "lastgood restore --into latest app_backup_20260120_030000 --confirm --resume",
            ),
            ("restore --confirm latest", "lastgood restore --confirm app_backup_20260120_030000 --resume"),
            ("restore --from-s3-latest --dry-run", "lastgood restore --from-s3 's3://b/k y' --resume"),
            ("restore --from-s3 s3://b/x --into 'a b'", "lastgood restore --from-s3 s3://b/x --into 'a b' --resume"),
            ("restore x --resume", "lastgood restore x --resume"),
            ("drill", "lastgood drill app_backup_20260120_030000 --resume"),
            (
                "drill --temporary-server --jobs 2",
                "lastgood drill app_backup_20260120_030000 --temporary-server --jobs 2 --resume",
            ),
            ("drill --wait latest --json", "lastgood drill app_backup_20260120_030000 --json --resume"),
            ("drill --database shop x", "lastgood drill --database shop x --resume"),
            ("drill --json x", "lastgood drill --json x --resume"),
        ];
        for (line, expected) in table {
            assert_eq!(later(line), expected);
        }
    }
}
