//! Memory in whole cache lines.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

const LINE_BYTES: usize = 64;

mod sealed {
    /// A number for which any bytes are a valid value, zero among them.
    pub trait Plain: Copy + Send + Sync + 'static {}
    impl Plain for f32 {}
    impl Plain for i32 {}
    impl Plain for i8 {}
    impl Plain for u8 {}
}
pub use sealed::Plain;

/// A fixed number of numbers that begin at a cache line and are zero at first.
///
/// The system hands out zeroed pages only when they are touched, so a large buffer costs what is used of it.
pub struct Buffer<T: Plain> {
    block: NonNull<u8>,
    layout: Layout,
    start: NonNull<T>,
    len: usize,
    owns: PhantomData<T>,
}

impl<T: Plain> Buffer<T> {
    /// A buffer of `len` zeros.
    ///
    /// # Panics
    /// If that many bytes cannot be addressed.
    #[must_use]
    pub fn zeroed(len: usize) -> Self {
        // A small alignment with room to move the start: the allocator would clear an aligned block by hand, which
        // touches all of its pages.
        let bytes = len.checked_mul(size_of::<T>()).and_then(|bytes| bytes.checked_add(LINE_BYTES));
        let layout = bytes.and_then(|bytes| Layout::from_size_align(bytes, 16).ok());
        let layout = layout.expect("a buffer fits into the address space");
        // SAFETY: the layout is not empty.
        let block = unsafe { alloc_zeroed(layout) };
        let Some(block) = NonNull::new(block) else { handle_alloc_error(layout) };
        let shift = block.align_offset(LINE_BYTES);
        // SAFETY: the shift is below LINE_BYTES, by which the block is longer than what is used of it.
        let start = unsafe { block.add(shift) }.cast();
        Self { block, layout, start, len, owns: PhantomData }
    }

    /// A buffer with these values.
    #[must_use]
    pub fn of(values: &[T]) -> Self {
        let mut buffer = Self::zeroed(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

impl<T: Plain> Drop for Buffer<T> {
    fn drop(&mut self) {
        // SAFETY: the block was allocated with this layout and is freed once.
        unsafe { dealloc(self.block.as_ptr(), self.layout) }
    }
}

impl<T: Plain> Deref for Buffer<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: `start` points to `len` numbers inside the block, whose zeros or later values are valid.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T: Plain> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and the buffer is borrowed for as long as the slice lives.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

// SAFETY: a buffer owns its block, and plain numbers may go to any thread.
unsafe impl<T: Plain> Send for Buffer<T> {}
// SAFETY: a shared buffer can only be read.
unsafe impl<T: Plain> Sync for Buffer<T> {}

impl<T: Plain> std::fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer of {}", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_begins_at_a_line_and_is_zero() {
        for len in [0, 1, 15, 16, 1_000] {
            let buffer = Buffer::<f32>::zeroed(len);
            assert_eq!(buffer.as_ptr().align_offset(LINE_BYTES), 0);
            assert!(buffer.len() == len && buffer.iter().all(|value| *value == 0.0));
        }
        assert_eq!(*Buffer::of(&[1_i8, 2]), [1, 2]);
    }
}
