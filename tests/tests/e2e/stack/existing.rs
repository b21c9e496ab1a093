//! Buckets that were there before the stack: checked before anything is deployed, and completed without dropping anything.

use std::process::Command;

use e2e::bucket::Bucket;
use e2e::ministack::Ministack;
use e2e::process::output;
use e2e::stack::Stack;
use e2e::tools;
use serde_json::{Value, json};

use super::shell::{shell, shell_with_python};
use super::{NAMED, parse, policy, shared};

#[test]
fn retained_bucket_is_taken_by_the_next_stack_of_its_name() {
    let stack = Stack::new(Ministack::shared(), "reborn");
    stack.deploy(&[]);
    let taken = Stack::new(Ministack::shared(), "Reborn").try_deploy(&["--yes"]);
    let said = String::from_utf8_lossy(&taken.stderr).into_owned();
    assert!(!taken.status.success() && said.contains("belongs to the stack reborn"), "{said}");

    // AWS gives the next role another name.
    let left = policy(&stack, &stack.bucket()).to_string().replace(&stack.resource("RetentionRole"), "dead");
    stack.delete();
    stack.ask("s3", "PutBucketPolicy", json!({"Bucket": stack.bucket(), "Policy": left}));
    let again = stack.deploy(&[]);
    assert!(again.contains("is there already, and no stack has it"), "{again}");
    assert_eq!(stack.parameter("ExistingBucket"), "true");
    // The guards know the new stack's retention, and the dead one no more.
    let guards = policy(&stack, &stack.bucket()).to_string();
    let role = stack.resource("RetentionRole");
    assert!(guards.contains(&format!("/{role}\"")) && !guards.contains("dead"), "{role}: {guards}");
    assert_eq!(guards.matches("\"DenyDelete").count(), left.matches("\"DenyDelete").count(), "{guards}");
}

#[test]
fn what_would_never_work_is_refused_before_anything_is_deployed() {
    let stack = Stack::new(Ministack::shared(), "unfit");
    let bucket = Bucket::new(&stack.ministack().root());
    let name = bucket.name().to_owned();
    let named = format!("BucketName={name}");
    let refused = |arguments: &[&str]| {
        let output = stack.try_deploy(&[&["--yes", &named, "ExistingBucket=true"], arguments].concat());
        assert!(!output.status.success(), "{arguments:?} was deployed");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let put = |statement: Value| {
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
        stack.ask("s3", "PutBucketPolicy", json!({"Bucket": name, "Policy": policy.to_string()}));
    };
    let deny = |resource: &str, condition: Value| {
        json!({"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
            "Resource": format!("arn:aws:s3:::{name}/{resource}"), "Condition": condition})
    };
    put(deny("*", json!({"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}})));
    assert!(refused(&[]).contains("hint: add: SseHeader=aws:kms\n"));
    put(deny("*", json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}})));
    assert!(refused(&[]).contains("hint: add: VpcSubnetIds=SUBNET,… VpcSecurityGroupIds=GROUP,…\n"));
    assert!(refused(&["VpcSubnetIds=subnet-1"]).contains("VpcSubnetIds needs VpcSecurityGroupIds"));
    let mut ours = deny("backups/*", json!({"ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::000000000000:role/r"]}}));
    (ours["Sid"], ours["Action"]) = (json!("DenyDelete"), json!(["s3:DeleteObject", "s3:DeleteObjectVersion"]));
    put(ours);
    assert!(refused(&["Prefix=backups/eu"]).contains("the prefixes backups/eu and backups"));

    let key = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555";
    let rules =
        json!({"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}]});
    stack.ask("s3", "PutBucketEncryption", json!({"Bucket": name, "ServerSideEncryptionConfiguration": rules}));
    assert!(
        refused(&["KmsKeyArn=arn:aws:kms:us-east-1:000000000000:key/other"])
            .contains(&format!("hint: add: KmsKeyArn={key}\n"))
    );

    let absent = stack.try_deploy(&["--yes", "BucketName=never-was", "ExistingBucket=true"]);
    assert!(String::from_utf8_lossy(&absent.stderr).contains("there is no bucket never-was"), "{absent:?}");
    let elsewhere =
        stack.environment("AWS_REGION", "eu-central-1").try_deploy(&["--yes", &named, "ExistingBucket=true"]);
    let said = String::from_utf8_lossy(&elsewhere.stderr).into_owned();
    assert!(said.contains("lies in us-east-1, the stack in eu-central-1"), "{said}");
}

#[test]
fn existing_bucket_keeps_its_settings_until_it_is_connected_and_all_of_them_then() {
    let stack = Stack::new(Ministack::shared(), "existing");
    let bucket = Bucket::new(&stack.ministack().root());
    let which = json!({"Bucket": bucket.name()});
    let theirs = json!({"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
        "Resource": format!("arn:aws:s3:::{}/private/*", bucket.name())});
    let present = json!({"Version": "2012-10-17", "Statement": [theirs]});
    stack.ask("s3", "PutBucketPolicy", json!({"Bucket": bucket.name(), "Policy": present.to_string()}));
    let topic = stack.ask("sns", "CreateTopic", json!({"Name": "theirs"}))["TopicArn"].clone();
    let told = json!({"TopicConfigurations": [{"Id": "theirs", "TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]});
    let put = json!({"Bucket": bucket.name(), "NotificationConfiguration": told});
    stack.ask("s3", "PutBucketNotificationConfiguration", put);

    let name = format!("BucketName={}", bucket.name());
    let said = stack.deploy(&[&[name.as_str(), "ExistingBucket=true"], &NAMED[..]].concat());
    assert!(said.contains("+ EventBridgeConfiguration") && said.contains("\"DenyDelete\""), "{said}");
    assert_eq!(policy(&stack, bucket.name()), present);
    let events = stack.ask("s3", "GetBucketNotificationConfiguration", which.clone());
    assert_eq!(events["EventBridgeConfiguration"], Value::Null);
    // What it is told to add is what a stack with a bucket of its own sets.
    let own = policy(shared(), &shared().bucket()).to_string();
    let own = own.replace(&shared().bucket(), bucket.name());
    let own = own.replace("role/shared-us-east-1-", "role/existing-us-east-1-");
    let wanted = parse(&stack.output("ExistingBucketPolicy"));
    assert_eq!(wanted, parse(&own));

    let connected = stack.script(&["--connect", "--yes"]);
    assert!(connected.status.success(), "{connected:?}");
    let statements = policy(&stack, bucket.name())["Statement"].clone();
    assert_eq!(statements[0], theirs);
    assert_eq!(statements.as_array().unwrap()[1..], wanted["Statement"].as_array().unwrap()[..]);
    let events = stack.ask("s3", "GetBucketNotificationConfiguration", which);
    assert_eq!(events["EventBridgeConfiguration"], json!({}));
    assert_eq!(events["TopicConfigurations"], told["TopicConfigurations"]);
    let again = stack.script(&["--connect", "--yes"]);
    assert_eq!((again.status.code(), String::from_utf8_lossy(&again.stdout).as_ref()), (Some(0), ""));
}

#[test]
fn what_an_existing_bucket_is_told_to_add_is_what_a_new_one_has_where_nobody_is_named() {
    let bucket = Bucket::new(&Ministack::shared().root());
    let (plain, fresh) = (Stack::new(Ministack::shared(), "plain"), Stack::new(Ministack::shared(), "fresh"));
    plain.deploy(&[&format!("BucketName={}", bucket.name()), "ExistingBucket=true"]);
    fresh.deploy(&[]);
    let own = policy(&fresh, &fresh.bucket()).to_string().replace(&fresh.bucket(), bucket.name());
    let own = own.replace("role/fresh-us-east-1-", "role/plain-us-east-1-");
    assert_eq!(parse(&plain.output("ExistingBucketPolicy")), parse(&own));
}

/// What is there, what the stack wants, and the statements' Sids and first resources afterwards; all by the program itself.
#[test]
fn policies_are_merged_statement_by_statement() {
    let statement = |sid: &str, resource: &str, who: &str| {
        json!({"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": resource,
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": [who]}}})
    };
    let allow = json!({"Sid": "DenyDelete", "Effect": "Allow", "Principal": {"AWS": "1"}, "Action": "s3:*", "Resource": "b/p/*"});
    let mut asks_more = statement("DenyDelete", "b/p/*", "theirs");
    asks_more["Condition"]["Bool"] = json!({"aws:SecureTransport": "false"});
    let mut forbids_more = statement("DenyDelete", "b/p/*", "theirs");
    forbids_more["Action"] = json!(["s3:DeleteObject", "s3:PutObject"]);
    let wanted = json!([statement("DenyDelete", "b/p/*", "new")]);
    let one = |statement: Value| json!([statement]);
    let cases = [
        ("nothing there", json!([]), "DenyDelete b/p/* new"),
        ("the same already", wanted.clone(), "DenyDelete b/p/* new"),
        ("the same under another Sid", one(statement("Other", "b/p/*", "new")), "Other b/p/* new"),
        ("an earlier version of ours", one(statement("DenyDelete", "b/p/*", "dead")), "DenyDelete b/p/* new"),
        (
            "an earlier version, renamed",
            one(statement("DenyDeletemystack", "b/old/*", "dead")),
            "DenyDeletemystack b/p/* new",
        ),
        (
            "another stack's, for its prefix",
            one(statement("DenyDelete", "b/q/*", "theirs")),
            "DenyDelete b/q/* theirs; DenyDeletemystack b/p/* new",
        ),
        (
            "another's for the whole bucket",
            one(statement("DenyDelete", "b/*", "theirs")),
            "DenyDelete b/* theirs; DenyDeletemystack b/p/* new",
        ),
        ("another's that asks more", one(asks_more), "DenyDelete b/p/* theirs; DenyDeletemystack b/p/* new"),
        ("another's that forbids more", one(forbids_more), "DenyDelete b/p/* theirs; DenyDeletemystack b/p/* new"),
        (
            "another's beside ours under its name",
            json!([statement("DenyDelete", "b/p/*", "theirs"), statement("DenyDeletemystack", "b/p/*", "dead")]),
            "DenyDelete b/p/* theirs; DenyDeletemystack b/p/* new",
        ),
        ("another's with our Sid", one(allow), "DenyDelete b/p/* ; DenyDeletemystack b/p/* new"),
        ("one that is no list", statement("Theirs", "b/*", "x"), "Theirs b/* x; DenyDelete b/p/* new"),
    ];
    for (what, present, expected) in cases {
        let merged = merge(
            "my-stack",
            "policy",
            &json!({"Version": "2012-10-17", "Statement": present}),
            &json!({"Version": "2012-10-17", "Statement": wanted}),
        );
        let statements = merged["Statement"].as_array().unwrap().iter().map(|statement| {
            let who = statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"][0].as_str().unwrap_or_default();
            format!("{} {} {who}", statement["Sid"].as_str().unwrap(), statement["Resource"].as_str().unwrap())
        });
        assert_eq!(statements.collect::<Vec<_>>().join("; "), expected, "{what}");
    }
    let queues = json!({"QueueConfigurations": [{"Id": "theirs"}]});
    let merged = merge("my-stack", "events", &queues, &json!({"EventBridgeConfiguration": {}}));
    assert_eq!(merged, json!({"QueueConfigurations": [{"Id": "theirs"}], "EventBridgeConfiguration": {}}));
}

/// A stack that an earlier release deployed has no output with its policy.
#[test]
fn an_older_stack_is_updated_before_it_is_connected() {
    let line = r"read_stack() { facts=$'parameter.ExistingBucket\ttrue\nparameter.BucketName\tb'; }
        read_stack; connect_bucket";
    for said in [shell(line), shell_with_python(line)] {
        let expected = "error: the stack backups is older than this script, and doesn't say what its bucket needs\n\
            hint: update it first: infra/deploy.sh backups\n";
        assert_eq!((said.well, said.err.as_str(), said.out.as_str()), (false, expected, ""));
    }
    let hints = |facts: &str| shell(&format!("facts=$'{facts}'; to_connect")).out;
    let connect = "infra/deploy.sh --connect backups\n";
    assert_eq!(hints(r"output.ExistingBucketPolicy\t{}"), connect);
    assert_eq!(hints(""), format!("update the stack first (infra/deploy.sh backups), then: {connect}"));
}

/// What is given beside `--connect` says whether anything is deployed.
#[test]
fn connecting_alone_deploys_nothing() {
    for (arguments, mode) in [
        ("--connect backups", "connect"),
        ("backups --connect --yes", "connect"),
        ("--connect backups MinimumGood=3", "deploy"),
        ("--release here --connect backups", "deploy"),
        ("--connect --release=here backups", "deploy"),
        ("--check backups", "check"),
    ] {
        let said = shell(&format!("stack=''; read_arguments {arguments}; echo $mode"));
        assert_eq!((said.out.trim_end(), said.err.as_str()), (mode, ""), "{arguments}");
    }
}

/// What a stack wants for its prefix, as the output `ExistingBucketPolicy` has it.
fn wanted(prefix: &str, admins: &[&str]) -> Value {
    let everybody = |sid: &str, actions: Value, resources: Value, condition: Value| json!({"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": actions, "Resource": resources, "Condition": condition});
    let whole = json!(["arn:aws:s3:::b", "arn:aws:s3:::b/*"]);
    let under = |end: &str| format!("arn:aws:s3:::b/{prefix}/{end}");
    let mut but_admins = json!({"ForAllValues:StringNotEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}});
    if !admins.is_empty() {
        but_admins["ArnNotLike"] = json!({"aws:PrincipalArn": admins});
    }
    let deleters: Vec<_> = [prefix].iter().chain(admins).copied().collect();
    let mut statements = vec![
        everybody("DenyPlainHttp", json!("s3:*"), whole.clone(), json!({"Bool": {"aws:SecureTransport": "false"}})),
        everybody(
            "DenyOverwrite",
            json!("s3:PutObject"),
            json!([under("*.sql"), under("*.age")]),
            json!({"Null": {"s3:if-none-match": "true"}}),
        ),
        everybody(
            "DenyDelete",
            json!(["s3:DeleteObject", "s3:DeleteObjectVersion"]),
            json!(under("*")),
            json!({"ArnNotLike": {"aws:PrincipalArn": deleters}}),
        ),
        everybody("DenyChangedGuards", json!(["s3:PutBucketVersioning"]), whole, but_admins.clone()),
    ];
    if !admins.is_empty() {
        let actions = json!(["s3:PutBucketPolicy", "s3:DeleteBucketPolicy"]);
        statements.push(everybody("DenyChangedPolicy", actions, json!("arn:aws:s3:::b"), but_admins));
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

#[test]
fn stacks_in_one_bucket_leave_each_others_statements_alone() {
    let theirs = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "DenyPlainHttp", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Sid": "DenyChangedGuards", "Effect": "Deny", "Principal": "*", "Action": "s3:PutBucketVersioning",
            "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"], "Condition": {"ArnNotLike": {"aws:PrincipalArn": "them"}}},
        {"Sid": "DenyChangedPolicy", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucketPolicy",
            "Resource": "arn:aws:s3:::b"}]});
    let nothing = json!({});
    for (present, strangers) in [(&nothing, 0), (&theirs, 3)] {
        for (old, new) in [
            (vec!["old"], vec!["new"]),
            (vec![], vec!["new"]),
            (vec!["old"], vec!["old", "new"]),
            (vec!["old"], vec![]),
        ] {
            let (one, other) = (wanted("one", &old), wanted("other", &["others"]));
            let both = merge("other", "policy", &merge("one", "policy", present, &one), &other);
            // Nobody has anything to say any more.
            assert_eq!(merge("one", "policy", &both, &one), both);
            assert_eq!(merge("other", "policy", &both, &other), both);
            // What the one is given now replaces what it had before, whichever came first.
            for (name, prefix, rest) in [("one", "one", &other), ("other", "other", &one)] {
                let later = wanted(prefix, &new);
                let changed = merge(name, "policy", &both, &later);
                let rest_name = if name == "one" { "other" } else { "one" };
                assert_eq!(merge(rest_name, "policy", &changed, rest), changed, "{name}");
                assert_eq!(merge(name, "policy", &changed, &later), changed, "{name}");
                let gone = if name == "one" { "\"old\"" } else { "\"others\"" };
                assert_eq!(
                    changed.to_string().contains(gone),
                    new.contains(&gone.trim_matches('"')),
                    "{name}: {changed:#}"
                );
                let kept = &changed["Statement"].as_array().unwrap()[..strangers];
                assert_eq!(kept, present["Statement"].as_array().map_or(&[][..], Vec::as_slice), "{name}");
            }
        }
    }
}

fn merge(stack: &str, kind: &str, present: &Value, wanted: &Value) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("present"), present.to_string()).unwrap();
    std::fs::write(file("wanted"), wanted.to_string()).unwrap();
    let mut python = Command::new(tools::python_command("python"));
    python.arg(tools::root().join("infra/deploy/connect.py")).arg(kind);
    let output = output(python.args(["present", "wanted", "merged"].map(file)).arg(stack));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&std::fs::read(file("merged")).unwrap()).unwrap()
}
