//! Gradients against finite differences of the plain 64-bit model, and a model that learns.

mod reference;

use engine::kernels::Kernels;
use engine::seeded::Random;
use engine::shape::{Dimensions, Head, Shape, Tensor};
use engine::train::text::Lesson;
use engine::train::{Recipe, Trainer};
use engine::weights::Weights;

fn shape(head: Head) -> Shape {
    let dimensions = Dimensions { vocabulary: 40, context: 8, width: 32, layers: 2, heads: 2, head };
    Shape::new(dimensions).expect("a shape")
}

fn text(vocabulary: usize, len: usize) -> Vec<u32> {
    let mut random = Random::new(2);
    (0..len).filter_map(|_| u32::try_from(random.below(vocabulary)).ok()).collect()
}

/// The mean of −ln p over all tokens, in 64 bits.
fn loss(weights: &Weights, text: &[u32], starts: &[usize], length: usize) -> f64 {
    let mut sum = 0.0;
    for start in starts {
        for end in 1..=length {
            let logits = reference::logits(weights, &text[*start..start + end]);
            let target = logits[text[start + end] as usize];
            sum += logits.iter().map(|logit| logit.exp()).sum::<f64>().ln() - target;
        }
    }
    sum / (starts.len() * length) as f64
}

/// Far enough that rounding in 64 bits is nothing, near enough that the slope is the same.
const STEP: f32 = 1.0 / 1024.0;

#[test]
fn gradients_are_within_a_thousandth_of_finite_differences() {
    let (starts, length) = ([0, 11, 5], 6);
    for head in [Head::Own, Head::Tied] {
        let shape = shape(head);
        // Larger than initial weights, so that no path through the model is too faint to be seen.
        let mut weights = Weights::seeded(shape, 3);
        weights.values_mut().iter_mut().for_each(|weight| *weight *= 4.0);
        let text = text(shape.vocabulary(), 20);
        let recipe = Recipe { sequences: 3, threads: 2, ..Recipe::default() };
        let mut trainer = Trainer::new(weights.clone(), recipe);
        let lesson = Lesson::of(&text, &starts, length);
        let (told, gradients) = trainer.gradients(&lesson).expect("a lesson");
        assert!((f64::from(told) - loss(&weights, &text, &starts, length)).abs() < 1e-5);

        let mut random = Random::new(4);
        for tensor in shape.tensors() {
            let values = gradients.tensor(tensor);
            let size = (values.iter().map(|g| f64::from(g * g)).sum::<f64>() / values.len() as f64).sqrt();
            for _ in 0..3 {
                // Of an embedding, a row that the text has.
                let index = match tensor {
                    Tensor::TokenEmbedding => text[0] as usize * shape.width() + random.below(shape.width()),
                    Tensor::PositionEmbedding => random.below(length * shape.width()),
                    _ => random.below(values.len()),
                };
                let mut moved = |by: f32| {
                    let at = weights.range(tensor).start + index;
                    let before = weights.values()[at];
                    weights.values_mut()[at] = before + by;
                    let found = (loss(&weights, &text, &starts, length), f64::from(before + by));
                    weights.values_mut()[at] = before;
                    found
                };
                let ((above, high), (below, low)) = (moved(STEP), moved(-STEP));
                let slope = (above - below) / (high - low);
                let error = (f64::from(values[index]) - slope).abs();
                assert!(error < 1e-3 * slope.abs().max(size), "{tensor}[{index}]: {} for {slope}", values[index]);
            }
        }
    }
}

#[test]
fn threads_and_instruction_sets_find_the_same_gradients() {
    let shape = shape(Head::Own);
    let text = text(shape.vocabulary(), 60);
    let lesson = Lesson::spread(&text, 5, 8);
    let gradients = |threads, kernels| {
        let recipe = Recipe { sequences: 5, threads, kernels, ..Recipe::default() };
        let mut trainer = Trainer::new(Weights::seeded(shape, 3), recipe);
        trainer.gradients(&lesson).expect("a lesson").1.values().to_vec()
    };
    let truth = gradients(1, Kernels::scalar());
    let largest = truth.iter().fold(0.0_f32, |largest, g| largest.max(g.abs()));
    for kernels in Kernels::available() {
        for threads in [1, 2, 3] {
            let got = gradients(threads, kernels);
            let error = got.iter().zip(&truth).fold(0.0_f32, |error, (got, want)| error.max((got - want).abs()));
            assert!(error < 1e-5 * largest, "{error} of {largest} on {threads} with {}", kernels.name());
        }
    }
}

#[test]
fn a_model_learns_a_text_by_heart() {
    let shape = shape(Head::Own);
    let text: Vec<u32> = (0..200).map(|at| at * at % 40).collect();
    let recipe = Recipe { steps: 60, sequences: 8, rate: 1e-2, threads: 2, ..Recipe::default() };
    let mut trainer = Trainer::new(Weights::seeded(shape, 3), recipe);
    let mut random = Random::new(1);
    let lesson = |random: &mut Random| Lesson::drawn(&text, random, 8, 8);
    let first = trainer.step(&lesson(&mut random)).expect("a step");
    assert!((first - 40_f32.ln()).abs() < 0.2, "a model that knows nothing guesses: {first}");
    for _ in 1..60 {
        trainer.step(&lesson(&mut random)).expect("a step");
    }
    let last = trainer.loss(&Lesson::spread(&text, 8, 8)).expect("a lesson");
    assert!(last < 0.5 * first, "{first} to {last}");
    assert_eq!(trainer.steps(), 60);
}

#[test]
fn a_lesson_that_does_not_fit_is_refused() {
    let mut trainer = Trainer::new(Weights::seeded(shape(Head::Own), 3), Recipe { sequences: 2, ..Recipe::default() });
    let mut reason = |lesson: Lesson| trainer.step(&lesson).expect_err("refused").to_string();
    let text: Vec<u32> = (0..60).collect();
    assert!(reason(Lesson::spread(&text[..30], 3, 8)).contains("1 to 2"));
    assert!(reason(Lesson::spread(&text[..30], 2, 9)).contains("8 at most"));
    assert!(reason(Lesson::spread(&text, 2, 8)).contains("of 40"));
}
