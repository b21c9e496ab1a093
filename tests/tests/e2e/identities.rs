//! What each identity of the stack may do and what it is refused, tried for real with its own keys.

mod attacks;
mod commands;
mod releases;

use std::sync::OnceLock;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, BucketVersioningStatus, CompletedMultipartUpload, CompletedPart, ExpirationStatus,
    LifecycleExpiration, LifecycleRule, VersioningConfiguration,
};
use e2e::aws::ask;
use e2e::bucket::{Access, Bucket, wait};
use serde_json::json;

use crate::stack::shared;

const ARCHIVE: &str = ".sql.gz";
const MANIFEST: &str = ".manifest.json";

#[test]
fn agent_adds_backups_and_reads_records() {
    let agent = Identity::new("agent", "AgentPolicyArn");
    for ending in [ARCHIVE, ".sql", ".sql.zst", ".sql.zst.age", MANIFEST] {
        assert_eq!(agent.add(&key("added", ending)), Answer::Done, "{ending}");
    }
    assert_eq!(agent.add("backups/databases/app.json"), Answer::Done);
    assert_eq!(agent.get(&key("added", MANIFEST)), Answer::Done);
    assert_eq!(agent.list("backups/20260101/"), Answer::Done);
}

#[test]
fn agent_uploads_in_parts_and_may_not_complete_over_a_name() {
    let agent = Identity::new("agent-parts", "AgentPolicyArn");
    assert_eq!(agent.upload(&key("parts", ARCHIVE), None), Answer::Refused);
    assert_eq!(agent.upload(&key("parts", ARCHIVE), Some("*")), Answer::Done);
    assert_eq!(agent.upload(&key("parts", ARCHIVE), Some("*")), Answer::Exists);
}

#[test]
fn agent_is_refused_everything_else() {
    let agent = Identity::new("thief", "AgentPolicyArn");
    let theirs = backup("kept");
    assert_eq!(agent.add(&key("kept", ARCHIVE)), Answer::Exists);
    assert_eq!(agent.put(&key("kept", ARCHIVE)), Answer::Refused, "overwrite");
    assert_eq!(agent.put(&key("unheard-of", ARCHIVE)), Answer::Refused, "without the condition");
    assert_eq!(agent.put("backups/databases/kept.json"), Answer::Refused, "retire");
    assert_eq!(agent.get(&key("kept", ARCHIVE)), Answer::Refused, "read an archive");
    for ending in [".intact.json", ".damaged.json", ".verifying.json", ".drill.json"] {
        assert_eq!(agent.add(&key("kept", ending)), Answer::Refused, "{ending}");
    }
    // What bears such a name stands in a backup's place, or in the way of what is to.
    for ending in
        [".sql.gz", ".sql.zst.age", ".manifest.json", ".globals.sql.gz", ".index.json.gz", ".index.json.gz.age"]
    {
        for number in ["1", "99"] {
            assert_eq!(agent.add(&key("kept", &format!("_erased_{number}{ending}"))), Answer::Refused, "{ending}");
        }
    }
    assert_eq!(agent.add("elsewhere/app.sql.gz"), Answer::Refused);
    assert_eq!(agent.list(""), Answer::Refused);
    assert_eq!(agent.delete(&key("kept", ARCHIVE), None), Answer::Refused);
    assert_eq!(agent.delete(&key("kept", ARCHIVE), Some(&theirs)), Answer::Refused);
    assert_eq!(agent.expire_everything(), Answer::Refused);
    assert_eq!(agent.stop_versioning(), Answer::Refused);
}

#[test]
fn verifier_reads_and_judges_and_is_refused_deletion_and_backups() {
    let verifier = Identity::new("verifier", "VerifierPolicyArn");
    let version = backup("judged");
    assert_eq!(verifier.get(&key("judged", ARCHIVE)), Answer::Done);
    assert_eq!(verifier.get(&key("never-was", ARCHIVE)), Answer::Gone, "gone must not look like refused");
    for ending in [".intact.json", ".damaged.json", ".verifying.json"] {
        assert_eq!(verifier.put(&key("judged", ending)), Answer::Done, "{ending}");
        assert_eq!(verifier.delete(&key("judged", ending), None), Answer::Refused, "{ending}");
    }
    assert_eq!(verifier.add(&key("forged", MANIFEST)), Answer::Refused);
    assert_eq!(verifier.add(&key("forged", ARCHIVE)), Answer::Refused);
    assert_eq!(verifier.delete(&key("judged", ARCHIVE), Some(&version)), Answer::Refused);
}

#[test]
fn retention_deletes_by_version_and_is_refused_archives_and_writing() {
    // The stack's AdminArns name this user: the bucket's own policy refuses deletion to any other.
    let retention = Identity::new("retention", "RetentionPolicyArn");
    let version = backup("old");
    assert_eq!(retention.get(&key("old", MANIFEST)), Answer::Done);
    assert_eq!(retention.get(&key("old", ARCHIVE)), Answer::Refused);
    assert_eq!(retention.add(&key("forged", MANIFEST)), Answer::Refused);
    assert_eq!(retention.put(&key("old", ".intact.json")), Answer::Refused);
    assert_eq!(retention.list("backups/"), Answer::Done);
    assert_eq!(retention.delete("backups/databases/old.json", None), Answer::Refused);
    assert_eq!(retention.delete(&key("old", ARCHIVE), Some(&version)), Answer::Done);
}

#[test]
fn bucket_itself_refuses_deletion_to_whoever_is_not_named() {
    let named_nowhere = Identity::new("not-named", "RetentionPolicyArn");
    let version = backup("guarded");
    assert_eq!(named_nowhere.delete(&key("guarded", ARCHIVE), Some(&version)), Answer::Refused);
}

#[test]
fn freshness_reads_records_and_publishes_under_its_namespace() {
    let freshness = Identity::new("freshness", "FreshnessPolicyArn");
    let version = backup("measured");
    assert_eq!(freshness.list("backups/"), Answer::Done);
    assert_eq!(freshness.get(&key("measured", MANIFEST)), Answer::Done);
    assert_eq!(freshness.get(&key("measured", ARCHIVE)), Answer::Refused);
    assert_eq!(freshness.put(&key("measured", ".intact.json")), Answer::Refused);
    // The bucket's own policy takes that from the function's role alone.
    assert_eq!(freshness.put("backups/status/freshness.json"), Answer::Refused);
    assert_eq!(freshness.put("backups/status/sweep.json"), Answer::Refused);
    assert_eq!(freshness.delete(&key("measured", ARCHIVE), Some(&version)), Answer::Refused);
    let datum =
        |namespace: &str| json!({"Namespace": namespace, "MetricData": [{"MetricName": "GoodCount", "Value": 2.0}]});
    ask(&freshness.access, "cloudwatch", "PutMetricData", datum("Lastgood"));
    let elsewhere = std::panic::catch_unwind(|| ask(&freshness.access, "cloudwatch", "PutMetricData", datum("Other")));
    let said = elsewhere.expect_err("published under another namespace").downcast::<String>().unwrap();
    assert!(said.contains("AccessDenied"), "{said}");
}

#[test]
fn operator_restores_adopts_and_retires_and_deletes_nothing() {
    let operator = Identity::new("operator", "OperatorPolicyArn");
    let version = backup("restored");
    assert_eq!(operator.get(&key("restored", ARCHIVE)), Answer::Done);
    assert_eq!(operator.add("backups/20260101/app_backup_pre_restore_20260101_030000.sql.gz"), Answer::Done);
    for again in 0..2 {
        assert_eq!(operator.put("backups/databases/retired.json"), Answer::Done, "retire {again}");
    }
    assert_eq!(operator.add(&key("adopted", MANIFEST)), Answer::Done);
    assert_eq!(operator.put(&key("restored", MANIFEST)), Answer::Refused, "overwrite");
    assert_eq!(operator.put(&key("restored", ".intact.json")), Answer::Refused, "a verdict");
    assert_eq!(operator.add(&key("restored", ".intact.json")), Answer::Refused, "a verdict");
    assert_eq!(operator.delete(&key("restored", ARCHIVE), Some(&version)), Answer::Refused);
}

#[test]
fn drills_are_recorded_by_the_operator_alone_and_globals_and_indexes_read_by_nobody_else() {
    const GLOBALS: [&str; 4] = [".globals.sql.gz", ".globals.sql.gz.age", ".index.json.gz", ".index.json.gz.age"];
    let operator = Identity::new("drills-operator", "OperatorPolicyArn");
    let version = backup("drilled");
    let drill = key("drilled", ".drill.json");
    for again in 0..2 {
        assert_eq!(operator.put(&drill), Answer::Done, "{again}");
        assert_eq!(operator.put("backups/status/drills/drilled.json"), Answer::Done, "{again}");
    }
    for status in ["sweep", "prune", "freshness", "removals", "report", "history/shop"] {
        assert_eq!(operator.put(&format!("backups/status/{status}.json")), Answer::Refused, "{status}");
    }
    let agent = Identity::new("agent-drills", "AgentPolicyArn");
    for ending in GLOBALS {
        assert_eq!(agent.add(&key("drilled", ending)), Answer::Done, "{ending}");
        assert_eq!(agent.put(&key("drilled", ending)), Answer::Refused, "overwrite {ending}");
        assert_eq!(operator.get(&key("drilled", ending)), Answer::Done, "{ending}");
        assert_eq!(operator.put(&key("drilled", ending)), Answer::Refused, "overwrite {ending}");
    }
    assert_eq!(operator.delete(&key("drilled", ARCHIVE), Some(&version)), Answer::Refused);
    // An operator whom OperatorArns doesn't name is none to the bucket.
    let others = ["Agent", "Verifier", "Retention", "Freshness", "Operator"];
    let others = others.map(|role| (role, Identity::new(&format!("{role}-drills"), &format!("{role}PolicyArn"))));
    for (role, other) in &others {
        for record in [drill.as_str(), "backups/status/drills/drilled.json"] {
            assert_eq!(other.get(record), Answer::Done, "{role} {record}");
            assert_eq!(other.put(record), Answer::Refused, "{role} {record}");
            let anew = record.replace("drilled", "planted");
            assert_eq!(other.add(&anew), Answer::Refused, "{role} {anew}");
        }
        for ending in GLOBALS {
            assert_eq!(other.get(&key("drilled", ending)), Answer::Refused, "{role} {ending}");
        }
    }
    // Who removes a backup removes them with it. The stack's AdminArns name this user.
    let retention = Identity::new("drills-retention", "RetentionPolicyArn");
    let bucket = Bucket::existing(&shared().ministack().root(), &shared().bucket());
    for ending in [&[".drill.json"][..], &GLOBALS].concat() {
        let version = bucket.head(&key("drilled", ending)).version_id.unwrap();
        assert_eq!(retention.delete(&key("drilled", ending), Some(&version)), Answer::Done, "{ending}");
    }
}

#[test]
fn operator_may_do_in_other_buckets_what_other_policies_say() {
    let operator = Identity::new("operator-elsewhere", "OperatorPolicyArn");
    let other = Bucket::new(&shared().ministack().root());
    let objects = format!("arn:aws:s3:::{}/*", other.name());
    let policy = json!({"Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": objects}]});
    let put = json!({"UserName": "operator-elsewhere", "PolicyName": "other", "PolicyDocument": policy.to_string()});
    shared().ask("iam", "PutUserPolicy", put);
    let elsewhere = Identity { bucket: other.name().to_owned(), ..operator };
    assert_eq!(elsewhere.put("backups/20260101/notes.txt"), Answer::Done);
    assert_eq!(elsewhere.put("notes.txt"), Answer::Done);
}

/// Whoever may do anything with S3 by a policy of their own, as an application's role often may.
#[test]
fn bucket_itself_refuses_forgery_to_whoever_may_do_anything_else() {
    let anything =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]});
    let access = crate::policies::user("insider", &anything);
    let insider = Identity { client: access.client(), access, bucket: shared().bucket() };
    let version = backup("forged-upon");
    for ending in [".intact.json", ".damaged.json", ".verifying.json"] {
        assert_eq!(insider.put(&key("forged-upon", ending)), Answer::Refused, "forge {ending}");
        assert_eq!(insider.add(&key("forged-upon", ending)), Answer::Refused, "forge {ending}");
    }
    for status in ["sweep", "prune", "freshness", "removals", "report", "history/shop"] {
        assert_eq!(insider.put(&format!("backups/status/{status}.json")), Answer::Refused, "{status}");
    }
    assert_eq!(insider.add("backups/databases/insiders.json"), Answer::Done, "to expect more than needed harms nobody");
    assert_eq!(insider.put("backups/databases/insiders.json"), Answer::Refused, "retire");
    assert_eq!(insider.expire_everything(), Answer::Refused, "a lifecycle rule");
    assert_eq!(insider.stop_versioning(), Answer::Refused);
    assert_eq!(insider.drop_policy(), Answer::Refused);
    assert_eq!(insider.put(&key("forged-upon", ARCHIVE)), Answer::Refused, "overwrite");
    assert_eq!(insider.delete(&key("forged-upon", ARCHIVE), Some(&version)), Answer::Refused);
    assert_eq!(insider.put("elsewhere/notes.txt"), Answer::Done, "the rest of the bucket is nobody's concern here");
}

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Done,
    Refused,
    Exists,
    Gone,
}

/// A user whom one of the stack's policies binds.
struct Identity {
    access: Access,
    client: Client,
    bucket: String,
}

impl Identity {
    fn new(name: &str, policy: &str) -> Identity {
        let access = shared().user(name, policy);
        Identity { client: access.client(), access, bucket: shared().bucket() }
    }

    /// Puts where nothing lies yet.
    fn add(&self, key: &str) -> Answer {
        let put = self.client.put_object().bucket(&self.bucket).key(key).body(ByteStream::from_static(b"{}"));
        answer(wait(put.if_none_match("*").send()))
    }

    /// Puts over whatever is there.
    fn put(&self, key: &str) -> Answer {
        answer(wait(self.client.put_object().bucket(&self.bucket).key(key).body(ByteStream::from_static(b"{}")).send()))
    }

    fn get(&self, key: &str) -> Answer {
        answer(wait(self.client.get_object().bucket(&self.bucket).key(key).send()))
    }

    fn list(&self, prefix: &str) -> Answer {
        answer(wait(self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).send()))
    }

    fn delete(&self, key: &str, version: Option<&str>) -> Answer {
        let delete = self.client.delete_object().bucket(&self.bucket).key(key);
        answer(wait(delete.set_version_id(version.map(str::to_owned)).send()))
    }

    /// One part, and the completion under this condition; what came of the completion.
    fn upload(&self, key: &str, condition: Option<&str>) -> Answer {
        let (client, bucket) = (&self.client, &self.bucket);
        let upload = wait(client.create_multipart_upload().bucket(bucket).key(key).send()).unwrap().upload_id.unwrap();
        let part = client.upload_part().bucket(bucket).key(key).upload_id(&upload).part_number(1);
        let part = wait(part.body(ByteStream::from_static(b"part")).send()).unwrap();
        let part = CompletedPart::builder().part_number(1).set_e_tag(part.e_tag).build();
        let parts = CompletedMultipartUpload::builder().parts(part).build();
        let complete =
            client.complete_multipart_upload().bucket(bucket).key(key).upload_id(&upload).multipart_upload(parts);
        let answer = answer(wait(complete.set_if_none_match(condition.map(str::to_owned)).send()));
        if answer != Answer::Done {
            wait(client.abort_multipart_upload().bucket(bucket).key(key).upload_id(&upload).send()).unwrap();
        }
        answer
    }

    fn expire_everything(&self) -> Answer {
        let tomorrow = LifecycleExpiration::builder().days(1).build();
        let rule = LifecycleRule::builder().status(ExpirationStatus::Enabled).expiration(tomorrow).build().unwrap();
        let rules = BucketLifecycleConfiguration::builder().rules(rule).build().unwrap();
        let put = self.client.put_bucket_lifecycle_configuration().bucket(&self.bucket).lifecycle_configuration(rules);
        answer(wait(put.send()))
    }

    fn drop_policy(&self) -> Answer {
        answer(wait(self.client.delete_bucket_policy().bucket(&self.bucket).send()))
    }

    fn stop_versioning(&self) -> Answer {
        let off = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
        answer(wait(self.client.put_bucket_versioning().bucket(&self.bucket).versioning_configuration(off).send()))
    }
}

/// Any other failure fails the test.
fn answer<T, E: ProvideErrorMetadata + std::fmt::Debug>(result: Result<T, SdkError<E>>) -> Answer {
    let Err(error) = result else { return Answer::Done };
    match error.code() {
        Some("AccessDenied") => Answer::Refused,
        Some("PreconditionFailed") => Answer::Exists,
        Some("NoSuchKey") => Answer::Gone,
        _ => panic!("{error:?}"),
    }
}

/// A backup that somebody made, and its archive's version.
fn backup(name: &str) -> String {
    static AGENT: OnceLock<Identity> = OnceLock::new();
    let agent = AGENT.get_or_init(|| Identity::new("somebody", "AgentPolicyArn"));
    assert_eq!(agent.add(&key(name, ARCHIVE)), Answer::Done);
    assert_eq!(agent.add(&key(name, MANIFEST)), Answer::Done);
    let bucket = Bucket::existing(&shared().ministack().root(), &shared().bucket());
    bucket.head(&key(name, ARCHIVE)).version_id.unwrap()
}

fn key(name: &str, ending: &str) -> String {
    format!("backups/20260101/{name}_backup_20260101_030000{ending}")
}
