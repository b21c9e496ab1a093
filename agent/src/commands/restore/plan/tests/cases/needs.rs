//! What the archive needs, and the server lacks or the role may not do.

use postgres::database::new_roles::NewRole;
use postgres::words::needs::Locale;

use super::{Case, entry, grant, role};

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
    let refuse = |c: &mut Case| {
        c.facts.head.contents.push(entry(20, "EXTENSION", "citext", false));
        c.facts.refused_extensions = vec![("citext".to_owned(), "could not access file \"citext\"".to_owned())];
    };
    let dictionary = |c: &mut Case| {
        let words = "could not open synonym file \"own.syn\": No such file or directory";
        c.facts.refused_dictionaries = vec![("own".to_owned(), words.to_owned())];
    };
    let bound = |c: &mut Case| {
        c.facts.bound = vec!["extension pg_cron (can only create extension in database shop)".to_owned()]
    };
    let elsewhere = |c: &mut Case| {
        c.wish.into = true;
        c.facts.target.name = "shop_copy".to_owned();
    };
    let closed = |c: &mut Case| {
        c.facts.head.contents.extend([
            entry(20, "EXTENSION", "pgcrypto", false),
            entry(21, "FUNCTION", "own(integer, text)", false),
            entry(22, "SERVER", "far", false),
        ]);
        c.facts.offers.extensions.push("pgcrypto".to_owned());
        c.facts.offers.privileged_extensions.push("pgcrypto".to_owned());
        c.facts.present.extensions.push("pgcrypto".to_owned());
        c.facts.present.owns_members = false;
        for (schema, subject, sql) in [
            (
                "public",
                "FUNCTION own(a integer, b text)",
                "REVOKE ALL ON FUNCTION public.own(a integer, b text) FROM PUBLIC;\n",
            ),
            ("", "FOREIGN SERVER far", "GRANT USAGE ON FOREIGN SERVER far TO reporting;\n"),
            ("", "SCHEMA public", "REVOKE USAGE ON SCHEMA public FROM PUBLIC;\n"),
            ("public", "FUNCTION crypt(text, text)", "REVOKE ALL ON FUNCTION public.crypt(text, text) FROM PUBLIC;\n"),
            ("pg_catalog", "TABLE pg_authid", "GRANT SELECT ON TABLE pg_catalog.pg_authid TO reporting;\n"),
            ("", "LANGUAGE plpgsql", "REVOKE ALL ON LANGUAGE plpgsql FROM PUBLIC;\n"),
        ] {
            let mut acl = entry(30, "ACL", subject, false);
            (acl.schema, acl.owner) = (schema.to_owned(), "postgres".to_owned());
            acl.definition = Some(sql.to_owned());
            c.facts.head.contents.push(acl);
        }
    };
    let functions = |c: &mut Case| {
        let needs = &mut c.facts.head.needs;
        needs.privileged_functions = [("quiet()".to_owned(), "LEAKPROOF")].into();
        needs.settings_of_functions = [("loads()", "session_replication_role"), ("sorts()", "work_mem")]
            .map(|(f, s)| (f.into(), s.into()))
            .into();
    };
    let refused_setting = |c: &mut Case| c.facts.refused_in_functions = vec!["session_replication_role".to_owned()];
    let demoted = |c: &mut Case| {
        for (id, kind, name) in
            [(20, "EVENT TRIGGER", "guard"), (21, "FOREIGN DATA WRAPPER", "far"), (22, "SUBSCRIPTION", "feed")]
        {
            let mut object = entry(id, kind, name, false);
            object.schema = String::new();
            c.facts.head.contents.push(object);
        }
    };
    let cases = [
        ("an owner that is no superuser any more, of what only superusers own", Case::usual().with(demoted)),
        (
            "the same, on a server of version 16",
            Case::usual().with_role((role("postgres", true, true, 160_004), true)).with(demoted),
        ),
        (
            "an owner that is a superuser, of what only superusers own",
            Case::usual().with(demoted).with(|c| c.facts.superusers = ["postgres", "shop"].map(str::to_owned).into()),
        ),
        ("functions of a superuser, superuser", Case::usual().with(functions)),
        ("functions of a superuser, owner with CREATEDB", owner().with(functions).with(refused_setting)),
        ("privileges on what the archive does not make, superuser", Case::usual().with(closed)),
        ("privileges on what the archive does not make, by swap", owner().with(closed)),
        (
            "privileges on what the archive does not make, by swap before version 15",
            Case::usual().with_role((role("shop", false, true, 140_014), true)).with(closed),
        ),
        ("privileges on what the archive does not make, in place", tenant().with(closed)),
        (
            "privileges on what an extension makes with the role's own rights",
            owner().with(closed).with(|c| c.facts.offers.privileged_extensions.clear()),
        ),
        ("all kinds, superuser", Case::usual().with(all)),
        ("all kinds, owner with CREATEDB", owner().with(all)),
        ("an untrusted extension that is there already, by swap", owner().with(untrusted)),
        ("an untrusted extension that is there already, in place", tenant().with(untrusted)),
        ("a tablespace", Case::usual().with(|c| c.facts.head.needs.tablespaces = ["fast".to_owned()].into())),
        ("an extension that the server refuses", Case::usual().with(refuse)),
        (
            "an extension that could not be tried",
            Case::usual().with(|c| {
                c.facts.head.contents.push(entry(20, "EXTENSION", "citext", false));
                c.facts.untried_extensions = vec![("citext".to_owned(), "type \"citext\" already exists".to_owned())];
            }),
        ),
        (
            "the same, which stays in place",
            Case::usual().in_place().with(|c| {
                c.facts.head.contents.push(entry(20, "EXTENSION", "citext", false));
                c.facts.present.extensions.push("citext".to_owned());
                c.facts.untried_extensions = vec![("citext".to_owned(), "type \"citext\" already exists".to_owned())];
            }),
        ),
        ("a dictionary whose file the server lacks", Case::usual().with(dictionary)),
        ("an extension that is bound to the database's name", Case::usual().with(bound)),
        ("the same, database gone", Case::usual().gone().with(bound)),
        ("the same, under another name", Case::usual().gone().with(bound).with(elsewhere)),
        (
            "the same, under another name with --force",
            Case::usual().gone().with(bound).with(elsewhere).with(|c| c.wish.force = true),
        ),
        (
            "the database's locale",
            Case::usual().gone().with(|c| {
                c.facts.locale.unknown = vec![locale("libc", "de_DE.UTF-8")];
                c.facts.locale.instead = ["de_DE.utf8", "icu:de-DE", "C"].map(str::to_owned).into();
            }),
        ),
        (
            "a locale that was chosen",
            Case::usual().gone().with(|c| {
                c.facts.locale.chosen = Some(locale("icu", "de-DE"));
                c.facts.head.contents.push(created("LOCALE = 'de_DE.UTF-8' TABLESPACE = slow"));
            }),
        ),
        (
            "a locale that does not fit the character set",
            Case::usual().gone().with(|c| {
                c.facts.locale.chosen = Some(locale("libc", "de_DE.ISO-8859-1"));
                c.facts.locale.unfit = Some("it is for LATIN1, and the backup is in UTF8".to_owned());
            }),
        ),
        (
            "a locale for a database that is there",
            Case::usual().with(|c| c.facts.locale.chosen = Some(locale("libc", "C"))),
        ),
        (
            "tablespaces that are mapped",
            Case::usual().gone().with(|c| {
                c.facts.head.contents.push(created("TABLESPACE = slow"));
                c.facts.head.needs.tablespaces = ["fast", "odd one"].map(str::to_owned).into();
                c.facts.offers.tablespaces = vec!["ssd".to_owned()];
                c.wish.tablespaces =
                    [("fast", "ssd"), ("slow", ""), ("none", "ssd")].map(|(a, b)| (a.into(), b.into())).into();
            }),
        ),
        (
            "a tablespace mapped to one that is not there",
            Case::usual().with(|c| {
                c.facts.head.needs.tablespaces = ["fast".to_owned()].into();
                c.wish.tablespaces = [("fast".to_owned(), "ssd".to_owned())].into();
            }),
        ),
        (
            "roles that are made",
            Case::usual().with(|c| {
                c.facts.births.new.roles.push(NewRole {
                    name: "app".into(),
                    waits_for_password: true,
                    superuser: false,
                });
                c.facts.births.warnings = vec!["app is made without SUPERUSER, which admin may not give".to_owned()];
            }),
        ),
        (
            "roles that the role may not make",
            Case::usual().with(|c| {
                let remedy = "restore as a superuser, or as one: ALTER ROLE \"shop\" CREATEROLE".to_owned();
                c.facts.births.obstacle = Some(("the role shop may not create roles".to_owned(), remedy));
                c.facts.head.roles_in_definitions.insert("auditor".to_owned());
            }),
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
            owner().with(|c| {
                c.facts.roles.insert("deputy".to_owned(), false);
                let sql = "SET SESSION AUTHORIZATION deputy;\nGRANT SELECT ON TABLE public.orders TO reporting;\n\
                           RESET SESSION AUTHORIZATION;\n";
                grant(c, "orders", sql);
            }),
        ),
        (
            "default privileges of another role",
            owner().with(|c| {
                c.facts.roles.insert("deputy".to_owned(), false);
                grant(c, "orders", "ALTER DEFAULT PRIVILEGES FOR ROLE deputy GRANT SELECT ON TABLES TO reporting;\n");
            }),
        ),
        (
            "a table of somebody else",
            owner().with(|c| {
                c.facts.roles.insert("theirs".to_owned(), false);
                c.facts.head.contents[0].owner = "theirs".to_owned();
            }),
        ),
        (
            "a table of a role that the server lacks, superuser",
            Case::usual().with(|c| c.facts.head.contents[0].owner = "auditor".to_owned()),
        ),
        (
            "the database owner's schema public",
            owner().with(|c| {
                let mut public = entry(20, "SCHEMA", "public", false);
                (public.schema, public.owner) = (String::new(), "pg_database_owner".to_owned());
                c.facts.roles.insert("pg_database_owner".to_owned(), false);
                c.facts.head.contents.push(public);
            }),
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

/// The entry of the database, created with these options.
fn created(options: &str) -> ::archive::Entry {
    let mut database = entry(40, "DATABASE", "shop", false);
    database.definition =
        Some(format!("CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8' {options};\n"));
    database
}
