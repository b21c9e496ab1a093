//! SeaweedFS: strict where S3 is.

use e2e::bucket::{Bucket, wait};
use e2e::seaweedfs::Seaweedfs;

#[test]
fn it_stores_versions_and_open_uploads() {
    let bucket = Bucket::versioned(&Seaweedfs::shared().admin());
    bucket.put_with("a/b c+d.sql.gz", b"first", &[("database", "app")]);
    bucket.put("a/b c+d.sql.gz", b"second");
    assert_eq!(bucket.get("a/b c+d.sql.gz"), b"second");
    assert_eq!(bucket.keys(), ["a/b c+d.sql.gz"]);
    assert_eq!(bucket.versions().len(), 2);
    let upload = bucket.client().create_multipart_upload().bucket(bucket.name()).key("large").send();
    wait(upload).unwrap();
    assert_eq!(bucket.open_uploads(), ["large"]);
}

#[test]
fn a_second_put_under_the_same_key_is_refused_where_the_first_must_stand() {
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    bucket.put("key", b"first");
    let again = bucket.client().put_object().bucket(bucket.name()).key("key").if_none_match("*").send();
    assert_eq!(wait(again).unwrap_err().raw_response().unwrap().status().as_u16(), 412);
}

#[test]
fn an_identity_may_do_no_more_than_its_own() {
    let seaweedfs = Seaweedfs::shared();
    let bucket = Bucket::new(&seaweedfs.admin());
    let as_writer = Bucket::existing(&seaweedfs.writer(), bucket.name());
    as_writer.put("key", b"bytes");
    let read_back = as_writer.client().get_object().bucket(bucket.name()).key("key").send();
    assert_eq!(wait(read_back).unwrap_err().raw_response().unwrap().status().as_u16(), 403);
    let as_reader = Bucket::existing(&seaweedfs.reader(), bucket.name());
    assert_eq!(as_reader.get("key"), b"bytes");
}

#[test]
fn a_flipped_bit_is_one_bit_under_the_same_metadata() {
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    bucket.put_with("key", b"bytes", &[("md5_checksum", "of old")]);
    bucket.flip_bit("key", 0);
    assert_eq!(bucket.get("key"), b"cytes");
    assert_eq!(bucket.head("key").metadata().unwrap()["md5_checksum"], "of old");
}
