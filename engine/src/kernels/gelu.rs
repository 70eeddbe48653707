//! GELU of a register, in the tanh form: ½x·(1 + tanh u), with u = √(2/π)·(x + 0.044715x³).

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::lanes::{Lanes, power_of_two};

/// x / (1 + e⁻²ᵘ), which is the same.
#[inline(always)]
pub(super) unsafe fn by_power<L: Lanes>(x: L::Vector) -> L::Vector {
    // −2·√(2/π)·log₂ e, and the same times 0.044715: a power of two is cheaper than one of e.
    const LINEAR: f32 = -2.302_208;
    const CUBIC: f32 = -0.102_943_24;
    // Beyond, GELU(x) is x or nothing, and the power is one that a number can still hold.
    const FAR: f32 = 9.9;
    // SAFETY: the caller is on a processor that has L.
    unsafe {
        // A number that is none must stay so: the constant is the first operand, and the second wins.
        let x = L::max(L::splat(-FAR), x);
        let near = L::min(L::splat(FAR), x);
        let power = L::mul(near, L::fma(L::mul(near, near), L::splat(CUBIC), L::splat(LINEAR)));
        L::mul(x, L::reciprocal(L::add(L::splat(1.0), power_of_two::<L>(power))))
    }
}

/// How far the pieces' middles are apart: the first is at zero, and where the last begins, at 5.2, GELU(x) is x to the
/// last bit, or nothing.
#[cfg(target_arch = "x86_64")]
const APART: f32 = 0.359;

/// ½|x|·tanh |u| piece by piece: one row for each power of the distance from the piece's middle, each fitted in 64 bits at the
/// Chebyshev points of its piece. GELU is the sum of that and ½x.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
static PIECES: [[f32; 16]; 5] = [
    [0.0, 0.050_327_692, 0.189_220_1, 0.386_743_9, 0.609_351, 0.832_223_7, 1.043_583_8, 1.241_902_7, 1.430_594_1, 1.613_822_5, 1.794_570_2, 1.974_410_7, 2.153_985_3, 2.333_498, 2.512_999_8, 2.692_499_9],
    [0.0, 0.274_425_45, 0.484_700_9, 0.599_505_8, 0.628_931_46, 0.607_399_9, 0.569_660_5, 0.536_970_1, 0.516_255_4, 0.505_903, 0.501_751_3, 0.500_418_25, 0.500_079_04, 0.500_011_6, 0.500_001_3, 0.5],
    [0.398_936_36, 0.349_736_87, 0.228_518_17, 0.094_086_6, -0.003_513_598_6, -0.048_074_227, -0.052_122_887, -0.037_485_033, -0.020_737_348, -0.009_140_493, -0.003_221_932, -0.000_900_654_1, -0.000_196_982_57, -0.000_033_178_472, -0.000_004_231_278_6, 0.0],
    [0.0, -0.086_158_73, -0.127_422_18, -0.112_611_93, -0.065_776_97, -0.019_614_272, 0.007_856_833, 0.016_229_132, 0.013_587_702, 0.007_919_322, 0.003_495_472_5, 0.001_188_691, 0.000_310_627_16, 0.000_061_754_84, 0.000_009_217_619, 0.0],
    [-0.066_328_68, -0.048_196_677, -0.008_016_703, 0.025_579_808, 0.035_695_83, 0.026_573_984, 0.011_771_031, 0.000_897_908_7, -0.003_645_577_5, -0.003_780_039_5, -0.002_308_623_9, -0.000_998_691_7, -0.000_318_065_58, -0.000_075_007_505, -0.000_013_025_815, 0.0],
];

/// The same from the pieces: two thirds of the instructions, where one of them looks sixteen numbers up.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) unsafe fn by_pieces(x: __m512) -> __m512 {
    // Below, it is nothing.
    const NOTHING: f32 = -7.0;
    // Added to a small number, it leaves the nearest whole one in the lowest bits.
    const WHOLE: f32 = 1.5 * 8_388_608.0;
    // SAFETY: the caller is on a processor that has AVX-512.
    unsafe {
        let (apart, whole) = (_mm512_set1_ps(APART), _mm512_set1_ps(WHOLE));
        // A number that is none must stay so: the second operand wins.
        let x = _mm512_max_ps(_mm512_set1_ps(NOTHING), x);
        let far = _mm512_abs_ps(x);
        let within = _mm512_min_ps(far, _mm512_set1_ps(15.0 * APART));
        let piece = _mm512_fmadd_ps(within, _mm512_set1_ps(1.0 / APART), whole);
        let past = _mm512_fnmadd_ps(_mm512_sub_ps(piece, whole), apart, far);
        // Nothing times infinity would be no number.
        let past = _mm512_min_ps(_mm512_set1_ps(f32::MAX), past);
        let mut sum = looked_up(&PIECES[4], piece);
        for row in PIECES[..4].iter().rev() {
            sum = _mm512_fmadd_ps(sum, past, looked_up(row, piece));
        }
        _mm512_fmadd_ps(x, _mm512_set1_ps(0.5), sum)
    }
}

/// The numbers of a row at the places that the lowest four bits of each lane name.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn looked_up(row: &[f32; 16], places: __m512) -> __m512 {
    // SAFETY: the row is as long as a register; the caller is on a processor that has AVX-512.
    unsafe { _mm512_permutexvar_ps(_mm512_castps_si512(places), _mm512_loadu_ps(row.as_ptr())) }
}
