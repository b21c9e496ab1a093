//! Nobody else's bucket ever gives CloudFormation its code: the takeover of a guessable name.

use std::process::Command;

use e2e::aws::{ask, ask_all};
use e2e::bucket::Access;
use e2e::ministack::{Ministack, Rights};
use e2e::process::output;
use e2e::stack::Stack;
use e2e::tools;
use serde_json::{Value, json};

const DEFAULT: &str = "lastgood-artifacts-000000000000-us-east-1";

/// A bucket of another account that lets this one in.
fn trap(stranger: &Access, name: &str) {
    let open = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*",
        "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
        "Resource": [format!("arn:aws:s3:::{name}"), format!("arn:aws:s3:::{name}/*")]}]});
    let questions = [
        ("s3", "CreateBucket", json!({"Bucket": name})),
        ("s3", "PutBucketPolicy", json!({"Bucket": name, "Policy": open.to_string()})),
    ];
    ask_all(stranger, &questions);
}

#[test]
fn a_strangers_bucket_is_never_used() {
    let ministack = Ministack::start(Rights::Enforced);
    let stranger = Access { key_id: "111111111111".into(), ..ministack.root() };
    for name in [DEFAULT, "free-for-all"] {
        trap(&stranger, name);
    }
    let stack = Stack::new(&ministack, "guarded");
    let refused = stack.environment("ARTIFACTS_BUCKET", "free-for-all").try_deploy(&["--yes"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    let expected = "error: the bucket free-for-all is not this account's, or you may not see it: no function is uploaded to it, \
        nor read from it\nhint: name a bucket of your own: ARTIFACTS_BUCKET=NAME\n";
    assert!(!refused.status.success() && said.contains(expected), "{said}");

    // The name that is taken is told, and one that nobody can take is used.
    let stack = Stack::new(&ministack, "guarded");
    let deployed = stack.try_deploy(&["--yes"]);
    let said = String::from_utf8_lossy(&deployed.stderr).into_owned();
    assert!(
        deployed.status.success() && said.contains(&format!("the bucket {DEFAULT} belongs to somebody else")),
        "{said}"
    );
    for name in [DEFAULT, "free-for-all"] {
        let listed = ask(&stranger, "s3", "ListObjectsV2", json!({"Bucket": name}));
        assert_eq!(listed["Contents"], Value::Null, "something was uploaded to {name}");
    }
    assert_guarded(&stack, &format!("{DEFAULT}-an"));
}

fn assert_guarded(stack: &Stack<'_>, bucket: &str) {
    let which = json!({"Bucket": bucket});
    assert_eq!(stack.ask("s3", "GetBucketVersioning", which.clone())["Status"], "Enabled");
    let lifecycle = stack.ask("s3", "GetBucketLifecycleConfiguration", which.clone());
    assert_eq!(lifecycle["Rules"][0]["NoncurrentVersionExpiration"]["NoncurrentDays"], 30);
    // An update that is taken back reads an older function again.
    assert_eq!(lifecycle["Rules"][0]["Expiration"], Value::Null);
    let block = stack.ask("s3", "GetPublicAccessBlock", which.clone());
    assert_eq!(block["PublicAccessBlockConfiguration"]["RestrictPublicBuckets"], true);
    let policy = stack.ask("s3", "GetBucketPolicy", which)["Policy"].as_str().unwrap().to_owned();
    assert!(policy.contains("aws:SecureTransport"), "{policy}");
}

/// The script's own choice, in another account.
#[test]
fn a_bucket_that_was_made_before_under_the_older_name_goes_on_being_used() {
    let ministack = Ministack::shared();
    let account = Access { key_id: "222222222222".into(), ..ministack.root() };
    let older = "lastgood-artifacts-222222222222-us-east-1";
    ask(&account, "s3", "CreateBucket", json!({"Bucket": older}));
    let parts = tools::root().join("infra/deploy");
    let script = format!(
        "set -euo pipefail; source '{}/artifacts.sh'; account=222222222222; choose_artifacts; echo \"$artifacts\"",
        parts.display()
    );
    let path = format!("{}:/usr/bin:/bin", tools::root().join("target/python/bin").display());
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]).env_clear().env("PATH", path).envs(account.environment());
    let chosen = output(&mut bash);
    assert_eq!(String::from_utf8_lossy(&chosen.stdout).trim_end(), older, "{chosen:?}");
}
