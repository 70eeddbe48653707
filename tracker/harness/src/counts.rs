//! What was allocated between two moments, counted without a shared cache line.
//!
//! Each thread owns a slot and adds to it by plain loads and stores; threads beyond the last slot share one and add to
//! it atomically. The live bytes of all threads together matter only for their peak: a thread keeps the movement since it
//! last told the others, and the highest point of that movement, and tells when either has grown beyond a limit. So the
//! peak is exact where one thread allocates, and right to within the limit a thread where many do.

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Threads that have a slot of their own. More than a benchmark machine has cores.
const OWNED: usize = 255;
/// The slot that all further threads share.
const SHARED: usize = OWNED;
/// How far a thread's live bytes move before it tells the others.
const TELL_AFTER_BYTES: i64 = 64 * 1024;

/// One thread's counts, on cache lines of its own (two, since processors fetch them in pairs).
#[repr(align(128))]
struct Slot {
    allocations: AtomicU64,
    bytes: AtomicU64,
    /// Live bytes gained since the thread last told.
    moved: AtomicI64,
    /// The highest that `moved` has been since then.
    crest: AtomicI64,
}

static SLOTS: [Slot; OWNED + 1] = [const {
    Slot {
        allocations: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
        moved: AtomicI64::new(0),
        crest: AtomicI64::new(0),
    }
}; OWNED + 1];
/// Slots handed out so far; may run beyond the last.
static TAKEN: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

thread_local! {
    /// This thread's slot, plus one; zero until it first allocates. Constant and without destructor, so that reading it
    /// in an allocator is always allowed.
    static MINE: Cell<usize> = const { Cell::new(0) };
}

/// Notes that memory was handed out.
#[inline]
pub(crate) fn allocated(size: usize) {
    let at = mine();
    let slot = &SLOTS[at];
    add(&slot.allocations, 1, at);
    add(&slot.bytes, size as u64, at);
    shift(slot, at, signed(size));
}

/// Notes that memory came back.
#[inline]
pub(crate) fn freed(size: usize) {
    let at = mine();
    shift(&SLOTS[at], at, -signed(size));
}

/// Notes that memory changed its size: one allocation, of the bytes that were gained.
#[inline]
pub(crate) fn resized(old: usize, new: usize) {
    let at = mine();
    let slot = &SLOTS[at];
    add(&slot.allocations, 1, at);
    add(&slot.bytes, new.saturating_sub(old) as u64, at);
    shift(slot, at, signed(new) - signed(old));
}

/// No object is larger than `isize::MAX`, so nothing is lost.
#[allow(clippy::cast_possible_wrap, reason = "a layout's size fits isize by its own rules")]
#[inline]
fn signed(size: usize) -> i64 {
    size as i64
}

#[inline]
fn mine() -> usize {
    match MINE.get() {
        0 => first(),
        taken => taken - 1,
    }
}

#[cold]
fn first() -> usize {
    let slot = TAKEN.fetch_add(1, Relaxed).min(SHARED);
    MINE.set(slot + 1);
    slot
}

#[inline]
fn add(counter: &AtomicU64, amount: u64, at: usize) {
    if at == SHARED {
        counter.fetch_add(amount, Relaxed);
    } else {
        counter.store(counter.load(Relaxed).wrapping_add(amount), Relaxed);
    }
}

#[inline]
fn shift(slot: &Slot, at: usize, by: i64) {
    if at == SHARED {
        let live = LIVE.fetch_add(by, Relaxed) + by;
        PEAK.fetch_max(live, Relaxed);
        return;
    }
    let moved = slot.moved.load(Relaxed) + by;
    slot.moved.store(moved, Relaxed);
    if moved > slot.crest.load(Relaxed) {
        slot.crest.store(moved, Relaxed);
    }
    if moved.abs() >= TELL_AFTER_BYTES {
        tell(slot);
    }
}

/// Moves a slot's live bytes into the sum of all.
#[cold]
fn tell(slot: &Slot) {
    let moved = slot.moved.swap(0, Relaxed);
    let crest = slot.crest.swap(0, Relaxed);
    let before = LIVE.fetch_add(moved, Relaxed);
    PEAK.fetch_max(before + crest.max(moved), Relaxed);
}

/// A moment from which to count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    allocations: u64,
    bytes: u64,
    live: i64,
}

/// What was allocated since a mark, by all threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Times that memory was asked for.
    pub(crate) allocations: u64,
    /// Bytes handed out, freed or not.
    pub(crate) bytes: u64,
    /// How far live bytes rose above their level at the mark.
    pub(crate) peak: u64,
}

fn totals() -> (u64, u64) {
    let used = (TAKEN.load(Relaxed) + 1).min(SLOTS.len());
    let slots = SLOTS[..used].iter().chain((used <= SHARED).then_some(&SLOTS[SHARED]));
    slots.fold((0, 0), |(allocations, bytes): (u64, u64), slot| {
        (allocations.wrapping_add(slot.allocations.load(Relaxed)), bytes.wrapping_add(slot.bytes.load(Relaxed)))
    })
}

/// Begins to count. Threads that allocate at this very moment are counted before or after.
pub(crate) fn mark() -> Mark {
    tell_all();
    let live = LIVE.load(Relaxed);
    PEAK.store(live, Relaxed);
    let (allocations, bytes) = totals();
    Mark { allocations, bytes, live }
}

/// What was counted since.
pub(crate) fn since(mark: Mark) -> Counted {
    let (allocations, bytes) = totals();
    tell_all();
    Counted {
        allocations: allocations.wrapping_sub(mark.allocations),
        bytes: bytes.wrapping_sub(mark.bytes),
        peak: u64::try_from(PEAK.load(Relaxed) - mark.live).unwrap_or(0),
    }
}

fn tell_all() {
    SLOTS[..TAKEN.load(Relaxed).min(OWNED)].iter().for_each(tell);
}

/// Whether the program's global allocator counts: allocates, and looks.
pub(crate) fn installed() -> bool {
    let slot = mine();
    let before = SLOTS[slot].allocations.load(Relaxed);
    drop(std::hint::black_box(Box::new(0_u64)));
    SLOTS[slot].allocations.load(Relaxed) != before
}
