//! The template deployed as a user deploys it: again, on a bucket that exists already, with events, with alarms that ring.

mod artifacts;
mod dead_letters;
mod doctor;
mod existing;
mod packaging;
mod release;
mod rules;
mod shell;
mod vault;

use std::sync::OnceLock;

use e2e::alerts::{Inbox, look_at, publish, state};
use e2e::aws::ask_all;
use e2e::ministack::Ministack;
use e2e::stack::Stack;
use serde_json::{Value, json};

/// Who may do what the bucket itself refuses to others.
const NAMED: [&str; 4] = [
    "AdminArns=arn:aws:iam::000000000000:user/retention,arn:aws:iam::000000000000:user/drills-retention",
    "VerifierArns=arn:aws:iam::000000000000:user/verifier",
    "OperatorArns=arn:aws:iam::000000000000:user/operator,arn:aws:iam::000000000000:user/drills-operator",
    "EraserArns=arn:aws:iam::000000000000:user/eraser",
];

/// A deployed stack that tests look at and don't change.
pub(crate) fn shared() -> &'static Stack<'static> {
    static SHARED: OnceLock<Stack<'static>> = OnceLock::new();
    SHARED.get_or_init(|| {
        let stack = Stack::new(Ministack::shared(), "shared");
        stack.deploy(&[&["MinimumGood=2"], &NAMED[..]].concat());
        stack
    })
}

#[test]
fn deploying_again_changes_what_was_named_and_nothing_else() {
    let stack = Stack::new(Ministack::shared(), "again");
    let first = stack.deploy(&["Email=somebody@example.org", "GlacierDays=7"]);
    assert!(first.contains("Deployed again."), "{first}");
    let settings = format!(
        "BACKUP_S3_BUCKET={}\nBACKUP_S3_PREFIX=backups\nBACKUP_S3_BUCKET_OWNER=000000000000\nAWS_REGION=us-east-1\n",
        stack.bucket()
    );
    assert!(first.contains(&settings), "{first}");
    let again = stack.deploy(&[]);
    assert!(again.contains("Nothing to change: again is up to date."), "{again}");
    assert!(again.contains(&settings), "{again}");
    let left = stack.ask("cloudformation", "ListChangeSets", json!({"StackName": "again"}));
    let failed = left["Summaries"].as_array().unwrap().iter().filter(|summary| summary["Status"] == "FAILED");
    assert_eq!(failed.count(), 0, "a run that changes nothing leaves nothing: {left:#}");

    let later = stack.deploy(&["MinSizeRatio=0.25"]);
    let changed: Vec<_> = later.lines().filter(|line| line.contains("Modify")).collect();
    assert!(changed.iter().any(|line| line.contains("ShrunkenAlarm")), "{later}");
    assert!(!changed.iter().any(|line| line.contains("AWS::S3::")), "{later}");
    assert_eq!(alarm(&stack, "again-shrunken")["Threshold"], 0.25);
    let people = stack.ask("sns", "ListSubscriptionsByTopic", json!({"TopicArn": stack.output("AlertsTopicArn")}));
    assert_eq!(people["Subscriptions"][0]["Endpoint"], "somebody@example.org", "an earlier setting was forgotten");
}

#[test]
fn nothing_is_deployed_before_somebody_says_yes() {
    let stack = Stack::new(Ministack::shared(), "asked");
    let declined = stack.try_deploy(&["GlacierDays=7"]);
    assert_eq!(declined.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&declined.stdout).contains("AWS::S3::Bucket "), "the changes weren't shown");
    let said = String::from_utf8_lossy(&declined.stderr).into_owned();
    assert!(said.ends_with("error: not deployed\nhint: run it again and type yes, or add --yes\n"), "{said}");
    // Not even its name.
    let stacks = stack.ask("cloudformation", "ListStacks", json!({"StackStatusFilter": ["REVIEW_IN_PROGRESS"]}));
    let names = stacks["StackSummaries"].as_array().unwrap().iter().map(|stack| &stack["StackName"]);
    assert!(!names.collect::<Vec<_>>().contains(&&json!("asked")), "{stacks:#}");
    // And the next run finds its way.
    assert!(stack.deploy(&[]).contains(&format!("BACKUP_S3_BUCKET={}\n", stack.bucket())));
}

#[test]
fn unknown_parameter_is_refused() {
    let refused = Stack::new(Ministack::shared(), "slip").try_deploy(&["--yes", "GlacierDay=7"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    let expected =
        "error: the stack has no parameter GlacierDay\nhint: infra/parameters.example lists all parameters\n";
    assert_eq!((refused.status.code(), said.as_str()), (Some(2), expected));
}

#[test]
fn every_option_deploys_at_once() {
    let stack = Stack::new(Ministack::shared(), "options");
    let key = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555";
    let older = "arn:aws:kms:us-east-1:000000000000:key/99999999-2222-3333-4444-555555555555";
    let pager = "arn:aws:sns:us-east-1:000000000000:pager";
    stack.deploy(&[
        "Prefix=nightly/eu",
        "Email=somebody@example.org",
        "ObjectLockDays=14",
        "GlacierDays=0",
        "PerDatabaseMetrics=true",
        "Architecture=arm64",
        "VerifyConcurrency=2",
        &format!("KmsKeyArn={key},{older}"),
        &format!("PagingTopicArn={pager}"),
        "HeartbeatUrl=https://heartbeat.invalid/x",
        "DrillMaxAgeDays=35",
        "SseHeader=aws:kms",
        "PermissionsBoundaryArn=arn:aws:iam::000000000000:policy/boundary",
        "RolePath=/service/",
        "VpcSubnetIds=subnet-11111111,subnet-22222222",
        "VpcSecurityGroupIds=sg-11111111",
        &format!("TopicKmsKeyArn={key}"),
    ]);
    let answers = ask_all(
        &stack.ministack().root(),
        &[
            ("s3", "GetBucketLifecycleConfiguration", json!({"Bucket": stack.bucket()})),
            ("cloudwatch", "GetDashboard", json!({"DashboardName": "options"})),
            ("cloudwatch", "DescribeAlarms", json!({"AlarmNames": ["options-page"], "AlarmTypes": ["CompositeAlarm"]})),
            ("lambda", "GetFunctionConfiguration", json!({"FunctionName": "options-verify"})),
            ("iam", "GetRole", json!({"RoleName": stack.resource("VerifyRole")})),
        ],
    );
    let [lifecycle, dashboard, page, verify, role] = &answers[..] else { unreachable!() };
    assert_eq!(lifecycle["Rules"][2]["Status"], "Disabled");
    let body = dashboard["DashboardBody"].as_str().unwrap();
    assert!(body.contains(":alarm:options-drill\""), "{body}");
    let widgets = parse(dashboard["DashboardBody"].as_str().unwrap())["widgets"].clone();
    assert_eq!(widgets.as_array().unwrap().len(), 16);
    assert_eq!(stack.output("Heartbeat"), "true");
    assert_eq!(page["CompositeAlarms"][0]["AlarmActions"], json!([pager]));
    assert_eq!(verify["Architectures"], json!(["arm64"]));
    let variables = &verify["Environment"]["Variables"];
    assert_eq!(variables["BACKUP_S3_PREFIX"], "nightly/eu");
    assert_eq!((&variables["BACKUP_S3_SSE"], &variables["BACKUP_S3_KMS_KEY_ID"]), (&json!("aws:kms"), &json!(key)));
    assert_eq!(role["Role"]["Path"], "/service/");
}

#[test]
fn bucket_and_its_guards_outlive_the_stack() {
    let stack = Stack::new(Ministack::shared(), "gone");
    stack.deploy(&[]);
    let before = policy(&stack, &stack.bucket());
    stack.delete();
    assert_eq!(policy(&stack, &stack.bucket()), before);

    // The next stack of this name finds a policy that lets its own functions in.
    stack.deploy(&[&format!("BucketName={}", stack.bucket()), "ExistingBucket=true"]);
    for role in ["VerifyRole", "RetentionRole", "FreshnessRole"] {
        let role = format!("arn:aws:iam::000000000000:role/{}", stack.resource(role));
        assert!(before.to_string().contains(&format!("\"{role}\"")), "{role}: {before}");
    }
}

#[test]
fn keys_wake_the_function_that_is_theirs() {
    let ours = shared().bucket();
    let name = "backups/20260101/app_backup_20260101_030000";
    let verify = [".manifest.json", ".verifying.json"];
    let judged = [".intact.json", ".damaged.json"];
    let nobody = [".sql.gz", ".sql.zst", ".sql.gz.age", ".drill.json", ".manifest.json.age", ".json", ".manifest_json"];
    for (rule, wakes) in [("BackupArrived", verify), ("VerdictGiven", judged)] {
        let rule = shared().ask("events", "DescribeRule", json!({"Name": shared().resource(rule)}));
        let mut expected = Vec::new();
        for ending in verify.iter().chain(&judged).chain(&nobody) {
            expected.push((ours.clone(), format!("{name}{ending}"), wakes.contains(ending)));
        }
        expected.push(("another-bucket".into(), format!("{name}{}", wakes[0]), false));
        expected.push((ours.clone(), format!("other/{name}{}", wakes[0]), false));

        let pattern = &rule["EventPattern"];
        let test = |(bucket, key, _): &(String, String, bool)| {
            ("events", "TestEventPattern", json!({"EventPattern": pattern, "Event": event(bucket, key).to_string()}))
        };
        // PutRule refuses a pattern with a slip that CloudFormation here lets pass.
        let mut questions = vec![("events", "PutRule", json!({"Name": "validated", "EventPattern": pattern}))];
        questions.extend(expected.iter().map(test));
        let answers = ask_all(&shared().ministack().root(), &questions);
        for (answer, (bucket, key, woken)) in answers.iter().skip(1).zip(&expected) {
            assert_eq!(answer["Result"], *woken, "{} and {key} in {bucket}", rule["Description"]);
        }
    }
}

#[test]
fn each_finding_reaches_a_person() {
    let stack = Stack::new(Ministack::shared(), "findings");
    stack.deploy(&["MinimumGood=2"]);
    let inbox = Inbox::new(&stack.ministack().root(), "inbox", &stack.output("AlertsTopicArn"));
    let repository = stack.repository();
    let findings = [
        ("DamagedSinceGood", 0.0, 1.0, "findings-damaged"),
        ("SizeRatio", 0.9, 0.2, "findings-shrunken"),
        ("RowRatio", 0.9, 0.2, "findings-emptied"),
        ("GoodMissing", 0.0, 1.0, "findings-too-few"),
        ("Staleness", 0.5, 1.1, "findings-stale"),
        ("Overdue", 0.5, 1.1, "findings-overdue"),
        ("RetentionRefused", 0.0, 1.0, "findings-retention-refused"),
    ];
    for (metric, well, ill, name) in findings {
        let questions =
            [publish(&repository, metric, well), look_at(name), publish(&repository, metric, ill), look_at(name)];
        let answers = ask_all(&stack.ministack().root(), &questions);
        assert_eq!((state(&answers[1]), state(&answers[3])), ("OK", "ALARM"), "{name}");
        let messages = inbox.messages();
        assert!(messages.iter().any(|message| message.subject.contains(name)), "{name} told nobody: {messages:?}");
    }
}

fn policy(stack: &Stack<'_>, bucket: &str) -> Value {
    parse(stack.ask("s3", "GetBucketPolicy", json!({"Bucket": bucket}))["Policy"].as_str().unwrap())
}

fn parse(document: &str) -> Value {
    serde_json::from_str(document).unwrap()
}

fn alarm(stack: &Stack<'_>, name: &str) -> Value {
    stack.ask("cloudwatch", "DescribeAlarms", json!({"AlarmNames": [name]}))["MetricAlarms"][0].clone()
}

/// An event of S3 as EventBridge delivers it.
fn event(bucket: &str, key: &str) -> Value {
    json!({
        "version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": "Object Created", "source": "aws.s3",
        "account": "000000000000", "time": "2026-01-01T03:00:12Z", "region": "us-east-1",
        "resources": [format!("arn:aws:s3:::{bucket}")],
        "detail": {
            "version": "0", "bucket": {"name": bucket}, "reason": "PutObject", "requester": "000000000000",
            "object": {"key": key, "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184", "sequencer": "00617F08299329D189"},
        },
    })
}
