//! Kernels that treat each element alike, over any [`Lanes`].

use super::lanes::Lanes;

/// Results larger than this are stored past the caches: they would drive out everything else, and a plain store reads
/// each line from memory before it overwrites it.
const STREAM_FROM_BYTES: usize = 8 << 20;

/// A function of one register or two.
///
/// Not a closure: only a named function can be told to be inlined, without which it would be compiled for no
/// instruction set at all.
///
/// # Safety
/// The processor must have L.
trait Function<L: Lanes> {
    unsafe fn of(a: L::Vector, b: L::Vector) -> L::Vector;
}

macro_rules! functions {
    ($($name:ident: |$a:ident, $b:ident| $value:expr;)*) => {$(
        struct $name;
        impl<L: Lanes> Function<L> for $name {
            #[inline(always)]
            unsafe fn of($a: L::Vector, $b: L::Vector) -> L::Vector {
                // SAFETY: the caller is on a processor that has L.
                unsafe { $value }
            }
        }
    )*};
}

functions! {
    Add: |a, b| L::add(a, b);
    Mul: |a, b| L::mul(a, b);
    Relu: |x, _unused| L::max(x, L::splat(0.0));
    Gelu: |x, _unused| L::gelu(x);
}

/// Applies F to each register of `a` and `b` and stores the results at `out`.
///
/// # Safety
/// All three must be good for `count` numbers; the processor must have L.
#[inline(always)]
unsafe fn zip<L: Lanes, F: Function<L>>(a: *const f32, b: *const f32, out: *mut f32, count: usize) {
    // SAFETY: every index below is less than `count`, or the tail's masks keep to it.
    unsafe {
        let mut i = 0;
        if count * 4 >= STREAM_FROM_BYTES && out.cast_const() != a {
            i = out.align_offset(4 * L::COUNT);
            L::store_head(out, F::of(L::load_head(a, i), L::load_head(b, i)), i);
            while i + L::COUNT <= count {
                L::stream(out.add(i), F::of(L::load(a.add(i)), L::load(b.add(i))));
                i += L::COUNT;
            }
            L::fence();
        }
        while i + 4 * L::COUNT <= count {
            for step in 0..4 {
                let at = i + step * L::COUNT;
                L::store(out.add(at), F::of(L::load(a.add(at)), L::load(b.add(at))));
            }
            i += 4 * L::COUNT;
        }
        while i < count {
            let left = (count - i).min(L::COUNT);
            let value = F::of(L::load_head(a.add(i), left), L::load_head(b.add(i), left));
            L::store_head(out.add(i), value, left);
            i += L::COUNT;
        }
    }
}

/// Applies F to each register of `x` and stores the results at `out`.
#[inline(always)]
unsafe fn map<L: Lanes, F: Function<L>>(x: *const f32, out: *mut f32, count: usize) {
    // SAFETY: as in `zip`.
    unsafe {
        let mut i = 0;
        while i + 4 * L::COUNT <= count {
            for step in 0..4 {
                let at = i + step * L::COUNT;
                L::store(out.add(at), F::of(L::load(x.add(at)), L::splat(0.0)));
            }
            i += 4 * L::COUNT;
        }
        while i < count {
            let left = (count - i).min(L::COUNT);
            L::store_head(out.add(i), F::of(L::load_head(x.add(i), left), L::splat(0.0)), left);
            i += L::COUNT;
        }
    }
}

#[inline(always)]
pub(super) unsafe fn add<L: Lanes>(a: &[f32], b: &[f32], out: &mut [f32]) {
    // SAFETY: the lengths are equal, which the face of the room has checked.
    unsafe { zip::<L, Add>(a.as_ptr(), b.as_ptr(), out.as_mut_ptr(), out.len()) }
}

#[inline(always)]
pub(super) unsafe fn mul<L: Lanes>(a: &[f32], b: &[f32], out: &mut [f32]) {
    // SAFETY: as above.
    unsafe { zip::<L, Mul>(a.as_ptr(), b.as_ptr(), out.as_mut_ptr(), out.len()) }
}

#[inline(always)]
pub(super) unsafe fn add_in_place<L: Lanes>(a: &mut [f32], b: &[f32]) {
    let to = a.as_mut_ptr();
    // SAFETY: as above; each register is read before its place is written.
    unsafe { zip::<L, Add>(to, b.as_ptr(), to, a.len()) }
}

#[inline(always)]
pub(super) unsafe fn mul_in_place<L: Lanes>(a: &mut [f32], b: &[f32]) {
    let to = a.as_mut_ptr();
    // SAFETY: as above.
    unsafe { zip::<L, Mul>(to, b.as_ptr(), to, a.len()) }
}

#[inline(always)]
pub(super) unsafe fn relu<L: Lanes>(x: &[f32], out: &mut [f32]) {
    // SAFETY: as above.
    unsafe { map::<L, Relu>(x.as_ptr(), out.as_mut_ptr(), out.len()) }
}

#[inline(always)]
pub(super) unsafe fn relu_in_place<L: Lanes>(x: &mut [f32]) {
    let to = x.as_mut_ptr();
    // SAFETY: as above.
    unsafe { map::<L, Relu>(to, to, x.len()) }
}

#[inline(always)]
pub(super) unsafe fn gelu<L: Lanes>(x: &[f32], out: &mut [f32]) {
    // SAFETY: as above.
    unsafe { map::<L, Gelu>(x.as_ptr(), out.as_mut_ptr(), out.len()) }
}

#[inline(always)]
pub(super) unsafe fn gelu_in_place<L: Lanes>(x: &mut [f32]) {
    let to = x.as_mut_ptr();
    // SAFETY: as above.
    unsafe { map::<L, Gelu>(to, to, x.len()) }
}

#[inline(always)]
pub(super) unsafe fn dot<L: Lanes>(a: &[f32], b: &[f32]) -> f32 {
    let count = a.len();
    let (a, b) = (a.as_ptr(), b.as_ptr());
    // SAFETY: every index is less than `count`, which is the length of both.
    unsafe {
        let mut sums = [L::splat(0.0); 4];
        let mut i = 0;
        while i + 4 * L::COUNT <= count {
            for (step, sum) in sums.iter_mut().enumerate() {
                let at = i + step * L::COUNT;
                *sum = L::fma(L::load(a.add(at)), L::load(b.add(at)), *sum);
            }
            i += 4 * L::COUNT;
        }
        while i < count {
            let left = (count - i).min(L::COUNT);
            sums[0] = L::fma(L::load_head(a.add(i), left), L::load_head(b.add(i), left), sums[0]);
            i += L::COUNT;
        }
        L::sum(L::add(L::add(sums[0], sums[1]), L::add(sums[2], sums[3])))
    }
}
