//! Fifty benchmarks of every day: ten kinds of work in five sizes.

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;

use tachograph_harness::Suite;

const SIZES: [u64; 5] = [16, 128, 1 << 10, 1 << 13, 1 << 16];

/// Numbers without a pattern.
fn numbers(count: u64) -> Vec<u64> {
    (0..count).map(|at| (at ^ 0x9e37_79b9).wrapping_mul(0x5851_f42d_4c95_7f2d) >> 7).collect()
}

/// Offers all of them.
pub(crate) fn offer(suite: &mut Suite<'_>) {
    for size in SIZES {
        let mut add = |kind: &str, work: fn(&[u64]) -> u64| {
            suite.benchmark(format!("{kind}/{size}"), move || {
                let numbers = numbers(size);
                move || work(black_box(&numbers))
            });
        };
        add("chain", |all| all.iter().fold(1, |value, one| (value ^ one).wrapping_mul(0x5851_f42d_4c95_7f2d) >> 1));
        add("sum", |all| all.iter().fold(0, |sum, one| sum.wrapping_add(*one)));
        add("highest", |all| all.iter().copied().max().unwrap_or(0));
        add("sort", |all| {
            let mut all = all.to_vec();
            all.sort_unstable();
            all[all.len() / 2]
        });
        add("map", |all| all.iter().map(|one| (*one, 1)).collect::<HashMap<u64, u64>>().len() as u64);
        add("tree", |all| all.iter().map(|one| (*one, 1)).collect::<BTreeMap<u64, u64>>().len() as u64);
        add("write", |all| all.iter().map(|one| one.to_string().len() as u64).sum());
        add("read", |all| {
            all.iter().filter_map(|one| format!("{one:x}").parse::<u64>().ok()).fold(0, u64::wrapping_add)
        });
        add("search", |all| all.iter().filter(|one| all.binary_search(one).is_ok()).count() as u64);
        add("copy", |all| black_box(all.to_vec()).len() as u64);
    }
}
