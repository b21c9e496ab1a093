//! What can happen to bytes, and to what is said of them.

use archive::{Census, TableCensus};

/// Numbers that look random and are the same each time (splitmix64).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xD134_2543_DE82_EF95))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below this one, or 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// A range of at most so many bytes.
    fn range(&mut self, of: &[u8], longest: usize) -> std::ops::Range<usize> {
        let begin = self.below(of.len());
        begin..(begin + 1 + self.below(longest)).min(of.len())
    }
}

/// An archive, another one, and where.
type Change = fn(&[u8], &[u8], &mut Random) -> Vec<u8>;

pub(super) const KINDS: [(&str, Change); 13] = [
    ("a flipped bit", flip),
    ("a cut", |bytes, _, random| bytes[..random.below(bytes.len())].to_vec()),
    ("two blocks that changed places", swap),
    ("bytes put in", |bytes, other, random| {
        let at = random.below(bytes.len());
        [&bytes[..at], &other[random.range(other, 4096)], &bytes[at..]].concat()
    }),
    ("zeros", |bytes, _, random| {
        let mut changed = bytes.to_vec();
        changed[random.range(bytes, 8192)].fill(0);
        changed
    }),
    ("bytes of another archive", |bytes, other, random| {
        let mut changed = bytes.to_vec();
        let range = random.range(&bytes[..bytes.len().min(other.len())], 8192);
        changed[range.clone()].copy_from_slice(&other[range]);
        changed
    }),
    ("bytes at the end", |bytes, other, random| [bytes, &other[random.range(other, 8192)]].concat()),
    ("bytes left out", |bytes, _, random| {
        let range = random.range(bytes, 8192);
        [&bytes[..range.start], &bytes[range.end..]].concat()
    }),
    ("bytes twice", |bytes, _, random| {
        let range = random.range(bytes, 8192);
        [&bytes[..range.end], &bytes[range.start..]].concat()
    }),
    ("a length that lies", lie),
    ("a member of another archive", |bytes, other, random| {
        let (mut members, others) = (members(bytes), members(other));
        let at = random.below(members.len());
        members[at] = others[random.below(others.len())];
        members.concat()
    }),
    ("members in another order", |bytes, _, random| {
        let mut members = members(bytes);
        let (one, other) = (random.below(members.len()), random.below(members.len()));
        members.swap(one, other);
        members.concat()
    }),
    ("a member left out or twice", |bytes, _, random| {
        let mut members = members(bytes);
        let at = random.below(members.len());
        if random.below(2) == 0 {
            members.remove(at);
        } else {
            members.insert(at, members[at]);
        }
        members.concat()
    }),
];

fn flip(bytes: &[u8], _: &[u8], random: &mut Random) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let bit = random.below(bytes.len() * 8);
    changed[bit / 8] ^= 1 << (bit % 8);
    changed
}

fn swap(bytes: &[u8], _: &[u8], random: &mut Random) -> Vec<u8> {
    let size = [512, 4096, 65_536][random.below(3)].min(bytes.len() / 2);
    let blocks = bytes.len() / size;
    let (one, other) = (random.below(blocks), random.below(blocks));
    let mut changed = bytes.to_vec();
    changed[one * size..][..size].copy_from_slice(&bytes[other * size..][..size]);
    changed[other * size..][..size].copy_from_slice(&bytes[one * size..][..size]);
    changed
}

/// Four bytes that claim gigabytes, nothing, or less than nothing: as often near the beginning, where most lengths are.
fn lie(bytes: &[u8], _: &[u8], random: &mut Random) -> Vec<u8> {
    const LIES: [u32; 6] = [u32::MAX, 0x7fff_ffff, 0x8000_0000, 0, 1, 0xff00_0000];
    let mut changed = bytes.to_vec();
    let near = if random.below(2) == 0 { bytes.len().min(4096) } else { bytes.len() };
    let at = random.below(near.saturating_sub(4));
    let lie = LIES[random.below(LIES.len())].to_le_bytes();
    changed.iter_mut().skip(at).zip(lie).for_each(|(byte, lie)| *byte = lie);
    changed
}

/// Our own gzip members, whose length is in each; of anything else, blocks.
fn members(bytes: &[u8]) -> Vec<&[u8]> {
    let (mut members, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let is_ours = rest.starts_with(&[0x1f, 0x8b, 8, 4]) && rest.get(12..14) == Some(b"LG");
        let length = if is_ours { u32::from_le_bytes(rest[16..20].try_into().unwrap()) as usize } else { 16 << 10 };
        let (member, behind) = rest.split_at(length.clamp(1, rest.len()));
        members.push(member);
        rest = behind;
    }
    members
}

type Forgery = fn(&mut Census);

/// What a manifest may say wrongly of its content.
pub(super) const FORGERIES: [(&str, Forgery); 11] = [
    ("a row more", |census| table(census).rows = table(census).rows.map_or(Some(1), |rows| Some(rows + 1))),
    ("rows that were counted, or weren't", |census| table(census).rows = table(census).rows.xor(Some(1))),
    ("a byte more", |census| table(census).bytes += 1),
    ("other rows", |census| table(census).sha256.0[31] ^= 1),
    ("another table", |census| table(census).name.push('x')),
    ("another schema", |census| table(census).schema.push('x')),
    ("a table less", |census| drop(census.tables.pop())),
    ("a table more", |census| {
        census.tables.push(TableCensus { schema: "public".into(), name: "more".into(), ..TableCensus::default() });
    }),
    ("a table twice", |census| {
        let twice = table(census).clone();
        census.tables.push(twice);
    }),
    ("a large object more", |census| census.large_objects.count += 1),
    ("other large objects", |census| census.large_objects.sha256.0[0] ^= 1),
];

/// The largest.
fn table(census: &mut Census) -> &mut TableCensus {
    census.tables.iter_mut().max_by_key(|table| table.bytes).unwrap()
}
