//! Statistics: boiling readings down, and judging numbers.

use tachograph::domain::{Call, Direction, FalseReds, Kind, Limit};
use tachograph::judge::numbers::{self, Lists, Numbers, Wanted};
use tachograph::stats::robust::median;
use tachograph::stats::signed_rank::upper_tail;
use tachograph::stats::summary::summarise;
use tachograph_harness::Suite;

pub(crate) fn offer(suite: &mut Suite<'_>) {
    suite
        .benchmark("stats/median/1000", || {
            let values = scatter(1000);
            move || median(&values).is_some_and(|median| (median - 5000.0).abs() < 100.0)
        })
        .elements(1000)
        .expect(true);

    suite
        .benchmark("stats/summary/10x100", || {
            let values = scatter(1000);
            move || {
                let lives: Vec<&[f64]> = values.chunks(100).collect();
                summarise(&lives).map(|summary| (summary.lives, summary.samples))
            }
        })
        .elements(1000)
        .expect(Some((10, 1000)));

    suite
        .benchmark("stats/signed_rank/40", || {
            let values: Vec<f64> = scatter(40).iter().map(|value| value - 4990.0).collect();
            move || upper_tail(&values) < 0.5
        })
        .expect(true);

    suite
        .benchmark("judge/numbers/20-after-50", || {
            let values = scatter(90);
            let past = values[..50].iter().map(|value| (value - 5000.0) / 1e6).collect();
            let (base, head) = (values[50..70].to_vec(), values[70..].to_vec());
            let lists = Lists { history: Vec::new(), base, head, interleaved: true, past };
            let limit = Limit::default_for(Kind::Noisy);
            let wanted = Wanted { limit, false_reds: FalseReds::default(), better: Direction::Lower };
            move || {
                let numbers = Numbers::new(&lists).expect("numbers");
                numbers::judge(&numbers, &wanted).call == Call::Regressed
            }
        })
        .expect(false);
}

/// Numbers about 5,000 that scatter by a percent, the same each time (Weyl's sequence).
fn scatter(count: usize) -> Vec<f64> {
    (0..count).map(|index| 5000.0 + 100.0 * ((index as f64 * 0.618_033_988_749_895).fract() - 0.5)).collect()
}
