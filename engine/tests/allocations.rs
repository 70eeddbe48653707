//! Nothing is allocated per token, on any thread.
#![allow(
    unsafe_code,
    reason = "a global allocator cannot be written without; this one passes everything on and counts"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::arena::Pooling;
use engine::engine::{Engine, Settings, Turn};
use engine::model::{Format, Model};
use engine::sampling::{Sampler, Sampling};
use engine::shape::Shape;
use engine::weights::Seeded;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, new_size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often memory is allocated while two sequences go on for twenty tokens each, alone and together.
fn allocations(format: Format, threads: usize, pooling: Pooling, sampling: Sampling) -> usize {
    let Ok(model) = Model::load(&Seeded::new(Shape::SMALL, 1), format);
    let settings = Settings { threads, pooling, ..Settings::default() };
    let mut engine = Engine::new(Arc::new(model), &settings);
    let mut sampler = Sampler::new(sampling, settings.kernels);
    let (mut first, mut second) = (engine.open(), engine.open());
    let mut decode = |first: &mut _, second: &mut _| {
        let mut token = 1;
        for _ in 0..10 {
            let logits = engine.advance(first, &[token]).expect("a step");
            token = sampler.choose(logits);
        }
        for _ in 0..10 {
            let tokens = [token];
            let turns = &mut [Turn { session: first, tokens: &tokens }, Turn { session: second, tokens: &tokens }];
            token = sampler.choose(&engine.advance_all(turns).expect("a step")[..256]);
        }
    };
    // The first tokens fill the pool.
    decode(&mut first, &mut second);
    let before = ALLOCATIONS.load(Ordering::SeqCst);
    decode(&mut first, &mut second);
    ALLOCATIONS.load(Ordering::SeqCst) - before
}

/// One test alone, so that no other allocates meanwhile.
#[test]
fn nothing_is_allocated_per_token_unless_the_pool_is_switched_off() {
    let warm = Sampling { temperature: 1.0, top_k: 9, top_p: 0.9, seed: 1 };
    for format in [Format::F32, Format::Q8] {
        for threads in [1, 2] {
            assert_eq!(allocations(format, threads, Pooling::Pooled, Sampling::GREEDY), 0, "{format:?} {threads}");
            assert!(allocations(format, threads, Pooling::Unpooled, Sampling::GREEDY) > 100, "{format:?} {threads}");
        }
    }
    assert_eq!(allocations(Format::F32, 1, Pooling::Pooled, warm), 0);
}
