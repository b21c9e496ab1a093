//! The sweep finds what has no verdict (guests too), what has changed since its verdict, and what was verified long ago.
//!
//! It puts what it finds into the queue of arrivals, from which as many invocations as the stack allows take one backup
//! each: one that kills its invocation keeps no other waiting, and ends among the dead letters.
//!
//! Where there is no queue, it reads by itself, from the newest down, one backup at a time. When time is up, it saves a
//! place at the very beginning of the next backup. That wakes an invocation, which gives the backup all its time and then
//! sweeps on below it. So a chain of invocations sweeps a bucket of any size, and it ends, because each link starts further
//! down.

use catalog::status::Run;
use catalog::{BackupId, Catalog, Entry, StatusRecord, oldest_verdict, rereading, words};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::due::{Due, Skip, Why, due};
use super::place::Place;
use super::round::Round;
use super::summary::Handled;
use crate::queue::Queue;
use crate::{Failure, status};

/// A backup without a verdict for so long is said each day: whatever fails for it told only once.
const STUCK: SignedDuration = SignedDuration::from_hours(24);
/// By then somebody has looked at a backup whose event arrived, also when the first look failed: an event is handed out three times, an
/// hour and a half apart at most.
const SOON: SignedDuration = SignedDuration::from_hours(4);
/// A sweep takes no longer: what was looked at so long before its end was looked at for its event.
const SWEEP: SignedDuration = SignedDuration::from_mins(15);

/// What a listing says to a sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Candidates {
    /// Backups to verify, in this order: what has no verdict, the newest first; then what was read the longest time ago, as
    /// much of it as one night reads.
    pub(super) due: Vec<BackupId>,
    /// How many more were read long ago, and are left to later sweeps.
    pub(super) left: usize,
    /// How many archives should be verified and cannot, because they are in Glacier.
    pub(super) in_glacier: usize,
    /// When the bytes that were read the longest time ago were found intact, of all that can be read.
    pub(super) oldest_verdict: Option<Timestamp>,
    /// Backups that nobody could judge for more than a day, the newest first.
    pub(super) stuck: Vec<BackupId>,
    /// Backups that nobody looked at for their events, when that is so of all that came lately.
    pub(super) unseen: usize,
}

/// The backups to be verified, when the sweep before came to its end at `last`. What is `in_parts` may be under way without a sign.
pub(super) fn candidates(
    catalogs: &[Catalog],
    in_parts: impl Fn(&Entry) -> bool,
    last: Option<Timestamp>,
    now: Timestamp,
    reverify_after: SignedDuration,
) -> Candidates {
    let entries = || catalogs.iter().flat_map(|catalog| &catalog.entries);
    let mut candidates = Candidates::default();
    let mut unjudged: Vec<&Entry> = Vec::new();
    for entry in entries() {
        match due(entry, &Why::Swept, now, SignedDuration::MAX) {
            Due::Not(Skip::InGlacier) => candidates.in_glacier += 1,
            Due::Not(_) => {}
            Due::Anew | Due::GoOn(_) | Due::Ask(_) | Due::Await => unjudged.push(entry),
        }
    }
    unjudged.sort_by(|a, b| order(&b.id).cmp(&order(&a.id)));
    let again = rereading(entries(), now, reverify_after);
    candidates.left = again.left;
    candidates.in_glacier += again.in_glacier;
    candidates.due = unjudged.into_iter().chain(again.due).map(|entry| entry.id.clone()).collect();
    let is_stuck = |entry: &&Entry| {
        entry.is_backup() && entry.judged().is_none() && now.duration_since(entry.latest_claim()) > STUCK
    };
    candidates.stuck = entries().filter(is_stuck).map(|entry| entry.id.clone()).collect();
    candidates.stuck.sort_by(|a, b| order(b).cmp(&order(a)));
    candidates.oldest_verdict = oldest_verdict(entries()).map(|(_, read)| read);
    candidates.unseen = last.map_or(0, |last| unseen(entries().filter(|entry| !in_parts(entry)), last, now));
    candidates
}

/// How many backups came lately and had their time, if none that came has been looked at for its event: then events were lost, all
/// of them. Too young for the sweep before were those that came shortly before it, and it had them looked at itself: of them counts what
/// was there by then. One that takes long has its saved place, and one that failed is among the dead letters.
fn unseen<'a>(entries: impl Iterator<Item = &'a Entry>, last: Timestamp, now: Timestamp) -> usize {
    // In a vault nothing says when it came.
    let came = |entry: &Entry| {
        let manifest = entry.manifest.as_ref().filter(|_| entry.is_backup() && !entry.is_replica)?.last_modified;
        (manifest > last - SOON).then_some(manifest)
    };
    let is_seen = |entry: &Entry, came: Timestamp| {
        let looks = [&entry.intact, &entry.damaged, &entry.verifying];
        looks.into_iter().flatten().any(|look| came > last || look.last_modified < last - SWEEP)
    };
    let came: Vec<(&Entry, Timestamp)> = entries.filter_map(|entry| Some((entry, came(entry)?))).collect();
    if came.iter().any(|(entry, came)| is_seen(entry, *came)) {
        return 0;
    }
    came.iter().filter(|(_, came)| now.duration_since(*came) > SOON).count()
}

fn order(id: &BackupId) -> (Option<jiff::civil::Date>, &str) {
    (id.day, id.stem.as_str())
}

impl Candidates {
    /// What people should hear, a sentence each.
    fn standing(&self) -> Vec<String> {
        let unseen = (self.unseen > 0).then(|| {
            let backups = words::count(self.unseen as u64, "backup");
            format!(
                "{backups} came, and none was looked at when it came: is the rule BackupArrived on, and does the bucket send its \
                 events to EventBridge?"
            )
        });
        self.stuck_in_words().into_iter().chain(unseen).collect()
    }

    fn stuck_in_words(&self) -> Option<String> {
        let first = self.stuck.first()?;
        let why = "for more than a day: the verify function's log says why";
        Some(match self.stuck.len() {
            1 => format!("{first} has had no verdict {why}"),
            count => format!("{count} backups have had no verdict, {first} and older ones, {why}"),
        })
    }

    /// Without a queue: all of them from the newest down, below a backup where one is named.
    fn newest_first(&self, below: Option<&BackupId>) -> Vec<&BackupId> {
        let is_below = |id: &&BackupId| below.is_none_or(|below| order(id) < order(below));
        let mut due: Vec<&BackupId> = self.due.iter().filter(is_below).collect();
        due.sort_by(|a, b| order(b).cmp(&order(a)));
        due
    }
}

impl Round<'_> {
    /// Looks for what events missed: has it verified, or without a queue verifies it, below a backup where one is named,
    /// until time is up. A sweep that came to its end says so in the repository.
    pub(super) async fn sweep(&mut self, below: Option<&BackupId>) {
        let catalogs = match self.cloud.repository.catalogs().await {
            Ok(catalogs) => catalogs,
            Err(error) => return self.summary.add(Err(error.into())),
        };
        // What can't be read only leaves a sentence unsaid.
        let last = self.cloud.repository.last_run(StatusRecord::Sweep).await.ok().flatten().map(|run| run.finished);
        let in_parts = |entry: &Entry| self.machine.is_some_and(|machine| machine.takes(entry));
        let found = candidates(&catalogs, in_parts, last, Timestamp::now(), self.reverify_after);
        drop(catalogs);
        self.summary.in_glacier = found.in_glacier;
        let is_whole = match self.queue {
            Some(queue) => self.enqueue(queue, &found).await,
            None => self.read_all(found.newest_first(below)).await,
        };
        if is_whole {
            let in_glacier = u64::try_from(found.in_glacier).ok();
            let (oldest_verdict, standing) = (found.oldest_verdict, found.standing());
            let run = Run { in_glacier, oldest_verdict, standing, ..Run::at(Timestamp::now()) };
            if let Err(failure) = status::leave(self.cloud, StatusRecord::Sweep, &run).await {
                self.summary.add(Err(failure));
            }
        }
    }

    /// Puts what is due into the queue of arrivals; whether all of it is there.
    async fn enqueue(&mut self, queue: &Queue, found: &Candidates) -> bool {
        let wish = |id: &BackupId| json!({"action": "verify", "backup": id.to_string()}).to_string();
        let wishes: Vec<String> = found.due.iter().map(wish).collect();
        match queue.send(&wishes, || !self.deadline.is_near()).await {
            Ok(sent) => {
                let unsent = wishes.len() - sent;
                self.summary.enqueued = Some((sent, found.left + unsent));
                unsent == 0
            }
            Err(failure) => {
                self.summary.add(Err(failure));
                false
            }
        }
    }

    /// Verifies these in their order; whether it came to the last.
    async fn read_all(&mut self, due: Vec<&BackupId>) -> bool {
        for id in due {
            let handled =
                if self.deadline.is_near() { self.leave(id).await } else { self.backup(id, &Why::Swept, true).await };
            let goes_on = matches!(handled, Ok(Handled::GoesOn { .. }));
            self.summary.add(handled);
            if goes_on {
                return false;
            }
        }
        true
    }

    /// Leaves the backup, and those after it, to the next invocation.
    async fn leave(&self, id: &BackupId) -> Result<Handled, Failure> {
        let entry = self.cloud.repository.entry(id).await?;
        match entry.as_ref().and_then(|entry| Some((entry, entry.archive.as_ref()?))) {
            None => Ok(Handled::Skipped { name: id.to_string(), reason: Skip::Gone }),
            Some((entry, archive)) => {
                let place = Place::new(archive, Timestamp::now(), 0, None).sweeping(true);
                self.save(entry, &place).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use catalog::{Layout, Object, catalogs};

    use super::*;

    const NOW: i64 = 1_000_000;

    /// Objects of a listing: `!` marks one that is in Glacier, and `@` the second in which it was written.
    fn catalogs_of(keys: &[&str]) -> Vec<Catalog> {
        let objects = keys.iter().map(|key| {
            let (key, written) = key.split_once('@').unwrap_or((key, "0"));
            Object {
                key: format!("b/{}", key.trim_end_matches('!')),
                size: 1,
                last_modified: Timestamp::from_second(written.parse().unwrap()).unwrap(),
                etag: None,
                version_id: None,
                readable: !key.ends_with('!'),
            }
        });
        catalogs(&Layout::bucket("b"), objects)
    }

    fn found(keys: &[&str]) -> Candidates {
        let now = Timestamp::from_second(NOW).unwrap();
        candidates(&catalogs_of(keys), |_| false, None, now, SignedDuration::from_secs(500_000))
    }

    fn names<'a>(due: impl IntoIterator<Item = &'a BackupId>) -> Vec<String> {
        due.into_iter().map(ToString::to_string).collect()
    }

    const KEYS: [&str; 6] = [
        "20260118/app_backup_initial.sql.gz",
        "20260119/app_backup_20260119_030000.sql.gz",
        "20260119/shop_backup_20260119_030000.sql.gz",
        "20260120/app_backup_20260120_030000.sql.gz",
        "20260120/app_backup_20260120_030000.intact.json@900000",
        "20260117/old_backup_20260117_030000.sql.gz!",
    ];

    #[test]
    fn a_sweep_goes_newest_first_down_and_says_what_lies_in_glacier() {
        let expected = [
            "20260119/shop_backup_20260119_030000",
            "20260119/app_backup_20260119_030000",
            "20260118/app_backup_initial",
        ];
        let found = found(&KEYS);
        assert_eq!((names(&found.due), found.in_glacier), (expected.map(str::to_owned).to_vec(), 1));
        assert_eq!(names(found.newest_first(None)), expected);
    }

    #[test]
    fn a_backup_that_nobody_could_judge_is_said_until_somebody_does() {
        let backup = |day: u32, made: i64| {
            let stem = format!("197001{day:02}/app_backup_197001{day:02}_000000");
            [format!("{stem}.sql.gz@{made}"), format!("{stem}.manifest.json@{made}")]
        };
        let keys: Vec<String> = [backup(3, 172_800), backup(10, 777_600), backup(12, NOW - 3_600)].concat();
        let of = |keys: &[String]| found(&keys.iter().map(String::as_str).collect::<Vec<_>>()).stuck_in_words();
        let why = "for more than a day: the verify function's log says why";
        let two = format!("2 backups have had no verdict, 19700110/app_backup_19700110_000000 and older ones, {why}");
        assert_eq!(of(&keys), Some(two));
        assert_eq!(of(&keys[..2]), Some(format!("19700103/app_backup_19700103_000000 has had no verdict {why}")));
        let judged = [&keys[..2], &["19700103/app_backup_19700103_000000.intact.json@200000".to_owned()]].concat();
        assert_eq!(of(&judged), None);
        assert_eq!(of(&keys[4..]), None, "it has a day");
    }

    #[test]
    fn a_day_on_which_no_event_arrived_is_said_and_a_slow_one_is_not() {
        let unseen = |keys: &[&str]| {
            let [last, now] = [500_000, NOW].map(|second| Timestamp::from_second(second).unwrap());
            candidates(&catalogs_of(keys), |entry| entry.links.is_some(), Some(last), now, SignedDuration::MAX).unseen
        };
        let [first, second] = ["19700110/app_backup_19700110_000000", "19700111/app_backup_19700111_000000"];
        let of = |stem: &str, ending: &str, at: i64| format!("{stem}{ending}@{at}");
        let both: Vec<String> = [first, second]
            .iter()
            .flat_map(|stem| [of(stem, ".sql.gz", 800_000), of(stem, ".manifest.json", 800_000)])
            .collect();
        let keys = |more: &[&str]| -> usize {
            let keys: Vec<&str> = both.iter().map(String::as_str).chain(more.iter().copied()).collect();
            unseen(&keys)
        };
        assert_eq!(keys(&[]), 2);
        for ending in [".intact.json@800100", ".damaged.json@800100", ".verifying.json@800100"] {
            assert_eq!(keys(&[&format!("{first}{ending}")]), 0, "one was looked at: {ending}");
        }
        let in_parts = [first, second].map(|stem| of(stem, ".links.json.gz", 800_000));
        assert_eq!(keys(&in_parts.each_ref().map(String::as_str)), 0, "they are read in parts");
        let late = [format!("{first}.sql.gz@999000"), format!("{first}.manifest.json@999000")];
        assert_eq!(unseen(&[&late[0], &late[1]]), 0, "it may be in the queue");
        let old = [format!("{first}.sql.gz@400000"), format!("{first}.manifest.json@400000")];
        assert_eq!(unseen(&[&old[0], &old[1]]), 0, "the sweep before has seen to it");
        let said = Candidates { unseen: 2, ..Candidates::default() }.standing();
        assert!(said[0].starts_with("2 backups came, and none was looked at when it came"), "{said:?}");
    }

    /// One backup a day at 03:00, and the sweep at 04:15, which has it verified a minute later if nobody else did.
    #[test]
    fn a_backup_shortly_before_the_sweep_is_missed_by_the_next_one_and_a_first_look_that_failed_is_not() {
        const DAY: i64 = 86_400;
        let [last, now] = [1, 2].map(|day| day * DAY + 15_300);
        let unseen = |yesterday: Option<i64>, today: Option<i64>| {
            let day = |day: i64, seen: Option<i64>| {
                let (came, stem) = (day * DAY + 10_800, format!("1970010{day}/app_backup_1970010{day}_030000"));
                let backup = [".sql.gz", ".manifest.json"].map(|ending| format!("{stem}{ending}@{came}"));
                backup.into_iter().chain(seen.map(|at| format!("{stem}.intact.json@{}", day * DAY + at)))
            };
            let keys: Vec<String> = day(1, yesterday).chain(day(2, today)).collect();
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let [last, now] = [last, now].map(|second| Timestamp::from_second(second).unwrap());
            candidates(&catalogs_of(&keys), |_| false, Some(last), now, SignedDuration::MAX).unseen
        };
        let (at_once, by_the_sweep) = (Some(10_810), Some(15_360));
        assert_eq!(unseen(by_the_sweep, None), 1, "no event arrived on either day");
        assert_eq!(unseen(at_once, None), 0, "today's is tried again until half past six");
        assert_eq!(unseen(by_the_sweep, at_once), 0, "yesterday's first look failed");
    }

    #[test]
    fn what_was_never_read_comes_before_what_was_read_long_ago_and_that_by_the_oldest_verdict() {
        let mut keys = vec!["20260119/app_backup_new.sql.gz".to_owned()];
        for day in 1..=60 {
            let stem = format!("202511{:02}/app_backup_{day}", day % 30 + 1);
            keys.extend([format!("{stem}.sql.gz"), format!("{stem}.intact.json@{}", 100_000 - day)]);
        }
        // In Glacier it would be due as well, and its age counts for nothing.
        keys.extend([
            "20251001/app_backup_cold.sql.gz!".to_owned(),
            "20251001/app_backup_cold.intact.json@7".to_owned(),
        ]);
        let found = found(&keys.iter().map(String::as_str).collect::<Vec<_>>());
        let expected = ["20260119/app_backup_new", "20251101/app_backup_60", "20251130/app_backup_59"];
        assert_eq!(names(&found.due), expected, "a thirtieth of sixty-one");
        assert_eq!((found.left, found.in_glacier), (58, 1));
        assert_eq!(found.oldest_verdict, Some(Timestamp::from_second(99_940).unwrap()));
    }

    #[test]
    fn each_link_of_the_chain_sweeps_below_the_one_before_and_so_it_ends() {
        let found = found(&KEYS);
        let (mut below, mut swept_all): (Option<&BackupId>, Vec<&BackupId>) = (None, Vec::new());
        while let Some(next) = found.newest_first(below).first().copied() {
            swept_all.push(next);
            below = Some(next);
        }
        assert_eq!(swept_all, found.newest_first(None));
        let below = "20260119/app_backup_20260119_030000".parse().unwrap();
        assert_eq!(names(found.newest_first(Some(&below))), ["20260118/app_backup_initial"]);
    }
}
