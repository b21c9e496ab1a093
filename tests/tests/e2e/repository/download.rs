//! Downloads: in order, whole, from one object, whatever the network does.

use std::io::Read;
use std::time::Duration;

use catalog::Object;
use e2e::bounds::MOMENT;
use e2e::bucket::{Bucket, wait};
use e2e::proxy::{Direction, Fault, Proxy};
use repository::{Error, Repository, Scope};

use super::{KEY, MIB, bucket, connect, heal_when_asked, noise, settings};

async fn listed(repository: &Repository) -> Object {
    repository.objects(Scope::All).await.unwrap().remove(0)
}

async fn read_all(repository: &Repository, object: &Object) -> Result<Vec<u8>, Error> {
    let mut download = repository.download(object).await?;
    let mut bytes = Vec::new();
    while let Some(block) = download.next().await {
        bytes.extend_from_slice(&block?);
    }
    Ok(bytes)
}

fn stored(bytes: &[u8]) -> Bucket {
    let bucket = bucket();
    bucket.put(KEY, bytes);
    bucket
}

#[test]
fn ranges_come_back_in_order() {
    let bytes = noise(40 * MIB + 7);
    let bucket = stored(&bytes);
    wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        let object = listed(&repository).await;
        assert!(read_all(&repository, &object).await.unwrap() == bytes);
    });
}

#[test]
fn a_thread_that_blocks_reads_the_same() {
    let bytes = noise(20 * MIB + 7);
    let bucket = stored(&bytes);
    let mut reader = wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        let object = listed(&repository).await;
        repository.download(&object).await.unwrap().into_reader()
    });
    let mut read = Vec::new();
    reader.read_to_end(&mut read).unwrap();
    assert!(read == bytes);
}

#[test]
fn an_object_of_no_bytes_has_none() {
    let bucket = stored(b"");
    wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        let object = listed(&repository).await;
        assert_eq!(read_all(&repository, &object).await.unwrap(), b"");
    });
}

#[test]
fn a_body_cut_in_the_middle_goes_on_at_its_byte() {
    let bytes = noise(12 * MIB);
    let bucket = stored(&bytes);
    let proxy = Proxy::start(&bucket.access().endpoint);
    wait(async {
        let repository = connect(&bucket.access().through(&proxy), &bucket).await;
        let object = listed(&repository).await;
        proxy.clear_requests();
        proxy.set(Fault::CutOnce(Direction::Down, 5_000_000));
        assert!(read_all(&repository, &object).await.unwrap() == bytes);
    });
    assert!(proxy.has_struck());
    assert_eq!(proxy.requests().len(), 3, "two ranges, and the rest of one");
    // The rest alone was asked for: not much more than the object came down.
    let slack = 2 * MIB as u64;
    assert!(proxy.bytes(Direction::Down) < bytes.len() as u64 + slack, "{}", proxy.bytes(Direction::Down));
}

#[test]
fn a_body_that_stalls_is_given_up_and_goes_on_at_its_byte() {
    let bytes = noise(12 * MIB);
    let bucket = stored(&bytes);
    let proxy = Proxy::start(&bucket.access().endpoint);
    wait(async {
        let mut settings = settings(&bucket.access().through(&proxy), &bucket);
        settings.stall_timeout = Duration::from_secs(1);
        settings.retry.network_budget = MOMENT;
        let repository = Repository::bucket(settings).await.unwrap();
        let object = listed(&repository).await;
        proxy.clear_requests();
        proxy.set(Fault::Stall(Direction::Down, 3_000_000));
        // Two ranges, and what one of them lacks.
        let asked = heal_when_asked(&proxy, ("GET", "sql.gz", 3));
        let (read, ()) = tokio::join!(read_all(&repository, &object), asked);
        assert!(read.unwrap() == bytes);
    });
}

#[test]
fn a_network_that_stays_away_is_an_error_and_never_an_end() {
    let bucket = stored(&noise(12 * MIB));
    let proxy = Proxy::start(&bucket.access().endpoint);
    let mut reader = wait(async {
        let repository = connect(&bucket.access().through(&proxy), &bucket).await;
        let object = listed(&repository).await;
        proxy.set(Fault::GoAway(Direction::Down, 5_000_000));
        repository.download(&object).await.unwrap().into_reader()
    });
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    let inner = error.get_ref().unwrap().downcast_ref::<Error>().unwrap();
    assert!(inner.is_network(), "{inner}");
}

#[test]
fn an_object_replaced_since_it_was_listed_is_not_read() {
    let bucket = stored(&noise(MIB));
    wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        let object = listed(&repository).await;
        let mut other = noise(MIB);
        other[5] ^= 1;
        let put = bucket.client().put_object().bucket(bucket.name()).key(KEY).body(other.into());
        put.send().await.unwrap();
        let refused = read_all(&repository, &object).await;
        assert!(matches!(refused, Err(Error::Changed { .. })), "{refused:?}");
    });
}

#[test]
fn an_object_that_is_gone_is_not_found() {
    let bucket = stored(b"bytes");
    wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        let object = listed(&repository).await;
        bucket.client().delete_object().bucket(bucket.name()).key(KEY).send().await.unwrap();
        let refused = read_all(&repository, &object).await;
        assert!(matches!(refused, Err(Error::NotFound { .. })), "{refused:?}");
    });
}
