//! Sixteen lanes: AVX-512.

use std::arch::x86_64::*;

use super::{gelu, lanes::Lanes};

/// The instruction set; see [`Lanes`].
#[derive(Clone, Copy)]
pub(super) struct Avx512;

/// For each bit of a lane's number, the lanes of two rows, sixteen and up those of the second, that make up the row without the bit.
static LOW: [[i32; 16]; 4] = lanes_of_two(false);

/// The same for the row with the bit.
static HIGH: [[i32; 16]; 4] = lanes_of_two(true);

const fn lanes_of_two(with: bool) -> [[i32; 16]; 4] {
    let mut lanes = [[0; 16]; 4];
    let (mut at, mut lane) = (0, 0_i32);
    while at < 64 {
        let bit = 1 << (at / 16);
        let place = if lane & bit == 0 { lane } else { 16 + lane - bit };
        lanes[at / 16][at % 16] = if with { place + bit } else { place };
        (at, lane) = (at + 1, (lane + 1) % 16);
    }
    lanes
}

#[inline(always)]
fn head(count: usize) -> __mmask16 {
    if count >= 16 { !0 } else { (1 << count) - 1 }
}

// SAFETY throughout: the trait's conditions are handed on to the intrinsics unchanged.
#[allow(clippy::undocumented_unsafe_blocks, reason = "one reason for all of them, given above")]
impl Lanes for Avx512 {
    type Vector = __m512;
    const COUNT: usize = 16;
    const WIDE: usize = 4;

    #[inline(always)]
    unsafe fn splat(value: f32) -> __m512 {
        unsafe { _mm512_set1_ps(value) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: __m512) {
        unsafe { _mm512_storeu_ps(to, value) }
    }
    #[inline(always)]
    unsafe fn stream(to: *mut f32, value: __m512) {
        unsafe { _mm512_stream_ps(to, value) }
    }
    #[inline(always)]
    unsafe fn fence() {
        unsafe { _mm_sfence() }
    }
    #[inline(always)]
    unsafe fn load_head(from: *const f32, count: usize) -> __m512 {
        unsafe { _mm512_maskz_loadu_ps(head(count), from) }
    }
    #[inline(always)]
    unsafe fn store_head(to: *mut f32, value: __m512, count: usize) {
        unsafe { _mm512_mask_storeu_ps(to, head(count), value) }
    }
    #[inline(always)]
    unsafe fn head_of(value: __m512, count: usize, rest: __m512) -> __m512 {
        unsafe { _mm512_mask_blend_ps(head(count), rest, value) }
    }
    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn sub(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn mul(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn fma(a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    unsafe fn max(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_max_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn min(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_min_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn round(a: __m512) -> __m512 {
        unsafe { _mm512_roundscale_ps::<0x08>(a) }
    }
    #[inline(always)]
    unsafe fn scale(a: __m512, n: __m512) -> __m512 {
        unsafe { _mm512_scalef_ps(a, n) }
    }
    #[inline(always)]
    unsafe fn reciprocal(a: __m512) -> __m512 {
        unsafe {
            let guess = _mm512_rcp14_ps(a);
            // One step of Newton's: guess · (2 − a · guess).
            _mm512_mul_ps(guess, _mm512_fnmadd_ps(a, guess, _mm512_set1_ps(2.0)))
        }
    }
    #[inline(always)]
    unsafe fn store_bytes(to: *mut i8, value: __m512) {
        unsafe { _mm_storeu_si128(to.cast(), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(value))) }
    }
    #[inline(always)]
    unsafe fn to_half_and_back(value: f32) -> f32 {
        unsafe { _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(_mm_set_ss(value)))) }
    }
    #[inline(always)]
    unsafe fn sum(a: __m512) -> f32 {
        unsafe { _mm512_reduce_add_ps(a) }
    }
    #[inline(always)]
    unsafe fn abs(a: __m512) -> __m512 {
        unsafe { _mm512_abs_ps(a) }
    }
    #[inline(always)]
    unsafe fn sum_of_whole(a: __m512) -> i32 {
        unsafe { _mm512_reduce_add_epi32(_mm512_cvtps_epi32(a)) }
    }
    #[inline(always)]
    unsafe fn largest(a: __m512) -> f32 {
        unsafe { _mm512_reduce_max_ps(a) }
    }
    #[inline(always)]
    unsafe fn turn(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
        unsafe {
            let mut rows = [_mm512_setzero_ps(); 16];
            for (at, row) in rows.iter_mut().enumerate() {
                *row = _mm512_loadu_ps(from.add(at * from_step));
            }
            // A bit of the row's number changes places with the same bit of the lane's, one after the other.
            for bit in 0..4 {
                let (low, high) = (_mm512_loadu_epi32(LOW[bit].as_ptr()), _mm512_loadu_epi32(HIGH[bit].as_ptr()));
                for at in 0..16 {
                    if at & (1 << bit) == 0 {
                        let (one, other) = (rows[at], rows[at | 1 << bit]);
                        rows[at] = _mm512_permutex2var_ps(one, low, other);
                        rows[at | 1 << bit] = _mm512_permutex2var_ps(one, high, other);
                    }
                }
            }
            for (at, row) in rows.into_iter().enumerate() {
                _mm512_storeu_ps(to.add(at * to_step), row);
            }
        }
    }
    #[inline(always)]
    unsafe fn gelu(x: __m512) -> __m512 {
        unsafe { gelu::by_pieces(x) }
    }
}
