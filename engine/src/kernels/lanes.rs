//! What the vector kernels ask of an instruction set.
//!
//! A kernel is written once over this trait and compiled once for each set, inside a function that enables it; so
//! every method is inlined there and becomes one instruction, or a few.

use super::gelu;

/// A register full of 32-bit floating point numbers.
///
/// # Safety
/// The methods of an implementation may only run on a processor that has its instruction set, and pointers must be
/// good for the lanes read or written.
pub(super) trait Lanes: Copy {
    type Vector: Copy;
    /// How many numbers a register holds.
    const COUNT: usize;
    /// How many registers of sums six rows may have beside what else is needed.
    const WIDE: usize;

    unsafe fn splat(value: f32) -> Self::Vector;
    unsafe fn load(from: *const f32) -> Self::Vector;
    unsafe fn store(to: *mut f32, value: Self::Vector);
    /// Stores past the caches; `to` must be aligned to the register.
    unsafe fn stream(to: *mut f32, value: Self::Vector);
    /// Makes streamed stores visible before whatever is stored next.
    unsafe fn fence();
    /// Loads the first `count` lanes; the others are zero.
    unsafe fn load_head(from: *const f32, count: usize) -> Self::Vector;
    /// Stores the first `count` lanes.
    unsafe fn store_head(to: *mut f32, value: Self::Vector, count: usize);
    /// The first `count` lanes of one, the others of the other.
    unsafe fn head_of(value: Self::Vector, count: usize, rest: Self::Vector) -> Self::Vector;

    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn mul(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a · b + c
    unsafe fn fma(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// The larger of both, lane by lane; where either is no number, `b`.
    unsafe fn max(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn min(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn round(a: Self::Vector) -> Self::Vector;
    /// a · 2ⁿ for whole n between −126 and 127.
    unsafe fn scale(a: Self::Vector, n: Self::Vector) -> Self::Vector;
    /// 1 / a to the last bit or two.
    unsafe fn reciprocal(a: Self::Vector) -> Self::Vector;
    /// Stores whole numbers between −128 and 127 as bytes.
    unsafe fn store_bytes(to: *mut i8, value: Self::Vector);
    /// The nearest number that a 16-bit one can hold.
    unsafe fn to_half_and_back(value: f32) -> f32;
    /// The sum of all lanes.
    unsafe fn sum(a: Self::Vector) -> f32;
    unsafe fn abs(a: Self::Vector) -> Self::Vector;
    /// The sum of all lanes, which are small whole numbers.
    unsafe fn sum_of_whole(a: Self::Vector) -> i32;
    /// The largest of all lanes.
    unsafe fn largest(a: Self::Vector) -> f32;
    /// Turns a square of as many rows as a register has lanes over, so that its rows are columns.
    ///
    /// # Safety
    /// Both must be good for that many rows, which begin so far apart.
    #[inline(always)]
    unsafe fn turn(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
        for column in 0..Self::COUNT {
            for row in 0..Self::COUNT {
                // SAFETY: the caller's.
                unsafe { *to.add(column * to_step + row) = *from.add(row * from_step + column) }
            }
        }
    }
    /// GELU of each lane.
    #[inline(always)]
    unsafe fn gelu(x: Self::Vector) -> Self::Vector {
        // SAFETY: the caller is on a processor that has the set.
        unsafe { gelu::by_power::<Self>(x) }
    }
}

/// 2ʳ for |r| ≤ ½, the highest power first: of all polynomials of degree 5 that are 1 at zero, the one whose largest relative
/// error is least, 9·10⁻⁸.
#[allow(clippy::approx_constant, reason = "near ln 2, and better than that with these others")]
const POWER: [f32; 6] = [0.001_326_472_6, 0.009_671_513, 0.055_507_336, 0.240_222_42, 0.693_147, 1.0];

/// 2ᵗ for |t| ≤ 126, with a relative error below 2·10⁻⁷ + 4·10⁻⁸·|t|: the reduction is exact, but t is rounded already.
#[inline(always)]
pub(super) unsafe fn power_of_two<L: Lanes>(t: L::Vector) -> L::Vector {
    // SAFETY: the caller is on a processor that has L.
    unsafe {
        let n = L::round(t);
        two_to::<L>(n, L::sub(t, n))
    }
}

/// 2 to the power of d · `by`, of which nothing is lost before the reduction: the product is never rounded.
#[inline(always)]
pub(super) unsafe fn power_of_two_product<L: Lanes>(d: L::Vector, by: L::Vector) -> L::Vector {
    // SAFETY: the caller is on a processor that has L.
    unsafe {
        let n = L::round(L::mul(d, by));
        two_to::<L>(n, L::fma(d, by, L::sub(L::splat(0.0), n)))
    }
}

/// 2ⁿ⁺ʳ for a whole n and |r| ≤ ½.
#[inline(always)]
unsafe fn two_to<L: Lanes>(n: L::Vector, r: L::Vector) -> L::Vector {
    // SAFETY: the caller is on a processor that has L.
    unsafe {
        let mut p = L::splat(POWER[0]);
        for coefficient in &POWER[1..] {
            p = L::fma(p, r, L::splat(*coefficient));
        }
        L::scale(p, n)
    }
}
