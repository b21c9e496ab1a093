//! What flags, and states of the live database and of the server, change.

use super::{Case, GIB, backup, entry, into, role};

fn unfilled(case: Case, skip_backup: bool) -> Case {
    case.with(|c| {
        c.wish.skip_backup = skip_backup;
        c.facts.unfilled = vec!["public.logs".to_owned(), "app.visits".to_owned()];
    })
}

fn owner_with_createdb() -> Case {
    Case::usual().with_role((role("shop", false, true, 150_014), true))
}

fn refused_setting(case: Case, name: &str) -> Case {
    case.with(|c| c.facts.refused_settings = vec![name.to_owned()])
}

fn cannot_go_on() -> Case {
    Case::usual().with(|c| {
        c.facts.head.pg_restore.version = postgres::Version::from_number(170_006);
        c.wish.keep_going = true;
    })
}

fn in_a_tablespace(case: &mut Case) {
    let mut database = entry(9, "DATABASE", "shop", false);
    database.definition = Some("CREATE DATABASE shop WITH TEMPLATE = template0 TABLESPACE = fast;\n".to_owned());
    case.facts.head.contents.push(database);
}

/// Each with its name.
pub(in super::super) fn cases() -> Vec<(String, Case)> {
    let usual = Case::usual;
    let owner = || usual().with_role((role("shop", false, false, 150_014), true));
    let cases = [
        (
            "--jobs 1 of a large backup",
            usual().with(|c| {
                c.facts.backup = backup(10 * GIB);
                c.wish.jobs = Some(1);
            }),
        ),
        ("--jobs 6 of a small backup", usual().with(|c| c.wish.jobs = Some(6))),
        (
            "--jobs 6 where the server lets the role have three connections",
            usual().with(|c| {
                c.wish.jobs = Some(6);
                c.facts.target.role.sessions = 3;
            }),
        ),
        (
            "--jobs 6 where it lets it have one",
            usual().with(|c| (c.wish.jobs, c.facts.target.role.sessions) = (Some(6), 1)),
        ),
        ("a setting that the role may not give to a database", refused_setting(owner_with_createdb(), "app.tenant")),
        ("the same, in place", refused_setting(owner_with_createdb().in_place(), "app.tenant")),
        ("one that rows need not", refused_setting(owner_with_createdb(), "row_security")),
        ("a lost database in a tablespace that the server lacks", usual().gone().with(in_a_tablespace)),
        (
            "a lost database whose owner the server lacks",
            usual().gone().with(|c| {
                in_a_tablespace(c);
                c.facts.roles.retain(|name, _| name != "shop");
            }),
        ),
        (
            "--table",
            usual().gone().with(|c| {
                into(c);
                c.wish.tables = vec!["orders".to_owned()];
            }),
        ),
        (
            "--table that is not there",
            usual().gone().with(|c| {
                into(c);
                c.wish.tables = vec!["order".to_owned()];
            }),
        ),
        (
            "--table by a pattern, of an archive with large objects",
            usual().gone().with(|c| {
                into(c);
                c.facts.head.contents.push(entry(9, "BLOBS", "BLOBS", true));
                c.wish.tables = vec!["Order?".to_owned()];
            }),
        ),
        (
            "--schema",
            usual().gone().with(|c| {
                into(c);
                c.wish.schemas = vec!["public".to_owned()];
            }),
        ),
        (
            "--schema that is not there",
            usual().gone().with(|c| {
                into(c);
                c.wish.schemas = vec!["billing".to_owned()];
            }),
        ),
        (
            "--schema-only",
            usual().gone().with(|c| {
                into(c);
                c.wish.schema_only = true;
            }),
        ),
        (
            "--schema-only of definitions alone",
            usual().gone().with(|c| {
                into(c);
                c.facts.head.contents.retain(|entry| !entry.has_data());
                c.wish.schema_only = true;
            }),
        ),
        (
            "checks of the user's own",
            usual().with(|c| {
                c.wish.checks = vec!["SET work_mem = '1GB'".to_owned(), "SELECT count(*) > 0\n  FROM users".to_owned()];
            }),
        ),
        ("--skip-backup in place", usual().in_place().with(|c| c.wish.skip_backup = true)),
        ("--skip-backup by a role that cannot swap", owner().with(|c| c.wish.skip_backup = true)),
        (
            "--trust-archive in place",
            usual().in_place().with(|c| {
                c.facts.head.restricts_psql = false;
                c.wish.trust_archive = true;
            }),
        ),
        (
            "--force with a backup of another database",
            usual().with(|c| {
                c.facts.head.header.database = "other".to_owned();
                c.wish.force = true;
            }),
        ),
        ("a table that the backup lacks", usual().with(|c| c.facts.unknown_tables = vec!["public.orders".to_owned()])),
        ("--keep-going", usual().with(|c| c.wish.keep_going = true)),
        ("--keep-going, onto a server that is older than pg_restore", cannot_go_on()),
        ("a table whose rows the backup lacks", unfilled(usual(), false)),
        ("a table whose rows the backup lacks, in place", unfilled(usual().in_place(), false)),
        ("a table whose rows the backup lacks, in place with --skip-backup", unfilled(usual().in_place(), true)),
        ("a stop command", usual().with(|c| c.wish.stop_command = Some("systemctl stop shop".to_owned()))),
        (
            "a prepared transaction",
            usual().with(|c| {
                let living = c.facts.target.living.as_mut().unwrap();
                living.prepared_transactions.push("half way".to_owned());
            }),
        ),
        (
            "replication slots and a subscription",
            usual().with(|c| {
                c.facts.target.living.as_mut().unwrap().slots = vec!["standby_1".to_owned(), "standby_2".to_owned()];
                c.facts.target.content.subscriptions = vec!["feed".to_owned()];
            }),
        ),
    ];
    cases.map(|(name, case)| (name.to_owned(), case)).into()
}
