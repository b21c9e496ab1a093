//! The steps of the commit protocol's model, taken in a real repository, which answers and holds what the model says after each of them.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::ops::Range;

use archive::{Digest, Digester};
use bytes::Bytes;
use catalog::Object;
use jiff::{SignedDuration, Timestamp};
use protocol::actors::{Actor, Agent, AgentAt, Retention, RetentionAt, Verifier, VerifierAt};
use protocol::scenes::{PAIRS, retention, verifier, with, world};
use protocol::store::{Key, Kind, Part, Rules, Store, Version, began, spelled};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use repository::{PutOutcome, Repository, Scope, Stored, UploadMetadata};

/// What random ways through the model came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Replayed {
    /// Requests, after each of which the repository was looked at.
    pub steps: u64,
    /// Agents that met another one's backup.
    pub refused: u64,
}

/// Takes a random way through the model for each of these seeds, in an empty repository of this kind.
///
/// # Panics
/// At the first difference, with the seed and the step.
pub async fn replay(seeds: Range<u64>, kind: Kind, repository: impl AsyncFn() -> Repository) -> Replayed {
    let mut replayed = Replayed::default();
    for seed in seeds {
        let pair = PAIRS[usize::try_from(seed).unwrap() % PAIRS.len()];
        let mut world = with(world(kind, Rules::default(), &pair), vec![verifier(2), retention(), retention()]);
        let mut real = Real::new(&world.store, repository().await).await;
        let mut random = StdRng::seed_from_u64(seed);
        loop {
            let mut ways = Vec::new();
            for (number, actor) in world.actors.iter().enumerate() {
                ways.extend(actor.steps(&world.store).into_iter().map(|(next, actor)| (number, next, actor)));
            }
            if ways.is_empty() {
                break;
            }
            let (number, next, actor) = ways.swap_remove(random.random_range(0..ways.len()));
            let before = world.actors[number].clone();
            real.act(number, &before, &next).await;
            let is_refused = matches!(&actor, Actor::Agent(Agent { at: AgentAt::TakingBack, .. }));
            replayed.refused += u64::from(is_refused);
            replayed.steps += 1;
            world.actors[number] = actor;
            world.store = next;
            assert_eq!(real.held().await, held(&world.store), "walk {seed}: {before:?}");
        }
    }
    replayed
}

/// What the model holds: the MD5 of each key's content, which says whose it is.
fn held(store: &Store) -> BTreeMap<String, String> {
    let of = |versions: &[Version]| digest(content(versions.last().unwrap().of).as_bytes()).md5.to_string();
    store.objects.iter().map(|(key, versions)| (spelled(store.kind, *key), of(versions))).collect()
}

fn content(of: u32) -> String {
    format!("{of:09}")
}

struct Real {
    kind: Kind,
    repository: Repository,
    /// What agents have stored.
    stored: HashMap<(u32, Part), Stored>,
    /// What each retention has listed.
    listed: HashMap<usize, Vec<Object>>,
    written: i64,
}

impl Real {
    async fn new(start: &Store, repository: Repository) -> Self {
        let (stored, listed) = (HashMap::new(), HashMap::new());
        let mut real = Self { kind: start.kind, repository, stored, listed, written: 0 };
        for (key, versions) in &start.objects {
            let of = versions.last().unwrap().of;
            if key.1 == Part::Archive { assert!(real.upload(*key, of).await) } else { real.put_over(*key, of).await }
        }
        real
    }

    /// Sends one request as the real actors do; its answer is the one that leads to `next`.
    async fn act(&mut self, number: usize, actor: &Actor, next: &Store) {
        match actor {
            Actor::Agent(agent) => self.back_up(agent, next).await,
            Actor::Verifier(Verifier { at: VerifierAt::Judging { backup, of, verdict }, .. }) => {
                self.put_over((*backup, *verdict), *of).await;
            }
            Actor::Retention(Retention { at: RetentionAt::Listing }) => {
                self.listed.insert(number, self.repository.versions(Scope::All).await.unwrap());
            }
            Actor::Retention(Retention { at: RetentionAt::Removing(left, stuck) }) => {
                if let Some((key, _)) = left.last().filter(|(key, _)| !stuck.contains(&key.0)) {
                    let is_meant = |object: &&Object| object.key == spelled(self.kind, *key);
                    let seen: Vec<Object> = self.listed[&number].iter().filter(is_meant).cloned().collect();
                    let removal = self.repository.remove_parts(&seen).await.unwrap();
                    assert_eq!(removal.changed.is_empty(), next.head(*key).is_none(), "{key:?}");
                }
            }
            _ => {}
        }
    }

    async fn back_up(&mut self, agent: &Agent, next: &Store) {
        let key = |part| (agent.backup, part);
        let is_own = |part| next.head(key(part)).is_some_and(|version| version.of == agent.of);
        match agent.at {
            AgentAt::Archive => assert_eq!(self.upload(key(agent.archive), agent.of).await, is_own(agent.archive)),
            AgentAt::Globals => assert_eq!(self.put_new(key(Part::Globals), agent.of).await, is_own(Part::Globals)),
            AgentAt::Manifest => assert_eq!(self.put_new(key(Part::Manifest), agent.of).await, is_own(Part::Manifest)),
            AgentAt::Judging => {
                let verdict = if is_own(Part::Intact) { Part::Intact } else { Part::Damaged };
                self.put_over(key(verdict), agent.of).await;
            }
            // In a bucket it may not.
            AgentAt::TakingBack if self.kind == Kind::Bucket => {}
            AgentAt::TakingBack => {
                for part in [agent.archive, Part::Globals] {
                    if let Some(stored) = self.stored.remove(&(agent.of, part)) {
                        self.repository.take_back(&stored).await.unwrap();
                    }
                }
            }
            AgentAt::Looking | AgentAt::Done { .. } => {}
        }
    }

    async fn upload(&mut self, key: Key, of: u32) -> bool {
        let (name, bytes) = (spelled(self.kind, key), content(of));
        let metadata = UploadMetadata {
            lastgood_id: bytes.clone(),
            database: "app".into(),
            backup_date: began(key.0),
            expected_size: None,
        };
        // A directory says at once that there is something, a bucket at the end.
        let Ok(mut upload) = self.repository.start_upload(&name, &metadata).await else { return false };
        upload.write(Bytes::from(bytes.clone())).await.unwrap();
        let stored = upload.complete(&digest(bytes.as_bytes())).await;
        let is_stored = stored.is_ok();
        self.stored.extend(stored.ok().map(|stored| ((of, key.1), stored)));
        self.date(key, is_stored);
        is_stored
    }

    async fn put_new(&mut self, key: Key, of: u32) -> bool {
        let put = self.repository.put_new(&spelled(self.kind, key), content(of)).await.unwrap();
        let is_stored = matches!(put, PutOutcome::Stored(_));
        if let PutOutcome::Stored(stored) = put {
            self.stored.insert((of, key.1), stored);
        }
        self.date(key, is_stored);
        is_stored
    }

    async fn put_over(&mut self, key: Key, of: u32) {
        self.repository.put_over(&spelled(self.kind, key), content(of)).await.unwrap();
        self.date(key, true);
    }

    /// Dates what was just written as of the model's days. A bucket has dates and versions of its own.
    fn date(&mut self, key: Key, is_written: bool) {
        if is_written && self.kind == Kind::Directory {
            self.written += 1;
            let at: Timestamp = began(key.0) + SignedDuration::from_secs(self.written);
            let path = self.repository.object_name(&spelled(self.kind, key));
            File::options().write(true).open(path).unwrap().set_modified(at.into()).unwrap();
        }
    }

    async fn held(&self) -> BTreeMap<String, String> {
        let mut held = BTreeMap::new();
        for object in self.repository.objects(Scope::All).await.unwrap() {
            let md5 = match object.bare_etag() {
                Some(etag) => etag.to_owned(),
                None => digest(&self.repository.read_key(&object.key).await.unwrap().unwrap()).md5.to_string(),
            };
            held.insert(object.key, md5);
        }
        held
    }
}

fn digest(bytes: &[u8]) -> Digest {
    let mut digester = Digester::new();
    digester.update(bytes);
    digester.finish()
}
