//! Training: a whole step of *small*, and the way back through one of its matrices.

use engine::kernels::{Kernels, Matrix, MatrixMut, Onto, PanelRoom};
use engine::seeded::Random;
use engine::shape::Shape;
use engine::train::text::Lesson;
use engine::train::{Recipe, Trainer};
use engine::weights::Weights;
use tachograph_harness::Suite;

use super::matmul::{entry, numbers};
use super::near::{near, sample};

/// Sequences of a step, each as long as the model's context.
const SEQUENCES: usize = 16;

/// The widening matrix of *small*, for the tokens of eight sequences.
const ROWS: usize = 512;
const INPUTS: usize = 128;
const OUTPUTS: usize = 512;

pub(crate) fn offer(suite: &mut Suite<'_>) {
    step(suite);
    matmul_backward(suite);
}

/// Forward, back and the optimiser's step, always on the same lesson.
fn step(suite: &mut Suite<'_>) {
    let shape = Shape::SMALL;
    suite
        .benchmark("train/step", move || {
            let recipe = Recipe { sequences: SEQUENCES, ..Recipe::default() };
            let mut trainer = Trainer::new(Weights::seeded(shape, 1), recipe);
            let mut random = Random::new(1);
            let text: Vec<u32> = (0..4_096).map(|_| u32::from((random.bits() & 15) as u8 * 16)).collect();
            let lesson = Lesson::drawn(&text, &mut random, SEQUENCES, shape.context());
            move || trainer.step(&lesson).unwrap_or_else(|error| panic!("{error}"))
        })
        .throughput(SEQUENCES * shape.context(), "tokens")
        .check(|loss| {
            let guess = 256_f32.ln();
            if *loss < guess + 0.1 { Ok(()) } else { Err(format!("a loss of {loss}, where a guess has {guess}")) }
        });
}

/// Both gradients of y = x · weightsᵀ, that of the weights added to what is there.
fn matmul_backward(suite: &mut Suite<'_>) {
    let (weights, dy) = (numbers(1, OUTPUTS * INPUTS), numbers(3, ROWS * OUTPUTS));
    let (w, d) = (weights.clone(), dy.clone());
    suite
        .benchmark("train/matmul_backward", move || {
            let (weights, x, dy) = (weights.clone(), numbers(2, ROWS * INPUTS), dy.clone());
            let (mut dx, mut dweights) = (vec![0.0; ROWS * INPUTS], vec![0.0; OUTPUTS * INPUTS]);
            let (kernels, mut room) = (Kernels::detect(), PanelRoom::default());
            move || {
                let (weights, x) = (Matrix::new(&weights, OUTPUTS, INPUTS), Matrix::new(&x, ROWS, INPUTS));
                let dy = Matrix::new(&dy, ROWS, OUTPUTS);
                kernels.matmul(dy, weights, Onto::Replace, MatrixMut::new(&mut dx, ROWS, INPUTS), &mut room);
                let to = MatrixMut::new(&mut dweights, OUTPUTS, INPUTS);
                kernels.matmul(dy.transposed(), x, Onto::Add, to, &mut room);
                sample(&dx)
            }
        })
        .throughput(4 * ROWS * INPUTS * OUTPUTS, "FLOP")
        .check(near(ROWS * INPUTS, 1e-4, move |at| {
            entry(OUTPUTS, |k| d[at / INPUTS * OUTPUTS + k], |k| w[k * INPUTS + at % INPUTS])
        }));
}
