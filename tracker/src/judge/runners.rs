//! The judgement over numbers on simulated CI runners: how often it is red for nothing, and what it finds.
//!
//! The world: ten measurements a side, in blocks or in turns (ABBA). The logarithm of one is the host's state, which
//! base and head share in the order of time (autoregressive, 0.9), plus noise with a longer right tail and a spike in 3 %,
//! plus the luck of the build. Thirty earlier comparisons are known, every tenth of a real change, and 64 earlier values
//! of the main branch.
//!
//! `TACHOGRAPH_SOAK=100 cargo test --release runners -- --nocapture` makes 20,000 trials of each and prints the table of
//! `METHODOLOGY.md`.

use crate::domain::{Call, Direction, FalseReds, Limit};
use crate::stats::robust::median;
use crate::stats::simulate::{Noise, soak, upper_bound};

use super::numbers::{Lists, Numbers, Wanted, judge};

const A_SIDE: usize = 10;

struct World {
    name: &'static str,
    cv: f64,
    drift: f64,
    luck: f64,
    /// The least share of each of the [`EFFECTS`] that is found in turns, and in blocks.
    power: [[f64; 4]; 2],
}

/// In percent; the last is there for the noisy world, in which the others are not found.
const EFFECTS: [f64; 4] = [2.0, 5.0, 10.0, 50.0];

const WORLDS: [World; 3] = [
    World { name: "quiet", cv: 0.005, drift: 0.3, luck: 0.3, power: [[0.8, 0.95, 0.98, 1.0], [0.7, 0.95, 0.98, 1.0]] },
    World { name: "CI runner", cv: 0.02, drift: 1.0, luck: 0.5, power: [[0.0, 0.08, 0.8, 1.0], [0.0, 0.0, 0.45, 1.0]] },
    World { name: "noisy", cv: 0.05, drift: 1.0, luck: 0.5, power: [[0.0, 0.0, 0.02, 0.95], [0.0, 0.0, 0.0, 0.9]] },
];

impl World {
    fn reading(&self, noise: &mut Noise) -> f64 {
        let tail = noise.normal().max(0.0).powi(2);
        let spike = if noise.chance(0.03) { 3.0 + 5.0 * noise.exponential() } else { 0.0 };
        self.cv * (noise.normal() + 0.6 * tail + spike)
    }

    /// Logarithms of base's and head's readings.
    fn comparison(&self, noise: &mut Noise, effect: f64, interleaved: bool) -> (Vec<f64>, Vec<f64>) {
        let (mut base, mut head) = (Vec::new(), Vec::new());
        let luck = [0.0; 2].map(|_: f64| noise.normal() * self.luck * self.cv);
        let mut state = noise.normal();
        for at in 0..2 * A_SIDE {
            if at > 0 {
                state = 0.9 * state + (1.0 - 0.81f64).sqrt() * noise.normal();
            }
            let is_head = if interleaved { matches!(at % 4, 1 | 2) } else { at >= A_SIDE };
            let value = state * self.drift * self.cv + self.reading(noise);
            if is_head { head.push(value + luck[1] + effect) } else { base.push(value + luck[0]) }
        }
        (base, head)
    }

    fn earlier(&self, noise: &mut Noise, interleaved: bool) -> f64 {
        let change = if noise.chance(0.1) { 0.03 * noise.normal() } else { 0.0 };
        let (base, head) = self.comparison(noise, change, interleaved);
        hodges_lehmann(&base, &head, interleaved)
    }

    fn day(&self, noise: &mut Noise) -> f64 {
        let state = noise.normal() * self.drift * self.cv + noise.normal() * self.luck * self.cv;
        let readings: Vec<f64> = (0..A_SIDE).map(|_| state + self.reading(noise)).collect();
        median(&readings).unwrap().exp()
    }

    fn trial(&self, noise: &mut Noise, effect: f64, interleaved: bool) -> Lists {
        let (base, head) = self.comparison(noise, effect, interleaved);
        Lists {
            history: (0..64).map(|_| self.day(noise)).collect(),
            base: base.into_iter().map(f64::exp).collect(),
            head: head.into_iter().map(f64::exp).collect(),
            interleaved,
            past: (0..30).map(|_| self.earlier(noise, interleaved)).collect(),
        }
    }
}

/// The shift by which earlier comparisons were summed up: of pairs where there are pairs.
fn hodges_lehmann(base: &[f64], head: &[f64], interleaved: bool) -> f64 {
    let all: Vec<f64> = if interleaved {
        let pairs: Vec<f64> = base.iter().zip(head).map(|(b, h)| h - b).collect();
        (0..pairs.len())
            .flat_map(|i| (i..pairs.len()).map(move |j| (i, j)))
            .map(|(i, j)| f64::midpoint(pairs[i], pairs[j]))
            .collect()
    } else {
        head.iter().flat_map(|h| base.iter().map(move |b| h - b)).collect()
    };
    median(&all).unwrap()
}

fn reds(world: &World, effect_pct: f64, interleaved: bool, trials: usize, seed: u64) -> usize {
    let wanted =
        Wanted { limit: Limit::percent(1.0).unwrap(), false_reds: FalseReds::default(), better: Direction::Lower };
    let mut noise = Noise::seeded(seed);
    (0..trials)
        .filter(|_| {
            let lists = world.trial(&mut noise, f64::ln_1p(effect_pct / 100.0), interleaved);
            judge(&Numbers::new(&lists).unwrap(), &wanted).call == Call::Regressed
        })
        .count()
}

#[test]
fn on_simulated_runners_the_judgement_keeps_its_budget_and_finds_ten_percent() {
    for world in &WORLDS {
        for interleaved in [true, false] {
            let trials = 200 * soak();
            let false_reds = reds(world, 0.0, interleaved, trials, 2026);
            let bound = upper_bound(false_reds, trials);
            let power = EFFECTS.map(|effect| {
                let found = reds(world, effect, interleaved, trials / 4, 2027);
                found as f64 / (trials / 4) as f64
            });
            let order = if interleaved { "interleaved" } else { "blocks" };
            println!(
                "{}, {order}: {false_reds} red of {trials}, at most {bound:.5}; +2, +5, +10, +50 %: {power:.3?}",
                world.name
            );
            // From 20,000 trials on the bound itself can be asked for; before, the share. Of 200 none may be red.
            let share = if trials >= 20_000 { bound } else { false_reds as f64 / trials as f64 };
            assert!(share <= 0.0015, "{} {order}: {false_reds} red of {trials}", world.name);
            let floors = &world.power[usize::from(!interleaved)];
            let is_found = power.iter().zip(floors).all(|(found, floor)| found >= floor);
            assert!(is_found, "{} {order}: {power:?}, at least {floors:?}", world.name);
        }
    }
}
