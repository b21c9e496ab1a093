//! What the archive needs, and the server lacks or the role may not do.

use postgres::words::needs::Locale;

use super::{Case, entry, role};

/// Each with its name.
pub(in super::super) fn cases() -> Vec<(String, Case)> {
    let owner = || Case::usual().with_role((role("shop", false, true, 150_014), true));
    let tenant = || Case::usual().with_role((role("shop", false, false, 150_014), true));
    let locale = |provider: &str, name: &str| Locale { provider: provider.to_owned(), name: name.to_owned() };
    let all = |c: &mut Case| {
        let kinds = [("EXTENSION", "postgis"), ("EXTENSION", "postgres_fdw"), ("FOREIGN DATA WRAPPER", "remote")];
        c.facts.head.contents.extend(kinds.map(|(kind, name)| entry(20, kind, name, false)));
        c.facts.head.needs.wide_publications.insert("feed".to_owned());
        c.facts.head.needs.functions.insert(("fast(integer)".to_owned(), "c".to_owned()));
        c.facts.head.needs.tablespaces.insert("fast".to_owned());
    };
    let untrusted = |c: &mut Case| {
        c.facts.head.contents.push(entry(20, "EXTENSION", "postgres_fdw", false));
        c.facts.present.extensions.push("postgres_fdw".to_owned());
    };
    let cases = [
        ("all kinds, superuser", Case::usual().with(all)),
        ("all kinds, owner with CREATEDB", owner().with(all)),
        ("an untrusted extension that is there already, by swap", owner().with(untrusted)),
        ("an untrusted extension that is there already, in place", tenant().with(untrusted)),
        ("a tablespace", Case::usual().with(|c| c.facts.head.needs.tablespaces = ["fast".to_owned()].into())),
        (
            "the database's locale",
            Case::usual().gone().with(|c| c.facts.unknown_locales = vec![locale("libc", "de_DE.UTF-8")]),
        ),
        ("a collation's locale", Case::usual().with(|c| c.facts.unknown_collations = vec![locale("icu", "de-x")])),
        (
            "a schema, in a database that is closed to the role",
            tenant().with(|c| {
                c.facts.present.may_create = false;
                c.facts.head.contents.push(entry(20, "SCHEMA", "sales", false));
            }),
        ),
        (
            "privileges that another role gave",
            owner().with(|c| c.facts.head.named.grantors = ["deputy".to_owned()].into()),
        ),
        (
            "default privileges of another role",
            owner().with(|c| c.facts.head.named.with_defaults = ["deputy".to_owned()].into()),
        ),
        (
            "an owner that may not create in public, by swap",
            owner().with(|c| {
                c.facts.roles.insert("app".to_owned(), true);
                c.facts.head.contents.iter_mut().for_each(|entry| entry.owner = "app".to_owned());
            }),
        ),
    ];
    cases.map(|(name, case)| (name.to_owned(), case)).into()
}
