//! What a shell's completion script asks for: `lastgood complete CURRENT WORD…` prints the names that may stand for the word at the
//! cursor, one a line. The scripts of `lastgood completions` call it; it is no command for people, and so in no help.
//!
//! A person waits with a finger on the key: it has two seconds, asks once, and says nothing of what fails. Only names of backups,
//! databases and places are printed, and of those none that a shell would read as more than a word.

mod wish;

use std::process::ExitCode;
use std::time::Duration;

use catalog::Catalog;
use jiff::Timestamp;
use repository::Repository;

use crate::answers::report::{self, Report};
use crate::completion::wish::{Wish, wish};
use crate::interrupt::Interrupt;
use crate::patience;
use crate::places::{Catalogs, Spot};
use crate::settings::{DatabaseSettings, Settings};

/// What the first argument says.
const WORD: &str = "complete";
/// What the whole answer may take.
const LIMIT: Duration = Duration::from_secs(2);
/// How many backups of a database are offered.
const NEWEST: usize = 50;
/// The longest name that is offered.
const LONGEST: usize = 200;

/// Answers a completion script, where one asks.
pub(crate) fn answered() -> Option<ExitCode> {
    let words = typed();
    let [first, current, typed @ ..] = words.as_slice() else { return None };
    if first != WORD {
        return None;
    }
    let names = wish(typed, current).map(|wish| names(&wish)).unwrap_or_default();
    let fitting = names.into_iter().filter(|name| name.starts_with(current.as_str()) && is_word(name));
    let lines = fitting.collect::<Vec<_>>().join("\n");
    if !lines.is_empty() {
        // stdout gone: nobody completes any more.
        let _ = report::print(&lines);
    }
    Some(ExitCode::SUCCESS)
}

/// The command line. It isn't clap's to read: it has another one in it, which is not whole yet.
#[expect(clippy::disallowed_methods, reason = "what a script hands over is no command line of ours")]
fn typed() -> Vec<String> {
    std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect()
}

/// Whether every shell takes it for one word that means itself.
fn is_word(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.,/%+@~:-".contains(c);
    !name.is_empty() && name.len() <= LONGEST && !name.starts_with(['-', '~']) && name.chars().all(is_plain)
}

/// Whatever fails, or takes too long, leaves nothing to offer.
fn names(wish: &Wish) -> Vec<String> {
    let Ok(settings) = Settings::load(&wish.given, Report { json: false, quiet: true }) else { return Vec::new() };
    if wish.places {
        let spots = Spot::all(&settings).into_iter();
        return spots.map(|spot| spot.label(&settings)).collect();
    }
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() else {
        return Vec::new();
    };
    let names = runtime.block_on(async { tokio::time::timeout(LIMIT, look(wish, settings)).await });
    runtime.shutdown_background();
    names.ok().flatten().unwrap_or_default()
}

async fn look(wish: &Wish, mut settings: Settings) -> Option<Vec<String>> {
    let interrupt = Interrupt::listen().ok()?;
    settings.buckets.iter_mut().for_each(|bucket| patience::set(bucket, &interrupt, true));
    let repository = Spot::asked(wish.place.as_ref(), &settings).ok()?.open(&settings).await.ok()?;
    if wish.databases {
        let catalogs = repository.catalogs().await.ok()?;
        return Some(catalogs.into_iter().map(|catalog| catalog.database).collect());
    }
    let latest = ["latest", "latest~1"].map(str::to_owned).into_iter();
    Some(latest.chain(catalogs(&repository, &settings).await?.iter().flat_map(backups)).collect())
}

/// Those of the chosen databases: of one, without a listing of all.
async fn catalogs(repository: &Repository, settings: &Settings) -> Option<Vec<Catalog>> {
    if let [DatabaseSettings { name: Some(name), .. }] = settings.databases.as_slice() {
        return Some(vec![repository.recent_good(name, Timestamp::now(), NEWEST).await.ok()?]);
    }
    let all = Catalogs::choose(repository.catalogs().await.ok()?, settings);
    Some(all.chosen.into_iter().map(|(_, catalog)| catalog).collect())
}

fn backups(catalog: &Catalog) -> Vec<String> {
    catalog.entries.iter().take(NEWEST).map(catalog::Entry::name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_offered_that_a_shell_would_carry_out() {
        for name in ["shop_backup_initial", "20261122/shop_backup_x", "latest~1", "a%20b_backup_x"] {
            assert!(is_word(name), "{name}");
        }
        for name in ["", "-rf", "~root", "$(id)", "a b", "a;b", "`id`", "a\nb", "a'b", "ü", "*", "a\\"] {
            assert!(!is_word(name), "{name}");
        }
    }
}
