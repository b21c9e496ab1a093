//! What the state machine asks for, of a function that nobody else can call: to read one part of an archive, and, when all are read, to
//! have the verify function go on.

use archive::{Inspection, SavedInspection};
use catalog::{BackupId, words};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::parts::Errand;
use super::place::{Identity, Place};
use super::read::feed;
use crate::{Cloud, Deadline, Failure, Malformed};

/// What it asks for.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
enum Wish {
    /// Read from the place before this one to this one.
    Prove {
        link: usize,
        #[serde(flatten)]
        errand: Errand,
    },
    /// Go on behind the last part, or, where one could not be proved, from the beginning.
    Conclude {
        proved: bool,
        /// When the first part was begun.
        begun: Timestamp,
        #[serde(flatten)]
        errand: Errand,
    },
}

/// Does what the state machine asks for.
///
/// # Errors
/// When it asks for something else, and when the store doesn't answer. That a part isn't what its links say is an answer.
pub(super) async fn answer(cloud: &Cloud, payload: &Value, deadline: Deadline) -> Result<Value, Failure> {
    let malformed = |error: serde_json::Error| Malformed(format!("no wish of the state machine: {error}"));
    match serde_json::from_value(payload.clone()).map_err(malformed)? {
        Wish::Prove { link, errand } => {
            let agrees = match prove(cloud, link, &errand, deadline).await? {
                Ok(()) => true,
                Err(why) => {
                    tracing::warn!("{}, part {link}: {why}", errand.backup);
                    false
                }
            };
            Ok(json!({ "agrees": agrees }))
        }
        Wish::Conclude { proved, begun, errand } => conclude(cloud, proved, begun, &errand).await,
    }
}

/// Reads one part. It ends where the next one begins, or the answer says what is wrong.
async fn prove(cloud: &Cloud, link: usize, errand: &Errand, deadline: Deadline) -> Result<Result<(), String>, Failure> {
    let repository = &cloud.repository;
    let links = match errand.links.read(repository).await? {
        Ok(links) => links,
        Err(why) => return Ok(Err(format!("its links: {why}"))),
    };
    let (begin, end) = match links.places.link(link) {
        Ok((begin, Some(end))) => (begin, end),
        Ok((_, None)) => return Ok(Err("there is no part 0".to_owned())),
        Err(broken) => return Ok(Err(format!("its links: {broken}"))),
    };
    let Some(head) = repository.head(&errand.bytes.key).await? else {
        return Ok(Err("the archive is gone".to_owned()));
    };
    if Identity::of(&head.object) != errand.bytes {
        return Ok(Err("the archive was replaced".to_owned()));
    }
    let range = begin.as_ref().map_or(0, SavedInspection::position)..end.position();
    if range.is_empty() || range.end > head.object.size {
        return Ok(Err(format!("its links name the stored bytes {} to {}", range.start, range.end)));
    }
    let had_all_the_time = deadline.is_untouched();
    let mut inspection = begin.map_or_else(Inspection::new, Inspection::resume);
    let mut download = repository.download_range(&head.object, range.clone()).await?;
    if !feed(&mut inspection, &mut download, deadline.stop()).await? {
        // Another try would end as this one: a table in one compressed stream has no place within it.
        if had_all_the_time {
            return Ok(Err(format!("its {} take longer than an invocation may", words::size(range.end - range.start))));
        }
        return Err(Failure::NoProgress { object: repository.object_name(&head.object.key), position: range.start });
    }
    let agrees = inspection.save().is_some_and(|place| place.is_same(&end));
    Ok(if agrees { Ok(()) } else { Err("the next one begins elsewhere".to_owned()) })
}

/// Stores the place from which the verify function goes on; its arrival wakes it.
async fn conclude(cloud: &Cloud, proved: bool, begun: Timestamp, errand: &Errand) -> Result<Value, Failure> {
    let repository = &cloud.repository;
    let named = |_| Malformed(format!("`{}` names no backup", errand.backup));
    let id: BackupId = errand.backup.parse().map_err(named)?;
    let Some(head) = repository.head(&errand.bytes.key).await? else { return Ok(json!({"backup": errand.backup})) };
    let last = if proved && Identity::of(&head.object) == errand.bytes {
        match errand.links.read(repository).await? {
            Ok(links) => links.places.link(errand.links.count).ok().and_then(|(_, last)| last),
            Err(why) => {
                tracing::warn!("{}: its links: {why}", errand.backup);
                None
            }
        }
    } else {
        None
    };
    if last.is_none() {
        tracing::warn!("{} was not proved in parts, and is read in one piece", errand.backup);
    }
    let position = last.as_ref().map_or(0, SavedInspection::position);
    let rounds = u32::try_from(errand.links.count).unwrap_or(u32::MAX - 1);
    let place = Place::new(&head.object, begun, if last.is_some() { rounds } else { 0 }, last);
    place.put(repository, &id).await?;
    Ok(json!({"backup": errand.backup, "position": position}))
}
