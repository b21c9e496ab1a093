//! What is in a repository and what is added to it: all that a bill follows from, whether it was listed or imagined.

use super::stack::{GLACIER_ABOVE, RECORD_BYTES, REREAD_PART, REVERIFY_DAYS, Stack};
use crate::prices::GLACIER_MINIMUM_DAYS;

/// Days in a month, on average.
pub(super) const MONTH: f64 = 365.25 / 12.0;

/// The load of a whole repository.
#[derive(Clone, Debug)]
pub(super) struct Load {
    pub(super) streams: Vec<Stream>,
    pub(super) stack: Stack,
}

/// The backups of one database, or of several that are alike.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    /// Its name; `None` in a scenario.
    pub(super) database: Option<String>,
    /// How many such databases there are.
    pub(super) databases: f64,
    /// Their backups are expected: the freshness function looks at them.
    pub(super) expected: bool,
    pub(super) rhythm: Rhythm,
    /// What is stored of all of them.
    pub(super) stock: Stock,
}

/// How often backups of one database are added and when they are removed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rhythm {
    pub(super) per_day: f64,
    /// It is unknown yet how often backups are made: [`Rhythm::per_day`] is a guess.
    pub(super) guessed: bool,
    /// The size of an archive, in bytes.
    pub(super) size: f64,
    /// Days until a backup is removed; `None`: not by its age.
    pub(super) days: Option<f64>,
    /// Days until an archive moves to Glacier; `None`: never.
    pub(super) glacier_days: Option<f64>,
}

/// What is stored of one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Stock {
    pub(super) standard: Pile,
    pub(super) glacier: Pile,
    /// Removed from Glacier before its minimum was over, and billed until then.
    pub(super) beyond: Pile,
    /// Bytes of manifests, verdicts and everything else that is not an archive.
    pub(super) records: f64,
}

/// Archives in one storage class.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pile {
    pub(super) archives: f64,
    pub(super) bytes: f64,
}

impl Load {
    /// The load once retention removes as many backups as are added; `None` where nothing is ever removed.
    pub(super) fn full(&self) -> Option<Self> {
        let streams: Option<Vec<Stream>> = self.streams.iter().map(Stream::full).collect();
        streams.map(|streams| Self { streams, stack: self.stack })
    }

    /// The load with another `GlacierDays`, once retention removes as many backups as are added.
    pub(super) fn with_glacier(&self, days: Option<f64>) -> Option<Self> {
        let mut load = self.clone();
        load.streams.iter_mut().for_each(|stream| stream.rhythm.glacier_days = days);
        load.full()
    }

    /// The sum of a number over all streams.
    pub(super) fn sum(&self, of: impl Fn(&Stream) -> f64) -> f64 {
        self.streams.iter().map(of).sum()
    }

    pub(super) fn databases(&self) -> f64 {
        self.sum(|stream| stream.databases)
    }

    /// How many databases have backups that are expected.
    pub(super) fn expected(&self) -> f64 {
        self.sum(|stream| if stream.expected { stream.databases } else { 0.0 })
    }
}

impl Stream {
    /// A stream whose backups have been added and removed in this rhythm for a long time.
    pub(super) fn steady(databases: f64, rhythm: Rhythm) -> Option<Self> {
        let stock = rhythm.stock()?.times(databases);
        Some(Self { database: None, databases, expected: true, rhythm, stock })
    }

    /// The stream once retention removes as many backups as are added; unchanged where none are added.
    fn full(&self) -> Option<Self> {
        if self.rhythm.per_day == 0.0 {
            return Some(self.clone());
        }
        let steady = Self::steady(self.databases, self.rhythm)?;
        Some(Self { database: self.database.clone(), expected: self.expected, ..steady })
    }

    /// Backups made in a month.
    pub(super) fn backups(&self) -> f64 {
        self.databases * self.rhythm.per_day * MONTH
    }

    /// Archives that are verified again in a month: each that stays readable for [`REVERIFY_DAYS`], once in as many days, but no
    /// more each night than one or their [`REREAD_PART`].
    pub(super) fn rereads(&self) -> f64 {
        let ever = self.rhythm.standard_days().is_none_or(|days| days >= REVERIFY_DAYS);
        let archives = self.stock.standard.archives;
        let a_night = (archives / REVERIFY_DAYS).min((archives / REREAD_PART).max(1.0));
        if ever { a_night * MONTH } else { 0.0 }
    }

    /// Archives moved to Glacier in a month.
    pub(super) fn moves(&self) -> f64 {
        if self.rhythm.moves_after().is_some() { self.backups() } else { 0.0 }
    }
}

impl Rhythm {
    /// Days after which an archive moves to Glacier; `None` where it is too small, or removed before.
    pub(super) fn moves_after(&self) -> Option<f64> {
        let lives_longer = |after: &f64| self.days.is_none_or(|days| *after < days);
        self.glacier_days.filter(|_| self.size > GLACIER_ABOVE).filter(lives_longer)
    }

    /// Days that an archive spends in S3 Standard.
    pub(super) fn standard_days(&self) -> Option<f64> {
        self.moves_after().or(self.days)
    }

    /// Days that an archive spends in Glacier before it is removed.
    pub(super) fn days_in_glacier(&self) -> Option<f64> {
        Some(self.days? - self.moves_after()?)
    }

    /// What is still billed of one database after its removal from Glacier.
    pub(super) fn beyond(&self) -> Pile {
        let short = self.days_in_glacier().map_or(0.0, |days| (GLACIER_MINIMUM_DAYS - days).max(0.0));
        Pile::of(self.per_day * short, self.size)
    }

    /// LIST requests that it takes to see the newest `backups` backups: `repository.recent_good` looks back 2, 31 and 366
    /// days, and then at everything.
    pub(super) fn lists_back(&self, backups: f64) -> f64 {
        let days = backups / self.per_day;
        1.0 + [1.0, 30.0, 365.0].iter().filter(|window| days > **window).count() as f64
    }

    /// What is stored of one database once retention removes as many backups as are added.
    fn stock(&self) -> Option<Stock> {
        let standard = Pile::of(self.per_day * self.standard_days()?, self.size);
        let glacier = match self.moves_after() {
            Some(_) => Pile::of(self.per_day * self.days_in_glacier()?, self.size),
            None => Pile::default(),
        };
        Some(Stock { standard, glacier, beyond: self.beyond(), records: self.per_day * self.days? * RECORD_BYTES })
    }
}

impl Stock {
    pub(super) fn archives(&self) -> f64 {
        self.standard.archives + self.glacier.archives
    }

    fn times(self, databases: f64) -> Self {
        let times = |pile: Pile| Pile { archives: pile.archives * databases, bytes: pile.bytes * databases };
        Self {
            standard: times(self.standard),
            glacier: times(self.glacier),
            beyond: times(self.beyond),
            records: self.records * databases,
        }
    }
}

impl Pile {
    fn of(archives: f64, size: f64) -> Self {
        Self { archives, bytes: archives * size }
    }
}
