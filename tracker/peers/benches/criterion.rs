//! The work under criterion: base and head are two builds of this.

use criterion::{Criterion, criterion_group, criterion_main};

fn percent() -> f64 {
    option_env!("PEER_PERCENT").and_then(|text| text.parse().ok()).unwrap_or(0.0)
}

fn works(criterion: &mut Criterion) {
    criterion.bench_function("compute", |bencher| bencher.iter(peers::compute(percent())));
    criterion.bench_function("stream", |bencher| bencher.iter(peers::stream(percent())));
}

criterion_group!(benches, works);
criterion_main!(benches);
