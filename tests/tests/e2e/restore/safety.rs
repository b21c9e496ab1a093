//! The safety backup's name: it has a second of its own.

use e2e::bucket::Bucket;
use e2e::seaweedfs::Seaweedfs;
use jiff::{SignedDuration, Timestamp};

use super::Scene;

/// The keys that safety backups of the next seconds would have.
fn next_seconds(database: &str) -> Vec<(String, String)> {
    let moments = (0..4).map(|second| Timestamp::now() + SignedDuration::from_secs(second));
    let spelled = moments.map(|moment| moment.strftime("%Y%m%d %Y%m%d_%H%M%S").to_string());
    let parted = spelled.map(|text| text.split_once(' ').map(|(day, time)| (day.to_owned(), time.to_owned())).unwrap());
    parted.map(|(day, time)| (day, format!("{database}_backup_pre_restore_{time}.sql.gz"))).collect()
}

const IN_PLACE: [&str; 4] = ["restore", "latest", "--in-place", "--confirm"];

#[test]
fn a_safety_backup_takes_a_second_that_no_other_has_in_a_directory() {
    let scene = Scene::backed_up("second");
    for (_, file) in next_seconds(scene.database.name()) {
        std::fs::write(scene.folder.path().join(file), "another backup").unwrap();
    }
    scene.agent.run(&IN_PLACE).succeeds().mentions("to go back: lastgood restore");
    assert_eq!(scene.rows(), "100");
}

#[test]
fn a_safety_backup_takes_a_second_that_no_other_has_in_a_bucket() {
    let access = Seaweedfs::shared().admin();
    let bucket = Bucket::new(&access);
    let scene = Scene::new("second_there");
    let agent =
        scene.agent.bucket(bucket.name(), &access).setting("BACKUP_DIR", "").setting("BACKUP_VERIFY", "read-back");
    scene.database.query("CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)");
    agent.run(&["backup"]).succeeds();
    scene.database.query("DELETE FROM t WHERE id > 10");
    for (day, file) in next_seconds(scene.database.name()) {
        bucket.put(&format!("backups/{day}/{file}"), b"another backup");
    }
    agent.run(&IN_PLACE).succeeds().mentions("to go back: lastgood restore");
    assert_eq!(scene.database.query("SELECT count(*) FROM t"), "100");
}
