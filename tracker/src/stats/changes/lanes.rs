//! Loops over rows of the grid, written so that the compiler takes several cells at once: what is summed or compared along
//! a row is so in each of [`LANES`] lanes apart, since a plain fold waits for each addition before it begins the next.

/// How many lanes there are; rows are whole numbers of them. Loops over fewer would be unrolled before the compiler looks
/// whether their turns can be taken together, and then are not.
pub(super) const LANES: usize = 16;

type Lanes = [f32; LANES];

#[inline]
fn lanes(row: &[f32]) -> &[Lanes] {
    row.as_chunks().0
}

#[inline]
fn lesser(one: f32, other: f32) -> f32 {
    if other < one { other } else { one }
}

#[inline]
fn greater(one: f32, other: f32) -> f32 {
    if other > one { other } else { one }
}

/// Joins all lanes to one, in pairs, so that few wait for others.
#[inline]
fn joined(mut lanes: Lanes, join: impl Fn(f32, f32) -> f32) -> f32 {
    const { assert!(LANES.is_power_of_two(), "all of them are joined") };
    let mut half = LANES / 2;
    while half > 0 {
        for at in 0..half {
            lanes[at] = join(lanes[at], lanes[at + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// The least of a row.
#[inline]
pub(super) fn least(row: &[f32]) -> f32 {
    let mut least = [f32::INFINITY; LANES];
    for cells in lanes(row) {
        for at in 0..LANES {
            least[at] = lesser(least[at], cells[at]);
        }
    }
    joined(least, lesser)
}

/// The first cell of a row that `is_wanted`, or the first of all.
#[inline]
pub(super) fn first(row: &[f32], is_wanted: impl Fn(f32) -> bool) -> usize {
    let chunk = lanes(row).iter().position(|cells| cells.iter().fold(false, |any, cell| any | is_wanted(*cell)));
    let from = chunk.unwrap_or(0) * LANES;
    from + row[from..].iter().position(|cell| is_wanted(*cell)).unwrap_or(0)
}

/// Adds one row to another.
#[inline]
pub(super) fn add(sums: &mut [f32], row: &[f32]) {
    let row = &row[..sums.len()];
    for at in 0..row.len() {
        sums[at] += row[at];
    }
}

/// What one more point makes of the costs of all courses, those of the point on each level being `stay` where the course
/// stays there and `jump` where it comes from the cheapest level, whose course costs `least`, at a price. Where it is cheaper
/// to come than to stay, the course's level begins `here`. Returns the least of the new costs.
#[inline]
pub(super) fn choose(
    costs: &mut [f32],
    begins: &mut [u32],
    (least, price): (f32, f32),
    [stay, jump]: [&[f32]; 2],
    here: u32,
) -> f32 {
    let costs = costs.as_chunks_mut::<LANES>().0;
    let count = costs.len();
    let (stay, jump) = (&lanes(stay)[..count], &lanes(jump)[..count]);
    let begins = &mut begins.as_chunks_mut::<LANES>().0[..count];
    let mut lowest = [f32::INFINITY; LANES];
    for chunk in 0..count {
        let (costs, stay, jump) = (&mut costs[chunk], &stay[chunk], &jump[chunk]);
        let begins = &mut begins[chunk];
        for at in 0..LANES {
            let (stays, comes) = (costs[at] - least + stay[at], price + jump[at]);
            // Masked, for a choice would become a branch.
            let came = 0_u32.wrapping_sub(u32::from(stays > comes));
            begins[at] = here & came | begins[at] & !came;
            costs[at] = lesser(stays, comes);
            lowest[at] = lesser(lowest[at], costs[at]);
        }
    }
    joined(lowest, lesser)
}

/// What one more point makes of the likelihoods of all levels: `stays` times what they were for those that stay, and
/// `share` for those that come from anywhere. Returns their sum and the largest.
#[inline]
pub(super) fn forward(row: &mut [f32], stays: f32, share: f32, [stay, jump]: [&[f32]; 2]) -> (f32, f32) {
    let row = row.as_chunks_mut::<LANES>().0;
    let count = row.len();
    let (stay, jump) = (&lanes(stay)[..count], &lanes(jump)[..count]);
    let (mut sum, mut most) = ([0.0; LANES], [0.0; LANES]);
    for chunk in 0..count {
        let (row, stay, jump) = (&mut row[chunk], &stay[chunk], &jump[chunk]);
        for at in 0..LANES {
            row[at] = stays * row[at] * stay[at] + share * jump[at];
            sum[at] += row[at];
            most[at] = greater(most[at], row[at]);
        }
    }
    (joined(sum, |one, other| one + other), joined(most, greater))
}

/// The same backwards: a row that is `scale` times what it should be and lacks `more` is multiplied by `stay`. Returns
/// the sum of what it should have been, times `jump`.
#[inline]
pub(super) fn backward(row: &mut [f32], scale: f32, more: f32, [stay, jump]: [&[f32]; 2]) -> f32 {
    let row = row.as_chunks_mut::<LANES>().0;
    let count = row.len();
    let (stay, jump) = (&lanes(stay)[..count], &lanes(jump)[..count]);
    let mut sum = [0.0; LANES];
    for chunk in 0..count {
        let (row, stay, jump) = (&mut row[chunk], &stay[chunk], &jump[chunk]);
        for at in 0..LANES {
            let cell = scale * row[at] + more;
            sum[at] += cell * jump[at];
            row[at] = cell * stay[at];
        }
    }
    joined(sum, |one, other| one + other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(step: u16) -> Vec<f32> {
        (0..48).map(|at: u16| f32::from(at * step % 101) + 1.0).collect()
    }

    fn is_near(one: f32, other: f32) -> bool {
        (one - other).abs() <= 1e-5 * one.abs()
    }

    #[test]
    fn a_row_is_reduced_as_a_plain_fold_would() {
        let values = row(37);
        let lowest = values.iter().copied().fold(f32::INFINITY, f32::min);
        assert!(is_near(least(&values), lowest));
        assert_eq!(first(&values, |value| value <= lowest), values.iter().position(|value| *value <= lowest).unwrap());
        assert_eq!(first(&values, |value| value > 1e3), 0);
    }

    #[test]
    fn the_cheaper_of_staying_and_coming_is_chosen_cell_by_cell() {
        let (mut costs, stay, jump) = (row(37), row(11), row(53));
        let (before, mut begins) = (costs.clone(), [3; 48]);
        let lowest = choose(&mut costs, &mut begins, (1.0, 20.0), [&stay, &jump], 7);
        for at in 0..48 {
            let (stays, comes) = (before[at] - 1.0 + stay[at], 20.0 + jump[at]);
            assert!(is_near(costs[at], stays.min(comes)));
            assert_eq!(begins[at], if stays > comes { 7 } else { 3 });
        }
        assert!(is_near(lowest, least(&costs)));
    }

    #[test]
    fn likelihoods_move_on_cell_by_cell() {
        let (old, stay, jump) = (row(37), row(11), row(53));
        let mut new = old.clone();
        let (sum, most) = forward(&mut new, 0.9, 0.1, [&stay, &jump]);
        assert!((0..48).all(|at| is_near(new[at], 0.9 * old[at] * stay[at] + 0.1 * jump[at])));
        assert!(is_near(sum, new.iter().sum()) && is_near(most, new.iter().copied().fold(0.0, f32::max)));

        let mut new = old.clone();
        let sum = backward(&mut new, 0.5, 3.0, [&stay, &jump]);
        let full: Vec<f32> = old.iter().map(|cell| 0.5 * cell + 3.0).collect();
        assert!((0..48).all(|at| is_near(new[at], full[at] * stay[at])));
        assert!(is_near(sum, full.iter().zip(&jump).map(|(cell, jump)| cell * jump).sum()));

        let mut sums = old.clone();
        add(&mut sums, &stay);
        assert!((0..48).all(|at| is_near(sums[at], old[at] + stay[at])));
    }
}
