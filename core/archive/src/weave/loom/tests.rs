use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;

const LONG: Duration = Duration::from_secs(30);

/// Everything a loom gives out.
fn woven(loom: &Loom<u32, u64>) -> Result<Vec<Thread<u32, u64>>, Abandoned> {
    let mut all = Vec::new();
    while let Some(thread) = loom.weave()? {
        all.push(thread);
    }
    Ok(all)
}

fn whole(job: u32, pieces: &[&[u8]]) -> Vec<Thread<u32, u64>> {
    let pieces = pieces.iter().map(|piece| Thread::Piece(piece.to_vec()));
    [Thread::Begin(job)].into_iter().chain(pieces).chain([Thread::End { job, outcome: job.into() }]).collect()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < until, "waited for: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn strands_come_out_in_their_order_whatever_order_they_are_read_in() {
    let loom = Loom::new(1..=3, 100);
    let strands = [(); 3].map(|()| loom.take().unwrap());
    assert!(matches!(loom.turned(Duration::from_millis(1)), Turned::NotYet));
    assert!(loom.take().is_none());
    for strand in strands.iter().rev() {
        loom.put(strand, vec![strand.job as u8]).unwrap();
        loom.end(strand, strand.job.into());
    }
    assert_eq!(woven(&loom), Ok([whole(1, &[&[1]]), whole(2, &[&[2]]), whole(3, &[&[3]])].concat()));
}

#[test]
fn nothing_to_read_is_over_at_once() {
    let loom = Loom::<u32, u64>::new(std::iter::empty(), 100);
    assert_eq!(
        (woven(&loom), loom.take().is_none(), matches!(loom.turned(LONG), Turned::Over)),
        (Ok(Vec::new()), true, true)
    );
}

#[test]
fn what_waits_for_its_turn_is_bounded_and_the_first_strand_goes_on() {
    let loom = Arc::new(Loom::new(1..=2, 10));
    let (first, second) = (loom.take().unwrap(), loom.take().unwrap());
    let put = Arc::new(AtomicUsize::new(0));
    let reader = {
        let (loom, put) = (Arc::clone(&loom), Arc::clone(&put));
        thread::spawn(move || {
            for _ in 0..100 {
                loom.put(&second, vec![2; 4]).unwrap();
                put.fetch_add(1, Ordering::Relaxed);
            }
            loom.end(&second, 2);
        })
    };
    wait_until("the second strand to fill its room", || put.load(Ordering::Relaxed) == 2);
    loom.put(&first, vec![1; 1000]).unwrap();
    loom.end(&first, 1);
    assert_eq!(put.load(Ordering::Relaxed), 2, "a third piece has no room");
    let second = vec![&[2_u8; 4][..]; 100];
    assert_eq!(woven(&loom), Ok([whole(1, &[&[1; 1000]]), whole(2, &second)].concat()));
    reader.join().unwrap();
}

#[test]
fn a_strand_that_was_handed_back_is_read_when_its_turn_has_come() {
    let loom = Arc::new(Loom::new(1..=3, 100));
    let leader = {
        let loom = Arc::clone(&loom);
        thread::spawn(move || {
            let mut read = Vec::new();
            while let Turned::Strand(strand) = loom.turned(LONG) {
                loom.put(&strand, vec![9]).unwrap();
                loom.end(&strand, strand.job.into());
                read.push(strand.job);
            }
            read
        })
    };
    for strand in [(); 3].map(|()| loom.take().unwrap()) {
        match strand.job {
            2 => loom.end(&strand, 2),
            _ => loom.hand_back(&strand),
        }
    }
    assert_eq!(woven(&loom), Ok([whole(1, &[&[9]]), whole(2, &[]), whole(3, &[&[9]])].concat()));
    assert_eq!(leader.join().unwrap(), [1, 3]);
}

#[test]
fn everybody_hears_that_it_was_given_up() {
    let loom = Arc::new(Loom::new(1..=2, 1));
    let (first, second) = (loom.take().unwrap(), loom.take().unwrap());
    let full = {
        let loom = Arc::clone(&loom);
        thread::spawn(move || loom.put(&second, vec![2; 4]))
    };
    let leader = {
        let loom = Arc::clone(&loom);
        thread::spawn(move || matches!(loom.turned(LONG), Turned::Over))
    };
    let weaver = {
        let loom = Arc::clone(&loom);
        thread::spawn(move || woven(&loom))
    };
    loom.abandon();
    assert_eq!(full.join().unwrap(), Err(Abandoned));
    assert!(leader.join().unwrap());
    assert_eq!(weaver.join().unwrap(), Err(Abandoned));
    assert_eq!(loom.put(&first, Vec::new()), Err(Abandoned));
}
