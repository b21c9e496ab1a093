use catalog::Freshness;
use catalog::retention::Refusal;

use super::*;
use crate::findings::{Drilled, LastGood};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    time("2026-01-20T04:30:00Z")
}

fn last_good() -> Option<LastGood> {
    Some(LastGood { name: "app_backup_20260119_030000".into(), made: time("2026-01-19T03:00:00Z") })
}

fn found(name: &str, database: &str, last_good: Option<LastGood>) -> Damaged {
    let key = format!("backups/20260120/{name}.sql.gz");
    let findings = vec!["only 9 of 5000 bytes could be read in the time there was".to_owned()];
    Damaged { object: format!("s3://bucket/{key}"), database: database.into(), findings, last_good }
}

fn text(message: Option<Message>) -> String {
    let Message { subject, body } = message.unwrap();
    format!("Subject: {subject}\n\n{body}")
}

#[test]
fn a_damaged_backup_is_told_like_this() {
    let one = found("app_backup_20260120_030000", "app", last_good());
    let other = found("my.20app_backup_20260120_030000", "my app", None);
    insta::assert_snapshot!("one_damaged", text(damaged(std::slice::from_ref(&one), now())));
    insta::assert_snapshot!("two_damaged", text(damaged(&[one, other], now())));
    assert_eq!(damaged(&[], now()), None);
}

#[test]
fn a_refused_plan_is_told_like_this() {
    let pruned = Pruned {
        database: "app".into(),
        good: 10,
        could_be: Some(7),
        kept: 12,
        removed: Vec::new(),
        stayed: Vec::new(),
        refused: Some(Refusal::MoreThanHalf { removed: 9, good: 10 }),
        newest_good: last_good(),
    };
    insta::assert_snapshot!(text(refused(std::slice::from_ref(&pruned), now())));
    assert_eq!(refused(&[Pruned { refused: None, ..pruned }], now()), None);
}

#[test]
fn a_stale_database_is_told_like_this() {
    let id: catalog::BackupId = "20260119/app_backup_20260119_030000".parse().unwrap();
    let finding = catalog::freshness::Finding::Stale { id, age_seconds: 94_000, max_age_seconds: 93_600 };
    let stale_one = Gauge {
        database: "app".into(),
        good: Freshness::Never,
        uploaded: Freshness::Never,
        share: Some(1.1),
        finding: Some(finding),
        lost: 0,
        newest_good: last_good(),
        proof: None,
        min_size: None,
        since: None,
        own: None,
        drilled: Drilled::default(),
        shrinks: Vec::new(),
        trouble: None,
    };
    let never = catalog::freshness::Finding::Never { database: "my app".into(), unverified: 3 };
    let never = Gauge { database: "my app".into(), finding: Some(never), newest_good: None, ..stale_one.clone() };
    insta::assert_snapshot!(text(stale(&[&stale_one, &never], now())));
}

#[test]
fn a_message_about_many_stays_short_enough_for_sns() {
    let many: Vec<Damaged> =
        (0..5_000).map(|n| found(&format!("db{n}_backup_20260120_030000"), &format!("db{n}"), last_good())).collect();
    let message = damaged(&many, now()).unwrap();
    assert!(message.body.len() < 16 << 10, "{}", message.body.len());
    assert!(message.body.contains("and 4980 more"), "{}", message.body);
}

#[test]
fn a_subject_is_one_short_ascii_line_whatever_the_database_is_called() {
    let message = damaged(&[found(&"ä\n".repeat(99), "x", None)], now()).unwrap();
    assert!(message.subject.len() < 100 && message.subject.chars().all(|c| c.is_ascii_graphic() || c == ' '));
}

#[test]
fn news_are_told_like_this() {
    let new = |code: &str, text: &str, command: Option<[String; 2]>| Standing {
        code: code.to_owned(),
        text: text.to_owned(),
        commands: command.into_iter().collect(),
        stands: true,
        at_once: true,
    };
    let overdue = new("sweep", "the daily sweep has never come to its end", None);
    let command = Some(["To be told when they stop coming:".to_owned(), "lastgood expect shop".to_owned()]);
    let unmarked = new("unmarked/shop", "backups of database `shop` come, but nobody would miss them", command);
    insta::assert_snapshot!(text(news(&[&overdue, &unmarked], "s3://bucket/backups")));
    assert_eq!(news(&[], "s3://bucket/backups"), None);
    let many: Vec<&Standing> = std::iter::repeat_n(&overdue, 1_000).collect();
    assert!(news(&many, "x").unwrap().body.contains("and 980 more"));
}
