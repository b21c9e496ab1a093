//! The checks: each takes a template and returns what is wrong with it.

use serde_json::{Map, Value};

const MAPPING: &str = "AWS::Lambda::EventSourceMapping";

/// The template's resources of one type, with their names.
pub(super) fn resources<'a>(template: &'a Value, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let all = template["Resources"].as_object().unwrap();
    all.iter().filter(move |(_, resource)| resource["Type"] == kind).map(|(name, resource)| (name.as_str(), resource))
}

/// Alarms that don't say what missing data means, or don't tell somebody of trouble and of its end.
pub(super) fn silent_alarms(template: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, alarm) in resources(template, "AWS::CloudWatch::Alarm") {
        let properties = &alarm["Properties"];
        // Where data is missing nothing is over: only the stale alarm takes it for trouble, and none for OK.
        let expected = if name == "StaleAlarm" { "breaching" } else { "ignore" };
        if properties["TreatMissingData"] != expected {
            complaints.push(format!("{name} takes missing data for {}", properties["TreatMissingData"]));
        }
        for actions in ["AlarmActions", "OKActions"] {
            if properties[actions].as_array().is_none_or(Vec::is_empty) {
                complaints.push(format!("{name} has no {actions}"));
            }
        }
        // A gauge that two invocations publish must not add up.
        let is_gauge = properties["Namespace"] != "AWS/Lambda";
        if is_gauge && !["Maximum", "Minimum"].iter().any(|statistic| properties["Statistic"] == *statistic) {
            complaints.push(format!("{name} counts duplicates: {}", properties["Statistic"]));
        }
    }
    complaints
}

/// Rules that would wake a function for somebody else's bucket.
pub(super) fn rules_without_bucket(template: &Value) -> Vec<String> {
    let ours = serde_json::json!([{"Ref": "BucketName"}]);
    resources(template, "AWS::Events::Rule")
        .filter(|(_, rule)| rule["Properties"]["EventPattern"]["detail"]["bucket"]["name"] != ours)
        .map(|(name, _)| format!("{name} doesn't name its bucket"))
        .collect()
}

/// Functions that may write under a suffix that wakes them, but for the verifier's saved place.
pub(super) fn functions_that_wake_themselves(template: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, rule) in resources(template, "AWS::Events::Rule") {
        let properties = &rule["Properties"];
        for target in properties["Targets"].as_array().unwrap() {
            let function = woken_by(template, target["Arn"]["Fn::GetAtt"][0].as_str().unwrap());
            let writable = writable_suffixes(template, function);
            for key in properties["EventPattern"]["detail"]["object"]["key"].as_array().unwrap() {
                let waking = suffix(&key.to_string());
                if waking != "verifying.json" && writable.contains(&waking) {
                    complaints.push(format!("{name} wakes {function} for {waking}, which it may write"));
                }
            }
        }
    }
    complaints
}

/// The function that a rule's target is, or that takes from it.
fn woken_by<'a>(template: &'a Value, target: &'a str) -> &'a str {
    let from = |mapping: &&Value| mapping["Properties"]["EventSourceArn"]["Fn::GetAtt"][0] == target;
    let mapping = resources(template, MAPPING).map(|(_, mapping)| mapping).find(from);
    mapping.map_or(target, |mapping| mapping["Properties"]["FunctionName"]["Ref"].as_str().unwrap())
}

/// Queues that others can read or listen to, that nobody may fill or empty, or whose messages are worked on twice.
pub(super) fn unfit_queues(template: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, queue) in resources(template, "AWS::SQS::Queue") {
        let properties = &queue["Properties"];
        if properties["SqsManagedSseEnabled"] != true || properties["MessageRetentionPeriod"].is_null() {
            complaints.push(format!("{name} is not encrypted, or doesn't say how long it keeps"));
        }
        let refuses = |statement: &&Value| {
            statement["Effect"] == "Deny" && statement["Condition"]["Bool"]["aws:SecureTransport"] == "false"
        };
        if !queue_statements(template, name).iter().any(refuses) {
            complaints.push(format!("{name} answers without TLS"));
        }
    }
    for (name, mapping) in resources(template, MAPPING) {
        let properties = &mapping["Properties"];
        let queue = properties["EventSourceArn"]["Fn::GetAtt"][0].as_str().unwrap();
        let function = &template["Resources"][properties["FunctionName"]["Ref"].as_str().unwrap()]["Properties"];
        let (hidden, timeout) =
            (&template["Resources"][queue]["Properties"]["VisibilityTimeout"], &function["Timeout"]);
        if hidden.as_u64() < timeout.as_u64().map(|seconds| seconds * 6) {
            complaints.push(format!("{name} hands out again what is still worked on"));
        }
        if properties["ScalingConfig"]["MaximumConcurrency"].is_null() {
            complaints.push(format!("{name} takes all of the account's concurrency"));
        }
        let role = &template["Resources"][function["Role"]["Fn::GetAtt"][0].as_str().unwrap()]["Properties"];
        let own = role["Policies"].as_array().into_iter().flatten();
        let own = own.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
        let own: Vec<&Value> = own.filter(|statement| statement["Resource"]["Fn::GetAtt"][0] == queue).collect();
        for needed in ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"] {
            if !own.iter().any(|statement| actions(statement).any(|action| action == needed)) {
                complaints.push(format!("{name} needs {needed}"));
            }
        }
    }
    for (name, rule) in resources(template, "AWS::Events::Rule") {
        for target in rule["Properties"]["Targets"].as_array().unwrap() {
            let queue = target["Arn"]["Fn::GetAtt"][0].as_str().unwrap();
            let admits = |statement: &&Value| {
                let source = &statement["Condition"]["ArnEquals"]["aws:SourceArn"];
                statement["Principal"]["Service"] == "events.amazonaws.com" && source["Fn::GetAtt"][0] == name
            };
            if !queue_statements(template, queue).iter().any(admits) {
                complaints.push(format!("{name} may not send to {queue}"));
            }
        }
    }
    complaints
}

fn queue_statements<'a>(template: &'a Value, queue: &str) -> Vec<&'a Value> {
    let about = |policy: &&Value| policy["Properties"]["Queues"][0]["Ref"] == queue;
    let policies = resources(template, "AWS::SQS::QueuePolicy").map(|(_, policy)| policy).filter(about);
    policies.flat_map(|policy| policy["Properties"]["PolicyDocument"]["Statement"].as_array().unwrap()).collect()
}

/// The policies that are attached to a role, those too that only a condition attaches.
fn managed_policies(role: &Value) -> impl Iterator<Item = &str> {
    let policies = role["ManagedPolicyArns"].as_array().unwrap().iter();
    policies.map(|policy| policy["Ref"].as_str().or(policy["Fn::If"][1]["Ref"].as_str()).unwrap())
}

fn writable_suffixes(template: &Value, function: &str) -> Vec<String> {
    let role = template["Resources"][function]["Properties"]["Role"]["Fn::GetAtt"][0].as_str().unwrap();
    let policies = managed_policies(&template["Resources"][role]["Properties"]);
    let statements = policies.flat_map(|policy| statements(template, policy));
    let puts = statements.filter(|statement| {
        statement["Effect"] == "Allow" && actions(statement).any(|action| action == "s3:PutObject")
    });
    puts.flat_map(|statement| statement["Resource"].as_array().unwrap())
        .map(|resource| suffix(&resource.to_string()))
        .collect()
}

/// The last two parts of a pattern's text, without a vault's account: `intact.json`.
fn suffix(pattern: &str) -> String {
    let pattern = pattern.replace(".${AWS::AccountId}", "");
    let pattern = pattern.trim_end_matches(['"', '}']);
    let (rest, last) = pattern.rsplit_once('.').unwrap();
    format!("{}.{last}", rest.rsplit(['.', '/', '*']).next().unwrap())
}

pub(super) fn statements<'a>(template: &'a Value, policy: &str) -> impl Iterator<Item = &'a Value> {
    template["Resources"][policy]["Properties"]["PolicyDocument"]["Statement"].as_array().unwrap().iter()
}

pub(super) fn actions(statement: &Value) -> impl Iterator<Item = &str> {
    let actions = match &statement["Action"] {
        Value::Array(actions) => actions.iter().filter_map(Value::as_str).collect(),
        action => Vec::from_iter(action.as_str()),
    };
    actions.into_iter()
}

/// Functions that rely on one of Lambda's defaults, or whose failures or logs are lost or kept for ever.
pub(super) fn unbounded_functions(template: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, function) in resources(template, "AWS::Lambda::Function") {
        let properties = &function["Properties"];
        for explicit in ["Timeout", "MemorySize", "Architectures", "Runtime"] {
            if properties[explicit].is_null() {
                complaints.push(format!("{name} has no {explicit}"));
            }
        }
        if properties["TracingConfig"]["Mode"] != "PassThrough" {
            complaints.push(format!("{name} is traced"));
        }
        let logs = properties["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap_or_default();
        if template["Resources"][logs]["Properties"]["RetentionInDays"].is_null() {
            complaints.push(format!("{name}'s logs are kept for ever"));
        }
        let kept = resources(template, "AWS::Lambda::EventInvokeConfig").any(|(_, retries)| {
            let properties = &retries["Properties"];
            properties["FunctionName"]["Ref"] == name
                && properties["DestinationConfig"]["OnFailure"]["Destination"].is_object()
        });
        // Whoever waits for the answer hears of the failure.
        let is_waited_for = resources(template, "AWS::StepFunctions::StateMachine").any(|(_, machine)| {
            machine["Properties"]["Definition"].to_string().contains(&format!(r#"["{name}","Arn"]"#))
        });
        if !kept && !is_waited_for {
            complaints.push(format!("{name}'s failures go nowhere"));
        }
    }
    complaints
}

/// Lifecycle rules that remove a current version, or move what must stay readable.
pub(super) fn unsafe_lifecycle(template: &Value) -> Vec<String> {
    let rules = template["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"].as_array().unwrap();
    let mut complaints = Vec::new();
    for rule in rules {
        for expiry in ["ExpirationInDays", "ExpirationDate"] {
            if !rule[expiry].is_null() {
                complaints.push(format!("{} expires current versions", rule["Id"]));
            }
        }
        if !rule["Transitions"].is_null() && rule["ObjectSizeGreaterThan"].is_null() {
            complaints.push(format!("{} moves manifests and verdicts", rule["Id"]));
        }
    }
    for needed in ["AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration", "ExpiredObjectDeleteMarker"] {
        if rules.iter().all(|rule| rule[needed].is_null()) {
            complaints.push(format!("no rule has {needed}"));
        }
    }
    complaints
}

/// What a bucket of backups must have, and keep when its stack goes.
pub(super) fn unguarded_bucket(template: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    for name in ["Bucket", "BucketPolicy"] {
        let resource = &template["Resources"][name];
        if resource["DeletionPolicy"] != "RetainExceptOnCreate" || resource["UpdateReplacePolicy"] != "Retain" {
            complaints.push(format!("{name} goes with the stack"));
        }
        if resource["Condition"] != "CreateBucket" {
            complaints.push(format!("{name} would replace an existing one"));
        }
    }
    let properties = &template["Resources"]["Bucket"]["Properties"];
    if properties["VersioningConfiguration"]["Status"] != "Enabled" {
        complaints.push("no versions".into());
    }
    if properties["NotificationConfiguration"]["EventBridgeConfiguration"]["EventBridgeEnabled"] != true {
        complaints.push("no events".into());
    }
    let blocks = properties["PublicAccessBlockConfiguration"].as_object().map_or(0, Map::len);
    if blocks != 4
        || properties["PublicAccessBlockConfiguration"].as_object().unwrap().values().any(|block| block != true)
    {
        complaints.push("open to the public".into());
    }
    if properties["BucketEncryption"].is_null() {
        complaints.push("no encryption".into());
    }
    complaints
}

/// Rights that no identity may have, and deletion by any but retention, and an eraser where one is named.
pub(super) fn excessive_rights(template: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, resource) in resources(template, "AWS::IAM::ManagedPolicy") {
        let is_eraser = name == "EraserPolicy" && resource["Condition"] == "WithErasers";
        let removes = name == "RetentionPolicy" || is_eraser;
        for statement in statements(template, name).filter(|statement| statement["Effect"] == "Allow") {
            for action in actions(statement) {
                let deletes = action.starts_with("s3:Delete") && !removes;
                let settings = ["s3:PutBucket", "s3:PutLifecycle", "s3:PutEncryption", "s3:Bypass"];
                let versions = action == "s3:ListBucketVersions" && !removes;
                if action.contains('*')
                    || deletes
                    || versions
                    || settings.iter().any(|setting| action.starts_with(setting))
                {
                    complaints.push(format!("{name} may {action}"));
                }
            }
            // PutMetricData knows no resources: its namespace bounds it. Nor do network interfaces that don't exist yet.
            if statement["Resource"] == "*"
                && name != "NetworkPolicy"
                && statement["Condition"]["StringEquals"]["cloudwatch:namespace"] != "Lastgood"
            {
                complaints.push(format!("{name} may {} everywhere", statement["Action"]));
            }
        }
    }
    complaints
}

/// What an identity is denied beyond the bucket: whoever has one of these policies has others too.
pub(super) fn excessive_denials(template: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, _) in resources(template, "AWS::IAM::ManagedPolicy") {
        // What binds the functions' own code alone binds nobody who has the policy besides.
        let is_of_functions =
            |statement: &Value| statement["Condition"]["ArnLike"]["lambda:SourceFunctionArn"] != Value::Null;
        let denials = statements(template, name).filter(|statement| statement["Effect"] == "Deny");
        for statement in denials.filter(|statement| !is_of_functions(statement)) {
            let within = "arn:${AWS::Partition}:s3:::${BucketName}/${Prefix}/";
            let one = std::slice::from_ref(&statement["Resource"]);
            let resources = statement["Resource"].as_array().map_or(one, Vec::as_slice);
            let is_within =
                |resource: &Value| resource["Fn::Sub"].as_str().is_some_and(|resource| resource.starts_with(within));
            if !resources.iter().all(is_within) {
                complaints.push(format!("{name} denies {} elsewhere", statement["Action"]));
            }
        }
    }
    complaints
}

/// Functions that may write into another log than their own, by any of their policies.
pub(super) fn foreign_logs(template: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    for name in ["Verify", "Retention", "Freshness"] {
        let role = &template["Resources"][format!("{name}Role")]["Properties"];
        let own = role["Policies"].as_array().unwrap().iter();
        let own = own.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
        let attached = managed_policies(role).flat_map(|policy| statements(template, policy));
        let logging = own.chain(attached).filter(|statement| statement.to_string().contains("logs:"));
        let resources: Vec<_> = logging.map(|statement| statement["Resource"].clone()).collect();
        if resources != [serde_json::json!({"Fn::GetAtt": [format!("{name}Logs"), "Arn"]})] {
            complaints.push(format!("{name} writes into {resources:?}"));
        }
    }
    complaints
}

/// Roles that the bucket's policy names and that are called otherwise in each stack.
pub(super) fn nameless_roles(template: &Value) -> Vec<String> {
    let named = template["Resources"]["BucketPolicy"].to_string();
    resources(template, "AWS::IAM::Role")
        .filter(|(name, role)| named.contains(*name) && role["Properties"]["RoleName"].is_null())
        .map(|(name, _)| format!("{name} has no name of its own"))
        .collect()
}
