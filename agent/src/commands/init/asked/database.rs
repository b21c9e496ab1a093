//! Which database, and the password that belongs to it.

use std::io::Read as _;

use postgres::Secret;

use super::{Asker, Source, say};
use crate::answers::failure::{Exit, Failure};
use crate::answers::prompt;
use crate::commands::init::offer::{Offer, shown};
use crate::settings::DATABASE_URL;

/// A URL with a password that was typed into a command line.
const OPEN: &str = "--database: every user of this machine can read a password that is typed into a command line";

impl Asker<'_> {
    /// The database.
    ///
    /// # Errors
    /// Exit 2 for what is none, exit 5 for a name that no server here has.
    pub(super) fn database(&self) -> Result<Source, Failure> {
        match self.given.databases.as_slice() {
            _ if self.given.all_databases => Err(one_alone()),
            [] => self.proposed_database(),
            [one] => {
                let source = self.named(one, "--database")?;
                if source.lines.iter().any(|(_, value)| has_password(value)) {
                    return Err(Failure::new(Exit::Usage, OPEN).hint(
                        "leave it out of the URL: set PGPASSWORD, or use --password-file FILE (- reads stdin); a terminal is asked",
                    ));
                }
                self.with_password(source)
            }
            _ => Err(one_alone()),
        }
    }

    /// One of those that were found, or another one.
    fn proposed_database(&self) -> Result<Source, Failure> {
        let offers = self.offers();
        if !self.may_ask() {
            // Of several on this machine's servers none is meant more than the others.
            let is_clear = !self.found.databases.is_empty() || offers.len() == 1;
            let first = offers.into_iter().next().filter(|_| is_clear);
            return first.ok_or_else(|| self.nobody("the database")).map(|(source, _)| source);
        }
        say(if offers.is_empty() { "No database was found here." } else { "The database. Found here:" });
        for (at, (source, shown)) in offers.iter().enumerate() {
            say(&format!("  {}  {shown} ({})", at + 1, source.from));
        }
        loop {
            let question = "Number, name on this machine, or postgresql://role@host/name";
            let answer = prompt::line(question, if offers.is_empty() { "" } else { "1" }, self.interrupt)?;
            let number = answer.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            if let Some((source, _)) = number.and_then(|at| offers.get(at)) {
                return self.with_password(source.clone());
            }
            if let Some(number) = number.filter(|_| !offers.is_empty()) {
                say(&format!("There is no number {}.", number + 1));
                continue;
            }
            match self.named(&answer, "typed") {
                _ if answer.is_empty() => say("One database is needed."),
                Ok(source) => return self.with_password(source),
                Err(failure) => say(&failure.to_string()),
            }
        }
    }

    /// Everything that was found, in words.
    fn offers(&self) -> Vec<(Source, String)> {
        let named = self.found.databases.iter().map(|Offer { shown, from, lines }| {
            (Source { lines: lines.clone(), from: from.clone(), cluster: None }, shown.clone())
        });
        let local = self.found.clusters.iter().flat_map(|cluster| {
            cluster.databases.iter().map(|database| {
                let (lines, from) = (cluster.lines(&database.name), cluster.shown());
                (Source { lines, from, cluster: Some(cluster.clone()) }, database.shown())
            })
        });
        named.chain(local).collect()
    }

    /// The database of this name on this machine's server, or of this URL.
    fn named(&self, text: &str, from: &str) -> Result<Source, Failure> {
        if text.contains("://") {
            let wrong = |complaint| Failure::new(Exit::Usage, format!("this is no database's URL: {complaint}"));
            let url = (DATABASE_URL.parse)(text).map_err(|complaint| {
                wrong(complaint)
                    .hint("write postgresql://ROLE@HOST/NAME, or the name of a database on this machine's server")
            })?;
            drop(url);
            let lines = vec![("DATABASE_URL".to_owned(), text.to_owned())];
            return Ok(Source { lines, from: from.to_owned(), cluster: None });
        }
        let clusters = &self.found.clusters;
        let having = clusters.iter().find(|cluster| cluster.databases.iter().any(|known| known.name == text));
        match having.or_else(|| clusters.iter().find(|cluster| cluster.major.is_none() || text == "postgres")) {
            Some(cluster) => {
                let lines = cluster.lines(text);
                Ok(Source { lines, from: cluster.shown(), cluster: Some(cluster.clone()) })
            }
            None if clusters.is_empty() => {
                Err(Failure::new(Exit::Usage, "no PostgreSQL server was found on this machine").hint(
                    "name one elsewhere: --database postgresql://ROLE@HOST/NAME; for one of this machine, start it",
                ))
            }
            None => Err(Failure::new(Exit::NotFound, format!("no server of this machine has a database {text}"))
                .hint("sudo -u postgres psql --list shows those that there are; a URL names one on another machine")),
        }
    }

    /// With the password of its role, where there is one to be had and none is in it.
    fn with_password(&self, source: Source) -> Result<Source, Failure> {
        let has_one = |(name, value): &(String, String)| name.contains("PASSW") || has_password(value);
        if source.cluster.is_some() || source.lines.iter().any(has_one) {
            return Ok(source);
        }
        let password = match &self.args.password_file {
            Some(path) => Some(read_password(path)?),
            None => self.set("PGPASSWORD").or_else(|| self.set("DB_PASSWORD")).or_else(|| self.known_password(&source)),
        };
        let asked = match password {
            Some(password) => password,
            None if self.may_ask() => {
                let whose = shown(&source.lines).unwrap_or_else(|| "the database".to_owned());
                prompt::hidden(&format!("Password for {whose} (Enter: it needs none)"), self.interrupt)?
            }
            None => String::new(),
        };
        Ok(with(source, asked))
    }

    /// That of a line of `~/.pgpass`, which another user who backs up at night could not read there.
    fn known_password(&self, source: &Source) -> Option<String> {
        let place = shown(&source.lines)?;
        let same = self.found.databases.iter().find(|offer| offer.shown == place)?;
        same.lines.iter().find(|(name, _)| name == "DB_PASSWORD").map(|(_, password)| password.clone())
    }
}

fn with(mut source: Source, password: String) -> Source {
    if !password.is_empty() {
        source.lines.push(("DB_PASSWORD".to_owned(), password));
    }
    source
}

fn one_alone() -> Failure {
    Failure::new(Exit::Usage, "init sets up one database").hint(
        "add others to /etc/lastgood.toml afterwards, as docs/settings.md shows, or run the units with --all-databases",
    )
}

/// Whether it is a URL with a password in it.
fn has_password(value: &str) -> bool {
    (DATABASE_URL.parse)(value).is_ok_and(|url| {
        url.variables.get("PGPASSWORD").map(Secret::expose).is_some_and(|password| !password.is_empty())
    })
}

/// The first line of a file; `-` is stdin.
fn read_password(path: &std::path::Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match path.to_str() {
        Some("-") => std::io::stdin().lock().read_to_string(&mut text).map(drop),
        _ => std::fs::read_to_string(path).map(|read| text = read),
    };
    read.map_err(|error| {
        Failure::new(Exit::Usage, format!("cannot read the password from {}: {error}", path.display()))
            .hint("name a file that you may read, or - for stdin")
    })?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        let error = format!("the first line of {} has no password", path.display());
        return Err(Failure::new(Exit::Usage, error).hint("write the password alone into the first line"));
    }
    Ok(line.to_owned())
}
