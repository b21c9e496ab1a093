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
        unfinished_grace_days: 8,
    };
    assert_eq!(policy.unwrap(), expected);
    assert!(policy_of(&[("BACKUP_MIN_GOOD", "few")]).is_err(), "a policy that can't be read removes nothing");
}

#[test]
fn only_the_daily_run_tells_people() {
    let read = |json: &str| task(&serde_json::from_str(json).unwrap());
    assert!(matches!(read(r#"{"action":"prune"}"#), Ok(Some(Task { daily: true, dry_run: false }))));
    assert!(matches!(read(r#"{"action":"prune","dryRun":true}"#), Ok(Some(Task { dry_run: true, .. }))));
    assert!(matches!(read(r#"{"Records":[]}"#), Ok(Some(Task { daily: false, .. }))));
    assert!(read(r#"{"action":"sweep"}"#).is_err());
}
