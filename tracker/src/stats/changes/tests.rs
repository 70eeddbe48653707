//! The edge cases of the detector, and how often it is wrong, on seeded noise.

use proptest::prelude::*;

use super::*;
use crate::stats::simulate::{Noise as Stream, soak};

fn values(values: impl IntoIterator<Item = f64>) -> Values {
    Values::new(values.into_iter().collect()).expect("finite values")
}

fn starts(found: &Detection) -> Vec<usize> {
    found.steps.iter().map(|step| step.at).collect()
}

fn noisy(seed: u64, n: usize, level: impl Fn(usize) -> f64) -> Values {
    let mut stream = Stream::seeded(seed);
    values((0..n).map(|at| level(at) * (0.01 * stream.normal()).exp()))
}

const MODES: [fn() -> Settings; 3] = [Settings::history, Settings::online, Settings::alert];

#[test]
fn too_few_points_hold_no_change() {
    for n in 0..FEWEST {
        let found = detect(&values((0..n).map(|at| at as f64 * 100.0 + 1.0)), &Settings::history());
        assert!(found.steps.is_empty() && found.drifts.is_empty());
        assert_eq!(found.segments.len(), usize::from(n > 0));
    }
}

#[test]
fn a_series_that_never_moves_has_one_level() {
    for settings in MODES {
        let found = detect(&values([42.0; 200]), &settings());
        assert!(found.steps.is_empty());
        assert_eq!(found.segments[0].within, Range { low: 42.0, high: 42.0 });
    }
}

#[test]
fn one_or_two_outliers_are_no_change() {
    for wild in [&[50][..], &[50, 51], &[20, 60]] {
        let mut series = noisy(20, 100, |_| 100.0).as_slice().to_vec();
        for at in wild {
            series[*at] = 500.0;
        }
        for settings in MODES {
            assert_eq!(starts(&detect(&values(series.clone()), &settings())), [0; 0], "outliers at {wild:?}");
        }
    }
}

#[test]
fn no_step_has_fewer_points_beside_it_than_its_setting_asks_for() {
    let mut told = 0;
    for seed in 900..1_200 {
        // A step near the end, with a wild point or two beside it, that may be put a few points off.
        let mut stream = Stream::seeded(seed);
        let length = 4 + seed % 5;
        let level = |at: u64| if at < 60 - length { 0.0 } else { 0.035 };
        let mut wild =
            |at: u64| if at.abs_diff(60 - length) < 3 { 0.03 * stream.normal() } else { 0.01 * stream.normal() };
        let series = values((0..60).map(|at| 100.0 * (level(at) + wild(at)).exp()));
        for settings in MODES {
            let settings = settings();
            let found = detect(&series, &settings);
            for step in &found.steps {
                let beside = found.segments.iter().filter(|part| part.from == step.at || part.to == step.at);
                assert!(beside.clone().count() == 2 && step.p <= settings.p, "seed {seed}: {found:?}");
                assert!(
                    beside.map(|part| part.to - part.from).min() >= Some(settings.points),
                    "seed {seed}: {found:?}"
                );
                told += 1;
            }
        }
    }
    assert!(told > 300, "{told}");
}

#[test]
fn a_step_is_found_in_each_mode_with_its_size_and_its_place() {
    for settings in MODES {
        let found = detect(&noisy(21, 100, |at| if at < 60 { 100.0 } else { 105.0 }), &settings());
        assert_eq!(starts(&found), [60]);
        let step = found.steps[0];
        assert!(step.within.low <= 60 && step.within.high >= 60 && step.within.high - step.within.low < 5);
        assert!(step.size_within.low < 0.05 && step.size_within.high > 0.05);
        assert!((step.size - 0.05).abs() < 0.01 && step.probability > 0.9 && step.p < 1e-3);
        assert!((found.segments[0].level - 100.0).abs() < 0.5 && (found.segments[1].level - 105.0).abs() < 0.5);
        assert_eq!((found.segments[0].to, found.segments[1].to), (60, 100));
    }
}

#[test]
fn an_alert_is_no_less_than_a_percent() {
    let mut stream = Stream::seeded(22);
    let series: Vec<f64> =
        (0..200).map(|at| (if at < 100 { 100.0 } else { 100.5 }) * (0.0005 * stream.normal()).exp()).collect();
    assert_eq!(starts(&detect(&values(series.clone()), &Settings::history())), [100]);
    assert_eq!(starts(&detect(&values(series), &Settings::alert())), [0; 0]);
}

#[test]
fn a_machine_with_two_modes_does_not_move_by_changing_between_them() {
    let mut stream = Stream::seeded(23);
    let mut high = false;
    let series: Vec<f64> = (0..400)
        .map(|_| {
            high ^= stream.chance(0.3);
            (if high { 106.0 } else { 100.0 }) * (0.007 * stream.normal()).exp()
        })
        .collect();
    assert_eq!(starts(&detect(&values(series), &Settings::history())), [0; 0]);
}

#[test]
fn values_at_or_below_zero_are_judged_on_their_own_scale() {
    let mut stream = Stream::seeded(24);
    let series: Vec<f64> = (0..100).map(|at| (if at < 50 { -3.0 } else { 4.0 }) + stream.normal()).collect();
    let found = detect(&values(series), &Settings::history());
    assert_eq!(starts(&found), [50]);
    assert!((found.steps[0].size - 7.0).abs() < 1.0);
}

#[test]
fn exact_counts_move_when_they_move() {
    let series = (0..80).map(|at| if at < 40 { 1_000_000.0 } else { 1_000_016.0 });
    assert_eq!(starts(&detect(&values(series), &Settings::history())), [40]);
    // One build that differs and goes back is no new level.
    let series = (0..80).map(|at| if at == 40 { 1_000_016.0 } else { 1_000_000.0 });
    assert_eq!(starts(&detect(&values(series), &Settings::history())), [0; 0]);
}

#[test]
fn numbers_that_are_not_finite_are_refused_with_their_place() {
    assert_eq!(Values::new(vec![1.0, f64::NAN]), Err(NotFinite(1)));
    assert_eq!(Values::new(vec![f64::INFINITY]), Err(NotFinite(0)));
    assert_eq!(NotFinite(1).to_string(), "value 2 is not a finite number");
}

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

#[test]
fn noise_that_stays_for_a_while_is_told_less_often_as_points_arrive() {
    // A neighbour comes again and again.
    let told = |settings: Settings, (every, calm, busy): (usize, usize, f64), count: u64| -> usize {
        let told = |seed: u64| -> usize {
            let series = noisy(70 + seed, 300, |at| if at % every < calm { 100.0 } else { busy });
            let (known, new) = series.as_slice().split_at(100);
            let mut follower = Follower::after(&values(known.to_vec()), settings);
            new.iter().map(|value| follower.push(*value).len()).sum()
        };
        (0..count).map(told).sum()
    };
    let long = |excursion| told(Settings { excursion, ..Settings::online() }, (60, 45, 104.0), 10);
    let (plain, with) = (long(0), long(Settings::online().excursion));
    assert!(plain > 20 && 2 * with <= plain, "{with} instead of {plain}");
    let short = told(Settings::online(), (40, 32, 106.0), 60);
    assert!(short <= 6, "{short} of sixty series with bursts of eight points");
}

#[test]
fn a_step_little_larger_than_the_noise_is_not_taken_for_its_memory_or_its_width() {
    let series = |seed: u64| noisy(900 + seed, 100, |at| if at < 50 { 100.0 } else { 101.3 });
    let found = (0..200).map(|seed| starts(&detect(&series(seed), &Settings::history())));
    let found = found.filter(|starts| matches!(starts[..], [at] if at.abs_diff(50) <= 5)).count();
    assert!(found >= 168, "{found} of 200");
}

/// How many of `count` quiet series of 60 points hold a report.
fn false_findings(seed: u64, count: usize, settings: &Settings) -> usize {
    let mut stream = Stream::seeded(seed);
    let quiet = |stream: &mut Stream| values((0..60).map(|_| 100.0 * (0.01 * stream.normal()).exp()));
    (0..count).map(|_| detect(&quiet(&mut stream), settings)).filter(|d| d.steps.len() + d.drifts.len() > 0).count()
}

#[test]
fn quiet_series_are_left_alone() {
    let count = 400 * soak();
    let history = false_findings(26, count, &Settings::history());
    let alert = false_findings(27, count, &Settings::alert());
    let online = false_findings(28, count, &Settings::online());
    assert!(history * 100 <= 3 * count, "history: {history} of {count}");
    assert!(alert * 200 <= count, "alert: {alert} of {count}");
    assert!(online * 400 <= count, "online: {online} of {count}");
}

#[test]
fn a_step_of_three_noises_is_known_within_six_points_and_told_once() {
    let mut delays = Vec::new();
    for seed in 0..20 {
        let mut stream = Stream::seeded(100 + seed);
        let quiet = values((0..150).map(|_| 100.0 * (0.01 * stream.normal()).exp()));
        let mut follower = Follower::after(&quiet, Settings::online());
        let told: Vec<(usize, usize)> = (150..190)
            .flat_map(|at| {
                let told = follower.push(103.0 * (0.01 * stream.normal()).exp());
                told.into_iter().map(move |step| (at, step.at)).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(told.len(), 1, "seed {seed}: {told:?}");
        assert!(told[0].1.abs_diff(150) <= 5);
        delays.push(told[0].0 - 149);
    }
    delays.sort_unstable();
    assert!(delays[10] <= 6, "{delays:?}");
}

#[test]
fn a_long_series_is_read_in_blocks_that_join() {
    let found = detect(&noisy(29, 10_000, |at| if at / 700 % 2 == 0 { 100.0 } else { 106.0 }), &Settings::alert());
    let planted: Vec<usize> = (700..10_000).step_by(700).collect();
    assert_eq!(found.steps.len(), planted.len());
    assert!(starts(&found).iter().zip(&planted).all(|(found, planted)| found.abs_diff(*planted) <= 1));
    assert_eq!(found.segments.len(), planted.len() + 1);
    assert!(found.segments.windows(2).all(|pair| pair[0].to == pair[1].from));
    assert!(found.segments.iter().enumerate().all(|(at, s)| (s.level > 103.0) == (at % 2 == 1)));
}

#[test]
fn an_outlier_beside_a_step_moves_it_to_itself_at_most() {
    // The last point before the step lies three noises above its level, so that changes to it and behind it are probable.
    let series = noisy(900, 120, |at| if at < 60 { 100.0 } else { 110.0 });
    let found = starts(&detect(&series, &Settings::history()));
    assert!(matches!(found[..], [59 | 60]), "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_makes_it_panic_and_it_says_the_same_twice(series in prop::collection::vec(any::<f64>(), 0..120)) {
        let finite: Vec<f64> = series.into_iter().filter(|value| value.is_finite()).collect();
        for settings in MODES {
            let one = detect(&values(finite.clone()), &settings());
            prop_assert_eq!(format!("{one:?}"), format!("{:?}", detect(&values(finite.clone()), &settings())));
            prop_assert!(one.steps.iter().all(|step| step.at > 0 && step.at < finite.len()));
        }
    }

    #[test]
    fn few_distinct_values_are_no_trouble(series in prop::collection::vec(0_i8..4, 0..200)) {
        let found = detect(&values(series.iter().map(|value| f64::from(*value))), &Settings::history());
        prop_assert!(found.segments.windows(2).all(|pair| pair[0].to == pair[1].from));
    }

    #[test]
    fn a_change_of_unit_changes_no_place(seed in 0_u64..1_000, factor in 1e-6_f64..1e6) {
        let series = noisy(seed, 120, |at| if at < 60 { 100.0 } else { 110.0 });
        let scaled = values(series.as_slice().iter().map(|value| value * factor));
        let found = detect(&series, &Settings::history());
        // In 2 of the 1,000 series noise moves the place by a point.
        prop_assert!(starts(&found).iter().any(|start| start.abs_diff(60) <= 1));
        prop_assert_eq!(starts(&found), starts(&detect(&scaled, &Settings::history())));
    }

    #[test]
    fn a_shift_of_values_about_zero_changes_no_place(seed in 0_u64..1_000, shift in -10_f64..10.0) {
        let mut stream = Stream::seeded(seed);
        let series: Vec<f64> = (0..120).map(|at| stream.normal() + if at < 60 { -20.0 } else { -14.0 }).collect();
        let shifted = series.iter().map(|value| value + shift);
        let found = detect(&values(series.clone()), &Settings::history());
        prop_assert_eq!(starts(&found), starts(&detect(&values(shifted), &Settings::history())));
    }
}
