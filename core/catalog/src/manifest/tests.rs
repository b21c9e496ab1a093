use archive::{Crc64, LargeObjectCensus, Md5, Sha256Hex, TableCensus};
use serde_json::{Value, json};

use super::*;
use crate::testing::manifest;

#[test]
fn the_manifest_is_this_document() {
    let json = String::from_utf8(manifest().to_json().unwrap()).unwrap();
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("manifest-v1", json);
    });
}

#[test]
fn a_manifest_is_read_back_as_it_was_written() {
    let manifest = manifest();
    assert_eq!(Manifest::from_json(&manifest.to_json().unwrap()).unwrap(), manifest);
    let bare = Manifest {
        database: Database {
            name: "app".into(),
            encoding: None,
            server_version: None,
            size: None,
            session: BTreeMap::new(),
        },
        archive: Archive {
            version_id: None,
            etag: None,
            digest: Digest { size: u64::MAX, md5: Md5([0xff; 16]), crc64nvme: Crc64(u64::MAX) },
            frame_size: None,
            encryption: Some(Encryption { recipients: vec!["age1example".into()] }),
            pg_dump_version: None,
            format_version: None,
            dump_options: None,
            ..manifest.archive.clone()
        },
        census: Census { tables: vec![], large_objects: LargeObjectCensus::default() },
        duration: Duration::from_millis(u64::from(u32::MAX)),
        ..manifest
    };
    assert_eq!(Manifest::from_json(&bare.to_json().unwrap()).unwrap(), bare);
}

#[test]
fn fields_of_later_versions_are_kept_at_every_level() {
    let mut document: Value = serde_json::from_slice(&manifest().to_json().unwrap()).unwrap();
    document["later"] = json!({"a": 1});
    document["database"]["later"] = json!("b");
    document["archive"]["later"] = json!([null]);
    document["census"][1]["later"] = json!(4);
    document["largeObjects"]["later"] = json!(false);
    document["agent"]["later"] = json!({});
    let mut read = Manifest::from_json(document.to_string().as_bytes()).unwrap();
    read.warnings.push("one more".into());
    document["warnings"].as_array_mut().unwrap().push(json!("one more"));
    assert_eq!(serde_json::from_slice::<Value>(&read.to_json().unwrap()).unwrap(), document);
}

#[test]
fn a_newer_manifest_is_refused() {
    let mut document: Value = serde_json::from_slice(&manifest().to_json().unwrap()).unwrap();
    document["version"] = json!(2);
    let error = Manifest::from_json(document.to_string().as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "written by a newer lastgood (manifest version 2)");
}

#[test]
fn a_manifest_that_lacks_something_says_what() {
    let mut document: Value = serde_json::from_slice(&manifest().to_json().unwrap()).unwrap();
    document["archive"].as_object_mut().unwrap().remove("md5");
    let error = Manifest::from_json(document.to_string().as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "not a manifest: missing field `md5`");
    document["duration"] = json!(-1);
    assert!(Manifest::from_json(document.to_string().as_bytes()).is_err());
}

#[test]
fn ten_thousand_tables_are_read_and_written() {
    let table = |n: u32| TableCensus {
        schema: "public".into(),
        name: format!("t{n}"),
        rows: Some(u64::from(n)),
        bytes: 1,
        sha256: Sha256Hex([7; 32]),
        called: None,
    };
    let mut many = manifest();
    many.census.tables = (0..10_000).map(table).collect();
    assert_eq!(Manifest::from_json(&many.to_json().unwrap()).unwrap(), many);
}
