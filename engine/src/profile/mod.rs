//! Where time and memory go: scopes that record when they are asked to, and cost a look at a flag when not.
//!
//! A scope belongs to the thread that entered it, and [`record`] watches the calling thread alone. That is enough: each
//! thread of an engine takes the same walk with its share, and waits for the others where they meet, which is a scope too.

mod compare;
mod saved;
mod show;

use std::cell::{Cell, RefCell};
use std::time::Instant;

pub use compare::{Comparison, Form, Rows};
pub use saved::{Method, Profile, ProfileError, Subject};

use crate::kernels::Allocated;

/// Different paths for which there is room from the start, so that recording does not allocate.
const ROOM: usize = 256;

/// What was seen of one scope under one chain of callers.
#[derive(Clone, Copy, Debug)]
struct Node {
    name: &'static str,
    parent: usize,
    first_child: Option<usize>,
    next: Option<usize>,
    calls: u64,
    inclusive_ns: u64,
    allocated: Allocated,
}

impl Node {
    const fn new(name: &'static str, parent: usize, next: Option<usize>) -> Self {
        let allocated = Allocated { times: 0, bytes: 0 };
        Self { name, parent, first_child: None, next, calls: 0, inclusive_ns: 0, allocated }
    }
}

/// A tree of scopes; its root is what was recorded.
struct Recorder {
    nodes: Vec<Node>,
    current: usize,
}

thread_local! {
    static WATCHING: Cell<bool> = const { Cell::new(false) };
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

/// A part of the work that is under way; it ends when this is dropped.
#[must_use = "a scope that is dropped at once has nothing in it"]
pub struct Scope(Option<Open>);

struct Open {
    node: usize,
    before: Allocated,
    begun: Instant,
}

/// Enters a scope.
#[inline]
pub fn scope(name: &'static str) -> Scope {
    if WATCHING.get() { enter(name) } else { Scope(None) }
}

/// Does some work in a scope.
#[inline]
pub fn within<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
    let _scope = scope(name);
    work()
}

#[cold]
#[inline(never)]
fn enter(name: &'static str) -> Scope {
    let node = RECORDER.with_borrow_mut(|recorder| recorder.as_mut().map(|recorder| recorder.enter(name)));
    Scope(node.map(|node| Open { node, before: Allocated::here(), begun: Instant::now() }))
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        if let Some(open) = self.0.take() {
            leave(&open);
        }
    }
}

#[cold]
#[inline(never)]
fn leave(open: &Open) {
    let elapsed = open.begun.elapsed();
    let allocated = Allocated::here().since(open.before);
    RECORDER.with_borrow_mut(|recorder| {
        if let Some(recorder) = recorder {
            recorder.leave(open.node, u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX), allocated);
        }
    });
}

impl Recorder {
    fn new(name: &'static str) -> Self {
        let mut nodes = Vec::with_capacity(ROOM);
        nodes.push(Node::new(name, 0, None));
        Self { nodes, current: 0 }
    }

    /// The child of that name, made if there is none yet, becomes the current node.
    fn enter(&mut self, name: &'static str) -> usize {
        let mut child = self.nodes[self.current].first_child;
        while let Some(at) = child {
            // The same text, wherever it stands.
            if self.nodes[at].name == name {
                self.current = at;
                return at;
            }
            child = self.nodes[at].next;
        }
        let new = self.nodes.len();
        let siblings = self.nodes[self.current].first_child.replace(new);
        self.nodes.push(Node::new(name, self.current, siblings));
        self.current = new;
        new
    }

    fn leave(&mut self, node: usize, elapsed_ns: u64, allocated: Allocated) {
        let seen = &mut self.nodes[node];
        seen.calls += 1;
        seen.inclusive_ns += elapsed_ns;
        seen.allocated.times += allocated.times;
        seen.allocated.bytes += allocated.bytes;
        self.current = seen.parent;
    }
}

/// Does some work and records its scopes, and those in them, on this thread.
///
/// # Panics
/// If this thread is being recorded already.
pub fn record<T>(name: &'static str, work: impl FnOnce() -> T) -> (T, Vec<Method>) {
    /// Recording ends even where the work panics.
    struct Watch;
    impl Drop for Watch {
        fn drop(&mut self) {
            WATCHING.set(false);
        }
    }
    assert!(!WATCHING.replace(true), "this thread is being recorded already");
    let watch = Watch;
    RECORDER.set(Some(Recorder::new(name)));
    let (before, begun) = (Allocated::here(), Instant::now());
    let answer = work();
    let elapsed = begun.elapsed();
    let allocated = Allocated::here().since(before);
    drop(watch);
    let Some(mut recorder) = RECORDER.take() else { unreachable!("it was put there") };
    recorder.leave(0, u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX), allocated);
    (answer, recorder.methods())
}

impl Recorder {
    /// All that was seen, callers before the called, in the order in which they were first entered.
    fn methods(&self) -> Vec<Method> {
        let mut methods = Vec::new();
        self.collect(0, "", &mut methods);
        methods
    }

    fn collect(&self, at: usize, path: &str, methods: &mut Vec<Method>) {
        let node = &self.nodes[at];
        let path = if path.is_empty() { node.name.to_owned() } else { format!("{path}/{}", node.name) };
        let mut children: Vec<usize> =
            std::iter::successors(node.first_child, |child| self.nodes[*child].next).collect();
        children.reverse();
        let below = |of: fn(&Node) -> u64| children.iter().map(|child| of(&self.nodes[*child])).sum::<u64>();
        methods.push(Method {
            path: path.clone(),
            calls: node.calls,
            inclusive_ns: node.inclusive_ns,
            exclusive_ns: node.inclusive_ns.saturating_sub(below(|node| node.inclusive_ns)),
            allocations: node.allocated.times.saturating_sub(below(|node| node.allocated.times)),
            bytes: node.allocated.bytes.saturating_sub(below(|node| node.allocated.bytes)),
        });
        for child in children {
            self.collect(child, &path, methods);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work() {
        for _ in 0..3 {
            let _outer = scope("outer");
            for _ in 0..2 {
                let _inner = scope("inner");
            }
            let _last = scope("last");
        }
        let _again = scope("inner");
    }

    #[test]
    fn a_recording_has_every_chain_of_callers_with_its_calls() {
        let ((), methods) = record("work", work);
        let seen: Vec<(&str, u64)> = methods.iter().map(|method| (method.path.as_str(), method.calls)).collect();
        assert_eq!(
            seen,
            [("work", 1), ("work/outer", 3), ("work/outer/inner", 6), ("work/outer/last", 3), ("work/inner", 1)]
        );
        let own: u64 = methods.iter().map(|method| method.exclusive_ns).sum();
        assert_eq!(own, methods[0].inclusive_ns, "every nanosecond belongs to one method");
    }

    #[test]
    fn scopes_that_nobody_records_leave_nothing_behind() {
        work();
        let ((), methods) = record("nothing", || ());
        assert_eq!(methods.len(), 1);
        let other = std::thread::scope(|scope| {
            let ((), methods) = record("waiting", || scope.spawn(work).join().expect("the thread ends"));
            methods
        });
        assert_eq!(other.len(), 1, "another thread's scopes are its own");
    }

    #[test]
    fn a_recording_ends_where_the_work_panics() {
        assert!(std::panic::catch_unwind(|| record("broken", || panic!("on purpose"))).is_err());
        let ((), methods) = record("sound", work);
        assert_eq!(methods[0].path, "sound");
    }
}
