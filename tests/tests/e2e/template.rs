//! What matters in `infra/template.yaml`, asserted on the template itself: what no local AWS would notice.
//!
//! A check is a function from a template to complaints, so that each can be shown to bite on a copy that is broken on purpose.

mod checks;
mod dashboard;
mod loaded;
mod vault;

use std::process::Command;

use e2e::process::output;
use e2e::tools;
use serde_json::{Value, json};

use loaded::{path, push, remove, set, template, vault_path, vaults};

/// A way to break the template, and the check that must notice.
type Breach = (&'static str, fn(&mut Value), fn(&Value) -> Vec<String>);

const BREACHES: [Breach; 23] = [
    (
        "an alarm ignores missing data",
        |t| remove(t, "/Resources/StaleAlarm/Properties", "TreatMissingData"),
        checks::silent_alarms,
    ),
    (
        "an alarm tells nobody",
        |t| set(t, "/Resources/DamagedAlarm/Properties/AlarmActions", json!([])),
        checks::silent_alarms,
    ),
    ("an alarm never says OK", |t| remove(t, "/Resources/TooFewAlarm/Properties", "OKActions"), checks::silent_alarms),
    (
        "a rule listens to every bucket",
        |t| remove(t, "/Resources/BackupArrived/Properties/EventPattern/detail", "bucket"),
        checks::rules_without_bucket,
    ),
    (
        "verify wakes itself by its verdict",
        |t| {
            push(
                t,
                "/Resources/BackupArrived/Properties/EventPattern/detail/object/key",
                json!({"suffix": ".intact.json"}),
            )
        },
        checks::functions_that_wake_themselves,
    ),
    (
        "retention may write what wakes it",
        |t| set(t, "/Resources/RetentionRole/Properties/ManagedPolicyArns/0", json!({"Ref": "VerifierPolicy"})),
        checks::functions_that_wake_themselves,
    ),
    (
        "a function has Lambda's three seconds",
        |t| remove(t, "/Resources/Verify/Properties", "Timeout"),
        checks::unbounded_functions,
    ),
    ("a function's failures vanish", |t| remove(t, "/Resources", "FreshnessRetries"), checks::unbounded_functions),
    (
        "logs are kept for ever",
        |t| remove(t, "/Resources/RetentionLogs/Properties", "RetentionInDays"),
        checks::unbounded_functions,
    ),
    (
        "backups expire by age alone",
        |t| set(t, "/Resources/Bucket/Properties/LifecycleConfiguration/Rules/2/ExpirationInDays", json!(90)),
        checks::unsafe_lifecycle,
    ),
    (
        "manifests move to Glacier",
        |t| remove(t, "/Resources/Bucket/Properties/LifecycleConfiguration/Rules/2", "ObjectSizeGreaterThan"),
        checks::unsafe_lifecycle,
    ),
    ("the bucket goes with the stack", |t| remove(t, "/Resources/Bucket", "DeletionPolicy"), checks::unguarded_bucket),
    (
        "the bucket keeps no versions",
        |t| remove(t, "/Resources/Bucket/Properties", "VersioningConfiguration"),
        checks::unguarded_bucket,
    ),
    (
        "the agent may delete",
        |t| set(t, "/Resources/AgentPolicy/Properties/PolicyDocument/Statement/0/Action", json!("s3:*")),
        checks::excessive_rights,
    ),
    (
        "a queue answers without TLS",
        |t| remove(t, "/Resources/JudgedPolicy/Properties/PolicyDocument/Statement/1", "Condition"),
        checks::unfit_queues,
    ),
    (
        "a backup is read twice at once",
        |t| set(t, "/Resources/Arrived/Properties/VisibilityTimeout", json!(900)),
        checks::unfit_queues,
    ),
    (
        "a burst takes all of the account's concurrency",
        |t| remove(t, "/Resources/ArrivedStartsVerify/Properties", "ScalingConfig"),
        checks::unfit_queues,
    ),
    (
        "retention may not take its messages",
        |t| remove(t, "/Resources/RetentionRole/Properties", "Policies"),
        checks::unfit_queues,
    ),
    (
        "the rule may not send",
        |t| set(t, "/Resources/ArrivedPolicy/Properties/PolicyDocument/Statement/0/Condition", json!({})),
        checks::unfit_queues,
    ),
    (
        "the operator lists versions, which no command of theirs does",
        |t| {
            push(
                t,
                "/Resources/OperatorPolicy/Properties/PolicyDocument/Statement/1/Action",
                json!("s3:ListBucketVersions"),
            )
        },
        checks::excessive_rights,
    ),
    (
        "an identity is denied what it does in other buckets",
        |t| {
            let pointer = "/Resources/OperatorPolicy/Properties/PolicyDocument/Statement/3";
            remove(t, pointer, "Resource");
            set(t, &format!("{pointer}/NotResource"), json!("arn:aws:s3:::bucket/databases/*"));
        },
        checks::excessive_denials,
    ),
    (
        "a function writes into another one's log",
        |t| {
            let log = "/Resources/VerifyRole/Properties/Policies/0/PolicyDocument/Statement/0/Resource";
            set(t, log, json!({"Fn::GetAtt": ["RetentionLogs", "Arn"]}));
        },
        checks::foreign_logs,
    ),
    (
        "the roles of the next stack are others",
        |t| remove(t, "/Resources/RetentionRole/Properties", "RoleName"),
        checks::nameless_roles,
    ),
];

/// What comes of a thousand backups in one night: each alone among the dead letters if it must be, and retention once for all.
#[test]
fn arrivals_are_taken_one_by_one_and_verdicts_all_at_once() {
    let resources = &template()["Resources"];
    let [arrived, judged] = ["ArrivedStartsVerify", "JudgedStartsRetention"].map(|name| &resources[name]["Properties"]);
    assert_eq!(
        (&arrived["BatchSize"], &arrived["FunctionResponseTypes"]),
        (&json!(1), &json!(["ReportBatchItemFailures"]))
    );
    let concurrency = json!({"Fn::If": ["WithVerifyConcurrency", {"Ref": "VerifyConcurrency"}, 5]});
    assert_eq!(arrived["ScalingConfig"]["MaximumConcurrency"], concurrency);
    let redrive = json!({"deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}, "maxReceiveCount": 3});
    assert_eq!(resources["Arrived"]["Properties"]["RedrivePolicy"], redrive);
    assert_eq!((&judged["BatchSize"], &judged["MaximumBatchingWindowInSeconds"]), (&json!(10_000), &json!(300)));
    assert_eq!(resources["Verify"]["Properties"]["ReservedConcurrentExecutions"], Value::Null);
    let pattern = template()["Parameters"]["VerifyConcurrency"]["AllowedPattern"].as_str().unwrap();
    assert_eq!(pattern, "([2-9]|[1-9][0-9]|[1-9][0-9]{2}|1000)?", "what AWS takes, and the empty text of older stacks");
}

#[test]
fn every_check_passes_on_the_template_and_fails_on_a_broken_copy() {
    for (what, break_it, check) in BREACHES {
        assert_eq!(check(template()), Vec::<String>::new(), "the template as it is ({what})");
        assert_eq!(check(vaults()), Vec::<String>::new(), "the same of a vault ({what})");
        let mut broken = template().clone();
        break_it(&mut broken);
        assert_ne!(check(&broken), Vec::<String>::new(), "not noticed: {what}");
    }
}

#[test]
fn cfn_lint_has_nothing_to_say() {
    // The oldest region, young and small ones, China's and GovCloud's.
    let regions =
        ["us-east-1", "eu-central-1", "ca-west-1", "mx-central-1", "cn-north-1", "us-gov-west-1", "us-gov-east-1"];
    let mut lint = Command::new(tools::python_command("cfn-lint"));
    let lint = output(lint.arg("--regions").args(regions).arg("--").args([path(), vault_path()]));
    assert_eq!((lint.status.code(), String::from_utf8_lossy(&lint.stdout).as_ref()), (Some(0), ""));
}

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
#[test]
fn template_stays_within_cloudformations_limits() {
    let count = |section: &str| template()[section].as_object().unwrap().len();
    assert!(count("Parameters") <= 200 && count("Resources") <= 500 && count("Outputs") <= 200);
    assert!(path().metadata().unwrap().len() <= 1 << 20);
}

#[test]
fn stale_rings_when_two_of_three_quarters_of_an_hour_are_late_or_silent() {
    let alarm = &template()["Resources"]["StaleAlarm"]["Properties"];
    let told = [
        "MetricName",
        "Statistic",
        "Period",
        "EvaluationPeriods",
        "DatapointsToAlarm",
        "TreatMissingData",
        "Threshold",
    ]
    .map(|property| alarm[property].clone());
    let expected = json!(["Staleness", "Maximum", 900, 3, 2, "breaching", 1]);
    assert_eq!(json!(told), expected);
}

#[test]
fn one_database_stays_within_ten_alarms_and_a_page_wakes_for_two_of_them() {
    let paid =
        checks::resources(template(), "AWS::CloudWatch::Alarm").filter(|(_, alarm)| alarm["Condition"].is_null());
    assert_eq!(paid.count(), 10);
    let composite = &template()["Resources"]["PagingAlarm"];
    assert_eq!(composite["Condition"], "WithPaging");
    let rule = composite["Properties"]["AlarmRule"]["Fn::Sub"].as_str().unwrap();
    assert_eq!(rule, r#"ALARM("${StaleAlarm}") OR ALARM("${DamagedAlarm}")"#);
}

/// A throttle is tried again by itself, and one error too: neither is worth a mail.
#[test]
fn verify_is_throttled_and_nobody_is_told_before_a_backup_waits_for_hours() {
    for (name, alarm) in checks::resources(template(), "AWS::CloudWatch::Alarm") {
        assert_ne!(alarm["Properties"]["MetricName"], "Throttles", "{name}");
    }
    let waiting = &template()["Resources"]["WaitingAlarm"]["Properties"];
    let told = [&waiting["MetricName"], &waiting["Threshold"], &waiting["Dimensions"][0]["Value"]["Fn::GetAtt"][0]];
    assert_eq!(json!(told), json!(["ApproximateAgeOfOldestMessage", 21600, "Arrived"]));
    let errors = &template()["Resources"]["VerifyErrorsAlarm"]["Properties"];
    assert_eq!(json!([errors["Statistic"], errors["Period"], errors["Threshold"]]), json!(["Sum", 900, 3]));
}

/// Each row of the page's table is a test, by its name.
#[test]
fn each_row_of_who_is_told_what_is_a_test() {
    let read = |path: &str| std::fs::read_to_string(tools::root().join(path)).unwrap();
    let sources = [
        "lambdas/src/freshness/tests.rs",
        "lambdas/src/verify/sweep.rs",
        "tests/tests/e2e/functions/freshness.rs",
        "tests/tests/e2e/functions/retention.rs",
        "tests/tests/e2e/check.rs",
        "tests/tests/e2e/template.rs",
    ];
    let sources: String = sources.map(read).concat();
    let page = read("docs/cloud.md");
    let rows = page.lines().skip_while(|line| !line.starts_with("| situation |")).skip(2);
    let situations: Vec<String> = rows
        .take_while(|line| line.starts_with('|'))
        .map(|row| row.split('|').nth(1).unwrap().trim().replace([' ', '-'], "_").replace(['`', ',', '\''], ""))
        .collect();
    assert!(situations.len() > 20, "{situations:?}");
    for situation in situations {
        let name = format!("fn {}", situation.to_lowercase());
        assert!(sources.contains(&name), "no test is called {name}, or begins so");
    }
}

#[test]
fn verify_may_go_on_in_another_invocation() {
    assert_eq!(template()["Resources"]["Verify"]["Properties"]["RecursiveLoop"], "Allow");
    assert_eq!(template()["Resources"]["Retention"]["Properties"]["RecursiveLoop"], Value::Null);
}

/// A template can't put a number into a definition: `MaxConcurrency` by a parameter deploys here, and is refused by AWS. A worker that the
/// account has no room for is no failure: it is tried for half an hour, and not with the few tries of one that is broken.
#[test]
fn parts_machine_takes_its_number_by_path_and_waits_for_room() {
    let machine = &template()["Resources"]["Parts"]["Properties"];
    let map = &machine["Definition"]["States"]["Links"];
    assert_eq!((&map["MaxConcurrencyPath"], &map["MaxConcurrency"]), (&json!("$.concurrency"), &Value::Null));
    assert_eq!(map["ToleratedFailureCount"], 0);
    let tries = map["ItemProcessor"]["States"]["Prove"]["Retry"].as_array().unwrap();
    assert_eq!(tries[0]["ErrorEquals"], json!(["Lambda.TooManyRequestsException"]));
    let most = |one: &Value| one["MaxAttempts"].as_u64().unwrap() * one["MaxDelaySeconds"].as_u64().unwrap();
    assert!(most(&tries[0]) >= 1_800 && most(&tries[1]) <= 120, "{tries:#?}");
    let caught = map["Catch"][0]["Next"].as_str().unwrap();
    assert_eq!(caught, "InOnePiece", "whatever fails, all of it is read");
    // Five minutes are what an express execution may take.
    assert_eq!(map["ItemProcessor"]["ProcessorConfig"], json!({"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}));
}

/// The local AWS knows these condition keys only by the harness's mending, so AWS's own spelling is fixed here.
#[test]
fn bucket_policy_refuses_plain_http_replacement_and_deletion() {
    let statements = &template()["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"];
    assert_eq!(statements[0]["Condition"], json!({"Bool": {"aws:SecureTransport": "false"}}));
    let unconditional = json!({"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}});
    assert_eq!(statements[1]["Condition"], unconditional);
    assert_eq!(statements[2]["Action"], json!(["s3:DeleteObject", "s3:DeleteObjectVersion"]));
    let deleters = &statements[2]["Condition"]["ArnNotLike"]["aws:PrincipalArn"]["Fn::Split"][1]["Fn::Join"][1];
    assert_eq!(deleters[1], json!({"Fn::If": ["WithErasers", {"Fn::Sub": ",${EraserArns}"}, ""]}));
    assert_eq!(template()["Parameters"]["EraserArns"]["Default"], "", "nobody erases by default");
    let deleters = &deleters[0]["Fn::If"];
    assert_eq!(deleters[2], json!({"Fn::GetAtt": ["RetentionRole", "Arn"]}));
    assert_eq!(deleters[1], json!({"Fn::Sub": "${RetentionRole.Arn},${AdminArns}"}));
    for statement in statements.as_array().unwrap() {
        let statement = statement.get("Fn::If").map_or(statement, |choice| &choice[1]);
        assert_eq!((&statement["Effect"], &statement["Principal"]), (&json!("Deny"), &json!("*")));
    }
}

/// CloudFormation asks in its caller's name, which only this key tells, and the local AWS has no such key.
#[test]
fn bucket_policy_keeps_its_settings_for_the_stack_and_the_admins() {
    let statements = &template()["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"];
    let by_hand = json!({"aws:CalledVia": "cloudformation.amazonaws.com"});
    let admins = json!({"aws:PrincipalArn": {"Fn::Split": [",", {"Ref": "AdminArns"}]}});
    let but_admins = json!({"ForAllValues:StringNotEquals": by_hand, "ArnNotLike": admins});
    let guards =
        statements.as_array().unwrap().iter().find(|statement| statement["Sid"] == "DenyChangedGuards").unwrap();
    let anybody = json!({"ForAllValues:StringNotEquals": by_hand});
    assert_eq!(guards["Condition"], json!({"Fn::If": ["WithAdmins", but_admins, anybody]}));
    for action in ["s3:PutLifecycleConfiguration", "s3:PutBucketVersioning", "s3:BypassGovernanceRetention"] {
        assert!(guards["Action"].as_array().unwrap().contains(&json!(action)), "{action}");
    }
    // Nobody is locked out of a bucket that names no admin: there the policy itself stays anybody's who has the right.
    let policy = &statements.as_array().unwrap().last().unwrap()["Fn::If"];
    assert_eq!((&policy[0], &policy[2]), (&json!("WithAdmins"), &json!({"Ref": "AWS::NoValue"})));
    assert_eq!(policy[1]["Action"], json!(["s3:PutBucketPolicy", "s3:DeleteBucketPolicy"]));
    assert_eq!(policy[1]["Condition"], but_admins);
}

/// The local AWS makes the bucket without its encryption and its lock.
#[test]
fn bucket_is_encrypted_with_the_key_that_is_named_or_with_s3s_own() {
    let rules =
        &template()["Resources"]["Bucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"];
    let default = &rules[0]["ServerSideEncryptionByDefault"];
    assert_eq!(default["SSEAlgorithm"], json!({"Fn::If": ["WithKmsKey", "aws:kms", "AES256"]}));
    let first = json!({"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "KmsKeyArn"}]}]});
    assert_eq!(default["KMSMasterKeyID"]["Fn::If"][1], first);
    assert_eq!(template()["Parameters"]["KmsKeyArn"]["Default"], "");
}

#[test]
fn object_lock_is_governance_and_off_by_default() {
    let properties = &template()["Resources"]["Bucket"]["Properties"];
    let lock = &properties["ObjectLockConfiguration"]["Fn::If"];
    let mode = json!({"Ref": "ObjectLockMode"});
    let retention = json!({"DefaultRetention": {"Mode": mode, "Days": {"Ref": "ObjectLockDays"}}});
    assert_eq!(lock[0], "WithObjectLock");
    assert_eq!(lock[1], json!({"ObjectLockEnabled": "Enabled", "Rule": retention}));
    assert_eq!(properties["ObjectLockEnabled"]["Fn::If"][1], true);
    assert_eq!(template()["Parameters"]["ObjectLockDays"]["Default"], 0);
    assert_eq!(template()["Parameters"]["ObjectLockMode"]["Default"], "GOVERNANCE");
}

#[test]
fn kms_key_may_be_used_through_s3_alone() {
    for (name, policy) in checks::resources(template(), "AWS::IAM::ManagedPolicy")
        .filter(|(name, _)| !["ReportingPolicy", "NetworkPolicy"].contains(name))
    {
        let statements = policy["Properties"]["PolicyDocument"]["Statement"].as_array().unwrap();
        let keyed = |action: &str| {
            let mut keys = statements.iter().map(|statement| &statement["Fn::If"]).filter(|key| key[0] == "WithKmsKey");
            keys.find(|key| key[1]["Action"] == action).map(|key| key[1].clone())
        };
        // Another form of the service's name in China.
        let through = json!({"StringEquals": {"kms:ViaService": [
            {"Fn::Sub": "s3.${AWS::Region}.amazonaws.com"}, {"Fn::Sub": "s3.${AWS::Region}.${AWS::URLSuffix}"}]}});
        let all = json!({"Fn::Split": [",", {"Ref": "KmsKeyArn"}]});
        let read = keyed("kms:Decrypt").unwrap_or_else(|| panic!("{name} can't read"));
        assert_eq!((&read["Resource"], &read["Condition"]), (&all, &through), "{name}");
        // The first key encrypts; the others only open what they once closed.
        let write = keyed("kms:GenerateDataKey")
            .unwrap_or_else(|| panic!("{name} can't write, and a function's status is written"));
        assert_eq!((&write["Resource"], &write["Condition"]), (&json!({"Fn::Select": [0, all]}), &through), "{name}");
    }
}

/// The local AWS makes functions without their network, and roles without their boundary.
#[test]
fn what_an_organisation_prescribes_reaches_every_role_and_function() {
    for (name, role) in checks::resources(template(), "AWS::IAM::Role") {
        let properties = &role["Properties"];
        let boundary = json!(["WithBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]);
        assert_eq!(properties["PermissionsBoundary"]["Fn::If"], boundary, "{name}");
        // Without one there is no Path at all: to name it would replace the role of a stack that is deployed.
        let path = json!(["WithRolePath", {"Ref": "RolePath"}, {"Ref": "AWS::NoValue"}]);
        assert_eq!(properties["Path"]["Fn::If"], path, "{name}");
    }
    let network = json!({"Fn::If": ["WithVpc", {"Ref": "NetworkPolicy"}, {"Ref": "AWS::NoValue"}]});
    for (name, function) in checks::resources(template(), "AWS::Lambda::Function") {
        let properties = &function["Properties"];
        let inside = json!({"SubnetIds": {"Ref": "VpcSubnetIds"}, "SecurityGroupIds": {"Ref": "VpcSecurityGroupIds"}});
        assert_eq!(properties["VpcConfig"]["Fn::If"], json!(["WithVpc", inside, {"Ref": "AWS::NoValue"}]), "{name}");
        let role = properties["Role"]["Fn::GetAtt"][0].as_str().unwrap();
        let policies = &template()["Resources"][role]["Properties"]["ManagedPolicyArns"];
        assert!(policies.as_array().unwrap().contains(&network), "{name} makes no interfaces: {policies}");
        let variables = &properties["Environment"]["Variables"];
        assert_eq!(variables["BACKUP_S3_SSE"], json!({"Ref": "SseHeader"}), "{name}");
    }
    let topic = &template()["Resources"]["Alerts"]["Properties"]["KmsMasterKeyId"]["Fn::If"];
    assert_eq!((&topic[0], &topic[2]), (&json!("WithTopicKey"), &json!({"Ref": "AWS::NoValue"})));
}

#[test]
fn example_names_every_parameter_with_its_default() {
    let example = std::fs::read_to_string(tools::root().join("infra/parameters.example")).unwrap();
    let named =
        example.lines().filter_map(|line| line.strip_prefix('#').filter(|line| !line.starts_with(' ')).or(Some(line)));
    let mut named: Vec<_> =
        named.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect();
    named.sort_unstable();
    let parameters = template()["Parameters"].as_object().unwrap();
    let default = |parameter: &Value| match &parameter["Default"] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        number => number.to_string(),
    };
    let mut declared: Vec<_> = parameters.iter().map(|(name, parameter)| (name.as_str(), default(parameter))).collect();
    declared.sort_unstable();
    assert_eq!(named, declared.iter().map(|(name, default)| (*name, default.as_str())).collect::<Vec<_>>());
}
