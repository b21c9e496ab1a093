//! What becomes of a judgement: it is published, and stored last. Whoever dies on the way leaves no verdict, and so the next try
//! judges again and says all of it again.

use std::time::Duration;

use catalog::{Entry, Manifest};
use tokio::time::timeout;

use super::earlier;
use super::round::Round;
use super::summary::Handled;
use crate::findings::{Judged, Sizes};
use crate::{Failure, metric};

/// How long the comparison with earlier backups may take: it must leave time for the verdict.
const COMPARING: Duration = Duration::from_secs(10);

impl Round<'_> {
    /// Adds to a judgement how much there is of the backup. That is worth a look and not worth a verdict: what can't be
    /// compared isn't.
    pub(super) async fn measure(&self, judged: &mut Judged, entry: &Entry, manifest: &Manifest) {
        let repository = &self.cloud.repository;
        let mut sizes = Sizes::of(manifest, entry.size());
        if let Some(before) = entry.intact.as_ref().filter(|_| entry.judged().is_some()) {
            // It was compared when it was new.
            let known = timeout(COMPARING, repository.verdict(before)).await;
            let before = known.ok().and_then(Result::ok).and_then(|verdict| verdict.extent);
            let before = before.filter(|extent| (extent.bytes, extent.rows) == (sizes.bytes, sizes.rows));
            judged.verdict.extent = Some(before.unwrap_or_else(|| sizes.extent()));
            return;
        }
        let failed = match timeout(COMPARING, earlier::add(repository, entry, &mut sizes)).await {
            Ok(Ok(())) => None,
            Ok(Err(failure)) => Some(failure.to_string()),
            Err(_) => Some(format!("it took more than {} seconds", COMPARING.as_secs())),
        };
        if let Some(why) = failed {
            tracing::warn!("{} isn't compared with those before it: {why}", judged.id);
            sizes = Sizes::of(manifest, entry.size());
        }
        judged.verdict.extent = Some(sizes.extent());
        judged.sizes = Some(sizes);
    }

    /// Publishes what was found, and stores the verdict.
    pub(super) async fn settle(&mut self, judged: Judged) -> Result<Handled, Failure> {
        self.cloud.publish(&metric::judged(&judged)).await?;
        self.store(&judged).await?;
        Ok(Handled::Judged(Box::new(judged)))
    }

    async fn store(&self, judged: &Judged) -> Result<(), Failure> {
        let key = self.cloud.repository.layout().record(&judged.id, judged.verdict.record());
        self.cloud.store(&key, judged.verdict.to_json()).await
    }
}
