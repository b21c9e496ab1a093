use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;

use super::*;

/// The longest that something is waited for, on a machine that is busy.
const MOMENT: Duration = Duration::from_secs(60);

#[test]
fn people_read_our_frames_with_their_own_tools() {
    let plain = dump(3 * FRAME_SIZE + 12_345);
    let gzip = store(Compression::Gzip, &plain, FRAME_SIZE);
    assert!(tool("gunzip", &["-c"], &gzip) == Some(plain.clone()));
    assert!(tool("zcat", &[], &gzip) == Some(plain.clone()));
    assert!(tool("gzip", &["-t"], &gzip).is_some());
    let zstd = store(Compression::Zstd, &plain, FRAME_SIZE);
    assert!(tool("zstd", &["-dc"], &zstd) == Some(plain.clone()));
    assert!(tool("zstd", &["-t"], &zstd).is_some());
    assert!(store(Compression::None, &plain, FRAME_SIZE) == plain);
}

#[test]
fn an_empty_dump_is_a_valid_empty_stream() {
    for (compression, program) in [(Compression::Gzip, "gzip"), (Compression::Zstd, "zstd")] {
        let stored = store(compression, b"", FRAME_SIZE);
        assert!(!stored.is_empty());
        assert_eq!(tool(program, &["-dc"], &stored).as_deref(), Some(b"".as_slice()));
        assert_eq!(read_back(&stored).unwrap(), b"");
    }
    assert_eq!(store(Compression::None, b"", FRAME_SIZE), b"");
}

#[test]
fn a_member_says_its_length_in_the_lg_subfield() {
    let frames = compress_blocks(
        FrameSettings { compression: Compression::Gzip, level: None, threads: 1 },
        [dump(1000).as_slice(), &dump(FRAME_SIZE)],
    );
    for frame in frames {
        assert_eq!(frame[..16], [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, b'L', b'G', 4, 0]);
        assert_eq!(u32::from_le_bytes(frame[16..20].try_into().unwrap()) as usize, frame.len());
    }
}

#[test]
fn what_does_not_compress_still_fits_a_frame() {
    let mut noise = vec![0; FRAME_SIZE];
    random_places(FRAME_SIZE, 256).iter().zip(&mut noise).for_each(|(&random, byte)| *byte = random as u8);
    for compression in [Compression::Gzip, Compression::Zstd] {
        for level in [1, 6, 12] {
            let settings = FrameSettings { compression, level: Some(level), threads: 1 };
            let stored = compress_blocks(settings, [noise.as_slice()]).concat();
            assert!(stored.len() <= STORED_FRAME_LIMIT);
            assert!(read_back(&stored).unwrap() == noise);
        }
    }
}

/// What libdeflate makes of a block, in bytes.
fn libdeflate(block: &[u8]) -> usize {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    compressor.deflate_compress(block, &mut vec![0; STORED_FRAME_LIMIT]).unwrap()
}

/// A gzip frame of the block, of its deflated bytes alone.
fn deflated(block: &[u8]) -> usize {
    let frames = compress_blocks(FrameSettings { compression: Compression::Gzip, level: None, threads: 1 }, [block]);
    assert!(read_back(&frames[0]).unwrap() == block);
    frames[0].len() - 28
}

#[test]
fn where_nothing_repeats_huffman_codes_are_enough() {
    use base64::Engine as _;
    let noise: Vec<u8> = random_places(FRAME_SIZE / 2, 256).into_iter().map(|random| random as u8).collect();
    let base64 = base64::prelude::BASE64_STANDARD.encode(&noise);
    for block in [hex::encode(&noise).into_bytes(), base64.clone().into_bytes()] {
        let (ours, theirs) = (deflated(&block), libdeflate(&block));
        assert_ne!(ours, theirs, "libdeflate made it");
        assert!(ours <= theirs + theirs / 200, "{ours}, {theirs}");
    }
}

#[test]
fn what_repeats_is_still_found() {
    let noise: Vec<u8> = random_places(8192, 256).into_iter().map(|random| random as u8).collect();
    let far = hex::encode(&noise).repeat(FRAME_SIZE / 2 / noise.len());
    let zeros = hex::encode([0; FRAME_SIZE / 2]);
    for block in [dump(FRAME_SIZE), far.into_bytes(), zeros.into_bytes(), b"1\n".to_vec(), b"1\t\\x00\n".to_vec()] {
        assert_eq!(deflated(&block), libdeflate(&block));
    }
}

#[test]
fn frames_come_out_in_the_order_their_blocks_went_in() {
    let plain = dump(FRAME_SIZE);
    for compression in [Compression::Gzip, Compression::Zstd, Compression::None] {
        let sizes = random_places(300, 60_000);
        let blocks = sizes.iter().map(|&size| &plain[size..2 * size]);
        let expected = blocks.clone().collect::<Vec<_>>().concat();
        let frames = compress_blocks(FrameSettings { compression, level: Some(1), threads: 5 }, blocks);
        assert_eq!(frames.len(), sizes.iter().filter(|&&size| size > 0).count());
        assert!(expand(&frames.concat(), 3).unwrap() == expected);
    }
}

#[test]
fn a_block_longer_than_a_frame_makes_several() {
    let plain = dump(2 * FRAME_SIZE + 5);
    let settings = FrameSettings { compression: Compression::Zstd, level: None, threads: 2 };
    let frames = compress_blocks(settings, [plain.as_slice()]);
    assert_eq!(frames.len(), 3);
    assert!(read_back(&frames.concat()).unwrap() == plain);
}

#[test]
fn a_dump_given_up_is_an_error_behind_its_frames() {
    for compression in [Compression::Gzip, Compression::Zstd, Compression::None] {
        let (mut input, mut output) = compress(FrameSettings { compression, level: None, threads: 2 }).unwrap();
        input.push(dump(10)).unwrap();
        drop(input);
        assert!(output.next().unwrap().is_ok());
        assert!(matches!(output.next(), Some(Err(FrameError::Aborted))));
        assert!(output.next().is_none());
    }
}

#[test]
fn pushing_fails_when_nobody_reads_the_frames() {
    for compression in [Compression::Gzip, Compression::Zstd, Compression::None] {
        let (mut input, mut output) = compress(FrameSettings { compression, level: None, threads: 2 }).unwrap();
        input.push(dump(10)).unwrap();
        assert!(output.next().unwrap().is_ok());
        drop(output);
        assert_eq!((0..100).find_map(|_| input.push(dump(10)).err()), Some(Closed));
        input.finish();
    }
}

#[test]
fn a_push_waits_while_twice_the_threads_are_under_way_and_wakes_when_the_reader_goes() {
    let settings = FrameSettings { compression: Compression::Gzip, level: None, threads: 1 };
    let (mut input, output) = compress(settings).unwrap();
    let (sender, pushed) = crossbeam_channel::unbounded();
    let pusher = std::thread::spawn(move || {
        while input.push(dump(10)).is_ok() {
            sender.send(()).unwrap();
        }
    });
    for _ in 0..2 {
        pushed.recv_timeout(MOMENT).expect("two are taken");
    }
    assert!(pushed.recv_timeout(Duration::from_millis(200)).is_err(), "a third is taken");
    drop(output);
    assert_eq!(pushed.recv_timeout(MOMENT), Err(RecvTimeoutError::Disconnected), "the push that waited wakes");
    pusher.join().unwrap();
}

#[test]
fn buffers_go_round() {
    let settings = FrameSettings { compression: Compression::Gzip, level: None, threads: 1 };
    let (mut input, mut output) = compress(settings).unwrap();
    let mut block = input.take_buffer();
    block.extend_from_slice(&dump(FRAME_SIZE));
    let memory = block.as_ptr();
    input.push(block).unwrap();
    let frame = output.next().unwrap().unwrap();
    let next = input.take_buffer();
    assert_eq!(next.as_ptr(), memory);
    let memory = frame.as_ptr();
    output.recycle(frame);
    input.push(dump(10)).unwrap();
    let next = output.next().unwrap().unwrap();
    assert_eq!(next.as_ptr(), memory);
}

#[test]
fn an_unknown_level_is_refused_with_the_known_ones() {
    let settings = |compression, level| FrameSettings { compression, level: Some(level), threads: 1 };
    let error = compress(settings(Compression::Gzip, 13)).err().unwrap();
    assert_eq!(error.to_string(), "gzip has no level 13: expected 1 to 12");
    assert!(compress(settings(Compression::Zstd, 23)).is_err());
    assert!(compress(settings(Compression::None, 99)).is_ok());
}

/// A thread that dies drops its ticket; this is what then becomes of the block it held.
#[test]
fn a_lost_job_is_a_result_too() {
    let (sender, results) = crossbeam_channel::bounded::<super::super::ticket::Numbered<()>>(1);
    let ticket = super::super::ticket::Ticket::new(7, sender);
    std::thread::spawn(move || drop(ticket)).join().unwrap();
    let lost = results.recv().unwrap();
    assert_eq!((lost.number, lost.result), (7, None));
    assert!(results.recv().is_err());
}
