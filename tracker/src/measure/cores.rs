//! Which processors this process may use, and keeping a thread on some of them.
//!
//! Only Linux lets a program choose. Elsewhere nothing is known to be allowed and nothing is pinned; measuring works,
//! with more noise.

use std::num::NonZero;
use std::thread;

/// The processors that this process may use, by number; empty where the system does not say.
#[must_use]
pub fn allowed() -> Vec<usize> {
    system::allowed()
}

/// How many processors this job may keep busy: what it may use, cut by the quota of its container.
#[must_use]
pub fn usable() -> u32 {
    let usable = thread::available_parallelism().map_or(1, NonZero::get);
    u32::try_from(usable).unwrap_or(u32::MAX)
}

/// Moves a process with all its threads to these processors. False where the system does not do it.
#[must_use]
pub fn move_process(id: i32, cores: &[usize]) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{id}/task")) else { return false };
    let threads = threads.flatten().filter_map(|thread| thread.file_name().to_str()?.parse().ok());
    let moved: Vec<bool> = threads.map(|thread: i32| system::move_thread(thread, cores)).collect();
    moved.iter().all(|&moved| moved)
}

/// Keeps a thread on some processors until it is dropped; then the thread may use what it might before.
#[derive(Debug)]
pub struct Pinned {
    before: Vec<usize>,
}

impl Pinned {
    /// Keeps the calling thread on these processors. None where the system does not do it.
    #[must_use]
    pub fn here(cores: &[usize]) -> Option<Pinned> {
        let before = system::allowed();
        system::pin(cores).then_some(Pinned { before })
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        system::pin(&self.before);
    }
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::process::Pid;
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    pub(super) fn allowed() -> Vec<usize> {
        match sched_getaffinity(None) {
            Ok(set) => (0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect(),
            Err(_) => Vec::new(),
        }
    }

    pub(super) fn pin(cores: &[usize]) -> bool {
        sched_setaffinity(None, &set(cores)).is_ok()
    }

    pub(super) fn move_thread(thread: i32, cores: &[usize]) -> bool {
        Pid::from_raw(thread).is_some_and(|thread| sched_setaffinity(Some(thread), &set(cores)).is_ok())
    }

    fn set(cores: &[usize]) -> CpuSet {
        let mut set = CpuSet::new();
        for &core in cores.iter().filter(|&&core| core < CpuSet::MAX_CPU) {
            set.set(core);
        }
        set
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn allowed() -> Vec<usize> {
        Vec::new()
    }

    pub(super) fn pin(_cores: &[usize]) -> bool {
        false
    }

    pub(super) fn move_thread(_thread: i32, _cores: &[usize]) -> bool {
        false
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_kept_on_its_processors_and_let_go_again() {
        let before = allowed();
        assert!(!before.is_empty());
        assert!(usable() >= 1 && usable() as usize <= before.len());
        let last = &before[before.len() - 1..];
        let pinned = Pinned::here(last).unwrap();
        assert_eq!(allowed(), last);
        drop(pinned);
        assert_eq!(allowed(), before);
    }

    #[test]
    fn a_thread_cannot_be_kept_nowhere() {
        assert!(Pinned::here(&[]).is_none());
    }
}
