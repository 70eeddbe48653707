//! Levels that walk, and levels that leak.

use super::*;

#[test]
fn a_level_that_wanders_is_seldom_more_than_one_report() {
    let each = 400 * soak();
    let mut all = 0;
    for length in [200, 500, 1_000] {
        let mut stream = Stream::seeded(25);
        let mut reports = || {
            let mut level = 0.0;
            let walk = (0..length).map(|_| {
                level += 0.0004 * stream.normal();
                100.0 * (level + 0.01 * stream.normal()).exp()
            });
            let found = detect(&values(walk), &Settings::history());
            found.steps.len() + found.drifts.len()
        };
        let crowded = (0..each).filter(|_| reports() > 1).count();
        println!("{crowded} of {each} walks of {length} points are more than one report");
        all += crowded;
    }
    assert!(all * 200 <= 3 * each, "{all} of {} walks", 3 * each);
}

#[test]
fn a_leak_is_one_drift_and_its_end_one_step_of_its_whole_size() {
    let growing = |at: usize| 100.0 + 0.12 * at.clamp(60, 160) as f64 - 7.2;
    let (mut leaks, mut mended) = (0, 0);
    for seed in 0..20 {
        let found = detect(&noisy(50 + seed, 300, growing), &Settings::history());
        if let (&[], &[drift]) = (&found.steps[..], &found.drifts[..]) {
            let right = (drift.size - 0.12).abs() < 0.01;
            leaks += usize::from(right && drift.span.low.abs_diff(60) < 15 && drift.span.high.abs_diff(160) < 15);
        }
        let until = |at: usize| if at < 160 { growing(at) } else { 100.0 };
        let found = detect(&noisy(50 + seed, 300, until), &Settings::history());
        let [step] = found.steps[..] else { continue };
        mended += usize::from(found.drifts.len() == 1 && step.at == 160 && step.size < -0.07);
    }
    assert!(leaks >= 17 && mended >= 17, "{leaks} leaks and {mended} mended ones of 20");
}

/// A history of 60 points that grows by 0.15 % a point under noise of this size; with outliers if it is wild.
fn growing(seed: u64, noise: f64, is_wild: bool) -> Values {
    let mut stream = Stream::seeded(seed);
    let disturbed =
        |stream: &mut Stream| if is_wild && stream.chance(0.05) { 0.04 * stream.normal().abs() } else { 0.0 };
    values((0..60).map(|at| {
        let off = noise * stream.normal() + disturbed(&mut stream);
        (100.0 + 0.15 * f64::from(at)) * off.exp()
    }))
}

#[test]
fn a_leak_of_a_short_history_is_a_drift_though_its_noise_seems_to_have_a_memory() {
    let (each, mut all) = (20 * soak(), 0);
    for (noise, is_wild) in
        [(0.003, false), (0.003, true), (0.005, false), (0.005, true), (0.0093, false), (0.0093, true)]
    {
        let found = |seed: &usize| detect(&growing(300 + *seed as u64, noise, is_wild), &Settings::history());
        let is_drift = |found: &Detection| found.steps.is_empty() && found.drifts.len() == 1;
        let drifts = (0..each).filter(|seed| is_drift(&found(seed))).count();
        println!("{drifts} of {each} are one drift under {noise}, wild: {is_wild}");
        assert!(drifts * 20 >= 12 * each, "{drifts} of {each} under {noise}");
        all += drifts;
    }
    assert!(all * 120 >= 110 * 6 * each, "{all} of {}", 6 * each);
}

#[test]
fn a_leak_that_is_longer_than_a_block_is_one_drift() {
    for (from, to) in [(1_000, 5_000), (1_700, 2_400), (2_900, 3_100), (0, 6_000)] {
        let grown = |at: usize| (at.clamp(from, to) - from) as f64 / (to - from) as f64;
        let found = detect(&noisy(61, 6_000, |at| 100.0 * (1.0 + 0.5 * grown(at))), &Settings::history());
        let (&[], &[drift]) = (&found.steps[..], &found.drifts[..]) else { panic!("{from}..{to}: {found:?}") };
        assert!((drift.size - 0.5).abs() < 0.02, "{from}..{to}: {drift:?}");
        assert!(drift.size_within.low < drift.size && drift.size < drift.size_within.high, "{from}..{to}: {drift:?}");
        assert!(drift.span.low.abs_diff(from) < 100 && drift.span.high.abs_diff(to) < 100, "{from}..{to}: {drift:?}");
        let [first, .., last] = &found.segments[..] else { panic!("{from}..{to}: {:?}", found.segments) };
        assert!((first.level / 100.0 - 1.0).abs() < 0.05 && (last.level / 150.0 - 1.0).abs() < 0.05, "{from}..{to}");
    }
}

#[test]
fn a_leak_is_one_drift_wherever_it_begins_and_ends_and_however_little_noise_there_is() {
    let (mut drifts, mut all) = (0, 0);
    for (noise, coarse) in [(0.0, false), (0.0, true), (0.000_1, true), (0.000_5, false), (0.001, true)] {
        for (before, after) in [(0, 0), (0, 40), (20, 0), (20, 20), (40, 0), (40, 20)] {
            for long in [30, 40, 80] {
                let mut stream = Stream::seeded(90 + all);
                let leak = (0..before + long + after).map(|at: usize| {
                    let grown = (at + 1).saturating_sub(before).min(long) as f64 / long as f64;
                    let value = 100_000.0 * (1.0 + 0.05 * grown) * (noise * stream.normal()).exp();
                    if coarse { (value / 10.0).round() * 10.0 } else { value }
                });
                let found = detect(&values(leak), &Settings::history());
                all += 1;
                let (&[], &[drift]) = (&found.steps[..], &found.drifts[..]) else { continue };
                let is_there = drift.span.low.abs_diff(before) <= 6 && drift.span.high.abs_diff(before + long) <= 6;
                drifts += u64::from(is_there && (drift.size - 0.05).abs() < 0.007);
            }
        }
    }
    println!("{drifts} of {all} leaks are one drift in its place and of its size");
    assert!(drifts >= all - 2, "{drifts} of {all}");
}

#[test]
fn the_interval_of_a_leak_holds_its_size() {
    for (before, after) in [(60, 40), (0, 0)] {
        let (mut told, mut held) = (0, 0);
        for seed in 0..100 {
            let grown = |at: usize| (at + 1).saturating_sub(before).min(100) as f64 / 100.0;
            let series = noisy(700 + seed, before + 100 + after, |at| 100.0 * (1.0 + 0.12 * grown(at)));
            let found = detect(&series, &Settings::history());
            let (&[], &[drift]) = (&found.steps[..], &found.drifts[..]) else { continue };
            // Where it has no points beside it, from its own first point to its last.
            let truth = if before == 0 { 1.12 / 1.0012 - 1.0 } else { 0.12 };
            told += 1;
            held += usize::from(drift.size_within.low < truth && truth < drift.size_within.high);
        }
        println!("{told} of 100 told, of which {held} hold the truth");
        assert!(told >= 90 && held * 100 >= 88 * told, "{held} of {told}");
    }
}

#[test]
fn a_leak_beside_a_true_step_is_told_and_the_step_as_well() {
    let growing = |at: usize| 105_000.0 + 50.0 * (at + 1).saturating_sub(60) as f64;
    let series = (0..100).map(|at| if at < 20 { 100_000.0 } else { growing(at) });
    let found = detect(&values(series), &Settings::history());
    assert_eq!(starts(&found), [20]);
    let [drift] = found.drifts[..] else { panic!("{found:?}") };
    assert!(drift.span.low.abs_diff(60) <= 3 && (drift.size - 2.0 / 105.0).abs() < 0.001, "{drift:?}");
}

#[test]
fn a_leak_below_what_counts_is_none_and_values_about_nought_can_leak() {
    let creeping = || values((0..80).map(|at| 1_000_000.0 + f64::from(at)));
    assert_eq!(detect(&creeping(), &Settings::history()).drifts.len(), 1);
    assert_eq!(detect(&creeping(), &Settings::alert()).drifts, []);
    let mut stream = Stream::seeded(96);
    let about = (0..120).map(|at: i32| f64::from(at.clamp(30, 90) - 60) + stream.normal());
    let found = detect(&values(about), &Settings::history());
    let (&[], &[drift]) = (&found.steps[..], &found.drifts[..]) else { panic!("{found:?}") };
    assert!((drift.size - 60.0).abs() < 2.0, "{drift:?}");
    // What begins near nought has no level there that a ratio could be of.
    let wild = (0..60).map(|at| f64::from(at + 1) * (0.35 * stream.normal()).exp());
    let found = detect(&values(wild), &Settings::history());
    assert!(found.drifts.iter().all(|drift| drift.before > 0.1 && drift.size < 100.0), "{found:?}");
    let far = [1e300, 1e300, -1e300, -1e300].into_iter().chain((0..30).map(|_| 1e-10 * stream.normal()));
    assert!(!detect(&values(far), &Settings::history()).segments.is_empty());
}

#[test]
fn a_step_in_noise_with_a_memory_is_no_leak() {
    let mut steps = 0;
    for seed in 0..40 {
        let mut stream = Stream::seeded(200 + seed);
        let mut noise = 0.0;
        let found = (0..80).map(|at| {
            noise = 0.5 * noise + stream.normal();
            (if at < 40 { 100.0 } else { 108.0 }) * (0.01 * noise).exp()
        });
        let found = detect(&values(found), &Settings::history());
        steps += usize::from(found.drifts.is_empty() && found.steps.iter().any(|step| step.at.abs_diff(40) <= 2));
    }
    assert!(steps >= 36, "{steps} of 40");
}
