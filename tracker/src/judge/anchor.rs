//! Ratios to an anchor, taken on unlike machines, laid upon one another.
//!
//! A ratio of times travels better than a time, and still not perfectly: what is twice as fast on one processor is 1.9
//! times as fast on another. So each class of machine, against each anchor and each toolchain that built it, is a strand of
//! its own with an offset. A strand is tied to those that lie already, either by a duel of the two anchors on its own class
//! (re-anchoring) or by commits that both have measured or that lie close together; the surest tie is taken first. What a
//! tie leaves in doubt is common to all that hangs on it, so it is carried into the sizes of changes that it could have made.

use crate::domain::{Change, Direction, Level, Move, Offset, Ratio, Size, Strand, Tie, Trend};
use crate::stats::changes::{Settings, Values};
use crate::stats::robust::median;
use crate::stats::student::NORMAL_95;

/// Of neighbours that lie farther apart than this many commits nothing is learned.
const REACH: usize = 5;

/// So many commits on each side of a change say which strands it lies between.
const NEAR: usize = 10;

/// With fewer neighbours a strand is not tied.
const FEWEST: usize = 3;

/// The standard error of a median against that of a mean, for normal noise.
const OF_A_MEDIAN: f64 = 1.2533;

/// From the median distance to a standard deviation.
const OF_DISTANCE: f64 = 1.4826;

/// Strands laid upon one another.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    /// By strand, how far it lies from the first; none where nothing ties it.
    pub offsets: Vec<Option<Offset>>,
    /// The commits that were measured, in order.
    pub knots: Vec<Knot>,
    /// By strand, the strand that it is tied to, and the variance of the tie.
    ties: Vec<Option<(usize, f64)>>,
}

/// One commit, from all strands that measured it.
#[derive(Debug, Clone, PartialEq)]
pub struct Knot {
    /// Its place.
    pub place: usize,
    /// The logarithm of commit/anchor, offsets taken off.
    pub log: f64,
    /// The variance of that, offsets left out.
    pub variance: f64,
    /// The strands, each once for each duel.
    pub strands: Vec<usize>,
}

/// Lays strands upon the first of them. Ratios without a place tie anchors and are in no line.
#[must_use]
pub fn join(strands: &[Strand]) -> Joined {
    let mut joined = Joined { offsets: vec![None; strands.len()], knots: Vec::new(), ties: vec![None; strands.len()] };
    if strands.is_empty() {
        return joined;
    }
    joined.offsets[0] = Some(Offset { tie: Tie::First, log: 0.0, error: 0.0, count: 0 });
    joined.knots = knots(strands, &joined.offsets);
    loop {
        let open = (0..strands.len()).filter(|at| joined.offsets[*at].is_none());
        let ties = open.filter_map(|at| Some((at, best(strands, at, &joined)?)));
        let Some((at, (to, offset))) = ties.min_by(|(_, (_, one)), (_, (_, other))| one.error.total_cmp(&other.error))
        else {
            return joined;
        };
        let before = joined.offsets[to].map_or(0.0, |before| before.error);
        joined.ties[at] = Some((to, (offset.error.powi(2) - before.powi(2)).max(0.0)));
        joined.offsets[at] = Some(offset);
        joined.knots = knots(strands, &joined.offsets);
    }
}

/// The strand that this one is best tied to, and how far it lies then.
fn best(strands: &[Strand], at: usize, joined: &Joined) -> Option<(usize, Offset)> {
    let laid = (0..strands.len()).filter_map(|to| Some((to, joined.offsets[to]?)));
    let duels = laid.filter_map(|(to, before)| Some((to, by_duel(&strands[at], &strands[to], before)?)));
    // Neighbours across a new anchor would take a step there for an offset; a duel does not.
    duels
        .min_by(|(_, one), (_, other)| one.error.total_cmp(&other.error))
        .or_else(|| by_neighbours(&strands[at], joined))
}

/// The two anchors dueled on the strands' own class of machine.
fn by_duel(strand: &Strand, to: &Strand, before: Offset) -> Option<Offset> {
    if strand.machine != to.machine {
        return None;
    }
    let link = |from: &Strand, anchor: &Strand| -> Option<(f64, f64, usize)> {
        let found: Vec<&Ratio> = from.ratios.iter().filter(|ratio| ratio.head == anchor.anchor).collect();
        let count = found.len();
        let mean = |of: fn(&Ratio) -> f64| found.iter().map(|ratio| of(ratio)).sum::<f64>() / count as f64;
        (count > 0).then(|| (mean(|ratio| ratio.log), mean(|ratio| ratio.variance) / count as f64, count))
    };
    // A ratio to the old anchor is one to the new anchor times new/old.
    let (log, variance, count) =
        link(strand, to).or_else(|| link(to, strand).map(|(log, variance, count)| (-log, variance, count)))?;
    // Duels lie farther apart than the lives of one tell: what the day adds is shared by all of them.
    let days = scatter(strand).max(scatter(to)) / count as f64;
    let error = (before.error.powi(2) + variance.max(days)).sqrt();
    Some(Offset { tie: Tie::Duel, log: before.log + log, error, count })
}

/// The variance of one duel about its neighbours in the same strand, from how far each lies from the next; zero where there
/// are too few.
fn scatter(strand: &Strand) -> f64 {
    let mut placed: Vec<(usize, f64)> =
        strand.ratios.iter().filter_map(|ratio| Some((ratio.place?, ratio.log))).collect();
    placed.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let apart: Vec<f64> = placed.windows(2).map(|pair| (pair[1].1 - pair[0].1).abs()).collect();
    let middle = median(&apart).filter(|_| apart.len() >= FEWEST).unwrap_or(0.0);
    (OF_DISTANCE * middle).powi(2) / 2.0
}

/// How far a strand lies from the commits around its own.
fn by_neighbours(strand: &Strand, joined: &Joined) -> Option<(usize, Offset)> {
    let (mut apart, mut variances, mut partners) = (Vec::new(), Vec::new(), vec![0; joined.offsets.len()]);
    for ratio in &strand.ratios {
        let Some((log, variance, knot)) = ratio.place.and_then(|place| around(&joined.knots, place)) else { continue };
        apart.push(ratio.log - log);
        variances.push(ratio.variance + variance);
        for &strand in &knot.strands {
            partners[strand] += 1;
        }
    }
    let count = apart.len();
    let log = median(&apart).filter(|_| count >= FEWEST)?;
    let distances: Vec<f64> = apart.iter().map(|one| (one - log).abs()).collect();
    let own = variances.iter().sum::<f64>() / count as f64;
    let scatter = (OF_DISTANCE * median(&distances)?).max(own.sqrt());
    let to = partners.iter().enumerate().max_by_key(|(at, partners)| (**partners, usize::MAX - at))?.0;
    let before = joined.offsets[to]?.error;
    let error = (before.powi(2) + (OF_A_MEDIAN * scatter).powi(2) / count as f64).sqrt();
    Some((to, Offset { tie: Tie::Neighbours, log, error, count }))
}

/// What the line says at a place: the knot there, or the mean of the nearest on both sides, or the nearer one.
fn around(knots: &[Knot], place: usize) -> Option<(f64, f64, &Knot)> {
    let at = knots.partition_point(|knot| knot.place < place);
    let near = |knot: &&Knot| knot.place.abs_diff(place) <= REACH;
    let after = knots.get(at).filter(near);
    if let Some(same) = after.filter(|knot| knot.place == place) {
        return Some((same.log, same.variance, same));
    }
    match (at.checked_sub(1).map(|before| &knots[before]).filter(near), after) {
        (Some(before), Some(after)) => {
            let log = f64::midpoint(before.log, after.log);
            Some((log, (before.variance + after.variance) / 4.0, before))
        }
        (before, after) => before.or(after).map(|knot| (knot.log, knot.variance, knot)),
    }
}

fn knots(strands: &[Strand], offsets: &[Option<Offset>]) -> Vec<Knot> {
    let tied =
        strands.iter().zip(offsets).enumerate().filter_map(|(at, (strand, offset))| Some((at, strand, (*offset)?)));
    let mut all: Vec<(usize, f64, f64, usize)> = tied
        .flat_map(|(at, strand, offset)| {
            let placed = strand.ratios.iter().filter_map(move |ratio| Some((ratio.place?, ratio)));
            placed.map(move |(place, ratio)| (place, ratio.log - offset.log, ratio.variance, at))
        })
        .collect();
    all.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let knot = |group: &[(usize, f64, f64, usize)]| {
        let logs: Vec<f64> = group.iter().map(|one| one.1).collect();
        let variance = group.iter().map(|one| one.2).sum::<f64>() / (group.len() * group.len()) as f64;
        let strands = group.iter().map(|one| one.3).collect();
        Some(Knot { place: group[0].0, log: median(&logs)?, variance, strands })
    };
    all.chunk_by(|one, other| one.0 == other.0).filter_map(knot).collect()
}

/// The trend of the joined line, in ratios. The doubt of ties widens the sizes of changes that lie between strands, and a
/// change that a tie's error explains is none.
#[must_use]
pub fn trend(joined: &Joined, settings: &Settings, better: Direction) -> Trend {
    let values = Values::new(joined.knots.iter().map(|knot| knot.log.exp()).collect()).unwrap_or_default();
    let mut trend = super::trend::trend(&values, settings, better);
    let mut at = 0;
    while at < trend.changes.len() {
        let change = trend.changes[at];
        let doubt = joined.doubt(&trend.levels, &change);
        let (size, stands) = widened(change.size, doubt);
        trend.changes[at].size = size;
        if stands {
            at += 1;
            continue;
        }
        trend.changes.remove(at);
        if change.kind == Move::Step {
            merge(&mut trend.levels, change.at);
        }
    }
    trend
}

impl Joined {
    /// The variance of the difference of the levels around a change that comes from ties alone.
    fn doubt(&self, levels: &[Level], change: &Change) -> f64 {
        let within = |at: usize| levels.iter().find(|level| (level.from..level.to).contains(&at));
        let (before, after) = match change.kind {
            Move::Step => (change.at.checked_sub(1).and_then(within), within(change.at)),
            // A drift's ends are what it is read from.
            Move::Drift => {
                let point = |at: usize| Level { from: at, to: at + 1, value: 0.0, low: 0.0, high: 0.0 };
                return self.difference(&point(change.within.0), &point(change.within.1));
            }
        };
        // Only what lies close by: a level may reach back over strands that have no part in this change.
        before.zip(after).map_or(0.0, |(before, after)| {
            let before = Level { from: before.from.max(change.at.saturating_sub(NEAR)), ..*before };
            self.difference(&before, &Level { to: after.to.min(change.at + NEAR), ..*after })
        })
    }

    fn difference(&self, before: &Level, after: &Level) -> f64 {
        let (before, after) = (self.shares(before), self.shares(after));
        let apart: Vec<f64> = after.iter().zip(&before).map(|(after, before)| after - before).collect();
        // Each tie's error reaches all strands that hang on it.
        let mut reached = vec![0.0; apart.len()];
        for (strand, share) in apart.iter().enumerate() {
            let mut at = strand;
            while let Some((to, _)) = self.ties[at] {
                reached[at] += share;
                at = to;
            }
        }
        let of = |(reached, tie): (&f64, &Option<(usize, f64)>)| {
            tie.map_or(0.0, |(_, variance)| reached * reached * variance)
        };
        reached.iter().zip(&self.ties).map(of).sum()
    }

    /// By strand, its share in the commits of a level.
    fn shares(&self, level: &Level) -> Vec<f64> {
        let mut shares = vec![0.0; self.ties.len()];
        let knots = &self.knots[level.from..level.to];
        for knot in knots {
            for &strand in &knot.strands {
                shares[strand] += 1.0 / (knot.strands.len() * knots.len()) as f64;
            }
        }
        shares
    }
}

/// A size with the doubt of ties in it, and whether it still leaves out nothing at all.
fn widened(size: Size, doubt: f64) -> (Size, bool) {
    let Size::Relative { value, low, high } = size else { return (size, true) };
    let side = |end: f64| (end.ln_1p() - value.ln_1p()).powi(2) + NORMAL_95.powi(2) * doubt;
    let (low, high) = ((value.ln_1p() - side(low).sqrt()).exp_m1(), (value.ln_1p() + side(high).sqrt()).exp_m1());
    (Size::Relative { value, low, high }, doubt <= 0.0 || low > 0.0 || high < 0.0)
}

/// Takes the step at a point out of the levels.
fn merge(levels: &mut Vec<Level>, at: usize) {
    let Some(place) = levels.iter().position(|level| level.from == at).filter(|place| *place > 0) else { return };
    let after = levels.remove(place);
    let before = &mut levels[place - 1];
    let (one, other) = ((before.to - before.from) as f64, (after.to - after.from) as f64);
    *before = Level {
        from: before.from,
        to: after.to,
        value: (before.value * one + after.value * other) / (one + other),
        low: before.low.min(after.low),
        high: before.high.max(after.high),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CommitId, Machine};
    use crate::stats::simulate::Noise;

    fn id(number: usize) -> CommitId {
        CommitId::new(format!("{number:040x}")).unwrap()
    }

    fn strand(machine: &str, anchor: usize, ratios: Vec<Ratio>) -> Strand {
        let machine = Machine::Named(machine.to_owned());
        Strand { machine, anchor: id(anchor), name: format!("v{anchor}"), toolchain: None, ratios }
    }

    fn ratio(place: usize, log: f64, error: f64) -> Ratio {
        Ratio { head: id(place), place: Some(place), log, variance: error * error, started_at_s: 0 }
    }

    /// Commits whose true ratio is `truth`, each measured by one of the classes, whose offsets these are.
    fn fleet(noise: &mut Noise, commits: usize, offsets: &[f64], truth: impl Fn(usize) -> f64) -> Vec<Strand> {
        let mut ratios = vec![Vec::new(); offsets.len()];
        for place in 0..commits {
            let class = (0..offsets.len()).find(|_| noise.chance(0.4)).unwrap_or(0);
            ratios[class].push(ratio(place, truth(place) + offsets[class] + 0.002 * noise.normal(), 0.002));
        }
        ratios.into_iter().zip(["a", "b", "c"]).map(|(ratios, name)| strand(name, 900, ratios)).collect()
    }

    #[test]
    fn nothing_and_one_strand_are_as_they_are() {
        assert!(join(&[]).knots.is_empty());
        let one = join(&[strand("a", 900, vec![ratio(3, 0.1, 0.01), ratio(1, 0.2, 0.01)])]);
        assert_eq!(one.knots.iter().map(|knot| (knot.place, knot.log)).collect::<Vec<_>>(), [(1, 0.2), (3, 0.1)]);
    }

    #[test]
    fn unlike_machines_that_take_turns_are_read_as_one_line_with_its_one_step() {
        let mut noise = Noise::seeded(71);
        for _ in 0..20 {
            let strands = fleet(&mut noise, 120, &[0.0, 0.07, -0.12], |place| if place < 70 { 0.0 } else { 0.03 });
            let joined = join(&strands);
            for (offset, truth) in joined.offsets.iter().zip([0.0, 0.07, -0.12]) {
                let offset = offset.expect("tied");
                assert!((offset.log - truth).abs() < 5.0 * offset.error.max(1e-9), "{offset:?} {truth}");
                assert!(offset.error < 0.002, "{offset:?}");
            }
            let trend = trend(&joined, &Settings::history(), Direction::Lower);
            let places: Vec<usize> = trend.changes.iter().map(|change| joined.knots[change.at].place).collect();
            assert!(matches!(places[..], [place] if place.abs_diff(70) <= 1), "{places:?}");
        }
    }

    #[test]
    fn an_offset_errs_as_much_as_it_says() {
        let mut noise = Noise::seeded(72);
        let mut outside = 0;
        for _ in 0..300 {
            let strands = fleet(&mut noise, 60, &[0.0, 0.05], |_| 0.0);
            let offset = join(&strands).offsets[1].expect("tied");
            outside += usize::from((offset.log - 0.05).abs() > NORMAL_95 * offset.error);
        }
        // One in twenty, and not more than one in ten: neighbours share a point, which the error does not count.
        assert!(outside < 30, "{outside} of 300");
    }

    #[test]
    fn machines_that_never_measured_close_together_are_not_tied() {
        let early = strand("a", 900, (0..20).map(|place| ratio(place, 0.0, 0.002)).collect());
        let late = strand("b", 900, (40..60).map(|place| ratio(place, 0.5, 0.002)).collect());
        let joined = join(&[early, late]);
        assert_eq!((joined.offsets[1], joined.knots.len()), (None, 20));
    }

    /// A class that was re-anchored at commit 50: before it ratios to 900, after it to 901, which is `apart` slower; the
    /// duel of the two says `said`, give or take `error`.
    fn re_anchored(noise: &mut Noise, apart: f64, said: f64, error: f64) -> Joined {
        let mut draw = |place, truth: f64| ratio(place, truth + 0.002 * noise.normal(), 0.002);
        let new: Vec<Ratio> = (50..100).map(|place| draw(place, 0.0)).collect();
        let mut old: Vec<Ratio> = (0..50).map(|place| draw(place, apart)).collect();
        old.push(Ratio { head: id(901), place: None, ..ratio(0, said, error) });
        join(&[strand("a", 901, new), strand("a", 900, old)])
    }

    #[test]
    fn a_duel_of_two_anchors_chains_their_lines() {
        let mut noise = Noise::seeded(73);
        let joined = re_anchored(&mut noise, 0.2, 0.2, 0.001);
        let offset = joined.offsets[1].expect("tied");
        assert_eq!((offset.tie, offset.count), (Tie::Duel, 1));
        // The duel says 0.1 %, and the duels of these strands scatter by 0.2 %; a median of fifty distances, and the larger of
        // two of them, is off from that by a sixth.
        assert!((offset.log - 0.2).abs() < 1e-12 && (0.0017..0.0024).contains(&offset.error), "{offset:?}");
        assert_eq!(trend(&joined, &Settings::history(), Direction::Lower).changes, []);
    }

    #[test]
    fn what_the_duel_of_two_anchors_leaves_in_doubt_is_no_change() {
        let mut noise = Noise::seeded(74);
        // The duel was one percent off; it said so itself.
        let joined = re_anchored(&mut noise, 0.2, 0.21, 0.008);
        let found = trend(&joined, &Settings::history(), Direction::Lower);
        assert_eq!((found.changes.len(), found.levels.len()), (0, 1), "{found:?}");
        // And where it was sure of itself there is a change of one percent.
        let joined = re_anchored(&mut noise, 0.2, 0.21, 0.0005);
        let found = trend(&joined, &Settings::history(), Direction::Lower);
        assert_eq!(found.changes.len(), 1, "{found:?}");
    }

    #[test]
    fn a_change_within_one_strand_is_not_doubted() {
        let mut noise = Noise::seeded(75);
        let mut draw = |place, truth: f64| ratio(place, truth + 0.002 * noise.normal(), 0.002);
        let new: Vec<Ratio> = (50..100).map(|place| draw(place, if place < 75 { 0.0 } else { 0.01 })).collect();
        let mut old: Vec<Ratio> = (0..50).map(|place| draw(place, 0.2)).collect();
        old.push(Ratio { head: id(901), place: None, ..ratio(0, 0.2, 0.05) });
        let joined = join(&[strand("a", 901, new), strand("a", 900, old)]);
        let found = trend(&joined, &Settings::history(), Direction::Lower);
        assert!(found.changes.iter().any(|change| joined.knots[change.at].place.abs_diff(75) <= 1), "{found:?}");
    }
}
