//! A vault in a second account, deployed as docs/cloud.md says: filled by the first one's bucket, proved by its own functions, and enough
//! to get a database back when the first account is gone.

use std::time::{Duration, Instant};

use e2e::aws::ask_all;
use e2e::bucket::Bucket;
use e2e::ministack::{Ministack, Rights};
use e2e::past::{agent, database};
use e2e::postgres::Postgres;
use e2e::stack::Stack;
use e2e::{bounds, functions};
use serde_json::json;

const ACCOUNT: &str = "222222222222";
const ROLE: &str = "arn:aws:iam::000000000000:role/first-us-east-1-replication";

/// Waits until a bucket has a key that ends so.
fn wait_for(bucket: &Bucket, ending: &str, ministack: &Ministack) {
    let begun = Instant::now();
    while !bucket.keys().iter().any(|key| key.ends_with(ending)) {
        let (keys, log) = (bucket.keys(), ministack.log());
        assert!(begun.elapsed() < bounds::MOMENT, "nothing ends in {ending} in {}: {keys:#?}\n{log}", bucket.name());
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn second_account_proves_its_copies_and_outlives_the_first() {
    let ministack = Ministack::start(Rights::Enforced);
    let vault = Stack::new(&ministack, "vault").in_account(ACCOUNT).functions(functions::folder());
    let said = vault.deploy(&[&format!("VaultOf={ROLE}"), "MinimumGood=1"]);
    let line = said.lines().find(|line| line.starts_with("infra/deploy.sh ")).unwrap_or_else(|| panic!("{said}"));
    let mut words = line.split_whitespace().skip(1);
    assert_eq!(words.next(), Some("first"), "the stack that its role names: {line}");
    assert!(said.contains("BACKUP_S3_VERDICTS_OF=222222222222\n"), "{said}");
    assert!(!said.contains("ExistingBucketPolicy"), "the script has put it: {said}");
    let first = Stack::new(&ministack, "first").functions(functions::folder());
    first.deploy(&words.chain(["MinimumGood=1"]).collect::<Vec<_>>());

    let source = Bucket::existing(&first.root(), &first.bucket());
    let copies = Bucket::existing(&vault.root(), &vault.bucket());
    let host = agent().database(database()).bucket(source.name(), source.access()).setting("BACKUP_VERIFY", "none");
    host.setting("BACKUP_S3_PREFIX", "backups").run(&["backup"]).succeeds();
    wait_for(&source, ".intact.json", &ministack);
    wait_for(&copies, &format!(".intact.{ACCOUNT}.json"), &ministack);
    // What the first account said has come along, and counts for nothing.
    wait_for(&copies, ".intact.json", &ministack);
    let archive = source.key_ending_in(".sql.gz");
    assert_eq!(copies.get(&archive), source.get(&archive));

    let checked = |stack: &Stack| String::from_utf8_lossy(&stack.script(&["--check"]).stdout).into_owned();
    let (at_first, at_vault) = (checked(&first), checked(&vault));
    assert!(at_first.contains(&format!("ok: {} is replicated to {}", source.name(), copies.name())), "{at_first}");
    for well in ["has the stack's policy", "locks new versions: COMPLIANCE, 30 days", "sends its events"] {
        assert!(at_vault.contains(&format!("ok: {} {well}", copies.name())), "{well}: {at_vault}");
    }

    // Its ruler puts the vault's own names there, and deletes all that there is.
    for forged in [
        archive.replace(".sql.gz", &format!(".damaged.{ACCOUNT}.json")),
        format!("backups/status/{ACCOUNT}/sweep.json"),
    ] {
        source.put(&forged, b"{}");
        let status = source.head(&forged).replication_status().map(|status| status.as_str().to_owned());
        assert_eq!(status.as_deref(), Some("FAILED"), "{forged}: nobody replicates it");
    }
    for key in source.keys() {
        source.delete(&key);
    }
    assert!(copies.keys().contains(&archive), "a deletion isn't replicated");
    assert!(!copies.keys().iter().any(|key| key.contains(".damaged.")), "{:#?}", copies.keys());

    // The first account is gone. From here on, as docs/cloud.md says.
    let operator = vault.user("operator", "OperatorPolicyArn");
    let into = format!("{}_vault", database().name());
    let person = agent().database(database()).bucket(copies.name(), &operator).setting("BACKUP_S3_PREFIX", "backups");
    let person = person.setting("BACKUP_S3_VERDICTS_OF", ACCOUNT).setting("BACKUP_S3_BUCKET_OWNER", ACCOUNT);
    person.run(&["list"]).succeeds().mentions("good");
    let restored = Postgres::shared().database(&into);
    person.run(&["restore", "latest", "--into", &into, "--confirm"]).succeeds();
    assert_eq!(restored.query("SELECT count(*) FROM large"), "3000");
}

/// What nobody may change in a vault, by the word of S3.
#[test]
fn vaults_bucket_is_locked_guarded_and_admits_its_one_role() {
    let ministack = Ministack::shared();
    let vault = Stack::new(ministack, "locked").in_account("333333333333");
    vault.deploy(&[&format!("VaultOf={ROLE}"), "ObjectLockDays=45"]);
    let which = json!({"Bucket": vault.bucket()});
    let answers = ask_all(
        &vault.root(),
        &[
            ("s3", "GetObjectLockConfiguration", which.clone()),
            ("s3", "GetBucketEncryption", which.clone()),
            ("s3", "GetBucketPolicy", which.clone()),
            ("s3", "GetBucketVersioning", which.clone()),
        ],
    );
    let lock = &answers[0]["ObjectLockConfiguration"]["Rule"]["DefaultRetention"];
    assert_eq!((&lock["Mode"], &lock["Days"]), (&json!("COMPLIANCE"), &json!(45)));
    let rule = &answers[1]["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"];
    assert_eq!(rule["KMSMasterKeyID"], json!(vault.parameter("KmsKeyArn")), "its own key, which its functions may use");
    let policy: serde_json::Value = serde_json::from_str(answers[2]["Policy"].as_str().unwrap()).unwrap();
    let allowed = policy["Statement"].as_array().unwrap().iter().filter(|statement| statement["Effect"] == "Allow");
    let allowed: Vec<_> = allowed.collect();
    let [admits] = allowed[..] else { panic!("{allowed:#?}") };
    assert_eq!(admits["Condition"], json!({"ArnEquals": {"aws:PrincipalArn": ROLE}}));
    assert_eq!(answers[3]["Status"], "Enabled");

    let again = vault.deploy(&[]);
    assert_eq!(again.matches("Nothing to change").count(), 2, "{again}");
    vault.deploy(&["ObjectLockDays=60"]);
    let lock = vault.ask("s3", "GetObjectLockConfiguration", which);
    assert_eq!(lock["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Days"], 60, "what is told is what is");
    // What came with the copies would count from then on.
    for other in ["VaultOf=", "VaultOf=arn:aws:iam::444444444444:role/other-us-east-1-replication"] {
        let refused = vault.try_deploy(&["--yes", other]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        let hint = format!("hint: leave VaultOf out, or name {ROLE}\n");
        assert!(refused.status.code() == Some(2) && said.ends_with(&hint), "{other}: {said}");
    }
    // A bucket that can't be made ends it before anything else is.
    let taken = Stack::new(ministack, "taken").in_account("555555555555");
    let failed = taken.try_deploy(&["--yes", &format!("VaultOf={ROLE}"), &format!("BucketName={}", vault.bucket())]);
    let said = String::from_utf8_lossy(&failed.stdout).into_owned();
    assert!(!failed.status.success() && !said.contains("Deployed"), "{failed:?}");
    assert!(!said.contains("Nothing to change"), "{said}");
}

#[test]
fn half_a_vault_is_refused_with_what_it_lacks() {
    let ministack = Ministack::shared();
    let key = format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/1");
    let own = "arn:aws:kms:us-east-1:000000000000:key/2";
    let cases = [
        (vec!["ReplicateTo=there".to_owned()], "add: ReplicateToAccount=NUMBER"),
        (vec![format!("ReplicateToKmsKeyArn={key}")], "add: ReplicateTo=BUCKET"),
        (
            vec!["ReplicateTo=there".into(), format!("ReplicateToAccount={ACCOUNT}"), format!("KmsKeyArn={own}")],
            "add: ReplicateToKmsKeyArn=ARN, which the vault's stack shows",
        ),
        (
            vec!["ReplicateTo=there".into(), format!("ReplicateToAccount={ACCOUNT}"), format!("VaultOf={ROLE}")],
            "leave one of them out",
        ),
        (vec![format!("VaultOf={ROLE}"), "ObjectLockMode=GOVERNANCE".into()], "leave both out"),
        (vec![format!("VaultOf={ROLE}"), "ObjectLockDays=0".into()], "leave both out"),
        (vec![format!("VaultOf={ROLE}"), "ObjectLockDays=100".into()], "choose fewer days for the lock"),
    ];
    for (parameters, hint) in cases {
        let parameters: Vec<&str> = ["--yes"].into_iter().chain(parameters.iter().map(String::as_str)).collect();
        let refused = Stack::new(ministack, "half").try_deploy(&parameters);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{parameters:?}: {said}");
        assert!(said.contains(&format!("hint: {hint}")), "{parameters:?}: {said}");
    }
}
