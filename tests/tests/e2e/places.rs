//! One dump to several places: a directory and three buckets of two stores.

mod copy;
mod failures;
mod refusing;
mod shown;
mod slow;

use std::path::PathBuf;

use e2e::agent::{Agent, Outcome};
use e2e::bounds::wait_until;
use e2e::bucket::{Access, Bucket, is_archive};
use e2e::ministack::Ministack;
use e2e::proxy::{Direction, Fault, Proxy};
use e2e::seaweedfs::Seaweedfs;
use tempfile::TempDir;

use crate::backup::{agent, in_parts, large, small};

/// A directory and three buckets.
pub(crate) struct Places {
    above: TempDir,
    pub(crate) buckets: [Bucket; 3],
}

impl Places {
    pub(crate) fn new() -> Places {
        let (seaweedfs, ministack) = (Seaweedfs::shared().admin(), Ministack::shared().root());
        let buckets = [Bucket::new(&seaweedfs), Bucket::new(&ministack), Bucket::new(&seaweedfs)];
        Places { above: tempfile::tempdir().unwrap(), buckets }
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.above.path().join("backups")
    }

    /// Stores in all four.
    pub(crate) fn all(&self, agent: Agent) -> Agent {
        self.buckets_of(agent.directory(&self.directory()))
    }

    /// Stores in the buckets alone.
    fn buckets_of(&self, agent: Agent) -> Agent {
        let [first, second, third] = &self.buckets;
        let agent = agent.bucket(first.name(), first.access()).bucket_beside(2, second.name(), second.access());
        agent.bucket_beside(3, third.name(), third.access())
    }

    fn files(&self) -> Vec<String> {
        let rows = std::fs::read_dir(self.directory()).into_iter().flatten();
        let mut names: Vec<_> = rows.map(|row| row.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The only backup's name, by the directory.
    fn stem(&self) -> String {
        let files = self.files();
        let manifest = files.iter().find(|file| file.ends_with(".manifest.json")).unwrap();
        manifest.trim_end_matches(".manifest.json").to_owned()
    }
}

/// Archive, globals, index, manifest and the database's mark, and nothing else.
#[track_caller]
fn holds_one_backup(bucket: &Bucket) {
    let keys = bucket.keys();
    let count = |ending: &str| keys.iter().filter(|key| key.contains(ending)).count();
    assert_eq!(keys.iter().filter(|key| is_archive(key)).count(), 1, "{keys:?}");
    assert_eq!([".globals.sql.gz", ".index.json.gz", ".manifest.json"].map(count), [1, 1, 1], "{keys:?}");
    // A store under load may forget a completed one a moment later.
    wait_until(&format!("no upload is open in {}", bucket.name()), || bucket.open_uploads().is_empty());
}

#[track_caller]
fn shows_no_backup(bucket: &Bucket) {
    assert_eq!(bucket.keys_of_backups(), Vec::<String>::new());
}

/// The command of a hint, as arguments.
fn hinted(outcome: &Outcome) -> Vec<String> {
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    let at = said.find("lastgood copy ").unwrap_or_else(|| panic!("no copy is hinted at: {outcome}"));
    let line = said[at..].lines().next().unwrap().split(';').next().unwrap();
    line.split_whitespace().skip(1).map(str::to_owned).collect()
}

#[test]
fn one_dump_reaches_a_directory_and_three_buckets_and_what_was_cut_is_made_whole_by_the_hint() {
    let places = Places::new();
    let third = &places.buckets[2];
    let proxy = Proxy::start(&third.access().endpoint);
    let agent = in_parts(places.all(agent().database(large())));
    let agent = agent.bucket_beside(3, third.name(), &third.access().through(&proxy));
    proxy.set(Fault::GoAway(Direction::Up, 7_000_000));
    let failed = agent.run(&["backup"]).exits(1);
    let name = format!("bucket 3 (s3://{}/backups)", third.name());
    let failed = failed.mentions(&format!("the backup is only partly done: {name} failed")).mentions("good");
    assert!(proxy.has_struck());
    places.buckets[..2].iter().for_each(holds_one_backup);
    shows_no_backup(third);
    agent.run(&["list"]).succeeds().mentions("  good  new  new  ?").mentions("bucket 3");
    proxy.heal();
    agent.run(&["list"]).succeeds().mentions("  good  new  new  -");
    let copy = hinted(&failed);
    assert_eq!(copy, ["copy", &places.stem(), "--from", "directory", "--to", "3"]);
    agent.run(&copy).succeeds().mentions("copied");
    holds_one_backup(third);
    agent.run(&copy).succeeds().mentions("there").keeps_silent_about("copied");
    agent.run(&["verify", "latest", "--repository", "3"]).succeeds().mentions("intact");
    let address = format!("s3://{}", third.name());
    agent.run(&["list", "--repository", &address]).succeeds().mentions("good").keeps_silent_about("DIR");
    agent.run(&["restore", "latest", "--repository", "3", "--dry-run"]).succeeds().mentions(third.name());
    let shown = agent.run(&["show", &places.stem(), "--repository", "3", "--json"]).succeeds().json();
    assert_eq!(shown["state"], "good", "{shown:#}");
}

#[test]
fn a_place_that_cannot_be_opened_is_named_before_the_dump_which_goes_to_the_others() {
    let places = Places::new();
    let agent = places.all(agent().database(small())).setting("BACKUP_S3_BUCKET_2", "no-such-bucket-anywhere");
    let failed =
        agent.run(&["backup", "-v"]).exits(1).mentions("bucket 2 (s3://no-such-bucket-anywhere/backups) failed");
    let at = |text: &str| failed.stderr.find(text).unwrap_or_else(|| panic!("{text}: {failed}"));
    assert!(at("the bucket no-such-bucket-anywhere does not exist") < failed.stderr.len(), "{failed}");
    let failed = failed.mentions("hint: check BACKUP_S3_BUCKET_2");
    assert_eq!(hinted(&failed)[2..], ["--from", "directory", "--to", "2"]);
    [0, 2].iter().for_each(|at| holds_one_backup(&places.buckets[*at]));
    let secret = "a-secret-that-is-wrong";
    let agent = places.all(agent).setting("BACKUP_AWS_SECRET_ACCESS_KEY_3", secret);
    let failed = agent.run(&["backup", "--json"]).exits(1).keeps_silent_about(secret);
    let failed = failed.json();
    let backup = &failed["backups"][0];
    let kept: Vec<_> =
        backup["stored"].as_array().unwrap().iter().map(|kept| kept["place"].as_str().unwrap()).collect();
    assert_eq!(kept, ["directory", "1", "2"], "{failed:#}");
    assert_eq!(backup["failures"][0]["place"], "3", "{failed:#}");
    // Nobody is left: that is known before anything is dumped.
    let nobody = crate::backup::agent().database(small());
    let nobody = nobody.bucket("nowhere-1", &Ministack::shared().root()).setting("BACKUP_S3_BUCKET_2", "nowhere-2");
    nobody.run(&["backup"]).exits(2).mentions("the bucket nowhere-1 does not exist").keeps_silent_about("dumped");
}

#[test]
fn a_fifth_bucket_a_gap_the_same_place_twice_and_anothers_credentials_are_refused() {
    let access = Ministack::shared().root();
    let base = || crate::backup::agent().database(small()).bucket("one-bucket", &access);
    let other =
        Access { endpoint: "http://127.0.0.1:1".into(), secret: "a secret of its own".into(), ..access.clone() };
    let cases = [
        (base().setting("BACKUP_S3_BUCKET_5", "five"), "there are four buckets at most"),
        (
            base().setting("BACKUP_S3_BUCKET_3", "three"),
            "BACKUP_S3_BUCKET_2 is not set; number the buckets without a gap",
        ),
        (base().setting("BACKUP_S3_PREFIX_2", "two"), "BACKUP_S3_BUCKET_2 is not set, so there is no such bucket"),
        (base().setting("BACKUP_S3_BUCKET_2", "one-bucket"), "it is the same place as that of BACKUP_S3_BUCKET"),
        (
            base().setting("BACKUP_S3_BUCKET_2", "two").setting("BACKUP_S3_ENDPOINT_2", other.endpoint.clone()),
            "whose credentials do not go there; set BACKUP_AWS_ACCESS_KEY_ID_2",
        ),
        (
            base().bucket_beside(2, "two-bucket", &other).setting("BACKUP_AWS_SECRET_ACCESS_KEY_2", ""),
            "BACKUP_AWS_SECRET_ACCESS_KEY_2 is missing",
        ),
    ];
    for (agent, said) in cases {
        agent.run(&["backup"]).exits(2).mentions(said).mentions("hint: run lastgood config");
        agent.run(&["config", "--set"]).exits(2).mentions(said);
    }
    let fine = base().bucket_beside(2, "two-bucket", &other);
    let shown = fine.run(&["config", "--set"]).succeeds().keeps_silent_about(&other.secret);
    shown.mentions("Backups go to: s3://two-bucket/backups (2), at http://127.0.0.1:1, with the access key");
    fine.run(&["list", "--repository", "3"])
        .exits(2)
        .mentions("BACKUP_S3_BUCKET_3 is not set")
        .mentions("s3://two-bucket/backups");
    fine.run(&["list", "--repository", "s3://three"]).exits(2).mentions("none of the places that are set");
    fine.run(&["copy", "latest", "--to", "1"]).exits(2).mentions("--from and --to are the same place");
}
