//! Commands that a hint or an answer names: whoever follows them needs the same settings, so they get the flags that named those.

use std::borrow::Cow;
use std::path::Path;
use std::sync::OnceLock;

use catalog::words::shell_word;

static FLAGS: OnceLock<Flags> = OnceLock::new();

struct Flags {
    /// As they follow `lastgood`.
    text: String,
    /// The commands that they may stand before.
    commands: Vec<String>,
}

/// Remembers the files that flags have named, and which words are commands.
pub(crate) fn name_files(env_file: Option<&Path>, config: Option<&Path>, commands: &clap::Command) {
    let flag =
        |(name, path): (&str, Option<&Path>)| Some(format!(" {name} {}", shell_word(&path?.display().to_string())));
    let text: String = [("--env-file", env_file), ("--config", config)].into_iter().filter_map(flag).collect();
    if !text.is_empty() {
        let commands = commands.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        let _ = FLAGS.set(Flags { text, commands });
    }
}

/// A text for people, whose commands can be run as they stand.
pub(crate) fn runnable(text: &str) -> Cow<'_, str> {
    FLAGS.get().map_or(Cow::Borrowed(text), |flags| Cow::Owned(with(text, flags)))
}

/// `lastgood COMMAND` everywhere in a text, with flags between the two.
fn with(text: &str, flags: &Flags) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("lastgood ") {
        let (before, after) = rest.split_at(at + "lastgood".len());
        told.push_str(before);
        let word = after.trim_start().split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
        let begins = !before.trim_end_matches("lastgood").ends_with(|c: char| c.is_alphanumeric() || "-_.".contains(c));
        if begins && flags.commands.iter().any(|command| command == word) {
            told.push_str(&flags.text);
        }
        rest = after;
    }
    told + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_get_the_flags_and_other_words_do_not() {
        let commands = ["backup", "restore", "check", "list"].map(str::to_owned).to_vec();
        let flags = Flags { text: " --env-file '/srv/a b/.env'".to_owned(), commands };
        for (text, told) in [
            ("to go back: lastgood restore --undo", "to go back: lastgood --env-file '/srv/a b/.env' restore --undo"),
            (
                "sudo lastgood check; lastgood list",
                "sudo lastgood --env-file '/srv/a b/.env' check; lastgood --env-file '/srv/a b/.env' list",
            ),
            ("lastgood is fine", "lastgood is fine"),
            ("systemctl start lastgood", "systemctl start lastgood"),
            ("my-lastgood backup", "my-lastgood backup"),
            ("lastgood --env-file x backup", "lastgood --env-file x backup"),
            ("", ""),
        ] {
            assert_eq!(with(text, &flags), told);
        }
    }
}
