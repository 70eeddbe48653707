//! Whether a worker's allocator heard that it is to take huge pages.
//!
//! Workers that are linked with glibc are asked for it by a variable. Some versions (2.36 is one) compare the system's
//! setting with a string whose end they did not write, and so hear it in about half of all starts. Workers of which some
//! stream through large pages and some through small ones differ by a sixth, so one that did not hear is started anew.

use std::time::Duration;

/// So many starts without one that heard: this program never does.
pub(super) const DEAF: u32 = 24;
/// Starts of one worker at the most.
pub(super) const MOST_STARTS: u32 = 16;
/// What takes longer to start is taken as it is.
pub(super) const LONGEST_START: Duration = Duration::from_millis(100);

/// Whether the system leaves it to programs: else there is nothing to hear.
#[must_use]
pub(super) fn are_asked_for() -> bool {
    let setting = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled");
    setting.is_ok_and(|setting| setting.contains("[madvise]"))
}

/// Whether the allocator of a process asked for huge pages when it began; none if it is none that could.
#[must_use]
pub(super) fn are_taken_by(process: i32) -> Option<bool> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/smaps")).ok()?;
    is_with_glibc(&maps).then(|| heap_is_advised(&maps))
}

fn is_with_glibc(maps: &str) -> bool {
    maps.lines().any(|line| line.ends_with("/libc.so.6"))
}

fn heap_is_advised(maps: &str) -> bool {
    let heap = maps.lines().skip_while(|line| !line.ends_with("[heap]"));
    let flags = heap.skip(1).find_map(|line| line.strip_prefix("VmFlags:"));
    flags.is_some_and(|flags| flags.split_ascii_whitespace().any(|flag| flag == "hg"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_of_the_heap_decide() {
        let map = |name: &str, flags: &str| {
            format!("55d0-55d1 rw-p 00000000 00:00 0   {name}\nSize: 132 kB\nVmFlags: {flags}\n")
        };
        assert!(heap_is_advised(&(map("/usr/bin/worker", "rd mr") + &map("[heap]", "rd wr ac hg"))));
        assert!(!heap_is_advised(&(map("[heap]", "rd wr ac") + &map("", "rd wr ac hg"))));
        assert!(!heap_is_advised(&map("[stack]", "rd wr hg")));
        assert!(is_with_glibc(&map("/lib/x86_64-linux-gnu/libc.so.6", "rd")) && !is_with_glibc(&map("[heap]", "rd")));
    }
}
