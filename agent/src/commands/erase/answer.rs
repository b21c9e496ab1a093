//! The certificate: in words or JSON as the answer, in the repository, and in a file where one is named. The salt is told to whoever
//! asked, and stored nowhere.

use std::fmt;

use catalog::erasure::{Certificate, Certified, Outcome};
use catalog::words;
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::commands::erase::outcome::One;
use crate::commands::erase::running::Running;
use crate::commands::erase::trial::Counted;
use crate::logging;

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
/// When the answer can't be given.
pub(super) async fn give(one: One<'_>, running: Running<'_>, certificate: &Certificate) -> Result<Exit, Failure> {
    let (stored, refused) = running.end(certificate).await?;
    let answer = Answer { certificate, salt: &one.request.salt, stored };
    logging::done(&Words(certificate));
    let report = one.settings.report;
    if let Some(failure) = &refused {
        report.say(&failure.clone().hint("it is the answer of this run as well, and stands in the repository"));
    }
    report.answer(&answer, &answer)?;
    Ok(if certificate.is_complete() && refused.is_none() { Exit::Done } else { Exit::Failed })
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
        let Certificate { database, repository, began, finished, asked, backups, remains, earlier, .. } = self.0;
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
        match finished {
            Some(finished) => writeln!(f, "time           {} to {}", words::second(*began), words::second(*finished))?,
            None => writeln!(f, "time           {}, and the run broke off", words::second(*began))?,
        }
        backups.iter().try_for_each(|one| backup(f, one))?;
        for remaining in remains {
            let until =
                remaining.until.map_or_else(String::new, |until| format!(", at the latest {}", words::second(until)));
            writeln!(f, "remains        {}{until}", remaining.what)?;
        }
        earlier.iter().try_for_each(|name| {
            writeln!(f, "earlier        {name}: an erasure that broke off; what it did stands there")
        })
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
