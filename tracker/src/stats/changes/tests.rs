//! The edge cases of the detector, and how often it is wrong, on seeded noise.

mod drifts;

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
