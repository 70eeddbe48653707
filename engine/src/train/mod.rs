//! Training: the walk of the model forward, back again with what was kept on the way, and the optimiser's step.
//!
//! `tape` says what is kept, `forward` and `backward` walk, [`text`] cuts a text into lessons, and the [`Trainer`]
//! divides the sequences of a lesson among threads, each of which has gradients of its own until they are added up.

mod backward;
mod forward;
mod tape;
pub mod text;

use std::error::Error;
use std::fmt;

use crate::kernels::{AdamwStep, Kernels};
use crate::shape::Shape;
use crate::weights::Weights;
use tape::Learner;
use text::Lesson;

/// How to train.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Steps in all; the learning rate rises over the first tenth of them and falls to a tenth until the last.
    pub steps: usize,
    /// Sequences of a step.
    pub sequences: usize,
    /// The highest learning rate.
    pub rate: f32,
    /// How much matrices shrink, per rate.
    pub weight_decay: f32,
    /// Gradients longer than this are shortened to it.
    pub longest_gradient: f32,
    /// Threads, the caller's among them.
    pub threads: usize,
    /// The instruction set.
    pub kernels: Kernels,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            steps: 1_000,
            sequences: 16,
            rate: 3e-3,
            weight_decay: 0.1,
            longest_gradient: 1.0,
            threads: 1,
            kernels: Kernels::detect(),
        }
    }
}

const MEAN_DECAY: f32 = 0.9;
const SQUARE_DECAY: f32 = 0.95;
const EPSILON: f32 = 1e-8;

/// Why a lesson cannot be learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LessonError(String);

impl fmt::Display for LessonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for LessonError {}

/// Weights that learn.
pub struct Trainer {
    recipe: Recipe,
    weights: Weights,
    means: Weights,
    squares: Weights,
    learners: Vec<Learner>,
    steps: usize,
}

impl Trainer {
    /// Begins with these weights.
    ///
    /// # Panics
    /// If the recipe has no sequences.
    #[must_use]
    pub fn new(weights: Weights, recipe: Recipe) -> Self {
        assert!(recipe.sequences > 0, "a step needs a sequence");
        let shape = weights.shape();
        let threads = recipe.threads.clamp(1, recipe.sequences);
        let share = recipe.sequences.div_ceil(threads);
        let learners = (0..threads).map(|_| Learner::new(shape, share, recipe.kernels)).collect();
        Self { means: Weights::zeros(shape), squares: Weights::zeros(shape), weights, learners, recipe, steps: 0 }
    }

    /// The weights as they are now.
    #[must_use]
    pub const fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The shape of the model.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.weights.shape()
    }

    /// Steps taken.
    #[must_use]
    pub const fn steps(&self) -> usize {
        self.steps
    }

    /// Learns one lesson, and returns its loss before that: the mean of −ln p over its tokens.
    pub fn step(&mut self, lesson: &Lesson) -> Result<f32, LessonError> {
        let (loss, _) = self.gradients(lesson)?;
        self.steps += 1;
        self.move_weights();
        Ok(loss)
    }

    /// The loss of a lesson, without learning from it.
    pub fn loss(&mut self, lesson: &Lesson) -> Result<f32, LessonError> {
        self.check(lesson)?;
        let scale = 1.0 / lesson.tokens() as f32;
        let weights = &self.weights;
        let sum = spread(&mut self.learners, lesson, |learner, lesson| learner.forward(weights, lesson, scale));
        Ok((sum / lesson.tokens() as f64) as f32)
    }

    /// The loss of a lesson and its gradients.
    pub fn gradients(&mut self, lesson: &Lesson) -> Result<(f32, &Weights), LessonError> {
        self.check(lesson)?;
        let scale = 1.0 / lesson.tokens() as f32;
        let weights = &self.weights;
        for learner in &mut self.learners {
            learner.gradients.values_mut().fill(0.0);
        }
        let sum = spread(&mut self.learners, lesson, |learner, lesson| {
            let sum = learner.forward(weights, lesson, scale);
            learner.backward(weights, lesson);
            sum
        });
        let Some((first, others)) = self.learners.split_first_mut() else { unreachable!("there is a learner") };
        for other in others {
            self.recipe.kernels.add_in_place(first.gradients.values_mut(), other.gradients.values());
        }
        Ok(((sum / lesson.tokens() as f64) as f32, &first.gradients))
    }

    fn check(&self, lesson: &Lesson) -> Result<(), LessonError> {
        let shape = self.weights.shape();
        let room: usize = self.learners.iter().map(Learner::room).sum();
        if lesson.sequences() == 0 || lesson.sequences() > room {
            return Err(LessonError(format!(
                "{} sequences, where 1 to {room} can be learned at once",
                lesson.sequences()
            )));
        }
        if lesson.length() > shape.context() {
            return Err(LessonError(format!(
                "sequences of {} tokens; the model sees {} at most",
                lesson.length(),
                shape.context()
            )));
        }
        if lesson.largest() as usize >= shape.vocabulary() {
            return Err(LessonError(format!("token {} of {}", lesson.largest(), shape.vocabulary())));
        }
        Ok(())
    }

    /// The learning rate of the step that comes now.
    fn rate(&self) -> f32 {
        let (at, end) = (self.steps as f32, self.recipe.steps.max(1) as f32);
        let warm = (end / 10.0).max(1.0);
        if at <= warm {
            return self.recipe.rate * at / warm;
        }
        let done = ((at - warm) / (end - warm).max(1.0)).min(1.0);
        let falling = 0.5 * (1.0 + (std::f32::consts::PI * done).cos());
        self.recipe.rate * (0.1 + 0.9 * falling)
    }

    fn move_weights(&mut self) {
        let kernels = self.recipe.kernels;
        let gradients = &self.learners[0].gradients;
        let length = kernels.dot(gradients.values(), gradients.values()).sqrt();
        let corrected = |decay: f32| 1.0 / (1.0 - f64::from(decay).powf(self.steps as f64)) as f32;
        let step = AdamwStep {
            rate: self.rate(),
            mean_decay: MEAN_DECAY,
            square_decay: SQUARE_DECAY,
            epsilon: EPSILON,
            weight_decay: self.recipe.weight_decay,
            gradient_scale: (self.recipe.longest_gradient / length).min(1.0),
            mean_correction: corrected(MEAN_DECAY),
            square_correction: corrected(SQUARE_DECAY),
        };
        for tensor in self.weights.shape().tensors() {
            // Gains and biases must be free to be what they are.
            let weight_decay = if tensor.is_matrix() { step.weight_decay } else { 0.0 };
            let moments = (self.means.tensor_mut(tensor), self.squares.tensor_mut(tensor));
            let step = AdamwStep { weight_decay, ..step };
            kernels.adamw(&step, self.weights.tensor_mut(tensor), gradients.tensor(tensor), moments);
        }
    }
}

/// Gives each learner some sequences of the lesson, on a thread of its own, and adds up what they return.
fn spread(learners: &mut [Learner], lesson: &Lesson, work: impl Fn(&mut Learner, &Lesson) -> f64 + Sync) -> f64 {
    let parts = lesson.parts(learners.len());
    let mut pairs = learners.iter_mut().zip(&parts);
    let own = pairs.next();
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = pairs.map(|(learner, part)| scope.spawn(move || work(learner, part))).collect();
        let first = own.map_or(0.0, |(learner, part)| work(learner, part));
        let join = |thread: std::thread::ScopedJoinHandle<'_, f64>| match thread.join() {
            Ok(sum) => sum,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        first + threads.into_iter().map(join).sum::<f64>()
    })
}
