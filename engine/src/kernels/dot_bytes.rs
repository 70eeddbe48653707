//! The inner loops of the quantised product: up to three rows of activations by one panel.

use std::arch::x86_64::*;

use super::packed::PANEL;
use super::quantised::{PANEL_BLOCK, Q8Tile, WEIGHT_BYTES};
use crate::q8::BLOCK;

/// # Safety
/// The tile's pointers must be good for its shape; the processor must have the instructions.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
pub(super) unsafe fn run_vnni(tile: &Q8Tile) {
    // SAFETY: handed on; the rows below are the tile's.
    unsafe {
        let mut row = 0;
        while row + 3 <= tile.rows {
            vnni::<3>(tile, row);
            row += 3;
        }
        match tile.rows - row {
            1 => vnni::<1>(tile, row),
            2 => vnni::<2>(tile, row),
            _ => {}
        }
    }
}

/// Twelve sums of bytes and twelve of numbers for three rows, beside four registers of weights: all 32 but four.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
unsafe fn vnni<const ROWS: usize>(tile: &Q8Tile, row: usize) {
    // SAFETY: the tile's pointers are good for its rows and blocks.
    unsafe {
        let mut sums = [[_mm512_setzero_ps(); 4]; ROWS];
        let steps = tile.steps.add(row * tile.blocks * BLOCK);
        let scales = tile.scales.add(row * tile.blocks);
        let corrections = tile.corrections.add(row * tile.blocks);
        for block in 0..tile.blocks {
            let panel = tile.panel.add(block * PANEL_BLOCK);
            let mut whole = [[_mm512_setzero_si512(); 4]; ROWS];
            for (r, whole) in whole.iter_mut().enumerate() {
                *whole = [_mm512_set1_epi32(*corrections.add(r * tile.blocks + block)); 4];
            }
            for group in 0..BLOCK / 4 {
                let mut weights = [_mm512_setzero_si512(); 4];
                for (w, weight) in weights.iter_mut().enumerate() {
                    *weight = _mm512_loadu_si512(panel.add((group * 4 + w) * 64).cast());
                }
                for (r, whole) in whole.iter_mut().enumerate() {
                    let four = steps.add((r * tile.blocks + block) * BLOCK + group * 4);
                    let x = _mm512_set1_epi32(four.cast::<i32>().read_unaligned());
                    for (whole, weight) in whole.iter_mut().zip(weights) {
                        *whole = _mm512_dpbusd_epi32(*whole, weight, x);
                    }
                }
            }
            for w in 0..4 {
                let halves = _mm256_loadu_si256(panel.add(WEIGHT_BYTES + w * 32).cast());
                let scale = _mm512_cvtph_ps(halves);
                for r in 0..ROWS {
                    let scale = _mm512_mul_ps(scale, _mm512_set1_ps(*scales.add(r * tile.blocks + block)));
                    sums[r][w] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole[r][w]), scale, sums[r][w]);
                }
            }
        }
        for (r, sums) in sums.into_iter().enumerate() {
            let out = tile.out.add((row + r) * tile.out_row);
            for (w, mut sum) in sums.into_iter().enumerate() {
                let left = tile.columns.saturating_sub(w * 16).min(16);
                let wanted: __mmask16 = ((1_u32 << left) - 1) as u16;
                if !tile.bias.is_null() {
                    sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(wanted, tile.bias.wrapping_add(w * 16)));
                }
                _mm512_mask_storeu_ps(out.wrapping_add(w * 16), wanted, sum);
            }
        }
    }
}

/// # Safety
/// The tile's pointers must be good for its shape; the processor must have the instructions.
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) unsafe fn run_avx2(tile: &Q8Tile) {
    // SAFETY: handed on; rows and columns below are the tile's.
    unsafe {
        for row in 0..tile.rows {
            for column in (0..tile.columns).step_by(8) {
                let mut sums = [0.0; 8];
                _mm256_storeu_ps(sums.as_mut_ptr(), eight_outputs(tile, row, column));
                for (at, sum) in (column..tile.columns).zip(sums) {
                    let bias = if tile.bias.is_null() { 0.0 } else { *tile.bias.add(at) };
                    *tile.out.add(row * tile.out_row + at) = sum + bias;
                }
            }
        }
    }
}

/// Bytes widened to words, since this set's product of bytes saturates; a word product adds two neighbours.
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn eight_outputs(tile: &Q8Tile, row: usize, column: usize) -> __m256 {
    debug_assert!(column + 8 <= PANEL);
    // SAFETY: the tile's pointers are good for its rows and blocks, and a panel has all its 64 outputs.
    unsafe {
        let mut sums = _mm256_setzero_ps();
        for block in 0..tile.blocks {
            let panel = tile.panel.add(block * PANEL_BLOCK);
            let at = row * tile.blocks + block;
            let (mut low, mut high) = (_mm256_setzero_si256(), _mm256_setzero_si256());
            for group in 0..BLOCK / 4 {
                let weights = _mm256_loadu_si256(panel.add(group * 4 * PANEL + column * 4).cast());
                let weights = _mm256_xor_si256(weights, _mm256_set1_epi8(-128));
                let four = tile.steps.add(at * BLOCK + group * 4).cast::<i32>().read_unaligned();
                let x = _mm256_cvtepi8_epi16(_mm_set1_epi32(four));
                let first = _mm256_cvtepi8_epi16(_mm256_castsi256_si128(weights));
                let second = _mm256_cvtepi8_epi16(_mm256_extracti128_si256::<1>(weights));
                low = _mm256_add_epi32(low, _mm256_madd_epi16(first, x));
                high = _mm256_add_epi32(high, _mm256_madd_epi16(second, x));
            }
            // Outputs 0 1 4 5 2 3 6 7 after the sums of neighbours; then in order.
            let whole = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_hadd_epi32(low, high));
            let scale = _mm256_cvtph_ps(_mm_loadu_si128(panel.add(WEIGHT_BYTES + column * 2).cast()));
            let scale = _mm256_mul_ps(scale, _mm256_set1_ps(*tile.scales.add(at)));
            sums = _mm256_fmadd_ps(_mm256_cvtepi32_ps(whole), scale, sums);
        }
        sums
    }
}
