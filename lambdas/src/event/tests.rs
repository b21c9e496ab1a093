use std::fmt::Write;
use std::path::Path;

use super::*;

fn fixture(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// What is read of every fixture, side by side.
#[test]
fn the_corpus_is_read_like_this() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = files.filter(|name| name.ends_with(".json")).collect();
    names.sort();
    let mut table = String::new();
    for name in names {
        writeln!(table, "{name}\n{}", in_lines(Event::read(&fixture(&name)))).unwrap();
    }
    insta::assert_snapshot!(table);
}

fn in_lines(event: Result<Event, Malformed>) -> String {
    match event {
        Ok(Event::Arrivals(arrivals)) => arrivals.iter().fold(String::new(), |lines, arrival| match arrival {
            Ok(Arrival { bucket, key, etag }) => {
                lines + &format!("    {bucket} {key} {}\n", etag.as_deref().unwrap_or("-"))
            }
            Err(malformed) => lines + &format!("    bad record: {malformed}\n"),
        }),
        Ok(Event::Scheduled(Scheduled { action, backup, dry_run, scheduled })) => {
            let at = scheduled.map_or("-".to_owned(), |at| at.to_string());
            let about = backup.map_or(String::new(), |backup| format!(" {backup}"));
            format!("    {action:?}{about}, dry run: {dry_run}, scheduled: {at}\n")
        }
        Ok(Event::Queued(messages)) => {
            messages.into_iter().fold(String::new(), |lines, Queued { id, receipt, event }| {
                lines + &format!("    message {id}, receipt {}\n{}", receipt.as_deref().unwrap_or("-"), in_lines(event))
            })
        }
        Ok(Event::Nothing) => "    nothing to do\n".to_owned(),
        Err(malformed) => format!("    refused: {malformed}\n"),
    }
}

#[test]
fn a_notified_key_is_decoded_exactly_once_and_an_announced_one_never() {
    let key = |name| match Event::read(&fixture(name)) {
        Ok(Event::Arrivals(mut arrivals)) => arrivals.remove(0).unwrap().key,
        other => panic!("{other:?}"),
    };
    assert_eq!(key("notification-encoded-key.json"), "backups/20260120/a b+c_backup_20260120_030000.manifest.json");
    assert_eq!(key("notification-percent-in-key.json"), "backups/20260120/a%20b_backup_20260120_030000.manifest.json");
    assert_eq!(key("eventbridge-key-is-raw.json"), "backups/20260120/a b+c%2B_backup_20260120_030000.manifest.json");
}

#[test]
fn a_bad_record_does_not_hide_the_others() {
    let Ok(Event::Arrivals(arrivals)) = Event::read(&fixture("notification-several-one-bad.json")) else { panic!() };
    assert_eq!(arrivals.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
}
