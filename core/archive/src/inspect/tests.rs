use std::io::{self, Read, Write as _};

use proptest::prelude::*;

use super::*;
use crate::{Compression, Digester, FrameSettings, compress};

/// Dumps that real servers made, by pg_dump into a pipe.
const DUMP: &[u8] = include_bytes!("../../tests/fixtures/pg18-none-piped.dump");
const COMPRESSED_INSIDE: &[u8] = include_bytes!("../../tests/fixtures/pg18-zlib-file.dump");

fn store(compression: Compression, plain: &[u8], size: usize) -> Vec<u8> {
    let (mut input, output) = compress(FrameSettings { compression, level: None, threads: 2 }).unwrap();
    let frames = std::thread::spawn(move || output.map(Result::unwrap).collect::<Vec<_>>().concat());
    plain.chunks(size).for_each(|block| input.push(block.to_vec()).unwrap());
    input.finish();
    frames.join().unwrap()
}

fn anybodys_gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn digest(stored: &[u8]) -> Digest {
    let mut digester = Digester::new();
    digester.update(stored);
    digester.finish()
}

fn walked(plain: &[u8]) -> Walked {
    let mut walk = Walk::new();
    walk.feed(plain).unwrap();
    walk.finish().unwrap()
}

fn feed(stored: &[u8], piece: usize) -> Inspected {
    let mut inspection = Inspection::new();
    stored.chunks(piece).for_each(|bytes| inspection.feed(bytes));
    inspection.finish()
}

/// What all our forms agree on.
fn inspected(stored: &[u8]) -> Inspected {
    let pulled = inspect(stored, 3).unwrap();
    assert_eq!(inspect(stored, 1).unwrap(), pulled);
    assert_eq!(feed(stored, 1000), pulled);
    assert_eq!(feed(stored, stored.len().max(1)), pulled);
    assert_eq!(pulled.digest, digest(stored));
    pulled
}

#[test]
fn an_archive_is_walked_however_it_is_stored() {
    use Kind::{CustomArchive, Gzip, Zstd};
    for dump in [DUMP, COMPRESSED_INSIDE] {
        let table = [
            (dump.to_vec(), vec![CustomArchive]),
            (store(Compression::Gzip, dump, 3000), vec![Gzip, CustomArchive]),
            (store(Compression::Zstd, dump, 3000), vec![Zstd, CustomArchive]),
            (anybodys_gzip(dump), vec![Gzip, CustomArchive]),
        ];
        for (stored, kinds) in table {
            let content = Content::Walked(walked(dump));
            assert_eq!(inspected(&stored), Inspected { digest: digest(&stored), kinds, content });
        }
    }
}

#[test]
fn what_is_no_archive_is_damaged_and_named() {
    let mut tar = vec![b'x'; 1024];
    tar[257..262].copy_from_slice(b"ustar");
    let table = [
        (Vec::new(), Kind::Empty),
        (b"-- ours\nSELECT 1;\n".to_vec(), Kind::PlainSql),
        (b"<Error><Code>NoSuchKey</Code></Error>".repeat(30), Kind::Unknown),
        (tar, Kind::Tar),
    ];
    for (bytes, found) in table {
        let content = Content::Damaged(Damage::NotAnArchive { found });
        assert_eq!(inspected(&bytes).content, content);
        assert_eq!(inspected(&store(Compression::Gzip, &bytes, 100)).content, content);
        assert_eq!(inspected(&anybodys_gzip(&bytes)).kinds, [Kind::Gzip, found]);
    }
}

#[test]
fn damage_does_not_stop_the_digest() {
    let mut stored = store(Compression::Gzip, DUMP, 2000);
    stored[100] ^= 1;
    stored.resize(stored.len() + 5_000_000, 7);
    let found = inspected(&stored);
    assert!(matches!(found.content, Content::Damaged(Damage::BadFrame { offset: 0, .. })));
    assert_eq!(found.digest, digest(&stored));
}

#[test]
fn an_archive_cut_at_any_frame_or_within_is_damaged() {
    for compression in [Compression::Gzip, Compression::Zstd, Compression::None] {
        let stored = store(compression, DUMP, 997);
        for length in (0..stored.len()).step_by(53) {
            let cut = feed(&stored[..length], 4096);
            assert!(matches!(cut.content, Content::Damaged(_)), "{compression} {length}");
        }
    }
}

#[test]
fn what_is_encrypted_stays_unread_but_is_digested() {
    let stored = [b"age-encryption.org/v1\n-> X25519 abc\n".as_slice(), &[7; 100_000]].concat();
    let expected = Inspected { digest: digest(&stored), kinds: vec![Kind::Age], content: Content::Unread };
    assert_eq!(inspected(&stored), expected);
    assert_eq!(feed(&stored, 7), expected);
}

const AGE: &[u8] = b"age-encryption.org/v1\n";

/// A cipher in age's place: the hook is tested here, age where it is used.
struct Xor<R>(R);

impl<R: Read> Read for Xor<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.0.read(buffer)?;
        buffer[..length].iter_mut().for_each(|byte| *byte ^= 0x55);
        if buffer[..length].contains(&0xff) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "decryption error"));
        }
        Ok(length)
    }
}

fn decrypt(mut stored: StoredReader<'_>) -> io::Result<Option<StoredReader<'_>>> {
    stored.read_exact(&mut [0; AGE.len()])?;
    Ok(Some(Box::new(Xor(stored))))
}

#[test]
fn a_key_opens_what_is_encrypted_and_the_digest_is_of_the_encrypted_bytes() {
    let plain: Vec<u8> = DUMP.iter().copied().filter(|&byte| byte != 0xff).collect();
    let stored = [AGE, &plain.iter().map(|byte| byte ^ 0x55).collect::<Vec<_>>()].concat();
    for threads in [1, 2] {
        let found = inspect_with(stored.as_slice(), threads, decrypt).unwrap();
        assert_eq!(found.kinds, [Kind::Age, Kind::CustomArchive]);
        assert_eq!(found.content, feed(&plain, 1000).content);
        assert_eq!(found.digest, digest(&stored));
    }
}

#[test]
fn encryption_that_proves_false_is_damage_and_the_digest_is_whole() {
    let plain: Vec<u8> = DUMP.iter().copied().filter(|&byte| byte != 0xff).take(10_000).collect();
    let encrypted: Vec<u8> = plain.iter().chain(&[0xff]).map(|byte| byte ^ 0x55).collect();
    let stored = [AGE, &encrypted, &[0; 900_000]].concat();
    for threads in [1, 2] {
        let found = inspect_with(stored.as_slice(), threads, decrypt).unwrap();
        assert!(matches!(found.content, Content::Damaged(Damage::BadEncryption { .. })), "{found:?}");
        assert_eq!(found.digest, digest(&stored));
    }
}

#[test]
fn a_key_that_cannot_be_read_is_a_failure() {
    let refuse = |_: StoredReader<'_>| Err(io::Error::new(io::ErrorKind::NotFound, "no such identity file"));
    assert_eq!(inspect_with(AGE, 1, refuse).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn stored_bytes_that_cannot_be_read_are_a_failure() {
    struct Away;
    impl Read for Away {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
    let gzip = store(Compression::Gzip, DUMP, 1000);
    let encrypted = [AGE, &[0; 2000]].concat();
    for stored in [&b""[..], DUMP, &gzip, &gzip[..gzip.len() / 2], b"no archive at all", &encrypted] {
        for threads in [1, 2] {
            assert!(inspect_with(stored.chain(Away), threads, decrypt).is_err());
        }
    }
}

/// Feeds pieces, and after each stops and goes on elsewhere if that is possible.
fn feed_with_stops(stored: &[u8], piece: usize) -> (Inspected, usize) {
    let (mut inspection, mut stops, mut fed) = (Inspection::new(), 0, 0);
    while fed < stored.len() {
        let position = inspection.position() as usize;
        let end = stored.len().min(fed.max(position) + piece);
        inspection.feed(&stored[position..end]);
        fed = end;
        if let Some(saved) = inspection.save() {
            let saved: SavedInspection = serde_json::from_str(&serde_json::to_string(&saved).unwrap()).unwrap();
            assert!(saved.position() as usize <= end);
            inspection = Inspection::resume(saved);
            stops += 1;
        }
    }
    let position = inspection.position() as usize;
    inspection.feed(&stored[position..]);
    (inspection.finish(), stops)
}

#[test]
fn stopping_at_every_frame_changes_nothing() {
    let mut broken = store(Compression::Gzip, DUMP, 500);
    let middle = broken.len() / 2;
    broken[middle] ^= 0x10;
    for stored in [
        store(Compression::Gzip, DUMP, 500),
        store(Compression::Zstd, DUMP, 500),
        store(Compression::Gzip, COMPRESSED_INSIDE, 500),
        DUMP.to_vec(),
        COMPRESSED_INSIDE.to_vec(),
        broken,
        [AGE, &[1; 5000]].concat(),
        vec![b'x'; 5000],
    ] {
        for piece in [90, 301, 1000] {
            let (resumed, stops) = feed_with_stops(&stored, piece);
            assert_eq!(resumed, inspected(&stored));
            assert!(stops >= stored.len() / piece / 4, "{stops} of {}", stored.len() / piece);
        }
    }
}

/// The places that whoever writes this archive knows, one behind each frame, and its stored bytes.
fn written(compression: Compression, dump: &[u8], frame: usize) -> (Chain, Vec<u8>) {
    let (mut chain, mut stored) = (Chain::default(), Vec::new());
    let (mut digester, mut walk) = (Digester::new(), Walk::counting());
    for plain in dump.chunks(frame) {
        let frame = store(compression, plain, frame);
        digester.update(&frame);
        stored.extend(frame);
        walk.feed(plain).unwrap();
        if let Some(walk) = walk.save() {
            chain.push(&SavedInspection::behind_frame(digester.clone(), compression, walk));
        }
    }
    (chain, stored)
}

fn reread(chain: &Chain) -> Chain {
    serde_json::from_slice(&serde_json::to_vec(chain).unwrap()).unwrap()
}

/// Reads from one place to the next; whether it ends there.
fn proves(chain: &Chain, number: usize, stored: &[u8]) -> bool {
    let (begin, end) = chain.link(number).unwrap();
    let (begin, end) = (begin, end.unwrap());
    let from = begin.as_ref().map_or(0, SavedInspection::position) as usize;
    let mut inspection = begin.map_or_else(Inspection::new, Inspection::resume);
    let Some(stored) = stored.get(from..end.position() as usize) else { return false };
    stored.chunks(333).for_each(|piece| inspection.feed(piece));
    inspection.save().is_some_and(|place| place.is_same(&end))
}

#[test]
fn each_part_of_an_archive_proves_where_the_next_one_begins() {
    for (dump, compression) in [
        (DUMP, Compression::Gzip),
        (DUMP, Compression::Zstd),
        (DUMP, Compression::None),
        (COMPRESSED_INSIDE, Compression::Gzip),
    ] {
        let (chain, stored) = written(compression, dump, 600);
        let chain = reread(&chain);
        assert!(chain.len() > 4, "{}", chain.len());
        assert!((1..=chain.len()).all(|number| proves(&chain, number, &stored)), "{compression}");
        let (_, last) = chain.link(chain.len()).unwrap();
        let last = last.unwrap();
        let rest = &stored[last.position() as usize..];
        let mut inspection = Inspection::resume(last);
        inspection.feed(rest);
        assert_eq!(inspection.finish(), inspected(&stored));
    }
}

#[test]
fn a_flipped_bit_and_a_forged_place_break_the_chain_where_they_are() {
    let (chain, stored) = written(Compression::Gzip, DUMP, 600);
    let (begin, end) = chain.link(3).unwrap();
    let place = usize::midpoint(begin.unwrap().position() as usize, end.unwrap().position() as usize);
    let mut flipped = stored.clone();
    flipped[place] ^= 4;
    let holds: Vec<_> = (1..=chain.len()).filter(|&number| !proves(&chain, number, &flipped)).collect();
    assert_eq!(holds, [3]);

    let honest = serde_json::to_string(&chain).unwrap();
    let size = chain.link(3).unwrap().1.unwrap().position();
    let forged: Chain =
        serde_json::from_str(&honest.replacen(&format!("{size}"), &format!("{}", size + 1), 1)).unwrap();
    assert!((1..=forged.len()).any(|number| !proves(&forged, number, &stored)));
}

#[test]
fn a_chain_that_does_more_than_change_is_not_followed() {
    let (chain, _) = written(Compression::Gzip, DUMP, 600);
    assert_eq!(chain.link(chain.len() + 1).unwrap_err(), BrokenChain::NoSuchPlace(chain.len() + 1));
    let mut json = serde_json::to_value(&chain).unwrap();
    json["then"][0] = serde_json::json!([{"op": "copy", "from": "/progress", "path": "/digester"}]);
    let hostile: Chain = serde_json::from_value(json).unwrap();
    assert!(hostile.link(1).is_ok());
    assert!(matches!(hostile.link(2), Err(BrokenChain::Place { place: 2, .. })), "{:?}", hostile.link(2));
    assert_eq!(Chain::default().link(1).unwrap_err(), BrokenChain::NoSuchPlace(1));
}

#[test]
fn what_is_encrypted_has_places_everywhere() {
    let stored = [AGE, &[7; 9000]].concat();
    let mut head = Inspection::new();
    head.feed(&stored[..1000]);
    let head = head.save().unwrap();
    let mut chain = Chain::default();
    for end in [2000, 3001, 8000] {
        let mut digester = Digester::new();
        digester.update(&stored[..end]);
        chain.push(&head.further(digester).unwrap());
    }
    assert!((1..=3).all(|number| proves(&chain, number, &stored)));
    assert!(serde_json::to_string(&chain).unwrap().len() < 1500, "it knows nothing of what is in it");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_flipped_bit_is_found_in_the_digest_or_the_content(place in any::<prop::sample::Index>(), gzip in any::<bool>()) {
        let compression = if gzip { Compression::Gzip } else { Compression::Zstd };
        let stored = store(compression, DUMP, 4000);
        let mut flipped = stored.clone();
        let place = place.index(stored.len() * 8);
        flipped[place / 8] ^= 1 << (place % 8);
        let found = inspected(&flipped);
        prop_assert_ne!(found.digest, digest(&stored));
        let same = Content::Walked(walked(DUMP));
        prop_assert!(matches!(found.content, Content::Damaged(_)) || found.content == same);
    }

    #[test]
    fn any_bytes_are_inspected_alike_by_all_forms(stored in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let found = inspected(&stored);
        prop_assert!(matches!(found.content, Content::Damaged(_)));
    }
}
