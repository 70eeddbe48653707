//! The cell of valgrind's client requests: instruction sequences that change nothing on a processor and that valgrind,
//! where the program runs under it, takes for a call. Through them callgrind counts the work alone.

#![allow(unsafe_code, reason = "a client request is a sequence of instructions, which only assembly can spell")]

/// What a part of callgrind's file says of who asked for it.
const WHO: &std::ffi::CStr = c"tachograph";

/// `VG_USERREQ__RUNNING_ON_VALGRIND` of valgrind.h.
const RUNNING_ON_VALGRIND: usize = 0x1001;

/// Callgrind's own requests, of callgrind.h, which begin at its letters, `CT`.
const CALLGRIND: usize = 0x4354_0000;
const ZERO_STATS: usize = CALLGRIND + 1;
const DUMP_STATS_AT: usize = CALLGRIND + 3;
const START_INSTRUMENTATION: usize = CALLGRIND + 4;
const STOP_INSTRUMENTATION: usize = CALLGRIND + 5;

/// Whether the program runs under valgrind.
pub(crate) fn is_here() -> bool {
    request(RUNNING_ON_VALGRIND, 0) != 0
}

/// Counts while it lives, all threads.
#[derive(Debug)]
pub(crate) struct Counting(());

impl Counting {
    /// Begins at nothing.
    pub(crate) fn begin() -> Counting {
        request(ZERO_STATS, 0);
        request(START_INSTRUMENTATION, 0);
        Counting(())
    }

    /// Ends, and has what was counted written to callgrind's file.
    pub(crate) fn write(self) {
        drop(self);
        request(DUMP_STATS_AT, WHO.as_ptr().addr());
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        request(STOP_INSTRUMENTATION, 0);
    }
}

/// Asks valgrind; nothing, and zero for an answer, where it is not there.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn request(what: usize, first: usize) -> usize {
    let arguments = [what, first, 0, 0, 0, 0];
    let mut answer = 0_usize;
    // SAFETY: on a processor the rotations turn `rdi` by 128 bits in all, so back to what it was, and a register is
    // exchanged with itself: nothing but flags changes, and those the compiler takes for lost. Under valgrind the sequence
    // reads the six words at `rax`, which live until it is over, reads the text that the second of them may point to, which
    // lives for ever, and writes `rdx`.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") arguments.as_ptr(),
            inout("rdx") answer,
            options(nostack),
        );
    }
    answer
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn request(_: usize, _: usize) -> usize {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_processor_a_request_changes_nothing() {
        // Whoever runs the tests under valgrind is answered, and that is right too.
        if std::env::var_os("LD_PRELOAD").is_none() {
            assert!(!is_here());
        }
        let counting = Counting::begin();
        counting.write();
    }
}
