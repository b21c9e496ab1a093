//! Where the backups of a case go: a directory, and buckets at two stores' names.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::agent::{Agent, Outcome};
use crate::bounds::wait_until;
use crate::bucket::Bucket;
use crate::seaweedfs::Seaweedfs;
use crate::torture::verdict::{lost, silent};

/// A directory, and buckets.
pub(super) struct Places {
    folder: TempDir,
    buckets: Vec<Bucket>,
}

impl Places {
    pub(super) fn new(buckets: usize) -> Places {
        let admin = Seaweedfs::shared().admin();
        let buckets = (0..buckets).map(|_| Bucket::new(&admin)).collect();
        Places { folder: tempfile::tempdir().unwrap(), buckets }
    }

    fn directory(&self) -> PathBuf {
        self.folder.path().join("backups")
    }

    /// Stores in all of them.
    pub(super) fn of(&self, agent: Agent) -> Agent {
        let agent = agent.directory(&self.directory());
        let stores = |agent: Agent, (at, bucket): (usize, &Bucket)| match at {
            0 => agent.bucket(bucket.name(), bucket.access()),
            _ => agent.bucket_beside(at + 1, bucket.name(), bucket.access()),
        };
        self.buckets.iter().enumerate().fold(agent, stores)
    }

    /// As `--repository` has them.
    fn names(&self) -> Vec<String> {
        let numbers = (1..=self.buckets.len()).map(|number| number.to_string());
        std::iter::once("directory".to_owned()).chain(numbers).collect()
    }

    /// The names of everything in a place.
    fn contents(&self, place: &str) -> Vec<String> {
        match place.parse::<usize>() {
            Ok(number) => self.buckets[number - 1].keys(),
            Err(_) => {
                let files = std::fs::read_dir(self.directory()).into_iter().flatten().flatten();
                files.map(|file| file.file_name().to_string_lossy().into_owned()).collect()
            }
        }
    }

    /// What shows is whole in each place, and what the command calls done shows everywhere.
    pub(super) fn judge(&self, agent: &Agent, outcome: &Outcome, label: &str) {
        for place in self.names() {
            let contents = self.contents(&place);
            let shows = contents.iter().any(|name| name.ends_with(&format!("_backup_{label}.manifest.json")));
            match (outcome.code, shows) {
                (Some(0), false) => silent(&format!("done, and {place} has nothing\n{contents:#?}\n{outcome}")),
                (Some(0), true) | (_, false) => {}
                (_, true) => assert!(self.buckets.len() > 1, "it failed, and {place} has it\n{outcome}"),
            }
            if shows {
                let verified = agent.run(&["verify", "--all", "--force", "--repository", &place]);
                if verified.code != Some(0) {
                    lost(&format!("what shows in {place} isn't whole\n{verified}\nafter\n{outcome}"));
                }
            }
            let partial: Vec<_> = contents.iter().filter(|name| name.contains(".partial")).collect();
            assert_eq!(partial, Vec::<&String>::new(), "left in {place}\n{outcome}");
        }
        for bucket in &self.buckets {
            wait_until(&format!("no upload is open after\n{outcome}"), || bucket.open_uploads().is_empty());
        }
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        self.buckets.iter().for_each(|bucket| Seaweedfs::shared().forget(bucket));
    }
}
