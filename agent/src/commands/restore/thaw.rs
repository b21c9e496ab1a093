//! An archive in Glacier. Nothing of it can be read before S3 has brought it back, which takes hours and may cost: so that is said
//! and asked first, and nothing is done to a database before. Then the restore ends, to be gone on with later, or waits.
//!
//! A restore that ends here has not restored: exit 1, so that no script takes it for done.

mod again;
mod plan;

use std::time::{Duration, Instant};

use catalog::Object;
use catalog::glacier::{Cold, Thaw};
use catalog::words;
use jiff::SignedDuration;
use repository::{Error, Repository};

pub(crate) use self::plan::ThawPlan;
use crate::answers::failure::{Exit, Failure};
use crate::answers::prompt;
use crate::cli::RestoreArgs;
use crate::commands::restore::backup::{Backup, StoredBytes};
use crate::commands::restore::failure;
use crate::commands::restore::roles::stored;
use crate::commands::restore::thaw::plan::DAYS;
use crate::interrupt::{self, Interrupt};

/// The first pause between two looks. Each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How much longer than AWS says is waited.
const GRACE: SignedDuration = SignedDuration::from_hours(1);

/// What came of it.
pub(crate) enum Brought {
    /// The archive can be read.
    Ready(StoredBytes),
    /// Not before hours: how it stands, and what is to be done then.
    NotYet(Box<ThawPlan>),
}

/// Sees to it that the bytes can be read: asks for their retrieval where they are in Glacier, and waits for it with `--wait`.
///
/// # Errors
/// When the answer was not yes, when S3 refuses, when it takes too long, and when the run is told to stop meanwhile.
pub(crate) async fn bring_back(
    args: &RestoreArgs,
    backup: &Backup,
    stored: StoredBytes,
    interrupt: &Interrupt,
) -> Result<Brought, Failure> {
    let StoredBytes::Object(repository, object) = stored else { return Ok(Brought::Ready(stored)) };
    let looked = interrupt.or(async { look(&repository, object).await.map_err(Failure::from) }).await;
    let (object, cold) = looked.map_err(|failure| told_to_stop(interrupt, failure))?;
    let Some(cold) = cold.filter(|cold| !cold.is_readable()) else {
        say_until(backup, cold);
        if args.create_roles && !args.dry_run {
            ask_for_globals(args, &repository, &object, backup).await;
        }
        return Ok(Brought::Ready(StoredBytes::Object(repository, object)));
    };
    let plan = ThawPlan::new(args, backup, cold)?;
    if args.dry_run {
        return Ok(Brought::NotYet(Box::new(plan)));
    }
    let asked = match cold.thaw {
        Thaw::Frozen => {
            let asked = ask(args, &repository, &object, plan, interrupt).await?;
            ask_for_globals(args, &repository, &object, backup).await;
            asked
        }
        Thaw::Thawing | Thaw::Thawed { .. } => plan,
    };
    if !args.wait {
        return Ok(Brought::NotYet(Box::new(asked)));
    }
    let object = wait(&repository, object, &asked, interrupt).await?;
    Ok(Brought::Ready(StoredBytes::Object(repository, object)))
}

/// The object, and where it lies if that is Glacier. What may not be looked at was listed as it is.
async fn look(repository: &Repository, object: Object) -> Result<(Object, Option<Cold>), Error> {
    match repository.head_of(&object).await {
        Ok(Some(head)) => {
            // Of what is asked for in Glacier, just these bytes shall come back.
            let version_id = object.version_id.clone().or(head.object.version_id);
            Ok((Object { readable: head.object.readable, version_id, ..object }, head.cold))
        }
        // Reading it will say what is wrong.
        Ok(None) => Ok((object, None)),
        Err(_) if object.readable => Ok((object, None)),
        Err(error) => Err(error),
    }
}

fn say_until(backup: &Backup, cold: Option<Cold>) {
    if let Some(Cold { thaw: Thaw::Thawed { until: Some(until) }, .. }) = cold {
        tracing::info!("{} was brought back from Glacier, until {}", backup.name, words::minute(until));
    }
}

/// Asks the user, and then S3.
async fn ask(
    args: &RestoreArgs,
    repository: &Repository,
    object: &Object,
    plan: ThawPlan,
    interrupt: &Interrupt,
) -> Result<ThawPlan, Failure> {
    if args.resume {
        return Err(Failure::new(Exit::Failed, format!("{} is in Glacier, and was not asked for", plan.archive))
            .hint(format!("ask for it, without --resume: {}", plan.again.anew)));
    }
    let (own, confirm) = (interrupt.clone(), args.confirm);
    let asking = tokio::task::spawn_blocking(move || {
        let question = format!("Bring {} back from Glacier?", plan.backup);
        prompt::ask(&plan, &question, confirm, &own).map(|()| plan)
    });
    let plan = asking.await.map_err(|e| Failure::new(Exit::Failed, format!("the question failed: {e}")))?;
    let plan = plan.map_err(|failure| told_to_stop(interrupt, failure))?;
    repository.thaw(object, plan.class, args.retrieval, DAYS).await?;
    Ok(plan.requested())
}

/// The roles beside the archive, which `--create-roles` reads, lie in Glacier only where they are large. What comes of it shows when they are read.
async fn ask_for_globals(args: &RestoreArgs, repository: &Repository, archive: &Object, backup: &Backup) {
    let named = backup.manifest.as_ref().and_then(|manifest| manifest.globals.as_ref());
    let Some(key) = named.and_then(|named| stored::key(named, repository, &archive.key)) else { return };
    let Ok(Some(head)) = repository.head(&key).await else { return };
    let Some(cold) = head.cold.filter(|cold| matches!(cold.thaw, Thaw::Frozen)) else { return };
    if let Err(error) = repository.thaw(&head.object, cold.class, args.retrieval, DAYS).await {
        tracing::warn!("the backup's roles stay in Glacier: {error}");
    }
}

/// Looks again and again until the object can be read. A store that is away for a while is only looked for again.
async fn wait(
    repository: &Repository,
    object: Object,
    plan: &ThawPlan,
    interrupt: &Interrupt,
) -> Result<Object, Failure> {
    let limit = plan.longest.saturating_add(GRACE).unsigned_abs();
    let (begun, mut pause) = (Instant::now(), FIRST_PAUSE);
    tracing::info!("waiting until {} is back from Glacier: {}", plan.backup, plan.takes);
    loop {
        told(plan, interrupt, tokio::time::sleep(pause)).await?;
        match told(plan, interrupt, repository.head_of(&object)).await? {
            Ok(Some(head)) if head.object.readable => return Ok(Object { readable: true, ..object }),
            Ok(Some(_)) => {}
            Ok(None) => return Err(Error::Changed { object: plan.archive.clone() }.into()),
            Err(error) if error.is_retryable() => tracing::warn!("{error}"),
            Err(error) => return Err(error.into()),
        }
        let waited = begun.elapsed();
        let for_people = words::span(SignedDuration::try_from(waited).unwrap_or(SignedDuration::MAX));
        if waited > limit {
            let error = format!("{} is still not back from Glacier after {for_people}", plan.archive);
            return Err(Failure::new(Exit::Failed, error).hint(format!("go on later: {}", plan.again.later)));
        }
        tracing::info!("{} is not back from Glacier after {for_people}", plan.backup);
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// What comes of it, unless the run is told to stop: S3 goes on all the same.
async fn told<T>(plan: &ThawPlan, interrupt: &Interrupt, done: impl Future<Output = T>) -> Result<T, Failure> {
    let mut told = interrupt.clone();
    tokio::select! {
        biased;
        signal = told.wait() => {
            let failure = interrupt::stopped_by(signal);
            let error = format!("{}; S3 goes on bringing {} back from Glacier", failure.error, plan.backup);
            Err(Failure { error, ..failure }.hint(format!("go on later: {}", plan.again.later)))
        }
        done = done => Ok(done),
    }
}

fn told_to_stop(interrupt: &Interrupt, failure: Failure) -> Failure {
    match interrupt.seen() {
        Some(signal) if failure == interrupt::stopped_by(signal) => failure::stopped_by(signal),
        _ => failure,
    }
}
