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

/// The moments of each lane over some registers.
#[derive(Clone, Copy)]
struct Laned<L: Lanes> {
    registers: f32,
    mean: L::Vector,
    squares: L::Vector,
}

impl<L: Lanes> Laned<L> {
    /// Reads N registers more. The moments of these are joined with those before, by Chan's rule.
    #[inline(always)]
    unsafe fn and<const N: usize>(self, x: *const f32) -> Self {
        // SAFETY: the caller has as many registers to be read, on a processor that has L.
        unsafe {
            let mut values = [L::splat(0.0); N];
            let mut sums = [L::splat(0.0); 4];
            for (at, value) in values.iter_mut().enumerate() {
                *value = L::load(x.add(at * L::COUNT));
                sums[at % 4] = if at < 4 { *value } else { L::add(sums[at % 4], *value) };
            }
            let sum = L::add(L::add(sums[0], sums[1]), L::add(sums[2], sums[3]));
            let here = L::mul(sum, L::splat(1.0 / N as f32));
            let mut squares = [L::splat(0.0); 4];
            squares[3] = self.squares;
            for (at, value) in values.into_iter().enumerate() {
                let apart = L::sub(value, here);
                squares[at % 4] = if at < 3 { L::mul(apart, apart) } else { L::fma(apart, apart, squares[at % 4]) };
            }
            let registers = self.registers + N as f32;
            let share = N as f32 / registers;
            let apart = L::sub(here, self.mean);
            let between = L::mul(apart, L::splat(self.registers * share));
            let squares = L::add(L::add(squares[0], squares[1]), L::add(squares[2], squares[3]));
            Self {
                registers,
                mean: L::fma(apart, L::splat(share), self.mean),
                squares: L::fma(apart, between, squares),
            }
        }
    }
}

/// Mean and variance in one reading: many registers at a time, each lane keeping its own moments.
#[inline(always)]
unsafe fn moments<L: Lanes>(x: *const f32, count: usize) -> Moments {
    // SAFETY: every index below is less than `count`.
    unsafe {
        let mut laned = Laned::<L> { registers: 0.0, mean: L::splat(0.0), squares: L::splat(0.0) };
        let mut seen = 0;
        if L::COUNT == 16 {
            while seen + 16 * L::COUNT <= count {
                laned = laned.and::<16>(x.add(seen));
                seen += 16 * L::COUNT;
            }
        }
        while seen + 8 * L::COUNT <= count {
            laned = laned.and::<8>(x.add(seen));
            seen += 8 * L::COUNT;
        }
        while seen + L::COUNT <= count {
            laned = laned.and::<1>(x.add(seen));
            seen += L::COUNT;
        }
        let mut whole = Moments { count: 0.0, mean: 0.0, squares: 0.0 };
        if seen > 0 {
            let mean = L::sum(laned.mean) * (1.0 / L::COUNT as f32);
            let apart = L::sub(laned.mean, L::splat(mean));
            let squares = L::sum(L::fma(L::mul(apart, apart), L::splat(laned.registers), laned.squares));
            whole = Moments { count: seen as f32, mean, squares };
        }
        for i in seen..count {
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
