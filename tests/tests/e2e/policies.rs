//! docs/security.md held to what is granted: its policies are the stack's, and who has no stack gets along with the one for a host.

use e2e::agent::Agent;
use e2e::aws::ask_all;
use e2e::bucket::{Access, Bucket};
use e2e::ministack::Ministack;
use e2e::postgres::Postgres;
use e2e::tools;
use serde_json::{Value, json};

use crate::stack::shared;
use e2e::past::agent;

/// The bucket that the page speaks of.
const BUCKET: &str = "shop-backups";

/// The page's policy of this name: the block that begins "```json NAME".
fn documented(name: &str) -> Value {
    let page = std::fs::read_to_string(tools::root().join("docs/security.md")).unwrap();
    let block = page.split(&format!("```json {name}\n")).nth(1).unwrap_or_else(|| panic!("no policy {name}"));
    serde_json::from_str(block.split("```").next().unwrap()).unwrap()
}

/// What the stack's policy grants, with the page's bucket for its own.
fn granted(name: &str) -> Value {
    let arn = shared().output(&format!("{name}Arn"));
    let policy = shared().ask("iam", "GetPolicyVersion", json!({"PolicyArn": arn, "VersionId": "v1"}));
    let text = policy["PolicyVersion"]["Document"].to_string();
    serde_json::from_str(&text.replace(&shared().bucket(), BUCKET)).unwrap()
}

#[test]
fn the_pages_policies_are_those_of_the_stack() {
    for name in ["AgentPolicy", "VerifierPolicy", "RetentionPolicy", "OperatorPolicy", "EraserPolicy"] {
        let (page, stack) = (documented(name), granted(name));
        assert_eq!(page, stack, "docs/security.md has another {name} than the template");
    }
}

/// A new user with this policy and no other.
pub(crate) fn user(name: &str, policy: &Value) -> Access {
    let root = Ministack::shared().root();
    let policy = json!({"UserName": name, "PolicyName": "own", "PolicyDocument": policy.to_string()});
    let answers = ask_all(
        &root,
        &[
            ("iam", "CreateUser", json!({"UserName": name})),
            ("iam", "PutUserPolicy", policy),
            ("iam", "CreateAccessKey", json!({"UserName": name})),
        ],
    );
    let text = |field: &str| answers[2]["AccessKey"][field].as_str().unwrap().to_owned();
    Access { key_id: text("AccessKeyId"), secret: text("SecretAccessKey"), ..root }
}

#[test]
fn a_host_without_a_stack_does_everything_with_the_pages_policy() {
    let root = Ministack::shared().root();
    let bucket = Bucket::versioned(&root);
    let policy = documented("host").to_string().replace(BUCKET, bucket.name());
    let host = user("lonely-host", &serde_json::from_str(&policy).unwrap());
    let database = Postgres::shared().new_database("lonely");
    database.query("CREATE TABLE t AS SELECT n FROM generate_series(1, 100) AS n");
    let agent: Agent = agent().database(&database).bucket(bucket.name(), &host);
    let agent = agent.setting("MIN_BACKUP_COUNT", "1").setting("MIN_BACKUP_SIZE", "1").setting("BACKUP_MIN_GOOD", "1");
    agent.run(&["backup", "--dry-run"]).succeeds();
    agent.run(&["backup", "--name", "one", "--quiet"]).succeeds().keeps_silent_about("warning");
    agent.run(&["backup", "--name", "two", "--quiet"]).succeeds();
    agent.run(&["verify", "--all"]).succeeds().mentions("2 intact");
    agent.run(&["check"]).succeeds();
    agent.run(&["restore", "latest", "--in-place", "--confirm"]).succeeds().mentions("pre_restore");
    let agent = agent.setting("BACKUP_KEEP_LAST", "1");
    agent.run(&["prune"]).succeeds().mentions("1 backup removed");
    agent.run(&["retire", database.name(), "--confirm"]).succeeds();
}

/// One of the page's policies, for this bucket.
fn of_page(name: &str, bucket: &Bucket) -> Value {
    serde_json::from_str(&documented(name).to_string().replace(BUCKET, bucket.name())).unwrap()
}

/// Each row of the page's table of copying: who reads, who stores, and who may not.
#[test]
fn a_copy_reads_as_the_operator_and_stores_as_the_agent_whose_policy_holds_in_each_bucket() {
    let root = Ministack::shared().root();
    let (one, two) = (Bucket::versioned(&root), Bucket::versioned(&root));
    let database = Postgres::shared().new_database("copied");
    database.fill_with_megabytes(7);
    let bare = agent().database(&database).setting("BACKUP_VERIFY", "none").setting("BACKUP_COMPRESSION", "none");
    let bare =
        bare.setting("BACKUP_S3_PART_SIZE", "5MiB").bucket(one.name(), &root).bucket_beside(2, two.name(), &root);
    let printed = bare.run(&["policy", database.name(), "--repository", "2"]).succeeds().json();
    assert!(printed.to_string().contains(two.name()) && !printed.to_string().contains(one.name()), "{printed:#}");
    bare.run(&["policy", database.name()]).succeeds().mentions("add --repository 2");
    let agent_one = user("copying-agent-one", &of_page("AgentPolicy", &one));
    let agent_two = user("copying-agent-two", &printed);
    let folder = tempfile::tempdir().unwrap();
    let agents = bare.bucket(one.name(), &agent_one).bucket_beside(2, two.name(), &agent_two).directory(folder.path());
    agents.run(&["backup", "--name", "both", "--quiet"]).succeeds().keeps_silent_about("warning");
    let forget = |bucket: &Bucket| bucket.keys_of_backups().iter().for_each(|key| bucket.delete(key));
    forget(&two);
    // The source, a directory: the agent alone.
    let id = format!("{}_backup_both", database.name());
    agents
        .run(&["copy", &id, "--from", "directory", "--to", "2"])
        .succeeds()
        .mentions("copied")
        .keeps_silent_about("warning");
    agents.run(&["copy", &id, "--from", "directory", "--to", "2"]).succeeds().mentions("there");
    assert!(!two.keys().iter().any(|key| key.ends_with(".intact.json")), "a verdict was copied");
    forget(&two);
    // The source, a bucket: the agent may not read it, and the operator may.
    let refused = agents.run(&["copy", &id, "--from", "1", "--to", "2"]).exits(1).mentions("s3:GetObject");
    refused.mentions("hint: copy with the operator's identity").mentions("AWS_PROFILE");
    assert_eq!(two.keys_of_backups(), Vec::<String>::new());
    let operator = user("copying-operator", &of_page("OperatorPolicy", &one));
    let operating = agents.bucket(one.name(), &operator);
    operating
        .run(&["copy", &id, "--from", "1", "--to", "2"])
        .succeeds()
        .mentions("copied")
        .keeps_silent_about("warning");
    assert_eq!(two.open_uploads(), Vec::<String>::new());
    // The target takes no more than an agent may add.
    operating.run(&["verify", &id, "--repository", "2"]).exits(1).mentions("s3:GetObject");
}
