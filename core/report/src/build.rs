//! What the page says of one database, by what was read of it.

use std::collections::BTreeMap;

use catalog::drill::Drill as DrillRecord;
use catalog::freshness::{Drills, DrillsAsked, Finding, check, check_drills, contradicted, next_command, usual_count};
use catalog::history::{DayVerdict, History, day_of};
use catalog::retention::goes_next;
use catalog::shrink::HOLD;
use catalog::words::shell_word;
use catalog::{Catalog, Entry, Verdict};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::data::{Backup, Calendar, Database, Drill, GoesNext, LastGood, Problem, Size, Verified};
use crate::parts::{Parts, Records};
use crate::tables;

/// Days of the calendar.
const YEAR: i32 = 365;
/// Parts of a drill after which the database is back.
const RESTORE: [&str; 3] = ["download", "rows", "indexes"];

pub(crate) fn database(parts: Parts, now: Timestamp) -> Database {
    let Parts { catalog, mark, asked, history, drills, mut records, tables, next, mut notes } = parts;
    let retired = mark.as_ref().filter(|mark| !mark.is_expected(&catalog, now)).and_then(|mark| mark.retired);
    let mut thresholds = asked.thresholds;
    if asked.counts_days {
        let first = catalog.entries.iter().filter(|entry| entry.is_backup() && !entry.is_safety());
        thresholds.min_count = usual_count(first.map(|entry| entry.instant).min(), thresholds.max_age, now);
    }
    let known: Vec<Drill> = known_drills(&drills, history.as_ref(), &records);
    let drills = Drills::of(drills.map(|status| status.map(|status| status.last())));
    let mut findings = if retired.is_some() { Vec::new() } else { check(&catalog, &thresholds, now) };
    findings.extend(contradiction(&catalog, &mut records, now).filter(|_| retired.is_none()));
    let since = mark.as_ref().map(|mark| mark.since);
    let drill = check_drills(&catalog.database, &drills, DrillsAsked { max_age: asked.max_drill_age, since }, now);
    let (drill, said) = if asked.max_drill_age.is_some() { (drill, None) } else { (None, drill) };
    notes.extend(said.map(|finding| finding.to_string()));
    notes.extend(shrunk(&catalog, now));
    findings.extend(drill);
    let growing = match &tables {
        [Some(after), Some(before)] => tables::growing(before, after),
        _ => Vec::new(),
    };
    let goes = asked.policy.and_then(|policy| {
        goes_next(&catalog, &policy, now).map(|(entry, from)| GoesNext { backup: entry.name(), from })
    });
    Database {
        healthy: findings.is_empty(),
        retired,
        last_good: last_good(&catalog, &records, now),
        max_age_seconds: thresholds.max_age.as_secs(),
        problems: problems(&catalog, &findings, now),
        notes,
        calendar: calendar(history.as_ref(), DayVerdict::of(&findings), retired, now),
        sizes: sizes(&catalog, history.as_ref(), &records, now),
        growing,
        drills: known,
        goes_next: goes.or_else(|| next.map(|next| GoesNext { backup: next.backup, from: next.from })),
        month_dollars: None,
        backups: catalog.entries.iter().filter(|entry| entry.is_backup()).count() as u64,
        bytes: catalog.entries.iter().map(Entry::size).fold(0, u64::saturating_add),
        evidence: catalog.entries.iter().map(|entry| backup(entry, records.get(&entry.id))).collect(),
        database: catalog.database,
    }
}

/// What the newest good backup's records say against it.
fn contradiction(
    catalog: &Catalog,
    records: &mut BTreeMap<catalog::BackupId, Records>,
    now: Timestamp,
) -> Option<Finding> {
    let newest = catalog.newest_good(now)?;
    let read = records.get_mut(&newest.id)?;
    let [manifest, verdict] = std::mem::take(&mut read.broken);
    let promised = manifest.map_or_else(|| Ok(read.manifest.as_ref().map(|facts| facts.digest.clone())), Err);
    let verdict = verdict.map_or_else(|| Ok(read.verdict.clone()), Err);
    contradicted(newest, &promised, &verdict)
}

fn problems(catalog: &Catalog, findings: &[Finding], now: Timestamp) -> Vec<Problem> {
    let of_it = format!(" --database {}", shell_word(&catalog.database));
    let unverified = catalog.newest_uploaded(now).filter(|newest| {
        let is_newer = catalog.newest_good(now).is_none_or(|good| newest.instant > good.instant);
        is_newer && newest.judged().is_none()
    });
    let unverified = unverified.map(Entry::name);
    let problem = |finding: &Finding| Problem {
        text: finding.to_string(),
        next: next_command(finding, &of_it, unverified.as_deref()),
    };
    findings.iter().map(problem).collect()
}

fn shrunk(catalog: &Catalog, now: Timestamp) -> Vec<String> {
    let is_open = |entry: &&Entry| entry.shrunk_since().is_some_and(|since| now.duration_since(since) < HOLD);
    let note = |entry: &Entry| {
        let name = shell_word(&entry.name()).clone();
        format!(
            "{name} has lost rows or tables (lastgood diff {name}~1 {name}); if that is right: lastgood accept {name}"
        )
    };
    catalog.entries.iter().filter(is_open).map(note).collect()
}

fn last_good(catalog: &Catalog, records: &BTreeMap<catalog::BackupId, Records>, now: Timestamp) -> Option<LastGood> {
    let entry = catalog.newest_good(now)?;
    let read = records.get(&entry.id);
    Some(LastGood {
        name: entry.name(),
        made: entry.instant,
        age_seconds: entry.age(now).as_secs(),
        size: entry.size(),
        rows: read.and_then(|read| read.manifest.as_ref()).map(|facts| facts.rows),
        verified: verified(entry, read),
    })
}

/// By the verdict, where it was read and is about these bytes; else by the listing.
fn verified(entry: &Entry, read: Option<&Records>) -> Option<Verified> {
    entry.judged()?;
    let of = |verdict: &Verdict| Verified {
        at: verdict.verified,
        by: Some(verdict.verifier.name.clone()),
        host: Some(verdict.verifier.host.clone()),
        version: Some(verdict.verifier.version.clone()),
    };
    let listed = [&entry.intact, &entry.damaged].into_iter().flatten().map(|object| object.last_modified).max();
    let listed = listed.map(|at| Verified { at, by: None, host: None, version: None });
    read.and_then(|read| read.verdict.as_ref()).map(of).or(listed)
}

/// The last year. Today is as the page finds it, whatever was noted before: the worse of both.
fn calendar(history: Option<&History>, today: DayVerdict, retired: Option<Timestamp>, now: Timestamp) -> Vec<Calendar> {
    let last = day_of(now);
    let noted: BTreeMap<_, _> =
        history.iter().flat_map(|history| &history.days).map(|day| (day.day, day.verdict)).collect();
    let days = (0..YEAR).rev().filter_map(|back| last.checked_sub(back.days()).ok());
    days.map(|day| {
        let noted = noted.get(&day).copied();
        let verdict = if day == last && retired.is_none() { noted.max(Some(today)) } else { noted };
        Calendar { day, verdict }
    })
    .collect()
}

/// By the backups that are there and, before them, by the days that were noted.
fn sizes(
    catalog: &Catalog,
    history: Option<&History>,
    records: &BTreeMap<catalog::BackupId, Records>,
    now: Timestamp,
) -> Vec<Size> {
    let noted = history.iter().flat_map(|history| &history.days);
    let noted = noted.filter_map(|day| {
        let made = day.made?;
        Some((made, Size { made, size: day.size?, rows: day.rows }))
    });
    let mut sizes: BTreeMap<Timestamp, Size> = noted.collect();
    for entry in catalog.good().filter(|entry| !entry.is_in_the_future(now)) {
        let made = entry.instant;
        let facts = records.get(&entry.id).and_then(|read| read.manifest.as_ref());
        let known = sizes.get(&made).and_then(|size| size.rows);
        let rows = facts.map(|facts| facts.rows).or(known);
        sizes.insert(made, Size { made, size: entry.size(), rows });
    }
    let year = SignedDuration::from_hours(24 * i64::from(YEAR));
    sizes.into_values().filter(|size| now.duration_since(size.made) <= year).collect()
}

/// What the backups' own records, the database's and its history say of drills: each once, the newest first.
fn known_drills(
    status: &Result<Option<catalog::drill::DrillStatus>, catalog::DocumentError>,
    history: Option<&History>,
    records: &BTreeMap<catalog::BackupId, Records>,
) -> Vec<Drill> {
    let noted = history.iter().flat_map(|history| &history.drills).map(|drill| Drill {
        finished: drill.finished,
        backup: drill.backup.clone(),
        passed: drill.passed,
        restore_seconds: None,
        seconds: drill.seconds as f64,
        reason: None,
    });
    let last = status.as_ref().ok().and_then(Option::as_ref).map(|status| &status.last);
    let beside = records.values().filter_map(|read| read.drill.as_ref());
    let mut drills: BTreeMap<Timestamp, Drill> = noted.map(|drill| (drill.finished, drill)).collect();
    for record in last.into_iter().chain(beside) {
        drills.insert(record.finished, drill(record));
    }
    drills.into_values().rev().collect()
}

fn drill(record: &DrillRecord) -> Drill {
    let parts = record.parts.iter().filter(|part| RESTORE.contains(&part.name.as_str()));
    let restore: std::time::Duration = parts.map(|part| part.duration).sum();
    Drill {
        finished: record.finished,
        backup: record.backup.clone(),
        passed: record.passed,
        restore_seconds: (!restore.is_zero()).then_some(restore.as_secs_f64()),
        seconds: record.duration().as_secs_f64(),
        reason: record.reason(),
    }
}

fn backup(entry: &Entry, read: Option<&Records>) -> Backup {
    let facts = read.and_then(|read| read.manifest.as_ref());
    let verdict = read.and_then(|read| read.verdict.as_ref());
    let findings = verdict.iter().flat_map(|verdict| &verdict.findings).map(ToString::to_string);
    let unreadable = read.is_some_and(|read| read.unreadable);
    let unreadable = unreadable.then(|| "one of its records cannot be read: see lastgood show".to_owned());
    Backup {
        name: entry.name(),
        made: entry.instant,
        state: entry.state.to_string(),
        size: entry.size(),
        rows: facts.map(|facts| facts.rows),
        md5: facts.map(|facts| facts.digest.md5.to_string()),
        crc64nvme: facts.map(|facts| facts.digest.crc64nvme.to_string()),
        host: facts.map(|facts| facts.host.clone()),
        verified: verified(entry, read),
        findings: findings.chain(unreadable).collect(),
        drill: read.and_then(|read| read.drill.as_ref()).map(drill),
    }
}
