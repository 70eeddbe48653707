//! Reductions over rows of costs, eight at a time: a plain fold waits for each addition before it begins the next.

const LANES: usize = 8;

fn reduce(values: &[f32], start: f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [start; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = join(*lane, *value);
        }
    }
    lanes.iter().chain(rest).fold(start, |one, other| join(one, *other))
}

/// The least of `values`.
pub(super) fn least(values: &[f32]) -> f32 {
    reduce(values, f32::INFINITY, |one, other| if other < one { other } else { one })
}

/// The largest of `values`, which are not below zero.
pub(super) fn most(values: &[f32]) -> f32 {
    reduce(values, 0.0, |one, other| if other > one { other } else { one })
}

/// The sum of `values`.
pub(super) fn sum(values: &[f32]) -> f32 {
    reduce(values, 0.0, |one, other| one + other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reductions_are_those_of_a_plain_fold() {
        for n in [0, 1, 7, 8, 9, 100] {
            let values: Vec<f32> = (0..n).map(|at: u16| f32::from(at * 37 % 101) + 1.0).collect();
            assert!((least(&values) - values.iter().copied().fold(f32::INFINITY, f32::min)).abs() < 1e-6 || n == 0);
            assert!((most(&values) - values.iter().copied().fold(0.0, f32::max)).abs() < 1e-6);
            assert!((sum(&values) - values.iter().sum::<f32>()).abs() < 1e-2);
        }
    }
}
