//! `lastgood verify`: reads stored backups back to their last byte, judges them, and stores each verdict beside what it is
//! about.
//!
//! What can't be read gets no verdict: nothing is known of it. A verdict that may not be stored is given all the same.

mod answer;
mod file;
mod targets;

use archive::{Content, Inspected};
use catalog::{Entry, Verdict};
use jiff::Timestamp;
use repository::{Error, Repository};

use crate::answers::failure::{Exit, Failure};
use crate::cli::VerifyArgs;
use crate::commands::verify::answer::Answer;
use crate::commands::verify::targets::{Target, Targets};
use crate::places;
use crate::read_back::{self, Reader, Unrecorded};
use crate::settings::Settings;

/// What became of one backup.
#[derive(Debug)]
struct Verified {
    /// As a person calls it: its name, or the file's path.
    name: String,
    /// Where its archive lies, or should.
    place: String,
    finding: Finding,
}

#[derive(Debug)]
enum Finding {
    /// It was read to its end, or isn't there.
    Judged(Box<Judgement>),
    /// It can't be read now, and why.
    Skipped(&'static str),
    /// It couldn't be read. Unknown, and neither intact nor damaged.
    Failed(Failure),
}

#[derive(Debug)]
struct Judgement {
    verdict: Verdict,
    /// `None`: the archive isn't there.
    inspected: Option<Inspected>,
    recorded: Recorded,
}

/// Whether the verdict lies beside what it is about.
#[derive(Debug)]
enum Recorded {
    Written,
    /// A file of no repository: its verdict is only told.
    Told,
    /// This identity may not write verdicts.
    Refused(Failure),
    /// It should lie there, and doesn't.
    Failed(Failure),
}

/// Verifies one backup, one file, or all that nobody has verified yet.
///
/// # Errors
/// When what is to be verified can't be found, or the only one can't be read.
pub(crate) async fn run(args: &VerifyArgs, settings: &Settings) -> Result<Exit, Failure> {
    let reader = Reader::new(settings)?;
    let targets = targets::find(args, settings).await?;
    let mut verified = Vec::new();
    match &targets {
        Targets::File(path) => verified.push(file::verify(&reader, path).await?),
        Targets::Backups { repository, targets } => {
            for (at, target) in targets.iter().enumerate() {
                let one = verify(&reader, repository, target).await;
                if args.all {
                    tracing::info!("{} of {}: {}", at + 1, targets.len(), answer::line(&one));
                }
                verified.push(one);
            }
        }
    }
    if let (false, [Verified { finding: Finding::Failed(failure), .. }]) = (args.all, verified.as_slice()) {
        return Err(failure.clone());
    }
    let answer = Answer::new(args.all, &targets, &verified);
    if let Some(why) = answer.refusal().filter(|_| settings.report.quiet) {
        tracing::warn!("{why}");
    }
    settings.report.outcome(answer.exit(), &answer.document(), &answer)?;
    answer.failures().for_each(|failure| settings.report.say(failure));
    Ok(answer.exit())
}

/// Verifies one backup of a repository.
async fn verify(reader: &Reader, repository: &Repository, target: &Target) -> Verified {
    let finding = match target.skipped {
        Some(why) => Finding::Skipped(why),
        None => match judge(reader, repository, &target.entry).await {
            Ok(judgement) => Finding::Judged(Box::new(judgement)),
            Err(failure) => Finding::Failed(failure),
        },
    };
    let archive = target.entry.archive.as_ref();
    let place = archive.map_or_else(|| repository.display_name(), |archive| repository.object_name(&archive.key));
    Verified { name: target.entry.name(), place, finding }
}

async fn judge(reader: &Reader, repository: &Repository, entry: &Entry) -> Result<Judgement, Failure> {
    let manifest = places::manifest(repository, entry).await?;
    let (verdict, inspected) = match (&entry.archive, &manifest) {
        (Some(archive), manifest) => {
            let read = reader.read_back(repository, archive, manifest.as_ref()).await?;
            (read.verdict, Some(read.inspected))
        }
        (None, Some(manifest)) => (Verdict::missing(manifest, Timestamp::now(), read_back::verifier()), None),
        (None, None) => {
            return Err(Failure::new(Exit::NotFound, format!("{} has neither archive nor manifest", entry.id))
                .hint("only remains of a removed backup are there; lastgood prune removes them in time"));
        }
    };
    let recorded = match read_back::record(repository, &entry.id, &verdict).await {
        Ok(()) => Recorded::Written,
        Err(Unrecorded::Repository(error @ Error::AccessDenied { .. })) => Recorded::Refused(error.into()),
        Err(error) => Recorded::Failed(error.into()),
    };
    Ok(Judgement { verdict, inspected, recorded })
}

impl Verified {
    fn is_intact(&self) -> bool {
        matches!(&self.finding, Finding::Judged(judgement) if judgement.verdict.is_intact())
    }
}

impl Judgement {
    fn walked(&self) -> Option<&archive::Walked> {
        match &self.inspected.as_ref()?.content {
            Content::Walked(walked) => Some(walked),
            Content::Unread | Content::Damaged(_) => None,
        }
    }
}
