//! `lastgood verify`: reads stored backups back to their last byte, judges them, and stores each verdict beside what it is
//! about.
//!
//! What cannot be read gets no verdict: nothing is known about it. A verdict that may not be stored is still reported.

mod answer;
mod file;
mod targets;
mod verified;

use catalog::{Entry, Verdict};
use jiff::Timestamp;
use repository::{Error, Repository};

use crate::answers::failure::{Exit, Failure};
use crate::cli::VerifyArgs;
use crate::commands::check;
use crate::commands::verify::answer::VerifyAnswer;
use crate::commands::verify::targets::{Target, Targets};
use crate::commands::verify::verified::{Finding, Judgement, Recorded, Verified};
use crate::places;
use crate::read_back::{self, Reader, Unrecorded};
use crate::settings::Settings;

/// Verifies one backup, one file, or all backups that have not been verified yet or not for long.
///
/// # Errors
/// When what is to be verified cannot be found, or the only one cannot be read.
pub(crate) async fn run(args: &VerifyArgs, settings: &Settings) -> Result<Exit, Failure> {
    let reader = Reader::new(settings)?;
    let targets = targets::find(args, settings).await?;
    let mut verified = Vec::new();
    match &targets {
        Targets::File(path) => verified.push(file::verify(&reader, path).await?),
        Targets::Backups { repository, targets, .. } => {
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
    note(&targets, &verified, settings).await;
    let answer = VerifyAnswer::new(args.all, &targets, &verified);
    if let Some(why) = answer.refusal().filter(|_| settings.report.quiet) {
        tracing::warn!("{why}");
    }
    settings.report.outcome(answer.exit(), &answer.document(), &answer)?;
    answer.failures().for_each(|failure| settings.report.say(failure));
    Ok(answer.exit())
}

/// Notes how the databases are of which something was judged.
async fn note(targets: &Targets, verified: &[Verified], settings: &Settings) {
    let Targets::Backups { repository, targets, .. } = targets else { return };
    let judged = targets.iter().zip(verified).filter(|(_, one)| matches!(one.finding, Finding::Judged(_)));
    let mut names: Vec<String> = judged.map(|(target, _)| target.entry.id.stem.database().into_owned()).collect();
    names.sort();
    names.dedup();
    check::after_verifying(repository, &names, settings).await;
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
    // An archive that lacks is looked for once more: the listing may be old by now, or not have been whole.
    let again = if entry.archive.is_none() { repository.entry(&entry.id).await? } else { None };
    let entry = again.as_ref().filter(|again| again.archive.is_some()).unwrap_or(entry);
    let (manifest, broken) = match places::manifest(repository, entry).await {
        Ok(manifest) => (manifest, None),
        // Before it is believed it is read once more.
        Err(Error::Document { source, .. }) if source.is_broken() && entry.archive.is_some() => {
            match places::manifest(repository, entry).await {
                Ok(manifest) => (manifest, None),
                Err(Error::Document { .. }) => (None, Some(source)),
                Err(error) => return Err(error.into()),
            }
        }
        Err(error) => return Err(error.into()),
    };
    let (verdict, inspected) = match (&entry.archive, &manifest) {
        (Some(archive), manifest) => {
            let read = reader.read_back(repository, archive, manifest.as_ref()).await?;
            (broken.iter().fold(read.verdict, Verdict::with_broken_manifest), Some(read.inspected))
        }
        (None, Some(manifest)) => (Verdict::missing(manifest, Timestamp::now(), read_back::verifier()), None),
        (None, None) => {
            return Err(Failure::new(Exit::NotFound, format!("{} has neither archive nor manifest", entry.id))
                .hint("run lastgood prune, which removes such remains of a removed backup after a while"));
        }
    };
    let recorded = match read_back::record(repository, &entry.id, &verdict).await {
        Ok(()) => Recorded::Written,
        Err(Unrecorded::Repository(error @ Error::AccessDenied { .. })) => Recorded::Refused(error.into()),
        Err(error) => Recorded::Failed(error.into()),
    };
    Ok(Judgement { verdict, inspected, recorded })
}
