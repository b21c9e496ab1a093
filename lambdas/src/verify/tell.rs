//! The message about what is damaged.

use jiff::Timestamp;

use crate::findings::{Damaged, Judged, LastGood};
use crate::{Cloud, Failure, message};

/// Sends one message about all backups that an invocation found damaged; none if there are none.
///
/// # Errors
/// When the backups to use instead cannot be listed, or the message cannot be sent.
pub(super) async fn damaged(cloud: &Cloud, judged: &[Judged]) -> Result<(), Failure> {
    let (now, repository) = (Timestamp::now(), &cloud.repository);
    let mut damaged: Vec<Damaged> = Vec::new();
    for judged in judged {
        let database = judged.id.stem.database().into_owned();
        let known = damaged.iter().find(|other| other.database == database).map(|other| other.last_good.clone());
        let last_good = match known {
            Some(known) => known,
            None => repository.newest_good(&database, now).await?.as_ref().map(LastGood::from),
        };
        let object = repository.object_name(&judged.verdict.identity.key);
        let findings = judged.verdict.findings.iter().map(ToString::to_string).collect();
        damaged.push(Damaged { object, database, findings, last_good });
    }
    match message::damaged(&damaged, now) {
        Some(message) => cloud.tell(&message).await,
        None => Ok(()),
    }
}
