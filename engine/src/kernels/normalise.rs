//! Softmax and layer normalisation, over any [`Lanes`].

use super::lanes::{Lanes, power_of_two_product};

#[inline(always)]
pub(super) unsafe fn softmax<L: Lanes>(x: &[f32], out: &mut [f32]) {
    // SAFETY: both have the same length, which the face of the room has checked.
    unsafe { softmax_of::<L>(x.as_ptr(), out.as_mut_ptr(), out.len(), 1.0) }
}

/// Softmax of `scale` · x.
#[inline(always)]
pub(super) unsafe fn softmax_in_place<L: Lanes>(x: &mut [f32], scale: f32) {
    let to = x.as_mut_ptr();
    // SAFETY: each register is read before its place is written.
    unsafe { softmax_of::<L>(to, to, x.len(), scale) }
}

/// e to the power of `scale` times how far x is above the largest, with `by` as `scale` · log₂ e.
#[inline(always)]
unsafe fn weight<L: Lanes>(x: L::Vector, largest: L::Vector, by: L::Vector, least: L::Vector) -> L::Vector {
    // SAFETY: the caller is on a processor that has L.
    unsafe {
        // Below the least it is nothing. A number that is none must stay so: the second operand of the two wins.
        power_of_two_product::<L>(L::max(least, L::sub(x, largest)), by)
    }
}

/// Softmax of `scale` · x to `out`, which may be x.
///
/// # Safety
/// Both must be good for `count` numbers; the processor must have L.
#[inline(always)]
unsafe fn softmax_of<L: Lanes>(x: *const f32, out: *mut f32, count: usize, scale: f32) {
    // SAFETY: every index is less than `count`.
    unsafe {
        let by = scale * std::f32::consts::LOG2_E;
        let (largest, least, by) = (L::splat(largest_of::<L>(x, count)), L::splat(-126.0 / by), L::splat(by));
        let mut sums = [L::splat(0.0); 4];
        let mut i = 0;
        while i + 4 * L::COUNT <= count {
            for (step, sum) in sums.iter_mut().enumerate() {
                let at = i + step * L::COUNT;
                let value = weight::<L>(L::load(x.add(at)), largest, by, least);
                L::store(out.add(at), value);
                *sum = L::add(*sum, value);
            }
            i += 4 * L::COUNT;
        }
        while i + L::COUNT <= count {
            let value = weight::<L>(L::load(x.add(i)), largest, by, least);
            L::store(out.add(i), value);
            sums[0] = L::add(sums[0], value);
            i += L::COUNT;
        }
        if i < count {
            let left = count - i;
            let value = weight::<L>(L::load_head(x.add(i), left), largest, by, least);
            L::store_head(out.add(i), value, left);
            // The lanes past the end do not count.
            sums[1] = L::add(sums[1], L::head_of(value, left, L::splat(0.0)));
        }
        let sum = L::sum(L::add(L::add(sums[0], sums[1]), L::add(sums[2], sums[3])));
        let scale = L::splat(1.0 / sum);
        let mut i = 0;
        while i + 4 * L::COUNT <= count {
            for step in 0..4 {
                let at = out.add(i + step * L::COUNT);
                L::store(at, L::mul(L::load(at), scale));
            }
            i += 4 * L::COUNT;
        }
        while i + L::COUNT <= count {
            L::store(out.add(i), L::mul(L::load(out.add(i)), scale));
            i += L::COUNT;
        }
        L::store_head(out.add(i), L::mul(L::load_head(out.add(i), count - i), scale), count - i);
    }
}

#[inline(always)]
pub(super) unsafe fn largest<L: Lanes>(x: &[f32]) -> f32 {
    // SAFETY: the slice is as long as it says.
    unsafe { largest_of::<L>(x.as_ptr(), x.len()) }
}

/// The largest of `count` numbers; −∞ of none.
#[inline(always)]
unsafe fn largest_of<L: Lanes>(x: *const f32, count: usize) -> f32 {
    // SAFETY: every index is less than `count`.
    unsafe {
        let mut tops = [L::splat(f32::NEG_INFINITY); 4];
        let mut i = 0;
        while i + 4 * L::COUNT <= count {
            for (step, top) in tops.iter_mut().enumerate() {
                *top = L::max(L::load(x.add(i + step * L::COUNT)), *top);
            }
            i += 4 * L::COUNT;
        }
        while i + L::COUNT <= count {
            tops[0] = L::max(L::load(x.add(i)), tops[0]);
            i += L::COUNT;
        }
        if i < count {
            let left = count - i;
            let last = L::head_of(L::load_head(x.add(i), left), left, L::splat(f32::NEG_INFINITY));
            tops[1] = L::max(last, tops[1]);
        }
        L::largest(L::max(L::max(tops[0], tops[1]), L::max(tops[2], tops[3])))
    }
}

/// How many numbers have been seen, their mean, and the sum of their squared distances from it.
#[derive(Clone, Copy)]
struct Moments {
    count: f32,
    mean: f32,
    squares: f32,
}

impl Moments {
    /// Chan's rule for two sets, of which Welford's is the case that one has a single number.
    #[inline(always)]
    fn join(self, other: Self) -> Self {
        let count = self.count + other.count;
        let distance = other.mean - self.mean;
        let share = other.count / count;
        Self {
            count,
            mean: distance.mul_add(share, self.mean),
            squares: self.squares + other.squares + distance * distance * self.count * share,
        }
    }
}

/// Mean and variance in one reading: eight registers at a time, each lane keeping its own moments.
#[inline(always)]
unsafe fn moments<L: Lanes>(x: *const f32, count: usize) -> Moments {
    const CHUNK: usize = 8;
    // SAFETY: every index is less than `count`.
    unsafe {
        let (mut mean, mut squares) = (L::splat(0.0), L::splat(0.0));
        let mut seen = 0_usize; // registers
        while (seen + 1) * L::COUNT <= count {
            let registers = (count / L::COUNT - seen).min(CHUNK);
            let at = x.add(seen * L::COUNT);
            let mut values = [L::splat(0.0); CHUNK];
            let mut sum = L::splat(0.0);
            if registers == CHUNK {
                for (index, value) in values.iter_mut().enumerate() {
                    *value = L::load(at.add(index * L::COUNT));
                }
                let [a, b, c, d, e, f, g, h] = values;
                sum = L::add(L::add(L::add(a, b), L::add(c, d)), L::add(L::add(e, f), L::add(g, h)));
            } else {
                for (index, value) in values.iter_mut().enumerate().take(registers) {
                    *value = L::load(at.add(index * L::COUNT));
                    sum = L::add(sum, *value);
                }
            }
            let here = L::mul(sum, L::splat(1.0 / registers as f32));
            let mut spread = [L::splat(0.0); 2];
            for (index, value) in values.iter().enumerate().take(registers) {
                let distance = L::sub(*value, here);
                spread[index % 2] = L::fma(distance, distance, spread[index % 2]);
            }
            let share = registers as f32 / (seen + registers) as f32;
            let distance = L::sub(here, mean);
            mean = L::fma(distance, L::splat(share), mean);
            squares = L::add(squares, L::add(spread[0], spread[1]));
            squares = L::fma(L::mul(distance, distance), L::splat(seen as f32 * share), squares);
            seen += registers;
        }
        let mut whole = Moments { count: 0.0, mean: 0.0, squares: 0.0 };
        if seen > 0 {
            let middle = L::sum(mean) / L::COUNT as f32;
            let apart = L::sub(mean, L::splat(middle));
            let squares = L::sum(L::fma(L::mul(apart, apart), L::splat(seen as f32), squares));
            whole = Moments { count: (seen * L::COUNT) as f32, mean: middle, squares };
        }
        for i in seen * L::COUNT..count {
            whole = whole.join(Moments { count: 1.0, mean: *x.add(i), squares: 0.0 });
        }
        whole
    }
}

#[inline(always)]
pub(super) unsafe fn layer_norm<L: Lanes>(x: &[f32], gain: &[f32], bias: &[f32], out: &mut [f32]) {
    let width = gain.len();
    let mut ahead = x.chunks_exact(width);
    // SAFETY: rows, gain and bias are equally long, and as many rows are written; the face of the room has checked that.
    unsafe {
        // The next row is read before this one is written: until a row's last sums are there, its scale is awaited.
        let mut next = (0.0, 0.0);
        if let Some(first) = ahead.next() {
            next = mean_and_scale::<L>(first);
        }
        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let (mean, scale) = next;
            if let Some(row) = ahead.next() {
                next = mean_and_scale::<L>(row);
            }
            let fit = (L::splat(mean), L::splat(scale));
            shift_and_scale::<L>(x, fit, (gain.as_ptr(), bias.as_ptr()), out.as_mut_ptr());
        }
    }
}

/// What a row is shifted by, and then scaled by.
#[inline(always)]
unsafe fn mean_and_scale<L: Lanes>(row: &[f32]) -> (f32, f32) {
    // SAFETY: the row is as long as it says.
    let moments = unsafe { moments::<L>(row.as_ptr(), row.len()) };
    (moments.mean, 1.0 / (moments.squares / moments.count + super::NORM_EPSILON).sqrt())
}

/// out = (x − mean) · scale · gain + bias
#[inline(always)]
unsafe fn shift_and_scale<L: Lanes>(
    x: &[f32],
    (mean, scale): (L::Vector, L::Vector),
    (gain, bias): (*const f32, *const f32),
    out: *mut f32,
) {
    let (count, x) = (x.len(), x.as_ptr());
    // SAFETY: all are as long as the row.
    unsafe {
        let mut i = 0;
        while i + L::COUNT <= count {
            let value = L::mul(L::sub(L::load(x.add(i)), mean), scale);
            L::store(out.add(i), L::fma(value, L::load(gain.add(i)), L::load(bias.add(i))));
            i += L::COUNT;
        }
        if i < count {
            let left = count - i;
            let value = L::mul(L::sub(L::load_head(x.add(i), left), mean), scale);
            let value = L::fma(value, L::load_head(gain.add(i), left), L::load_head(bias.add(i), left));
            L::store_head(out.add(i), value, left);
        }
    }
}
