//! From a stored archive to a backup: the manifest beside it, and the verdict where no function gives one.

use archive::Compression;
use catalog::manifest::{self, INSERTS, Manifest};
use catalog::{BackupId, Unknown};
use jiff::Timestamp;
use postgres::database::session::Session;
use postgres::programs::dump_options;
use repository::{PutOutcome, Repository, Stored};

use crate::answers::failure::{Exit, Failure};
use crate::commands::backup::carry::Carried;
use crate::commands::backup::gate::Gate;
use crate::commands::backup::globals::Put;
use crate::commands::backup::index::{self, PutIndex, SealedIndex};
use crate::commands::backup::lanes::{self, Lane, Refused, under_way};
use crate::commands::backup::links::{self, SealedLinks};
use crate::commands::backup::outcome::{BackupOutcome, Kept, Missed};
use crate::commands::backup::run::Run;
use crate::host;
use crate::places::Spot;
use crate::together::{self, One};

/// What is made of a dump once, and stored beside its archive in every repository.
struct Beside {
    index: Option<SealedIndex>,
    links: Option<SealedLinks>,
}

/// What came of it.
pub(super) enum Published {
    /// At least one repository has the backup.
    Done(Box<BackupOutcome>),
    /// It is visible nowhere, and another dump may succeed.
    Again,
}

impl Run<'_> {
    /// Makes the archive visible and finishes the backup in every repository: each by itself, and all at the same time.
    ///
    /// # Errors
    /// The first failure, when no repository has the backup.
    pub(super) async fn publish(
        &self,
        carried: &Carried,
        lanes: Vec<Lane>,
        may_repeat: bool,
    ) -> Result<Published, Failure> {
        let beside = &Beside {
            index: carried.index.as_ref().map(|index| self.seal_index(index)),
            links: links::sealed(&self.stem, &carried.places),
        };
        let buckets = lanes.iter().filter(|lane| lane.repository.is_bucket()).count();
        let gate = &Gate::new(buckets, may_repeat);
        let finishing = lanes.into_iter().zip(self.spots.iter().copied());
        let finishing = finishing.map(|(lane, spot)| -> One<'_, (Spot, Result<Kept, Failure>)> {
            Box::pin(async move { (spot, self.conclude((lane, spot), carried, beside, gate).await) })
        });
        let finished = together::all(finishing.collect()).await;
        if gate.asks_for_another_dump() {
            return Ok(Published::Again);
        }
        let (mut kept, mut failures) = (Vec::new(), self.closed.clone());
        for (spot, finished) in finished {
            match finished {
                Ok(one) => kept.push(one),
                Err(failure) => failures.push((spot, spot.own(under_way(failure)))),
            }
        }
        failures.sort_by_key(|(spot, _)| *spot);
        match (kept.is_empty(), failures.first()) {
            (true, Some((_, failure))) => Err(failure.clone()),
            _ => Ok(Published::Done(Box::new(self.outcome(carried, kept, failures)))),
        }
    }

    /// One repository: from the last byte to the verdict.
    async fn conclude(
        &self,
        (lane, spot): (Lane, Spot),
        carried: &Carried,
        beside: &Beside,
        gate: &Gate,
    ) -> Result<Kept, Failure> {
        let is_bucket = lane.repository.is_bucket();
        if !is_bucket && !gate.may_show().await {
            lane.abort().await;
            return Err(lanes::stopped_by("another dump"));
        }
        let (repository, id, stored) = lane.complete(&carried.digest).await;
        if is_bucket {
            gate.settle(stored.is_ok(), matches!(stored, Err(Refused::Conflict(_))));
        }
        let stored = stored.map_err(Refused::into_failure)?;
        let kept = self.finish((&repository, &id, spot), carried, beside, stored).await?;
        if let Some(unmarked) = &self.unmarked {
            unmarked.try_again(&repository).await;
        }
        Ok(kept)
    }

    fn outcome(&self, carried: &Carried, kept: Vec<Kept>, failures: Vec<(Spot, Failure)>) -> BackupOutcome {
        let place = |spot: Spot, failure| Missed {
            place: spot.label(self.settings),
            spot,
            repository: spot.address(self.settings),
            failure,
        };
        let failures = failures.into_iter().map(|(spot, failure)| place(spot, failure)).collect();
        let census = &carried.walked.census;
        BackupOutcome {
            database: self.source.server.database.clone(),
            server: self.source.server.version().to_string(),
            tables: census.tables.len(),
            rows: census.counted_rows(),
            dumped: carried.dumped,
            seconds: self.started.elapsed().as_secs_f64(),
            warnings: carried.warnings.len(),
            stem: self.stem.clone(),
            several: self.settings.buckets.len() > 1,
            kept,
            failures,
        }
    }

    /// Stores the manifest, and the verdict.
    async fn finish(
        &self,
        (repository, id, spot): (&Repository, &BackupId, Spot),
        carried: &Carried,
        beside: &Beside,
        stored: Stored,
    ) -> Result<Kept, Failure> {
        let globals = self.put_globals(repository, id, &carried.globals).await;
        let index = match &beside.index {
            Some(sealed) => index::put(repository, id, sealed, !self.settings.recipients.is_empty()).await,
            None => PutIndex::default(),
        };
        let links = links::put(repository, id, beside.links.as_ref()).await;
        let found = self.put_shrink(repository, id, carried).await;
        let mut manifest = self.manifest(carried, &stored, &globals, &index);
        manifest.shrunk = found.shrink.clone();
        manifest.warnings.extend(links.warning.clone());
        let json = manifest.to_json().map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
        if let Err(failure) = put_new(repository, &repository.layout().manifest(id), json).await {
            let beside = globals.stored.iter().chain(&index.stored).chain(&links.stored).chain(&found.stored);
            for beside in beside.chain([&stored]) {
                if let Err(error) = repository.take_back(beside).await {
                    tracing::warn!("the archive without a manifest stays: {error}");
                }
            }
            return Err(failure);
        }
        let verdict = self.reader.judge_stored(self.settings.verify, repository, id, &manifest).await?;
        let name = repository.object_name(&stored.key);
        let warnings: Vec<String> = globals.warning.into_iter().chain(index.warning).chain(links.warning).collect();
        let warning = (!warnings.is_empty()).then(|| warnings.join("; "));
        let shrink = found.shrink;
        let place = spot.label(self.settings);
        let (repository, id) = (repository.display_name(), id.clone());
        Ok(Kept { spot, place, repository, name, id, stored, verdict, warning, shrink })
    }

    /// By what values are written: the session's settings, and the form of INSERTs where rows are written as such.
    pub(super) fn session(&self) -> Session {
        let form = dump_options::inserts(&self.database.dump_options).map(|form| (INSERTS.to_owned(), form));
        self.source.server.session.clone().into_iter().chain(form).collect()
    }

    fn manifest(&self, carried: &Carried, stored: &Stored, globals: &Put, index: &PutIndex) -> Manifest {
        let Self { source, settings, .. } = self;
        let recipients: Vec<String> = settings.recipients.iter().map(ToString::to_string).collect();
        let header = &carried.walked.header;
        let finished = Timestamp::now();
        Manifest {
            stem: self.stem.clone(),
            purpose: self.purpose,
            database: manifest::Database {
                name: source.server.database.clone(),
                encoding: Some(source.server.encoding.clone()),
                server_version: Some(source.server.version().to_string()),
                size: source.server.size,
                session: self.session(),
            },
            archive: manifest::Archive {
                key: stored.key.clone(),
                version_id: stored.version_id.clone(),
                etag: stored.etag.clone(),
                digest: carried.digest.clone(),
                compression: settings.compression,
                frame_size: (settings.compression != Compression::None).then_some(archive::FRAME_SIZE as u64),
                encryption: (!recipients.is_empty()).then_some(manifest::Encryption { recipients }),
                pg_dump_version: Some(source.pg_dump.version.to_string()),
                format_version: Some(header.version.to_string()),
                dump_options: Some(source.dump_options().to_vec()),
            },
            census: carried.walked.census.clone(),
            globals: globals.named.clone(),
            shrunk: None,
            index: index.named.clone(),
            erased: None,
            agent: manifest::Agent { version: env!("CARGO_PKG_VERSION").to_owned(), host: host::name() },
            started: self.started.at,
            finished,
            duration: self.started.elapsed(),
            warnings: carried.warnings.iter().chain(&globals.warning).chain(&index.warning).cloned().collect(),
            unknown: Unknown::default(),
        }
    }
}

async fn put_new(repository: &Repository, key: &str, json: Vec<u8>) -> Result<(), Failure> {
    match repository.put_new(key, json).await? {
        PutOutcome::Stored(_) => Ok(()),
        PutOutcome::Exists => {
            let name = repository.object_name(key);
            Err(Failure::new(Exit::Failed, format!("{name} already exists and belongs to another backup"))
                .hint("give each machine its own BACKUP_S3_PREFIX: another one backs up a database of this name to the same place"))
        }
    }
}
