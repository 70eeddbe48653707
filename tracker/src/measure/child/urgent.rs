//! Going before others: where the system allows it, the thread that asks workers for slices, and the workers, do not wait
//! for what else runs on their processors.
//!
//! The asking thread becomes a real-time one. It sleeps while a slice runs, so it takes next to nothing, but its turn
//! comes at once: two slices of a pair stay a millisecond apart on a busy machine. Keepers inherit that, and hand
//! something milder to the program below them: the highest ordinary priority, for its whole session where the system
//! shares time among sessions. A worker that has a single thread is made a real-time one too while its slices are taken
//! ([`hurry`]), just below the asking thread. One with several threads is not: it might wait by looking for one of them,
//! which would then never have its turn.
//!
//! It takes root or `CAP_SYS_NICE`, on Linux. Elsewhere everything stays as it was, on both sides of a duel alike.

use std::marker::PhantomData;

/// While it lives, its thread goes before others, and so do the keepers that are started from it.
#[derive(Debug)]
pub struct Urgent {
    /// It belongs to the thread that made it.
    _here: PhantomData<*const ()>,
}

impl Urgent {
    /// Makes the calling thread urgent. None where that is not allowed.
    #[must_use]
    pub fn here() -> Option<Urgent> {
        system::become_urgent().then_some(Urgent { _here: PhantomData })
    }
}

impl Drop for Urgent {
    fn drop(&mut self) {
        system::become_usual();
    }
}

/// The note that tells whether workers went before others.
pub const PRIORITY: &str = "priority of workers";

/// What that note says.
#[must_use]
pub fn said(is_urgent: bool) -> &'static str {
    if is_urgent { "raised" } else { "usual" }
}

/// How workers stand to others on their processor while they are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As they were started.
    Usual,
    /// Before others, if they have one thread each.
    Hurried,
}

/// Slices up to this long are taken before all others: who waits for the processor waits no longer than for a disk.
const LONGEST_HURRY_NS: f64 = 20e6;

impl Pace {
    /// The pace of workers that use so many processors and whose slices take so long, asked by a thread that is urgent or
    /// is not.
    #[must_use]
    pub fn of(is_urgent: bool, cores: u32, slice_ns: f64) -> Pace {
        if is_urgent && cores == 1 && slice_ns <= LONGEST_HURRY_NS { Pace::Hurried } else { Pace::Usual }
    }
}

/// Whether a keeper was started by an urgent thread. If so it stays urgent itself, and what it starts will be usual until
/// it is [`raised`](raise).
pub(super) fn keep_to_itself() -> bool {
    system::keep_to_itself()
}

/// Gives a program of ours the highest ordinary priority, as far as the system lets us.
pub(super) fn raise(child: rustix::process::Pid) {
    let _ = rustix::process::setpriority_process(Some(child), HIGHEST);
}

/// Gives the session of this process the highest share where time is shared among sessions.
pub(super) fn raise_session() {
    let _ = std::fs::write("/proc/self/autogroup", HIGHEST.to_string());
}

/// Makes these processes real-time ones, below the asking thread, and what they start usual; only if each has one thread.
/// False where that is not so or not allowed: then none of them is.
#[must_use]
pub fn hurry(processes: &[i32]) -> bool {
    let hurried = processes.iter().take_while(|&&id| has_one_thread(id) && system::hurry(id)).count();
    let done = hurried == processes.len();
    if !done {
        relax(&processes[..hurried]);
    }
    done
}

/// Makes these processes usual ones of the highest priority again.
pub fn relax(processes: &[i32]) {
    for &id in processes {
        system::relax(id);
    }
}

/// While it lives, a process goes before others.
#[derive(Debug)]
pub struct Hurried(i32);

impl Hurried {
    /// From now on. None where that is not allowed or the process has several threads, which is then as it was.
    #[must_use]
    pub fn new(process: i32) -> Option<Hurried> {
        hurry(&[process]).then_some(Hurried(process))
    }
}

impl Drop for Hurried {
    fn drop(&mut self) {
        relax(&[self.0]);
    }
}

fn has_one_thread(process: i32) -> bool {
    std::fs::read_dir(format!("/proc/{process}/task")).is_ok_and(|threads| threads.count() == 1)
}

/// The nicest value for oneself.
const HIGHEST: i32 = -20;

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no safe crate of ours makes a thread a real-time one")]
mod system {
    /// The lowest of the real-time priorities go before all that is not real-time. Workers have the very lowest.
    const ASKING: libc::c_int = 2;
    const WORKING: libc::c_int = 1;

    /// The calling thread.
    const HERE: libc::pid_t = 0;

    /// Sets the policy of a thread.
    fn set(thread: libc::pid_t, policy: libc::c_int, priority: libc::c_int) -> bool {
        let parameters = libc::sched_param { sched_priority: priority };
        // SAFETY: the parameters are a whole struct that the call only reads; a thread that is not there is refused.
        unsafe { libc::sched_setscheduler(thread, policy, &raw const parameters) == 0 }
    }

    pub(super) fn become_urgent() -> bool {
        set(HERE, libc::SCHED_RR, ASKING)
    }

    pub(super) fn become_usual() {
        set(HERE, libc::SCHED_OTHER, 0);
    }

    pub(super) fn hurry(process: i32) -> bool {
        set(process, libc::SCHED_RR | libc::SCHED_RESET_ON_FORK, WORKING)
    }

    /// The nice value is kept over this, as the mark of a usual thread.
    pub(super) fn relax(process: i32) {
        set(process, libc::SCHED_OTHER, 0);
    }

    pub(super) fn keep_to_itself() -> bool {
        // SAFETY: zero is the calling thread; the call has no other argument.
        let policy = unsafe { libc::sched_getscheduler(HERE) };
        policy == libc::SCHED_RR && set(HERE, libc::SCHED_RR | libc::SCHED_RESET_ON_FORK, ASKING)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn become_urgent() -> bool {
        false
    }

    pub(super) fn become_usual() {}

    pub(super) fn hurry(_process: i32) -> bool {
        false
    }

    pub(super) fn relax(_process: i32) {}

    pub(super) fn keep_to_itself() -> bool {
        false
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    /// The scheduling policy of this thread, and what a keeper would find: 0 is the usual one, 2 is ours.
    fn policy() -> String {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        // The name may hold spaces; the fields after it are numbers. The policy is the 41st of all.
        stat.rsplit(") ").next().unwrap().split(' ').nth(38).unwrap().to_owned()
    }

    #[test]
    fn a_process_of_several_threads_is_left_as_it_is() {
        let ours = i32::try_from(std::process::id()).unwrap();
        assert!(std::thread::scope(|scope| scope.spawn(|| !hurry(&[ours])).join().unwrap()));
        assert_eq!(policy(), "0");
    }

    /// Whether this process may do it: the bit of `CAP_SYS_NICE` among those that are in effect.
    fn may_be_urgent() -> bool {
        const CAP_SYS_NICE: u64 = 1 << 23;
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap().trim();
        u64::from_str_radix(effective, 16).unwrap() & CAP_SYS_NICE != 0
    }

    #[test]
    fn a_thread_is_urgent_for_as_long_as_it_says_where_that_is_allowed() {
        use std::io::Write as _;
        assert_eq!(policy(), "0");
        let urgent = Urgent::here();
        if !may_be_urgent() {
            // Past the test harness, which keeps what succeeds to itself.
            let _ = writeln!(std::io::stderr(), "skipped: that a thread is urgent, for CAP_SYS_NICE is not ours");
            return;
        }
        assert!(urgent.is_some(), "it is allowed");
        assert_eq!(policy(), "2");
        assert_eq!(std::thread::scope(|scope| scope.spawn(policy).join().unwrap()), "2");
        drop(urgent);
        assert_eq!(policy(), "0");
    }
}
