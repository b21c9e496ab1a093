//! What `show` answers.

use std::fmt;

use archive::Census;
use catalog::drill::{Drill, DrillStatus};
use catalog::glacier::Cold;
use catalog::manifest::{Manifest, Purpose};
use catalog::shrink::Shrink;
use catalog::verdict::Content;
use catalog::words;
use catalog::{DocumentError, Entry, Outcome, State, Verdict};
use jiff::Timestamp;
use repository::Repository;
use serde::{Serialize, Serializer};

use super::drilled::{Drilled, LastDrilled};
use crate::answers::census;

/// `lastgood show --json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShowAnswer {
    repository: String,
    id: String,
    #[serde(skip)]
    name: String,
    state: State,
    #[serde(skip)]
    status: String,
    /// The archive as a user names it; null when it is missing.
    archive: Option<String>,
    size: u64,
    /// Null when the archive can always be read.
    glacier: Option<Glacier>,
    instant: Timestamp,
    /// A clock was wrong, or is: nothing tells how old it is.
    in_the_future: bool,
    #[serde(skip)]
    age: String,
    /// The document as it is stored; null where there is none.
    #[serde(serialize_with = "manifest_json")]
    manifest: Option<Manifest>,
    /// The stored verdicts, oldest first.
    verdicts: Vec<Judged>,
    /// The document of its last drill, as it is stored; null where it was never restored and compared.
    #[serde(serialize_with = "drill_json")]
    drill: Option<Drill>,
    /// The document about its database's last drill, whichever backup that was of.
    #[serde(serialize_with = "drill_status_json")]
    last_drill: Option<DrillStatus>,
    /// What it has lost since the one before it; null where that is nothing worth a warning.
    shrunk: Option<Shrink>,
    /// When a person said that this is right.
    accepted: Option<Timestamp>,
    restore: Restore,
}

/// A verdict, and whether it decides the backup's state.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Judged {
    pub(super) counts: bool,
    #[serde(flatten)]
    pub(super) verdict: Verdict,
}

/// Command lines; null where there is nothing to restore.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Restore {
    with_lastgood: Option<String>,
    by_hand: Option<String>,
    /// For a new server, before that; null where no roles were stored.
    globals_by_hand: Option<String>,
}

/// What was read and made up about the backup, beside its entry.
pub(super) struct Known {
    pub(super) manifest: Option<Manifest>,
    /// Oldest first.
    pub(super) verdicts: Vec<Judged>,
    pub(super) drill: Option<Drill>,
    pub(super) last_drill: Option<DrillStatus>,
    /// The command lines that restore it without Lastgood.
    pub(super) by_hand: Option<String>,
    /// Where the archive lies, if that is Glacier.
    pub(super) cold: Option<Cold>,
    /// The command line that gives a new server the old one's roles.
    pub(super) globals: Option<String>,
}

/// An archive in Glacier: which class, how far it is on its way back, and until when it can be read.
struct Glacier(Cold);

impl Serialize for Glacier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let Self(Cold { class, thaw }) = self;
        let mut fields = serializer.serialize_struct("Glacier", 3)?;
        fields.serialize_field("class", class)?;
        fields.serialize_field("state", thaw.name())?;
        fields.serialize_field("until", &thaw.until())?;
        fields.end()
    }
}

impl ShowAnswer {
    pub(super) fn new(repository: &Repository, entry: &Entry, known: Known, now: Timestamp) -> Self {
        let Known { manifest, verdicts, drill, last_drill, cold, by_hand, globals } = known;
        let shrunk = manifest.as_ref().and_then(|manifest| manifest.shrunk.clone());
        let name = entry.name();
        let is_restorable = entry.archive.is_some() && entry.judged() != Some(Outcome::Damaged);
        let with_lastgood = is_restorable.then(|| format!("lastgood restore {name}"));
        let restore = Restore { with_lastgood, by_hand, globals_by_hand: globals };
        Self {
            repository: repository.display_name(),
            id: entry.id.to_string(),
            name,
            state: entry.state,
            status: entry.status(now),
            archive: entry.archive.as_ref().map(|archive| repository.object_name(&archive.key)),
            size: entry.size(),
            glacier: cold.map(Glacier),
            instant: entry.instant,
            in_the_future: entry.is_in_the_future(now),
            age: words::age(entry.age(now)),
            manifest,
            verdicts,
            drill,
            last_drill,
            shrunk,
            accepted: entry.accepted.as_ref().map(|record| record.last_modified),
            restore,
        }
    }
}

/// As `Manifest::to_json` writes it, with its version and the fields that this Lastgood doesn't know.
fn manifest_json<S: Serializer>(manifest: &Option<Manifest>, serializer: S) -> Result<S::Ok, S::Error> {
    document(manifest.as_ref().map(Manifest::to_json), serializer)
}

fn drill_json<S: Serializer>(drill: &Option<Drill>, serializer: S) -> Result<S::Ok, S::Error> {
    document(drill.as_ref().map(Drill::to_json), serializer)
}

fn drill_status_json<S: Serializer>(status: &Option<DrillStatus>, serializer: S) -> Result<S::Ok, S::Error> {
    document(status.as_ref().map(DrillStatus::to_json), serializer)
}

fn document<S: Serializer>(json: Option<Result<Vec<u8>, DocumentError>>, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::Error as _;
    let Some(json) = json else { return serializer.serialize_none() };
    let json = json.map_err(S::Error::custom)?;
    serde_json::from_slice::<serde_json::Value>(&json).map_err(S::Error::custom)?.serialize(serializer)
}

impl fmt::Display for ShowAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}\n", self.name, self.status)?;
        let archive = self.archive.as_deref().unwrap_or("missing: it was removed outside lastgood");
        writeln!(f, "  made       {}, {}", words::second(self.instant), self.age)?;
        writeln!(f, "  archive    {archive}")?;
        if let Some(manifest) = &self.manifest {
            writeln!(f, "{}", Facts(manifest))?;
        } else if self.archive.is_some() {
            writeln!(f, "             {}; no manifest", words::size(self.size))?;
        }
        if let Some(Glacier(cold)) = &self.glacier {
            writeln!(f, "             {cold}")?;
        }
        self.verdicts.iter().try_for_each(|judged| writeln!(f, "  verdict    {judged}"))?;
        if self.verdicts.is_empty() {
            writeln!(f, "  verdict    none yet: lastgood verify {}", self.name)?;
        }
        if let Some(shrink) = &self.shrunk {
            writeln!(f, "  shrunk     since {}: {}", shrink.since, shrink.in_words())?;
            if self.accepted.is_none() {
                writeln!(f, "             what changed: lastgood diff {} {}", shrink.since, self.name)?;
                writeln!(f, "             if that is right: lastgood accept {}", self.name)?;
            }
        }
        if let Some(accepted) = self.accepted {
            writeln!(f, "  accepted   {}", words::second(accepted))?;
        }
        if let Some(drill) = &self.drill {
            writeln!(f, "  drill      {}", Drilled(drill))?;
        }
        if let Some(status) = self.last_drill.as_ref().filter(|status| status.last.backup != self.id) {
            writeln!(f, "  last drill {}", LastDrilled(status))?;
        }
        if let Some(manifest) = &self.manifest {
            write!(f, "\n{}", Tables(&manifest.census))?;
        }
        self.restore.fmt(f)
    }
}

/// What the manifest says, except for the census.
struct Facts<'a>(&'a Manifest);

impl fmt::Display for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Manifest { purpose, database, archive, globals, agent, duration, warnings, .. }) = self;
        let version = archive.version_id.as_ref().map_or_else(String::new, |version| format!(", version {version}"));
        let sealed = archive
            .encryption
            .as_ref()
            .map_or_else(String::new, |encryption| format!(", encrypted for {}", encryption.recipients.join(", ")));
        let (size, digest) = (words::size(archive.digest.size), &archive.digest);
        writeln!(f, "             {size} ({} bytes), {}{sealed}", digest.size, archive.compression)?;
        writeln!(f, "             MD5 {}, CRC64NVME {}{version}", digest.md5, digest.crc64nvme)?;
        let facts = [
            Some(database.name.clone()),
            database.encoding.clone(),
            database.server_version.as_ref().map(|version| format!("PostgreSQL {version}")),
            database.size.map(|size| format!("{} on the server", words::size(size))),
        ];
        writeln!(f, "  database   {}", facts.into_iter().flatten().collect::<Vec<_>>().join(", "))?;
        match globals {
            Some(globals) => {
                let with = if globals.passwords { "with" } else { "without" };
                let size = words::size(globals.digest.size);
                writeln!(f, "  roles      {}, {size}, {with} passwords", globals.key)?;
            }
            None => writeln!(f, "  roles      not stored")?,
        }
        let tool = archive.pg_dump_version.as_ref().map_or_else(String::new, |version| format!(", pg_dump {version}"));
        let seconds = duration.as_secs_f64();
        let (version, host) = (&agent.version, &agent.host);
        match purpose {
            Purpose::Backup => write!(f, "  made by    lastgood {version} on {host}{tool}, in {seconds:.1} s")?,
            Purpose::Safety => write!(f, "  made by    lastgood {version} on {host}{tool}, before a restore")?,
            Purpose::Adopted => write!(f, "  adopted    by lastgood {version} on {host}; made by another tool{tool}")?,
            Purpose::Erased => write!(f, "  made by    lastgood {version} on {host}{tool}, erasing rows")?,
        }
        warnings.iter().try_for_each(|warning| write!(f, "\n  warning    {warning}"))
    }
}

/// The census, largest tables first.
struct Tables<'a>(&'a Census);

impl fmt::Display for Tables<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", census::summary(self.0))?;
        census::largest(self.0).fmt(f)?;
        census::more(self.0).map_or(Ok(()), |more| writeln!(f, "  {more} (--json shows all)"))
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { counts, verdict } = self;
        let by = &verdict.verifier;
        write!(
            f,
            "{}, {} by {} {} on {}",
            verdict.outcome,
            words::second(verdict.verified),
            by.name,
            by.version,
            by.host
        )?;
        if verdict.content == Content::Unread {
            f.write_str("; its content was not read")?;
        }
        if !counts {
            f.write_str("; outdated: the file changed, or there is a newer verdict")?;
        }
        verdict.findings.iter().try_for_each(|finding| write!(f, "\n             {finding}"))
    }
}

impl fmt::Display for Restore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(by_hand) = &self.by_hand else { return Ok(()) };
        match &self.with_lastgood {
            Some(line) => writeln!(f, "\nTo restore it:\n  {line}")?,
            None => writeln!(
                f,
                "\nIt is damaged, so lastgood refuses to restore it. See the last good one: lastgood show latest"
            )?,
        }
        writeln!(f, "\nWithout lastgood, into a new database:")?;
        by_hand.lines().try_for_each(|line| writeln!(f, "  {line}"))?;
        let Some(globals) = &self.globals_by_hand else { return Ok(()) };
        writeln!(
            f,
            "\nBefore that, on a server that has none of its roles (what exists already is an error that does no harm):"
        )?;
        writeln!(f, "  {globals}")
    }
}
