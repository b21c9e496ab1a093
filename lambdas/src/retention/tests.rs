use super::*;

fn policy_of(variables: &[(&str, &str)]) -> Result<Policy, Failure> {
    let found = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    policy(&Environment::new(found))
}

#[test]
fn without_settings_the_policy_is_the_agents_default() {
    assert_eq!(policy_of(&[]).unwrap(), Policy::default());
}

#[test]
fn every_rule_has_its_variable_and_zero_days_is_never() {
    let policy = policy_of(&[
        ("BACKUP_S3_DELETE_DAYS", "0"),
        ("BACKUP_KEEP_LAST", "1"),
        ("BACKUP_KEEP_DAILY", "2"),
        ("BACKUP_KEEP_WEEKLY", "3"),
        ("BACKUP_KEEP_MONTHLY", "4"),
        ("BACKUP_KEEP_YEARLY", "5"),
        ("BACKUP_MIN_GOOD", "6"),
        ("BACKUP_NEVER_YOUNGER_DAYS", "7"),
        ("LASTGOOD_UNFINISHED_GRACE_DAYS", "8"),
    ]);
    let expected = Policy {
        keep_last: 1,
        daily: 2,
        weekly: 3,
        monthly: 4,
        yearly: 5,
        delete_after_days: None,
        minimum_good: 6,
        never_younger_days: 7,
        unfinished_grace_days: 8,
    };
    assert_eq!(policy.unwrap(), expected);
    assert!(policy_of(&[("BACKUP_MIN_GOOD", "few")]).is_err(), "a policy that can't be read removes nothing");
}

#[test]
fn keep_rules_alone_decide_unless_an_age_is_set_too() {
    let age = |variables| policy_of(variables).unwrap().delete_after_days;
    assert_eq!(age(&[("BACKUP_KEEP_DAILY", "7")]), None);
    assert_eq!(age(&[("BACKUP_KEEP_DAILY", "7"), ("BACKUP_S3_DELETE_DAYS", "90")]), Some(90));
    assert_eq!(age(&[("BACKUP_KEEP_DAILY", "0")]), Some(90), "a stack names every rule");
}

/// An archive of ours without manifest, and a guest, both ten days old, beside a good backup of today.
fn with_leftovers() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, days: u64| {
        let path = folder.path().join(name);
        std::fs::write(&path, "PGDMP").unwrap();
        let written = std::time::SystemTime::now() - std::time::Duration::from_secs(days * 86_400);
        std::fs::File::options().write(true).open(path).unwrap().set_modified(written).unwrap();
    };
    put("app_backup_ours.sql.gz", 10);
    std::fs::write(folder.path().join(".app_backup_ours.sql.gz.metadata"), "lastgood-id=x\n").unwrap();
    put("app_backup_guest.sql.gz", 10);
    for suffix in [".sql.gz", ".manifest.json", ".intact.json"] {
        put(&format!("app_backup_good{suffix}"), 0);
    }
    folder
}

#[tokio::test]
async fn archive_of_ours_without_manifest_goes_once_the_sweep_has_said_whose_it_is_and_a_guest_never() {
    let folder = with_leftovers();
    let environment = Environment::new(|_| None);
    let cloud = Cloud::over_directory(folder.path());
    let retention = Retention::new(cloud.clone(), &environment).unwrap();
    let removals = || async {
        let task = Task { dry_run: true, daily: false };
        let mut catalog =
            retention.list(task, Deadline::within(std::time::Duration::from_secs(60))).await.unwrap().remove(0);
        let mut failures = Vec::new();
        retention.find_uncommitted_of(&mut catalog, &mut failures).await;
        assert!(failures.is_empty(), "{failures:?}");
        let plan = catalog::plan(&catalog, &retention.policy, Timestamp::now(), catalog::retention::Limit::Half);
        plan.removals().map(|row| row.entry.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(removals().await, Vec::<String>::new(), "nobody has asked the archive yet");

    let verify = crate::verify::Verify::new(cloud, &environment).unwrap();
    let sweep = serde_json::json!({"action": "sweep"});
    let deadline = Deadline::within(std::time::Duration::from_secs(60));
    verify.run(&sweep, deadline).await.unwrap();
    assert_eq!(removals().await, ["app_backup_ours"]);
}

#[test]
fn only_the_daily_run_tells_people() {
    let read = |json: &str| task(&serde_json::from_str(json).unwrap());
    assert!(matches!(read(r#"{"action":"prune"}"#), Ok(Some(Task { daily: true, dry_run: false }))));
    assert!(matches!(read(r#"{"action":"prune","dryRun":true}"#), Ok(Some(Task { dry_run: true, .. }))));
    assert!(matches!(read(r#"{"Records":[]}"#), Ok(Some(Task { daily: false, .. }))));
    let verdicts = r#"{"Records":[{"eventSource":"aws:sqs","messageId":"1","body":"{}"},{"eventSource":"aws:sqs","messageId":"2"}]}"#;
    assert!(matches!(read(verdicts), Ok(Some(Task { daily: false, dry_run: false }))), "one run for all verdicts");
    assert!(read(r#"{"action":"sweep"}"#).is_err());
}

#[test]
fn a_database_is_not_short_of_backups_that_there_could_not_be() {
    let variables = |name: &str| (name == "LASTGOOD_MAX_AGE_SECONDS").then(|| "86400".to_owned());
    let retention =
        Retention::new(Cloud::over_directory(std::path::Path::new("/nonexistent")), &Environment::new(variables))
            .unwrap();
    assert_eq!(retention.max_age, SignedDuration::from_hours(24));
    let of = |could_be, good| Pruned {
        database: "app".into(),
        good,
        could_be,
        kept: 0,
        removed: Vec::new(),
        stayed: Vec::new(),
        refused: None,
        newest_good: None,
    };
    assert_eq!(
        [of(Some(7), 5), of(Some(2), 2), of(Some(0), 9), of(None, 0)].map(|pruned| pruned.missing()),
        [2, 0, 0, 0]
    );
}
