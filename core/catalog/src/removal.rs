//! The order of removal, the reverse of a commit: verdicts and proofs, then manifests, then globals, indexes and archives. So what has a
//! manifest is whole at every instant. When a file of a backup can't go, the later ones of that backup stay. A verdict of damage goes with
//! the manifest, after one of *intact* that it has overruled, and what is said of a shrink after the manifest, without which it holds
//! nothing: a removal that breaks off makes nothing good, and changes nothing that others wait for.
//!
//! A verdict that is locked holds up nothing: each that is given again has a new lock, longer than its archive's. It goes by itself later.

use std::collections::{BTreeMap, HashSet, VecDeque};

use crate::backup::BackupId;
use crate::layout::{Layout, Part, Record};
use crate::object::Object;

/// What became of each object that was to be removed; keys, in the order they went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// Gone, with all versions that were seen and all delete markers.
    pub removed: Vec<String>,
    /// Under an object lock; it stays until the lock ends.
    pub locked: Vec<String>,
    /// Something else lies there than was listed; it stays.
    pub changed: Vec<String>,
    /// Stays because another file of its backup stayed.
    pub held_back: Vec<String>,
    /// Refused, with the store's reason.
    pub failed: Vec<(String, String)>,
    steps: VecDeque<Step>,
    stuck: HashSet<BackupId>,
    /// Backups that have more now than was listed.
    grown: HashSet<BackupId>,
    /// Backups with a verdict of damage: one of *intact* that stayed would make them good when that goes.
    condemned: HashSet<BackupId>,
}

/// Objects that may go in any order among themselves; all seen versions of a key together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// By key.
    pub objects: BTreeMap<String, Vec<Object>>,
    backups: BTreeMap<String, BackupId>,
    /// Of what only says something about a backup.
    is_of_words: bool,
}

/// What became of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is gone, or was.
    Removed,
    /// An object lock holds it.
    Locked,
    /// Something else lies there than was listed.
    Changed,
    /// The store refused, for this reason.
    Failed(String),
}

impl Removal {
    /// True when everything that was to go is gone.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.locked.is_empty() && self.changed.is_empty() && self.held_back.is_empty() && self.failed.is_empty()
    }

    /// The removal of these objects, of which nothing has gone yet.
    #[must_use]
    pub fn new(layout: &Layout, objects: &[Object]) -> Self {
        let mut ranked: BTreeMap<u8, Step> = BTreeMap::new();
        let mut condemned = HashSet::new();
        for object in objects {
            let (rank, backup) = rank(layout, &object.key);
            if let Part::Record { id, record: Record::Damaged } = layout.parse(&object.key) {
                condemned.insert(id);
            }
            let step = ranked.entry(rank).or_default();
            step.is_of_words = rank == 0;
            step.objects.entry(object.key.clone()).or_default().push(object.clone());
            if let Some(backup) = backup {
                step.backups.insert(object.key.clone(), backup);
            }
        }
        Self { steps: ranked.into_values().collect(), condemned, ..Self::default() }
    }

    /// Holds the backups that are to go to the keys that lie there now: one of which there is more stays whole. Its manifest has come
    /// since, or the listing left something out. Of an archive that goes, others of its name may stay: the manifest isn't about them.
    pub fn compare<'a>(&mut self, layout: &Layout, present: impl IntoIterator<Item = &'a str>) {
        let going = || self.steps.iter().flat_map(|step| &step.backups);
        let known: HashSet<&str> = going().map(|(key, _)| key.as_str()).collect();
        let all: HashSet<&BackupId> = going().map(|(_, id)| id).collect();
        let is_archive = |key: &str| matches!(layout.parse(key), Part::Archive { .. });
        let with_archive: HashSet<&BackupId> = going().filter(|(key, _)| is_archive(key)).map(|(_, id)| id).collect();
        let grown = present.into_iter().filter(|key| !known.contains(key)).filter_map(|key| match layout.parse(key) {
            Part::Record { id, .. } => all.contains(&id).then_some(id),
            Part::Archive { id, .. } => (all.contains(&id) && !with_archive.contains(&id)).then_some(id),
            _ => None,
        });
        self.grown = grown.collect();
    }

    /// The next objects to go, without those whose backup got stuck. `None` when all steps were taken.
    pub fn next_step(&mut self) -> Option<Step> {
        let mut step = self.steps.pop_front()?;
        for (key, backup) in &step.backups {
            let stays = if self.stuck.contains(backup) {
                &mut self.held_back
            } else if self.grown.contains(backup) {
                &mut self.changed
            } else {
                continue;
            };
            stays.push(key.clone());
            step.objects.remove(key);
        }
        Some(step)
    }

    /// Takes down what became of each key of a step.
    pub fn record(&mut self, step: &Step, outcomes: BTreeMap<String, Outcome>) {
        for (key, outcome) in outcomes {
            let backup = step.backups.get(&key);
            let holds_nothing_up = match outcome {
                Outcome::Removed => true,
                Outcome::Locked => step.is_of_words && backup.is_none_or(|backup| !self.condemned.contains(backup)),
                Outcome::Changed | Outcome::Failed(_) => false,
            };
            if !holds_nothing_up {
                self.stuck.extend(backup.cloned());
            }
            match outcome {
                Outcome::Removed => self.removed.push(key),
                Outcome::Locked => self.locked.push(key),
                Outcome::Changed => self.changed.push(key),
                Outcome::Failed(reason) => self.failed.push((key, reason)),
            }
        }
    }
}

fn rank(layout: &Layout, key: &str) -> (u8, Option<BackupId>) {
    match layout.parse(key) {
        Part::Record { id, record: Record::Manifest | Record::Damaged } => (1, Some(id)),
        // The manifest names them.
        Part::Record { id, record: Record::Globals | Record::SealedGlobals | Record::Index | Record::SealedIndex } => {
            (2, Some(id))
        }
        Part::Record { id, record: Record::Shrunk | Record::Accepted | Record::Links } => (2, Some(id)),
        Part::Record { id, .. } | Part::Elsewhere { id } => (0, Some(id)),
        Part::Archive { id, .. } => (2, Some(id)),
        Part::DatabaseEntry { .. }
        | Part::Status(_)
        | Part::DrillStatus { .. }
        | Part::History { .. }
        | Part::Foreign => (0, None),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    const STEM: &str = "b/20260120/app_backup_20260120_030000";

    fn object(suffix: &str) -> Object {
        Object {
            key: format!("{STEM}{suffix}"),
            size: 1,
            last_modified: Timestamp::UNIX_EPOCH,
            etag: None,
            version_id: None,
            readable: true,
        }
    }

    fn removal() -> Removal {
        let suffixes = [".sql.gz", ".globals.sql.gz", ".manifest.json", ".drill.json", ".intact.json"];
        let objects = suffixes.map(object);
        Removal::new(&Layout::bucket("b"), &objects)
    }

    fn all(step: &Step, outcome: &Outcome) -> BTreeMap<String, Outcome> {
        step.objects.keys().map(|key| (key.clone(), outcome.clone())).collect()
    }

    #[test]
    fn verdict_manifest_and_archive_go_in_that_order_whatever_the_order_given() {
        let mut removal = removal();
        while let Some(step) = removal.next_step() {
            removal.record(&step, all(&step, &Outcome::Removed));
        }
        let expected = [".drill.json", ".intact.json", ".manifest.json", ".globals.sql.gz", ".sql.gz"];
        let expected = expected.map(|suffix| format!("{STEM}{suffix}"));
        assert_eq!(removal.removed, expected);
        assert!(removal.is_complete());
    }

    #[test]
    fn an_archive_stays_when_its_manifest_is_locked() {
        let mut removal = removal();
        let verdicts = removal.next_step().unwrap();
        removal.record(&verdicts, all(&verdicts, &Outcome::Removed));
        let manifests = removal.next_step().unwrap();
        removal.record(&manifests, all(&manifests, &Outcome::Locked));
        assert!(removal.next_step().unwrap().objects.is_empty());
        assert_eq!(removal.held_back, [".globals.sql.gz", ".sql.gz"].map(|suffix| format!("{STEM}{suffix}")));
        assert!(!removal.is_complete());
    }

    #[test]
    fn a_locked_verdict_holds_nothing_up_unless_it_was_overruled() {
        for (damaged, stays) in [(None, false), (Some(".damaged.json"), true)] {
            let objects: Vec<Object> =
                [".sql.gz", ".manifest.json", ".intact.json"].into_iter().chain(damaged).map(object).collect();
            let mut removal = Removal::new(&Layout::bucket("b"), &objects);
            let verdicts = removal.next_step().unwrap();
            removal.record(&verdicts, all(&verdicts, &Outcome::Locked));
            while let Some(step) = removal.next_step() {
                removal.record(&step, all(&step, &Outcome::Removed));
            }
            assert_eq!(removal.removed.is_empty(), stays, "{damaged:?}");
            assert_eq!(removal.locked, [format!("{STEM}.intact.json")]);
            assert!(!removal.is_complete(), "it is told, and goes later");
        }
    }

    /// Whatever stays of it, for whatever reason: somebody has to know.
    #[test]
    fn a_removal_is_complete_only_when_nothing_stayed() {
        let outcomes = [Outcome::Locked, Outcome::Changed, Outcome::Failed("AccessDenied".into())];
        for (outcome, last) in outcomes.iter().flat_map(|outcome| [(outcome, false), (outcome, true)]) {
            let suffixes: &[&str] = if last { &[".sql.gz"] } else { &[".manifest.json", ".sql.gz"] };
            let objects: Vec<Object> = suffixes.iter().map(|suffix| object(suffix)).collect();
            let mut removal = Removal::new(&Layout::bucket("b"), &objects);
            let step = removal.next_step().unwrap();
            removal.record(&step, all(&step, outcome));
            while removal.next_step().is_some() {}
            assert!(!removal.is_complete(), "{outcome:?}");
            assert_eq!(removal.held_back.len(), usize::from(!last));
        }
    }

    fn removed_of(suffixes: &[&str]) -> Vec<Vec<String>> {
        let objects: Vec<Object> = suffixes.iter().map(|suffix| object(suffix)).collect();
        let mut removal = Removal::new(&Layout::bucket("b"), &objects);
        let steps = std::iter::from_fn(|| removal.next_step());
        steps.map(|step| step.objects.into_keys().map(|key| key.replace(STEM, "")).collect()).collect()
    }

    /// A removal that breaks off between two of them would make a damaged backup good, and would hold what a person has let go.
    #[test]
    fn what_takes_something_back_goes_after_it() {
        let steps = removed_of(&[
            ".accepted.json",
            ".damaged.json",
            ".intact.json",
            ".manifest.json",
            ".shrunk.json",
            ".sql.gz",
        ]);
        let expected: [&[&str]; 3] =
            [&[".intact.json"], &[".damaged.json", ".manifest.json"], &[".accepted.json", ".shrunk.json", ".sql.gz"]];
        assert_eq!(steps, expected);
    }

    /// What lies there now beside what was listed, and whether all stays.
    #[test]
    fn a_backup_that_is_more_than_was_listed_stays_whole() {
        let layout = Layout::bucket("b");
        let table: [(&[&str], &str, bool); 8] = [
            (&[".sql.gz"], ".manifest.json", true),
            (&[".sql.gz"], ".intact.json", true),
            (&[".manifest.json", ".globals.sql.gz"], ".sql.gz", true),
            (&[".intact.json", ".manifest.json", ".sql.gz"], ".drill.json", true),
            // Another archive of its name, which the manifest isn't about, and others' backups.
            (&[".manifest.json", ".sql.gz"], ".sql.zst", false),
            (&[".manifest.json", ".sql.gz"], "_erased_1.manifest.json", false),
            (&[".manifest.json", ".sql.gz"], ".notes.txt", false),
            (&[".manifest.json", ".sql.gz"], ".sql.gz", false),
        ];
        for (listed, beside, stays) in table {
            let objects: Vec<Object> = listed.iter().map(|suffix| object(suffix)).collect();
            let mut removal = Removal::new(&layout, &objects);
            let present: Vec<String> = listed.iter().chain([&beside]).map(|suffix| format!("{STEM}{suffix}")).collect();
            removal.compare(&layout, present.iter().map(String::as_str));
            while let Some(step) = removal.next_step() {
                removal.record(&step, all(&step, &Outcome::Removed));
            }
            let (gone, kept) = (removal.removed.len(), removal.changed.len());
            assert_eq!(
                (gone, kept),
                if stays { (0, listed.len()) } else { (listed.len(), 0) },
                "{listed:?} and {beside}"
            );
        }
    }
}
