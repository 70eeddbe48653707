//! When to look, and how much error each look may spend.
//!
//! A duel is looked at while it goes on. Were each look judged at the whole level, looking often would find something in
//! the end. So the looks stand at fixed numbers of values, fixed before the first is read, and the k-th spends
//! 1/(k·(k+1)) of the error: the shares add up to one however many looks there are, so by the union bound the whole is
//! never more than the level, whatever the noise and however the looks hang together (error spending: Lan and `DeMets`
//! 1983, *Biometrika* 70:659). Between two looks nothing is decided, so nothing is spent.
//!
//! ```text
//! values   5   7   10   13 │ 17    23     30     39     51 …      for a level of 2·10⁻⁵
//! doubt   1/2 1/6 1/12 1/20│1/30  1/42   1/56   1/72   1/90       of the interval's error
//! finding                  │ 1/2   1/6   1/12   1/20   1/30       of the finding's error
//! ```

use super::rank_sum;

/// The first look: three values fewer would leave an interval of no use.
const FIRST: usize = 5;

/// One look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// At how many values it stands.
    pub values: usize,
    /// The error that the interval of this look may make, both sides together.
    pub doubt: f64,
    /// The error that a finding at this look may make, one side; none while there are too few values for any.
    pub finding: Option<f64>,
}

/// How many sides a value compares: what chance alone can do in so many values follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// One against another, as a coin would fall.
    Two,
    /// One among three.
    Three,
}

impl Sides {
    /// The values that it takes at least to reach `level`.
    #[must_use]
    pub fn least_values(self, level: f64) -> usize {
        match self {
            Sides::Two => rank_sum::least(2, level),
            Sides::Three => rank_sum::least(3, level),
        }
    }
}

/// The fixed looks of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Looks {
    doubt: f64,
    finding: f64,
    sides: Sides,
}

impl Looks {
    /// Looks that spend `doubt` on their intervals and `finding` on their findings; both are probabilities.
    #[must_use]
    pub fn new(doubt: f64, finding: f64, sides: Sides) -> Looks {
        Looks { doubt, finding, sides }
    }

    /// The looks of the same errors at values that compare so many sides.
    #[must_use]
    pub fn of(self, sides: Sides) -> Looks {
        Looks { sides, ..self }
    }

    /// The looks in order, without end.
    pub fn iter(self) -> impl Iterator<Item = Look> {
        let least = self.sides.least_values(self.finding * share(1));
        let counts = std::iter::successors(Some(FIRST.min(least)), move |&now| Some(after(now, least)));
        let mut findings = 0;
        counts.enumerate().map(move |(index, values)| {
            let finding = (values >= least).then(|| {
                findings += 1;
                self.finding * share(findings)
            });
            Look { values, doubt: self.doubt * share(index + 1), finding }
        })
    }

    /// The last look that `values` values reach.
    #[must_use]
    pub fn last_at(self, values: usize) -> Option<Look> {
        self.iter().take_while(|look| look.values <= values).last()
    }

    /// The first look beyond `values` values.
    #[must_use]
    pub fn next_after(self, values: usize) -> Option<Look> {
        self.iter().find(|look| look.values > values)
    }

    /// The first look at which there can be a finding: the least number of values.
    #[must_use]
    pub fn first_finding(self) -> Option<Look> {
        self.iter().find(|look| look.finding.is_some())
    }

    /// One look only, at exactly so many values, which spends everything.
    #[must_use]
    pub fn only(self, values: usize) -> Look {
        let enough = values >= self.sides.least_values(self.finding);
        Look { values, doubt: self.doubt, finding: enough.then_some(self.finding) }
    }
}

/// The number of values of the look after the one at `now`: three tenths more, and never past the least number.
fn after(now: usize, least: usize) -> usize {
    let next = (now * 13).div_ceil(10).max(now + 1);
    if now < least && next + 1 >= least { least } else { next }
}

/// The share of the k-th look, counted from 1.
fn share(k: usize) -> f64 {
    let k = k as f64;
    1.0 / (k * (k + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_often_one_looks_no_more_than_the_whole_is_spent() {
        for finding in [1e-3, 2e-5, 1e-6] {
            let looks: Vec<Look> = Looks::new(0.05, finding, Sides::Two).iter().take(60).collect();
            assert!(looks.iter().map(|look| look.doubt).sum::<f64>() < 0.05);
            assert!(looks.iter().filter_map(|look| look.finding).sum::<f64>() < finding);
            assert!(looks.windows(2).all(|pair| pair[0].values < pair[1].values));
        }
    }

    #[test]
    fn the_least_number_of_values_for_a_finding_is_a_look_and_grows_slowly_with_the_suite() {
        for (sides, expected) in [(Sides::Two, [11, 15, 17, 18, 21]), (Sides::Three, [7, 10, 11, 12, 14])] {
            let least = |series: f64| Looks::new(0.05, 1e-3 / series, sides).first_finding().unwrap().values;
            assert_eq!([1.0, 10.0, 50.0, 100.0, 1000.0].map(least), expected);
        }
    }

    #[test]
    fn values_between_two_looks_are_judged_at_the_earlier_one() {
        let looks = Looks::new(0.05, 2e-5, Sides::Two);
        assert_eq!(looks.last_at(4), None);
        assert_eq!(looks.last_at(6).unwrap().values, 5);
        assert_eq!(looks.next_after(5).unwrap().values, 7);
        assert_eq!(looks.last_at(17).unwrap().finding, Some(1e-5));
        assert_eq!(looks.last_at(16).unwrap().finding, None);
    }

    #[test]
    fn one_look_spends_everything() {
        let look = Looks::new(0.05, 1e-3, Sides::Two).only(10);
        assert_eq!((look.values, look.finding), (10, Some(1e-3)));
        assert_eq!(Looks::new(0.05, 1e-3, Sides::Two).only(9).finding, None);
    }
}
