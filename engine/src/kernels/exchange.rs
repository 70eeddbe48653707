//! Where threads that compute a product's parts put them together.
//!
//! Each member has a seat with two slots, of which one is its own to fill. When all have met, everyone may read all
//! slots of that turn, until it sits down for the next meeting; the turn after that uses the other slots. So one
//! meeting is enough for an exchange: whoever fills a slot again has met, since its last filling, everyone who read it.

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::memory::Buffer;

/// How often to look for the others before letting another thread have the core: some tens of microseconds.
const SPINS: usize = 20_000;

/// How often to look without a pause between two looks.
const SPINS_WITHOUT_PAUSE: usize = 500;

/// Alone on its cache line, and on the one that is fetched with it.
#[repr(align(128))]
struct Apart<T>(T);

struct Place {
    slots: [UnsafeCell<Buffer<f32>>; 2],
    /// How many turns the member has finished filling.
    filled: Apart<AtomicUsize>,
}

struct Exchange {
    places: Vec<Place>,
    /// A member is gone and will not come.
    broken: AtomicBool,
}

// SAFETY: a slot is written through its seat alone, of which there is one, and read by others only between the
// meeting of its turn and their next, as told above.
unsafe impl Sync for Exchange {}

/// One member's place at the exchange.
pub struct Seat {
    exchange: Arc<Exchange>,
    index: usize,
    turn: usize,
}

impl Seat {
    /// The seats of an exchange whose slots have `capacity` numbers.
    #[must_use]
    pub fn of_an_exchange(members: usize, capacity: usize) -> Vec<Self> {
        let place = || Place {
            slots: [(); 2].map(|()| UnsafeCell::new(Buffer::zeroed(capacity))),
            filled: Apart(AtomicUsize::new(0)),
        };
        let places = (0..members).map(|_| place()).collect();
        let exchange = Arc::new(Exchange { places, broken: AtomicBool::new(false) });
        (0..members).map(|index| Self { exchange: Arc::clone(&exchange), index, turn: 0 }).collect()
    }

    /// The member's number.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// The member's slot of this turn, to be filled.
    pub fn slot(&mut self) -> &mut [f32] {
        let slot = &self.exchange.places[self.index].slots[self.turn % 2];
        // SAFETY: only this seat writes the slot, and it is borrowed mutably. Others read it from this turn's meeting,
        // which needs the seat too, to their next; they finished the turn before last before they came to the last.
        unsafe { &mut *slot.get() }
    }

    /// Waits until every member has filled its slot, and hands out all of them.
    ///
    /// # Panics
    /// If a member is gone.
    pub fn meet(&mut self) -> Met<'_> {
        let turn = self.turn;
        self.turn += 1;
        self.exchange.places[self.index].filled.0.store(turn + 1, Ordering::Release);
        for (other, place) in self.exchange.places.iter().enumerate() {
            let mut spins = 0;
            while other != self.index && place.filled.0.load(Ordering::Acquire) <= turn {
                spins += 1;
                // Others are mostly a moment away; a pause would be as long as the whole wait.
                if spins < SPINS_WITHOUT_PAUSE {
                    continue;
                }
                if spins % SPINS == 0 {
                    assert!(!self.exchange.broken.load(Ordering::Relaxed), "another thread of the engine is gone");
                    std::thread::yield_now();
                }
                std::hint::spin_loop();
            }
        }
        Met { exchange: &self.exchange, turn }
    }
}

/// A member that goes, even by a panic, must not leave the others waiting for ever.
impl Drop for Seat {
    fn drop(&mut self) {
        self.exchange.broken.store(true, Ordering::Relaxed);
    }
}

/// All slots of a turn, after the meeting.
pub struct Met<'a> {
    exchange: &'a Exchange,
    turn: usize,
}

impl<'a> Met<'a> {
    /// What each member put there, in the order of the members.
    pub fn slots(&self) -> impl Iterator<Item = &'a [f32]> + use<'a> {
        let slot = self.turn % 2;
        // SAFETY: all members have met after filling these slots, and none fills them again before it has met this one,
        // whose seat is borrowed for as long as this is read.
        self.exchange.places.iter().map(move |place| unsafe { &**place.slots[slot].get() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_see_what_all_have_put_there_turn_after_turn() {
        std::thread::scope(|scope| {
            for mut seat in Seat::of_an_exchange(3, 4) {
                scope.spawn(move || {
                    for turn in 0..200_u16 {
                        let index = seat.index() as u16;
                        seat.slot().fill(f32::from(turn * 10 + index));
                        let seen: Vec<f32> = seat.meet().slots().map(|slot| slot[3]).collect();
                        assert_eq!(seen, [0, 1, 2].map(|index| f32::from(turn * 10 + index)));
                    }
                    // Nobody leaves before all have seen the last turn.
                    seat.meet();
                });
            }
        });
    }

    #[test]
    fn a_member_that_is_gone_is_noticed() {
        let mut seats = Seat::of_an_exchange(2, 1);
        drop(seats.pop());
        let mut left = seats.pop().expect("two seats");
        let waiting = std::panic::AssertUnwindSafe(|| left.meet().slots().count());
        assert!(std::panic::catch_unwind(waiting).is_err());
    }
}
