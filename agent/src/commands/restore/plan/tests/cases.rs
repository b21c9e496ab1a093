//! Wishes and facts, made without a server: every case differs from the usual one in what its name says.

pub(super) mod flags;
pub(super) mod living;
pub(super) mod needs;
pub(super) mod search_path;

use std::collections::BTreeSet;
use std::path::PathBuf;

use ::archive::{Census, Header, LargeObjectCensus, TableCensus};
use catalog::Unknown;
use catalog::manifest::{self, Manifest, Purpose};
use jiff::Timestamp;
use postgres::database::live::{LiveDatabase, Role};
use postgres::database::loading::Loading;
use postgres::database::objects::Objects;
use postgres::database::offers::Present;
use postgres::database::rights::OwnersRights;
use postgres::database::undumpable::Undumpable;
use postgres::words::needs::Needs;
use postgres::words::traps::Definitions;
use postgres::{Tool, Version};
use serde_json::{Value, json};

use crate::commands::restore::backup::{Assurance, Backup};
use crate::commands::restore::facts::Facts;
use crate::commands::restore::fill::spool::SpoolFolder;
use crate::commands::restore::head::Head;
use crate::commands::restore::locale::DatabaseLocale;
use crate::commands::restore::plan::tests::cases::living::objects;
use crate::commands::restore::roles::Births;
use crate::commands::restore::server::Target;
use crate::commands::restore::space::Space;
use crate::commands::restore::traps::Traps;
use crate::commands::restore::wish::Wish;

/// A restore to be decided.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) wish: Wish,
    pub(super) facts: Facts,
}

const GIB: u64 = 1 << 30;

impl Case {
    /// A superuser replaces `shop`, which `shop` owns, with its good backup of two small tables.
    pub(super) fn usual() -> Self {
        let facts = Facts {
            backup: backup(1 << 20),
            head: head("15.14", "15.14"),
            target: Target {
                name: "shop".to_owned(),
                place: "database shop on db1 as postgres".to_owned(),
                is_local: true,
                only_here: false,
                role: role("postgres", true, true, 150_014),
                living: Some(living("shop", true)),
                content: serde_json::from_value(json!({
                    "tables": 2, "objects": 5, "extensions": 0, "subscriptions": []
                }))
                .unwrap(),
            },
            offers: serde_json::from_value(json!({
                "extensions": ["citext", "postgres_fdw"], "untrusted_extensions": ["postgres_fdw"],
                "languages": ["c", "internal", "plpgsql", "sql"], "untrusted_languages": ["c", "internal"],
                "tablespaces": []
            }))
            .unwrap(),
            present: Present { may_create: true, owns_public: true, owns_members: true, ..Present::default() },
            refused_extensions: Vec::new(),
            untried_extensions: Vec::new(),
            refused_dictionaries: Vec::new(),
            bound: Vec::new(),
            locale: DatabaseLocale::default(),
            unknown_collations: Vec::new(),
            owners_rights: OwnersRights { in_public: ["shop".to_owned()].into(), ..OwnersRights::default() },
            database_owner: "shop".to_owned(),
            refused_settings: Vec::new(),
            refused_in_functions: Vec::new(),
            births: Births::default(),
            roles: [("shop", true), ("postgres", true), ("reporting", true)].map(|(n, m)| (n.to_owned(), m)).into(),
            superusers: ["postgres".to_owned()].into(),
            space: Some(Space { needed: GIB, free: 10 * GIB }),
            spool: SpoolFolder { path: PathBuf::from("/var/tmp"), free: Some(100 * GIB) },
            cores: 4,
            objects: None,
            undumpable: Undumpable::default(),
            unfilled: Vec::new(),
            unknown_tables: Vec::new(),
            loading: Loading::default(),
            traps: Traps::default(),
            moment: "2026-11-25T03:00:00Z".parse().unwrap(),
        };
        Self { wish: Wish::default(), facts }
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(super) fn in_place(self) -> Self {
        self.with(|case| {
            case.wish.in_place = true;
            case.facts.objects = Some(objects(true));
        })
    }

    /// The database does not exist any more.
    pub(super) fn gone(self) -> Self {
        self.with(|case| {
            case.facts.target.living = None;
            case.facts.target.content = serde_json::from_value(nothing()).unwrap();
        })
    }

    /// The same, restored by another role.
    pub(super) fn with_role(self, (role, is_owner): (Role, bool)) -> Self {
        self.with(|case| {
            let is_superuser = role.superuser;
            let living_is_ours = is_superuser || is_owner;
            for (name, member) in &mut case.facts.roles {
                *member = is_superuser || *name == role.name || (is_owner && name == "shop");
            }
            if let Some(living) = &mut case.facts.target.living {
                living.is_ours = living_is_ours;
                living.may_give_to_owner = living_is_ours;
                living.may_use_tablespace = is_superuser;
            }
            case.facts.target.role = role;
            // What would have been asked for, had it come to a restore in place.
            let is_empty = case.facts.target.content.is_empty();
            case.facts.objects = Some(if is_empty { Objects::default() } else { objects(living_is_ours) });
        })
    }
}

fn nothing() -> Value {
    json!({ "tables": 0, "objects": 0, "extensions": 0, "subscriptions": [] })
}

fn role(name: &str, superuser: bool, creates_databases: bool, version_number: u32) -> Role {
    serde_json::from_value(json!({
        "name": name, "superuser": superuser, "creates_databases": creates_databases, "version_number": version_number,
        "standby": false, "data_directory": null, "sessions": 90,
        "locks_per_transaction": 64, "lock_holders": 100, "predicate_locks": 64, "spare_locks": 0
    }))
    .unwrap()
}

fn living(owner: &str, is_ours: bool) -> LiveDatabase {
    serde_json::from_value(json!({
        "name": "shop", "owner": owner, "encoding": "UTF8", "tablespace": "pg_default",
        "in_usual_tablespace": true, "may_use_tablespace": true, "comment": null,
        "size": GIB, "row": {}, "is_ours": is_ours, "may_give_to_owner": is_ours, "connections": 3, "prepared_transactions": [], "slots": []
    }))
    .unwrap()
}

pub(super) fn entry(dump_id: i32, kind: &str, name: &str, has_data: bool) -> ::archive::Entry {
    let block = if has_data { json!({ "content": "Rows", "offset": null, "counted": null }) } else { Value::Null };
    serde_json::from_value(json!({
        "dump_id": dump_id, "kind": kind, "schema": "public", "name": name, "owner": "shop", "definition": null,
        "block": block
    }))
    .unwrap()
}

/// Gives the archive an entry with privileges.
pub(super) fn grant(case: &mut Case, table: &str, sql: &str) {
    let mut acl = entry(30, "ACL", &format!("TABLE {table}"), false);
    acl.definition = Some(sql.to_owned());
    case.facts.head.contents.push(acl);
}

fn head(pg_dump: &str, pg_restore: &str) -> Head {
    let header: Header = serde_json::from_value(json!({
        "version": { "major": 1, "minor": 14, "revision": 0 }, "int_size": 4, "offset_size": 8, "compression": "none",
        "created": "2026-11-24 03:00:00", "database": "shop", "server_version": "15.14", "pg_dump_version": pg_dump
    }))
    .unwrap();
    Head {
        header,
        contents: vec![
            entry(1, "TABLE", "orders", false),
            entry(2, "TABLE", "users", false),
            entry(3, "TABLE DATA", "orders", true),
            entry(4, "TABLE DATA", "users", true),
        ],
        large_objects: Vec::new(),
        roles_in_definitions: BTreeSet::new(),
        needs: Needs::default(),
        definitions: Definitions::default(),
        steps: Vec::new(),
        pg_restore: Tool { path: "/usr/bin/pg_restore".into(), version: Version::parse(pg_restore).unwrap() },
        is_script: false,
        is_cut: false,
        restricts_psql: true,
    }
}

fn backup(bytes: u64) -> Backup {
    let instant: Timestamp = "2026-11-24T03:00:00Z".parse().unwrap();
    let table = |name: &str| TableCensus {
        schema: "public".to_owned(),
        name: name.to_owned(),
        rows: Some(100),
        bytes: bytes / 2,
        sha256: ::archive::Sha256Hex::default(),
        called: None,
    };
    let manifest = Manifest {
        stem: "shop_backup_20261124_030000".parse::<catalog::BackupId>().unwrap().stem,
        purpose: Purpose::Backup,
        database: manifest::Database {
            name: "shop".to_owned(),
            encoding: Some("UTF8".to_owned()),
            server_version: Some("15.14".to_owned()),
            size: Some(GIB),
            session: std::collections::BTreeMap::new(),
        },
        archive: manifest::Archive {
            key: "shop_backup_20261124_030000.sql.gz".to_owned(),
            version_id: None,
            etag: None,
            digest: ::archive::Digester::new().finish(),
            compression: ::archive::Compression::Gzip,
            frame_size: None,
            encryption: None,
            pg_dump_version: Some("15.14".to_owned()),
            format_version: None,
            dump_options: None,
        },
        census: Census { tables: vec![table("orders"), table("users")], large_objects: LargeObjectCensus::default() },
        globals: None,
        shrunk: None,
        index: None,
        erased: None,
        agent: manifest::Agent { version: "0.1.0".to_owned(), host: "db1".to_owned() },
        started: instant,
        finished: instant,
        duration: std::time::Duration::ZERO,
        warnings: Vec::new(),
        unknown: Unknown::default(),
    };
    Backup {
        name: "shop_backup_20261124_030000".to_owned(),
        place: "/var/backups/lastgood/shop_backup_20261124_030000.sql.gz".to_owned(),
        size: bytes / 5,
        instant,
        assurance: Assurance::Good,
        manifest: Some(manifest),
        notes: Vec::new(),
        other: None,
        is_judged: true,
    }
}

/// Who restores, and whether that is the owner of the live database.
pub(super) fn roles() -> Vec<(&'static str, (Role, bool))> {
    vec![
        ("superuser", (role("postgres", true, true, 150_014), true)),
        ("owner with CREATEDB", (role("shop", false, true, 150_014), true)),
        ("owner", (role("shop", false, false, 150_014), true)),
        ("another role with CREATEDB", (role("deploy", false, true, 150_014), false)),
        ("a role for backups alone", (role("shop_backup", false, false, 150_014), false)),
    ]
}

/// Onto what.
pub(super) fn targets() -> Vec<(&'static str, Case)> {
    let usual = Case::usual;
    vec![
        ("live database", usual()),
        (
            "live database, little room on the disk",
            usual().with(|c| {
                c.facts.space = Some(Space { needed: 10 * GIB, free: GIB });
            }),
        ),
        (
            "live database in a tablespace of its own",
            usual().with(|c| {
                let living = c.facts.target.living.as_mut().unwrap();
                living.tablespace = "fast".to_owned();
                living.in_usual_tablespace = false;
            }),
        ),
        ("live database that is the only one to connect to", usual().with(|c| c.facts.target.only_here = true)),
        ("database gone", usual().gone()),
        ("--into a new one", usual().gone().with(into)),
        (
            "--into an empty one",
            usual().with(|c| {
                into(c);
                c.facts.target.content = serde_json::from_value(nothing()).unwrap();
            }),
        ),
        ("--into one that is not empty", usual().with(into)),
    ]
}

fn into(case: &mut Case) {
    case.wish.into = true;
    case.facts.target.name = "shop_copy".to_owned();
}

/// From which archive.
pub(super) fn archives() -> Vec<(&'static str, Case)> {
    let usual = Case::usual;
    vec![
        ("good", usual()),
        ("unverified", usual().with(|c| c.facts.backup.assurance = Assurance::Unverified)),
        (
            "guest",
            usual().with(|c| {
                c.facts.backup.assurance = Assurance::Guest;
                c.facts.backup.manifest = None;
            }),
        ),
        ("large", usual().with(|c| c.facts.backup = backup(10 * GIB))),
        (
            "large, with no room for its rows to wait",
            usual().with(|c| {
                c.facts.backup = backup(10 * GIB);
                c.facts.spool.free = Some(GIB);
            }),
        ),
        (
            "large, on one core",
            usual().with(|c| {
                c.facts.backup = backup(10 * GIB);
                c.facts.cores = 1;
            }),
        ),
        ("made by a newer PostgreSQL than the server", usual().with(|c| c.facts.head = head("17.6", "17.6"))),
        ("with a pg_restore that lets archives run commands", usual().with(|c| c.facts.head.restricts_psql = false)),
        ("with an owner that the server lacks", usual().with(|c| c.facts.roles.retain(|name, _| name != "shop"))),
        (
            "with privileges for a role that the server lacks",
            usual().with(|c| {
                grant(
                    c,
                    "orders",
                    "REVOKE ALL ON TABLE public.orders FROM shop;\nGRANT SELECT ON TABLE public.orders TO auditor;\n",
                );
                grant(c, "users", "GRANT SELECT ON TABLE public.users TO reporting;\n");
            }),
        ),
        (
            "with a policy for a role that the server lacks",
            usual().with(|c| {
                c.facts.head.roles_in_definitions.insert("auditor".to_owned());
            }),
        ),
        ("with a subscription", usual().with(|c| c.facts.head.contents.push(entry(5, "SUBSCRIPTION", "feed", false)))),
        ("of another database", usual().with(|c| c.facts.head.header.database = "other".to_owned())),
    ]
}
