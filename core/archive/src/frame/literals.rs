//! Blocks in which nothing repeats: pictures, documents, hashes and keys, which PostgreSQL writes as hexadecimal digits
//! and applications as base64. Looking for repetitions there takes libdeflate longer than anywhere else and finds none;
//! deflate's Huffman codes alone make such a block as small in a third of the time.

use libdeflater::Compressor;
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Method, Status, Strategy};

/// A block is judged by so much of its beginning, of its middle and of its end. The choice depends on nothing but the
/// block: the same dump gives the same bytes everywhere.
const STRETCH: usize = 16 * 1024;
/// What counts as a repetition. Eight random digits come back once in four thousand million places.
const REPETITION: usize = 8;
/// One repetition in so many places, and the block isn't tried at all.
const RARELY: usize = 32;
const SLOTS: usize = 4096;
/// What looking for repetitions must save of a block to be worth two thirds of its time: one part in so many.
const WORTH: usize = 256;

/// Raw deflate, as a member holds it; the memory level is the one with the longest blocks.
const HUFFMAN_ONLY: DeflateConfig = DeflateConfig {
    level: 6,
    method: Method::Deflated,
    window_bits: -15,
    mem_level: 9,
    strategy: Strategy::HuffmanOnly,
};

/// Finds the blocks for which Huffman codes alone are enough.
pub(super) struct Literals {
    deflate: Deflate,
    sample: Vec<u8>,
    /// By hash, the last eight bytes that had it.
    seen: Vec<u64>,
    deflated: Vec<u8>,
}

impl Literals {
    pub(super) fn new() -> Self {
        Self {
            deflate: Deflate::new_with_config(HUFFMAN_ONLY),
            sample: Vec::with_capacity(3 * STRETCH),
            seen: vec![0; SLOTS],
            deflated: vec![0; 4 * STRETCH],
        }
    }

    /// Whether `compressor` makes a sample of the block hardly smaller than Huffman codes alone do.
    pub(super) fn suffice(&mut self, block: &[u8], compressor: &mut Compressor) -> bool {
        self.take_sample(block);
        if self.sample.len() < REPETITION || self.repeats() {
            return false;
        }
        let Some(alone) = huffman_only(&mut self.deflate, &self.sample, &mut self.deflated) else { return false };
        let matched = compressor.deflate_compress(&self.sample, &mut self.deflated);
        matched.is_ok_and(|matched| alone <= matched + matched / WORTH)
    }

    /// Deflates without looking for repetitions, and says how many bytes that made; None if they didn't fit.
    pub(super) fn deflate(&mut self, plain: &[u8], deflated: &mut [u8]) -> Option<usize> {
        huffman_only(&mut self.deflate, plain, deflated)
    }

    fn take_sample(&mut self, block: &[u8]) {
        self.sample.clear();
        if block.len() <= 3 * STRETCH {
            self.sample.extend_from_slice(block);
            return;
        }
        for start in [0, (block.len() - STRETCH) / 2, block.len() - STRETCH] {
            self.sample.extend_from_slice(block.get(start..start + STRETCH).unwrap_or_default());
        }
    }

    /// Whether sequences of bytes come back often enough to be worth looking for. Text says so within its first lines.
    fn repeats(&mut self) -> bool {
        self.seen.fill(0);
        let enough = self.sample.len() / RARELY + 1;
        let mut repeated = 0;
        for bytes in self.sample.windows(REPETITION).filter_map(<[u8]>::first_chunk) {
            let bytes = u64::from_le_bytes(*bytes);
            // Fibonacci hashing: the upper bits of a product with 2^64 by the golden ratio are spread evenly.
            let slot = (bytes.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SLOTS.ilog2())) as usize;
            if let Some(seen) = self.seen.get_mut(slot) {
                repeated += usize::from(*seen == bytes);
                *seen = bytes;
            }
            if repeated >= enough {
                return true;
            }
        }
        false
    }
}

fn huffman_only(deflate: &mut Deflate, plain: &[u8], deflated: &mut [u8]) -> Option<usize> {
    deflate.reset();
    match deflate.compress(plain, deflated, DeflateFlush::Finish) {
        Ok(Status::StreamEnd) => usize::try_from(deflate.total_out()).ok(),
        _ => None,
    }
}
