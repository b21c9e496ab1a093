//! One backup, or what looks like one.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::backup::{BackupId, Stem, Tag};
use crate::object::Object;
use crate::verdict::Outcome;

/// What the listing shows of one backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name and place.
    pub id: BackupId,
    /// What it is worth.
    pub state: State,
    /// When it was made, as far as can be trusted: the earlier of the time in its name ([`BackupId::named_time`]) and its archive's
    /// `last_modified`; for guests, whose names are in local time, `last_modified` alone. A wrong clock can't make a
    /// backup newer than it is.
    pub instant: Timestamp,
    /// The archive: its bytes.
    pub archive: Option<Object>,
    /// The manifest: its commit mark.
    pub manifest: Option<Object>,
    /// The verdict that it is whole, counting or not.
    pub intact: Option<Object>,
    /// The verdict that it isn't, counting or not.
    pub damaged: Option<Object>,
    /// The verifier's saved place.
    pub verifying: Option<Object>,
    /// Proof of its last drill.
    pub drill: Option<Object>,
    /// The server's roles and tablespaces.
    pub globals: Option<Object>,
    /// What it has lost since the backup before it, where that is worth a warning.
    pub shrunk: Option<Object>,
    /// A person says that what is in it is right.
    pub accepted: Option<Object>,
    /// Where the archive has what.
    pub index: Option<Object>,
    /// Places from which it can be verified in parts.
    pub links: Option<Object>,
    /// In a vault: when its verifier first saw that something of it hasn't come. It alone knows: a copy has the original's times.
    pub awaited_since: Option<Timestamp>,
    /// Older versions of the objects above, where the listing has them, and what a verifier wrote that says nothing any more. They go when
    /// the backup goes.
    pub superseded: Vec<Object>,
    /// Further archives of the same name under another suffix. The manifest isn't about them; nothing removes them.
    pub strays: Vec<Object>,
    /// It lies in a vault: its pieces come in any order, with the times that they have in the first bucket.
    pub is_replica: bool,
    /// Another backup has the same stem, in another date folder.
    pub(super) repeated: bool,
}

/// What an entry is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// A backup whose newest verdict is intact.
    Good,
    /// A backup whose newest verdict is damaged.
    Damaged,
    /// A backup without a verdict on its present bytes. Unknown: never counted as good.
    Uploaded,
    /// An archive without a manifest: unfinished or a guest, which is not known yet.
    Alone,
    /// An archive of ours whose manifest never came.
    Unfinished,
    /// An archive that Lastgood didn't make. [`Entry::judged`] says whether it was found intact; it isn't good
    /// before it is adopted.
    Guest,
    /// Records without an archive: it was removed outside lastgood.
    Missing,
}

/// Who made an archive that has no manifest: its user metadata carries `lastgood-id`, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// We did, and didn't finish.
    Ours,
    /// Another program did.
    Guest,
}

impl Entry {
    /// Whether there is a backup at all: an archive and its manifest.
    #[must_use]
    pub fn is_backup(&self) -> bool {
        matches!(self.state, State::Good | State::Damaged | State::Uploaded)
    }

    /// When it was noticed that it has lost something, where nobody has said yet that this is right.
    #[must_use]
    pub fn shrunk_since(&self) -> Option<Timestamp> {
        let open = self.shrunk.as_ref().filter(|_| self.accepted.is_none() && self.is_backup() && !self.is_safety());
        open.map(|record| record.last_modified)
    }

    /// Whether this is a safety backup.
    #[must_use]
    pub fn is_safety(&self) -> bool {
        self.id.stem.is_safety()
    }

    /// Good, and not a safety backup.
    #[must_use]
    pub fn counts_as_good(&self) -> bool {
        self.state == State::Good && !self.is_safety()
    }

    /// What the newest verdict on the archive's present bytes says; None where there is none. Guests have verdicts too.
    ///
    /// The listing's times decide, so a verdict here is good enough to count and to choose by. Who restores reads the
    /// verdict as well and asks [`crate::Verdict::is_about`].
    #[must_use]
    pub fn judged(&self) -> Option<Outcome> {
        judged(self.archive.as_ref()?, self.intact.as_ref(), self.damaged.as_ref())
    }

    /// The shortest name that finds it: its stem, with the date folder where the stem occurs twice.
    #[must_use]
    pub fn name(&self) -> String {
        if self.repeated { self.id.to_string() } else { self.id.stem.to_string() }
    }

    /// The state in words: `good`, `guest, intact`, `good, in the future`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> String {
        let future = if self.is_in_the_future(now) { ", in the future" } else { "" };
        match self.judged().filter(|_| self.state == State::Guest) {
            Some(outcome) => format!("{}, {outcome}{future}", self.state),
            None => format!("{}{future}", self.state),
        }
    }

    /// When its present bytes were found intact, where the verdict that counts says so.
    #[must_use]
    pub fn found_intact(&self) -> Option<Timestamp> {
        let intact = self.judged().filter(|outcome| *outcome == Outcome::Intact).and(self.intact.as_ref());
        intact.map(|verdict| verdict.last_modified)
    }

    /// Whether a verdict was given on other bytes than those that are there now.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.archive.is_some() && self.judged().is_none() && (self.intact.is_some() || self.damaged.is_some())
    }

    /// Whether it is a backup that is damaged, or one whose archive is gone. In a vault an archive may still come until its verifier
    /// says that it has waited long enough.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        match self.state {
            State::Missing => self.manifest.is_some() && (!self.is_replica || self.damaged.is_some()),
            _ => self.is_backup() && self.judged() == Some(Outcome::Damaged),
        }
    }

    /// Bytes of the archive; 0 when it is missing.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.archive.as_ref().map_or(0, |archive| archive.size)
    }

    /// What removing this backup deletes, in this order: verdicts and manifest first and the archive last, so that
    /// whatever still has a manifest is whole. Strays stay.
    pub fn removal(&self) -> impl Iterator<Item = &Object> {
        let records = [&self.intact, &self.damaged, &self.verifying, &self.drill, &self.shrunk, &self.accepted];
        let records = records.into_iter().chain([&self.manifest, &self.globals, &self.index, &self.links]);
        records.flatten().chain(&self.superseded).chain(&self.archive)
    }

    /// The later of the time in the name and the archive's `last_modified`: older than this it can't be by any clock.
    #[must_use]
    pub fn latest_claim(&self) -> Timestamp {
        let written = self.archive.as_ref().map(|archive| archive.last_modified);
        written.into_iter().chain(self.id.stem.time()).fold(self.instant, Timestamp::max)
    }

    /// Since when retention counts its age: as long as no clock says that it is younger, [`Self::latest_claim`]. One that took another's
    /// place because rows were erased from it is as old as that one, by its name, and goes when that one would have gone. Who may
    /// put any name makes only what they put older by it.
    #[must_use]
    pub fn aged_from(&self) -> Timestamp {
        if self.id.stem.erased().is_some() && self.is_backup() { self.instant } else { self.latest_claim() }
    }

    /// A good backup of `database` that came at `at`, of which nothing else is known: for a plan about days to come. `None` where a
    /// name would be too long.
    pub(crate) fn imagined(database: &str, at: Timestamp) -> Option<Self> {
        let stem = Stem::new(database, &Tag::At(at)).ok()?;
        Some(Self {
            id: BackupId { day: None, stem },
            state: State::Good,
            instant: at,
            archive: None,
            manifest: None,
            intact: None,
            damaged: None,
            verifying: None,
            drill: None,
            globals: None,
            shrunk: None,
            accepted: None,
            index: None,
            links: None,
            awaited_since: None,
            superseded: Vec::new(),
            strays: Vec::new(),
            is_replica: false,
            repeated: false,
        })
    }

    /// Says who made an archive that has no manifest; changes nothing for any other entry.
    pub fn resolve(&mut self, origin: Origin) {
        if self.state == State::Alone {
            self.state = match origin {
                Origin::Ours => State::Unfinished,
                Origin::Guest => State::Guest,
            };
            self.instant = self.earliest_claim();
        }
    }

    pub(super) fn earliest_claim(&self) -> Timestamp {
        let records = [&self.manifest, &self.intact, &self.damaged, &self.verifying, &self.drill, &self.globals];
        let records = records.into_iter().chain([&self.index, &self.links, &self.shrunk, &self.accepted]);
        let named = self.id.named_time().filter(|_| !matches!(self.state, State::Guest | State::Alone));
        let written = match &self.archive {
            Some(archive) => Some(archive.last_modified),
            None => records.flatten().map(|record| record.last_modified).min(),
        };
        named.into_iter().chain(written).min().unwrap_or(Timestamp::MIN)
    }
}

pub(super) fn judged(archive: &Object, intact: Option<&Object>, damaged: Option<&Object>) -> Option<Outcome> {
    let counting = |verdict: Option<&Object>| {
        verdict.map(|object| object.last_modified).filter(|written| *written >= archive.last_modified)
    };
    match (counting(intact), counting(damaged)) {
        (None, None) => None,
        (Some(intact), Some(damaged)) if intact > damaged => Some(Outcome::Intact),
        (_, Some(_)) => Some(Outcome::Damaged),
        (Some(_), None) => Some(Outcome::Intact),
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "good",
            Self::Damaged => "damaged",
            Self::Uploaded => "uploaded",
            Self::Alone => "alone",
            Self::Unfinished => "unfinished",
            Self::Guest => "guest",
            Self::Missing => "missing",
        })
    }
}
