use proptest::prelude::*;

use super::*;
use crate::backup::Tag;

fn id(text: &str) -> BackupId {
    text.parse().unwrap()
}

#[test]
fn a_buckets_keys_are_those_of_the_guide() {
    let layout = Layout::bucket("backups");
    let id = layout.place("astro_backup_20250120_030000".parse().unwrap(), Timestamp::MIN);
    assert_eq!(layout.archive(&id, Compression::Gzip, false), "backups/20250120/astro_backup_20250120_030000.sql.gz");
    assert_eq!(layout.manifest(&id), "backups/20250120/astro_backup_20250120_030000.manifest.json");
    assert_eq!(layout.database_entry("my app"), "backups/databases/my.20app.json");
    assert_eq!(layout.day_prefix(jiff::civil::date(2025, 1, 20)), "backups/20250120/");
    assert_eq!(layout.day_of_folder("backups/20250120/"), Some(jiff::civil::date(2025, 1, 20)));
    assert_eq!(layout.day_of_folder("backups/databases/"), None);
}

/// The agent's and the functions' policies grant them by name, in accounts of earlier releases too.
#[test]
fn the_keys_that_policies_name_stay_as_they_are() {
    let layout = Layout::bucket("b");
    let id = layout.place("app_backup_initial".parse().unwrap(), "2026-01-20T03:00:00Z".parse().unwrap());
    let beside = |suffix: &str| format!("b/20260120/app_backup_initial{suffix}");
    assert_eq!(layout.common_prefix(&id), beside("."));
    assert_eq!(layout.damaged(&id), beside(".damaged.json"));
    assert_eq!(layout.verifying(&id), beside(".verifying.json"));
    for (sealed, age) in [(false, ""), (true, ".age")] {
        assert_eq!(layout.globals(&id, sealed), beside(".globals.sql.gz") + age);
        assert_eq!(layout.index(&id, sealed), beside(".index.json.gz") + age);
    }
    assert_eq!(layout.databases_prefix(), "b/databases/");
    assert_eq!(layout.status_prefix(), "b/status/");
    assert_eq!(layout.drill_status("my app"), "b/status/drills/my.20app.json");
    assert_eq!(layout.history("my app"), "b/status/history/my.20app.json");
    assert_eq!(layout.erasures_prefix(), "b/status/erasures/");
    assert_eq!(layout.erasure("2026-01-20T03:00:09Z".parse().unwrap()), "b/status/erasures/20260120_030009.json");
}

#[test]
fn a_directory_is_flat() {
    let layout = Layout::directory();
    let id = layout.place("astro_backup_initial".parse().unwrap(), Timestamp::UNIX_EPOCH);
    assert_eq!(layout.archive(&id, Compression::Zstd, true), "astro_backup_initial.sql.zst.age");
    assert_eq!(layout.parse("20250120/astro_backup_initial.sql.gz"), Part::Foreign);
    assert_eq!(layout.day_of_folder("20250120/"), None);
}

#[test]
fn a_named_backup_lies_in_the_folder_of_the_day_it_began() {
    let began = "2026-01-20T23:59:59Z".parse().unwrap();
    let id = Layout::bucket("").place("app_backup_initial".parse().unwrap(), began);
    assert_eq!(id.to_string(), "20260120/app_backup_initial");
}

#[test]
fn slashes_around_a_prefix_do_not_matter() {
    for prefix in ["a/b", "/a/b", "a/b/", "//a/b//"] {
        assert_eq!(Layout::bucket(prefix), Layout::bucket("a/b"));
    }
    assert_eq!(Layout::bucket("/").prefix(), "");
}

#[test]
fn another_prefix_is_foreign() {
    let layout = Layout::bucket("backups");
    for key in [
        "20250120/app_backup_initial.sql.gz",
        "backups2/20250120/app_backup_initial.sql.gz",
        "backups/backups/20250120/app_backup_initial.sql.gz",
        "backups/20250120/deeper/app_backup_initial.sql.gz",
        "backups/20250230/app_backup_initial.sql.gz",
        "backups/20250120/",
        "backups/20250120/pre_restore_20250120_030000.sql.gz",
        "backups/20250120/app_backup_20250230_030000.sql.gz",
        "backups/20250120/app_backup_initial.sql.gz.meta",
        "backups/20250120/app_backup_initial",
        "backups/databases/.json",
        "backups/databases/my app.json",
        "backups/databases/app_backup_initial.sql.gz",
        "backups/",
        "",
    ] {
        assert_eq!(layout.parse(key), Part::Foreign, "{key}");
    }
}

#[test]
fn what_lies_beside_the_date_folders_is_seen_too() {
    let part = Layout::bucket("backups").parse("backups/astro_backup_initial.sql.gz");
    let expected = Part::Archive { id: id("astro_backup_initial"), compression: Compression::Gzip, encrypted: false };
    assert_eq!(part, expected);
}

#[test]
fn a_guests_database_with_suffixes_in_its_name_keeps_them() {
    let part = Layout::directory().parse("my.sql.gz_backup_initial.sql");
    let expected =
        Part::Archive { id: id("my.sql.gz_backup_initial"), compression: Compression::None, encrypted: false };
    assert_eq!(part, expected);
}

fn any_layout() -> impl Strategy<Value = Layout> {
    let bucket = "[a-z0-9/._ é-]{0,12}".prop_map(|prefix| Layout::bucket(&prefix));
    let vault = (bucket.clone(), "[0-9]{12}").prop_map(|(bucket, account)| bucket.vault_of(&account));
    prop_oneof![Just(Layout::directory()), bucket, vault]
}

fn any_id(layout: &Layout, database: &str, tag: &Tag, second: i64) -> Option<BackupId> {
    Some(layout.place(Stem::new(database, tag).ok()?, Timestamp::from_second(second).unwrap()))
}

proptest! {
    #[test]
    fn every_key_reads_back(
        layout in any_layout(),
        database in ".{1,12}",
        tag in crate::backup::any_tag(),
        second in 0_i64..4_000_000_000,
    ) {
        prop_assume!(any_id(&layout, &database, &tag, second).is_some());
        let id = any_id(&layout, &database, &tag, second).unwrap();
        for compression in COMPRESSIONS {
            for encrypted in [false, true] {
                let key = layout.archive(&id, compression, encrypted);
                prop_assert_eq!(layout.parse(&key), Part::Archive { id: id.clone(), compression, encrypted });
            }
        }
        for record in Record::ALL {
            prop_assert_eq!(layout.parse(&layout.record(&id, record)), Part::Record { id: id.clone(), record });
        }
        prop_assert_eq!(layout.parse(&layout.database_entry(&database)), Part::DatabaseEntry { database: database.clone() });
        prop_assert_eq!(layout.parse(&layout.history(&database)), Part::History { database: database.clone() });
        prop_assert_eq!(layout.parse(&layout.drill_status(&database)), Part::DrillStatus { database });
        for record in StatusRecord::ALL {
            prop_assert_eq!(layout.parse(&layout.status(record)), Part::Status(record));
        }
    }

    #[test]
    fn any_key_is_read_without_panic_and_spells_back(
        layout in any_layout(),
        rest in "(\\PC{0,5}|/|2025|0120|_backup_|initial|\\.sql|\\.gz|\\.age|databases|status/|drills/|\\.globals|sweep|\\.json|\\.manifest|é){0,9}",
        prefixed in any::<bool>(),
    ) {
        let key = if prefixed { format!("{}{rest}", layout.prefix()) } else { rest };
        match layout.parse(&key) {
            Part::Archive { id, compression, encrypted } => {
                prop_assert_eq!(layout.archive(&id, compression, encrypted), key);
            }
            Part::Record { id, record } => prop_assert_eq!(layout.record(&id, record), key),
            Part::DatabaseEntry { database } => prop_assert_eq!(layout.database_entry(&database), key),
            Part::Status(record) => prop_assert_eq!(layout.status(record), key),
            Part::DrillStatus { database } => prop_assert_eq!(layout.drill_status(&database), key),
            Part::History { database } => prop_assert_eq!(layout.history(&database), key),
            Part::Elsewhere { id } => prop_assert!(key.starts_with(&layout.common_prefix(&id))),
            Part::Foreign => {}
        }
    }
}

#[test]
fn in_a_vault_the_verdicts_of_its_own_account_count_and_no_others() {
    let (source, vault) = (Layout::bucket("b"), Layout::bucket("b").vault_of("222222222222"));
    let id = source.place("app_backup_20260120_030000".parse().unwrap(), Timestamp::MIN);
    let stem = "b/20260120/app_backup_20260120_030000";
    assert_eq!(vault.record(&id, Record::Intact), format!("{stem}.intact.222222222222.json"));
    assert_eq!(vault.damaged(&id), format!("{stem}.damaged.222222222222.json"));
    assert_eq!(vault.verifying(&id), format!("{stem}.verifying.222222222222.json"));
    for other in ["intact", "damaged.111111111111", "verifying", "intact.222222222221"] {
        let key = format!("{stem}.{other}.json");
        assert_eq!(vault.parse(&key), Part::Elsewhere { id: id.clone() }, "{key}");
    }
    let foreign = source.parse(&vault.record(&id, Record::Intact));
    assert_eq!(foreign, Part::Elsewhere { id: id.clone() }, "nor does a vault's verdict at the source");
    for other in ["intact.22222222222", "intact.2222222222222", "intact.22222222222x", "222222222222"] {
        assert_eq!(vault.parse(&format!("{stem}.{other}.json")), Part::Foreign, "{other}");
    }
    // Whatever else comes with the copies is what it was.
    for record in [Record::Manifest, Record::Drill, Record::Accepted, Record::Shrunk, Record::Globals, Record::Links] {
        assert_eq!(vault.record(&id, record), source.record(&id, record));
    }
    assert_eq!(vault.database_entry("app"), source.database_entry("app"));
    assert_eq!(vault.drill_status("app"), source.drill_status("app"));
}

#[test]
fn in_a_vault_the_functions_write_about_themselves_under_its_account() {
    let (source, vault) = (Layout::bucket("b"), Layout::bucket("b").vault_of("222222222222"));
    assert_eq!(vault.status(StatusRecord::Sweep), "b/status/222222222222/sweep.json");
    assert_eq!(vault.history("app"), "b/status/222222222222/history/app.json");
    assert_eq!(vault.parse("b/status/222222222222/sweep.json"), Part::Status(StatusRecord::Sweep));
    for others in ["b/status/sweep.json", "b/status/history/app.json", "b/status/111111111111/sweep.json"] {
        assert_eq!(vault.parse(others), Part::Foreign, "{others}");
    }
    assert_eq!(source.parse("b/status/222222222222/sweep.json"), Part::Foreign);
    assert!(vault.status(StatusRecord::Page).starts_with(&vault.status_prefix()), "one listing shows it");
}
