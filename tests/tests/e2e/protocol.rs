//! The commit protocol's model, step by step in real repositories.

use std::sync::Mutex;

use e2e::bucket::{Access, Bucket};
use e2e::ministack::Ministack;
use e2e::replay::{Replayed, replay};
use e2e::seaweedfs::Seaweedfs;
use protocol::store::Kind;
use repository::Repository;
use tempfile::TempDir;

use crate::repository::connect;

/// Ways through the model. `PROTOCOL_WALKS` is how many in each kind of store.
fn walks(usual: u64) -> std::ops::Range<u64> {
    0..std::env::var("PROTOCOL_WALKS").map_or(usual, |text| text.parse().expect("PROTOCOL_WALKS is a number"))
}

fn tell(place: &str, replayed: Replayed) {
    println!("{place}: {} steps, {} refusals", replayed.steps, replayed.refused);
    assert!(replayed.refused > 0, "in no walk two agents met");
}

#[tokio::test]
async fn a_directory_does_what_the_model_says() {
    let folders = Mutex::new(Vec::new());
    let repository = async || {
        let above = TempDir::new().unwrap();
        let repository = Repository::directory(above.path().join("backups"));
        folders.lock().unwrap().push(above);
        repository
    };
    tell("directory", replay(walks(150), Kind::Directory, repository).await);
}

async fn in_a_bucket_of(access: Access) -> Replayed {
    // A bucket is made by a client with a runtime of its own.
    let new = move |access: Access| tokio::task::spawn_blocking(move || Bucket::versioned(&access));
    let repository = async || connect(&access, &new(access.clone()).await.unwrap()).await;
    replay(walks(15), Kind::Bucket, repository).await
}

#[tokio::test]
async fn a_bucket_with_versions_does_what_the_model_says() {
    tell("MiniStack", in_a_bucket_of(Ministack::shared().root()).await);
}

#[tokio::test]
async fn a_bucket_of_another_store_does_what_the_model_says() {
    tell("SeaweedFS", in_a_bucket_of(Seaweedfs::shared().admin()).await);
}
