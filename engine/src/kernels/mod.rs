//! The arithmetic: the one room where code is written for a processor's instruction set.
//!
//! A [`Kernels`] is a proof that the processor has what its level needs: only the constructors, which ask the processor,
//! make one. Every method is safe; it checks the shapes and then runs the version of its level. The plain version
//! of each (`scalar.rs`) is the truth that tests compare the others with.
#![allow(unsafe_code, reason = "vector instructions and raw memory live in this room, behind safe doors")]
#![allow(clippy::inline_always, reason = "a generic kernel is compiled for an instruction set by being inlined there")]
#![allow(
    clippy::wildcard_imports,
    reason = "the names of intrinsics begin with their set; a list of forty says no more"
)]

mod attention;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod counted;
#[cfg(target_arch = "x86_64")]
mod dot_bytes;
mod elementwise;
mod exchange;
mod factors;
mod gelu;
mod gradient;
mod lanes;
mod matmul;
mod memory;
mod normalise;
mod packed;
mod quantised;
mod scalar;
mod tile;
#[cfg(test)]
mod twins;

pub use attention::{HeadCache, score_room};
pub use counted::{Allocated, CountedSystem};
pub use exchange::{Met, Seat};
pub use factors::PanelRoom;
pub use gradient::AdamwStep;
pub use matmul::{Matrix, MatrixMut, Onto};
pub use memory::{Buffer, Depot, Plain, bytes_mut};
pub use packed::{PANEL, PackedMatrix, PackedView, PanelMut};
pub use quantised::{PackedQ8, Q8PanelMut, Q8View, Quantised};

use quantised::Q8Tile;
use tile::Tile;

/// What keeps a normalisation from dividing by zero.
pub const NORM_EPSILON: f32 = 1e-5;

/// An instruction set that kernels are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The kernels of an instruction set that this processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernels {
    level: Level,
}

impl Kernels {
    /// The fastest that this processor can run.
    #[must_use]
    pub fn detect() -> Self {
        Self::available().last().copied().unwrap_or(Self::scalar())
    }

    /// The plain ones.
    #[must_use]
    pub const fn scalar() -> Self {
        Self { level: Level::Scalar }
    }

    /// All that this processor can run, slowest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut levels = vec![Self::scalar()];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c") {
                levels.push(Self { level: Level::Avx2 });
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vnni")
                {
                    levels.push(Self { level: Level::Avx512 });
                }
            }
        }
        levels
    }

    /// The instruction set, in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.level {
            Level::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "AVX-512 with VNNI",
        }
    }
}

/// Runs the version of a kernel that belongs to the level: for vectors, the generic one, compiled with the level's
/// instructions enabled.
macro_rules! by_level {
    ($self:ident, $room:ident :: $kernel:ident ( $($name:ident : $type:ty),* ) $(-> $result:ty)?) => {
        match $self.level {
            Level::Scalar => scalar::$kernel($($name),*),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => {
                #[target_feature(enable = "avx2,fma,f16c")]
                fn enabled($($name: $type),*) $(-> $result)? {
                    // SAFETY: this function enables the instructions; the shapes were checked by the caller.
                    unsafe { $room::$kernel::<avx2::Avx2>($($name),*) }
                }
                // SAFETY: the level says that the processor has them.
                unsafe { enabled($($name),*) }
            }
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => {
                #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
                fn enabled($($name: $type),*) $(-> $result)? {
                    // SAFETY: as above.
                    unsafe { $room::$kernel::<avx512::Avx512>($($name),*) }
                }
                // SAFETY: as above.
                unsafe { enabled($($name),*) }
            }
        }
    };
}

#[allow(clippy::missing_panics_doc, reason = "they all panic for the same reason: lengths that do not fit")]
impl Kernels {
    /// out = a + b
    pub fn add(self, a: &[f32], b: &[f32], out: &mut [f32]) {
        assert!(a.len() == out.len() && b.len() == out.len(), "lengths differ");
        by_level!(self, elementwise::add(a: &[f32], b: &[f32], out: &mut [f32]));
    }

    /// out = a · b, each element with its like.
    pub fn mul(self, a: &[f32], b: &[f32], out: &mut [f32]) {
        assert!(a.len() == out.len() && b.len() == out.len(), "lengths differ");
        by_level!(self, elementwise::mul(a: &[f32], b: &[f32], out: &mut [f32]));
    }

    /// a += b
    pub fn add_in_place(self, a: &mut [f32], b: &[f32]) {
        assert!(a.len() == b.len(), "lengths differ");
        by_level!(self, elementwise::add_in_place(a: &mut [f32], b: &[f32]));
    }

    /// a *= b, each element with its like.
    pub fn mul_in_place(self, a: &mut [f32], b: &[f32]) {
        assert!(a.len() == b.len(), "lengths differ");
        by_level!(self, elementwise::mul_in_place(a: &mut [f32], b: &[f32]));
    }

    /// Adds a bias to each row of its length.
    pub fn broadcast_add_in_place(self, rows: &mut [f32], bias: &[f32]) {
        assert!(!bias.is_empty() && rows.len().is_multiple_of(bias.len()), "rows are not of the bias's length");
        for row in rows.chunks_exact_mut(bias.len()) {
            self.add_in_place(row, bias);
        }
    }

    /// out = rows + bias, for each row of the bias's length.
    pub fn broadcast_add(self, rows: &[f32], bias: &[f32], out: &mut [f32]) {
        assert!(!bias.is_empty() && rows.len().is_multiple_of(bias.len()), "rows are not of the bias's length");
        assert!(rows.len() == out.len(), "lengths differ");
        for (row, out) in rows.chunks_exact(bias.len()).zip(out.chunks_exact_mut(bias.len())) {
            self.add(row, bias, out);
        }
    }

    /// Σ a·b
    #[must_use]
    pub fn dot(self, a: &[f32], b: &[f32]) -> f32 {
        assert!(a.len() == b.len(), "lengths differ");
        by_level!(self, elementwise::dot(a: &[f32], b: &[f32]) -> f32)
    }

    /// The largest of some numbers; −∞ of none.
    #[must_use]
    pub fn largest(self, x: &[f32]) -> f32 {
        by_level!(self, normalise::largest(x: &[f32]) -> f32)
    }

    /// out = max(x, 0)
    pub fn relu(self, x: &[f32], out: &mut [f32]) {
        assert!(x.len() == out.len(), "lengths differ");
        by_level!(self, elementwise::relu(x: &[f32], out: &mut [f32]));
    }

    /// x = max(x, 0)
    pub fn relu_in_place(self, x: &mut [f32]) {
        by_level!(self, elementwise::relu_in_place(x: &mut [f32]));
    }

    /// out = GELU(x), in the tanh form.
    pub fn gelu(self, x: &[f32], out: &mut [f32]) {
        assert!(x.len() == out.len(), "lengths differ");
        by_level!(self, elementwise::gelu(x: &[f32], out: &mut [f32]));
    }

    /// x = GELU(x), in the tanh form.
    pub fn gelu_in_place(self, x: &mut [f32]) {
        by_level!(self, elementwise::gelu_in_place(x: &mut [f32]));
    }

    /// out = exp(x) over the sum of all exp(x), so that it sums to 1.
    pub fn softmax(self, x: &[f32], out: &mut [f32]) {
        assert!(x.len() == out.len(), "lengths differ");
        by_level!(self, normalise::softmax(x: &[f32], out: &mut [f32]));
    }

    /// The same of one row in place.
    pub fn softmax_in_place(self, x: &mut [f32]) {
        self.scaled_softmax_in_place(x, 1.0);
    }

    /// The same of `scale` · x, for a scale above zero.
    pub fn scaled_softmax_in_place(self, x: &mut [f32], scale: f32) {
        by_level!(self, normalise::softmax_in_place(x: &mut [f32], scale: f32));
    }

    /// Shifts and scales each row of the gain's length to mean 0 and variance 1, then applies gain and bias.
    pub fn layer_norm(self, x: &[f32], gain: &[f32], bias: &[f32], out: &mut [f32]) {
        assert!(!gain.is_empty() && x.len().is_multiple_of(gain.len()), "rows are not of the gain's length");
        assert!(x.len() == out.len() && gain.len() == bias.len(), "lengths differ");
        by_level!(self, normalise::layer_norm(x: &[f32], gain: &[f32], bias: &[f32], out: &mut [f32]));
    }

    fn quantise_row(self, x: &[f32], steps: &mut [i8], scales: &mut [f32], corrections: &mut [i32]) {
        by_level!(
            self,
            quantised::quantise_row(x: &[f32], steps: &mut [i8], scales: &mut [f32], corrections: &mut [i32])
        );
    }

    fn turn(self, from: &[f32], from_step: usize, rows: usize, columns: usize, to: &mut [f32], to_step: usize) {
        by_level!(
            self,
            factors::turn(from: &[f32], from_step: usize, rows: usize, columns: usize, to: &mut [f32], to_step: usize)
        );
    }

    /// # Safety
    /// The tile's pointers must be good for its shape.
    unsafe fn q8_tile(self, tile: &Q8Tile) {
        match self.level {
            Level::Scalar => unreachable!("the plain version multiplies without tiles"),
            // SAFETY: the level says that the processor has the instructions; the caller vouches for the tile.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { dot_bytes::run_avx2(tile) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { dot_bytes::run_vnni(tile) },
        }
    }

    /// # Safety
    /// The tile's pointers must be good for its shape.
    unsafe fn tile(self, tile: &Tile) {
        match self.level {
            // SAFETY: the caller vouches for the tile.
            Level::Scalar => unsafe { scalar::tile(tile) },
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => {
                #[target_feature(enable = "avx2,fma,f16c")]
                unsafe fn enabled(tile: &Tile) {
                    // SAFETY: the caller's.
                    unsafe { tile::run::<avx2::Avx2>(tile) }
                }
                // SAFETY: the level says that the processor has them; the caller vouches for the tile.
                unsafe { enabled(tile) }
            }
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => {
                #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
                unsafe fn enabled(tile: &Tile) {
                    // SAFETY: the caller's.
                    unsafe { tile::run::<avx512::Avx512>(tile) }
                }
                // SAFETY: as above.
                unsafe { enabled(tile) }
            }
        }
    }
}
