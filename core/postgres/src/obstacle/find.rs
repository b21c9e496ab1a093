//! From the address to the server's rules, step by step: what is in the way is the first step that fails.

use super::address::Address;
use super::kind::Obstacle;
use super::startup::{Said, Tls};
use crate::{Psql, Secret};

/// Names that nobody has.
const NOBODY: &str = "lastgood_asks_whether_this_exists";
/// Databases that most servers have.
const OTHERS: [&str; 2] = ["postgres", "template1"];

impl Obstacle {
    /// What is in the way of `psql`, which got no connection and said `words`.
    pub(crate) fn find(psql: &Psql, words: &str) -> Self {
        let addresses = Address::all(psql.connection());
        let mut first = None;
        for address in &addresses {
            match address.reach() {
                Ok(()) => return Self::behind(psql, address, words),
                Err(obstacle) => first = first.or(Some(obstacle)),
            }
        }
        first.unwrap_or(Self::Other)
    }

    /// Something listens.
    fn behind(psql: &Psql, address: &Address, words: &str) -> Self {
        let mode = psql.connection().get("PGSSLMODE").unwrap_or("prefer");
        let demands = matches!(mode, "require" | "verify-ca" | "verify-full");
        match address.tls() {
            Tls::Foreign => return Self::NotPostgres,
            Tls::Silent => return Self::Silent,
            Tls::No if demands => return Self::NoTls,
            // The client's own words, which it says in English here; it knows no code for them.
            Tls::Yes if words.contains("certificate") || words.contains("SSL error") => return Self::Certificate,
            Tls::Yes | Tls::No | Tls::Local => {}
        }
        let said = address.startup(psql.connection());
        match said.state.as_deref() {
            Some("57P03") => Self::NotNow,
            Some("53300") => Self::TooMany,
            Some("3D000") => Self::NoDatabase,
            Some("55000") => Self::Closed,
            Some("28000") if said.is_admitted => Self::NoRole,
            Some("28000") if address.is_socket() && !said.wants_password => Self::NotPeer,
            _ => Self::by_comparing(psql, &said, words),
        }
    }

    /// The server wants to know who we are, perhaps by TLS alone.
    fn by_comparing(psql: &Psql, said: &Said, words: &str) -> Self {
        // The client's own words again: the server wanted a password and got none.
        let unasked = |said: Option<String>| said.is_some_and(|said| said.contains("no password supplied"));
        let nameless = psql.with(&[("PGPASSWORD", Secret::new("")), ("PGPASSFILE", Secret::new("/dev/null"))]);
        if words.contains("no password supplied") {
            return Self::Password;
        }
        let wants_password = said.wants_password || unasked(nameless.refusal());
        if !wants_password && said.state.as_deref() == Some("28000") {
            return Self::NotAdmitted;
        }
        if wants_password && psql.with(&[("PGPASSWORD", Secret::new(NOBODY))]).refusal().as_deref() == Some(words) {
            return Self::Password;
        }
        let Some(database) = psql.connection().database() else { return Self::Other };
        // In any language: the same words, and the other name in them. The very same words are about something else.
        match psql.to(NOBODY).refusal() {
            Some(other) if other != words && other.replace(NOBODY, database) == words => Self::NoDatabase,
            // The server lets the role in elsewhere: it is this database that doesn't.
            _ if OTHERS.iter().any(|other| *other != database && psql.to(other).refusal().is_none()) => Self::Closed,
            _ => Self::Other,
        }
    }
}
