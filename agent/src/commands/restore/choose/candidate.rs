//! A backup that was found, on its way to being the one that is restored.

use catalog::manifest::Manifest;
use catalog::verdict::{Outcome, Verdict};
use catalog::words::shell_word;
use catalog::{Catalog, DocumentError, Entry, Object, State};
use jiff::Timestamp;
use repository::{Error, Repository};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::backup::{Assurance, Backup, StoredBytes};

/// A backup somewhere in a repository.
#[derive(Clone)]
pub(super) struct Candidate {
    pub(super) repository: Repository,
    pub(super) entry: Entry,
    /// The newest good one beside it, for hints.
    pub(super) other: Option<String>,
    /// What is to be said of it before it is restored.
    pub(super) notes: Vec<String>,
    /// It was asked for by its file or URL: then a broken record beside it doesn't matter.
    pub(super) by_file: bool,
}

/// What is said about the bytes, as far as it can be read.
#[derive(Default)]
struct Said {
    verdict: Option<Verdict>,
    manifest: Option<Manifest>,
    notes: Vec<String>,
}

impl Candidate {
    pub(super) fn new(repository: &Repository, catalog: &Catalog, entry: &Entry, now: Timestamp) -> Self {
        let others = || catalog.good().filter(|good| good.id != entry.id);
        let other = others().find(|good| !good.is_in_the_future(now)).or_else(|| others().next());
        Self {
            repository: repository.clone(),
            entry: entry.clone(),
            other: other.map(Entry::name),
            notes: Vec::new(),
            by_file: false,
        }
    }

    /// Refuses what must not be restored, and reads the manifest.
    ///
    /// # Errors
    /// Exit 4 when it is damaged, exit 5 when its archive is gone.
    pub(super) async fn chosen(self) -> Result<(Backup, StoredBytes), Failure> {
        let name = self.entry.name();
        let Some(archive) = self.entry.archive.clone().filter(|_| self.entry.state != State::Missing) else {
            let error = format!("the archive of {name} is gone from {}", self.repository.display_name());
            return Err(Failure::new(Exit::NotFound, error).hint(instead(self.other.as_deref())));
        };
        let place = self.repository.object_name(&archive.key);
        let said = self.said(&archive).await?;
        let assurance = match (self.entry.state, &said.verdict) {
            (_, Some(_)) => Assurance::Good,
            (State::Guest | State::Alone, None) => Assurance::Guest,
            _ if said.manifest.is_none() => Assurance::Guest,
            _ => Assurance::Unverified,
        };
        let object = pinned(archive, said.manifest.as_ref(), said.verdict.as_ref());
        let backup = Backup {
            name,
            place,
            size: object.size,
            instant: self.entry.instant,
            assurance,
            is_judged: !self.by_file || said.manifest.is_some(),
            manifest: said.manifest,
            notes: self.notes.into_iter().chain(said.notes).collect(),
            other: self.other,
        };
        Ok((backup, StoredBytes::Object(self.repository, object)))
    }

    /// Reads what is said of it, and refuses what is said to be damaged, or cannot be read.
    async fn said(&self, archive: &Object) -> Result<Said, Failure> {
        let mut said = Said::default();
        self.read_verdict(archive, &mut said).await?;
        let spared = |verdict: &Verdict| self.by_file && verdict.blames_the_manifest_alone();
        if let Some(verdict) = said.verdict.take_if(|verdict| !verdict.is_intact()).filter(|verdict| !spared(verdict)) {
            let how = verdict.findings.first().map_or("it was read back and is not whole", |finding| &finding.text);
            return Err(self.damaged(how));
        }
        if let Some(object) = &self.entry.manifest {
            match self.repository.manifest(object).await {
                Ok(manifest) => said.manifest = Some(manifest),
                Err(Error::Document { object, source }) if self.by_file => {
                    said.verdict = None;
                    said.notes.push(left_aside(&object, &source));
                }
                Err(Error::Document { object, source }) if source.is_broken() => {
                    return Err(self.broken_manifest(archive, &object, &source));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(said)
    }

    /// The verdict that counts, if there is one on the archive's present bytes. Files that were copied may have lost the order
    /// of their times: a damaged verdict that says itself that it is the later one counts as well.
    async fn read_verdict(&self, archive: &Object, said: &mut Said) -> Result<(), Failure> {
        let Some(outcome) = self.entry.judged() else { return Ok(()) };
        let intact = match outcome {
            Outcome::Damaged => None,
            Outcome::Intact => self.verdict_in(self.entry.intact.as_ref(), archive, said).await?,
        };
        let noted = said.notes.len();
        let damaged = self.verdict_in(self.entry.damaged.as_ref(), archive, said).await?;
        if outcome == Outcome::Damaged && said.notes.len() > noted {
            return Err(self.damaged("its verdict says so, and cannot be read"));
        }
        let since = intact.as_ref().map(|intact| intact.verified);
        let later = damaged.filter(|damaged| since.is_none_or(|intact| damaged.verified >= intact));
        said.verdict = later.or(intact);
        Ok(())
    }

    /// A verdict that cannot be read says nothing.
    async fn verdict_in(
        &self,
        record: Option<&Object>,
        archive: &Object,
        said: &mut Said,
    ) -> Result<Option<Verdict>, Failure> {
        let Some(record) = record else { return Ok(None) };
        match self.repository.verdict(record).await {
            Ok(verdict) => Ok(Some(verdict).filter(|verdict| verdict.is_about(archive))),
            Err(Error::Document { object, source }) => {
                said.notes.push(left_aside(&object, &source));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn damaged(&self, how: &str) -> Failure {
        let (name, place) = (self.entry.name(), self.repository.display_name());
        Failure::new(Exit::Damaged, format!("{name} in {place} is damaged: {how}")).hint(instead(self.other.as_deref()))
    }

    /// Its bytes may be whole, but nothing says what they should be.
    fn broken_manifest(&self, archive: &Object, manifest: &str, source: &DocumentError) -> Failure {
        let place = self.repository.object_name(&archive.key);
        let way = if matches!(self.repository, Repository::Directory(_)) { "--backup-file" } else { "--from-s3" };
        let way = format!("lastgood restore {way} {}", shell_word(&place));
        Failure::new(Exit::Damaged, format!("the manifest {manifest} cannot be used: {source}"))
            .hint(format!("{}; the archive itself may be whole: {way}", instead(self.other.as_deref())))
    }
}

/// Of a record beside an archive that is restored without it.
fn left_aside(record: &str, source: &DocumentError) -> String {
    format!("left aside, because it cannot be used: {record} ({source})")
}

/// The version that verdict or manifest are about, where its bytes are still those that were listed.
fn pinned(mut archive: Object, manifest: Option<&Manifest>, verdict: Option<&Verdict>) -> Object {
    let judged = verdict.map(|verdict| (verdict.identity.etag.as_deref(), &verdict.identity.version_id));
    let promised = manifest.map(|manifest| (manifest.archive.etag.as_deref(), &manifest.archive.version_id));
    let of_these = |(etag, _): &(Option<&str>, &Option<String>)| *etag == archive.bare_etag();
    if archive.version_id.is_none()
        && let Some((_, version)) = judged.or(promised).filter(of_these)
    {
        archive.version_id.clone_from(version);
    }
    archive
}

/// What to restore instead.
pub(super) fn instead(other: Option<&str>) -> String {
    match other {
        Some(name) => format!("the last good backup is {name}: lastgood restore {name}"),
        None => "lastgood list shows what there is".to_owned(),
    }
}
