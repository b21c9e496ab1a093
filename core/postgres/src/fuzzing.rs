//! What must hold of any SQL that an archive brings. `make fuzz` looks for texts of which it doesn't; what it kept is tried by the
//! test of this file. A panic is a finding.

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

use crate::words::{
    bound, columns, dictionary, globals, inheritance, needs, origin, pattern, ranges, relics, rewrites, roles,
    statements, tokens, traps,
};
use crate::{Version, libpq, quote};

/// Nothing of it is more than the text has, and statements that were taken apart are the same when that is done again.
pub fn words(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (name, sql) = text.split_once('\n').unwrap_or(("shop", text));
    taken_apart(name, sql);
    read_line_by_line(sql);
    if let Ok(all) = statements::statements(sql) {
        for statement in all {
            let again = statements::statements(&statement);
            assert_eq!(again, Ok(vec![statement.clone()]), "taken apart once more");
            let _ = statements::sets(&statement);
        }
    }
    quoted(name);
}

/// Each of the readers of a definition.
fn taken_apart(name: &str, sql: &str) {
    let _ = bound::checks_the_database(sql);
    let _ = columns::of_table(sql);
    let _ = columns::of_composite(sql);
    let _ = columns::of_domain(sql);
    let _ = columns::identity_always(sql);
    let _ = dictionary::of_a_file(sql);
    let _ = globals::Globals::read(sql);
    let _ = inheritance::parents(sql);
    let _ = origin::creation_options(sql);
    let _ = origin::tablespace(sql);
    let _ = origin::locales(sql);
    let _ = origin::settings(sql, name);
    let _ = origin::roles_with_settings(sql);
    let _ = origin::session_settings(sql);
    let _ = origin::search_path(sql);
    let _ = origin::comment(sql);
    let _ = origin::privileges(sql, name);
    let _ = pattern::Pattern::new(name).matches("public", sql);
    let _ = ranges::goes_by_text(sql);
    let _ = rewrites::known(sql, name);
    let _ = roles::of_privileges(sql);
    let _ = tokens::tokens(sql);
    let _ = Version::parse(name);
    let _ = libpq::variable(name);
}

fn read_line_by_line(sql: &str) {
    let mut needed = needs::NeedsFinder::default();
    let mut relics = relics::RelicFinder::default();
    let mut named = roles::Finder::default();
    let mut trapped = traps::TrapFinder::default();
    for line in sql.lines() {
        needed.line(line);
        relics.line(line);
        named.line(line);
        trapped.line(line);
    }
    let _ = (needed.finish(), relics.finish(), named.finish());
    let _ = trapped.finish();
}

/// A name and a text in quotes are one token each, and the name is the same again.
fn quoted(name: &str) {
    if name.contains('\0') || name.is_empty() {
        return;
    }
    let quoted = tokens::tokens(&quote::identifier(name));
    assert_eq!(quoted, [tokens::Token::Quoted(name.to_owned())]);
    let text = tokens::tokens(&quote::literal(name));
    assert_eq!(text, [tokens::Token::Text(name.to_owned())]);
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_fuzzing_kept_holds() {
        super::replay::replay("words", super::words);
    }
}
