//! Where a program's memory lies. The system draws that anew for each process; here it is the same for all processes that
//! are started with one number: nothing is drawn, the stack's limit moves what is mapped, and the length of a variable
//! moves the stack itself. The heap lies behind the program, and only the program can move it. Python draws the order of
//! its tables as well, so it is told what to draw it from.

use std::path::PathBuf;

use super::Program;

/// The variable that tells a program the number.
const VARIABLE: &str = "TACHOGRAPH_LAYOUT";

/// The variable from which Python's tables have their order, and its greatest value.
const PYTHON_SEED: &str = "PYTHONHASHSEED";
const MOST_PYTHON_SEED: u64 = 4_294_967_295;

/// The stack moves by the length of the variable's value, which begins with zeros: by lines of a cache, so many at the
/// most, and by nudges, which are what a stack is aligned to.
const LINES: u64 = 64;
const LINE_BYTES: u64 = 64;
const NUDGE_BYTES: u64 = 16;

/// Nudges that are not lines already.
pub(in crate::measure) const NUDGES: u32 = 4;

impl Program {
    /// The same program with the addresses, and the order of Python's tables, that belong to this number, its stack nudged
    /// so many times.
    #[must_use]
    pub(in crate::measure) fn laid_out(self, layout: u64, nudges: u32) -> Program {
        let zeros = layout % LINES * LINE_BYTES + u64::from(nudges % NUDGES) * NUDGE_BYTES;
        let zeros = usize::try_from(zeros).unwrap_or(0);
        // Zero would mean that nothing is shuffled, which is one special order.
        let python_seed = 1 + layout % MOST_PYTHON_SEED;
        let program = self.with(PYTHON_SEED, &format!("{python_seed:010}"));
        let mut program = program.with(VARIABLE, &format!("{}{layout:020}", "0".repeat(zeros)));
        program.layout = Some(layout);
        program
    }
}

/// Lets what is started from here have the addresses that belong to this number, as far as the system allows.
pub(super) fn fix(layout: u64) {
    system::fix(layout);
}

/// Whether no addresses are drawn for a process; none if it cannot be seen.
pub(in crate::measure) fn is_fixed(process: i32) -> Option<bool> {
    let flags = std::fs::read_to_string(format!("/proc/{process}/personality")).ok()?;
    Some(u32::from_str_radix(flags.trim(), 16).ok()? & system::FIXED != 0)
}

/// The program that runs in a process which has started no other; none if it cannot be seen. What was started by another
/// may be anything.
pub(in crate::measure) fn program_alone_in(process: i32) -> Option<PathBuf> {
    for thread in std::fs::read_dir(format!("/proc/{process}/task")).ok()? {
        if !std::fs::read_to_string(thread.ok()?.path().join("children")).ok()?.is_empty() {
            return None;
        }
    }
    std::fs::read_link(format!("/proc/{process}/exe")).ok()
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no safe crate of ours sets what a process is like")]
mod system {
    use super::LINES;
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    /// The flag of a process for which no addresses are drawn.
    pub(super) const FIXED: u32 = libc::ADDR_NO_RANDOMIZE.cast_unsigned();

    /// What is mapped lies below the room for the stack, which is at least so large.
    const LEAST_STACK_BYTES: u64 = 130 << 20;
    const PAGE_BYTES: u64 = 4096;
    /// What is mapped moves by so many pages at the most, which is 16 MB.
    const PAGES: u64 = 4096;

    pub(super) fn fix(layout: u64) {
        // SAFETY: the call takes a number and touches no memory.
        let now = unsafe { libc::personality(0xffff_ffff) };
        if now < 0 {
            return;
        }
        // SAFETY: as above. Where it is refused, as in some containers, addresses are drawn as ever.
        let _ = unsafe { libc::personality(libc::c_ulong::from((now.cast_unsigned()) | FIXED)) };
        let before = getrlimit(Resource::Stack);
        let current = LEAST_STACK_BYTES + layout / LINES % PAGES * PAGE_BYTES;
        // Without any limit the system lays memory out from the other end.
        if before.current.is_some() && before.maximum.is_none_or(|most| most >= current) {
            let _ = setrlimit(Resource::Stack, Rlimit { current: Some(current), ..before });
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) const FIXED: u32 = 0;

    pub(super) fn fix(_layout: u64) {}
}
