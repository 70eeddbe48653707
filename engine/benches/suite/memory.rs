//! What pooling, working in place and fusing save: the same work both ways, with the bytes that each asks for.

use std::cell::Cell;
use std::rc::Rc;

use engine::arena::Pooling;
use engine::kernels::{Allocated, Kernels, NORM_EPSILON};
use engine::model::Format;
use engine::shape::Shape;
use tachograph_harness::{Benchmark, Metric, Suite};

use super::elementwise::gelu;
use super::matmul::numbers;
use super::models::{Which, advance, greedy};
use super::near::{LOOKS, near, sample};

/// Tokens of the prompt whose scratch is pooled or not.
const TOKENS: usize = 32;

/// The feed-forward layer of *medium* for those tokens.
const ROWS: usize = TOKENS;
const COLUMNS: usize = 1_024;

pub(crate) fn offer(suite: &mut Suite<'_>) {
    scratch(suite, "memory/pool", Pooling::Pooled);
    scratch(suite, "memory/no_pool", Pooling::Unpooled);
    in_place(suite);
    allocating(suite);
    fused(suite);
    in_steps(suite);
}

/// Bytes that some work asks for, on this thread.
fn asked_for<T>(work: &mut impl FnMut() -> T) -> u64 {
    let before = Allocated::here();
    work();
    Allocated::here().since(before).bytes
}

/// Bytes that an iteration asks for less than the same work done the wasteful way; told by set-up.
#[derive(Clone, Default)]
struct Saved(Rc<Cell<u64>>);

impl Saved {
    fn note<T, U>(&self, thrifty: &mut impl FnMut() -> T, wasteful: &mut impl FnMut() -> U) {
        self.0.set(asked_for(wasteful).saturating_sub(asked_for(thrifty)));
    }

    fn report<'a, T: 'a>(&self, benchmark: &mut Benchmark<'_, 'a, T>) {
        let saved = Rc::clone(&self.0);
        benchmark.metric(Metric::new("saved_bytes", "bytes").higher().exact(), move |_| saved.get() as f64);
    }
}

/// A prompt's way through *medium*, with scratch that is kept or asked for anew.
fn scratch(suite: &mut Suite<'_>, name: &str, pooling: Pooling) {
    let which = Which::new("medium", Shape::MEDIUM, Format::F32);
    let saved = Saved::default();
    let told = saved.clone();
    let mut benchmark = suite.benchmark(name, move || {
        let mut work = prompt(which, pooling);
        if pooling == Pooling::Pooled {
            told.note(&mut work, &mut prompt(which, Pooling::Unpooled));
        }
        work
    });
    benchmark.throughput(TOKENS, "tokens").check(move |token| which.witness().confirm(&which.prompt(TOKENS), *token));
    if pooling == Pooling::Pooled {
        saved.report(&mut benchmark);
    }
}

/// The work, once done already, so that what it keeps is there.
fn prompt(which: Which, pooling: Pooling) -> impl FnMut() -> u32 {
    let mut engine = which.engine(1, pooling);
    let (mut session, tokens) = (engine.open(), which.prompt(TOKENS));
    let mut work = move || {
        session.truncate(0);
        greedy(advance(&mut engine, &mut session, &tokens))
    };
    work();
    work
}

/// gelu(x + bias), as the feed-forward layer has it.
fn activated(at: usize) -> f64 {
    let (x, bias) = (numbers(1, ROWS * COLUMNS), numbers(2, COLUMNS));
    gelu(f64::from(x[at]) + f64::from(bias[at % COLUMNS]))
}

fn in_place(suite: &mut Suite<'_>) {
    let saved = Saved::default();
    let told = saved.clone();
    let mut benchmark = suite.benchmark("memory/in_place", move || {
        let (x, bias, kernels) = (numbers(1, ROWS * COLUMNS), numbers(2, COLUMNS), Kernels::detect());
        let mut rows = x.clone();
        let mut work = move || {
            rows.copy_from_slice(&x);
            kernels.broadcast_add_in_place(&mut rows, &bias);
            kernels.gelu_in_place(&mut rows);
            sample(&rows)
        };
        told.note(&mut work, &mut with_results());
        work
    });
    benchmark.elements(ROWS * COLUMNS).check(near(ROWS * COLUMNS, 1e-5, activated));
    saved.report(&mut benchmark);
}

fn allocating(suite: &mut Suite<'_>) {
    suite.benchmark("memory/allocating", with_results).elements(ROWS * COLUMNS).check(near(
        ROWS * COLUMNS,
        1e-5,
        activated,
    ));
}

/// Each operation with a result of its own, as a plain graph of tensors has it.
fn with_results() -> impl FnMut() -> [f32; LOOKS] {
    let (x, bias, kernels) = (numbers(1, ROWS * COLUMNS), numbers(2, COLUMNS), Kernels::detect());
    move || {
        let rows = x.clone();
        let mut sum = vec![0.0; rows.len()];
        kernels.broadcast_add(&rows, &bias, &mut sum);
        let mut out = vec![0.0; sum.len()];
        kernels.gelu(&sum, &mut out);
        sample(&out)
    }
}

fn normed(at: usize) -> f64 {
    let x = numbers(1, ROWS * COLUMNS);
    let (gain, bias) = (numbers(2, COLUMNS), numbers(3, COLUMNS));
    let row: Vec<f64> = x[at / COLUMNS * COLUMNS..][..COLUMNS].iter().map(|x| f64::from(*x)).collect();
    let mean = row.iter().sum::<f64>() / COLUMNS as f64;
    let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / COLUMNS as f64;
    let scaled = (row[at % COLUMNS] - mean) / (variance + f64::from(NORM_EPSILON)).sqrt();
    scaled * f64::from(gain[at % COLUMNS]) + f64::from(bias[at % COLUMNS])
}

fn fused(suite: &mut Suite<'_>) {
    suite
        .benchmark("memory/fused_layernorm", || {
            let (x, gain, bias) = (numbers(1, ROWS * COLUMNS), numbers(2, COLUMNS), numbers(3, COLUMNS));
            let (mut out, kernels) = (vec![0.0; x.len()], Kernels::detect());
            move || {
                kernels.layer_norm(&x, &gain, &bias, &mut out);
                sample(&out)
            }
        })
        .elements(ROWS * COLUMNS)
        .check(near(ROWS * COLUMNS, 1e-5, normed));
}

/// The same as operations on whole tensors, each a pass of its own: what fusing saves.
fn in_steps(suite: &mut Suite<'_>) {
    suite
        .benchmark("memory/unfused_layernorm", || {
            let (x, gain, bias) = (numbers(1, ROWS * COLUMNS), numbers(2, COLUMNS), numbers(3, COLUMNS));
            let (kernels, ones) = (Kernels::detect(), vec![1.0; COLUMNS]);
            move || {
                let mut centred = x.clone();
                for row in centred.chunks_exact_mut(COLUMNS) {
                    let mean = kernels.dot(row, &ones) / COLUMNS as f32;
                    for x in row {
                        *x -= mean;
                    }
                }
                let mut scaled = centred.clone();
                for (row, to) in centred.chunks_exact(COLUMNS).zip(scaled.chunks_exact_mut(COLUMNS)) {
                    let scale = 1.0 / (kernels.dot(row, row) / COLUMNS as f32 + NORM_EPSILON).sqrt();
                    for x in to {
                        *x *= scale;
                    }
                }
                for row in scaled.chunks_exact_mut(COLUMNS) {
                    kernels.mul_in_place(row, &gain);
                }
                let mut out = vec![0.0; scaled.len()];
                kernels.broadcast_add(&scaled, &bias, &mut out);
                sample(&out)
            }
        })
        .elements(ROWS * COLUMNS)
        .check(near(ROWS * COLUMNS, 1e-5, normed));
}
