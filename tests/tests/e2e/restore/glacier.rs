//! An archive in Glacier, as S3's documentation has it: it is said, asked for, and restored when it is back.

use e2e::agent::{Agent, Outcome};
use e2e::bucket::Bucket;
use e2e::glacier::{Glacier, Way};
use e2e::seaweedfs::Seaweedfs;
use rustix::process::Signal;

use super::Scene;
use crate::json::holds;

/// A database with a verified backup, whose archive lies in Glacier since.
struct Cold {
    scene: Scene<'static>,
    glacier: Glacier,
}

impl Cold {
    fn new(name: &str) -> Cold {
        Self::of(name, ".sql.gz")
    }

    /// Of the backup's objects the one with this ending.
    fn of(name: &str, ending: &str) -> Cold {
        let access = Seaweedfs::shared().admin();
        let bucket = Bucket::versioned(&access);
        let scene = Scene::new(name);
        scene.database.query("CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)");
        let agent = |access| Agent::new().database(&scene.database).bucket(bucket.name(), access);
        agent(&access).setting("BACKUP_VERIFY", "read-back").run(&["backup"]).succeeds();
        scene.database.query("DELETE FROM t WHERE id > 10");
        let keys = bucket.keys().into_iter().filter(|key| key.ends_with(ending));
        let key = keys.min_by_key(|key| key.contains(".globals.") != ending.contains(".globals.")).unwrap();
        let glacier = Glacier::start(&access.endpoint, key.rsplit('/').next().unwrap());
        let agent = agent(&glacier.access(&access)).setting("BACKUP_RETRY_MINUTES", "0");
        Cold { scene: Scene { agent, ..scene }, glacier }
    }

    fn run(&self, line: &str) -> Outcome {
        self.scene.agent.run(&line.split(' ').collect::<Vec<_>>())
    }

    /// Nothing was asked of S3, nor done to the database.
    fn is_untouched(&self) {
        assert!(self.glacier.asked().is_empty(), "{:?}", self.glacier.asked());
        assert_eq!((self.scene.rows(), self.scene.beside()), ("10".to_owned(), Vec::new()));
    }
}

/// The command line that an answer names at its end.
fn next(outcome: &Outcome) -> String {
    let line = outcome.stdout.lines().last().unwrap().trim();
    line.strip_prefix("lastgood ").unwrap_or_else(|| panic!("no command\n{outcome}")).to_owned()
}

#[test]
fn an_archive_is_asked_for_and_restored_later() {
    let cold = Cold::new("glacier");
    let plan = cold.run("restore latest --dry-run").exits(1);
    let plan = plan.mentions("in     Glacier Flexible Retrieval").mentions("3 to 5 hours (standard retrieval), about ");
    plan.mentions("5 to 12 hours, ").mentions("--retrieval bulk").mentions("--retrieval expedited");
    let json = cold.run("restore latest --dry-run --json").exits(1);
    holds("restore from Glacier", &json);
    assert_eq!((&json.json()["state"], &json.json()["days"]), (&"frozen".into(), &7.into()));
    cold.run("restore latest").exits(1).mentions("stdin is not a terminal");
    cold.run("restore latest --resume").exits(1).mentions("was not asked for").mentions("ask for it, without --resume");
    cold.run("show latest").succeeds().mentions("it has to be brought back before it can be read (3 to 5 hours)");
    let hint = cold.run("verify latest").exits(1).mentions("hint: thaw it");
    cold.is_untouched();

    // The hint's command, as it is typed.
    let command = hint.stderr.split("lastgood ").nth(1).unwrap().split(", which").next().unwrap().to_owned();
    let asked = cold.run(&format!("{command} --confirm")).exits(1).mentions("asked for, and S3 is bringing it back");
    let requests = cold.glacier.asked();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].body.contains("<Days>7</Days>"), "{}", requests[0].body);
    assert!(requests[0].body.contains("<Tier>Standard</Tier>"), "{}", requests[0].body);
    assert!(requests[0].target.contains("versionId="), "{}", requests[0].target);

    cold.glacier.acts().way = Way::Thawing(1000);
    cold.run("restore latest --confirm").exits(1).mentions("asked for earlier, and not back yet");
    cold.run("restore latest --retrieval bulk --resume").exits(1).mentions("asked for earlier, and not back yet");
    cold.run("verify latest").exits(1).mentions("is being brought back from Glacier");
    let shown = cold.run("show latest --json").succeeds();
    holds("show", &shown);
    assert_eq!(shown.json()["glacier"]["state"], "thawing");
    assert_eq!((cold.glacier.asked().len(), cold.scene.rows().as_str()), (1, "10"));

    cold.glacier.acts().way = Way::Thawed;
    cold.run("show latest").succeeds().mentions("can be read until 2125-12-21");
    cold.run("verify latest").succeeds().mentions("intact");
    cold.run(&next(&asked)).succeeds().mentions("restored ");
    assert_eq!((cold.glacier.asked().len(), cold.scene.rows().as_str()), (1, "100"));
}

#[test]
fn an_archive_is_asked_for_and_drilled_later() {
    let cold = Cold::new("glacier_drill");
    let looked = cold.run("drill --dry-run").exits(1).mentions("it has to be brought back before it can be read");
    looked.mentions("hint: ask for it: lastgood drill ");
    cold.run("drill").exits(1).mentions("Glacier Flexible Retrieval").mentions("stdin is not a terminal");
    cold.is_untouched();
    let asked =
        cold.run("drill --confirm --retrieval bulk").exits(1).mentions("it was asked for, which takes 5 to 12 hours");
    assert!(cold.glacier.asked()[0].body.contains("<Tier>Bulk</Tier>"));
    cold.glacier.acts().way = Way::Thawing(1000);
    cold.run("drill --resume").exits(1).mentions("it was asked for earlier, and is not back yet");
    cold.glacier.acts().way = Way::Thawed;
    // The hint's command, as it is typed.
    let later =
        asked.stderr.split("go on when it is back: lastgood ").nth(1).unwrap().lines().next().unwrap().to_owned();
    assert!(later.starts_with("drill glacier_drill") && later.ends_with(" --resume"), "{later}");
    cold.run(&later).succeeds().mentions("PASSED").mentions("100 rows");
    assert_eq!((cold.glacier.asked().len(), cold.scene.rows().as_str()), (1, "10"));
}

#[test]
fn roles_in_glacier_are_asked_for_and_made_when_they_are_back() {
    let cold = Cold::of("glacier_roles", ".globals.sql.gz");
    cold.run("restore latest --create-roles --dry-run").exits(1).mentions("isn't a dry run asks S3 for it");
    cold.is_untouched();
    cold.run("restore latest --create-roles --confirm").exits(1).mentions("run it again some hours later");
    assert_eq!((cold.glacier.asked().len(), cold.scene.rows().as_str()), (1, "10"));
    assert!(cold.glacier.asked()[0].target.contains(".globals.sql.gz"), "{:?}", cold.glacier.asked());
    cold.glacier.acts().way = Way::Thawed;
    cold.run("restore latest --create-roles --confirm").succeeds().mentions("restored ");
    assert_eq!((cold.glacier.asked().len(), cold.scene.rows().as_str()), (1, "100"));
}

#[test]
fn a_restore_waits_until_its_archive_is_back() {
    let cold = Cold::new("glacier_wait");
    // Somebody else has asked between the look and the request.
    cold.glacier.acts().refuses = Some((409, "RestoreAlreadyInProgress"));
    cold.glacier.acts().way = Way::Frozen;
    let mut run = cold.scene.agent.start(&["restore", "latest", "--confirm", "--wait", "--retrieval", "bulk"]);
    run.wait_for("waiting until");
    cold.glacier.acts().way = Way::Thawing(1);
    run.wait().succeeds().mentions("is not back from Glacier after").mentions("restored ");
    assert!(cold.glacier.asked()[0].body.contains("<Tier>Bulk</Tier>"));
    assert_eq!(cold.scene.rows(), "100");
}

#[test]
fn a_wait_that_is_told_to_stop_says_how_to_go_on() {
    let cold = Cold::new("glacier_stop");
    cold.glacier.acts().looks = 1000;
    let mut run = cold.scene.agent.start(&["restore", "latest", "--confirm", "--wait"]);
    run.wait_for("waiting until");
    run.signal(Signal::INT);
    let outcome = run.wait().exits(1).mentions("stopped by SIGINT; S3 goes on bringing");
    assert!(outcome.stderr.trim_end().ends_with("--confirm --resume"), "{outcome}");
    assert_eq!((cold.glacier.asked().len(), cold.scene.rows().as_str()), (1, "10"));
}

#[test]
fn what_s3_refuses_says_what_to_do() {
    let cold = Cold::new("glacier_no");
    cold.glacier.acts().refuses = Some((403, "AccessDenied"));
    cold.run("restore latest --confirm").exits(1).mentions("s3:RestoreObject on s3://").mentions("hint: allow");
    cold.glacier.acts().refuses = Some((503, "GlacierExpeditedRetrievalNotAvailable"));
    let haste = cold.run("restore latest --confirm --retrieval expedited").exits(1);
    haste.mentions("within minutes now").mentions("hint: ask with --retrieval standard");
    cold.glacier.acts().class = "DEEP_ARCHIVE";
    cold.run("restore latest --confirm --retrieval expedited").exits(2).mentions("--retrieval bulk (up to 48 hours)");
    // Listed as readable, and free.
    {
        let mut acts = cold.glacier.acts();
        acts.class = "INTELLIGENT_TIERING";
        acts.archive_status = Some("DEEP_ARCHIVE_ACCESS");
        acts.refuses = None;
    }
    let asked = cold.run("restore latest --confirm").exits(1);
    asked
        .mentions("the Deep Archive Access tier of Intelligent-Tiering")
        .mentions("up to 12 hours (standard retrieval), free");
    let requests = cold.glacier.asked();
    assert_eq!(requests.len(), 3);
    assert!(!requests[2].body.contains("Days") && requests[2].body.contains("<Tier>Standard</Tier>"), "{requests:?}");
    assert_eq!((cold.scene.rows(), cold.scene.beside()), ("10".to_owned(), Vec::new()));
}
