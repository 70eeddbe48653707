//! Ending every descendant of a process, wherever it hid.

use std::collections::HashMap;
use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// Sends SIGKILL to every living descendant of `root`, and says whether there was any.
///
/// A descendant that called setsid or whose parent died is still one, as long as some ancestor of it is a subreaper
/// below or at `root`. Where there is no `/proc` (macOS), none is found: there only the process group is ended.
pub(super) fn kill_descendants(root: Pid) -> bool {
    let mut any = false;
    for pid in descendants(root) {
        any = true;
        // It may have ended since it was seen.
        let _ = kill_process(pid, Signal::KILL);
    }
    any
}

/// Sends SIGKILL to every living process of the session that `leader` leads or led, and says whether there was any.
///
/// For the case that a keeper was killed: what it kept is nobody's descendant any more, but still in its session, unless
/// it left that too.
pub(super) fn kill_session(leader: Pid) -> bool {
    let mut any = false;
    for process in living() {
        if process.session == leader.as_raw_nonzero().get()
            && process.id != process.session
            && let Some(pid) = Pid::from_raw(process.id)
        {
            any = true;
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    any
}

/// The living descendants of `root`.
fn descendants(root: Pid) -> Vec<Pid> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for process in living() {
        children.entry(process.parent).or_default().push(process.id);
    }
    let mut found = Vec::new();
    let mut next = vec![root.as_raw_nonzero().get()];
    while let Some(parent) = next.pop() {
        let below = children.remove(&parent).unwrap_or_default();
        next.extend(&below);
        found.extend(below.into_iter().filter_map(Pid::from_raw));
    }
    found
}

#[derive(Debug, PartialEq, Eq)]
struct Process {
    id: i32,
    parent: i32,
    session: i32,
}

/// All processes that have not ended.
fn living() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(|id: i32| process(id, &fs::read(format!("/proc/{id}/stat")).ok()?)).collect()
}

/// Reads `/proc/ID/stat`, whose second field is a name in parentheses that may hold anything, parentheses too. None for
/// one that has ended and is only not yet reaped.
fn process(id: i32, stat: &[u8]) -> Option<Process> {
    let after_name = stat.iter().rposition(|&byte| byte == b')')?;
    let mut fields = std::str::from_utf8(&stat[after_name + 1..]).ok()?.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    let parent = fields.next()?.parse().ok()?;
    let _group = fields.next()?;
    let session = fields.next()?.parse().ok()?;
    Some(Process { id, parent, session })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_full_of_parentheses_does_not_confuse_the_reader() {
        let expected = Process { id: 12, parent: 77, session: 9 };
        assert_eq!(process(12, b"12 (a) S 1 (x) R 77 12 9 0"), Some(expected));
        assert_eq!(process(12, b"12 (cat) Z 5 12 12 0"), None);
        assert_eq!(process(12, b"garbage"), None);
    }
}
