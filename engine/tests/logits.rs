//! The engine against the plain 64-bit model, whole: every instruction set, one thread and two, in one step and in many.

mod reference;

use std::sync::Arc;

use engine::engine::{Engine, Settings, Turn};
use engine::kernels::Kernels;
use engine::model::{Format, Model};
use engine::seeded::Random;
use engine::shape::Shape;
use engine::weights::Weights;

/// The largest difference, as a share of the largest logit.
fn error(logits: &[f32], truth: &[f64]) -> f64 {
    assert_eq!(logits.len(), truth.len());
    let largest = truth.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    logits.iter().zip(truth).fold(0.0, |error: f64, (x, truth)| error.max((f64::from(*x) - truth).abs())) / largest
}

fn prompt(shape: Shape, len: usize) -> Vec<u32> {
    let mut random = Random::new(9);
    (0..len).filter_map(|_| u32::try_from(random.below(shape.vocabulary())).ok()).collect()
}

fn settings() -> Vec<Settings> {
    let with = |kernels, threads| Settings { kernels, threads, ..Settings::default() };
    Kernels::available().into_iter().flat_map(|kernels| [with(kernels, 1), with(kernels, 2)]).collect()
}

fn model(weights: &Weights, format: Format) -> Arc<Model> {
    let Ok(model) = Model::load(&weights, format);
    Arc::new(model)
}

#[test]
fn logits_of_32_bit_models_are_within_a_hundred_thousandth_of_the_truth() {
    for (shape, len) in [(Shape::TINY, 32), (Shape::SMALL, 40), (Shape::MEDIUM, 17)] {
        let weights = Weights::seeded(shape, 1);
        let tokens = prompt(shape, len);
        let truth = reference::logits(&weights, &tokens);
        let model = model(&weights, Format::F32);
        for settings in settings() {
            let mut engine = Engine::new(Arc::clone(&model), &settings);
            let mut whole = engine.open();
            let logits = engine.advance(&mut whole, &tokens).expect("a step");
            let error_whole = error(logits, &truth);
            let mut stepwise = engine.open();
            engine.advance(&mut stepwise, &tokens[..len / 2]).expect("a step");
            for token in &tokens[len / 2..len - 1] {
                engine.advance(&mut stepwise, &[*token]).expect("a step");
            }
            let error_stepwise = error(engine.advance(&mut stepwise, &tokens[len - 1..]).expect("a step"), &truth);
            let which = (settings.kernels.name(), engine.threads());
            assert!(error_whole < 1e-5 && error_stepwise < 1e-5, "{error_whole} {error_stepwise} {which:?}");
        }
    }
}

#[test]
fn logits_of_quantised_models_are_near_the_truth() {
    for (shape, len) in [(Shape::TINY, 32), (Shape::SMALL, 40)] {
        let weights = Weights::seeded(shape, 1);
        let tokens = prompt(shape, len);
        let truth = reference::logits(&weights, &tokens);
        let model = model(&weights, Format::Q8);
        for settings in settings() {
            let mut engine = Engine::new(Arc::clone(&model), &settings);
            let mut session = engine.open();
            let error = error(engine.advance(&mut session, &tokens).expect("a step"), &truth);
            assert!(error < 0.03, "{error} {} {}", settings.kernels.name(), engine.threads());
        }
    }
}

#[test]
fn sequences_that_go_together_get_what_each_would_get_alone() {
    let shape = Shape::SMALL;
    let weights = Weights::seeded(shape, 3);
    for format in [Format::F32, Format::Q8] {
        let model = model(&weights, format);
        let mut engine = Engine::new(model, &Settings { threads: 2, ..Settings::default() });
        let tokens = prompt(shape, 60);
        let parts = [&tokens[..1], &tokens[1..20], &tokens[20..60]];
        let alone: Vec<Vec<f32>> = parts
            .iter()
            .map(|tokens| {
                let mut session = engine.open();
                let logits = engine.advance(&mut session, tokens).expect("a step").to_vec();
                engine.close(session);
                logits
            })
            .collect();
        let mut sessions = [engine.open(), engine.open(), engine.open()];
        let mut turns: Vec<Turn<'_>> =
            sessions.iter_mut().zip(parts).map(|(session, tokens)| Turn { session, tokens }).collect();
        let together = engine.advance_all(&mut turns).expect("a step");
        for (alone, together) in alone.iter().zip(together.chunks_exact(shape.vocabulary())) {
            let alone: Vec<f64> = alone.iter().map(|x| f64::from(*x)).collect();
            assert!(error(together, &alone) < 1e-5);
        }
    }
}

#[test]
fn a_sequence_that_was_cut_back_goes_on_as_if_it_had_never_been_longer() {
    let weights = Weights::seeded(Shape::TINY, 4);
    let mut engine = Engine::new(model(&weights, Format::F32), &Settings::default());
    let tokens = prompt(Shape::TINY, 20);
    let mut session = engine.open();
    let first = engine.advance(&mut session, &tokens).expect("a step").to_vec();
    session.truncate(7);
    assert_eq!(session.position(), 7);
    engine.advance(&mut session, &[1, 2, 3]).expect("a step");
    session.truncate(7);
    let again = engine.advance(&mut session, &tokens[7..]).expect("a step");
    let first: Vec<f64> = first.iter().map(|x| f64::from(*x)).collect();
    assert!(error(again, &first) < 1e-5);
}

#[test]
fn what_cannot_be_computed_is_refused_and_leaves_the_session_as_it_was() {
    let weights = Weights::seeded(Shape::TINY, 5);
    let mut engine = Engine::new(model(&weights, Format::F32), &Settings::default());
    let mut session = engine.open();
    let mut reason = |tokens: &[u32]| engine.advance(&mut session, tokens).expect_err("refused").to_string();
    assert!(reason(&[]).contains("at least one"));
    assert!(reason(&[0; 33]).contains("32 tokens at most"));
    assert!(reason(&[256]).contains("token 256 is not among the 256"));
    assert_eq!(session.position(), 0);
}

#[test]
fn a_prompt_longer_than_one_step_takes_is_the_same_as_in_pieces() {
    let dimensions = engine::shape::Dimensions {
        vocabulary: 70,
        context: 600,
        width: 32,
        layers: 1,
        heads: 2,
        head: engine::shape::Head::Tied,
    };
    let shape = Shape::new(dimensions).expect("a shape");
    let weights = Weights::seeded(shape, 6);
    let tokens = prompt(shape, 600);
    let truth = reference::logits(&weights, &tokens);
    for format in [Format::F32, Format::Q8] {
        let mut engine = Engine::new(model(&weights, format), &Settings::default());
        let mut session = engine.open();
        let limit = if format == Format::F32 { 1e-5 } else { 0.03 };
        assert!(error(engine.advance(&mut session, &tokens).expect("a step"), &truth) < limit);
    }
}
