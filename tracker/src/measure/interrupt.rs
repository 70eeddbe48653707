//! The wish to stop: raised by SIGINT, SIGTERM or SIGHUP, seen by everything that waits for a child.
//!
//! A [`Stop`] is handed to whatever starts children. Nothing is torn down inside a signal handler: the handler notes
//! the signal and makes a descriptor readable; each wait for a child watches that descriptor, ends its child and says
//! that it was stopped, and the verb stores what is finished and exits with [`Stop::exit_code`]. A second signal exits
//! at once; the keepers then end the children (see [`super::child`]).

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

/// Whether somebody wants us to stop. Clones share one answer.
#[derive(Debug, Clone)]
pub struct Stop(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    signal: Arc<AtomicUsize>,
    /// Readable from the first wish on; never read, so that every waiter sees it.
    seen: UnixStream,
    wish: UnixStream,
}

impl Stop {
    /// Raised only by [`Stop::raise`].
    pub fn by_hand() -> io::Result<Stop> {
        let (seen, wish) = UnixStream::pair()?;
        wish.set_nonblocking(true)?;
        Ok(Stop(Arc::new(Inner { signal: Arc::default(), seen, wish })))
    }

    /// Raised by SIGINT, SIGTERM and SIGHUP too, from now on and for the rest of the process.
    pub fn on_signals() -> io::Result<Stop> {
        let stop = Stop::by_hand()?;
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let number = usize::try_from(signal).unwrap_or_default();
            let again = Arc::new(AtomicBool::new(false));
            // In this order: the first signal finds `again` unset and sets it, the second exits.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&again))?;
            flag::register(signal, again)?;
            flag::register_usize(signal, Arc::clone(&stop.0.signal), number)?;
            low_level::pipe::register(signal, stop.0.wish.try_clone()?)?;
        }
        Ok(stop)
    }

    /// Wishes to stop, as the signal of that number would.
    pub fn raise(&self, signal: usize) {
        self.0.signal.store(signal, Ordering::SeqCst);
        // A full buffer means that the descriptor is readable already.
        let _ = (&self.0.wish).write(b"x");
    }

    /// The number of the signal that wants us to stop.
    #[must_use]
    pub fn signal(&self) -> Option<usize> {
        match self.0.signal.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(signal),
        }
    }

    /// Whether anybody wants us to stop.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.signal().is_some()
    }

    /// The exit code that shells expect of a program that was stopped: 130 after SIGINT, 143 after SIGTERM.
    #[must_use]
    pub fn exit_code(&self) -> Option<u8> {
        self.signal().map(|signal| u8::try_from(128 + signal).unwrap_or(u8::MAX))
    }
}

impl AsFd for Stop {
    /// Readable from the first wish on.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.seen.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_to_stop_is_seen_by_every_clone() {
        let stop = Stop::by_hand().unwrap();
        let other = stop.clone();
        assert!(!other.is_raised());
        assert_eq!(other.exit_code(), None);
        stop.raise(15);
        assert!(other.is_raised());
        assert_eq!(other.exit_code(), Some(143));
    }
}
