//! Answers of kernels: a few numbers of the result, compared with what plain arithmetic gives.

/// How many numbers of a result are looked at.
pub(crate) const LOOKS: usize = 5;

/// A few numbers of a result, spread over it, the first and the last among them.
pub(crate) fn sample(out: &[f32]) -> [f32; LOOKS] {
    std::array::from_fn(|look| out[place(look, out.len())])
}

/// Where in a result the number of that index in a sample stands.
pub(crate) const fn place(look: usize, len: usize) -> usize {
    look * (len - 1) / (LOOKS - 1)
}

/// A rule that compares a sample with the numbers that `truth` tells for its places. Those below 1 may be wrong by
/// `tolerance`, larger ones by that share of themselves.
pub(crate) fn near(
    len: usize,
    tolerance: f64,
    truth: impl Fn(usize) -> f64,
) -> impl Fn(&[f32; LOOKS]) -> Result<(), String> {
    move |got| {
        for (look, got) in got.iter().enumerate() {
            let at = place(look, len);
            let want = truth(at);
            if (f64::from(*got) - want).abs() > tolerance * want.abs().max(1.0) {
                return Err(format!("{got} at {at}, where plain arithmetic gives {want}"));
            }
        }
        Ok(())
    }
}
