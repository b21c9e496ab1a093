use proptest::prelude::*;

use super::*;

#[test]
fn a_stream_cut_anywhere_is_damaged() {
    let plain = dump(3000);
    for stored in [
        store(Compression::Gzip, &plain, 1000),
        store(Compression::Zstd, &plain, 1000),
        anybodys_gzip(&plain),
        anybodys_zstd(&plain),
    ] {
        let whole_frames = borders(&stored);
        for length in 2..stored.len() {
            let found = read_back(&stored[..length]);
            // Cut between two frames, the rest is whole as frames go: the walk finds the archive's end missing.
            // Cut within the magic, it is unknown content, and the walk says so.
            let passes = whole_frames.contains(&length) || length < 4 && stored[0] == 0x28;
            assert_eq!(found.is_ok(), passes, "{length} of {}: {found:?}", stored.len());
            assert!(passes || matches!(found, Err(Damage::Truncated { offset, .. }) if offset == length as u64));
        }
    }
}

fn borders(stored: &[u8]) -> Vec<usize> {
    let mut unframe = Unframe::new();
    let border = |byte: &u8| {
        unframe.feed(&[*byte], &mut |_| Ok(())).unwrap();
        unframe.save().map(|saved| saved.position() as usize)
    };
    // The first frame's border shows only once 512 bytes of content are known, as they are in each of these.
    stored.iter().filter_map(border).filter(|&position| position > 0).collect()
}

/// All that CRC-32 and XXH64 cover: payload and trailer. A header's time or hints may change without harm to the
/// content; the digest of the stored bytes finds that.
#[test]
fn a_flipped_bit_changes_no_content_unnoticed() {
    let plain = dump(40_000);
    for stored in [
        store(Compression::Gzip, &plain, 10_000),
        store(Compression::Zstd, &plain, 10_000),
        anybodys_gzip(&plain),
        anybodys_zstd(&plain),
    ] {
        for place in random_places(1500, stored.len() * 8) {
            let mut flipped = stored.clone();
            flipped[place / 8] ^= 1 << (place % 8);
            match unframed(&flipped, flipped.len()) {
                Err(_) => {}
                // Without its magic it is no compressed stream any more: unknown content.
                Ok(_) if place / 8 < 4 => {}
                Ok(content) => assert!(content == plain, "bit {place}"),
            }
        }
    }
}

#[test]
fn a_member_that_lies_about_its_length_is_a_bad_frame() {
    let stored = store(Compression::Gzip, &dump(3000), 1000);
    let first = u32::from_le_bytes(stored[16..20].try_into().unwrap());
    let second = u32::from_le_bytes(stored[first as usize + 16..][..4].try_into().unwrap());
    for lie in [0, 1, 27, first - 1, first + 1, first + second, u32::MAX, 1 << 31, STORED_FRAME_LIMIT as u32 + 1] {
        let mut lying = stored.clone();
        lying[16..20].copy_from_slice(&lie.to_le_bytes());
        let found = read_back(&lying).unwrap_err();
        assert!(matches!(found, Damage::BadFrame { offset: 0, .. }), "{lie}: {found}");
    }
}

#[test]
fn a_member_with_a_huge_stated_size_is_a_bad_frame() {
    let mut stored = store(Compression::Gzip, &dump(1000), 1000);
    let end = stored.len();
    stored[end - 4..].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(read_back(&stored), Err(Damage::BadFrame { offset: 0, .. })));
}

#[test]
fn a_member_of_ours_that_holds_more_than_a_frame_is_a_bad_frame() {
    let fine = store(Compression::Gzip, &dump(500), 500);
    let mut deflate = vec![0; 200_000];
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::best());
    let bomb = vec![0; 50 * FRAME_SIZE];
    let length = compressor.deflate_compress(&bomb, &mut deflate).unwrap();
    let mut member = fine[..16].to_vec();
    member.extend_from_slice(&(length as u32 + 28).to_le_bytes());
    member.extend_from_slice(&deflate[..length]);
    member.extend_from_slice(&libdeflater::crc32(&bomb).to_le_bytes());
    member.extend_from_slice(&(bomb.len() as u32).to_le_bytes());
    assert!(tool("gunzip", &["-c"], &member).is_some());
    let offset = fine.len() as u64;
    let found = read_back(&[fine, member].concat()).unwrap_err();
    assert_eq!(found, Damage::BadFrame { offset, reason: "gzip member holds more than a frame may".to_owned() });
}

#[test]
fn a_zstd_frame_that_lies_about_its_content_is_a_bad_frame() {
    let stored = store(Compression::Zstd, &dump(60_000), 60_000);
    assert_eq!(stored[4] >> 6, 1, "the content size has two bytes");
    for size in [0_u16, 1000, u16::MAX] {
        let mut lying = stored.clone();
        lying[5..7].copy_from_slice(&size.to_le_bytes());
        assert!(matches!(read_back(&lying), Err(Damage::BadFrame { offset: 0, .. })), "{size}");
    }
}

/// `zstd --long=31`, `zstd --ultra` of one large block, and a frame made with a dictionary: nothing is wrong with them.
#[test]
fn a_zstd_frame_beyond_the_readers_limits_is_not_called_broken() {
    let empty_block = [1, 0, 0];
    let large = [&[0xa0][..], &(1_u32 << 30).to_le_bytes()].concat();
    for (header, word) in [(&[0, 21 << 3][..], "2048 MiB"), (&large, "1024 MiB"), (&[1, 10 << 3, 7], "dictionary")] {
        let frame = [&[0x28, 0xb5, 0x2f, 0xfd][..], header, &empty_block].concat();
        let found = read_back(&frame).unwrap_err();
        assert!(found.is_limit() && found.to_string().contains(word), "{found}");
    }
    // 128 MiB are taken, and nothing more is asked of a frame that states a small content.
    for header in [&[0, 17 << 3][..], &[0x40, 21 << 3, 0, 0]] {
        let frame = [&[0x28, 0xb5, 0x2f, 0xfd][..], header, &empty_block].concat();
        assert!(!matches!(read_back(&frame), Err(found) if found.is_limit()), "{header:?}");
    }
}

#[test]
fn a_zstd_frame_of_endless_empty_blocks_is_a_bad_frame() {
    let mut stored = vec![0x28, 0xb5, 0x2f, 0xfd, 0x20, 0];
    stored.resize(3 * FRAME_SIZE, 0);
    let found = read_back(&stored).unwrap_err();
    assert!(matches!(found, Damage::BadFrame { offset: 0, .. }));
}

#[test]
fn a_skippable_frame_of_4_gib_allocates_nothing_and_is_truncated() {
    let stored = b"\x50\x2a\x4d\x18\xff\xff\xff\xff and little more";
    assert!(matches!(read_back(stored), Err(Damage::Truncated { offset: 24, .. })));
}

#[test]
fn garbage_behind_the_last_frame_is_a_bad_frame() {
    let plain = dump(2000);
    for (stored, what) in [
        (store(Compression::Gzip, &plain, 1000), "gzip member"),
        (anybodys_gzip(&plain), "gzip member"),
        (store(Compression::Zstd, &plain, 1000), "zstd frame"),
        (anybodys_zstd(&plain), "zstd frame"),
    ] {
        let offset = stored.len() as u64;
        for garbage in [b"x".as_slice(), b"garbage behind the end", b"PGDMP"] {
            let found = read_back(&[&stored, garbage].concat()).unwrap_err();
            assert_eq!(found, Damage::BadFrame { offset, reason: format!("no {what} begins here") });
        }
    }
}

/// Thousands of frames in one read don't put thousands of blocks under way.
#[test]
fn many_tiny_frames_expand() {
    let frame = store(Compression::Gzip, b"x", 1);
    let stored = frame.repeat(30_000);
    assert!(read_back(&stored).unwrap() == vec![b'x'; 30_000]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_bytes_make_the_readers_panic_or_differ(
        start in prop_oneof![
            Just(b"".as_slice()),
            Just(b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x08\0LG\x04\0\x40\0\0\0".as_slice()),
            Just(b"\x1f\x8b\x08\0".as_slice()),
            Just(b"\x28\xb5\x2f\xfd".as_slice()),
            Just(b"\x50\x2a\x4d\x18\x02\0\0\0".as_slice()),
        ],
        rest in proptest::collection::vec(any::<u8>(), 0..400),
        piece in 1..50_usize,
    ) {
        let stored = [start, &rest].concat();
        prop_assert_eq!(expand(&stored, 2), unframed(&stored, piece));
    }

    #[test]
    fn ours_with_any_byte_changed_neither_panic_nor_differ(
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        compression in prop_oneof![Just(Compression::Gzip), Just(Compression::Zstd)],
    ) {
        let mut stored = store(compression, &dump(2000), 500);
        let place = place.index(stored.len());
        stored[place] = byte;
        prop_assert_eq!(expand(&stored, 2), unframed(&stored, 100));
    }
}
