//! The push form: fed, on one core, and able to stop and go on in another process.

use serde::{Deserialize, Serialize};

use super::{Content, Inspected, content};
use crate::frame::{SavedUnframe, Unframe};
use crate::{Compression, Damage, Digester, Kind, SavedWalk, Walk};

/// Inspects stored bytes as they are fed.
///
/// Its place can be saved between frames: [`save`](Inspection::save) describes the newest such place, which may lie
/// before the last byte fed. Whoever resumes goes on reading at [`position`](Inspection::position).
pub struct Inspection {
    /// Of all bytes fed.
    digester: Digester,
    progress: Progress,
}

/// An [`Inspection`]'s place. It grows with the number of tables, not with the archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedInspection {
    digester: Digester,
    progress: SavedProgress,
}

enum Progress {
    Reading(Box<Reading>),
    /// Only the digest is still missing.
    Concluded {
        kinds: Vec<Kind>,
        damage: Damage,
    },
}

struct Reading {
    unframe: Unframe,
    walk: Walk,
    /// The digester as it was at the newest place between frames.
    border: Digester,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SavedProgress {
    Reading { unframe: SavedUnframe, walk: Box<SavedWalk> },
    Concluded { kinds: Vec<Kind>, damage: Damage },
}

impl SavedInspection {
    /// The place behind a frame, as whoever writes an archive knows it: `digester` has taken every stored byte so far, `walk` every
    /// byte of the dump that is in them.
    #[must_use]
    pub fn behind_frame(digester: Digester, compression: Compression, walk: SavedWalk) -> Self {
        let unframe = SavedUnframe::behind_frame(digester.size(), compression);
        Self { digester, progress: SavedProgress::Reading { unframe, walk: Box::new(walk) } }
    }

    /// The same place further on, where only the digest is still missing, as in what is encrypted; None where more is.
    #[must_use]
    pub fn further(&self, digester: Digester) -> Option<Self> {
        let concluded = matches!(self.progress, SavedProgress::Concluded { .. });
        concluded.then(|| Self { digester, progress: self.progress.clone() })
    }

    /// The stored byte with which feeding must go on.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.digester.size()
    }

    /// Whether both say the same, to the last byte of what is stored of them: then whatever follows ends the same from either.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let written = |place: &Self| serde_json::to_vec(place).ok();
        written(self).is_some_and(|place| Some(place) == written(other))
    }
}

impl Inspection {
    /// At the first stored byte.
    #[must_use]
    pub fn new() -> Self {
        Self::reading(Digester::new(), Unframe::new(), Walk::counting())
    }

    /// At the place that was saved: the next bytes fed must be those at [`position`](Inspection::position).
    #[must_use]
    pub fn resume(SavedInspection { digester, progress }: SavedInspection) -> Self {
        match progress {
            SavedProgress::Concluded { kinds, damage } => {
                Self { digester, progress: Progress::Concluded { kinds, damage } }
            }
            SavedProgress::Reading { unframe, walk } => {
                Self::reading(digester, Unframe::resume(unframe), Walk::resume(*walk))
            }
        }
    }

    fn reading(digester: Digester, unframe: Unframe, walk: Walk) -> Self {
        let reading = Reading { unframe, walk, border: digester.clone() };
        Self { digester, progress: Progress::Reading(Box::new(reading)) }
    }

    /// Takes the next stored bytes. Whatever they are: what is wrong with them shows in the end.
    pub fn feed(&mut self, stored: &[u8]) {
        let Progress::Reading(reading) = &mut self.progress else { return self.digester.update(stored) };
        let Reading { unframe, walk, border } = reading.as_mut();
        if let Err(damage) = unframe.feed(stored, &mut |plain| walk.feed(plain)) {
            self.progress = Progress::Concluded { kinds: unframe.kinds(), damage };
            return self.digester.update(stored);
        }
        let position = unframe.save().map(|saved| saved.position());
        let within = position.and_then(|position| position.checked_sub(self.digester.size()));
        match within.and_then(|length| stored.split_at_checked(length as usize)) {
            Some((before, behind)) => {
                self.digester.update(before);
                *border = self.digester.clone();
                self.digester.update(behind);
            }
            None => self.digester.update(stored),
        }
    }

    /// Stored bytes taken in, those before a resumed place included.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.digester.size()
    }

    /// The newest place to go on from. None where there is none: within the first 512 bytes, and within a long
    /// compressed stream, be it gzip or zstd around the archive or a table's data compressed inside it.
    #[must_use]
    pub fn save(&self) -> Option<SavedInspection> {
        match &self.progress {
            Progress::Concluded { kinds, damage } => {
                let progress = SavedProgress::Concluded { kinds: kinds.clone(), damage: damage.clone() };
                Some(SavedInspection { digester: self.digester.clone(), progress })
            }
            Progress::Reading(reading) => {
                let border = &reading.border;
                let unframe = reading.unframe.save().filter(|unframe| unframe.position() == border.size())?;
                let progress = SavedProgress::Reading { unframe, walk: Box::new(reading.walk.save()?) };
                Some(SavedInspection { digester: border.clone(), progress })
            }
        }
    }

    /// The stored bytes end here.
    #[must_use]
    pub fn finish(self) -> Inspected {
        let (kinds, content) = match self.progress {
            Progress::Concluded { kinds, damage } => (kinds, content(Err(damage))),
            Progress::Reading(reading) => {
                let Reading { mut unframe, mut walk, .. } = *reading;
                let end = unframe.finish(&mut |plain| walk.feed(plain));
                (unframe.kinds(), content(end.and_then(|()| walk.finish())))
            }
        };
        let content = if kinds.as_slice() == [Kind::Age] { Content::Unread } else { content };
        Inspected { digest: self.digester.finish(), kinds, content }
    }
}

impl Default for Inspection {
    fn default() -> Self {
        Self::new()
    }
}
