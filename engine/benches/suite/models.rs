//! The models that benchmarks share, and engines made from them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

use engine::arena::Pooling;
use engine::engine::{Engine, Session, Settings};
use engine::kernels::Kernels;
use engine::model::{Format, Model};
use engine::seeded::Random;
use engine::shape::Shape;
use engine::weights::Seeded;

/// Any seed would do; it must not change, or the answers do.
pub(crate) const SEED: u64 = 1;

/// A reference model in one of its formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Which {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) format: Format,
}

impl Which {
    pub(crate) const fn new(name: &'static str, shape: Shape, format: Format) -> Self {
        Self { name, shape, format }
    }

    pub(crate) const fn format_name(self) -> &'static str {
        match self.format {
            Format::F32 => "f32",
            Format::Q8 => "q8",
        }
    }

    /// The model, made once for all that hold it at a time.
    pub(crate) fn model(self) -> Arc<Model> {
        thread_local! {
            static MADE: RefCell<HashMap<(&'static str, &'static str), Weak<Model>>> = RefCell::default();
        }
        MADE.with_borrow_mut(|made| {
            let place = made.entry((self.name, self.format_name())).or_default();
            place.upgrade().unwrap_or_else(|| {
                let model = Arc::new(self.build());
                *place = Arc::downgrade(&model);
                model
            })
        })
    }

    /// Makes the model anew.
    pub(crate) fn build(self) -> Model {
        let Ok(model) = Model::load(&Seeded::new(self.shape, SEED), self.format);
        model
    }

    pub(crate) fn engine(self, threads: usize, pooling: Pooling) -> Engine {
        Engine::new(self.model(), &Settings { threads, pooling, ..Settings::default() })
    }

    /// A prompt without meaning.
    pub(crate) fn prompt(self, len: usize) -> Vec<u32> {
        let mut random = Random::new(SEED);
        (0..len).filter_map(|_| u32::try_from(random.below(self.shape.vocabulary())).ok()).collect()
    }

    /// Computes the same with other instructions, to vouch for an answer.
    pub(crate) fn witness(self) -> Witness {
        // The plain kernels are the truth, but would take minutes for the large model.
        let slow = Kernels::available();
        let kernels = if self.shape == Shape::GPT2 { slow[slow.len().saturating_sub(2)] } else { Kernels::scalar() };
        let mut engine = Engine::new(self.model(), &Settings { kernels, ..Settings::default() });
        let session = engine.open();
        // Where the last bit of an activation differs, it may be quantised to the neighbouring step.
        let tolerance = if self.format == Format::Q8 { 1e-2 } else { 1e-4 };
        Witness { engine, session, tolerance }
    }
}

/// An engine that vouches for tokens.
pub(crate) struct Witness {
    engine: Engine,
    session: Session,
    /// By how much a logit may be below the best, as a share of it.
    tolerance: f32,
}

impl Witness {
    /// Continues the sequence, and says whether `token` is what a greedy reader would choose next: the best there is, or
    /// as good but for rounding.
    pub(crate) fn confirm(&mut self, tokens: &[u32], token: u32) -> Result<(), String> {
        let logits = advance(&mut self.engine, &mut self.session, tokens);
        let best = greedy(logits);
        let (chosen, best_logit) = (logits[token as usize], logits[best as usize]);
        if chosen >= best_logit - self.tolerance * best_logit.abs().max(0.1) {
            return Ok(());
        }
        let position = self.session.position();
        Err(format!("token {token} with logit {chosen} after {position} tokens, where {best} has {best_logit}"))
    }
}

/// One step of a sequence.
pub(crate) fn advance<'a>(engine: &'a mut Engine, session: &mut Session, tokens: &[u32]) -> &'a [f32] {
    engine.advance(session, tokens).unwrap_or_else(|error| panic!("{error}"))
}

/// The token with the largest logit.
pub(crate) fn greedy(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (token, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = token;
        }
    }
    u32::try_from(best).unwrap_or(u32::MAX)
}
