//! A check-up of this machine: what it is, how steady it is, what disturbs it, and how to mend that.

mod advice;

use crate::domain::Machine;
use crate::measure::floor::{self, Floor};
use crate::measure::machine::{self, Watch};
use crate::measure::pulse;
use crate::show::doctor::{Report, Steadiness};

use self::advice::Symptoms;

/// Examines this machine. It takes some two seconds, during which one processor is kept busy.
#[must_use]
pub fn examine() -> Report {
    // Before we keep a processor busy ourselves.
    let conditions = machine::conditions();
    let fingerprint = machine::fingerprint();
    let watch = Watch::begin();
    let pulse = pulse::take();
    let floor = floor::measure();
    let symptoms = Symptoms { fingerprint: &fingerprint, conditions: &conditions, steal_pct: watch.steal_pct(), floor };
    let advice = advice::all(&symptoms);
    let mut notes = conditions.notes();
    notes.append(&mut watch.notes());
    let steadiness = floor.map(|floor: Floor| Steadiness {
        one_after_other_pct: floor.one_after_other_pct,
        alternating_pct: floor.alternating_pct,
        slices: floor.slices,
    });
    Report { machine: Machine::Fingerprint(fingerprint), notes, pulse, steadiness, advice }
}
