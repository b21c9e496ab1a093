//! `deploy.sh --check`: whatever was changed or switched off behind the stack's back is said, with what helps. That a healthy
//! stack has no findings is shown by `smoke`, with real functions.

use e2e::aws::ask_all;
use e2e::ministack::Ministack;
use e2e::stack::Stack;
use serde_json::json;

#[test]
fn every_guard_that_is_gone_is_a_finding() {
    let stack = Stack::new(Ministack::shared(), "doctored");
    stack.deploy(&["Email=somebody@example.org"]);
    let bucket = stack.bucket();
    let which = json!({"Bucket": bucket});
    let ages =
        json!({"Rules": [{"ID": "cheaper", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]});
    ask_all(
        &stack.ministack().root(),
        &[
            ("s3", "DeleteBucketPolicy", which.clone()),
            ("s3", "DeletePublicAccessBlock", which.clone()),
            (
                "s3",
                "PutBucketVersioning",
                json!({"Bucket": bucket, "VersioningConfiguration": {"Status": "Suspended"}}),
            ),
            ("s3", "PutBucketNotificationConfiguration", json!({"Bucket": bucket, "NotificationConfiguration": {}})),
            ("s3", "PutBucketLifecycleConfiguration", json!({"Bucket": bucket, "LifecycleConfiguration": ages})),
            ("cloudwatch", "DisableAlarmActions", json!({"AlarmNames": ["doctored-stale"]})),
            ("cloudwatch", "DeleteAlarms", json!({"AlarmNames": ["doctored-damaged"]})),
            ("events", "DisableRule", json!({"Name": stack.resource("BackupArrived")})),
        ],
    );
    let checked = stack.script(&["--check"]);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(1), "{said}");
    let rule = stack.resource("BackupArrived");
    let findings = [
        // These functions end at once.
        "verify fails: ".to_owned(),
        "retention fails: ".to_owned(),
        "freshness fails: ".to_owned(),
        "somebody@example.org has not confirmed: nobody gets alarms and messages there".to_owned(),
        "the alarm doctored-stale tells nobody: its actions are off".to_owned(),
        "the alarm doctored-damaged is gone".to_owned(),
        format!("{rule} is off: it starts nothing"),
        format!("{bucket} keeps no versions"),
        format!("{bucket} may be opened to the public"),
        format!("{bucket} sends no events to EventBridge"),
        "the lifecycle rule cheaper removes current objects by age (1), backups too".to_owned(),
        "the lifecycle rule expire-noncurrent-versions is off or gone".to_owned(),
        format!("the policy of {bucket} differs from the stack's:\n  + {{\"Sid\": \"DenyPlainHttp\""),
    ];
    for finding in findings {
        assert!(said.contains(&format!("finding: {finding}")), "no finding {finding:?} in:\n{said}");
    }

    // What the hints say, done, is well.
    let confirmed = json!({"TopicArn": stack.output("AlertsTopicArn"), "Token": "mail-to-somebody@example.org"});
    stack.ask("sns", "ConfirmSubscription", confirmed);
    for hint in said.lines().filter_map(|line| line.strip_prefix("hint: ")) {
        match hint.strip_prefix("infra/deploy.sh ") {
            Some(arguments) => {
                let connected = stack.script(&[arguments.split(' ').next().unwrap(), "--yes"]);
                assert!(connected.status.success(), "{hint}: {connected:?}");
            }
            None if hint.starts_with("aws ") && !hint.contains("subscribe") => {
                let done = e2e::process::output(stack.ministack().aws().args(hint.split(' ').skip(1)));
                assert!(done.status.success(), "{hint}: {done:?}");
            }
            None => {}
        }
    }
    let later = stack.script(&["--check"]);
    let said = String::from_utf8_lossy(&later.stdout).into_owned();
    for well in ["keeps versions", "is closed to the public", "sends its events", "has the stack's policy"] {
        assert!(said.contains(&format!("ok: {bucket} {well}")), "{well}: {said}");
    }
    assert!(said.contains("ok: alarms and messages go to somebody@example.org (email)"), "{said}");
    assert!(!said.contains("tells nobody") && !said.contains("is off: it"), "{said}");
}

#[test]
fn a_stack_that_tells_nobody_is_refused_unless_that_is_said() {
    let stack = Stack::new(Ministack::shared(), "silent");
    let refused = stack.script(&["--yes"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("silent has neither Email nor HeartbeatUrl\nhint: add Email="), "{said}");
    // Said, it is warned of and goes on, here to a mistake that is noticed later.
    let meant = stack.script(&["--yes", "--nobody-listens", "ExistingBucket=true", "BucketName=never-was"]);
    let said = String::from_utf8_lossy(&meant.stderr).into_owned();
    assert!(said.contains("warning: nobody will hear of a damaged"), "{said}");
    assert!(said.contains("error: there is no bucket never-was"), "{said}");
}
