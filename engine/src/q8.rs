//! Q8_0: blocks of 32 weights that share one 16-bit scale, a byte a weight.

use crate::half::{from_half, to_half};

/// Weights of a block.
pub const BLOCK: usize = 32;

/// Bytes of a block in a file: the scale, then the weights.
pub const BLOCK_BYTES: usize = 2 + BLOCK;
const _: () = assert!(size_of::<Block>() == BLOCK_BYTES, "no gap between scale and weights");

/// Thirty-two weights, in memory as in a file, but for the order of the scale's two bytes where that is the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Block {
    /// The scale, a number of 16 bits.
    pub scale: u16,
    /// The weights in steps of the scale.
    pub steps: [i8; BLOCK],
}

impl Block {
    /// Thirty-two zeros.
    pub const ZERO: Self = Self { scale: 0, steps: [0; BLOCK] };

    /// The nearest block to these weights: the largest becomes ±127 steps.
    #[must_use]
    pub fn of(weights: &[f32; BLOCK]) -> Self {
        let largest = weights.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
        let scale = largest / 127.0;
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        Self { scale: to_half(scale), steps: weights.map(|weight| (weight * inverse).round() as i8) }
    }

    /// The block whose bytes were read from a file.
    #[must_use]
    pub const fn from_file(self) -> Self {
        Self { scale: u16::from_le(self.scale), ..self }
    }

    /// Its bytes in a file.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; BLOCK_BYTES] {
        let mut bytes = [0; BLOCK_BYTES];
        bytes[..2].copy_from_slice(&self.scale.to_le_bytes());
        for (byte, step) in bytes[2..].iter_mut().zip(self.steps) {
            *byte = step.cast_unsigned();
        }
        bytes
    }

    /// The weights that it stands for.
    #[must_use]
    pub fn weights(&self) -> [f32; BLOCK] {
        let scale = from_half(self.scale);
        self.steps.map(|step| f32::from(step) * scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::bytes_mut;
    use crate::seeded::Random;

    #[test]
    fn a_block_is_within_half_a_step_of_its_weights() {
        let mut random = Random::new(1);
        for size in [1e-3, 1.0, 1e3] {
            let weights = std::array::from_fn(|_| random.bell() * size);
            let block = Block::of(&weights);
            let scale = from_half(block.scale);
            for (weight, back) in weights.iter().zip(block.weights()) {
                // Half a step, and what the 16-bit scale is off by, 127 times.
                assert!((weight - back).abs() <= scale * (0.5 + 127.0 / 2_048.0), "{weight} {back}");
            }
            assert_eq!(Block::of(&block.weights()), block, "a block is its own nearest");
            let mut read = [Block::ZERO];
            bytes_mut(&mut read).copy_from_slice(&block.to_bytes());
            assert_eq!(read[0].from_file(), block);
        }
        assert_eq!(Block::of(&[0.0; BLOCK]), Block::ZERO);
    }
}
