//! The same of a vault: the template for a stack whose bucket another account fills, and `infra/vault.yaml`, which has that bucket.

use serde_json::{Value, json};

use super::checks;
use super::loaded::{bucket, remove, set, template, vaults};

/// What the policy of a vault's bucket has that no other's has, as its stack tells deploy.sh.
fn own_statements() -> Vec<Value> {
    let told = &vaults()["Outputs"]["ExistingBucketPolicy"]["Value"]["Fn::Sub"];
    assert!(told[0].as_str().unwrap().ends_with("${Policy}${Vault}]}"), "{told}");
    let own = told[1]["Vault"]["Fn::Sub"][0].as_str().unwrap();
    serde_json::from_str(&format!("[{}]", own.trim_start_matches(','))).unwrap()
}

/// What a vault's functions may write and these statements don't refuse to whatever is replicated.
fn forgeable(statements: &[Value]) -> Vec<String> {
    let refused: Vec<&str> = statements
        .iter()
        .filter(|statement| statement["Effect"] == "Deny" && statement["Action"] == "s3:ReplicateObject")
        .flat_map(|statement| statement["Resource"].as_array().unwrap())
        .map(|resource| resource.as_str().unwrap().trim_end_matches('*'))
        .collect();
    let is_refused = |written: &str| {
        refused.iter().any(|pattern| match pattern.split_once('*') {
            Some((_, end)) => written.ends_with(end),
            None => written.starts_with(pattern),
        })
    };
    let policies = ["VerifierPolicy", "RetentionPolicy", "FreshnessPolicy"];
    let puts = policies.iter().flat_map(|policy| checks::statements(vaults(), policy)).filter(|statement| {
        statement["Effect"] == "Allow" && checks::actions(statement).any(|action| action == "s3:PutObject")
    });
    let written = puts.flat_map(|statement| statement["Resource"].as_array().unwrap());
    written.map(|resource| resource["Fn::Sub"].as_str().unwrap().to_owned()).filter(|key| !is_refused(key)).collect()
}

#[test]
fn nothing_that_is_replicated_takes_the_place_of_a_vaults_own_word() {
    assert_eq!(forgeable(&own_statements()), Vec::<String>::new());
    assert_eq!(forgeable(&[]).len(), 10, "verdicts, place, what is awaited, and status");
    let rules =
        ["BackupArrived", "VerdictGiven"].map(|rule| &vaults()["Resources"][rule]["Properties"]["EventPattern"]);
    let waking: Vec<String> = rules
        .iter()
        .flat_map(|pattern| pattern["detail"]["object"]["key"].as_array().unwrap())
        .map(|key| key["wildcard"]["Fn::Sub"].as_str().unwrap().to_owned())
        .collect();
    for others in ["intact.json", "damaged.json", "verifying.json"] {
        assert!(!waking.iter().any(|key| key.ends_with(others)), "{others} wakes somebody: {waking:?}");
    }
    for end in ["*.manifest.json", "*.sql.gz", "*.age", "*.intact.${AWS::AccountId}.json"] {
        assert!(waking.iter().any(|key| key.ends_with(end)), "{end} wakes nobody: {waking:?}");
    }
}

#[test]
fn a_vaults_bucket_lets_in_one_role_that_replicates_and_takes_nothing_back() {
    let policy = own_statements();
    let admits: Vec<_> = policy.iter().filter(|statement| statement["Effect"] == "Allow").collect();
    let [admits] = admits[..] else { panic!("{admits:#?}") };
    assert_eq!(admits["Condition"], json!({"ArnEquals": {"aws:PrincipalArn": "${VaultOf}"}}));
    for action in checks::actions(admits) {
        assert!(["s3:ReplicateObject", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner"].contains(&action));
    }
    assert!(
        policy.iter().any(|statement| statement["Effect"] == "Deny" && statement["Action"] == "s3:ReplicateDelete")
    );
    let role = &template()["Resources"]["ReplicationRole"]["Properties"];
    assert_eq!(role["RoleName"], json!({"Fn::Sub": "${AWS::StackName}-${AWS::Region}-replication"}));
    let rule = &template()["Resources"]["Bucket"]["Properties"]["ReplicationConfiguration"]["Fn::If"][1]["Rules"][0];
    assert_eq!(rule["DeleteMarkerReplication"], json!({"Status": "Disabled"}));
    assert_eq!(rule["Filter"], json!({"Prefix": {"Fn::Sub": "${Prefix}/"}}));
}

/// Complaints about the vault's bucket and key.
fn weak(template: &Value) -> Vec<String> {
    let mut complaints = checks::unsafe_lifecycle(template);
    let resources = &template["Resources"];
    for name in ["Bucket", "Key"] {
        let resource = &resources[name];
        if resource["DeletionPolicy"] != "RetainExceptOnCreate" || resource["UpdateReplacePolicy"] != "Retain" {
            complaints.push(format!("{name} goes with the stack"));
        }
    }
    let bucket = &resources["Bucket"]["Properties"];
    let lock = &bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"];
    if lock["Mode"] != "COMPLIANCE" || bucket["ObjectLockEnabled"] != true {
        complaints.push("somebody can end the lock".into());
    }
    if bucket["VersioningConfiguration"]["Status"] != "Enabled" {
        complaints.push("no versions".into());
    }
    if bucket["NotificationConfiguration"]["EventBridgeConfiguration"]["EventBridgeEnabled"] != true {
        complaints.push("no events".into());
    }
    if bucket["PublicAccessBlockConfiguration"]
        .as_object()
        .is_none_or(|blocks| blocks.values().filter(|block| **block == true).count() != 4)
    {
        complaints.push("open to the public".into());
    }
    let statements = resources["Key"]["Properties"]["KeyPolicy"]["Statement"].as_array().unwrap();
    let others = statements.iter().filter(|statement| !statement["Condition"].is_null());
    for action in others.flat_map(checks::actions) {
        if !["kms:Encrypt", "kms:GenerateDataKey"].contains(&action) {
            complaints.push(format!("the first account has {action}"));
        }
    }
    complaints
}

#[test]
fn vaults_bucket_outlives_whoever_wants_it_gone() {
    assert_eq!(weak(bucket()), Vec::<String>::new());
    let breaches: [fn(&mut Value); 5] = [
        |t| remove(t, "/Resources/Key", "DeletionPolicy"),
        |t| {
            set(
                t,
                "/Resources/Bucket/Properties/ObjectLockConfiguration/Rule/DefaultRetention/Mode",
                json!("GOVERNANCE"),
            )
        },
        |t| remove(t, "/Resources/Bucket/Properties", "VersioningConfiguration"),
        |t| set(t, "/Resources/Bucket/Properties/LifecycleConfiguration/Rules/2/ExpirationInDays", json!(90)),
        |t| set(t, "/Resources/Key/Properties/KeyPolicy/Statement/1/Action", json!(["kms:Decrypt"])),
    ];
    for (number, break_it) in breaches.iter().enumerate() {
        let mut broken = bucket().clone();
        break_it(&mut broken);
        assert_ne!(weak(&broken), Vec::<String>::new(), "not noticed: {number}");
    }
    // One name means one thing, and deploy.sh hands it to both.
    for (name, parameter) in bucket()["Parameters"].as_object().unwrap() {
        let same = &template()["Parameters"][name];
        assert_eq!(parameter["Type"], same["Type"], "{name}");
    }
}
