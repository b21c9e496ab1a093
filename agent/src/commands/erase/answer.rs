//! The certificate: in words or JSON as the answer, in the repository, and in a file where one is named. The salt is told to whoever
//! asked, and stored nowhere.

use std::fmt;

use catalog::erasure::{Certificate, Certified, Outcome};
use catalog::words;
use repository::PutOutcome;
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::cli::EraseArgs;
use crate::commands::erase::certified::Book;
use crate::commands::erase::trial::Counted;
use crate::logging;
use crate::settings::Settings;

/// `lastgood erase --json`.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    certificate: &'a Certificate,
    salt: &'a str,
    /// Where it is stored; null where it could not be.
    stored: Option<String>,
}

/// Stores it, answers, and decides the exit status.
///
/// # Errors
/// Exit 5 when no backup has such a table.
pub(super) async fn give(
    args: &EraseArgs,
    settings: &Settings,
    book: Book<'_>,
    certificate: &Certificate,
) -> Result<Exit, Failure> {
    if book.missed_table && !book.seen_table && certificate.backups.iter().all(|one| one.outcome == Outcome::Clean) {
        let table = certificate.asked.table.as_deref().unwrap_or_default();
        return Err(Failure::new(Exit::NotFound, format!("none of these backups has a table {table}"))
            .hint("see the tables of one: lastgood show ID"));
    }
    let json = certificate.to_json().map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
    if let Some(path) = &args.certificate
        && let Err(error) = std::fs::write(path, &json)
    {
        let failure =
            Failure::new(Exit::Failed, format!("cannot write the certificate into {}: {error}", path.display()));
        settings.report.say(&failure.hint("it is the answer of this run as well, and stands in the repository"));
    }
    let stored = store(&book, certificate, json).await;
    let answer = Answer { certificate, salt: &book.request.salt, stored };
    logging::done(&Words(certificate));
    let exit = if certificate.is_complete() { Exit::Done } else { Exit::Failed };
    settings.report.answer(&answer, &answer)?;
    Ok(exit)
}

async fn store(book: &Book<'_>, certificate: &Certificate, json: Vec<u8>) -> Option<String> {
    let repository = &book.ground.repository;
    let key = repository.layout().erasure(certificate.began);
    let name = repository.object_name(&key);
    let why = match repository.put_new(&key, json).await {
        Ok(PutOutcome::Stored(_)) => return Some(name),
        Ok(PutOutcome::Exists) => "another one is there".to_owned(),
        Err(error) => error.to_string(),
    };
    tracing::warn!("the certificate is not stored as {name}: {why}; keep this answer");
    None
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Words(self.certificate))?;
        if let Some(stored) = &self.stored {
            writeln!(f, "certificate    {stored}")?;
        }
        writeln!(f, "salt           {} (keep it: it proves what was asked, and --salt goes on)", self.salt)
    }
}

struct Words<'a>(&'a Certificate);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Certificate { database, repository, began, finished, asked, backups, remains, .. } = self.0;
        let of = |outcome| backups.iter().filter(|one| one.outcome == outcome).count() as u64;
        let (erased, clean, left) = (of(Outcome::Erased), of(Outcome::Clean), of(Outcome::Left));
        let state = if self.0.is_complete() { "ERASED" } else { "PARTLY ERASED" };
        let number = words::count(erased, "backup");
        writeln!(
            f,
            "{state}  {database} in {repository}: {number} erased from, {clean} without such rows, {left} left"
        )?;
        let what = asked
            .table
            .as_ref()
            .map_or_else(|| "SQL".to_owned(), |table| format!("rows of {table} by {}", asked.columns.join(", ")));
        writeln!(f, "asked          {what}; salted hash {}", asked.request)?;
        writeln!(f, "time           {} to {}", words::second(*began), words::second(*finished))?;
        backups.iter().try_for_each(|one| backup(f, one))?;
        for remaining in remains {
            let until =
                remaining.until.map_or_else(String::new, |until| format!(", at the latest {}", words::second(until)));
            writeln!(f, "remains        {}{until}", remaining.what)?;
        }
        Ok(())
    }
}

fn backup(f: &mut fmt::Formatter<'_>, one: &Certified) -> fmt::Result {
    write!(f, "{:<14} {}", one.outcome.to_string(), one.backup)?;
    if let Some(by) = &one.replaced_by {
        write!(f, " → {by}")?;
    }
    if let Some(reason) = &one.reason {
        write!(f, ": {reason}")?;
    }
    writeln!(f)?;
    for table in &one.tables {
        let (before, after) = (short(&table.sha256_before.to_string()), short(&table.sha256_after.to_string()));
        writeln!(f, "               {} (digest {before}… → {after}…)", Counted::from(table).in_words())?;
    }
    Ok(())
}

fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}
