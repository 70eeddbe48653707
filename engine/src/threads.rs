//! A few threads that do the same work at the same time, again and again.
//!
//! A token of a small model takes a few microseconds, and waking a thread takes longer. So workers look out for
//! the next round for a moment before they sleep; and each has a core of its own, since two that spin on one core
//! wait for each other's time slices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// How long a worker looks out for the next round before it sleeps.
const PATIENCE: Duration = Duration::from_micros(50);

/// How often it looks before it asks for the time.
const LOOKS: usize = 64;

/// The cores that this thread may run on.
#[must_use]
pub fn allowed_cores() -> Vec<usize> {
    match sched_getaffinity(None) {
        Ok(set) => (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect(),
        Err(_) => vec![0],
    }
}

/// Keeps the calling thread on some cores; where the system refuses, the thread runs on, only less predictably.
fn stay_on(cores: &[usize]) {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    let _ = sched_setaffinity(None, &set);
}

#[repr(align(128))]
struct Worker {
    /// Rounds that it has finished.
    finished: AtomicUsize,
    asleep: AtomicBool,
}

/// A few words that come with the signal to begin.
pub(crate) type Note = [u64; 3];

/// Signal and note on one cache line, so that whoever sees the one has the other.
#[repr(align(128))]
#[derive(Default)]
struct Signal {
    /// Rounds that have begun.
    begun: AtomicUsize,
    note: [AtomicU64; 3],
    stop: AtomicBool,
}

struct Shared {
    signal: Signal,
    workers: Vec<Worker>,
}

/// The workers beside the thread that leads them.
pub(crate) struct Team {
    shared: Arc<Shared>,
    handles: Vec<JoinHandle<()>>,
    /// Where the leader could run before.
    leader_cores: Vec<usize>,
}

impl Team {
    /// Starts a worker for each piece of work, and keeps each, and the calling thread, on a core of its own.
    ///
    /// The caller sees to it that there are enough cores. Without work there is no worker, and nobody is moved.
    pub(crate) fn new<W: FnMut(Note) + Send + 'static>(works: Vec<W>, cores: &[usize]) -> Self {
        let workers = works.iter().map(|_| Worker { finished: AtomicUsize::new(0), asleep: AtomicBool::new(false) });
        let shared = Arc::new(Shared { signal: Signal::default(), workers: workers.collect() });
        let leader_cores = allowed_cores();
        if !works.is_empty() {
            stay_on(&cores[..1]);
        }
        let spawn = |(index, work): (usize, W)| {
            let (shared, core) = (Arc::clone(&shared), cores[index + 1]);
            std::thread::spawn(move || {
                stay_on(&[core]);
                shared.serve(index, work);
            })
        };
        let handles = works.into_iter().enumerate().map(spawn).collect();
        Self { shared, handles, leader_cores }
    }

    /// How many work together, the leader among them.
    pub(crate) fn size(&self) -> usize {
        self.handles.len() + 1
    }

    /// Lets all workers do their work once, with this note; the caller does its own meanwhile.
    ///
    /// The caller has seen them finish the last round, so nobody reads the note that is written over.
    pub(crate) fn begin(&self, note: Note) {
        for (place, word) in self.shared.signal.note.iter().zip(note) {
            place.store(word, Ordering::Relaxed);
        }
        self.shared.signal.begun.fetch_add(1, Ordering::SeqCst);
        for (worker, handle) in self.shared.workers.iter().zip(&self.handles) {
            if worker.asleep.load(Ordering::SeqCst) {
                handle.thread().unpark();
            }
        }
    }

    /// Waits until all workers have finished what was begun.
    pub(crate) fn finish(&self) {
        let begun = self.shared.signal.begun.load(Ordering::Relaxed);
        for (worker, handle) in self.shared.workers.iter().zip(&self.handles) {
            let mut looks = 0;
            while worker.finished.load(Ordering::Acquire) < begun {
                looks += 1;
                if looks % 20_000 == 0 {
                    assert!(!handle.is_finished(), "a thread of the engine is gone");
                    std::thread::yield_now();
                }
                std::hint::spin_loop();
            }
        }
    }
}

impl Shared {
    fn serve(&self, index: usize, mut work: impl FnMut(Note)) {
        for round in 1.. {
            self.wait_for(round, &self.workers[index]);
            if self.signal.stop.load(Ordering::SeqCst) {
                return;
            }
            work(self.signal.note.each_ref().map(|word| word.load(Ordering::Relaxed)));
            self.workers[index].finished.store(round, Ordering::Release);
        }
    }

    fn wait_for(&self, round: usize, me: &Worker) {
        let begun = || self.signal.begun.load(Ordering::SeqCst) >= round;
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            for _ in 0..LOOKS {
                if begun() {
                    return;
                }
                std::hint::spin_loop();
            }
        }
        me.asleep.store(true, Ordering::SeqCst);
        // Whoever begins a round after this look sees that this worker is asleep, and wakes it.
        while !begun() {
            std::thread::park();
        }
        me.asleep.store(false, Ordering::SeqCst);
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.signal.stop.store(true, Ordering::SeqCst);
        self.begin(Note::default());
        let any = !self.handles.is_empty();
        for handle in self.handles.drain(..) {
            // A worker that panicked has said so; the leader's own panic followed from it.
            let _ = handle.join();
        }
        if any {
            stay_on(&self.leader_cores);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_work_once_a_round_whether_they_slept_or_not() {
        let cores = allowed_cores();
        let count = Arc::new(AtomicU64::new(0));
        let work = || {
            let count = Arc::clone(&count);
            move |note: Note| {
                count.fetch_add(note[0] + 2 * note[1] + 4 * note[2], Ordering::SeqCst);
            }
        };
        let team = Team::new(vec![work(), work()], &[cores[0]; 3]);
        for round in 1..=50 {
            if round % 10 == 0 {
                // Until they sleep; nothing depends on how long that takes.
                while !team.shared.workers.iter().all(|worker| worker.asleep.load(Ordering::SeqCst)) {
                    std::thread::yield_now();
                }
            }
            team.begin([round, 10, 1]);
            team.finish();
            assert_eq!(count.swap(0, Ordering::SeqCst), 2 * (round + 24));
        }
        drop(team);
        assert_eq!(allowed_cores(), cores, "the leader may run where it could before");
    }
}
