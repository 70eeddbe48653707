//! Memory in whole cache lines.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::Arc;

#[cfg(target_os = "linux")]
use rustix::mm::{Advice, madvise};

const LINE_BYTES: usize = 64;
const LARGE_PAGE_BYTES: usize = 2 << 20;

mod sealed {
    /// A number, or numbers without a gap between, for which any bytes are a valid value, zero among them.
    pub trait Plain: Copy + Send + Sync + 'static {}
    impl Plain for f32 {}
    impl Plain for i32 {}
    impl Plain for i8 {}
    impl Plain for u8 {}
    impl Plain for crate::q8::Block {}
}
pub use sealed::Plain;

/// The memory of some numbers, to be filled from a file without a copy between.
pub fn bytes_mut<T: Plain>(values: &mut [T]) -> &mut [u8] {
    // SAFETY: the bytes are those of the values, which are borrowed for as long, and whatever is written to them is a valid
    // value. A number has no bytes that belong to nothing; nor has a block, whose fields follow upon each other.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), size_of_val(values)) }
}

/// A piece of the system's memory, zero at first.
struct Block {
    memory: NonNull<u8>,
    layout: Layout,
    /// The first address in it that is aligned as was wanted.
    start: NonNull<u8>,
}

impl Block {
    /// The system hands out zeroed pages only when they are touched, so a large block costs what is used of it.
    fn zeroed(bytes: Option<usize>, align: usize) -> Self {
        // A small alignment with room to move the start: the allocator would clear an aligned block by hand, which
        // touches all of its pages.
        let layout = bytes.and_then(|bytes| bytes.checked_add(align));
        let layout = layout.and_then(|bytes| Layout::from_size_align(bytes, 16).ok());
        let layout = layout.expect("a buffer fits into the address space");
        // SAFETY: the layout is not empty.
        let memory = unsafe { alloc_zeroed(layout) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        // SAFETY: the start moves by less than `align`, by which the memory is longer than what is used of it.
        let start = unsafe { memory.add(memory.align_offset(align)) };
        Self { memory, layout, start }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: the memory was allocated with this layout and is freed once.
        unsafe { dealloc(self.memory.as_ptr(), self.layout) }
    }
}

// SAFETY: a block is only an address and a size; what lies in it is the buffers' affair.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

/// A fixed number of numbers that begin at a cache line and are zero at first.
pub struct Buffer<T: Plain> {
    start: NonNull<T>,
    len: usize,
    owns: PhantomData<T>,
    /// Keeps the memory for as long as any of its buffers is there.
    _block: Held,
}

enum Held {
    Alone { _block: Block },
    Together { _block: Arc<Block> },
}

impl<T: Plain> Buffer<T> {
    /// A buffer of `len` zeros.
    ///
    /// # Panics
    /// If that many bytes cannot be addressed.
    #[must_use]
    pub fn zeroed(len: usize) -> Self {
        let block = Block::zeroed(len.checked_mul(size_of::<T>()), LINE_BYTES);
        Self { start: block.start.cast(), len, owns: PhantomData, _block: Held::Alone { _block: block } }
    }

    /// A buffer with these values.
    #[must_use]
    pub fn of(values: &[T]) -> Self {
        let mut buffer = Self::zeroed(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

/// One large piece of memory from which buffers are cut one after the other.
///
/// What is read together lies together, in large pages where the system has them: small pages lie anywhere, some
/// parts of a cache get more of them than they can hold, and each costs an entry in the table of pages.
pub struct Depot {
    block: Arc<Block>,
    used: usize,
    bytes: usize,
}

impl Depot {
    /// Room for buffers of so many bytes together; each is rounded up to whole cache lines.
    #[must_use]
    pub fn with_room_for(bytes: usize) -> Self {
        let block = Block::zeroed(Some(bytes), LARGE_PAGE_BYTES);
        #[cfg(target_os = "linux")]
        if bytes >= LARGE_PAGE_BYTES / 2 {
            let len = bytes.next_multiple_of(LARGE_PAGE_BYTES).min(block.layout.size() - LARGE_PAGE_BYTES);
            // Only advice: without it everything works, a little slower.
            // SAFETY: the range lies in the block, and the advice does not change what is in it.
            let _ = unsafe { madvise(block.start.as_ptr().cast(), len, Advice::LinuxHugepage) };
        }
        Self { block: Arc::new(block), used: 0, bytes }
    }

    /// The same for what may never be used to its end, as the keys of a long context: small pages, which the system
    /// hands out when they are touched. In one piece, because an allocator that cuts many from its own store clears
    /// some by hand.
    #[must_use]
    pub fn touched_bit_by_bit(bytes: usize) -> Self {
        Self { block: Arc::new(Block::zeroed(Some(bytes), LINE_BYTES)), used: 0, bytes }
    }

    /// How much room a buffer takes up.
    #[must_use]
    pub const fn room_for<T: Plain>(len: usize) -> usize {
        (len * size_of::<T>()).next_multiple_of(LINE_BYTES)
    }

    /// The next buffer.
    ///
    /// # Panics
    /// If there is not enough room left.
    pub fn cut<T: Plain>(&mut self, len: usize) -> Buffer<T> {
        let room = Self::room_for::<T>(len);
        assert!(room <= self.bytes - self.used, "{room} bytes of {} left", self.bytes - self.used);
        // SAFETY: the place lies in the block, and no other buffer is cut from it.
        let start = unsafe { self.block.start.add(self.used) }.cast();
        self.used += room;
        Buffer { start, len, owns: PhantomData, _block: Held::Together { _block: Arc::clone(&self.block) } }
    }
}

impl<T: Plain> Deref for Buffer<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: `start` points to `len` numbers inside the block that are this buffer's alone, whose zeros or later values are valid.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T: Plain> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and the buffer is borrowed for as long as the slice lives.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

// SAFETY: a buffer owns its numbers, and plain numbers may go to any thread.
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

    #[test]
    fn buffers_from_a_depot_are_apart_and_outlive_it() {
        let mut depot = Depot::with_room_for(Depot::room_for::<f32>(3) + Depot::room_for::<u8>(65));
        let (mut floats, mut bytes) = (depot.cut::<f32>(3), depot.cut::<u8>(65));
        drop(depot);
        bytes.fill(255);
        assert_eq!(*floats, [0.0; 3]);
        floats.fill(1.0);
        assert!(bytes.iter().all(|byte| *byte == 255));
    }

    #[test]
    #[should_panic(expected = "64 bytes of 0 left")]
    fn a_depot_gives_no_more_than_it_has() {
        let mut depot = Depot::with_room_for(64);
        depot.cut::<u8>(64);
        depot.cut::<u8>(1);
    }
}
