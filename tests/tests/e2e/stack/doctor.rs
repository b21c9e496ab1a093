//! `deploy.sh --check`: whatever was changed or switched off behind the stack's back is said, with what helps. That a healthy
//! stack has no findings is shown by `smoke`, with real functions.

use e2e::aws::ask_all;
use e2e::ministack::Ministack;
use e2e::stack::Stack;
use e2e::tools;
use serde_json::json;

use super::shell::{Said, shell};

/// An `aws` for a stack that is well. The variable `refused` has the words of a question that is refused, `changed` those of one
/// that is answered with `otherwise`.
const AWS: &str = r#"
answer_of() {
  case $1 in
    *describe-stacks*) printf '%s\t%s\n' status UPDATE_COMPLETE protected true parameter.BucketName b parameter.Prefix backups \
      parameter.ExistingBucket false parameter.Email you@example.org parameter.GlacierDays 30 parameter.ObjectLockDays 0 \
      parameter.AdminArns '' parameter.ReplicateTo v parameter.HeartbeatUrl '****' output.AlertsTopicArn arn:aws:sns:eu-central-1:1:t ;;
    *' invoke '*) echo None ;;
    *describe-stack-resources*) printf '%s\t%s\t%s\n' AWS::CloudWatch::Alarm StaleAlarm backups-stale \
      AWS::CloudWatch::CompositeAlarm PagingAlarm arn:aws:cloudwatch:eu-central-1:111122223333:alarm:backups-page \
      AWS::Events::Rule BackupArrived backups-arrived AWS::Scheduler::Schedule Sweep 'default|backups-sweep' \
      AWS::Lambda::EventSourceMapping ArrivedStartsVerify 1-2-3 AWS::IAM::Role RetentionRole backups-retention \
      AWS::StepFunctions::StateMachine Parts arn:aws:states:eu-central-1:111122223333:stateMachine:backups-parts ;;
    *get-function-configuration*) echo Active ;;
    *describe-state-machine*) echo ACTIVE ;;
    *get-bucket-replication*) printf 'Enabled\tbackups/\tarn:aws:s3:::v\n' ;;
    *list-subscriptions*) printf 'arn:aws:sns:s\temail\tyou@example.org\n' ;;
    *describe-alarms*) printf '%s\ttrue\tOK\n' backups-stale backups-page ;;
    *list-rules*) printf 'backups-arrived\tENABLED\n' ;;
    *list-schedules*) printf 'backups-sweep\tENABLED\n' ;;
    *list-event-source*) printf '9-9-9\tDisabled\n1-2-3\tEnabled\n' ;;
    *get-account-settings*) echo 1000 ;;
    *get-bucket-location*) echo eu-central-1 ;;
    *get-bucket-versioning*) echo Enabled ;;
    *get-public-access-block*) printf 'True\tTrue\tTrue\tTrue\n' ;;
    *get-bucket-notification*) echo '{}' ;;
    *get-object-lock*) echo 'An error (ObjectLockConfigurationNotFoundError)' >&2; return 1 ;;
    *get-bucket-lifecycle*) printf '%s\tEnabled\tnull\tNone\n' abort-incomplete-uploads expire-noncurrent-versions archives-to-glacier ;;
    *get-bucket-policy*) echo '{"Statement":[{"Sid":"DenyPlainHttp"},{"Sid":"DenyOverwrite"},{"Sid":"DenyDelete","x":"role/backups-retention"},{"Sid":"DenyForgedVerdicts"},{"Sid":"DenyForgedStatus"},{"Sid":"DenyReplacedMarks"},{"Sid":"DenyForgedDrills"},{"Sid":"DenyForgedAcceptances"},{"Sid":"DenyReadGlobals"},{"Sid":"DenyForgedErasures"},{"Sid":"DenyChangedGuards"}]}' ;;
    *) echo "nobody answers $1" >&2; return 1 ;;
  esac
}
aws() {
  if [[ -n ${refused-} && $* == *"$refused"* ]]; then echo 'An error occurred (AccessDenied)' >&2; return 254; fi
  if [[ -n ${changed-} && $* == *"$changed"* ]]; then printf %b "$otherwise"; return; fi
  answer_of "$*"
}
"#;

/// Each question of the doctor, and what it must not call well when the question is refused.
const QUESTIONS: [(&str, &str); 20] = [
    ("get-function-configuration", "large archives are read in parts"),
    ("describe-state-machine", "large archives are read in parts"),
    ("get-bucket-replication", "b is replicated to v"),
    ("--function-name backups-verify", "verify starts"),
    ("--function-name backups-retention", "retention lists"),
    ("--function-name backups-freshness", "freshness measures"),
    ("describe-stack-resources", "all alarms"),
    ("describe-stack-resources", "rules, queues"),
    ("list-subscriptions", "alarms and messages"),
    ("describe-alarms", "all alarms"),
    ("list-rules", "rules, queues"),
    ("list-schedules", "rules, queues"),
    ("list-event-source-mappings", "rules, queues"),
    ("get-account-settings", "the account runs"),
    ("get-bucket-location", "b keeps versions"),
    ("get-bucket-versioning", "b keeps versions"),
    ("get-public-access-block", "b is closed"),
    ("get-bucket-notification", "b sends its events"),
    ("get-bucket-lifecycle", "b's lifecycle"),
    ("get-bucket-policy", "b has the stack's policy"),
];

/// Looks a mocked stack over, with these variables set.
fn look_over(variables: &str) -> Said {
    shell(&format!("{AWS}\n{variables}\ncheck_stack && exit || exit 1"))
}

fn findings(said: &Said) -> Vec<&str> {
    said.out.lines().filter_map(|line| line.strip_prefix("finding: ")).collect()
}

#[test]
fn a_question_that_is_refused_is_a_finding_and_never_well() {
    let well = look_over("");
    assert!(well.well && findings(&well).is_empty(), "{}{}", well.out, well.err);
    for (question, not_well) in QUESTIONS {
        assert!(well.out.contains(&format!("ok: {not_well}")), "{not_well}: {}", well.out);
        let said = look_over(&format!("refused='{question}'"));
        let told = findings(&said).iter().any(|finding| finding.ends_with(": An error occurred (AccessDenied)"));
        assert!(!said.well && told && said.err.is_empty(), "{question}: {}{}", said.out, said.err);
        assert!(!said.out.contains(&format!("ok: {not_well}")), "{question}: {}", said.out);
    }
    // What has nothing to say when all is well, and whoever may ask nothing.
    let lock = look_over("refused=get-object-lock");
    assert_eq!(findings(&lock), ["its lock cannot be read: An error occurred (AccessDenied)"]);
    let everything = look_over(
        r"answer_of() {
        [[ $1 != *describe-stacks* ]] || { printf 'status\tUPDATE_COMPLETE\nparameter.Email\tyou@example.org\n' && return; }
        echo 'An error occurred (AccessDenied)' >&2 && return 254; }",
    );
    let wells: Vec<_> = everything.out.lines().filter(|line| line.starts_with("ok:")).collect();
    assert_eq!(wells, ["ok: the stack is deployed (UPDATE_COMPLETE)"], "{}", everything.out);
    assert!(!everything.well && findings(&everything).len() == 13, "{}{}", everything.out, everything.err);
    let doctor = std::fs::read_to_string(tools::root().join("infra/deploy/doctor.sh")).unwrap();
    // The lock's is above; one place asks the three functions, and one answer is the ground for two things (the resources).
    assert_eq!(doctor.matches("  inquire ").count(), QUESTIONS.len() + 1 - 3, "a question isn't tested");
}

#[test]
fn every_answer_that_is_ill_is_a_finding() {
    let cases = [
        (
            "list-subscriptions",
            r"Deleted\temail\tyou@example.org\n",
            "you@example.org is the stack's Email, but is not",
        ),
        ("list-subscriptions", "", "you@example.org is the stack's Email, but is not"),
        ("describe-alarms", r"backups-stale\ttrue\tOK\n", "the alarm backups-page is gone"),
        ("describe-alarms", r"backups-page\ttrue\tOK\n", "the alarm backups-stale is gone"),
        ("list-event-source", "", "ArrivedStartsVerify is gone: it starts nothing"),
        ("list-event-source", r"9-9-9\tEnabled\n", "ArrivedStartsVerify is gone: it starts nothing"),
        ("list-event-source", r"1-2-3\tDeleting\n", "ArrivedStartsVerify is gone: it starts nothing"),
        ("list-event-source", r"9-9-9\tEnabled\n1-2-3\tDisabling\n", "ArrivedStartsVerify is off: it starts nothing"),
        ("list-rules", "", "backups-arrived is gone"),
        ("list-schedules", r"backups-sweep\tDISABLED\n", "backups-sweep is off"),
        ("get-function-configuration", "Failed", "what reads large archives in parts (backups-prove) is Failed"),
        ("describe-state-machine", "DELETING", "what reads large archives in parts (backups-parts) is DELETING"),
        ("get-bucket-replication", r"Disabled\tbackups/\tarn:aws:s3:::v\n", "nothing is replicated from b to v"),
        (
            "get-bucket-replication",
            r"Enabled\tbackups/\tarn:aws:s3:::vault\nEnabled\tothers/\tarn:aws:s3:::v\n",
            "nothing is replicated from b to v",
        ),
    ];
    for (changed, otherwise, expected) in cases {
        let said = look_over(&format!("changed='{changed}' otherwise='{otherwise}'"));
        let findings = findings(&said);
        assert!(findings.len() == 1 && findings[0].starts_with(expected), "{expected}: {findings:?}\n{}", said.err);
    }
    // A vault without its lock.
    let locks = |lock: &str| {
        let vault = "fact() { case $1 in *VaultOf) echo arn:aws:iam::1:role/r ;; *ObjectLockDays) echo 30 ;; esac; }";
        let said = look_over(&format!("{vault}\nchanged=get-object-lock otherwise='{lock}'"));
        findings(&said).iter().any(|finding| finding.contains("has no lock of 30 days that nobody can end"))
    };
    assert!(locks("") && locks(r"GOVERNANCE\t30\n") && locks(r"COMPLIANCE\t7\n") && !locks(r"COMPLIANCE\t30\n"));
    // By its name alone, where nothing here reads JSON.
    let admins = look_over("fact() { [[ $1 != parameter.AdminArns ]] || echo arn:x; }");
    let named: Vec<_> = findings(&admins).into_iter().filter(|finding| finding.contains(" lacks ")).collect();
    assert_eq!(named, ["the policy of  lacks DenyChangedPolicy"], "{}", admins.out);
}

#[test]
fn lifecycle_rules_matter_where_backups_lie() {
    let ours = r"abort-incomplete-uploads\tEnabled\tnull\tNone\nexpire-noncurrent-versions\tEnabled\tnull\tNone\n\
archives-to-glacier\tEnabled\tnull\tbackups/\n";
    for (place, harms) in [
        ("None", true),
        ("", true),
        ("backups/", true),
        ("back", true),
        ("backups/20260101/", true),
        ("logs/", false),
        ("backups-eu/", false),
        ("backupsold/", false),
    ] {
        let rule = format!(r"{ours}theirs\tEnabled\t1\t{place}\n");
        let said = look_over(&format!("changed=get-bucket-lifecycle otherwise='{rule}'"));
        let expected: &[&str] =
            if harms { &["the lifecycle rule theirs removes current objects by age (1), backups too"] } else { &[] };
        assert_eq!(findings(&said), expected, "{place}");
    }
}

/// CloudFormation shows a secret parameter as asterisks, set or not.
#[test]
fn a_heartbeat_is_known_by_its_output() {
    let silent = |heartbeat: &str| {
        format!(
            "facts=$'parameter.Email\\t\\nparameter.PagingTopicArn\\t\\nparameter.HeartbeatUrl\\t****\\n{heartbeat}'
            has_listeners() {{ return 1; }}\n"
        )
    };
    let on = silent(r"output.Heartbeat\ttrue");
    let off = silent(r"output.Heartbeat\tfalse");
    let older = silent("");
    let named = "parameters=(HeartbeatUrl=https://example.org/x)\n";
    let emptied = "parameters=(HeartbeatUrl=)\n";
    for (facts, parameters, heard) in [
        (&on, "", true),
        (&off, "", false),
        (&older, "", false),
        (&off, named, true),
        (&older, named, true),
        (&on, emptied, false),
    ] {
        let said = shell(&format!("{facts}{parameters}refuse_silence"));
        assert_eq!(said.well, heard, "{facts}{parameters}: {}", said.err);
    }
    for (output, heard) in [("true", true), ("false", false)] {
        let looked = look_over(&format!(
            "changed=describe-stacks otherwise='status\\tUPDATE_COMPLETE\\nparameter.HeartbeatUrl\\t****\\noutput.Heartbeat\\t{output}\\n'
            refused=' s3api '; answer_of() {{ [[ $1 != *list-subscriptions* ]] || return 0; echo ''; }}"
        ));
        assert_eq!(looked.out.contains("ok: the heartbeat URL is called"), heard, "{}", looked.out);
        assert_eq!(looked.out.contains("finding: nobody listens"), !heard, "{}", looked.out);
    }
}

/// A name that is nowhere defined is noticed only where it runs, and not at all where it stands after `if` or `||`.
#[test]
fn every_function_that_a_script_calls_is_defined() {
    let infra = tools::root().join("infra");
    let parts = std::fs::read_dir(infra.join("deploy")).unwrap().map(|part| part.unwrap().path());
    let scripts = parts.filter(|part| part.extension().is_some_and(|end| end == "sh"));
    let scripts = scripts.chain([infra.join("deploy.sh"), infra.join("functions.sh")]);
    let text: String = scripts.map(|script| std::fs::read_to_string(script).unwrap()).collect();
    let name = |line: &str| line.chars().take_while(|&c| c.is_ascii_alphanumeric() || c == '_').collect::<String>();
    let defined: std::collections::HashSet<String> =
        text.lines().filter(|line| line.contains("() {")).map(name).collect();
    let mut called = std::collections::BTreeSet::new();
    for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with('#')) {
        let after = ["|| ", "&& ", "; ", "$(", "{ ", "! ", "if ", "then ", "else ", ") "];
        let places = after.iter().flat_map(|word| line.match_indices(word).map(|(at, _)| at + word.len()));
        for place in places.chain([0]) {
            let word = name(&line[place..]);
            let next = line[place + word.len()..].chars().next();
            if word.contains('_')
                && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
                && matches!(next, None | Some(' ' | ';' | ')'))
            {
                called.insert(word);
            }
        }
    }
    assert!(called.len() > 60, "the calls aren't found: {called:?}");
    let undefined: Vec<_> = called.iter().filter(|name| !defined.contains(*name)).collect();
    assert!(undefined.is_empty(), "called and nowhere defined: {undefined:?}");
}

#[test]
fn every_guard_that_is_gone_is_a_finding() {
    let stack = Stack::new(Ministack::shared(), "doctored");
    stack.deploy(&["Email=somebody@example.org", "PagingTopicArn=arn:aws:sns:us-east-1:000000000000:pager"]);
    assert_eq!(stack.output("Heartbeat"), "false");
    assert_eq!(stack.output("ArrivedUrl"), stack.resource("Arrived"));
    let bucket = stack.bucket();
    let which = json!({"Bucket": bucket});
    let ages = json!({"Rules": [
        {"ID": "cheaper", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}},
        {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 2}},
        {"ID": "tagged", "Status": "Enabled", "Expiration": {"Days": 3},
            "Filter": {"And": {"Prefix": "backups/", "Tags": [{"Key": "a", "Value": "b"}]}}},
        {"ID": "older", "Status": "Enabled", "Prefix": "attic/", "Expiration": {"Days": 4}},
    ]});
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
            ("cloudwatch", "DeleteAlarms", json!({"AlarmNames": ["doctored-page"]})),
            ("cloudwatch", "DeleteAlarms", json!({"AlarmNames": ["doctored-damaged"]})),
            ("lambda", "DeleteEventSourceMapping", json!({"UUID": stack.resource("ArrivedStartsVerify")})),
            (
                "lambda",
                "UpdateEventSourceMapping",
                json!({"UUID": stack.resource("JudgedStartsRetention"), "Enabled": false}),
            ),
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
        "the alarm doctored-page is gone".to_owned(),
        "ArrivedStartsVerify is gone: it starts nothing".to_owned(),
        "JudgedStartsRetention is off: it starts nothing".to_owned(),
        format!("{rule} is off: it starts nothing"),
        format!("{bucket} keeps no versions"),
        format!("{bucket} may be opened to the public"),
        format!("{bucket} sends no events to EventBridge"),
        "the lifecycle rule cheaper removes current objects by age (1), backups too".to_owned(),
        "the lifecycle rule tagged removes current objects by age (3), backups too".to_owned(),
        "the lifecycle rule expire-noncurrent-versions is off or gone".to_owned(),
        format!("the policy of {bucket} differs from the stack's:\n  + {{\"Sid\": \"DenyPlainHttp\""),
    ];
    for finding in findings {
        assert!(said.contains(&format!("finding: {finding}")), "no finding {finding:?} in:\n{said}");
    }
    assert!(!said.contains("the lifecycle rule logs "), "{said}");

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
