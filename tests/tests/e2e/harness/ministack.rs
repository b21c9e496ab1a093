//! MiniStack with its mends: what AWS refuses is refused here.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use e2e::bucket::{Access, Bucket, wait};
use e2e::ministack::Ministack;
use e2e::process::{output, output_given};
use serde_json::{Value, json};

#[test]
fn a_policy_that_demands_if_none_match_allows_no_put_without_it() {
    let ministack = Ministack::shared();
    let bucket = Bucket::new(&ministack.root());
    let objects = format!("arn:aws:s3:::{}/*", bucket.name());
    let agent = identity(
        ministack,
        "writes-once",
        &json!([
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": objects},
            {"Effect": "Deny", "Action": "s3:PutObject", "Resource": objects,
             "Condition": {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}}},
        ]),
    );
    let bucket = Bucket::existing(&agent, bucket.name());
    let refusal_of_a_put = |condition: Option<&str>| {
        let put = bucket.client().put_object().bucket(bucket.name()).key("key").body(ByteStream::from_static(b"bytes"));
        let answer = wait(put.set_if_none_match(condition.map(str::to_owned)).send());
        answer.err().map(|error| error.code().unwrap_or_default().to_owned())
    };
    assert_eq!(refusal_of_a_put(None).as_deref(), Some("AccessDenied"));
    assert_eq!(refusal_of_a_put(Some("*")), None);
    assert_eq!(refusal_of_a_put(Some("*")).as_deref(), Some("PreconditionFailed"));
    // A part carries no condition; the upload's completion will.
    wait(bucket.client().create_multipart_upload().bucket(bucket.name()).key("large").send()).unwrap();
}

#[test]
fn a_wrong_secret_is_refused() {
    let ministack = Ministack::shared();
    let bucket = Bucket::new(&ministack.root());
    let anything = json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]);
    let mut user = identity(ministack, "anything", &anything);
    Bucket::existing(&user, bucket.name()).put("key", b"bytes");
    user.secret.push('x');
    let put = Bucket::existing(&user, bucket.name()).client().put_object().bucket(bucket.name()).key("key").send();
    assert_eq!(wait(put).unwrap_err().code(), Some("SignatureDoesNotMatch"));
}

/// As a process of its own would, though it is a fork of another one.
#[test]
fn a_call_of_the_cli_has_its_caller_s_folder_input_and_status() {
    let ministack = Ministack::shared();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bucket.json"), r#"{"Bucket": "made-by-a-fork"}"#).unwrap();
    let create = ["s3api", "create-bucket", "--cli-input-json", "file://bucket.json"];
    assert!(output(ministack.aws().current_dir(folder.path()).args(create)).status.success());
    let put = output_given(ministack.aws().args(["s3", "cp", "-", "s3://made-by-a-fork/key"]), b"from stdin");
    assert!(put.status.success(), "{}", String::from_utf8_lossy(&put.stderr));
    assert_eq!(Bucket::existing(&ministack.root(), "made-by-a-fork").get("key"), b"from stdin");
    let refused = output(ministack.aws().arg("nothing"));
    assert_eq!(refused.status.code(), Some(2), "{}", String::from_utf8_lossy(&refused.stdout));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("usage: aws"), "{refused:?}");
}

/// A new user whom these statements alone bind.
fn identity(ministack: &Ministack, name: &str, statements: &Value) -> Access {
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    aws(ministack, &["iam", "create-user", "--user-name", name]);
    aws(
        ministack,
        &["iam", "put-user-policy", "--user-name", name, "--policy-name", "p", "--policy-document", &policy],
    );
    let key = aws(ministack, &["iam", "create-access-key", "--user-name", name]);
    let text = |name: &str| key["AccessKey"][name].as_str().unwrap().to_owned();
    Access { key_id: text("AccessKeyId"), secret: text("SecretAccessKey"), ..ministack.root() }
}

fn aws(ministack: &Ministack, arguments: &[&str]) -> Value {
    let output = output(ministack.aws().args(arguments).args(["--output", "json"]));
    assert!(output.status.success(), "aws {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}
