//! Panics of a benchmark, turned into messages.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

thread_local! {
    /// Where this thread last panicked.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work`; a panic becomes its message with the place where it arose. The message still goes to standard error too,
/// with a backtrace where one is asked for.
///
/// What `work` was changing may be half changed after a panic: the caller throws it away.
pub(crate) fn contained<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    note_places();
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let place = PLACE.take().map(|place| format!(" at {place}")).unwrap_or_default();
        format!("panicked{place}: {}", message(payload.as_ref()))
    })
}

fn note_places() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            let place = info.location().map(ToString::to_string);
            PLACE.with(|noted| *noted.borrow_mut() = place);
            before(info);
        }));
    });
}

fn message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("with a payload that is no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message_and_its_place() {
        let failure = contained(|| panic!("wrong shape: {}", 3)).unwrap_err();
        assert!(failure.starts_with("panicked at "), "{failure}");
        assert!(failure.contains("contain.rs:"), "{failure}");
        assert!(failure.ends_with(": wrong shape: 3"), "{failure}");
    }

    #[test]
    fn a_payload_that_is_no_text_is_said_to_be_so() {
        let failure = contained(|| panic::panic_any(7_u8)).unwrap_err();
        assert!(failure.ends_with("with a payload that is no text"), "{failure}");
    }

    #[test]
    fn what_does_not_panic_passes() {
        assert_eq!(contained(|| 5), Ok(5));
    }
}
