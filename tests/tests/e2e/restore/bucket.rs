//! From a bucket: by URL, the newest good one, and the list.

use e2e::bucket::Bucket;
use e2e::seaweedfs::Seaweedfs;

use super::Scene;

#[test]
fn the_guides_flags_find_the_backups_in_the_bucket() {
    let access = Seaweedfs::shared().admin();
    let bucket = Bucket::new(&access);
    let scene = Scene::new("remote");
    let agent = scene.agent.bucket(bucket.name(), &access).setting("BACKUP_VERIFY", "read-back");
    let scene = Scene { agent, ..scene };
    scene.database.query("CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)");
    scene.agent.run(&["restore", "--list-s3"]).exits(5).mentions("No backups found in S3");
    scene.agent.run(&["backup"]).succeeds();
    let key = bucket.key_ending_in(".sql.gz");
    let url = format!("s3://{}/{key}", bucket.name());
    scene.agent.run(&["restore", "--list-s3"]).succeeds().mentions(&url).mentions("good");
    for from in [&["restore", "--from-s3-latest", "--confirm"][..], &["restore", "--from-s3", &url, "--confirm"]] {
        scene.database.query("DELETE FROM t WHERE id > 10");
        scene.agent.run(from).succeeds().mentions(&url);
        assert_eq!(scene.rows(), "100");
    }
    scene
        .agent
        .run(&["restore", "--from-s3", "https://example.org/x", "--confirm"])
        .exits(2)
        .mentions("s3://BUCKET/KEY");
    let absent = format!("s3://{}/backups/20200101/nothing.sql.gz", bucket.name());
    scene.agent.run(&["restore", "--from-s3", &absent, "--confirm"]).exits(5).mentions("--list-s3");
    // A guest anywhere in a bucket.
    bucket.put("elsewhere/of others.dump", &scene.database.dump(&["-Fc"]));
    scene.database.query("DELETE FROM t");
    let guest = format!("s3://{}/elsewhere/of others.dump", bucket.name());
    scene.agent.run(&["restore", "--from-s3", &guest, "--confirm"]).succeeds().mentions("guest");
    assert_eq!(scene.rows(), "100");
}
