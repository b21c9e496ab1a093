//! The lines of `~/.pgpass`: `host:port:database:user:password`.

use std::path::Path;

use super::super::offer::{Offer, shown};

/// The settings of a line's first fields, and of its last.
const NAMES: [&str; 5] = ["DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD"];

/// Those that name a database.
pub(super) fn read(home: &Path) -> Vec<Offer> {
    let path = home.join(".pgpass");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let lines = text.lines().enumerate();
    lines.filter_map(|(at, line)| offer(line, &format!("{}:{}", path.display(), at + 1))).collect()
}

fn offer(line: &str, from: &str) -> Option<Offer> {
    let fields = fields(line)?;
    // `*` stands for any.
    let is_any = |value: &str| value == "*" || value.is_empty();
    let [host, _, database, user, _] = &fields;
    if line.starts_with('#')
        || [host, database, user].into_iter().any(|value| is_any(value))
        || database == "replication"
    {
        return None;
    }
    let named = NAMES.iter().zip(&fields).filter(|(_, value)| !is_any(value));
    let lines = named.map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Some(Offer { shown: shown(&lines)?, from: from.to_owned(), lines })
}

/// A backslash takes the special meaning from a colon and from itself.
fn fields(line: &str) -> Option<[String; 5]> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match c {
            ':' => fields.push(String::new()),
            '\\' => fields.last_mut()?.extend(characters.next()),
            c => fields.last_mut()?.push(c),
        }
    }
    fields.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_proposal_where_it_names_one_database() {
        let offer_of = |line: &str| offer(line, "f:1").map(|offer| (offer.shown, offer.lines.len()));
        let shown = "database sh:op on db1:5433 as me".to_owned();
        assert_eq!(offer_of(r"db1:5433:sh\:op:me:hu:sh"), None);
        assert_eq!(offer_of(r"db1:5433:sh\:op:me:hu\:sh"), Some((shown, 5)));
        assert_eq!(offer_of("db1:*:shop:me:p"), Some(("database shop on db1 as me".to_owned(), 4)));
        for none in ["", "#db1:1:shop:me:p", "*:*:*:me:p", "db1:1:*:me:p", "db1:1:shop", "a:1:replication:b:c"] {
            assert_eq!(offer_of(none), None, "{none}");
        }
    }
}
