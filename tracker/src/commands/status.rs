//! One line on the terminal that says what is going on; nothing where standard error is no terminal.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crate::show::escape;
use crate::show::table::shorten;

/// How often the line may change.
const EVERY: Duration = Duration::from_millis(100);

/// The line.
pub(super) struct Status {
    shown: bool,
    width: Option<usize>,
    last: Option<Instant>,
}

impl Status {
    /// A line that is shown where somebody looks on.
    pub(super) fn new() -> Status {
        let watched = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        let width = watched.then(|| rustix::termios::tcgetwinsize(std::io::stderr()).ok()).flatten();
        Status { shown: false, width: watched.then(|| width.map_or(80, |size| usize::from(size.ws_col))), last: None }
    }

    /// Says what is going on, unless something was said just now.
    pub(super) fn say(&mut self, text: &str) {
        let Some(width) = self.width else { return };
        if self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        self.last = Some(Instant::now());
        self.shown = true;
        let line = shorten(&escape::line(text), width.saturating_sub(1));
        let _ = write!(std::io::stderr(), "\r\u{1b}[K{line}");
    }

    /// Takes the line away, for something else to be said.
    pub(super) fn clear(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
            self.shown = false;
            self.last = None;
        }
    }

    /// Says something that stays, on standard error.
    pub(super) fn remark(&mut self, text: &str) {
        self.clear();
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}
