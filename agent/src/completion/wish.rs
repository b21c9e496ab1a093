//! What may stand at the cursor, by the words before it.

use clap::{Arg, Command, CommandFactory as _};

use crate::cli::{Cli, Which, which};
use crate::settings::Given;

/// What is asked for.
pub(super) struct Wish {
    /// Places; otherwise databases, or backups.
    pub(super) places: bool,
    pub(super) databases: bool,
    /// The place that the line names.
    pub(super) place: Option<Which>,
    /// What the line says of settings.
    pub(super) given: Given,
}

/// The options that name a place.
const PLACES: [&str; 3] = ["repository", "from", "to"];

/// What may stand behind the words `typed`, the program's name first; none where no name of ours may. `current` is what is typed of it
/// already.
pub(super) fn wish(typed: &[String], current: &str) -> Option<Wish> {
    let whole = Cli::command();
    let (command, words) = command(&whole, typed)?;
    let mut wish = Wish { places: false, databases: false, place: None, given: Given::here() };
    let mut operands = 0;
    let mut words = words.iter().peekable();
    let mut open = None;
    while let Some(word) = words.next() {
        let Some(option) = option(&whole, command, word) else {
            operands += usize::from(!word.starts_with('-'));
            continue;
        };
        if !option.get_action().takes_values() || word.contains('=') {
            continue;
        }
        match words.next() {
            Some(value) => note(&mut wish, option, value),
            None => open = Some(option),
        }
    }
    let value = match open {
        Some(option) => option,
        None if current.starts_with('-') => return None,
        None => operand(command?, operands)?,
    };
    match kind(value)? {
        Kind::Place => wish.places = true,
        Kind::Database => wish.databases = true,
        Kind::Backup => {}
    }
    Some(wish)
}

enum Kind {
    Place,
    Database,
    Backup,
}

/// Which names stand for a value.
fn kind(value: &Arg) -> Option<Kind> {
    let id = value.get_id().as_str();
    let name = value.get_value_names().and_then(|names| names.first()).map(|name| name.as_str()).unwrap_or_default();
    match name {
        _ if PLACES.contains(&value.get_long().unwrap_or_default()) => Some(Kind::Place),
        _ if id == "database" || name == "DATABASE" && value.is_positional() => Some(Kind::Database),
        _ if value.is_positional() && name.starts_with("ID") => Some(Kind::Backup),
        _ => None,
    }
}

/// The command of the line, and the words but for its own and the program's.
fn command<'a>(whole: &'a Command, typed: &[String]) -> Option<(Option<&'a Command>, Vec<String>)> {
    let mut rest = typed.get(1..)?.to_vec();
    let mut at = 0;
    while let Some(word) = rest.get(at) {
        if let Some(option) = option(whole, None, word) {
            at += if option.get_action().takes_values() && !word.contains('=') { 2 } else { 1 };
        } else if let Some(command) = whole.find_subcommand(word) {
            rest.remove(at);
            return Some((Some(command), rest));
        } else {
            return None;
        }
    }
    Some((None, rest))
}

/// The option that a word is.
fn option<'a>(whole: &'a Command, command: Option<&'a Command>, word: &str) -> Option<&'a Arg> {
    let long = word.strip_prefix("--")?;
    let long = long.split_once('=').map_or(long, |(name, _)| name);
    let own = command.into_iter().flat_map(Command::get_arguments);
    own.chain(whole.get_arguments()).find(|arg| !arg.is_positional() && arg.get_long() == Some(long))
}

/// The operand of this number; the last one where it may be repeated.
fn operand(command: &Command, number: usize) -> Option<&Arg> {
    let operands: Vec<&Arg> = command.get_positionals().collect();
    let repeats = |arg: &&&Arg| matches!(arg.get_action(), clap::ArgAction::Append);
    operands.get(number).or_else(|| operands.last().filter(repeats)).copied()
}

/// What an option says of where to look.
fn note(wish: &mut Wish, option: &Arg, value: &str) {
    match option.get_long().unwrap_or_default() {
        "repository" | "from" => wish.place = which(value).ok(),
        "env-file" => wish.given.env_file = Some(value.into()),
        "config" => wish.given.config = Some(value.into()),
        "database" => wish.given.databases.push(value.to_owned()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(line: &str, current: &str) -> &'static str {
        let typed: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match wish(&typed, current) {
            None => "-",
            Some(Wish { places: true, .. }) => "places",
            Some(Wish { databases: true, .. }) => "databases",
            Some(_) => "backups",
        }
    }

    #[test]
    fn what_may_stand_at_the_cursor_is_known_by_the_words_before_it() {
        for (line, current, expected) in [
            ("lastgood", "", "-"),
            ("lastgood show", "", "backups"),
            ("lastgood show", "shop_", "backups"),
            ("lastgood show", "--", "-"),
            ("lastgood show latest", "", "-"),
            ("lastgood --env-file prod.env show", "", "backups"),
            ("lastgood --env-file", "", "-"),
            ("lastgood show --repository", "", "places"),
            ("lastgood show --repository 2", "", "backups"),
            ("lastgood copy latest --to", "", "places"),
            ("lastgood copy --missing --from 1 --to", "", "places"),
            ("lastgood restore", "l", "backups"),
            ("lastgood restore latest --into", "", "-"),
            ("lastgood verify --database", "", "databases"),
            ("lastgood verify", "", "backups"),
            ("lastgood diff latest~1", "", "backups"),
            ("lastgood retire", "", "databases"),
            ("lastgood expect", "", "databases"),
            ("lastgood policy shop", "", "databases"),
            ("lastgood rows", "", "backups"),
            ("lastgood drill", "", "backups"),
            ("lastgood erase --where id=1", "", "backups"),
            ("lastgood completions", "", "-"),
            ("lastgood nonsense", "", "-"),
        ] {
            assert_eq!(kind_of(line, current), expected, "{line} {current}");
        }
    }

    #[test]
    fn the_line_says_where_to_look() {
        let typed = ["lastgood", "--env-file", "a.env", "show", "--repository", "2", "--database", "shop"];
        let wish = wish(&typed.map(str::to_owned), "").unwrap();
        assert_eq!(wish.place, Some(Which::Number(2)));
        assert_eq!((wish.given.env_file, wish.given.databases), (Some("a.env".into()), vec!["shop".to_owned()]));
    }
}
