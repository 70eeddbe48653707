//! Kernels that are bound by memory rather than arithmetic: bytes a second, of what is read and what is written.

use engine::kernels::{Kernels, NORM_EPSILON};
use tachograph_harness::{Group, Suite};

use super::matmul::numbers;
use super::near::{near, sample};

/// Numbers of a vector: in the first cache, the second, the third.
const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// What only memory holds.
const LARGE: usize = 10_000_000;

/// The length of the bias that is added to each row.
const BIAS: usize = 250;

pub(crate) fn offer(suite: &mut Suite<'_>) {
    for n in SIZES {
        one_operand(&mut suite.group("kernel/gelu"), n, Kernels::gelu, gelu);
    }
    for n in SIZES {
        one_operand(&mut suite.group("kernel/relu"), n, Kernels::relu, |x| x.max(0.0));
    }
    for n in SIZES.into_iter().chain([LARGE]) {
        two_operands(&mut suite.group("kernel/add"), n, n, Kernels::add, |a, b| a + b);
    }
    for n in SIZES.into_iter().chain([LARGE]) {
        two_operands(&mut suite.group("kernel/mul"), n, n, Kernels::mul, |a, b| a * b);
    }
    for n in SIZES {
        two_operands(&mut suite.group("kernel/broadcast_add"), n, BIAS, Kernels::broadcast_add, |a, b| a + b);
    }
    for n in SIZES {
        dot(suite, n);
    }
    for (rows, columns) in [(1, 2_048), (32, 512), (32, 2_048), (1, 50_257)] {
        softmax(suite, rows, columns);
    }
    for (rows, columns) in [(1, 128), (1, 768), (32, 512), (512, 768)] {
        layer_norm(suite, rows, columns);
    }
}

/// In the form that the papers give, in 64 bits.
pub(crate) fn gelu(x: f64) -> f64 {
    0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh())
}

type OneOperand = fn(Kernels, &[f32], &mut [f32]);
type TwoOperands = fn(Kernels, &[f32], &[f32], &mut [f32]);

fn one_operand(group: &mut Group<'_, '_>, n: usize, kernel: OneOperand, truth: fn(f64) -> f64) {
    let x = numbers(1, n);
    group
        .benchmark(n, move || {
            let (x, mut out, kernels) = (numbers(1, n), vec![0.0; n], Kernels::detect());
            move || {
                kernel(kernels, &x, &mut out);
                sample(&out)
            }
        })
        .bytes(2 * n * 4)
        .check(near(n, 1e-5, move |at| truth(f64::from(x[at]))));
}

fn two_operands(group: &mut Group<'_, '_>, n: usize, second: usize, kernel: TwoOperands, truth: fn(f64, f64) -> f64) {
    group
        .benchmark(n, move || {
            let (a, b, mut out, kernels) = (numbers(1, n), numbers(2, second), vec![0.0; n], Kernels::detect());
            move || {
                kernel(kernels, &a, &b, &mut out);
                sample(&out)
            }
        })
        .bytes((2 * n + second) * 4)
        .check(move |got| {
            let (a, b) = (numbers(1, n), numbers(2, second));
            near(n, 1e-5, |at| truth(f64::from(a[at]), f64::from(b[at % second])))(got)
        });
}

fn dot(suite: &mut Suite<'_>, n: usize) {
    suite
        .benchmark(format_args!("kernel/dot/{n}"), move || {
            let (a, b, kernels) = (numbers(1, n), numbers(2, n), Kernels::detect());
            move || kernels.dot(&a, &b)
        })
        .bytes(2 * n * 4)
        .check(move |got| {
            let (a, b) = (numbers(1, n), numbers(2, n));
            let exact: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            let error = (f64::from(*got) - exact).abs();
            if error < 1e-5 * (n as f64).sqrt() { Ok(()) } else { Err(format!("{got}, where 64 bits give {exact}")) }
        });
}

fn softmax(suite: &mut Suite<'_>, rows: usize, columns: usize) {
    let n = rows * columns;
    suite
        .benchmark(format_args!("kernel/softmax/{rows}x{columns}"), move || {
            let (x, mut out, kernels) = (numbers(1, n), vec![0.0; n], Kernels::detect());
            move || {
                for (x, out) in x.chunks_exact(columns).zip(out.chunks_exact_mut(columns)) {
                    kernels.softmax(x, out);
                }
                sample(&out)
            }
        })
        .bytes(2 * n * 4)
        .check(move |got| {
            let x = numbers(1, n);
            let truth = |at: usize| {
                let row = &x[at / columns * columns..][..columns];
                f64::from(x[at]).exp() / row.iter().map(|x| f64::from(*x).exp()).sum::<f64>()
            };
            near(n, 1e-5 / columns as f64, truth)(got)
        });
}

fn layer_norm(suite: &mut Suite<'_>, rows: usize, columns: usize) {
    let n = rows * columns;
    suite
        .benchmark(format_args!("kernel/layernorm/{rows}x{columns}"), move || {
            let (x, gain, bias) = (numbers(1, n), numbers(2, columns), numbers(3, columns));
            let (mut out, kernels) = (vec![0.0; n], Kernels::detect());
            move || {
                kernels.layer_norm(&x, &gain, &bias, &mut out);
                sample(&out)
            }
        })
        .bytes(2 * n * 4)
        .check(move |got| {
            let (x, gain, bias) = (numbers(1, n), numbers(2, columns), numbers(3, columns));
            let truth = |at: usize| {
                let row: Vec<f64> = x[at / columns * columns..][..columns].iter().map(|x| f64::from(*x)).collect();
                let mean = row.iter().sum::<f64>() / columns as f64;
                let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / columns as f64;
                let normed = (row[at % columns] - mean) / (variance + f64::from(NORM_EPSILON)).sqrt();
                normed * f64::from(gain[at % columns]) + f64::from(bias[at % columns])
            };
            near(n, 1e-5, truth)(got)
        });
}
