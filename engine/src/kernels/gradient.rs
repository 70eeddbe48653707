//! What training needs beside the products of matrices: the ways back through the kernels, and the optimiser's step.
//!
//! These are plain loops, sixteen lanes at a time where they sum, and compiled once for each instruction set: there is
//! one text of each, and the tests compare it with 64-bit arithmetic.

use super::{Kernels, Level, NORM_EPSILON};

/// eʳ for |r| ≤ ½ ln 2, the highest power first: of all polynomials of degree 5 that are 1 at zero, the one whose largest
/// relative error is least, 9·10⁻⁸.
const EXPONENTIAL: [f32; 6] = [0.008_290_314, 0.041_897_93, 0.166_676_36, 0.499_991_5, 0.999_999_76, 1.0];

/// Lanes of a sum: one register of the widest set, two of the next.
const LANES: usize = 16;

/// Compiles a plain loop for the level's instruction set.
macro_rules! compiled_for_level {
    ($self:ident, $kernel:ident ( $($name:ident : $type:ty),* ) $(-> $result:ty)?) => {
        match $self.level {
            Level::Scalar => $kernel($($name),*),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => {
                #[target_feature(enable = "avx2,fma,f16c")]
                fn enabled($($name: $type),*) $(-> $result)? {
                    $kernel($($name),*)
                }
                // SAFETY: the level says that the processor has the instructions.
                unsafe { enabled($($name),*) }
            }
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => {
                #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
                fn enabled($($name: $type),*) $(-> $result)? {
                    $kernel($($name),*)
                }
                // SAFETY: as above.
                unsafe { enabled($($name),*) }
            }
        }
    };
}

/// How an [`adamw`](Kernels::adamw) step is taken.
#[derive(Clone, Copy, Debug)]
pub struct AdamwStep {
    /// The learning rate.
    pub rate: f32,
    /// How much of the mean of gradients stays.
    pub mean_decay: f32,
    /// How much of the mean of their squares stays.
    pub square_decay: f32,
    /// What keeps the division from growing without bound.
    pub epsilon: f32,
    /// How much weights shrink, per rate.
    pub weight_decay: f32,
    /// By what gradients are multiplied first.
    pub gradient_scale: f32,
    /// 1 / (1 − `mean_decay`ⁿ) after n steps: the means began at zero.
    pub mean_correction: f32,
    /// 1 / (1 − `square_decay`ⁿ).
    pub square_correction: f32,
}

#[allow(clippy::missing_panics_doc, reason = "they all panic for the same reason: lengths that do not fit")]
impl Kernels {
    /// Turns the gradient of GELU(x) into that of x.
    pub fn gelu_backward(self, x: &[f32], gradient: &mut [f32]) {
        assert!(x.len() == gradient.len(), "lengths differ");
        compiled_for_level!(self, gelu_backward(x: &[f32], gradient: &mut [f32]));
    }

    /// Turns the gradient of p = softmax(`scale` · x) into that of x, for one row.
    pub fn softmax_backward(self, p: &[f32], gradient: &mut [f32], scale: f32) {
        assert!(p.len() == gradient.len(), "lengths differ");
        compiled_for_level!(self, softmax_backward(p: &[f32], gradient: &mut [f32], scale: f32));
    }

    /// Adds to `dx` the gradient of one row that was normalised, and to `dgain` and `dbias` what it says of those.
    pub fn layer_norm_backward(
        self,
        x: &[f32],
        gain: &[f32],
        gradient: &[f32],
        dx: &mut [f32],
        (dgain, dbias): (&mut [f32], &mut [f32]),
    ) {
        let lens = [gain.len(), gradient.len(), dx.len(), dgain.len(), dbias.len()];
        assert!(lens.iter().all(|len| *len == x.len()), "lengths differ");
        compiled_for_level!(self, layer_norm_backward(
            x: &[f32], gain: &[f32], gradient: &[f32], dx: &mut [f32], dgain: &mut [f32], dbias: &mut [f32]
        ));
    }

    /// Replaces one row of logits by the gradient of `scale` · −ln softmax(logits) at `target`, and returns that loss
    /// without the scale.
    pub fn cross_entropy_backward(self, logits: &mut [f32], target: usize, scale: f32) -> f32 {
        assert!(target < logits.len(), "no logit for token {target}");
        self.softmax_in_place(logits);
        let loss = -logits[target].max(f32::MIN_POSITIVE).ln();
        logits[target] -= 1.0;
        compiled_for_level!(self, multiply(logits: &mut [f32], scale: f32));
        loss
    }

    /// Moves weights against their gradients: Adam with decoupled weight decay (Loshchilov and Hutter, 2019).
    pub fn adamw(
        self,
        step: &AdamwStep,
        weights: &mut [f32],
        gradients: &[f32],
        (means, squares): (&mut [f32], &mut [f32]),
    ) {
        let lens = [gradients.len(), means.len(), squares.len()];
        assert!(lens.iter().all(|len| *len == weights.len()), "lengths differ");
        compiled_for_level!(self, adamw(
            step: &AdamwStep, weights: &mut [f32], gradients: &[f32], means: &mut [f32], squares: &mut [f32]
        ));
    }
}

/// The sum of the lanes and of what is left over.
#[inline(always)]
fn total(lanes: [f32; LANES], rest: impl Iterator<Item = f32>) -> f32 {
    lanes.iter().sum::<f32>() + rest.sum::<f32>()
}

#[inline(always)]
fn multiply(x: &mut [f32], by: f32) {
    for x in x {
        *x *= by;
    }
}

/// Σ a·b
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            lanes[lane] = a[lane].mul_add(b[lane], lanes[lane]);
        }
    }
    total(lanes, a_rest.iter().zip(b_rest).map(|(a, b)| a * b))
}

/// eˣ by the same reduction and polynomial as the vector kernels'.
#[inline(always)]
fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.3, 88.0);
    let n = (x * std::f32::consts::LOG2_E).round_ties_even();
    let r = n.mul_add(2.121_944_4e-4, n.mul_add(-0.693_359_4, x));
    let mut p = EXPONENTIAL[0];
    for coefficient in &EXPONENTIAL[1..] {
        p = r.mul_add(p, *coefficient);
    }
    #[allow(clippy::cast_sign_loss, reason = "between 1 and 254")]
    let power = f32::from_bits((n as i32 + 127) as u32 * (1 << 23));
    p * power
}

/// GELU(x) = x·s with s = 1 / (1 + e⁻²ᵘ), u = √(2/π)·(x + 0.044715x³); so its slope is s + x·s·(1 − s)·2u′.
#[inline(always)]
fn gelu_backward(x: &[f32], gradient: &mut [f32]) {
    const TWICE: f32 = 1.595_769; // 2·√(2/π)
    const CUBIC: f32 = 0.044_715;
    for (gradient, x) in gradient.iter_mut().zip(x) {
        // Beyond, the slope is 0 or 1 to the last bit, and a larger cube would only overflow.
        let x = x.clamp(-30.0, 30.0);
        let squared = x * x;
        let s = 1.0 / (1.0 + exp(-TWICE * x * squared.mul_add(CUBIC, 1.0)));
        let slope = TWICE * squared.mul_add(3.0 * CUBIC, 1.0);
        *gradient *= (x * slope * (1.0 - s)).mul_add(s, s);
    }
}

/// dxᵢ = scale · pᵢ · (dpᵢ − Σ p·dp)
#[inline(always)]
fn softmax_backward(p: &[f32], gradient: &mut [f32], scale: f32) {
    let mean = dot(p, gradient);
    for (gradient, p) in gradient.iter_mut().zip(p) {
        *gradient = scale * p * (*gradient - mean);
    }
}

/// With y = gain · z + bias and z = (x − mean) / deviation: dz = gain · dy, and
/// dx = (dz − mean of dz − z · mean of z·dz) / deviation.
#[inline(always)]
fn layer_norm_backward(
    x: &[f32],
    gain: &[f32],
    gradient: &[f32],
    dx: &mut [f32],
    dgain: &mut [f32],
    dbias: &mut [f32],
) {
    let count = x.len() as f32;
    let mean = sum(x) / count;
    let scale = 1.0 / (squares_about(x, mean) / count + NORM_EPSILON).sqrt();
    let mean_dz = dot(gain, gradient) / count;
    let mean_zdz = centred_dot(x, mean, gain, gradient) * scale / count;
    let each = dx.iter_mut().zip(dgain).zip(dbias).zip(x).zip(gain).zip(gradient);
    for (((((dx, dgain), dbias), x), gain), dy) in each {
        let z = (x - mean) * scale;
        *dgain = dy.mul_add(z, *dgain);
        *dbias += dy;
        *dx = z.mul_add(-mean_zdz, gain.mul_add(*dy, -mean_dz)).mul_add(scale, *dx);
    }
}

#[inline(always)]
fn sum(x: &[f32]) -> f32 {
    let (chunks, rest) = x.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += chunk[lane];
        }
    }
    total(lanes, rest.iter().copied())
}

/// Σ (x − mean)²
#[inline(always)]
fn squares_about(x: &[f32], mean: f32) -> f32 {
    let (chunks, rest) = x.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            let distance = chunk[lane] - mean;
            lanes[lane] = distance.mul_add(distance, lanes[lane]);
        }
    }
    total(lanes, rest.iter().map(|x| (x - mean) * (x - mean)))
}

/// Σ (x − mean)·a·b
#[inline(always)]
fn centred_dot(x: &[f32], mean: f32, a: &[f32], b: &[f32]) -> f32 {
    let ((x, x_rest), (a, a_rest), (b, b_rest)) =
        (x.as_chunks::<LANES>(), a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0.0; LANES];
    for ((x, a), b) in x.iter().zip(a).zip(b) {
        for lane in 0..LANES {
            lanes[lane] = (x[lane] - mean).mul_add(a[lane] * b[lane], lanes[lane]);
        }
    }
    total(lanes, x_rest.iter().zip(a_rest).zip(b_rest).map(|((x, a), b)| (x - mean) * a * b))
}

#[inline(always)]
fn adamw(step: &AdamwStep, weights: &mut [f32], gradients: &[f32], means: &mut [f32], squares: &mut [f32]) {
    let keep = 1.0 - step.rate * step.weight_decay;
    for (((weight, gradient), mean), square) in weights.iter_mut().zip(gradients).zip(means).zip(squares) {
        let gradient = gradient * step.gradient_scale;
        *mean = step.mean_decay.mul_add(*mean, (1.0 - step.mean_decay) * gradient);
        *square = step.square_decay.mul_add(*square, (1.0 - step.square_decay) * gradient * gradient);
        let deviation = (*square * step.square_correction).sqrt() + step.epsilon;
        *weight = keep * *weight - step.rate * (*mean * step.mean_correction) / deviation;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeded::Random;

    const LENGTHS: [usize; 6] = [1, 15, 16, 33, 128, 259];

    fn bell(random: &mut Random, count: usize) -> Vec<f32> {
        (0..count).map(|_| random.bell()).collect()
    }

    #[track_caller]
    fn assert_near(got: &[f32], want: &[f64]) {
        for (index, (got, want)) in got.iter().zip(want).enumerate() {
            assert!((f64::from(*got) - want).abs() < 2e-5 * want.abs().max(1.0), "{got} for {want} at {index}");
        }
    }

    /// The slope of `f` at each of the inputs, in the direction of `gradient`: central differences in 64 bits.
    fn differences(x: &[f32], gradient: &[f32], f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
        const H: f64 = 1e-5;
        let exact: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        let along = |x: &[f64]| -> f64 { f(x).iter().zip(gradient).map(|(y, g)| y * f64::from(*g)).sum() };
        let moved = |index: usize, by: f64| {
            let mut x = exact.clone();
            x[index] += by;
            along(&x)
        };
        (0..x.len()).map(|index| (moved(index, H) - moved(index, -H)) / (2.0 * H)).collect()
    }

    #[test]
    fn the_way_back_through_gelu_is_its_slope() {
        let mut random = Random::new(1);
        for kernels in Kernels::available() {
            let mut x = bell(&mut random, 200);
            x.extend([0.0, 6.0, -6.0, 40.0, -40.0]);
            let given = bell(&mut random, x.len());
            let mut got = given.clone();
            kernels.gelu_backward(&x, &mut got);
            let gelu =
                |x: f64| 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh());
            let slope = |x: f64| (gelu(x + 1e-5) - gelu(x - 1e-5)) / 2e-5;
            let want: Vec<f64> = x.iter().zip(&given).map(|(x, g)| slope(f64::from(*x)) * f64::from(*g)).collect();
            assert_near(&got, &want);
        }
    }

    #[test]
    fn the_way_back_through_a_softmax_is_its_slope() {
        let mut random = Random::new(2);
        for (kernels, length) in Kernels::available().into_iter().flat_map(|k| LENGTHS.map(|length| (k, length))) {
            let (x, given) = (bell(&mut random, length), bell(&mut random, length));
            let softmax = |x: &[f64]| -> Vec<f64> {
                let sum: f64 = x.iter().map(|x| (0.3 * x).exp()).sum();
                x.iter().map(|x| (0.3 * x).exp() / sum).collect()
            };
            let (mut p, mut got) = (x.clone(), given.clone());
            kernels.scaled_softmax_in_place(&mut p, 0.3);
            kernels.softmax_backward(&p, &mut got, 0.3);
            assert_near(&got, &differences(&x, &given, softmax));
        }
    }

    #[test]
    fn the_way_back_through_a_normalisation_is_its_slope() {
        let norm = |x: &[f64], gain: &[f64], bias: &[f64]| -> Vec<f64> {
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
            let scale = 1.0 / (variance + f64::from(NORM_EPSILON)).sqrt();
            x.iter().zip(gain).zip(bias).map(|((x, gain), bias)| (x - mean) * scale * gain + bias).collect()
        };
        let mut random = Random::new(3);
        for (kernels, length) in
            Kernels::available().into_iter().flat_map(|k| LENGTHS[2..].iter().map(move |l| (k, *l)))
        {
            let (x, gain, bias) = (bell(&mut random, length), bell(&mut random, length), bell(&mut random, length));
            let given = bell(&mut random, length);
            let wide = |x: &[f32]| -> Vec<f64> { x.iter().map(|x| f64::from(*x)).collect() };
            let (mut dx, mut dgain, mut dbias) = (vec![1.0; length], vec![0.0; length], vec![0.0; length]);
            kernels.layer_norm_backward(&x, &gain, &given, &mut dx, (&mut dgain, &mut dbias));
            let want = differences(&x, &given, |x| norm(x, &wide(&gain), &wide(&bias)));
            assert_near(&dx, &want.iter().map(|want| want + 1.0).collect::<Vec<_>>());
            assert_near(&dgain, &differences(&gain, &given, |gain| norm(&wide(&x), gain, &wide(&bias))));
            assert_eq!(dbias, given);
        }
    }

    #[test]
    fn the_loss_of_a_row_and_its_slope_are_those_of_the_definition() {
        let mut random = Random::new(4);
        for kernels in Kernels::available() {
            let logits = bell(&mut random, 100);
            let loss = |x: &[f64]| vec![x.iter().map(|x| x.exp()).sum::<f64>().ln() - x[7]];
            let mut got = logits.clone();
            let told = kernels.cross_entropy_backward(&mut got, 7, 0.5);
            let exact: Vec<f64> = logits.iter().map(|x| f64::from(*x)).collect();
            assert_near(&[told], &loss(&exact));
            assert_near(&got, &differences(&logits, &[0.5], loss));
        }
    }

    #[test]
    fn a_step_of_the_optimiser_is_that_of_the_paper() {
        let mut random = Random::new(5);
        let step = AdamwStep {
            rate: 0.01,
            mean_decay: 0.9,
            square_decay: 0.95,
            epsilon: 1e-8,
            weight_decay: 0.1,
            gradient_scale: 0.5,
            mean_correction: 1.0 / (1.0 - 0.9),
            square_correction: 1.0 / (1.0 - 0.95),
        };
        for kernels in Kernels::available() {
            let (before, gradients) = (bell(&mut random, 50), bell(&mut random, 50));
            let (mut weights, mut means, mut squares) = (before.clone(), vec![0.0; 50], vec![0.0; 50]);
            kernels.adamw(&step, &mut weights, &gradients, (&mut means, &mut squares));
            // After one step, mean and root of the mean square are the gradient itself and its size.
            let want: Vec<f64> = before
                .iter()
                .zip(&gradients)
                .map(|(w, g)| f64::from(*w) * (1.0 - 0.01 * 0.1) - 0.01 * f64::from(g.signum()))
                .collect();
            assert_near(&weights, &want);
        }
    }
}
