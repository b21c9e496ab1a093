//! What a thief of one host's keys tries, and agents under the policies of an earlier release.

use e2e::bucket::{Access, Bucket};
use e2e::process::output;
use e2e::stack::Stack;
use serde_json::{Value, json};

use super::commands::Scene;
use super::{Answer, Identity};
use crate::policies::user;

/// The agent's policy as the stack had it before marks came first.
const RELEASED: &str = include_str!("released.json");

fn narrowed(policy: &str, bucket: &Bucket) -> Value {
    serde_json::from_str(&policy.replace("shop-backups", bucket.name())).unwrap()
}

fn identity(access: &Access, bucket: &Bucket) -> Identity {
    Identity { client: access.client(), access: access.clone(), bucket: bucket.name().to_owned() }
}

#[test]
fn a_host_plants_no_backup_of_another_ones_database() {
    let scene = Scene::new("attacks");
    let others = scene.as_a("Agent");
    let policy = others.run(&["policy", "attacks"]).succeeds().json();
    let access = user("attacks-host", &policy);
    let agent = scene.agent(&access).setting("BACKUP_S3_BUCKET_OWNER", "000000000000");
    agent.run(&["backup", "--dry-run"]).succeeds();
    agent.run(&["backup", "--name", "own"]).succeeds().keeps_silent_about("warning");
    agent
        .setting("BACKUP_COMPRESSION", "none")
        .run(&["backup", "--name", "parts"])
        .succeeds()
        .keeps_silent_about("warning");
    assert!(scene.holds("databases/attacks.json"));

    let thief = identity(&access, &scene.bucket);
    let add = |name: &str| thief.add(&format!("backups/{name}"));
    assert_eq!(add("20260101/attacks_backup_20260101_030000.sql.gz"), Answer::Done);
    for of_others in [
        "20260101/shop_backup_20260101_030000.sql.gz",
        "20260101/shop_backup_20260101_030000.manifest.json",
        "20260101/shop_backup_20260101_030000.shrunk.json",
        "20260101/attacks_backup_20260101_030000.accepted.json",
        "20260101/attacks_backup_old_backup_20260101_030000.sql.gz",
        "20260101/attacks_backup_old_backup_20260101_030000.manifest.json",
        "databases/shop.json",
        "status/prune.json",
        "20260101/attacks_backup_20260101_030000.intact.json",
        "20260101/attacks_backup_20260101_030000.drill.json",
        "status/drills/attacks.json",
        "status/history/attacks.json",
        "status/report.html",
    ] {
        assert_eq!(add(of_others), Answer::Refused, "{of_others}");
    }
    // A record of a shrink keeps backups, for a while. Whoever puts it can't put it off by putting it again.
    let shrunk = "20260101/attacks_backup_20260101_030000.shrunk.json";
    assert_eq!((add(shrunk), thief.put(&format!("backups/{shrunk}"))), (Answer::Done, Answer::Refused));
    for globals in [".globals.sql.gz", ".globals.sql.gz.age", ".index.json.gz", ".index.json.gz.age"] {
        let globals = format!("20260101/attacks_backup_20260101_030000{globals}");
        assert_eq!(add(&globals), Answer::Done, "{globals}");
        assert_eq!(thief.get(&format!("backups/{globals}")), Answer::Refused, "{globals}");
    }
    assert_eq!(thief.get("backups/20260101/attacks_backup_20260101_030000.sql.gz"), Answer::Refused);
    // And the stack's own agent, which may add any database's, replaces and judges nothing.
    let others = others.setting("BACKUP_S3_BUCKET_OWNER", "111111111111");
    others.run(&["list"]).exits(2).mentions("belongs to another account than 111111111111");
    others.run(&["backup"]).exits(2).mentions("belongs to another account than 111111111111");
}

#[test]
fn a_backup_succeeds_under_the_policies_of_an_earlier_release_and_under_narrower_ones() {
    let scene = Scene::new("released");
    let released = narrowed(RELEASED, &scene.bucket);
    let agent = scene.agent(&user("released-agent", &released));
    // An earlier release knew no index: to store one is refused, which is said, and nothing fails of it.
    let said = agent.run(&["backup", "--name", "one"]).succeeds();
    said.mentions("the index was not stored with this backup").mentions("BACKUP_INDEX=false");
    assert!(scene.holds("released_backup_one.manifest.json") && !scene.holds("released_backup_one.index.json.gz"));
    assert!(scene.holds("databases/released.json"));
    let agent = agent.setting("BACKUP_INDEX", "off").setting("MAX_BACKUP_AGE_HOURS", "2");
    agent.run(&["backup", "--name", "silent"]).succeeds().keeps_silent_about("warning");
    agent.run(&["backup", "--name", "two"]).succeeds();

    let mut narrower = released;
    let denied = json!({"Effect": "Deny", "Action": "s3:*", "Resource": format!("arn:aws:s3:::{}/backups/databases/*", scene.bucket.name())});
    narrower["Statement"].as_array_mut().unwrap().push(denied);
    let agent = scene.agent(&user("released-narrower", &narrower));
    agent.run(&["backup", "--name", "three"]).succeeds().mentions("cannot mark released as expected");
    assert!(scene.holds("released_backup_three.manifest.json"));
    without_roles(&scene);
    limits(&scene);
    shrunk(&scene);
}

/// A policy that lets no shrink be recorded fails no backup, and the manifest says what was lost.
fn shrunk(scene: &Scene) {
    let agent = scene.agent(&user("released-shrunk", &narrowed(RELEASED, &scene.bucket)));
    scene.database.query("TRUNCATE charts, messages, files");
    let told = agent.run(&["backup", "--name", "less"]).succeeds().mentions("charts has 0 rows");
    told.mentions("was not stored, so backups from before are removed as if nothing was lost");
    assert!(!scene.holds(".shrunk.json"));
    let manifest = scene.bucket.get_json(&scene.bucket.key_ending_in("released_backup_less.manifest.json"));
    assert_eq!(manifest["shrunk"]["tables"].as_array().unwrap().len(), 3, "{}", manifest["shrunk"]);
}

/// A policy that lets no roles be stored fails no backup.
fn without_roles(scene: &Scene) {
    let mut policy = narrowed(RELEASED, &scene.bucket);
    let denied = json!({"Effect": "Deny", "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::{}/backups/*.globals.sql.gz", scene.bucket.name())});
    policy["Statement"].as_array_mut().unwrap().push(denied);
    let agent = scene.agent(&user("released-roleless", &policy));
    let said = agent.run(&["backup", "--name", "roleless"]).succeeds();
    said.mentions("the server's roles and tablespaces were not stored with this backup").mentions("s3:PutObject");
    assert!(
        scene.holds("released_backup_roleless.manifest.json")
            && !scene.holds("released_backup_roleless.globals.sql.gz")
    );
}

/// The limits of one database, set by an operator and missed by an agent whose own settings say otherwise.
fn limits(scene: &Scene) {
    let operator = scene.as_a("Operator");
    operator.run(&["expect", "released", "--max-age", "2h", "--min-size", "1KB"]).succeeds().mentions("2 hours");
    let agent = scene.agent(&user("released-again", &narrowed(RELEASED, &scene.bucket))).setting("BACKUP_INDEX", "off");
    agent.run(&["expect", "released", "--max-age", "99d"]).exits(1).mentions("s3:PutObject");
    agent.run(&["backup", "--name", "four"]).succeeds().keeps_silent_about("warning");
    let agent = agent.setting("MAX_BACKUP_AGE_HOURS", "26");
    agent.run(&["backup", "--name", "five"]).succeeds().mentions("MAX_BACKUP_AGE_HOURS is 26 here, and 2 in the mark");
}

#[test]
fn numbers_that_contradict_each_other_are_refused_before_anything_changes() {
    let stack = Stack::new(e2e::ministack::Ministack::shared(), "locked");
    for (parameters, said) in [
        (&["ObjectLockDays=90"][..], "ObjectLockDays=90 is not below DeleteAfterDays=90"),
        (&["ObjectLockMode=COMPLIANCE"], "ObjectLockMode=COMPLIANCE locks nothing while ObjectLockDays is 0"),
        (&["DeleteAfterDays=7"], "DeleteAfterDays=7 is below NeverYoungerThanDays=14"),
    ] {
        let refused = stack.try_deploy(&[&["--yes"], parameters].concat());
        let stderr = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
    let mut describe = stack.ministack().aws();
    assert!(!output(describe.args(["cloudformation", "describe-stacks", "--stack-name", "locked"])).status.success());
}
