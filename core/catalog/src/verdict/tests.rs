use archive::{
    Census, Crc64, Damage, FormatVersion, Header, InnerCompression, Inspected, Md5, Sha256Hex, TableCensus, Walked,
};
use serde_json::{Value, json};

use super::*;
use crate::manifest::Encryption;
use crate::testing::{SIZE, manifest, object, time};

const AT: &str = "2026-01-20T03:05:00Z";

fn verifier() -> Verifier {
    Verifier { name: "function".into(), version: "0.1.0".into(), host: "lastgood-verify".into() }
}

fn stored() -> Object {
    let manifest = manifest();
    Object {
        version_id: manifest.archive.version_id,
        etag: manifest.archive.etag,
        ..object(&manifest.archive.key, SIZE, time("2026-01-20T03:00:00Z"))
    }
}

fn walked(census: Census) -> archive::Content {
    let header = Header {
        format: archive::Format::Custom,
        version: FormatVersion { major: 1, minor: 14, revision: 0 },
        int_size: 4,
        offset_size: 8,
        compression: InnerCompression::None,
        created: "2026-01-20 03:00:00".into(),
        database: "app".into(),
        server_version: "15.14".into(),
        pg_dump_version: "15.14".into(),
    };
    archive::Content::Walked(Walked { header, census, portion: None })
}

/// Reading finds exactly what the manifest promises.
fn faithful() -> Inspected {
    let manifest = manifest();
    Inspected { digest: manifest.archive.digest, kinds: vec![archive::Kind::Gzip], content: walked(manifest.census) }
}

fn judged(manifest: Option<&Manifest>, expected: &Expected, inspected: &Inspected) -> Verdict {
    judge(manifest, Evidence { object: &stored(), expected, inspected }, time(AT), verifier())
}

fn codes(verdict: &Verdict) -> Vec<&str> {
    assert_eq!(verdict.outcome == Outcome::Intact, verdict.findings.is_empty());
    verdict.findings.iter().map(|finding| finding.code.as_str()).collect()
}

fn sentence(verdict: &Verdict) -> String {
    verdict.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_backup_that_is_as_its_manifest_says_is_intact() {
    let verdict = judged(Some(&manifest()), &Expected::default(), &faithful());
    assert_eq!((verdict.outcome, verdict.content), (Outcome::Intact, Content::Read));
    assert_eq!(verdict.record(), Record::Intact);
}

#[test]
fn other_bytes_are_damaged() {
    let mut flipped = faithful();
    flipped.digest.md5 = Md5([0; 16]);
    let verdict = judged(Some(&manifest()), &Expected::default(), &flipped);
    assert_eq!(codes(&verdict), ["digest"]);
    assert_eq!(
        sentence(&verdict),
        "the bytes' MD5 is 00000000000000000000000000000000, the manifest says abababababababababababababababab"
    );
    assert_eq!(verdict.record(), Record::Damaged);

    let mut crossed = faithful();
    crossed.digest.crc64nvme = Crc64(1);
    assert_eq!(codes(&judged(Some(&manifest()), &Expected::default(), &crossed)), ["digest"]);
}

#[test]
fn fewer_bytes_than_listed_or_promised_are_damaged() {
    let mut short = faithful();
    short.digest.size -= 1;
    let verdict = judged(Some(&manifest()), &Expected::default(), &short);
    assert_eq!(codes(&verdict), ["size", "size"]);
    assert_eq!(
        sentence(&verdict),
        "999999 bytes were read, the store lists 1000000\n999999 bytes are stored, the manifest says 1000000"
    );
}

#[test]
fn no_bytes_are_never_intact() {
    let mut digest = manifest().archive.digest;
    digest.size = 0;
    for content in [archive::Content::Unread, walked(Census::default())] {
        let nothing = Inspected { digest: digest.clone(), kinds: vec![archive::Kind::Empty], content };
        let empty = object(&stored().key, 0, time(AT));
        for manifest in [Some(&manifest()), None] {
            let verdict = judge(
                manifest,
                Evidence { object: &empty, expected: &Expected::default(), inspected: &nothing },
                time(AT),
                verifier(),
            );
            assert_eq!(codes(&verdict), ["empty"]);
        }
    }
}

#[test]
fn damage_within_keeps_its_kind_and_its_words() {
    let cut = Damage::Truncated { offset: 77, within: "table public.users".into() };
    let inspected = Inspected { content: archive::Content::Damaged(cut.clone()), ..faithful() };
    let verdict = judged(Some(&manifest()), &Expected::default(), &inspected);
    assert_eq!(codes(&verdict), ["truncated"]);
    assert_eq!(sentence(&verdict), cut.to_string());
    assert!(!verdict.is_intact() && !verdict.is_no_archive());
    let (object, nothing) = (stored(), Expected::default());
    let evidence = Evidence { object: &object, expected: &nothing, inspected: &inspected };
    assert_eq!(beyond_limits(None, evidence), None, "damaged is not unknown");
    let sql = Damage::NotAnArchive { found: archive::Kind::PlainSql };
    let inspected = Inspected { content: archive::Content::Damaged(sql), ..faithful() };
    let verdict = judged(None, &Expected::default(), &inspected);
    assert_eq!(codes(&verdict), ["not_an_archive"]);
    assert!(verdict.is_no_archive());
    assert_eq!(verdict.findings[0].code.to_string(), "not_an_archive");
}

#[test]
fn a_differing_census_names_the_tables() {
    let mut census = manifest().census;
    census.tables[0].rows = Some(11);
    census.tables.remove(1);
    census.large_objects.count = 2;
    census.tables.push(TableCensus {
        schema: "public".into(),
        name: "ghosts".into(),
        rows: Some(0),
        bytes: 0,
        sha256: Sha256Hex::default(),
        called: None,
    });
    let inspected = Inspected { content: walked(census), ..faithful() };
    let verdict = judged(Some(&manifest()), &Expected::default(), &inspected);
    assert_eq!(codes(&verdict), ["census"]);
    insta::assert_snapshot!(sentence(&verdict), @r#"other content than the manifest says: table public.users has 11 rows, not 12; table audit.log of "all" is missing; there are 2 large objects, not 1; table public.ghosts isn't in the manifest"#);
}

#[test]
fn a_table_whose_text_changed_but_not_its_size_differs() {
    let mut census = manifest().census;
    census.tables[0].sha256 = Sha256Hex([9; 32]);
    census.tables[1].bytes = 1;
    census.large_objects.sha256 = Sha256Hex([9; 32]);
    let inspected = Inspected { content: walked(census), ..faithful() };
    insta::assert_snapshot!(sentence(&judged(Some(&manifest()), &Expected::default(), &inspected)), @r#"other content than the manifest says: table public.users has other content of the same size; table audit.log of "all" has 1 bytes, not 6789; the large objects have other content of the same size"#);
}

#[test]
fn many_differing_tables_are_counted() {
    let mut promised = manifest();
    let table = promised.census.tables[0].clone();
    promised.census.tables = (0..300).map(|n| TableCensus { name: format!("t{n}"), ..table.clone() }).collect();
    let verdict =
        judged(Some(&promised), &Expected::default(), &Inspected { content: walked(Census::default()), ..faithful() });
    assert!(sentence(&verdict).ends_with("table public.t4 is missing; and 296 more"), "{}", sentence(&verdict));
}

#[test]
fn the_order_of_tables_does_not_matter() {
    let mut census = manifest().census;
    census.tables.reverse();
    let inspected = Inspected { content: walked(census), ..faithful() };
    assert!(judged(Some(&manifest()), &Expected::default(), &inspected).is_intact());
}

/// Names that aren't UTF-8 look alike.
#[test]
fn tables_of_one_name_are_all_compared() {
    let named = |rows: u64| TableCensus { name: "t\u{fffd}".into(), rows: Some(rows), ..TableCensus::default() };
    let mut promised = manifest();
    promised.census.tables.extend([named(5), named(2)]);
    let judged_with = |rows: &[u64]| {
        let mut census = manifest().census;
        census.tables.extend(rows.iter().map(|rows| named(*rows)));
        judged(Some(&promised), &Expected::default(), &Inspected { content: walked(census), ..faithful() })
    };
    assert!(judged_with(&[5, 2]).is_intact() && judged_with(&[2, 5]).is_intact());
    assert!(sentence(&judged_with(&[5, 5])).ends_with(" has 5 rows, not 2"));
    assert!(sentence(&judged_with(&[5])).ends_with(" is missing"));
    assert!(sentence(&judged_with(&[5, 2, 2])).ends_with(" isn't in the manifest"));
}

#[test]
fn a_manifest_of_another_backup_proves_nothing() {
    let other = Manifest { stem: "app_backup_2026".parse().unwrap(), ..manifest() };
    assert_eq!(codes(&judged(Some(&other), &Expected::default(), &faithful())), ["stem"]);
}

#[test]
fn an_archive_encrypted_for_others_is_intact_unread_by_its_digest_alone() {
    let unread = Inspected { content: archive::Content::Unread, ..faithful() };
    let mut encrypted = manifest();
    encrypted.archive.encryption = Some(Encryption { recipients: vec!["age1example".into()] });
    let verdict = judged(Some(&encrypted), &Expected::default(), &unread);
    assert_eq!((verdict.outcome, verdict.content), (Outcome::Intact, Content::Unread));

    assert_eq!(codes(&judged(Some(&manifest()), &Expected::default(), &unread)), ["unproven"]);
    assert_eq!(codes(&judged(None, &Expected::default(), &unread)), ["unproven"]);
    let proof = Expected { metadata: Some(unread.digest.md5), ..Expected::default() };
    assert!(judged(None, &proof, &unread).is_intact());
}

#[test]
fn what_is_beyond_the_readers_limits_is_proved_by_its_digest_or_unknown() {
    let limits = [
        Damage::UnsupportedVersion { major: 1, minor: 17 },
        Damage::BeyondLimits { offset: 0, reason: "it takes 2048 MiB of memory to decompress".into() },
    ];
    for limit in limits {
        let beyond = Inspected { content: archive::Content::Damaged(limit.clone()), ..faithful() };
        let (object, nothing) = (stored(), Expected::default());
        let evidence = |expected| Evidence { object: &object, expected, inspected: &beyond };
        assert_eq!(beyond_limits(None, evidence(&nothing)), Some(&limit));

        let verdict = judged(Some(&manifest()), &nothing, &beyond);
        assert_eq!((verdict.outcome, verdict.content), (Outcome::Intact, Content::Unread));
        assert_eq!(beyond_limits(Some(&manifest()), evidence(&nothing)), None);
        let proof = Expected { metadata: Some(beyond.digest.md5), ..Expected::default() };
        assert!(judged(None, &proof, &beyond).is_intact() && beyond_limits(None, evidence(&proof)).is_none());

        let mut other = beyond.clone();
        other.digest.md5 = Md5([0; 16]);
        assert_eq!(codes(&judged(Some(&manifest()), &nothing, &other)), ["digest"]);
    }
}

#[test]
fn a_broken_manifest_makes_a_backup_damaged_and_its_bytes_not() {
    let broken = Manifest::from_json(b"{").unwrap_err();
    let verdict = judged(None, &Expected::default(), &faithful()).with_broken_manifest(&broken);
    assert_eq!(codes(&verdict), ["manifest"]);
    assert!(
        verdict.blames_the_manifest_alone() && sentence(&verdict).starts_with("its manifest is broken: not a manifest")
    );
    let cut = Inspected { content: archive::Content::Damaged(Damage::TrailingBytes { offset: 1 }), ..faithful() };
    let verdict = judged(None, &Expected::default(), &cut).with_broken_manifest(&broken);
    assert!(!verdict.blames_the_manifest_alone());
    assert!(!judged(None, &Expected::default(), &faithful()).blames_the_manifest_alone());
}

/// The guide's scripts wrote the MD5 into the metadata and compared it with itself.
#[test]
fn a_guest_is_compared_with_what_its_uploader_and_the_store_said() {
    let right = faithful().digest;
    assert!(judged(None, &Expected::default(), &faithful()).is_intact());
    let expected = Expected { metadata: Some(right.md5), etag: Some(right.md5), crc64nvme: Some(right.crc64nvme) };
    assert!(judged(None, &expected, &faithful()).is_intact());

    let wrong = Expected { metadata: Some(Md5([1; 16])), ..expected.clone() };
    assert_eq!(codes(&judged(None, &wrong, &faithful())), ["digest"]);
    let wrong = Expected { etag: Some(Md5([1; 16])), crc64nvme: Some(Crc64(1)), ..expected };
    assert_eq!(codes(&judged(None, &wrong, &faithful())), ["checksum", "checksum"]);
}

#[test]
fn only_digests_of_whole_objects_are_expected() {
    let md5 = "abababababababababababababababab";
    let all = Expected::new(Some(md5), Some(&format!("\"{md5}\"")), false, Some("rosUhgp5mIg="));
    assert_eq!(all.metadata, Some(Md5([0xab; 16])));
    assert_eq!((all.etag, all.crc64nvme), (all.metadata, Some(Crc64(0xae8b_1486_0a79_9888))));
    let none = Expected::new(Some("none"), Some(&format!("\"{md5}-8\"")), false, Some("rosUhgp5mIg=-8"));
    assert_eq!(none, Expected::default());
    assert_eq!(Expected::new(None, Some(md5), true, None), Expected::default(), "with KMS no ETag is an MD5");
}

#[test]
fn a_verdict_is_about_bytes_and_not_about_a_name() {
    let verdict = judged(Some(&manifest()), &Expected::default(), &faithful());
    let same = stored();
    let changed = |change: fn(&mut Object)| {
        let mut object = stored();
        change(&mut object);
        verdict.is_about(&object)
    };
    assert!(verdict.is_about(&same));
    assert!(changed(|object| object.etag = object.etag.as_ref().map(|etag| format!("\"{etag}\""))));
    assert!(changed(|object| object.version_id = None), "a listing without versions still has ETags");
    assert!(!changed(|object| object.version_id = Some("another".into())));
    assert!(!changed(|object| (object.version_id, object.etag) = (None, Some("another".into()))));
    assert!(!changed(|object| object.size += 1));
    assert!(!changed(|object| object.key.push('x')));
}

#[test]
fn where_nothing_pins_the_bytes_the_verdict_must_be_the_younger() {
    let file = |written| object("app_backup_initial.sql.gz", SIZE, time(written));
    let verdict = judge(
        None,
        Evidence { object: &file(AT), expected: &Expected::default(), inspected: &faithful() },
        time(AT),
        verifier(),
    );
    assert!(verdict.is_about(&file("2026-01-20T03:00:00Z")));
    assert!(!verdict.is_about(&file("2026-01-20T03:05:01Z")));
    let null = Object { version_id: Some("null".into()), ..file("2026-01-20T03:05:01Z") };
    assert!(!verdict.is_about(&null), "version null is whatever was written last");
}

#[test]
fn what_could_not_be_read_is_damaged_too() {
    let missing = Verdict::missing(&manifest(), time(AT), verifier());
    assert_eq!(codes(&missing), ["missing"]);
    assert!(missing.is_about(&stored()));
    let uncommitted = Verdict::uncommitted(&stored(), time(AT), verifier());
    assert_eq!(codes(&uncommitted), ["uncommitted"]);
    assert!(uncommitted.is_uncommitted() && !missing.is_uncommitted());
    let unfinished = Verdict::unfinished(&stored(), 7, time(AT), verifier());
    assert_eq!(codes(&unfinished), ["unfinished"]);
    assert_eq!(sentence(&unfinished), "only 7 of 1000000 bytes could be read in the time there was");
}

#[test]
fn the_verdict_is_this_document() {
    let cut = Damage::Truncated { offset: 77, within: "table public.users".into() };
    let inspected = Inspected { content: archive::Content::Damaged(cut), ..faithful() };
    let verdict = judged(Some(&manifest()), &Expected::default(), &inspected);
    let json = verdict.to_json().unwrap();
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("verdict-v1", String::from_utf8(json.clone()).unwrap());
    });
    assert_eq!(Verdict::from_json(&json).unwrap(), verdict);
}

#[test]
fn codes_of_later_versions_are_read_and_newer_majors_refused() {
    let missing = Verdict::missing(&manifest(), time(AT), verifier());
    let mut document: Value = serde_json::from_slice(&missing.to_json().unwrap()).unwrap();
    document["findings"][0]["code"] = json!("later");
    let read = Verdict::from_json(document.to_string().as_bytes()).unwrap();
    assert_eq!(codes(&read), ["later"]);
    document["version"] = json!(2);
    let error = Verdict::from_json(document.to_string().as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "written by a newer lastgood (verdict version 2)");
}

#[test]
fn the_median_of_those_before_is_in_the_middle_and_unknown_without_any() {
    let medians = |bytes: &[u64], rows: &[u64]| {
        let extent = Extent::beside(1, 2, bytes, rows);
        (extent.median_bytes, extent.median_rows)
    };
    assert_eq!(medians(&[], &[]), (None, None));
    assert_eq!(medians(&[9], &[]), (Some(9), None));
    assert_eq!(medians(&[30, 10, 20], &[4, 1]), (Some(20), Some(2)));
    assert_eq!(medians(&[u64::MAX, u64::MAX], &[0, 0]), (Some(u64::MAX), Some(0)));
}

#[test]
fn what_nothing_proves_may_have_been_misread() {
    let (manifest, nothing) = (manifest(), Expected::default());
    let may = |manifest: Option<&Manifest>, expected: &Expected, inspected: &Inspected| {
        may_be_misread(manifest, Evidence { object: &stored(), expected, inspected })
    };
    let digest = |change: fn(&mut archive::Digest)| {
        let mut read = faithful();
        change(&mut read.digest);
        read
    };
    let other = digest(|digest| digest.md5 = Md5([7; 16]));
    assert!(may(Some(&manifest), &nothing, &other), "other bytes than were promised");
    assert!(may(None, &nothing, &other), "a guest of whom nobody says anything");
    assert!(!may(Some(&manifest), &nothing, &faithful()), "the bytes that were promised");
    let stored_so = Expected { etag: Some(Md5([7; 16])), ..Expected::default() };
    assert!(!may(Some(&manifest), &stored_so, &other), "the store has these very bytes");
    assert!(!may(None, &Expected { metadata: Some(Md5([7; 16])), ..Expected::default() }, &other));
    let crc = Expected { crc64nvme: Some(other.digest.crc64nvme), ..Expected::default() };
    assert!(!may(None, &crc, &other));
    assert!(!may(Some(&manifest), &nothing, &digest(|digest| digest.size -= 1)), "less came than there is");
    let longer = digest(|digest| digest.size += 1);
    let object = Object { size: SIZE + 1, ..stored() };
    let evidence = Evidence { object: &object, expected: &nothing, inspected: &longer };
    assert!(!may_be_misread(Some(&manifest), evidence), "more is stored than was promised");
    assert!(may_be_misread(None, evidence));
}

#[test]
fn a_share_of_nothing_is_unknown() {
    let shares = |bytes: &[u64], rows: &[u64]| {
        let extent = Extent::beside(5, 30, bytes, rows);
        (extent.size_ratio(), extent.row_ratio())
    };
    assert_eq!(shares(&[10], &[20]), (Some(0.5), Some(1.5)));
    assert_eq!(shares(&[], &[20]), (None, Some(1.5)));
    assert_eq!(shares(&[10], &[0]), (Some(0.5), None));
}
