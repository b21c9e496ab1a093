//! How an archive is brought back from Glacier: shown before the question, and answered by a restore that ends there.

use std::fmt;

use catalog::glacier::{Cold, ColdClass, Retrieval, Thaw};
use catalog::words;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::again::Again;
use crate::answers::failure::{Exit, Failure};
use crate::cli::RestoreArgs;
use crate::commands::restore::backup::Backup;
use crate::money::Dollars;
use crate::prices::{self, REGION};

/// For how many days the copy stays that S3 makes.
pub(super) const DAYS: u16 = 7;

/// What is to be done, or was.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThawPlan {
    pub(super) backup: String,
    made: Timestamp,
    pub(super) archive: String,
    size: u64,
    pub(super) class: ColdClass,
    state: State,
    /// Null when it was asked for earlier: S3 doesn't say how.
    retrieval: Option<Retrieval>,
    /// For people.
    pub(super) takes: String,
    /// When it is there at the latest, as far as is known.
    by: Option<Timestamp>,
    /// At list price: the retrieval, and a copy for some days. Null when it was asked for earlier.
    dollars: Option<Dollars>,
    /// How long the copy stays; null where the object itself moves back.
    days: Option<u16>,
    /// The other ways to ask for it.
    others: Vec<Other>,
    /// The command line that goes on when it is back.
    next: String,
    /// The restore stays until it is back.
    #[serde(skip)]
    waits: bool,
    #[serde(skip)]
    pub(super) again: Again,
    #[serde(skip)]
    pub(super) longest: SignedDuration,
}

/// Another way to ask for the archive.
#[derive(Clone, Debug, Serialize)]
struct Other {
    retrieval: Retrieval,
    takes: &'static str,
    dollars: Dollars,
}

/// How it stands with the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// Nothing was asked for.
    Frozen,
    /// This run has asked for it.
    Requested,
    /// It was asked for earlier.
    Thawing,
}

impl ThawPlan {
    /// What this command line comes to for an archive that cannot be read.
    ///
    /// # Errors
    /// Exit 2 where its class knows no such retrieval.
    pub(super) fn new(args: &RestoreArgs, backup: &Backup, cold: Cold) -> Result<Self, Failure> {
        let again = Again::typed(&backup.name, &backup.place);
        let price = |retrieval| {
            let (fee, copy) = prices::bringing_back(cold.class, retrieval, backup.size, DAYS);
            Dollars(fee + copy)
        };
        let frozen = cold.thaw == Thaw::Frozen;
        let known = cold.class.takes(args.retrieval);
        let Some(takes) = known.filter(|_| frozen) else {
            return match frozen {
                true => Err(no_haste(backup, cold.class)),
                false => Ok(Self::asked_earlier(args, backup, cold.class, again)),
            };
        };
        let others = Retrieval::ALL.into_iter().filter(|other| *other != args.retrieval);
        let others = others.filter_map(|retrieval| {
            let takes = cold.class.takes(retrieval)?.words;
            Some(Other { retrieval, takes, dollars: price(retrieval) })
        });
        Ok(Self {
            state: State::Frozen,
            retrieval: Some(args.retrieval),
            takes: takes.words.to_owned(),
            dollars: Some(price(args.retrieval)),
            days: cold.class.makes_a_copy().then_some(DAYS),
            others: others.collect(),
            longest: takes.at_most,
            ..Self::asked_earlier(args, backup, cold.class, again)
        })
    }

    fn asked_earlier(args: &RestoreArgs, backup: &Backup, class: ColdClass, again: Again) -> Self {
        let hours = words::span(class.longest());
        Self {
            backup: backup.name.clone(),
            made: backup.instant,
            archive: backup.place.clone(),
            size: backup.size,
            class,
            state: State::Thawing,
            retrieval: None,
            takes: format!("up to {hours} since it was asked for; S3 does not say when that was"),
            by: None,
            dollars: None,
            days: None,
            others: Vec::new(),
            next: again.later.clone(),
            waits: args.wait && !args.dry_run,
            longest: class.longest(),
            again,
        }
    }

    /// Why a drill is not carried out, and when it can be.
    pub(crate) fn not_yet(&self) -> Failure {
        let how = match self.state {
            State::Frozen => format!("it has to be brought back before it can be read, which takes {}", self.takes),
            State::Requested => format!("it was asked for, which takes {}", self.takes),
            State::Thawing => "it was asked for earlier, and is not back yet".to_owned(),
        };
        let error = format!("{} is in {}: {how}", self.archive, self.class);
        let hint = match self.state {
            State::Frozen => format!("ask for it: {}", self.again.anew),
            State::Requested | State::Thawing => format!("go on when it is back: {}", self.next),
        };
        Failure::new(Exit::Failed, error).hint(hint)
    }

    /// The same, now that S3 has been asked.
    pub(super) fn requested(self) -> Self {
        let by = Timestamp::now().checked_add(self.longest).ok();
        Self { state: State::Requested, by, others: Vec::new(), ..self }
    }
}

fn no_haste(backup: &Backup, class: ColdClass) -> Failure {
    Failure::new(Exit::Usage, format!("{} is in {class}, which knows no expedited retrieval", backup.place))
        .hint("ask with --retrieval standard (up to 12 hours) or --retrieval bulk (up to 48 hours)")
}

impl fmt::Display for ThawPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "backup    {}, made {}", self.backup, words::second(self.made))?;
        writeln!(f, "archive   {}, {}", self.archive, words::size(self.size))?;
        let class = self.class;
        match self.state {
            State::Frozen => writeln!(f, "is in     {class}: it has to be brought back before it can be read")?,
            State::Requested => writeln!(f, "is in     {class}; asked for, and S3 is bringing it back")?,
            State::Thawing => writeln!(f, "is in     {class}; asked for earlier, and not back yet")?,
        }
        match (self.retrieval, self.dollars) {
            (Some(retrieval), Some(dollars)) => {
                let days = self.days.map_or(String::new(), |days| format!(", with a copy for {days} days"));
                let price = if dollars.0 > 0.0 {
                    format!("about {}{days}, at the list price of {REGION}", dollars.in_words())
                } else {
                    "free".to_owned()
                };
                writeln!(f, "takes     {} ({retrieval} retrieval), {price}", self.takes)?;
            }
            _ => writeln!(f, "takes     {}", self.takes)?,
        }
        for Other { retrieval, takes, dollars } in &self.others {
            let price = if dollars.0 > 0.0 { dollars.in_words() } else { "free".to_owned() };
            writeln!(f, "or        {takes}, {price}: --retrieval {retrieval}")?;
        }
        let by = self.by.map_or(String::new(), |by| format!(", by {} at the latest as a rule", words::minute(by)));
        if self.waits {
            writeln!(f, "this waits until it is back{by}; if that is interrupted, go on with:")?;
        } else {
            writeln!(f, "nothing is restored before it is back{by}; then go on with:")?;
        }
        writeln!(f, "  {}", self.next)
    }
}
