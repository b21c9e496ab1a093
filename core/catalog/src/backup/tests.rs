use proptest::prelude::*;

use super::*;

fn at(time: &str) -> Tag {
    Tag::At(time.parse().unwrap())
}

fn stem(text: &str) -> Stem {
    text.parse().unwrap()
}

#[test]
fn a_stem_says_database_and_time() {
    let stem = stem("app_backup_20260120_030000");
    assert_eq!(stem.database(), "app");
    assert_eq!(stem.tag(), &at("2026-01-20T03:00:00Z"));
    assert_eq!(Stem::new("app", &at("2026-01-20T03:00:00.9Z")).unwrap(), stem);
}

#[test]
fn the_last_mark_parts_database_and_tag() {
    let nested = stem("app_backup_old_backup_initial");
    assert_eq!(nested.database(), "app_backup_old");
    assert_eq!(nested.tag(), &Tag::Label("initial".into()));
    assert_eq!(stem("app_backup_backup_x").database(), "app_backup");
}

#[test]
fn app_is_never_app_staging() {
    assert_eq!(stem("app_staging_backup_20260120_030000").database(), "app_staging");
    assert_ne!(stem("app_staging_backup_20260120_030000").database(), stem("app_backup_20260120_030000").database());
}

#[test]
fn the_guides_names_are_read() {
    assert_eq!(stem("astro_backup_20250120_143000").database(), "astro");
    assert_eq!(stem("astro_backup_initial").tag(), &Tag::Label("initial".into()));
}

#[test]
fn a_guests_database_that_is_not_in_our_encoding_is_taken_literally() {
    for (text, database) in [
        ("my.db_backup_20250120_030000", "my.db"),
        ("my app_backup_20250120_030000", "my app"),
        ("my.41_backup_20250120_030000", "my.41"), // `A` stands for itself: nothing encodes to `.41`
        ("my.FF_backup_20250120_030000", "my.FF"), // not UTF-8
        ("größe_backup_initial", "größe"),
        ("end._backup_initial", "end."),
    ] {
        assert_eq!(stem(text).database(), database);
        assert_eq!(stem(text).to_string(), text);
    }
    assert_eq!(stem("my.20app_backup_initial").database(), "my app");
}

#[test]
fn a_safety_backup_is_known_by_its_tag() {
    let safety = stem("app_backup_pre_restore_20260120_030000");
    assert!(safety.is_safety());
    assert_eq!(safety.tag(), &Tag::Safety("2026-01-20T03:00:00Z".parse().unwrap()));
    assert_eq!(Stem::new("app", safety.tag()).unwrap(), safety);
    assert!(!stem("app_backup_pre_restore_tuesday").is_safety());
}

#[test]
fn a_safety_copy_that_names_no_database_is_no_backup() {
    let error = "pre_restore_20250120_030000".parse::<Stem>().unwrap_err();
    assert_eq!(error, InvalidName::NoDatabase("pre_restore_20250120_030000".into()));
    assert!("_backup_initial".parse::<Stem>().is_err());
}

#[test]
fn an_impossible_time_is_neither_a_time_nor_a_label() {
    for tag in ["20250230_030000", "20250120_250000", "20250120_030060", "20251301_000000", "00000000_000000"] {
        let text = format!("app_backup_{tag}");
        assert_eq!(text.parse::<Stem>(), Err(InvalidName::ImpossibleTime(tag.into())), "{tag}");
        let safety = format!("app_backup_pre_restore_{tag}");
        assert_eq!(safety.parse::<Stem>(), Err(InvalidName::ImpossibleTime(tag.into())), "{tag}");
    }
    assert!("app_backup_20240229_030000".parse::<Stem>().is_ok());
    assert!("app_backup_20250229_030000".parse::<Stem>().is_err());
}

#[test]
fn what_only_resembles_a_time_is_a_label() {
    for tag in ["20250120", "2025012_0030000", "20250120_0300001", "20250120-030000", "2025_01_20"] {
        assert_eq!(stem(&format!("app_backup_{tag}")).tag(), &Tag::Label(tag.into()), "{tag}");
    }
}

#[test]
fn labels_that_would_be_read_as_something_else_are_refused() {
    let refused =
        ["", "a b", "a/b", "a.b", "é", "x_backup_y", "backup_x", "20260120_030000", "pre_restore_20260120_030000"];
    for label in refused {
        assert!(Stem::new("app", &Tag::Label(label.into())).is_err(), "{label}");
    }
    assert_eq!(Stem::new("app", &Tag::Label("before-2.0".into())), Err(InvalidName::Label("before-2.0".into())));
}

#[test]
fn names_without_a_database_or_beyond_a_file_name_are_refused() {
    assert!(matches!(Stem::new("", &at("2026-01-20T03:00:00Z")), Err(InvalidName::NoDatabase(_))));
    assert!(matches!(Stem::new("app", &at("-000001-01-20T03:00:00Z")), Err(InvalidName::ImpossibleTime(_))));
    assert!(matches!(Stem::new("app", &Tag::Label("x".repeat(240))), Err(InvalidName::TooLong(_))));
    // PostgreSQL's longest name, each byte of it escaped, with its longest tag.
    let longest = Stem::new(&"\u{1}".repeat(63), &Tag::Safety("2026-01-20T03:00:00Z".parse().unwrap())).unwrap();
    assert!(format!("{longest}.verifying.json.partial").len() <= 255);
}

#[test]
fn an_id_names_its_date_folder() {
    let id: BackupId = "20260120/app_backup_initial".parse().unwrap();
    assert_eq!(id.day, Some(jiff::civil::date(2026, 1, 20)));
    assert_eq!(id.to_string(), "20260120/app_backup_initial");
    assert_eq!("20260230/app_backup_initial".parse::<BackupId>(), Err(InvalidName::ImpossibleDay("20260230".into())));
    assert!("a/20260120/app_backup_initial".parse::<BackupId>().is_err());
    assert_eq!("app_backup_initial".parse::<BackupId>().unwrap().day, None);
}

#[test]
fn encoded_names_are_readable() {
    for (name, encoded) in [("app", "app"), ("my app", "my.20app"), ("a.b", "a.2Eb"), ("ä/x", ".C3.A4.2Fx")] {
        assert_eq!(encode_database(name), encoded);
        assert_eq!(decode_database(encoded).as_deref(), Some(name));
    }
    for text in ["my app", "a.2", "a.2e", "a.2eb", "a.41", "a.", "a.C3", "é"] {
        assert_eq!(decode_database(text), None, "{text}");
    }
}

pub(crate) fn any_tag() -> impl Strategy<Value = Tag> {
    let time = (-62_167_219_200_i64..253_402_207_200).prop_map(|s| Timestamp::from_second(s).unwrap());
    prop_oneof![
        time.clone().prop_map(Tag::At),
        time.prop_map(Tag::Safety),
        "[A-Za-z0-9_-]{1,20}".prop_map(Tag::Label),
        "(backup|_backup_|pre_restore_|20250120_|030000|_erased_|1|x){1,4}".prop_map(Tag::Label),
    ]
}

proptest! {
    #[test]
    fn every_name_has_one_encoding(name in any::<String>()) {
        let encoded = encode_database(&name);
        prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)));
        prop_assert_eq!(decode_database(&encoded), Some(name));
    }

    #[test]
    fn what_decodes_was_encoded(text in "[A-Fa-f0-9._-]{0,12}|.*") {
        if let Some(name) = decode_database(&text) {
            prop_assert_eq!(encode_database(&name), text);
        }
    }

    #[test]
    fn a_stem_is_read_back_as_it_was_made(database in "(.{1,8}|_backup_|backup|_){1,4}", tag in any_tag()) {
        if let Ok(stem) = Stem::new(&database, &tag) {
            prop_assert_eq!(stem.database(), database.as_str());
            prop_assert_eq!(stem.tag(), &tag);
            prop_assert_eq!(&stem.as_str().parse::<Stem>().unwrap(), &stem);
        } else {
            prop_assert!(matches!(tag, Tag::Label(_)));
        }
    }

    #[test]
    fn any_text_reads_as_a_name_or_not_and_keeps_its_spelling(text in "(\\PC{0,6}|_backup_|[0-9]{8}_[0-9]{6}|/|pre_restore_){0,5}") {
        if let Ok(stem) = text.parse::<Stem>() {
            prop_assert_eq!(stem.to_string(), text.clone());
            prop_assert!(!stem.database().is_empty());
        }
        if let Ok(id) = text.parse::<BackupId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }
}

#[test]
fn an_erased_ones_name_says_its_originals() {
    let at: Timestamp = "2026-01-20T03:00:00Z".parse().unwrap();
    let original = stem("my app_backup_20260120_030000");
    let erased = original.as_erased(1, at).unwrap();
    assert_eq!(erased.as_str(), "my app_backup_20260120_030000_erased_1");
    assert_eq!((erased.tag(), erased.erased(), erased.base()), (original.tag(), Some(1), original.as_str()));
    assert_eq!(erased.as_erased(12, at).unwrap().as_str(), "my app_backup_20260120_030000_erased_12");
    let label = stem("app_backup_initial").as_erased(3, at).unwrap();
    assert_eq!((label.tag(), label.erased()), (&Tag::Label("initial".into()), Some(3)));
    assert!(original.as_erased(100, at).is_err() && original.as_erased(0, at).is_err());
    for other in ["x_erased_0", "x_erased_01", "x_erased_100", "x_erased_1_", "_erased_1", "x_erased_", "erased_1"] {
        let read = stem(&format!("app_backup_{other}"));
        assert_eq!((read.tag(), read.erased()), (&Tag::Label(other.into()), None), "{other}");
        assert_eq!(read.base(), read.as_str());
    }
    for label in ["initial_erased_1", "20260120_030000_erased_2", "x_erased_1_erased_2"] {
        assert_eq!(
            Stem::new("app", &Tag::Label(label.into())),
            Err(InvalidName::Label(label.into())),
            "nobody may ask for it"
        );
    }
}

#[test]
fn a_name_can_say_the_years_from_0_to_9999() {
    let name = |time: &str| Stem::new("app", &at(time)).map(|stem| stem.to_string());
    assert_eq!(name("0000-06-01T00:00:00Z").as_deref(), Ok("app_backup_00000601_000000"));
    assert!(matches!(name("-000001-06-01T00:00:00Z"), Err(InvalidName::ImpossibleTime(_))));
}

#[test]
fn what_may_stand_in_a_name_is_not_encoded() {
    assert_eq!(encode_database("My_app-1"), "My_app-1");
    assert_eq!(encode_database("my app.ö"), "my.20app.2E.C3.B6");
}

/// Its name would otherwise say a time at which the database did not hold what it holds.
#[test]
fn one_that_was_stored_long_before_its_name_says_is_called_by_that_time_when_it_is_erased() {
    let named: Timestamp = "2026-01-20T03:00:00Z".parse().unwrap();
    let second = jiff::SignedDuration::from_secs(1);
    for (original, skewed, ahead) in [
        ("app_backup_20260120_030000", "20260120_030000", "20260120_025459"),
        ("app_backup_pre_restore_20260120_030000", "pre_restore_20260120_030000", "pre_restore_20260120_025459"),
        ("app_backup_initial", "initial", "initial"),
    ] {
        for (stored, tag) in [(named - SKEW, skewed), (named - SKEW - second, ahead), (named + SKEW * 2, skewed)] {
            let erased = stem(original).as_erased(1, stored).unwrap();
            assert_eq!(erased.as_str(), format!("app_backup_{tag}_erased_1"), "stored at {stored}");
        }
    }
}

#[test]
fn a_name_as_long_as_a_folder_can_hold_is_one_and_a_longer_one_is_not() {
    let at: Timestamp = "2026-01-20T03:00:00Z".parse().unwrap();
    let of_length = |length: usize| "a".repeat(length - "_backup_20260120_030000".len());
    assert_eq!(Stem::new(&of_length(LONGEST), &Tag::At(at)).unwrap().as_str().len(), LONGEST);
    assert!(matches!(Stem::new(&of_length(LONGEST + 1), &Tag::At(at)), Err(InvalidName::TooLong(_))));
    let shorter = LONGEST - "_erased_1".len();
    assert_eq!(Stem::new(&of_length(shorter), &Tag::At(at)).unwrap().as_erased(1, at).unwrap().as_str().len(), LONGEST);
    let original = Stem::new(&of_length(shorter + 1), &Tag::At(at)).unwrap();
    assert!(matches!(original.as_erased(1, at), Err(InvalidName::TooLong(_))));
}
