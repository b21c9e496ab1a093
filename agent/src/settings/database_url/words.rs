//! libpq's other way of writing an address: `host=127.0.0.1 dbname=shop password='it''s'`; PDO has semicolons between the pairs.
//! <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE>

use postgres::libpq;

const PAIRS: &str = "expected keyword=value, with a space between the pairs";

/// Whether a text begins as such an address does.
pub(super) fn begin(text: &str) -> bool {
    text.split_once('=').is_some_and(|(keyword, _)| libpq::variable(keyword.trim()).is_some())
}

/// Its keywords and values.
pub(super) fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start_matches(is_between);
    while !rest.is_empty() {
        let (keyword, after) = rest.split_once('=').ok_or(PAIRS)?;
        let keyword = keyword.trim();
        if keyword.contains(is_between) {
            return Err(PAIRS.into());
        }
        let (value, after) = value(after.trim_start())?;
        pairs.push((keyword.to_owned(), value));
        rest = after.trim_start_matches(is_between);
    }
    Ok(pairs)
}

fn is_between(character: char) -> bool {
    character.is_whitespace() || character == ';'
}

/// A value, in quotes or not, without its escapes, and what follows it.
fn value(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let quoted = text.strip_prefix('\'');
    let mut characters = quoted.unwrap_or(text).chars();
    loop {
        let before = characters.as_str();
        match characters.next() {
            Some('\\') => value.extend(characters.next()),
            Some('\'') if quoted.is_some() => return Ok((value, characters.as_str())),
            Some(end) if quoted.is_none() && is_between(end) => return Ok((value, before)),
            Some(character) => value.push(character),
            None if quoted.is_some() => return Err("a quote in it is not closed".into()),
            None => return Ok((value, "")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_and_escaped_as_for_libpq() {
        let found = pairs(r"host = h  dbname='my \'shop' password=a\ b\\;user=").unwrap();
        let found: Vec<_> = found.iter().map(|(keyword, value)| format!("{keyword}:{value}")).collect();
        assert_eq!(found, ["host:h", "dbname:my 'shop", r"password:a b\", "user:"]);
        assert!(pairs("host='h").is_err() && pairs("host").is_err() && pairs("host user=u").is_err());
        assert!(begin("dbname=x") && begin("host = x") && !begin("shop") && !begin("Host=h;Database=d"));
    }
}
