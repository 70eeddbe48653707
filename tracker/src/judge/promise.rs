//! The promise, put to the test: seeded gates in which nothing got slower, under noise of many shapes, must not be red
//! more often than the budget says; and what really got slower must be found.
//!
//! The ordinary test run takes seconds. `TACHOGRAPH_SOAK=50 cargo test --release promise -- --nocapture` makes fifty
//! times as many trials and prints the tables of `METHODOLOGY.md`.

use crate::domain::{Call, Direction, FalseReds, Limit, Standing};
use crate::stats::changes::Values;
use crate::stats::looks::{Looks, Sides};
use crate::stats::simulate::{Noise, Shape, soak, upper_bound};

use super::builds::{Earlier, Spread};
use super::estimate::Evidence;
use super::point;
use super::rule::{Case, DOUBT, decide};

/// Lives after which a simulated duel gives up.
const MOST_LIVES: usize = 51;

/// One simulated series: what its lives will be, and how it is judged.
struct Series {
    evidence: Evidence,
    spread: Spread,
    limit: Limit,
}

/// Lives of one build, of two sides as a command's are or of three as workers' are, in which head is slower by `truth`.
fn evidence(sides: Sides, shape: Shape, noise: &mut Noise, (lives, cv, truth): (usize, f64, f64)) -> Evidence {
    match sides {
        Sides::Two => {
            let effects = shape.lives(noise, lives, cv).iter().map(|x| x + truth).collect();
            Evidence { effects, control: Vec::new(), threes: None }
        }
        Sides::Three => {
            let threes = shape.threes(noise, lives, cv);
            Evidence::of_levels(threes.into_iter().map(|[head, base, null]| [head + truth, base, null]).collect())
        }
    }
}

/// Commands' lives, then workers'.
const BOTH: [Sides; 2] = [Sides::Two, Sides::Three];

/// How a simulated duel ended, and after how many lives.
struct Ended {
    call: Call,
    lives: usize,
    covered: bool,
}

/// Looks at the series as a duel does, until it is decided or the lives are used up. `truth` is the true effect.
fn duel(series: &Series, level: f64, truth: f64) -> Ended {
    let looks = Looks::new(DOUBT, level, series.evidence.sides());
    let mut covered = true;
    let most = series.evidence.effects.len();
    for look in looks.iter().take_while(|look| look.values <= most) {
        let estimate = series.evidence.estimate(look.values, None).unwrap();
        let case = Case {
            estimate,
            signs: Some(series.evidence.first(look.values)),
            pairs: look.values,
            spread: series.spread,
            lessons: 0,
            bias: 0.0,
            looks,
            look,
            limit: series.limit,
            better: Direction::Lower,
        };
        let verdict = decide(&case);
        let interval = verdict.interval.unwrap();
        covered &= interval.low.log() <= truth && truth <= interval.high.log();
        if verdict.call != Call::Inconclusive {
            return Ended { call: verdict.call, lives: look.values, covered };
        }
    }
    Ended { call: Call::Inconclusive, lives: most, covered }
}

/// A limit of nothing is the hardest case: nothing is ever called unchanged, so every series is looked at to the end,
/// and any effect that is sure would be red.
fn no_limit() -> Limit {
    Limit::percent(0.0).unwrap()
}

/// Whether a gate over so many series, one shape after the other, is red although both sides are one build.
fn is_red(noise: &mut Noise, shapes: &[Shape], (suite, sides): (usize, Sides), budget: FalseReds) -> bool {
    let level = budget.probability() / suite as f64;
    (0..suite).any(|at| {
        let evidence = evidence(sides, shapes[at % shapes.len()], noise, (MOST_LIVES, 0.01, 0.0));
        duel(&Series { evidence, spread: Spread::None, limit: no_limit() }, level, 0.0).call == Call::Regressed
    })
}

/// A budget so generous that trials can tell whether it is kept: one in 1000 would take a thousand times as many.
fn generous() -> FalseReds {
    FalseReds::one_in(20).unwrap()
}

/// Each shape of noise in lives of two sides and of three.
fn every_kind() -> impl Iterator<Item = (Sides, Shape)> {
    BOTH.into_iter().flat_map(|sides| Shape::ALL.map(|shape| (sides, shape)))
}

#[test]
fn under_no_shape_of_noise_are_gates_of_one_build_redder_than_promised() {
    for (at, (sides, shape)) in every_kind().enumerate() {
        let mut noise = Noise::seeded(100 + at as u64);
        let gates = 150 * soak();
        let hits = (0..gates).filter(|_| is_red(&mut noise, &[shape], (1, sides), generous())).count();
        println!("{sides:?} {shape:?}: {hits} red of {gates}, at most {:.4}", upper_bound(hits, gates));
        assert!(hits as f64 <= generous().probability() * gates as f64, "{sides:?} {shape:?}: {hits} red of {gates}");
    }
}

#[test]
fn in_no_size_of_suite_are_gates_of_one_build_redder_than_promised() {
    let suites = [(10, 100), (100, 20), (1000, 2)];
    for (sides, (suite, gates)) in BOTH.into_iter().flat_map(|sides| suites.map(|suite| (sides, suite))) {
        let mut noise = Noise::seeded(suite as u64);
        let gates = gates * soak();
        let hits = (0..gates).filter(|_| is_red(&mut noise, &Shape::ALL, (suite, sides), generous())).count();
        println!("{sides:?}, suite of {suite}: {hits} red of {gates}, at most {:.4}", upper_bound(hits, gates));
        let most = generous().probability() * gates as f64;
        assert!(hits as f64 <= most, "{sides:?}, suite of {suite}: {hits} red of {gates}");
    }
}

#[test]
fn builds_that_differ_by_luck_alone_are_not_redder_than_promised() {
    let level = generous().probability() / 10.0;
    for (sides, tau) in BOTH.into_iter().flat_map(|sides| [0.002, 0.01, 0.03].map(|tau| (sides, tau))) {
        let mut noise = Noise::seeded(31);
        let gates = 60 * soak();
        let hits = (0..gates)
            .filter(|_| {
                (0..10).any(|_| {
                    let luck = tau * noise.normal();
                    let spread = Spread::between(&earlier(&mut noise, 30, tau));
                    let evidence = evidence(sides, Shape::Gauss, &mut noise, (30, 0.003, luck));
                    duel(&Series { evidence, spread, limit: no_limit() }, level, luck).call == Call::Regressed
                })
            })
            .count();
        println!("{sides:?}, luck {tau}: {hits} red of {gates}, at most {:.4}", upper_bound(hits, gates));
        let most = 2.0 + generous().probability() * gates as f64;
        assert!(hits as f64 <= most, "{sides:?}, luck {tau}: {hits} red of {gates}");
    }
}

/// A project in which nothing moves, run after run: how many runs raised a suspicion, and how many confirmed one. Commit by
/// commit there is no end of looks; each run's may err at most once in so many, whatever the runs before it found.
fn followed(noise: &mut Noise, series: usize, runs: usize) -> (usize, usize) {
    let draw = |noise: &mut Noise| 100.0 * (0.01 * noise.normal()).exp();
    let mut histories: Vec<Vec<f64>> = (0..series).map(|_| (0..20).map(|_| draw(noise)).collect()).collect();
    let (mut suspected, mut confirmed) = (0, 0);
    for _ in 0..runs {
        let mut suspects = 0;
        for history in &mut histories {
            let point = draw(noise);
            let before = Values::new(history.clone()).unwrap();
            suspects +=
                usize::from(point::judge(&before, point, point::doubt(series), 1.0).standing == Standing::Suspect);
            history.push(point);
        }
        suspected += usize::from(suspects > 0);
        let level = generous().probability() / suspects.max(1) as f64;
        let is_confirmed = (0..suspects).any(|_| {
            let evidence = evidence(Sides::Three, Shape::Gauss, noise, (MOST_LIVES, 0.01, 0.0));
            let call = duel(&Series { evidence, spread: Spread::None, limit: no_limit() }, level, 0.0).call;
            matches!(call, Call::Regressed | Call::Improved)
        });
        confirmed += usize::from(is_confirmed);
    }
    (suspected, confirmed)
}

#[test]
fn commit_by_commit_a_quiet_project_is_seldom_suspected_and_hardly_ever_confirmed() {
    let mut noise = Noise::seeded(37);
    // A run may raise as many suspicions as `point` budgets for it: 0.3, but no series more than 0.1. A little is added for
    // the chance of so few runs.
    for (series, projects, most) in [(1, 6, 0.12), (8, 8, 0.35)] {
        let (projects, runs) = (projects * soak(), 60);
        let ended: Vec<(usize, usize)> = (0..projects).map(|_| followed(&mut noise, series, runs)).collect();
        let (suspected, confirmed): (usize, usize) =
            (ended.iter().map(|(s, _)| s).sum(), ended.iter().map(|(_, c)| c).sum());
        let all = projects * runs;
        println!("{series} series: of {all} runs {suspected} suspected, {confirmed} confirmed");
        assert!(suspected as f64 <= most * all as f64, "{series} series: {suspected} of {all} runs suspected");
        // Either way a look may err: twice the budget of one direction.
        let most = 2.0 * generous().probability() * suspected as f64;
        assert!(confirmed as f64 <= most + 2.0, "{series} series: {confirmed} of {suspected} looks confirmed");
    }
}

/// Earlier duels of different builds; every tenth was of a real change.
fn earlier(noise: &mut Noise, count: usize, tau: f64) -> Vec<Earlier> {
    let se = 0.001;
    (0..count)
        .map(|_| {
            let change = if noise.chance(0.1) { 0.03 * noise.normal() } else { 0.0 };
            Earlier { effect: change + tau * noise.normal() + se * noise.normal(), error: Some(se * se) }
        })
        .collect()
}

#[test]
fn intervals_cover_the_truth_at_their_level_although_the_duel_stops_when_it_likes() {
    for (at, (sides, shape)) in every_kind().enumerate() {
        let mut noise = Noise::seeded(500 + at as u64);
        let trials = 100 * soak();
        let missed = (0..trials)
            .filter(|_| {
                let evidence = evidence(sides, shape, &mut noise, (MOST_LIVES, 0.01, 0.01));
                let limit = Limit::percent(2.0).unwrap();
                !duel(&Series { evidence, spread: Spread::None, limit }, 1e-3, 0.01).covered
            })
            .count();
        println!("{sides:?} {shape:?}: interval missed the truth in {missed} of {trials}");
        assert!(missed as f64 <= 2.0 + DOUBT * trials as f64, "{sides:?} {shape:?}: {missed} of {trials}");
    }
}

/// Shares of the words, and the median number of lives, over seeded duels of one true effect.
fn outcomes((suite, sides): (usize, Sides), noise_pct: f64, effect_pct: f64, trials: usize) -> (f64, f64, usize) {
    let truth = f64::ln_1p(effect_pct / 100.0);
    let mut noise = Noise::seeded(77);
    let level = FalseReds::default().probability() / suite as f64;
    let mut ended: Vec<Ended> = (0..trials)
        .map(|_| {
            let lives = (MOST_LIVES, noise_pct / 100.0, truth);
            let evidence = evidence(sides, Shape::Gauss, &mut noise, lives);
            let limit = Limit::percent(2.0).unwrap();
            duel(&Series { evidence, spread: Spread::None, limit }, level, truth)
        })
        .collect();
    ended.sort_by_key(|one| one.lives);
    let share = |call| ended.iter().filter(|one| one.call == call).count() as f64 / trials as f64;
    (share(Call::Regressed), share(Call::Unchanged), ended[trials / 2].lives)
}

#[test]
fn what_got_slower_is_found_and_what_did_not_is_soon_left_alone() {
    let trials = 40 * soak();
    for (sides, suite) in BOTH.into_iter().flat_map(|sides| [1, 10, 50, 100, 1000].map(|suite| (sides, suite))) {
        // Noise and effect in percent.
        for (noise_pct, effect_pct) in [(0.3, 0.0), (0.3, 3.0), (1.0, 0.0), (1.0, 3.0), (1.0, 5.0), (1.0, 10.0)] {
            let (red, unchanged, lives) = outcomes((suite, sides), noise_pct, effect_pct, trials);
            println!(
                "{sides:?}, suite of {suite}, noise {noise_pct} %, effect {effect_pct} %: red {red:.3}, unchanged {unchanged:.3}, lives {lives}"
            );
            let right = if effect_pct > 0.0 { red } else { unchanged };
            assert!(right >= 0.95, "{sides:?}, suite {suite}, noise {noise_pct} %, effect {effect_pct} %: {right}");
        }
    }
}
