use proptest::prelude::*;

use super::*;
use crate::Kind;

#[test]
fn anybodys_gzip_and_zstd_expand_too() {
    let plain = dump(2 * FRAME_SIZE + 99);
    let two_members = [anybodys_gzip(&plain[..1000]), anybodys_gzip(&plain[1000..])].concat();
    let two_frames = [anybodys_zstd(&plain[..1000]), anybodys_zstd(&plain[1000..])].concat();
    for stored in [anybodys_gzip(&plain), two_members, anybodys_zstd(&plain), two_frames] {
        assert!(read_back(&stored).unwrap() == plain);
    }
}

#[test]
fn what_gzip_and_zstd_themselves_write_expands() {
    let plain = dump(FRAME_SIZE + 99);
    for (program, arguments) in [
        ("gzip", ["-1"].as_slice()),
        ("gzip", &["-9", "--rsyncable"]),
        ("zstd", &["-1", "-c"]),
        ("zstd", &["-19", "-c", "--no-check"]),
        ("zstd", &["-3", "-c", "-T2", "--long=24"]),
    ] {
        let stored = tool(program, arguments, &plain).unwrap();
        assert!(read_back(&stored).unwrap() == plain, "{program} {arguments:?}");
    }
}

#[test]
fn a_member_that_holds_nothing_may_stand_anywhere() {
    let plain = dump(FRAME_SIZE + 99);
    let ours = store(Compression::Gzip, &plain, 300_000);
    // As `gzip < /dev/null` writes it: as long as the header of ours, and no byte longer.
    let empty = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0".as_slice();
    for members in [[&*anybodys_gzip(&plain), empty, b""], [&*ours, empty, b""], [empty, empty, &*ours]] {
        let stored = members.concat();
        assert!(read_back(&stored).unwrap() == plain);
        assert!(read_back(&stored[..stored.len() - 1]).is_err());
    }
}

#[test]
fn ours_and_anybodys_members_mix() {
    let plain = dump(400_000);
    let (a, b, c, d) = (&plain[..100_000], &plain[100_000..100_003], &plain[100_003..300_000], &plain[300_000..]);
    let ours = |plain| store(Compression::Gzip, plain, 30_000);
    let stored = [ours(a), anybodys_gzip(b), anybodys_gzip(c), ours(d)].concat();
    assert!(read_back(&stored).unwrap() == plain);
    assert!(tool("gunzip", &["-c"], &stored) == Some(plain.clone()));

    let ours = |plain| store(Compression::Zstd, plain, 30_000);
    let skippable = [b"\x53\x2a\x4d\x18\x05\0\0\0".as_slice(), b"index"].concat();
    let stored =
        [skippable.clone(), ours(a), anybodys_zstd(b), skippable.clone(), anybodys_zstd(c), ours(d), skippable];
    assert!(read_back(&stored.concat()).unwrap() == plain);
    assert!(tool("zstd", &["-dc"], &stored.concat()) == Some(plain));
}

#[test]
fn what_is_not_compressed_passes_through() {
    for plain in
        [b"".as_slice(), b"P", b"PGD", b"PGDMP", b"\x1f", b"hello\n", &[&b"PGDMP"[..], &dump(3_000_000)].concat()]
    {
        assert!(read_back(plain).unwrap() == plain);
    }
}

#[test]
fn the_kinds_of_the_stream_and_its_content_are_told() {
    let archive = [b"PGDMP".as_slice(), &dump(2000)].concat();
    let table = [
        (archive.clone(), vec![Kind::CustomArchive]),
        (store(Compression::Gzip, &archive, 100), vec![Kind::Gzip, Kind::CustomArchive]),
        (anybodys_zstd(&archive), vec![Kind::Zstd, Kind::CustomArchive]),
        (anybodys_gzip(b"SET x = 1;"), vec![Kind::Gzip, Kind::PlainSql]),
        (store(Compression::Gzip, b"", 1), vec![Kind::Gzip, Kind::Empty]),
        (Vec::new(), vec![Kind::Empty]),
        (b"age-encryption.org/v1\n".to_vec(), vec![Kind::Age]),
    ];
    for (stored, kinds) in table {
        let mut expander = Expander::new(Trickle(&stored, 10), 2).unwrap();
        io::copy(&mut expander, &mut io::sink()).unwrap();
        assert_eq!(expander.kinds(), kinds);
        let mut unframe = Unframe::new();
        stored.chunks(10).for_each(|bytes| unframe.feed(bytes, &mut |_| Ok(())).unwrap());
        unframe.finish(&mut |_| Ok(())).unwrap();
        assert_eq!(unframe.kinds(), kinds);
    }
}

/// As `gunzip` has it: tapes and block devices pad. We never do.
#[test]
fn zeros_may_follow_anybodys_gzip_but_not_ours() {
    let plain = dump(5000);
    let padded = [anybodys_gzip(&plain), vec![0; 10_000]].concat();
    assert!(read_back(&padded).unwrap() == plain);
    assert!(tool("gunzip", &["-c"], &padded) == Some(plain.clone()));
    let spoiled = [padded, vec![1]].concat();
    assert!(matches!(read_back(&spoiled), Err(Damage::BadFrame { .. })));
    let ours = store(Compression::Gzip, &plain, 1000);
    let end = ours.len() as u64;
    let padded = [ours, vec![0; 512]].concat();
    let found = read_back(&padded).unwrap_err();
    assert_eq!(found, Damage::BadFrame { offset: end, reason: "no gzip member begins here".to_owned() });
}

struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::new(io::ErrorKind::ConnectionReset, "the network is away")),
            length => Ok(length),
        }
    }
}

#[test]
fn failing_to_read_is_no_finding_and_comes_behind_the_bytes_before_it() {
    let plain = dump(700_000);
    for stored in [store(Compression::Gzip, &plain, 50_000), anybodys_gzip(&plain), plain.clone()] {
        let mut expander = Expander::new(Failing(&stored), 2).unwrap();
        let mut seen = Vec::new();
        let error = expander.read_to_end(&mut seen).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert!(damage(&error).is_none());
        assert!(seen == plain);
    }
}

#[test]
fn behind_damage_nothing_is_read() {
    let mut stored = store(Compression::Gzip, &dump(50_000), 10_000);
    stored[100] ^= 1;
    for threads in [1, 3] {
        let mut expander = Expander::new(cursor(&stored), threads).unwrap();
        let error = expander.read(&mut [0; 100]).unwrap_err();
        assert!(matches!(damage(&error), Some(Damage::BadFrame { offset: 0, .. })));
        assert!(expander.read(&mut [0; 100]).is_err());
    }
}

/// Set for the process whose threads are all this test's.
const ALONE: &str = "LASTGOOD_ALONE";

#[test]
#[expect(clippy::disallowed_methods, reason = "this test starts itself in a process of its own")]
fn an_expander_dropped_half_way_leaves_no_thread_waiting() {
    if std::env::var_os(ALONE).is_some() {
        return drop_expanders_half_way();
    }
    let name = "frame::tests::expanding::an_expander_dropped_half_way_leaves_no_thread_waiting";
    let mut test = std::process::Command::new(std::env::current_exe().unwrap());
    let output = test.args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let name = |task: &std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
    tasks.filter(|task| name(task).trim() == "expand").count()
}

fn drop_expanders_half_way() {
    let stored = store(Compression::Gzip, &dump(4_000_000), 10_000);
    let half_read = || {
        let mut expander = Expander::new(cursor(&stored), 4).unwrap();
        expander.read_exact(&mut [0; 1000]).unwrap();
        expander
    };
    let expander = half_read();
    until("its threads have begun", || threads() == 3);
    drop(expander);
    for _ in 0..20 {
        drop(half_read());
    }
    until("all threads have ended", || threads() == 0);
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "waited in vain until {what}: there are {}", threads());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_bytes_in_any_frames_come_back(
        plain in proptest::collection::vec(any::<u8>(), 0..20_000),
        size in 50..5000_usize,
        piece in 1..3000_usize,
        threads in 1..4_usize,
        compression in prop_oneof![Just(Compression::Gzip), Just(Compression::Zstd)],
    ) {
        let stored = store(compression, &plain, size);
        prop_assert_eq!(&unframed(&stored, piece).unwrap(), &plain);
        let mut expanded = Vec::new();
        Expander::new(Trickle(&stored, piece), threads).unwrap().read_to_end(&mut expanded).unwrap();
        prop_assert_eq!(&expanded, &plain);
    }
}
