//! Every command for real, each by the identity that docs/security.md names for it.

use e2e::agent::Agent;
use e2e::bucket::{Access, Bucket};
use e2e::ministack::Ministack;
use e2e::postgres::{Database, Postgres};
use e2e::proxy::{Fault, Proxy};
use e2e::stack::Stack;

use e2e::past::agent;

/// A stack whose functions do nothing, its bucket, and a database whose plain dump takes two parts of 5 MiB.
pub(super) struct Scene {
    pub(super) stack: Stack<'static>,
    pub(super) bucket: Bucket,
    pub(super) database: Database<'static>,
}

impl Scene {
    pub(super) fn new(name: &str) -> Scene {
        let stack = Stack::new(Ministack::shared(), name);
        let user = |role: &str| format!("arn:aws:iam::000000000000:user/{name}-{role}");
        // Nobody is named as an operator: the policy alone is enough.
        stack.deploy(&[&format!("AdminArns={}", user("retention")), &format!("VerifierArns={}", user("verifier"))]);
        let database = Postgres::shared().new_database_named(name);
        database.fill_with_megabytes(7);
        Scene { bucket: Bucket::existing(&stack.ministack().root(), &stack.bucket()), stack, database }
    }

    fn user(&self, role: &str) -> Access {
        self.stack.user(&format!("{}-{}", self.database.name(), role.to_lowercase()), &format!("{role}PolicyArn"))
    }

    pub(super) fn agent(&self, access: &Access) -> Agent {
        let agent = agent().database(&self.database).bucket(self.bucket.name(), access);
        agent.setting("BACKUP_VERIFY", "none").setting("BACKUP_S3_PART_SIZE", "5MiB")
    }

    pub(super) fn as_a(&self, role: &str) -> Agent {
        self.agent(&self.user(role))
    }

    pub(super) fn holds(&self, ending: &str) -> bool {
        self.bucket.keys().iter().any(|key| key.ends_with(ending))
    }
}

#[test]
fn each_command_runs_as_its_identity() {
    let scene = Scene::new("commands");
    let agent = scene.as_a("Agent");
    agent.run(&["backup", "--dry-run"]).succeeds();
    agent.run(&["backup", "--name", "one"]).succeeds().keeps_silent_about("warning");
    let agent = agent.setting("BACKUP_COMPRESSION", "none");
    agent.run(&["backup", "--name", "parts"]).succeeds().keeps_silent_about("warning");
    let etag = scene.bucket.head(&scene.bucket.key_ending_in("_parts.sql")).e_tag.unwrap();
    assert!(etag.contains('-'), "one put, and no multipart upload: {etag}");
    assert!(scene.holds("databases/commands.json"));
    agent.run(&["list"]).succeeds().mentions("commands_backup_parts");
    agent.run(&["show", "commands_backup_parts"]).succeeds();
    agent.run(&["check"]).exits(6).mentions("no good backup");
    agent.run(&["verify", "--all"]).exits(1).mentions("s3:GetObject");
    agent.run(&["drill", "commands_backup_one"]).exits(1).mentions("s3:GetObject");

    scene.as_a("Verifier").run(&["verify", "--all"]).succeeds().mentions("2 intact");
    assert!(scene.holds("_parts.intact.json"));
    operate(&scene);
    agent.run(&["accept", "commands_backup_parts"]).exits(1).mentions("s3:PutObject");
    agent.run(&["diff", "commands_backup_one", "commands_backup_parts"]).exits(1).mentions("s3:GetObject");

    let retention = scene.as_a("Retention").setting("BACKUP_KEEP_LAST", "1").setting("BACKUP_MIN_GOOD", "1");
    retention.run(&["prune"]).succeeds();
    assert_eq!(scene.bucket.keys().iter().filter(|key| key.ends_with(".intact.json")).count(), 1);
    agent.run(&["prune"]).exits(1).mentions("s3:ListBucketVersions");
    // A mark's limits are those of `check`. Where there is none S3 says that it is denied, and the listing that it isn't there.
    let agent = agent.setting("DB_NAME", "astro").setting("MIN_BACKUP_COUNT", "0");
    scene.bucket.put("backups/20260120/astro_backup_20260120_030000.intact.json", b"{}");
    agent.run(&["check"]).exits(6).mentions("fewer than 10000000");
    agent.setting("DB_NAME", "never").run(&["check"]).exits(6).mentions("no good backup");
}

fn operate(scene: &Scene) {
    let guest = "backups/20260120/astro_backup_20260120_030000.sql.gz";
    scene.bucket.put(guest, &scene.database.dump(&["--format=custom"]));
    let operator = scene.as_a("Operator");
    operator.run(&["list"]).succeeds().mentions("good");
    operator.run(&["drill", "--temporary-server"]).succeeds().mentions("PASSED").keeps_silent_about("warning");
    assert!(scene.holds(".drill.json") && scene.holds("status/drills/commands.json"), "a drill is not written down");
    operator.run(&["check", "--max-drill-age", "1d"]).keeps_silent_about("drill");
    operator.run(&["restore", "latest", "--into", "commands_copy", "--confirm"]).succeeds();
    operator.run(&["restore", "latest", "--in-place", "--confirm", "--skip-services"]).succeeds();
    assert!(scene.holds(".manifest.json") && scene.bucket.keys().iter().any(|key| key.contains("_pre_restore_")));
    operator.run(&["verify", "latest"]).succeeds().mentions("s3:PutObject");
    operator.run(&["accept", "commands_backup_one"]).succeeds();
    operator.run(&["diff", "commands_backup_one", "commands_backup_parts"]).succeeds().mentions("Nothing differs");
    let adopting = operator.setting("DB_NAME", "astro");
    adopting.run(&["adopt", "--all"]).succeeds().mentions("adopted").mentions("s3:PutObject");
    assert!(scene.holds("astro_backup_20260120_030000.manifest.json"));
    assert!(!scene.holds("astro_backup_20260120_030000.intact.json"), "an operator judged");
    assert!(scene.holds("databases/astro.json"), "an adopted guest isn't expected");
    adopting.run(&["retire", "astro", "--confirm"]).succeeds();
    adopting.run(&["retire", "astro", "--confirm"]).succeeds().mentions("was retired on");
    adopting.run(&["expect", "astro", "--max-age", "8d", "--min-size", "10MB"]).succeeds().mentions("192 hours");
}

/// The stack's lifecycle rule would abort it seven days later; until then its parts cost money.
#[test]
fn agent_aborts_the_upload_that_a_lost_answer_left_open() {
    let scene = Scene::new("strays");
    let access = scene.user("Agent");
    let proxy = Proxy::start(&access.endpoint);
    let agent = scene.agent(&access.through(&proxy)).setting("BACKUP_COMPRESSION", "none");
    let agent = agent.setting("BACKUP_RETRY_MINUTES", "1");
    proxy.set(Fault::LoseAnswer("POST", "uploads"));
    agent.run(&["backup"]).succeeds();
    assert!(proxy.has_struck());
    assert_eq!(scene.bucket.open_uploads(), Vec::<String>::new());
}
