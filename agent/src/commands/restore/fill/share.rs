//! Which data blocks each pg_restore fills in.

use std::collections::HashMap;

use ::archive::Entry;

use crate::commands::restore::fill::splitter::{Block, HEAD};
use crate::commands::restore::job::Job;

/// What one pg_restore fills in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    /// In the archive's order.
    pub(super) blocks: Vec<Block>,
    weight: u64,
    /// What belongs to the data and has no block as well, such as the sequences' values.
    pub(super) has_rest: bool,
}

/// How much each data block weighs, in the archive's order: its bytes, where a manifest tells.
pub(super) fn weights(job: &Job) -> Vec<u64> {
    let tables = job.facts.backup.manifest.iter().flat_map(|manifest| &manifest.census.tables);
    let bytes: HashMap<_, _> = tables.map(|table| ((&table.schema, &table.name), table.bytes)).collect();
    let weight = |entry: &Entry| bytes.get(&(&entry.schema, &entry.name)).copied().unwrap_or(1);
    job.facts.head.contents.iter().filter(|entry| entry.has_data()).map(weight).collect()
}

/// Shares the data blocks out, the heaviest first, each to whoever has least; within a share they keep the archive's order.
pub(super) fn share_out(weights: &[u64], jobs: usize) -> Vec<Share> {
    let mut shares: Vec<Share> =
        std::iter::repeat_with(Share::default).take(jobs.clamp(1, weights.len().max(1))).collect();
    let mut heaviest: Vec<(Block, u64)> = (HEAD + 1..).zip(weights.iter().copied()).collect();
    heaviest.sort_by_key(|&(block, weight)| (std::cmp::Reverse(weight), block));
    for (block, weight) in heaviest {
        if let Some(least) = shares.iter_mut().min_by_key(|share| (share.weight, share.blocks.len())) {
            least.blocks.push(block);
            least.weight = least.weight.saturating_add(weight);
        }
    }
    shares.iter_mut().for_each(|share| share.blocks.sort_unstable());
    shares.iter_mut().take(1).for_each(|share| share.has_rest = true);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(weights: &[u64], jobs: usize) -> Vec<Vec<Block>> {
        share_out(weights, jobs).into_iter().map(|share| share.blocks).collect()
    }

    #[test]
    fn data_is_shared_out_evenly_and_each_share_keeps_the_archives_order() {
        assert_eq!(blocks(&[5, 5, 5, 5], 2), [[1, 3], [2, 4]]);
        assert_eq!(blocks(&[1, 1, 10, 1], 2), [vec![3], vec![1, 2, 4]]);
        assert_eq!(blocks(&[0, 0, 0], 3), [[1], [2], [3]]);
        assert_eq!(blocks(&[7], 4), [[1]], "no more shares than blocks");
    }
}
