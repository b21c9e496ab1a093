//! How large each part of an upload of unknown length is. S3 takes at most 10,000 parts: with parts of one size, 8 MiB
//! would end at 80 GB. So the first half of the parts are as small as asked, and then each twentieth of them
//! doubles: 5,000 parts of 8 MiB (42 GB), and 5.9 TiB in all. Who can estimate the length gets parts of one size for
//! it, and growth only beyond: memory, which is parts in flight, then stays the same.

use crate::{BucketSettings, Error};

/// No part may be larger (S3).
const LARGEST_PART: u64 = 5 << 30;
/// Only the last part may be smaller (S3).
const SMALLEST_PART: u64 = 5 << 20;
/// Doublings: 8 MiB × 2⁹ is 4 GiB.
const DOUBLINGS: u32 = 9;

/// The sizes of one upload's parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartSizes {
    first: u64,
    steady_parts: u32,
    max_parts: u32,
    equal: bool,
}

impl PartSizes {
    pub(crate) fn new(settings: &BucketSettings, expected_size: Option<u64>) -> Self {
        let max_parts = settings.max_parts.max(1);
        let steady_parts = if expected_size.is_some() { max_parts - max_parts / 5 } else { max_parts - max_parts / 2 };
        let fitting = expected_size.unwrap_or(0).div_ceil(u64::from(steady_parts)).next_multiple_of(1 << 20);
        let first = settings.part_size.max(fitting).clamp(SMALLEST_PART, LARGEST_PART);
        Self { first, steady_parts, max_parts, equal: settings.equal_parts }
    }

    /// Bytes of part `number`, counted from 1; an error past the last one.
    pub(crate) fn size(&self, number: u32, key: &str) -> Result<usize, Error> {
        if number > self.max_parts {
            return Err(Error::TooManyParts { object: key.to_owned(), max_parts: self.max_parts });
        }
        let size = self.first << if self.equal { 0 } else { self.doublings(number) };
        Ok(usize::try_from(size.min(LARGEST_PART)).unwrap_or(usize::MAX))
    }

    fn doublings(&self, number: u32) -> u32 {
        let step = ((self.max_parts - self.steady_parts) / 10).max(1);
        number.checked_sub(self.steady_parts + 1).map_or(0, |beyond| (beyond / step + 1).min(DOUBLINGS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(change: impl FnOnce(&mut BucketSettings), expected: Option<u64>) -> PartSizes {
        let mut settings = BucketSettings::new("b", "p");
        change(&mut settings);
        PartSizes::new(&settings, expected)
    }

    fn total(sizes: PartSizes) -> u64 {
        (1..=sizes.max_parts).map(|number| sizes.size(number, "k").unwrap() as u64).sum()
    }

    #[test]
    fn ten_thousand_parts_of_unknown_length_reach_five_tebibytes() {
        assert!(total(sizes(|_| (), None)) >= 5 << 40);
    }

    #[test]
    fn the_first_forty_gigabytes_use_the_smallest_parts() {
        let sizes = sizes(|_| (), None);
        assert_eq!(sizes.size(1, "k").unwrap(), 8 << 20);
        assert_eq!(sizes.size(5_000, "k").unwrap(), 8 << 20);
        assert_eq!(sizes.size(5_001, "k").unwrap(), 16 << 20);
        assert_eq!(sizes.size(10_000, "k").unwrap(), 4 << 30);
    }

    #[test]
    fn an_expected_size_needs_no_growth_and_twice_the_estimate_still_fits() {
        let hundred_gigabytes = 100_000_000_000;
        let sizes = sizes(|_| (), Some(hundred_gigabytes));
        assert_eq!(sizes.size(1, "k").unwrap(), 12 << 20);
        assert_eq!(sizes.size(8_000, "k").unwrap(), 12 << 20);
        assert!(8_000 * (12 << 20) >= hundred_gigabytes);
        assert!(total(sizes) > 2 * hundred_gigabytes);
    }

    #[test]
    fn equal_parts_never_grow() {
        let sizes = sizes(|settings| settings.equal_parts = true, None);
        assert_eq!(sizes.size(10_000, "k").unwrap(), 8 << 20);
    }

    #[test]
    fn the_store_s_last_part_is_the_last() {
        let sizes = sizes(|settings| settings.max_parts = 1_000, None);
        assert!(sizes.size(1_000, "k").is_ok());
        assert!(matches!(sizes.size(1_001, "k"), Err(Error::TooManyParts { max_parts: 1_000, .. })));
    }

    #[test]
    fn parts_below_the_store_s_minimum_are_never_made() {
        assert_eq!(sizes(|settings| settings.part_size = 1, None).size(1, "k").unwrap(), 5 << 20);
    }
}
