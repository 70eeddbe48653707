//! The check-up of a machine, for reading and for programs.

use std::fmt::Write as _;

use serde::Serialize;

use super::escape;
use super::number::quantity;
use super::style::{Style, Tone};
use crate::domain::{Fingerprint, Machine, Notes, Pulse, Unit};

/// A round trip below which two processors share a cache, in nanoseconds. Seen: 50 and 200 with a shared cache, 360 and
/// 600 without, by two programs on one machine; between processors of two sockets it takes longer still.
const NEAR_NS: f64 = 250.0;

/// What was found out about a machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What it is.
    pub machine: Machine,
    /// Everything else about it.
    pub notes: Notes,
    /// Its state.
    pub pulse: Pulse,
    /// How far two measurements of the same lie apart; none if that could not be measured.
    pub steadiness: Option<Steadiness>,
    /// What disturbs and what is fine, what disturbs first.
    pub advice: Vec<Advice>,
}

/// How far two halves of the same lie apart, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Steadiness {
    /// Measured one after the other.
    pub one_after_other_pct: f64,
    /// Measured in turns.
    pub alternating_pct: f64,
    /// Slices that were measured.
    pub slices: usize,
}

/// How much something matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// It makes measurements noisy.
    Noisy,
    /// It is good to know.
    Note,
    /// It is as it should be.
    Fine,
}

/// One thing that matters, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// How much it matters.
    pub weight: Weight,
    /// A word for it: `governor`.
    pub matter: &'static str,
    /// How it stands.
    pub finding: String,
    /// What to do; none if nothing needs doing.
    pub mend: Option<String>,
}

/// The report for reading.
#[must_use]
pub fn text(report: &Report, style: Style) -> String {
    let mut out = String::new();
    heading(&mut out, style, "This machine");
    line(&mut out, &format!("{} (machine {})", report.machine.title(), report.machine.id().short()));
    if let Machine::Fingerprint(print) = &report.machine {
        line(&mut out, &particulars(print, &report.notes));
    }
    heading(&mut out, style, "How steady it is");
    steadiness(&mut out, style, report.steadiness);
    heading(&mut out, style, "Its pulse");
    pulse(&mut out, report.pulse);
    advice(&mut out, style, report);
    out
}

fn heading(out: &mut String, style: Style, text: &str) {
    let gap = if out.is_empty() { "" } else { "\n" };
    let _ = writeln!(out, "{gap}{}", style.paint(Tone::Heading, text));
}

/// An indented line; what comes from the machine is escaped here.
fn line(out: &mut String, text: &str) {
    let _ = writeln!(out, "  {}", escape::line(text));
}

fn particulars(print: &Fingerprint, notes: &Notes) -> String {
    let mut parts = vec![format!("{} {}", print.os, print.arch)];
    parts.extend(notes.get("kernel").map(|kernel| format!("kernel {kernel}")));
    parts.extend(print.virtualisation.clone());
    let bytes = Unit::new("bytes");
    parts.extend(print.caches_bytes.iter().map(|(name, &size)| format!("{name} {}", quantity(size as f64, &bytes))));
    parts.join(", ")
}

fn steadiness(out: &mut String, style: Style, steadiness: Option<Steadiness>) {
    let Some(steadiness) = steadiness else {
        line(out, "This could not be measured: two seconds were not enough for some slices of a millisecond.");
        return;
    };
    line(out, "The same code, compared with itself ten times in two seconds. It seems to have changed by");
    // Below a hundredth of a percent nobody cares how little it is.
    let spread = |pct: f64| if pct < 0.01 { "<0.01 %".to_owned() } else { format!("±{pct:.2} %") };
    let row = |pct: f64, how: &str| format!("{:>9}  when {how}", spread(pct));
    line(out, &row(steadiness.one_after_other_pct, "one half is measured after the other"));
    line(out, &row(steadiness.alternating_pct, "the halves alternate, a millisecond each"));
    let moral = "What disturbs both halves alike goes unnoticed when they alternate.";
    let _ = writeln!(out, "  {}", style.paint(Tone::Faint, moral));
}

fn pulse(out: &mut String, pulse: Pulse) {
    match pulse.round_trip_ns {
        Some(trip_ns) => {
            let meaning = if trip_ns < NEAR_NS { "near: they share a cache" } else { "far: they share no cache" };
            line(out, &format!("{trip_ns:.0} ns for a flag to go to another core and back ({meaning})"));
        }
        None => line(out, "no second core to send a flag to"),
    }
    if let Some(rate) = pulse.bandwidth_gb_s {
        line(out, &format!("{rate:.1} GB/s from memory, all cores together"));
    }
    line(out, "Virtual machines are moved about; when these change, whatever uses two threads changes with them.");
}

fn advice(out: &mut String, style: Style, report: &Report) {
    let of = |weight| report.advice.iter().filter(move |advice| advice.weight == weight);
    if of(Weight::Noisy).next().is_some() {
        heading(out, style, "What makes it noisy, and what helps");
        of(Weight::Noisy).for_each(|advice| item(out, style, Tone::Bad, advice));
    } else {
        heading(out, style, "What makes it noisy");
        line(out, "Nothing that can be seen from here.");
    }
    if of(Weight::Note).next().is_some() {
        heading(out, style, "Good to know");
        of(Weight::Note).for_each(|advice| item(out, style, Tone::Plain, advice));
    }
    if of(Weight::Fine).next().is_some() {
        heading(out, style, "As it should be");
        of(Weight::Fine).for_each(|advice| item(out, style, Tone::Plain, advice));
    }
}

fn item(out: &mut String, style: Style, tone: Tone, advice: &Advice) {
    let matter = style.paint(tone, &format!("{:<12}", advice.matter));
    let _ = writeln!(out, "  {matter}{}", escape::line(&advice.finding));
    if let Some(mend) = &advice.mend {
        let _ = writeln!(out, "  {:<12}{} {}", "", style.paint(Tone::Faint, "try:"), escape::line(mend));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn report() -> Report {
        let fingerprint = Fingerprint {
            cpu: "AMD EPYC".to_owned(),
            arch: "x86_64".to_owned(),
            os: "linux".to_owned(),
            cores: 2,
            threads_per_core: Some(1),
            caches_bytes: BTreeMap::from([("L1d".to_owned(), 32 << 10), ("L3".to_owned(), 32 << 20)]),
            memory_gib: 24,
            governor: None,
            virtualisation: Some("kvm".to_owned()),
        };
        let advice = vec![
            Advice {
                weight: Weight::Noisy,
                matter: "load",
                finding: "2.50: other programs were at work".to_owned(),
                mend: Some("stop them".to_owned()),
            },
            Advice { weight: Weight::Note, matter: "counters", finding: "none".to_owned(), mend: None },
            Advice { weight: Weight::Fine, matter: "clock", finding: "tsc: quick to read".to_owned(), mend: None },
        ];
        Report {
            machine: Machine::Fingerprint(fingerprint),
            notes: Notes::from([("kernel".to_owned(), "Linux 6.1\u{1b}".to_owned())]),
            pulse: Pulse { round_trip_ns: Some(52.4), bandwidth_gb_s: Some(50.26) },
            steadiness: Some(Steadiness { one_after_other_pct: 1.234, alternating_pct: 0.018, slices: 1980 }),
            advice,
        }
    }

    #[test]
    fn the_report_reads_well() {
        insta::assert_snapshot!(text(&report(), Style::default()));
    }

    #[test]
    fn what_could_not_be_found_out_is_said() {
        let report = Report {
            pulse: Pulse { round_trip_ns: None, bandwidth_gb_s: None },
            steadiness: None,
            advice: vec![],
            ..report()
        };
        let text = text(&report, Style::default());
        for said in ["This could not be measured", "no second core", "Nothing that can be seen from here"] {
            assert!(text.contains(said), "{text}");
        }
        assert!(!text.contains("As it should be"));
    }

    #[test]
    fn a_machine_that_hardly_wavers_is_not_said_to_stand_still() {
        let steadiness = Some(Steadiness { one_after_other_pct: 0.3, alternating_pct: 0.004, slices: 1980 });
        let text = text(&Report { steadiness, ..report() }, Style::default());
        assert!(text.contains("<0.01 %  when the halves alternate"), "{text}");
    }

    #[test]
    fn a_round_trip_tells_near_from_far() {
        let far = Report { pulse: Pulse { round_trip_ns: Some(360.0), bandwidth_gb_s: None }, ..report() };
        assert!(text(&far, Style::default()).contains("360 ns for a flag to go to another core and back (far"));
        assert!(text(&report(), Style::default()).contains("(near"));
    }

    #[test]
    fn only_colour_tells_a_colourful_report_from_a_plain_one() {
        let colourful = text(&report(), Style { colour: true, width: None });
        let plain = text(&report(), Style::default());
        assert!(colourful.contains("\u{1b}[1mThis machine\u{1b}[0m") && !plain.contains('\u{1b}'));
        let mut stripped = String::new();
        let mut pieces = colourful.split('\u{1b}');
        stripped.push_str(pieces.next().unwrap());
        pieces.for_each(|piece| stripped.push_str(piece.split_once('m').unwrap().1));
        assert_eq!(stripped, plain);
    }
}
