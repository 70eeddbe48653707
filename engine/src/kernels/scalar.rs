//! The kernels written out plainly: the truth that the fast ones are compared with, and what runs where there are no
//! vectors.

use super::matmul::{Matrix, MatrixMut, Onto};
use super::packed::PackedView;
use super::quantised::{Q8View, Quantised, scale_of};
use super::tile::{Start, Tile};
use crate::half::{from_half, to_half};
use crate::q8::BLOCK;

pub(super) fn add(a: &[f32], b: &[f32], out: &mut [f32]) {
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = a + b;
    }
}

pub(super) fn mul(a: &[f32], b: &[f32], out: &mut [f32]) {
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = a * b;
    }
}

pub(super) fn add_in_place(a: &mut [f32], b: &[f32]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a += b;
    }
}

pub(super) fn mul_in_place(a: &mut [f32], b: &[f32]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a *= b;
    }
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// to[column][row] = from[row][column]
pub(super) fn turn(from: &[f32], from_step: usize, rows: usize, columns: usize, to: &mut [f32], to_step: usize) {
    for column in 0..columns {
        for row in 0..rows {
            to[column * to_step + row] = from[row * from_step + column];
        }
    }
}

pub(super) fn largest(x: &[f32]) -> f32 {
    x.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

pub(super) fn relu(x: &[f32], out: &mut [f32]) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = x.max(0.0);
    }
}

pub(super) fn relu_in_place(x: &mut [f32]) {
    for x in x {
        *x = x.max(0.0);
    }
}

/// The tanh form: ½x·(1 + tanh(√(2/π)·(x + 0.044715x³))).
fn gelu_of(x: f32) -> f32 {
    let u = (2.0 / std::f64::consts::PI).sqrt() * (f64::from(x) + 0.044_715 * f64::from(x).powi(3));
    (0.5 * f64::from(x) * (1.0 + u.tanh())) as f32
}

pub(super) fn gelu(x: &[f32], out: &mut [f32]) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = gelu_of(*x);
    }
}

pub(super) fn gelu_in_place(x: &mut [f32]) {
    for x in x {
        *x = gelu_of(*x);
    }
}

pub(super) fn softmax(x: &[f32], out: &mut [f32]) {
    out.copy_from_slice(x);
    softmax_in_place(out, 1.0);
}

pub(super) fn softmax_in_place(x: &mut [f32], scale: f32) {
    let largest = largest(x);
    let exp = |x: f32| (f64::from(scale) * f64::from(x - largest)).exp();
    let sum: f64 = x.iter().map(|x| exp(*x)).sum();
    for x in x {
        *x = (exp(*x) / sum) as f32;
    }
}

pub(super) fn layer_norm(x: &[f32], gain: &[f32], bias: &[f32], out: &mut [f32]) {
    for (x, out) in x.chunks_exact(gain.len()).zip(out.chunks_exact_mut(gain.len())) {
        layer_norm_row(x, gain, bias, out);
    }
}

fn layer_norm_row(x: &[f32], gain: &[f32], bias: &[f32], out: &mut [f32]) {
    // Welford's: mean and sum of squared distances in one pass, without the difference of two large sums.
    let (mut mean, mut squares) = (0.0_f64, 0.0_f64);
    for (index, x) in x.iter().enumerate() {
        let distance = f64::from(*x) - mean;
        mean += distance / (index + 1) as f64;
        squares += distance * (f64::from(*x) - mean);
    }
    let scale = 1.0 / (squares / x.len() as f64 + f64::from(super::NORM_EPSILON)).sqrt();
    for (((out, x), gain), bias) in out.iter_mut().zip(x).zip(gain).zip(bias) {
        *out = ((f64::from(*x) - mean) * scale) as f32 * gain + bias;
    }
}

pub(super) fn matmul(a: Matrix<'_>, b: impl Fn(usize, usize) -> f32, onto: Onto, mut out: MatrixMut<'_>) {
    for row in 0..a.rows() {
        for column in 0..out.columns() {
            let sum: f64 = (0..a.columns()).map(|k| f64::from(a.at(row, k)) * f64::from(b(k, column))).sum();
            let place = out.at_mut(row, column);
            *place = match onto {
                Onto::Replace => sum as f32,
                Onto::Add => *place + sum as f32,
            };
        }
    }
}

pub(super) fn matmul_packed(x: Matrix<'_>, weights: &PackedView<'_>, bias: Option<&[f32]>, mut out: MatrixMut<'_>) {
    for row in 0..x.rows() {
        for output in 0..weights.outputs() {
            let sum: f64 = (0..x.columns()).map(|k| f64::from(x.at(row, k)) * f64::from(weights.at(output, k))).sum();
            *out.at_mut(row, output) = (sum + bias.map_or(0.0, |bias| f64::from(bias[output]))) as f32;
        }
    }
}

/// # Safety
/// The tile's pointers must be good for its shape.
pub(super) unsafe fn tile(tile: &Tile) {
    for row in 0..tile.rows {
        for column in 0..tile.columns {
            // SAFETY: the caller's.
            unsafe {
                let out = tile.out.add(row * tile.out_row + column);
                let a = tile.a.add(row * tile.a_row);
                let start = match tile.start {
                    Start::Zero => 0.0,
                    Start::Bias(bias) => *bias.add(column),
                    Start::Resume => *out,
                };
                let product =
                    |k: usize| f64::from(*a.add(k * tile.a_step)) * f64::from(*tile.b.add(k * tile.b_step + column));
                *out = (f64::from(start) + (0..tile.depth).map(product).sum::<f64>()) as f32;
            }
        }
    }
}

pub(super) fn quantise_row(x: &[f32], steps: &mut [i8], scales: &mut [f32], corrections: &mut [i32]) {
    for (index, x) in x.chunks_exact(BLOCK).enumerate() {
        let largest = x.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
        let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
        let steps = &mut steps[index * BLOCK..][..BLOCK];
        for (step, x) in steps.iter_mut().zip(x) {
            *step = (x * inverse).round_ties_even() as i8;
        }
        scales[index] = from_half(to_half(largest / 127.0));
        corrections[index] = -128 * steps.iter().map(|step| i32::from(*step)).sum::<i32>();
    }
}

pub(super) fn matmul_q8(x: &Quantised, weights: &Q8View<'_>, bias: Option<&[f32]>, mut out: MatrixMut<'_>) {
    for row in 0..x.rows() {
        for output in 0..weights.outputs() {
            let mut sum = 0.0;
            for index in 0..weights.inputs() / BLOCK {
                let (steps, scale) = x.at(row, index);
                let block = weights.block(output, index);
                let whole: i32 = steps.iter().zip(block.steps).map(|(x, w)| i32::from(*x) * i32::from(w)).sum();
                sum += whole as f32 * (scale * scale_of(&block));
            }
            *out.at_mut(row, output) = sum + bias.map_or(0.0, |bias| bias[output]);
        }
    }
}
