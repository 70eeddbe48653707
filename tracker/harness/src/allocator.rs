//! The cell with the crate's only unsafe code: an allocator that passes everything on and counts.

#![allow(unsafe_code, reason = "a global allocator cannot be written without; all it does is pass on and count")]

use std::alloc::{GlobalAlloc, Layout, System};

use crate::counts;

/// A global allocator that counts what the timed loop allocates, and leaves the allocating to another.
///
/// Installed, each benchmark of the program reports three `exact` metrics: `allocations`, `allocated_bytes` and
/// `peak_live_bytes`. Counting costs some two or three nanoseconds for
/// getting and giving back a piece of memory, and no thread waits for another.
///
/// ```
/// use tachograph_harness::CountingAllocator;
///
/// #[global_allocator]
/// static ALLOCATOR: CountingAllocator = CountingAllocator::system();
/// # fn main() {}
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CountingAllocator<A = System> {
    inner: A,
}

impl CountingAllocator {
    /// Counts what the system's allocator hands out.
    #[must_use]
    pub const fn system() -> CountingAllocator {
        CountingAllocator { inner: System }
    }
}

impl<A> CountingAllocator<A> {
    /// Counts what another allocator hands out.
    #[must_use]
    pub const fn over(inner: A) -> CountingAllocator<A> {
        CountingAllocator { inner }
    }
}

// SAFETY: every call goes to `inner` with the arguments as they came, and what `inner` returns is returned unchanged, so
// its own promises hold for ours. Counting happens beside it: it touches no memory of the allocation, never allocates and
// never unwinds (integer arithmetic that wraps, on a thread-local cell without destructor and on atomics).
unsafe impl<A: GlobalAlloc> GlobalAlloc for CountingAllocator<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about `layout` is the one that `inner` asks for.
        let memory = unsafe { self.inner.alloc(layout) };
        if !memory.is_null() {
            counts::allocated(layout.size());
        }
        memory
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let memory = unsafe { self.inner.alloc_zeroed(layout) };
        if !memory.is_null() {
            counts::allocated(layout.size());
        }
        memory
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: `memory` came from `inner` with this layout, since we return what `inner` returns.
        unsafe { self.inner.dealloc(memory, layout) };
        counts::freed(layout.size());
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as in `dealloc`; the caller's promise about `new_size` is the one that `inner` asks for.
        let moved = unsafe { self.inner.realloc(memory, layout, new_size) };
        if !moved.is_null() {
            counts::resized(layout.size(), new_size);
        }
        moved
    }
}
