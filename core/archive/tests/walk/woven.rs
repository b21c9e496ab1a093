//! An archive that several readers weave is the one that a single dump writes: head, blocks, census.

use std::sync::Arc;

use archive::Walk;
use archive::weave::{Head, HeadReader, Loom, Promised, Read, Thread, block};
use proptest::prelude::*;

use crate::walk;
use crate::writer::{Content, Item, Writer};

/// Names of tables; their texts are the strategy's.
const NAMES: [&str; 5] = ["one", "two", "three", "four", "five"];

/// A table's rows, cut into ranges.
type Ranges = Vec<Vec<u8>>;

/// A range to read: which table's, which range, whether it is the table's first and last.
#[derive(Clone, Debug, PartialEq)]
struct Job {
    dump_id: i32,
    text: Vec<u8>,
    is_first: bool,
    is_last: bool,
}

fn head(archive: &[u8], size: usize) -> Head {
    let mut reader = HeadReader::default();
    for piece in archive.chunks(size) {
        if let Read::Whole(head) = reader.feed(piece).unwrap() {
            return head;
        }
    }
    panic!("no head in {} bytes", archive.len());
}

fn jobs(head: &Head, tables: &[Ranges]) -> Vec<Job> {
    let jobs = head.promises.iter().zip(tables).flat_map(|(promise, ranges)| {
        ranges.iter().enumerate().map(|(number, text)| Job {
            dump_id: promise.dump_id,
            text: text.clone(),
            is_first: number == 0,
            is_last: number + 1 == ranges.len(),
        })
    });
    jobs.collect()
}

/// Reads every range in pieces of `size` bytes, by so many threads.
fn woven(head: Head, jobs: Vec<Job>, (readers, size, room): (usize, usize, usize)) -> Vec<u8> {
    let loom = Arc::new(Loom::new(jobs.into_iter(), room));
    let threads: Vec<_> = (0..readers)
        .map(|_| {
            let loom = Arc::clone(&loom);
            std::thread::spawn(move || {
                while let Some(strand) = loom.take() {
                    strand.job.text.chunks(size).for_each(|piece| loom.put(&strand, piece.to_vec()).unwrap());
                    loom.end(&strand, ());
                }
            })
        })
        .collect();
    let mut out = head.bytes;
    while let Some(thread) = loom.weave().unwrap() {
        match thread {
            Thread::Begin(job) if job.is_first => block::begin(&mut out, job.dump_id),
            Thread::Piece(piece) => {
                block::chunk(&mut out, piece.len());
                out.extend(piece);
            }
            Thread::End { job, .. } if job.is_last => block::end(&mut out),
            Thread::Begin(_) | Thread::End { .. } => {}
        }
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    out
}

fn writer(tables: &[Ranges]) -> Writer {
    let entries = tables.iter().zip(NAMES).map(|(ranges, name)| Item::copied(name, &ranges.concat()));
    Writer { minor: 16, ..Writer { entries: entries.collect(), ..Writer::sample() } }
}

fn tables() -> impl Strategy<Value = Vec<Ranges>> {
    let row = prop_oneof!["[a-z\t]{0,12}\n", Just("\\\\.\n".to_owned()), Just("\\N\t\\N\n".to_owned())];
    let range = proptest::collection::vec(row, 0..6).prop_map(|rows| rows.concat().into_bytes());
    proptest::collection::vec(proptest::collection::vec(range, 1..6), 0..NAMES.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_woven_walks_whole_and_counts_as_a_single_dump(
        tables in tables(),
        readers in 1_usize..5,
        size in 1_usize..20,
        room in 20_usize..200,
    ) {
        let serial = writer(&tables).archive();
        let head = head(&serial, size);
        prop_assert!(serial.starts_with(&head.bytes));
        let jobs = jobs(&head, &tables);
        let woven = woven(head, jobs, (readers, size, room));
        prop_assert_eq!(walk(&woven).unwrap(), walk(&serial).unwrap());
    }
}

#[test]
fn a_head_says_what_is_promised_and_of_which_tables() {
    let writer = Writer { minor: 16, ..Writer::sample() };
    let archive = writer.archive();
    let mut walked = Walk::new();
    walked.feed(&archive).unwrap();
    let end = walked.contents_end().unwrap() as usize;
    for size in [1, 10, archive.len()] {
        let head = head(&archive, size);
        assert_eq!(head.bytes, archive[..end]);
        let kinds: Vec<_> = head.promises.iter().map(|promise| promise.promised.clone()).collect();
        let with_data = writer.entries.iter().filter(|item| !matches!(item.content, Content::None));
        for (kind, item) in kinds.iter().zip(with_data.clone()) {
            match kind {
                Promised::Rows { copy, .. } => assert!(item.copied && copy.starts_with(b"COPY"), "{copy:?}"),
                Promised::LargeObjects => assert!(matches!(item.content, Content::LargeObjects(_))),
                Promised::Other => assert!(!item.copied),
            }
        }
        assert_eq!(kinds.len(), with_data.count());
    }
}

#[test]
fn what_is_written_otherwise_is_not_woven_from() {
    for other in [
        Writer { int_size: 8, ..Writer::sample() },
        Writer { compression: archive::InnerCompression::Zlib, ..Writer::sample() },
    ] {
        assert_eq!(HeadReader::default().feed(&other.archive()), Ok(Read::Unfit));
    }
    assert!(HeadReader::default().feed(b"-- a script\n\nSELECT 1;\n").is_ok_and(|read| read == Read::More));
}
