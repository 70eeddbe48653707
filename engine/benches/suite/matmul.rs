//! Products of matrices, forward and backward, and of a vector with packed weights: floating point operations a second.

use engine::kernels::{Kernels, Matrix, MatrixMut, Onto, PackedMatrix, PackedQ8, PanelRoom, Quantised};
use engine::q8::{BLOCK, BLOCK_BYTES, Block};
use engine::seeded::fill_bell;
use tachograph_harness::Suite;

use super::near::{near, sample};

/// Outputs and inputs of matrices that the reference models multiply a token with.
const WEIGHTS: [(usize, usize); 3] = [(384, 128), (1_024, 256), (3_072, 768)];

pub(crate) fn offer(suite: &mut Suite<'_>) {
    for n in [64, 128, 256, 512, 1_024] {
        forward(suite, n);
    }
    for n in [64, 128, 256, 512] {
        backward(suite, n);
    }
    for (outputs, inputs) in WEIGHTS {
        vector(suite, outputs, inputs);
    }
    for (outputs, inputs) in WEIGHTS {
        quantised_vector(suite, outputs, inputs);
    }
}

pub(crate) fn numbers(seed: u64, len: usize) -> Vec<f32> {
    let mut numbers = vec![0.0; len];
    fill_bell(seed, 0, 0.1, &mut numbers);
    numbers
}

/// One number of a product, from functions that tell the factors' numbers.
pub(crate) fn entry(depth: usize, a: impl Fn(usize) -> f32, b: impl Fn(usize) -> f32) -> f64 {
    (0..depth).map(|k| f64::from(a(k)) * f64::from(b(k))).sum()
}

fn forward(suite: &mut Suite<'_>, n: usize) {
    let (a, b) = (numbers(1, n * n), numbers(2, n * n));
    let (x, y) = (a.clone(), b.clone());
    suite
        .benchmark(format_args!("kernel/matmul/{n}"), move || {
            let (a, b, kernels) = (a.clone(), b.clone(), Kernels::detect());
            let (mut out, mut room) = (vec![0.0; n * n], PanelRoom::default());
            move || {
                let to = MatrixMut::new(&mut out, n, n);
                kernels.matmul(Matrix::new(&a, n, n), Matrix::new(&b, n, n), Onto::Replace, to, &mut room);
                sample(&out)
            }
        })
        .throughput(2 * n * n * n, "FLOP")
        .check(near(n * n, 1e-4, move |at| entry(n, |k| x[at / n * n + k], |k| y[k * n + at % n])));
}

/// Both gradients of c = a · b: that of a is that of c times b turned over, that of b is a turned over times that of c.
fn backward(suite: &mut Suite<'_>, n: usize) {
    let (a, b, dc) = (numbers(1, n * n), numbers(2, n * n), numbers(3, n * n));
    let (y, z) = (b.clone(), dc.clone());
    suite
        .benchmark(format_args!("kernel/matmul_backward/{n}"), move || {
            let (a, b, dc, kernels) = (a.clone(), b.clone(), dc.clone(), Kernels::detect());
            let (mut da, mut db, mut room) = (vec![0.0; n * n], vec![0.0; n * n], PanelRoom::default());
            move || {
                let (a, b, dc) = (Matrix::new(&a, n, n), Matrix::new(&b, n, n), Matrix::new(&dc, n, n));
                kernels.matmul(dc, b.transposed(), Onto::Replace, MatrixMut::new(&mut da, n, n), &mut room);
                kernels.matmul(a.transposed(), dc, Onto::Replace, MatrixMut::new(&mut db, n, n), &mut room);
                sample(&da)
            }
        })
        .throughput(4 * n * n * n, "FLOP")
        .check(near(n * n, 1e-4, move |at| entry(n, |k| z[at / n * n + k], |k| y[at % n * n + k])));
}

/// A token's way through a matrix of weights. The bytes that it reads are what takes the time.
fn vector(suite: &mut Suite<'_>, outputs: usize, inputs: usize) {
    let (rows, x) = (numbers(1, outputs * inputs), numbers(2, inputs));
    let (w, v) = (rows.clone(), x.clone());
    suite
        .benchmark(format_args!("kernel/matvec/{outputs}x{inputs}"), move || {
            let (weights, x, kernels) = (PackedMatrix::of(&rows, outputs, inputs), x.clone(), Kernels::detect());
            let mut out = vec![0.0; outputs];
            move || {
                let to = MatrixMut::new(&mut out, 1, outputs);
                kernels.matmul_packed(Matrix::new(&x, 1, inputs), &weights.view(), None, to);
                sample(&out)
            }
        })
        .bytes(outputs * inputs * 4)
        .check(near(outputs, 1e-4, move |at| entry(inputs, |k| w[at * inputs + k], |k| v[k])));
}

/// The same with a byte a weight, the token's own quantising with it.
fn quantised_vector(suite: &mut Suite<'_>, outputs: usize, inputs: usize) {
    let (rows, x) = (numbers(1, outputs * inputs), numbers(2, inputs));
    let blocks: Vec<Block> = rows.as_chunks().0.iter().map(Block::of).collect();
    let packed = blocks.clone();
    let v = x.clone();
    suite
        .benchmark(format_args!("kernel/matvec_q8/{outputs}x{inputs}"), move || {
            let (weights, x, kernels) = (PackedQ8::of(&packed, outputs, inputs), x.clone(), Kernels::detect());
            let (mut out, mut quantised) = (vec![0.0; outputs], Quantised::with_room_for(inputs));
            move || {
                kernels.quantise(Matrix::new(&x, 1, inputs), &mut quantised);
                let part = weights.part(0..outputs, 0..inputs);
                kernels.matmul_q8(&quantised, &part, None, MatrixMut::new(&mut out, 1, outputs));
                sample(&out)
            }
        })
        .bytes(outputs * inputs / BLOCK * BLOCK_BYTES)
        // Activations are rounded to 1/127 of the largest of 32: some hundredths of a product's own size.
        .check(near(outputs, 0.01, move |at| {
            entry(inputs, |k| blocks[(at * inputs + k) / BLOCK].weights()[k % BLOCK], |k| v[k])
        }));
}
