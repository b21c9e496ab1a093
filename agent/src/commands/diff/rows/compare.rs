//! One table's rows of both backups. What fits into memory is sorted by key and gone through side by side; what doesn't is shared out by
//! the key among files, pair by pair. Rows without a key are counted, those that are equal once.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;

use crate::answers::failure::Failure;
use crate::commands::diff::rows::output::Output;
use crate::commands::diff::rows::plan::Plan;
use crate::commands::diff::rows::spool::{Shares, Spool, Stretch, unreadable, unwritable};
use crate::interrupt::{Interrupt, stopped_by};

/// Bytes of both sides that are compared in memory.
const MEMORY: u64 = 32 << 20;
/// The most files that rows of one side are shared out among at once.
const FILES: u64 = 64;
/// How often rows are shared out: after that they are too alike to be parted.
const DEEPEST: u32 = 4;

/// Rows of one side.
type Rows<'a> = Option<(&'a Spool, Stretch)>;

/// A table that is compared.
pub(super) struct Comparing<'a> {
    pub(super) plan: &'a Plan,
    pub(super) spool: &'a Path,
    pub(super) interrupt: &'a Interrupt,
}

impl Comparing<'_> {
    /// Compares all of it.
    ///
    /// # Errors
    /// When a temporary file can't be written or read, or the run is told to stop.
    pub(super) fn table(&self, old: Rows<'_>, new: Rows<'_>, output: &mut Output) -> Result<(), Failure> {
        self.part(old, new, 0, output)
    }

    fn part(&self, old: Rows<'_>, new: Rows<'_>, depth: u32, output: &mut Output) -> Result<(), Failure> {
        if let Some(signal) = self.interrupt.seen() {
            return Err(stopped_by(signal));
        }
        let length = |rows: Rows<'_>| rows.map_or(0, |(_, stretch)| stretch.length());
        let all = length(old) + length(new);
        // Keys that have to be worked out take memory as well.
        let most = if self.plan.has_other_keys { MEMORY / 4 } else { MEMORY };
        if all > most && depth < DEEPEST {
            return self.parts(old, new, (all / (most / 2) + 1).min(FILES), (depth, output));
        }
        if self.plan.key == 0 { self.counted(old, new, output) } else { self.sorted(old, new, output) }
    }

    /// Shares the rows out, and compares each share by itself.
    fn parts(
        &self,
        old: Rows<'_>,
        new: Rows<'_>,
        count: u64,
        (depth, output): (u32, &mut Output),
    ) -> Result<(), Failure> {
        let count = usize::try_from(count).unwrap_or(1);
        let shares = Shares::among(count);
        let [old, new] = [self.shared(old, &shares, count)?, self.shared(new, &shares, count)?];
        for (old, new) in old.iter().zip(&new) {
            self.part(Some((old, old.all())), Some((new, new.all())), depth + 1, output)?;
        }
        Ok(())
    }

    fn shared(&self, rows: Rows<'_>, shares: &Shares, count: usize) -> Result<Vec<Spool>, Failure> {
        let mut files = (0..count).map(|_| Spool::in_folder(self.spool)).collect::<Result<Vec<_>, _>>()?;
        let failed = |error: std::io::Error| unwritable(&error, self.spool);
        if let Some((spool, stretch)) = rows {
            let mut lines = spool.lines(stretch);
            while let Some(line) = lines.next().map_err(|error| unreadable(&error))? {
                if let Some(file) = files.get_mut(shares.of(&self.plan.key_of(line))) {
                    file.put_line(line).map_err(failed)?;
                }
            }
        }
        files.into_iter().map(|file| file.flushed().map_err(failed)).collect()
    }

    /// Rows that nothing tells apart but themselves.
    fn counted(&self, old: Rows<'_>, new: Rows<'_>, output: &mut Output) -> Result<(), Failure> {
        // By what tells rows apart; and the row, where it isn't that itself.
        let mut counts: BTreeMap<Vec<u8>, (i64, Option<Vec<u8>>)> = BTreeMap::new();
        for (rows, by) in [(old, -1), (new, 1)] {
            let Some((spool, stretch)) = rows else { continue };
            let mut lines = spool.lines(stretch);
            while let Some(line) = lines.next().map_err(|error| unreadable(&error))? {
                let key = self.plan.key_of(line);
                match counts.get_mut(&*key) {
                    Some((count, _)) => *count += by,
                    None => {
                        let row = matches!(key, Cow::Owned(_)).then(|| line.to_vec());
                        counts.insert(key.into_owned(), (by, row));
                    }
                }
            }
        }
        for (key, (count, row)) in counts.iter().filter(|(_, (count, _))| *count != 0) {
            let row = row.as_ref().unwrap_or(key);
            for _ in 0..count.unsigned_abs() {
                if *count < 0 { output.removed(self.plan, row)? } else { output.added(self.plan, row)? }
            }
        }
        Ok(())
    }

    fn sorted(&self, old: Rows<'_>, new: Rows<'_>, output: &mut Output) -> Result<(), Failure> {
        let load = |rows: Rows<'_>| match rows {
            Some((spool, stretch)) => spool.load(stretch).map_err(|error| unreadable(&error)),
            None => Ok(Vec::new()),
        };
        let (old, new) = (load(old)?, load(new)?);
        let by_key = |bytes: &[u8]| -> Vec<(usize, usize)> {
            let mut begin = 0;
            let mut rows = Vec::new();
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                rows.push((begin, line.len()));
                begin += line.len();
            }
            let key = |row: &(usize, usize)| self.plan.key_of(at(bytes, *row));
            match self.plan.has_other_keys {
                true => rows.sort_by_cached_key(|row| key(row).into_owned()),
                false => rows.sort_unstable_by(|a, b| key(a).cmp(&key(b))),
            }
            rows
        };
        let (old_rows, new_rows) = (by_key(&old), by_key(&new));
        let (mut a, mut b) = (old_rows.iter().peekable(), new_rows.iter().peekable());
        loop {
            let (before, after) = (a.peek().map(|row| at(&old, **row)), b.peek().map(|row| at(&new, **row)));
            let order = match (before, after) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(before), Some(after)) => self.plan.key_of(before).cmp(&self.plan.key_of(after)),
            };
            if order != Ordering::Greater {
                a.next();
            }
            if order != Ordering::Less {
                b.next();
            }
            match (order, before, after) {
                (Ordering::Equal, Some(before), Some(after)) if self.differ(before, after) => {
                    output.changed(self.plan, before, after)?;
                }
                (Ordering::Less, Some(before), _) => output.removed(self.plan, before)?,
                (Ordering::Greater, _, Some(after)) => output.added(self.plan, after)?,
                _ => {}
            }
        }
    }
}

impl Comparing<'_> {
    fn differ(&self, before: &[u8], after: &[u8]) -> bool {
        let fields = |row| super::output::fields(row);
        before != after
            && fields(before).zip(fields(after)).enumerate().any(|(at, (old, new))| !self.plan.is_same(at, old, new))
    }
}

fn at(bytes: &[u8], (begin, length): (usize, usize)) -> &[u8] {
    bytes.get(begin..begin + length).unwrap_or_default()
}
