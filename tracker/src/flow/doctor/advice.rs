//! What makes a machine noisy, and how to mend it: one function a matter, each judged by itself.

use crate::domain::Fingerprint;
use crate::measure::floor::Floor;
use crate::measure::machine::{Conditions, Counters};
use crate::show::doctor::{Advice, Weight};

/// Load above which somebody else is at work: half a processor's worth.
const BUSY_LOAD: f64 = 0.5;

/// Stolen time above which other guests are felt, in percent.
const FELT_STEAL_PCT: f64 = 0.5;

/// A difference between two halves that is no trouble, in percent: half the least limit that makes sense for times.
const CALM_PCT: f64 = 0.5;

/// What was found out about the machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Symptoms<'a> {
    pub(super) fingerprint: &'a Fingerprint,
    pub(super) conditions: &'a Conditions,
    pub(super) steal_pct: Option<f64>,
    pub(super) floor: Option<Floor>,
}

/// All advice, what disturbs most first.
pub(super) fn all(symptoms: &Symptoms<'_>) -> Vec<Advice> {
    let matters = [
        load(symptoms),
        steal(symptoms),
        cores(symptoms),
        quota(symptoms),
        battery(symptoms),
        governor(symptoms),
        turbo(symptoms),
        threads(symptoms),
        clock(symptoms),
        unsteady(symptoms),
        guest(symptoms),
        pages(symptoms),
        counters(symptoms),
    ];
    let mut advice: Vec<Advice> = matters.into_iter().flatten().collect();
    advice.sort_by_key(|advice| advice.weight);
    advice
}

fn say(weight: Weight, matter: &'static str, finding: impl Into<String>, mend: impl Into<String>) -> Advice {
    let mend = mend.into();
    Advice { weight, matter, finding: finding.into(), mend: (!mend.is_empty()).then_some(mend) }
}

fn fine(matter: &'static str, finding: impl Into<String>) -> Advice {
    say(Weight::Fine, matter, finding, "")
}

fn load(symptoms: &Symptoms<'_>) -> Option<Advice> {
    let load = symptoms.conditions.load?;
    if load < BUSY_LOAD {
        return Some(fine("load", format!("{load:.2}: nothing else was at work in the last minute")));
    }
    let finding = format!("{load:.2}: other programs were at work in the last minute");
    Some(say(
        Weight::Noisy,
        "load",
        finding,
        "stop them, or measure where nothing else runs; wait a minute after a build",
    ))
}

fn steal(symptoms: &Symptoms<'_>) -> Option<Advice> {
    let steal_pct = symptoms.steal_pct?;
    if steal_pct < FELT_STEAL_PCT {
        return Some(fine("steal", format!("{steal_pct:.1} %: the host took no processor away from us")));
    }
    let finding = format!("{steal_pct:.1} %: the host gives our processors to other guests");
    Some(say(
        Weight::Noisy,
        "steal",
        finding,
        "a larger or dedicated instance; on burstable ones, one with credits left",
    ))
}

fn cores(symptoms: &Symptoms<'_>) -> Option<Advice> {
    if symptoms.fingerprint.cores > 1 {
        return None;
    }
    let finding = "there is only one: the system's own work interrupts each benchmark";
    Some(say(
        Weight::Noisy,
        "processors",
        finding,
        "a machine with two or more; what uses two threads needs them anyway",
    ))
}

fn quota(symptoms: &Symptoms<'_>) -> Option<Advice> {
    let limit = symptoms.conditions.cpu_limit_cores?;
    let finding =
        format!("this container may use {limit} processors' time and is stopped for a while when it is spent");
    Some(say(
        Weight::Noisy,
        "quota",
        finding,
        "give it whole processors instead: docker run --cpuset-cpus=0,1, not --cpus",
    ))
}

fn battery(symptoms: &Symptoms<'_>) -> Option<Advice> {
    if !symptoms.conditions.on_battery? {
        return Some(fine("power", "from the mains"));
    }
    Some(say(Weight::Noisy, "power", "from the battery: the firmware saves where it can", "plug it in"))
}

fn governor(symptoms: &Symptoms<'_>) -> Option<Advice> {
    let governor = symptoms.fingerprint.governor.as_deref()?;
    if governor == "performance" {
        return Some(fine("governor", "performance: the processors keep their speed"));
    }
    let finding = format!("{governor}: the processors change their speed with the work that they have");
    Some(say(Weight::Noisy, "governor", finding, "sudo cpupower frequency-set --governor performance"))
}

fn turbo(symptoms: &Symptoms<'_>) -> Option<Advice> {
    if !symptoms.conditions.turbo? {
        return Some(fine("turbo", "off: no speed that is only lent"));
    }
    let finding = "on: speed depends on the temperature, and on what the other cores do";
    let is_intel = symptoms.fingerprint.cpu.contains("Intel");
    let mend = if is_intel {
        "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"
    } else {
        "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost"
    };
    Some(say(Weight::Noisy, "turbo", finding, mend))
}

fn threads(symptoms: &Symptoms<'_>) -> Option<Advice> {
    let is_shared = symptoms.conditions.smt.or(symptoms.fingerprint.threads_per_core.map(|threads| threads > 1))?;
    if !is_shared {
        return Some(fine("threads", "one a core, as far as can be seen"));
    }
    let finding = "two share a core: what runs on one slows the other down";
    Some(say(Weight::Noisy, "threads", finding, "echo off | sudo tee /sys/devices/system/cpu/smt/control"))
}

fn clock(symptoms: &Symptoms<'_>) -> Option<Advice> {
    let source = symptoms.conditions.clock_source.as_deref()?;
    // Read without asking the kernel or the host: the processor's own, and that of a paravirtual guest.
    if ["tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page"].contains(&source) {
        return Some(fine("clock", format!("{source}: quick to read")));
    }
    let finding = format!("{source}: each look at it takes a microsecond or so");
    Some(say(Weight::Noisy, "clock", finding, "boot with clocksource=tsc if the processor's counter is steady"))
}

fn unsteady(symptoms: &Symptoms<'_>) -> Option<Advice> {
    let floor = symptoms.floor?;
    if floor.alternating_pct <= CALM_PCT {
        return None;
    }
    let finding = format!("even halves that alternate differ by {:.2} %", floor.alternating_pct);
    Some(say(Weight::Noisy, "steadiness", finding, "mend what is named here, or measure for longer"))
}

fn guest(symptoms: &Symptoms<'_>) -> Option<Advice> {
    let virtualisation = symptoms.fingerprint.virtualisation.as_deref()?;
    let finding = format!("{virtualisation}: the host may move our processors, and neighbours share caches and memory");
    Some(say(
        Weight::Note,
        "virtual",
        finding,
        "nothing inside; each run stores the pulse before and after, which shows it",
    ))
}

fn pages(symptoms: &Symptoms<'_>) -> Option<Advice> {
    if symptoms.conditions.huge_pages.as_deref()? != "never" {
        return None;
    }
    let finding = "never huge: lives of what uses much memory differ more";
    Some(say(Weight::Note, "pages", finding, "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"))
}

fn counters(symptoms: &Symptoms<'_>) -> Option<Advice> {
    match symptoms.conditions.counters {
        Counters::Available => Some(fine("counters", "perf may count instructions")),
        Counters::Unknown => None,
        Counters::Absent => {
            let finding = "none: only valgrind counts instructions here";
            Some(say(
                Weight::Note,
                "counters",
                finding,
                "valgrind, for --metrics instructions; or an instance that passes counters on",
            ))
        }
        Counters::Forbidden { paranoid } => {
            let finding = format!("perf_event_paranoid is {paranoid}: perf may not count instructions, valgrind may");
            Some(say(Weight::Note, "counters", finding, "sudo sysctl kernel.perf_event_paranoid=2"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn calm() -> (Fingerprint, Conditions) {
        let fingerprint = Fingerprint {
            cpu: "Some CPU".to_owned(),
            arch: "x86_64".to_owned(),
            os: "linux".to_owned(),
            cores: 4,
            threads_per_core: Some(1),
            caches_bytes: BTreeMap::new(),
            memory_gib: 8,
            governor: Some("performance".to_owned()),
            virtualisation: None,
        };
        let conditions = Conditions {
            kernel: None,
            turbo: Some(false),
            smt: Some(false),
            cpu_limit_cores: None,
            counters: Counters::Available,
            on_battery: None,
            huge_pages: Some("madvise".to_owned()),
            clock_source: Some("tsc".to_owned()),
            random_addresses: Some(true),
            load: Some(0.0),
        };
        (fingerprint, conditions)
    }

    fn about(fingerprint: &Fingerprint, conditions: &Conditions, steal_pct: f64, alternating_pct: f64) -> Vec<Advice> {
        let floor = Some(Floor { one_after_other_pct: 1.0, alternating_pct, slices: 2000 });
        all(&Symptoms { fingerprint, conditions, steal_pct: Some(steal_pct), floor })
    }

    #[test]
    fn a_calm_machine_has_nothing_to_mend() {
        let (fingerprint, conditions) = calm();
        let advice = about(&fingerprint, &conditions, 0.0, 0.01);
        assert!(advice.iter().all(|advice| advice.weight == Weight::Fine && advice.mend.is_none()), "{advice:?}");
        assert!(advice.len() >= 6);
    }

    #[test]
    fn everything_that_disturbs_is_named_with_its_remedy_and_comes_first() {
        let (fingerprint, conditions) = calm();
        let fingerprint = Fingerprint {
            cores: 1,
            governor: Some("powersave".to_owned()),
            virtualisation: Some("kvm".to_owned()),
            ..fingerprint
        };
        let conditions = Conditions {
            turbo: Some(true),
            smt: Some(true),
            cpu_limit_cores: Some(1.5),
            counters: Counters::Forbidden { paranoid: 4 },
            on_battery: Some(true),
            huge_pages: Some("never".to_owned()),
            clock_source: Some("hpet".to_owned()),
            load: Some(3.0),
            ..conditions
        };
        let advice = about(&fingerprint, &conditions, 7.0, 2.0);
        assert!(advice.iter().all(|advice| advice.weight != Weight::Fine && advice.mend.is_some()), "{advice:?}");
        let matters: Vec<&str> = advice.iter().map(|advice| advice.matter).collect();
        let noisy = ["load", "steal", "processors", "quota", "power", "governor", "turbo", "threads", "clock"];
        assert_eq!(matters[..9], noisy);
        assert_eq!(matters[9..], ["steadiness", "virtual", "pages", "counters"]);
    }

    #[test]
    fn what_is_not_known_is_not_talked_about() {
        let (fingerprint, conditions) = calm();
        let fingerprint = Fingerprint { governor: None, threads_per_core: None, ..fingerprint };
        let conditions = Conditions {
            turbo: None,
            smt: None,
            counters: Counters::Unknown,
            huge_pages: None,
            clock_source: None,
            load: None,
            ..conditions
        };
        let symptoms = Symptoms { fingerprint: &fingerprint, conditions: &conditions, steal_pct: None, floor: None };
        assert!(all(&symptoms).is_empty());
    }

    #[test]
    fn turbo_is_switched_off_where_the_processor_has_its_switch() {
        let (fingerprint, conditions) = calm();
        let intel = Fingerprint { cpu: "Intel(R) Xeon(R)".to_owned(), ..fingerprint.clone() };
        let conditions = Conditions { turbo: Some(true), ..conditions };
        let mend = |print: &Fingerprint| about(print, &conditions, 0.0, 0.0)[0].mend.clone().unwrap();
        assert!(mend(&intel).contains("intel_pstate/no_turbo") && mend(&fingerprint).contains("cpufreq/boost"));
    }
}
