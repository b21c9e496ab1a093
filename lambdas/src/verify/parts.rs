//! A large archive is read in parts, side by side: a state machine hands the links beside it to as many workers as it may have, each
//! reads from one place to the next (`prove`), and when all have ended where the next one began, the last part is read here as ever, from the
//! last place. No trust in the links is needed, nor in whoever wrote them; where one is wrong, the archive is read in one piece.

use std::io::Read as _;

use archive::{Digester, Expander, Md5};
use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use aws_sdk_sfn::types::ExecutionStatus;
use catalog::links::{Links, MOST};
use catalog::{Entry, Object};
use repository::{Head, Repository};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::place::Identity;
use super::summary::Handled;
use crate::cloud::cause;
use crate::{Cloud, Environment, Failure};

/// Gibibytes that a single invocation reads through, at 80 MB a second.
const ABOVE: u64 = 64;
/// The most bytes of links, before they were compressed: whatever a stranger puts there is read in some hundred megabytes.
const LONGEST: u64 = 16 << 20;
/// How many parts of one archive are read at once.
const CONCURRENCY: u32 = 40;

/// The state machine that hands out the parts.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    client: aws_sdk_sfn::Client,
    arn: String,
    /// Stored bytes of the smallest archive that is read in parts.
    above: u64,
    /// How many parts may be read at once.
    concurrency: u32,
}

/// What becomes of what it was asked to start.
#[derive(PartialEq, Eq)]
enum Started {
    UnderWay,
    /// It ran for these bytes before.
    Ended,
    Refused,
}

/// What the state machine hands to each worker: which archive, and by which links.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Errand {
    /// The backup's full name.
    pub(super) backup: String,
    /// The archive's very object.
    pub(super) bytes: Identity,
    /// The links.
    pub(super) links: LinksIdentity,
}

/// Which links: their content, for a store may have no versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinksIdentity {
    key: String,
    version_id: Option<String>,
    md5: Md5,
    /// How many places they have.
    pub(super) count: usize,
}

impl Machine {
    /// The one that the environment names; `None` where a stack has none.
    ///
    /// # Errors
    /// When its limit is no number.
    pub(super) fn of(cloud: &Cloud, environment: &Environment<'_>) -> Result<Option<Self>, Failure> {
        let Some(arn) = environment.text("LASTGOOD_PARTS_MACHINE") else { return Ok(None) };
        let above = environment.parsed("LASTGOOD_PARTS_ABOVE_GIGABYTES", ABOVE)?;
        let concurrency = environment.parsed("LASTGOOD_PARTS_CONCURRENCY", CONCURRENCY)?;
        let client = aws_sdk_sfn::Client::new(cloud.sdk());
        Ok(Some(Self { client, arn, above: above.saturating_mul(1 << 30), concurrency }))
    }

    /// Whether it is asked to have this archive read.
    pub(super) fn takes(&self, entry: &Entry) -> bool {
        entry.links.is_some() && entry.size() > self.above
    }

    /// Starts it, once for these bytes and their newest verdict, however many events ask.
    async fn start(&self, errand: &Errand, judged: &[Option<&str>]) -> Started {
        let mut name = Digester::new();
        name.update(json!([errand.bytes, errand.links, judged]).to_string().as_bytes());
        let name = name.finish().md5.to_string();
        let numbers: Vec<usize> = (1..=errand.links.count).collect();
        let Errand { backup, bytes, links } = errand;
        // A template can't put a number into a machine's definition.
        let input = json!({"backup": backup, "bytes": bytes, "links": links, "numbers": numbers, "concurrency": self.concurrency});
        let request = self.client.start_execution().state_machine_arn(&self.arn).name(&name).input(input.to_string());
        match request.send().await {
            Ok(_) => Started::UnderWay,
            Err(error) if error.code() == Some("ExecutionAlreadyExists") => match self.is_running(&name).await {
                true => Started::UnderWay,
                false => Started::Ended,
            },
            Err(error) => {
                tracing::warn!(
                    "{} is read in one piece: cannot start its parts: {}; hint: allow states:StartExecution for this function's role",
                    errand.backup,
                    cause(&error)
                );
                Started::Refused
            }
        }
    }

    /// Whether that execution is under way. Where nobody can say, it is: the next sweep asks again.
    async fn is_running(&self, name: &str) -> bool {
        let execution = format!("{}:{name}", self.arn.replacen(":stateMachine:", ":execution:", 1));
        match self.client.describe_execution().execution_arn(execution).send().await {
            Ok(answer) => *answer.status() == ExecutionStatus::Running,
            Err(error) => {
                tracing::warn!("cannot ask whether the parts of {name} are being read: {}", cause(&error));
                true
            }
        }
    }

    /// Has the archive read in parts, if it is large enough and has links; `None`: it is to be read in one piece.
    ///
    /// # Errors
    /// When the links can't be read for another reason than what is in them.
    pub(super) async fn hand_out(
        &self,
        repository: &Repository,
        entry: &Entry,
        head: &Head,
    ) -> Result<Option<Handled>, Failure> {
        let Some(links) = entry.links.as_ref().filter(|_| head.object.size > self.above) else { return Ok(None) };
        let in_one_piece = |why: &dyn std::fmt::Display| {
            tracing::warn!("{} is read in one piece: its links: {why}", entry.id);
            Ok(None)
        };
        // Whatever is wrong with them: anybody who may add backups may have put them there.
        let links = match repository.head(&links.key).await {
            Ok(Some(head)) => head.object,
            Ok(None) => return Ok(None),
            Err(error) => return in_one_piece(&error),
        };
        let (read, md5) = match read(repository, &links).await {
            Ok(Ok((read, _))) if read.stem != entry.id.stem => return in_one_piece(&"they are of another backup"),
            Ok(Ok((read, _))) if read.places.len() > MOST => return in_one_piece(&"there are too many"),
            Ok(Ok(read)) => read,
            Ok(Err(why)) => return in_one_piece(&why),
            Err(failure) => return in_one_piece(&failure),
        };
        let (key, version_id) = (links.key.clone(), links.pinned_version().map(str::to_owned));
        let links = LinksIdentity { key, version_id, md5, count: read.places.len() };
        let errand = Errand { backup: entry.id.to_string(), bytes: Identity::of(&head.object), links };
        let judged = [&entry.intact, &entry.damaged].map(|verdict| verdict.as_ref().and_then(Object::bare_etag));
        if read.places.is_empty() {
            return Ok(None);
        }
        let is_handed_out = match self.start(&errand, &judged).await {
            Started::UnderWay => true,
            Started::Refused => false,
            // It may have ended since the listing: then its place lies there, and wakes whoever goes on.
            Started::Ended => repository.entry(&entry.id).await?.is_some_and(|now| now.verifying != entry.verifying),
        };
        let parts = errand.links.count + 1;
        Ok(is_handed_out.then(|| Handled::InParts { id: entry.id.clone(), parts, size: head.object.size }))
    }
}

impl LinksIdentity {
    /// Reads the links that are meant.
    ///
    /// # Errors
    /// When they can't be read, or are others by now: in words, for then somebody else has put them there.
    pub(super) async fn read(&self, repository: &Repository) -> Result<Result<Links, String>, Failure> {
        let listed = repository.head(&self.key).await?.map(|head| head.object);
        let Some(mut object) = listed else { return Ok(Err("they are gone".to_owned())) };
        object.version_id = self.version_id.clone().or(object.version_id);
        Ok(match read(repository, &object).await? {
            Ok((links, md5)) if md5 == self.md5 && links.places.len() == self.count => Ok(links),
            Ok(_) => Err("others are in their place".to_owned()),
            Err(why) => Err(why),
        })
    }
}

/// The links and their MD5 as they are stored, or what is wrong with them.
async fn read(repository: &Repository, object: &Object) -> Result<Result<(Links, Md5), String>, Failure> {
    let stored = match repository.read_record(object).await {
        Ok(stored) => stored,
        Err(repository::Error::TooLarge { .. }) => return Ok(Err("they are too long".to_owned())),
        Err(error) => return Err(error.into()),
    };
    let mut digester = Digester::new();
    digester.update(&stored);
    let md5 = digester.finish().md5;
    let mut json = Vec::new();
    let expanded = Expander::new(stored.as_ref(), 1).and_then(|plain| plain.take(LONGEST).read_to_end(&mut json));
    match expanded {
        Ok(length) if length as u64 == LONGEST => return Ok(Err("they are too long".to_owned())),
        Ok(_) => {}
        Err(error) => return Ok(Err(error.to_string())),
    }
    Ok(Links::from_json(&json).map(|links| (links, md5)).map_err(|error| error.to_string()))
}
