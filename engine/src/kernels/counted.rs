//! What a thread has allocated: an allocator that counts, for programs that want to know.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Passes everything on to the system's allocator, and counts it for the thread that asks.
///
/// Install it with `#[global_allocator]`; a profile then tells the allocations of each scope.
#[derive(Clone, Copy, Debug, Default)]
pub struct CountedSystem;

/// Memory that was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocated {
    /// How often.
    pub times: u64,
    /// How many bytes, freed since or not.
    pub bytes: u64,
}

impl Allocated {
    /// All that this thread has asked for; nothing where [`CountedSystem`] is not installed.
    #[must_use]
    pub fn here() -> Self {
        COUNTED.get()
    }

    /// What was asked for since an earlier look.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self { times: self.times.wrapping_sub(earlier.times), bytes: self.bytes.wrapping_sub(earlier.bytes) }
    }
}

thread_local! {
    /// Constant and without destructor, so that an allocator may look at it at any time.
    static COUNTED: Cell<Allocated> = const { Cell::new(Allocated { times: 0, bytes: 0 }) };
}

#[inline]
fn count(bytes: usize) {
    let Allocated { times, bytes: before } = COUNTED.get();
    COUNTED.set(Allocated { times: times.wrapping_add(1), bytes: before.wrapping_add(bytes as u64) });
}

// SAFETY: every call is the system's with the arguments as they came, and its answer is returned unchanged. Counting
// touches a thread-local cell alone: it neither allocates nor unwinds.
unsafe impl GlobalAlloc for CountedSystem {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above; the memory is the system's.
        unsafe { System.dealloc(memory, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size.saturating_sub(layout.size()));
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, new_size) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_counted_and_works() {
        let before = Allocated::here();
        let layout = Layout::from_size_align(100, 8).expect("a layout");
        let wider = Layout::from_size_align(150, 8).expect("a layout");
        // SAFETY: each piece is used and freed once, with the layout that it was asked for by.
        unsafe {
            let memory = CountedSystem.alloc_zeroed(layout);
            assert_eq!(*memory.add(99), 0);
            let memory = CountedSystem.realloc(memory, layout, 150);
            memory.add(149).write(7);
            CountedSystem.dealloc(memory, wider);
            CountedSystem.dealloc(CountedSystem.alloc(layout), layout);
        }
        assert_eq!(Allocated::here().since(before), Allocated { times: 3, bytes: 250 });
    }
}
