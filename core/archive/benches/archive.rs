//! How fast the hot parts are, each alone on one core: `cargo bench -p archive --bench archive`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark that can't run says so by ending"
)]
#![allow(missing_docs, reason = "criterion's macros write none")]

mod parts;

use archive::Compression;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};

/// More than a cache holds.
const SIZE: usize = 64 << 20;

fn hot_parts(criterion: &mut Criterion) {
    let archive = parts::archive(SIZE);
    let mut group = criterion.benchmark_group("archive");
    // Of the archive before it was compressed, for every part: so that they compare.
    group.sample_size(10).throughput(Throughput::Bytes(archive.len() as u64));
    group.bench_function("walk", |bencher| bencher.iter(|| parts::walk(&archive)));
    group.bench_function("walk's SHA-256 alone", |bencher| bencher.iter(|| parts::hash_rows(&archive)));
    group.bench_function("weave", |bencher| bencher.iter(|| parts::weave(&archive)));
    group.bench_function("digest", |bencher| bencher.iter(|| parts::digest(&archive)));
    for compression in [Compression::Gzip, Compression::Zstd] {
        compressed(&mut group, &archive, compression);
    }
    group.finish();
}

fn compressed(group: &mut BenchmarkGroup<'_, WallTime>, archive: &[u8], compression: Compression) {
    let stored = parts::stored(archive, compression);
    group.bench_function(format!("{compression}/compress"), |bencher| {
        bencher.iter(|| parts::stored(archive, compression));
    });
    group.bench_function(format!("{compression}/expand"), |bencher| bencher.iter(|| parts::expand(&stored)));
    group.bench_function(format!("{compression}/inspect"), |bencher| bencher.iter(|| parts::inspect(&stored)));
}

criterion_group!(benches, hot_parts);
criterion_main!(benches);
