//! Nobody else's bucket ever gives CloudFormation its code: the takeover of a guessable name.

use std::process::Command;

use e2e::aws::{ask, ask_all, cli};
use e2e::bucket::Access;
use e2e::ministack::{Ministack, Rights};
use e2e::process::output;
use e2e::stack::Stack;
use e2e::tools;
use serde_json::{Value, json};

use super::shell::shell;

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
    let path = format!("{}:/usr/bin:/bin", cli::folder().display());
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]).env_clear().env("PATH", path).envs(account.environment());
    let chosen = output(&mut bash);
    assert_eq!(String::from_utf8_lossy(&chosen.stdout).trim_end(), older, "{chosen:?}");
}

/// Each is asked for, whatever becomes of the others, and what is refused is told by its name.
#[test]
fn a_guard_that_is_refused_is_told() {
    let aws = r#"aws() {
        [[ $* != *head-bucket* ]] || { echo '(404)' >&2 && return 254; }
        echo "$2"
        [[ -z ${refused-} || $* != *"$refused"* ]] || { echo "AccessDenied: $refused" >&2 && return 254; }
    }"#;
    let puts =
        ["put-public-access-block", "put-bucket-versioning", "put-bucket-lifecycle-configuration", "put-bucket-policy"];
    let names = ["public access block", "versioning", "lifecycle rules", "policy"];
    let bucket = "lastgood-artifacts-111122223333-eu-central-1-an";
    for (put, name) in puts.into_iter().zip(names) {
        let said = shell(&format!("{aws}; refused={put}; choose_artifacts; echo \"$artifacts\""));
        // What is quiet on success, the lifecycle's answer, isn't among these.
        let asked: Vec<_> = said.out.lines().filter(|line| line.starts_with("put-")).collect();
        let expected: Vec<_> = puts.into_iter().filter(|put| !put.contains("lifecycle")).collect();
        assert_eq!(asked, expected, "{put}: {}", said.err);
        let told = format!(
            "AccessDenied: {put}\nwarning: the bucket {bucket} was created without its {name}, because that was refused (see above): \
             set it by hand\n"
        );
        assert_eq!((said.well, said.err.as_str()), (true, told.as_str()), "{put}");
        assert!(said.out.ends_with(&format!("{bucket}\n")), "{}", said.out);
    }
    // None at all: what the AWS CLI said last is told, once.
    for named in ["", "ARTIFACTS_BUCKET=mine; "] {
        let said = shell(&format!("{aws}; refused=create-bucket; {named}choose_artifacts"));
        assert!(
            !said.well && said.err.contains("cannot be created: AccessDenied: create-bucket\nhint: "),
            "{}",
            said.err
        );
        assert_eq!(said.err.matches("AccessDenied").count(), 1, "{}", said.err);
    }
}
