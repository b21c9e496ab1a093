use proptest::prelude::*;

use super::super::writing::{self, NewEntry, Section};
use crate::{Damage, Format, Kind, Walk, Walked};

fn entry(dump_id: i32, kind: &str, name: &str, file: &str) -> Vec<u8> {
    let new = NewEntry {
        dump_id,
        has_data: !file.is_empty(),
        tag: name.to_owned(),
        kind: kind.to_owned(),
        section: Section::Data,
        definition: Vec::new(),
        drop: String::new(),
        copy: (kind == "TABLE DATA").then(|| b"COPY t FROM stdin;\n".to_vec()),
        raw: None,
        schema: Some("public".to_owned()),
        tablespace: None,
        access_method: None,
        owner: "me".to_owned(),
        with_oids: false,
        depends_on: None,
    };
    let mut out = Vec::new();
    writing::entry(&mut out, &new);
    // A name stands where an offset would: its flag and eight bytes.
    out.truncate(out.len() - 9);
    writing::int(&mut out, file.len() as i32);
    out.extend(file.as_bytes());
    out
}

fn toc() -> Vec<u8> {
    let mut toc = Vec::new();
    writing::header(&mut toc, "shop", "14.1", "14.1");
    toc[10] = 3;
    writing::int(&mut toc, 4);
    let entries = [
        ("TABLE", "a", ""),
        ("TABLE DATA", "a", "11.dat"),
        ("BLOBS", "BLOBS", "12.dat"),
        ("TABLE DATA", "b", "13.dat"),
    ];
    for (dump_id, (kind, name, file)) in (10..).zip(entries) {
        toc.extend(entry(dump_id, kind, name, file));
    }
    toc
}

fn member(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[148..156].fill(b' ');
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    header.extend(content);
    header.resize(header.len().next_multiple_of(512), 0);
    header
}

fn members() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("toc.dat", toc()),
        ("11.dat", b"1\n2\n\\.\n\n\n".to_vec()),
        ("blob_7.dat", vec![7; 1000]),
        ("blob_8.dat", Vec::new()),
        ("blobs.toc", b"7 blob_7.dat\n8 blob_8.dat\n".to_vec()),
        ("13.dat", b"\\.\n\n\n".to_vec()),
        ("restore.sql", b"SELECT 1;\n".to_vec()),
    ]
}

fn tar(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut tar: Vec<u8> = members.iter().flat_map(|(name, content)| member(name, content)).collect();
    tar.resize(tar.len() + 1024, 0);
    tar
}

fn walk_by(tar: &[u8], piece: usize) -> Result<Walked, Damage> {
    let mut walk = Walk::new();
    tar.chunks(piece).try_for_each(|piece| walk.feed(piece))?;
    walk.finish()
}

#[test]
fn a_tar_is_counted_as_the_archive_that_it_holds() {
    let tar = tar(&members());
    let walked = walk_by(&tar, tar.len()).unwrap();
    assert_eq!((walked.header.format, walked.header.database.as_str()), (Format::Tar, "shop"));
    let tables: Vec<_> = walked.census.tables.iter().map(|table| (table.name.as_str(), table.rows)).collect();
    assert_eq!(tables, [("a", Some(2)), ("b", Some(0))]);
    assert_eq!((walked.census.large_objects.count, walked.census.large_objects.bytes), (2, 1000));
    let mut walk = Walk::new();
    for piece in tar.chunks(300) {
        walk.feed(piece).unwrap();
        let saved = serde_json::to_string(&walk.save().unwrap()).unwrap();
        walk = Walk::resume(serde_json::from_str(&saved).unwrap());
    }
    assert_eq!(walk.finish().unwrap(), walked);
}

#[test]
fn what_a_tar_lacks_is_found_wherever_it_is_cut() {
    let whole = tar(&members());
    for cut in (0..whole.len() - 1023).step_by(97) {
        assert!(walk_by(&whole[..cut], 4096).is_err(), "cut at {cut}");
    }
    for left_out in [1, 2, 4, 5] {
        let mut members = members();
        let (name, _) = members.remove(left_out);
        let damage = walk_by(&tar(&members), 4096).unwrap_err();
        assert!(!damage.is_limit(), "without {name}: {damage}");
    }
    let mut doubled = members();
    doubled.insert(2, doubled[1].clone());
    assert!(matches!(walk_by(&tar(&doubled), 4096), Err(Damage::DuplicateBlock { .. })));
}

/// Found by reading what a fuzzer should try: no padding fits behind the largest of all sizes.
#[test]
fn a_member_as_long_as_a_number_can_say_is_cut_off() {
    let mut tar = member("toc.dat", &toc());
    let mut long = member("11.dat", b"");
    long[124] = 0x80;
    long[125..128].fill(0);
    long[128..136].fill(0xff);
    long[148..156].fill(b' ');
    let sum: u64 = long.iter().map(|&byte| u64::from(byte)).sum();
    long[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    tar.extend(long);
    tar.resize(tar.len() + 4096, b'1');
    for piece in [tar.len(), 100] {
        assert!(matches!(walk_by(&tar, piece), Err(Damage::Truncated { .. })), "in pieces of {piece}");
    }
}

#[test]
fn a_tar_of_a_folder_is_to_be_unpacked_and_any_other_is_none() {
    let mut sorted = members();
    sorted.sort_by_key(|(name, _)| *name);
    assert!(matches!(walk_by(&tar(&sorted), 4096), Err(Damage::Packed { .. })));
    // As GNU tar and others write it: what is elsewhere may be whole.
    let mut reordered = members();
    reordered.swap(1, 5);
    let mut packed: Vec<u8> =
        reordered.iter().flat_map(|(name, content)| member(&format!("./{name}"), content)).collect();
    packed.resize(packed.len() + 1024, 0);
    assert!(matches!(walk_by(&packed, 4096), Err(Damage::Packed { .. })));
    assert!(matches!(walk_by(&tar(&reordered), 4096), Err(Damage::MisplacedBlock { .. })));
    let mut other = vec![b'x'; 1024];
    other[257..262].copy_from_slice(b"ustar");
    assert_eq!(walk_by(&other, 100), Err(Damage::NotAnArchive { found: Kind::Tar }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn hostile_tars_are_read_the_same_in_any_pieces(
        at in any::<prop::sample::Index>(),
        bytes in proptest::collection::vec(any::<u8>(), 1..8),
        piece in 1_usize..700,
    ) {
        let mut tar = tar(&members());
        let at = at.index(tar.len() - bytes.len());
        tar[at..at + bytes.len()].copy_from_slice(&bytes);
        let whole = walk_by(&tar, tar.len()).map_err(|damage| std::mem::discriminant(&damage));
        let parts = walk_by(&tar, piece).map_err(|damage| std::mem::discriminant(&damage));
        prop_assert_eq!(whole, parts);
    }
}
