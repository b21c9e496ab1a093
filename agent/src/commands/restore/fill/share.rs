//! Which data blocks each pg_restore fills in.

use std::collections::HashMap;

use ::archive::Entry;

use crate::commands::restore::fill::splitter::{Block, HEAD};
use crate::commands::restore::job::Job;

/// What one pg_restore fills in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    /// In the archive's order.
    pub(super) blocks: Vec<Block>,
    /// Bytes of its rows.
    pub(super) weight: u64,
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

/// The least that a pg_restore of its own is worth, in bytes of rows: it takes a hundredth of a second to begin.
const LEAST: u64 = 4 << 20;
/// Into so many pieces data is split at most, and as many again that are larger: each reads the archive's whole head.
const MOST_PIECES: u64 = 64;

/// Splits a share into pieces, so that it shows when the rows of each are in: large tables are alone. `all` are the weights of all blocks.
pub(super) fn split(share: Share, all: &[u64]) -> Vec<Share> {
    let total = all.iter().fold(0_u64, |sum, weight| sum.saturating_add(*weight));
    // Where nothing is known of them, all weigh one.
    let is_known = total > all.len() as u64;
    let least = (total / MOST_PIECES).max(if is_known { LEAST } else { 1 });
    let mut pieces: Vec<Share> = Vec::new();
    let mut small = Share::default();
    for block in share.blocks {
        let weight = all.get(block.wrapping_sub(HEAD + 1)).copied().unwrap_or_default();
        if weight >= least {
            pieces.push(Share { blocks: vec![block], weight, has_rest: false });
            continue;
        }
        small.blocks.push(block);
        small.weight = small.weight.saturating_add(weight);
        if small.weight >= least {
            pieces.push(std::mem::take(&mut small));
        }
    }
    if !small.blocks.is_empty() || pieces.is_empty() {
        pieces.push(small);
    }
    if let Some(last) = pieces.last_mut() {
        last.has_rest = share.has_rest;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    fn pieces(weights: &[u64]) -> Vec<Vec<Block>> {
        let share = Share { blocks: (1..=weights.len()).collect(), weight: 0, has_rest: true };
        split(share, weights).into_iter().map(|piece| piece.blocks).collect()
    }

    #[test]
    fn large_tables_are_loaded_alone_and_small_ones_together() {
        assert_eq!(pieces(&[1 << 30, 5, 6, 1 << 29, 7]), [vec![1], vec![4], vec![2, 3, 5]]);
        assert_eq!(pieces(&[3 << 20, 3 << 20, 1, 1]), [vec![1, 2], vec![3, 4]]);
        assert_eq!(pieces(&[1, 1, 1]), [[1], [2], [3]], "nothing is known of them");
        assert_eq!(pieces(&[]), [Vec::<Block>::new()], "what has no block");
        assert!(pieces(&[1; 10_000]).len() <= 65);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_in_splitting(weights in prop::collection::vec(0_u64..30 << 20, 0..200), jobs in 1_usize..6) {
            let pieces: Vec<Share> = share_out(&weights, jobs).into_iter().flat_map(|share| split(share, &weights)).collect();
            let mut blocks: Vec<Block> = pieces.iter().flat_map(|piece| piece.blocks.clone()).collect();
            blocks.sort_unstable();
            prop_assert_eq!(blocks, (1..=weights.len()).collect::<Vec<_>>());
            prop_assert_eq!(pieces.iter().filter(|piece| piece.has_rest).count(), 1);
            prop_assert!(pieces.len() as u64 <= 2 * MOST_PIECES + jobs as u64);
        }
    }
}
