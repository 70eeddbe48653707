//! What else may matter on a machine: things that disturb, or that somebody may want to know years later.

use super::tree::{Control, Tree};
use crate::domain::Notes;

/// Whether a program may count instructions and cycles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counters {
    /// It may.
    Available,
    /// There are counters, but the kernel does not let ordinary users use them.
    Forbidden {
        /// The value of `perf_event_paranoid`; ordinary users need 2 or less.
        paranoid: i32,
    },
    /// The processor, or the virtual machine, has none.
    Absent,
    /// The system does not say.
    Unknown,
}

/// The conditions under which a machine works now. What is none is unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct Conditions {
    /// The kernel's name and release.
    pub kernel: Option<String>,
    /// Whether cores may go above their nominal frequency for a while.
    pub turbo: Option<bool>,
    /// Whether cores are shared by two threads.
    pub smt: Option<bool>,
    /// How many cores' worth of time the container may use.
    pub cpu_limit_cores: Option<f64>,
    /// Whether counters can be used.
    pub counters: Counters,
    /// Whether it runs on battery.
    pub on_battery: Option<bool>,
    /// When the kernel gives huge pages: `always`, `madvise`, `never`.
    pub huge_pages: Option<String>,
    /// What the kernel's clock ticks by.
    pub clock_source: Option<String>,
    /// Whether addresses are laid out at random.
    pub random_addresses: Option<bool>,
    /// The mean number of running processes over the last minute.
    pub load: Option<f64>,
}

impl Conditions {
    /// The machine whose kernel's files are in `tree`.
    pub(super) fn of(tree: &Tree) -> Conditions {
        let name = rustix::system::uname();
        let release = name.release().to_string_lossy();
        Conditions {
            kernel: Some(format!("{} {release}", name.sysname().to_string_lossy())),
            turbo: turbo(tree),
            smt: tree.switch("sys/devices/system/cpu/smt/active"),
            cpu_limit_cores: cpu_limit_cores(tree),
            counters: counters(tree),
            on_battery: on_battery(tree),
            huge_pages: tree
                .text("sys/kernel/mm/transparent_hugepage/enabled")
                .and_then(|text| Some(text.split_once('[')?.1.split_once(']')?.0.to_owned())),
            clock_source: tree.text("sys/devices/system/clocksource/clocksource0/current_clocksource"),
            random_addresses: tree.value::<u8>("proc/sys/kernel/randomize_va_space").map(|level| level > 0),
            load: super::watch::load(tree),
        }
    }

    /// The same as notes on a run; what is unknown is left out. The load is not among them: see [`super::Watch`].
    #[must_use]
    pub fn notes(&self) -> Notes {
        let on_off = |on: bool| if on { "on" } else { "off" }.to_owned();
        let counters = match self.counters {
            Counters::Available => Some("available".to_owned()),
            Counters::Forbidden { paranoid } => Some(format!("forbidden (perf_event_paranoid = {paranoid})")),
            Counters::Absent => Some("absent".to_owned()),
            Counters::Unknown => None,
        };
        let notes = [
            ("kernel", self.kernel.clone()),
            ("turbo", self.turbo.map(on_off)),
            ("smt", self.smt.map(on_off)),
            ("cpu_limit_cores", self.cpu_limit_cores.map(|cores| cores.to_string())),
            ("counters", counters),
            ("power", self.on_battery.map(|battery| if battery { "battery" } else { "mains" }.to_owned())),
            ("huge_pages", self.huge_pages.clone()),
            ("clock_source", self.clock_source.clone()),
            ("random_addresses", self.random_addresses.map(on_off)),
        ];
        notes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

fn turbo(tree: &Tree) -> Option<bool> {
    let refused = tree.switch("sys/devices/system/cpu/intel_pstate/no_turbo");
    refused.map(|refused| !refused).or_else(|| tree.switch("sys/devices/system/cpu/cpufreq/boost"))
}

fn cpu_limit_cores(tree: &Tree) -> Option<f64> {
    if let Some(limit) = tree.control(Control::Unified, "cpu.max") {
        let (quota, period) = limit.split_once(' ')?;
        return cores(quota, period);
    }
    let quota = tree.control(Control::Legacy("cpu"), "cpu.cfs_quota_us")?;
    cores(&quota, &tree.control(Control::Legacy("cpu"), "cpu.cfs_period_us")?)
}

/// A quota of time in each period, as a number of cores; none if there is no limit (`max`, or -1).
fn cores(quota: &str, period: &str) -> Option<f64> {
    let (quota, period) = (quota.parse::<f64>().ok()?, period.parse::<f64>().ok()?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

fn counters(tree: &Tree) -> Counters {
    let Some(paranoid) = tree.value::<i32>("proc/sys/kernel/perf_event_paranoid") else { return Counters::Unknown };
    let devices = tree.names("sys/bus/event_source/devices");
    // `cpu` on x86, `cpu_core` on processors of two kinds of cores, `armv8_pmuv3_0` and the like on Arm.
    if !devices.iter().any(|name| name == "cpu" || name.starts_with("cpu_") || name.starts_with("armv")) {
        return if devices.is_empty() { Counters::Unknown } else { Counters::Absent };
    }
    if paranoid <= 2 { Counters::Available } else { Counters::Forbidden { paranoid } }
}

/// On battery is who has a battery that is being emptied, whatever the supplies are called.
fn on_battery(tree: &Tree) -> Option<bool> {
    const SUPPLIES: &str = "sys/class/power_supply";
    let supplies = tree.names(SUPPLIES);
    let states: Vec<String> =
        supplies.iter().filter_map(|supply| tree.text(&format!("{SUPPLIES}/{supply}/status"))).collect();
    (!states.is_empty()).then(|| states.iter().any(|state| state == "Discharging"))
}

#[cfg(test)]
mod tests {
    use super::super::tree::fake;
    use super::*;

    #[test]
    fn the_conditions_of_a_laptop_are_read() {
        let (_folder, tree) = fake::tree(&[
            ("sys/devices/system/cpu/intel_pstate/no_turbo", "0\n"),
            ("sys/devices/system/cpu/smt/active", "1\n"),
            ("sys/class/power_supply/AC/online", "0\n"),
            ("sys/class/power_supply/BAT0/status", "Discharging\n"),
            ("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"),
            ("proc/sys/kernel/perf_event_paranoid", "4\n"),
            ("sys/bus/event_source/devices/cpu/type", "4\n"),
            ("proc/sys/kernel/randomize_va_space", "2\n"),
            ("proc/loadavg", "0.52 0.30 0.10 1/200 4000\n"),
        ]);
        let conditions = Conditions::of(&tree);
        assert_eq!((conditions.turbo, conditions.smt, conditions.on_battery), (Some(true), Some(true), Some(true)));
        assert_eq!(conditions.counters, Counters::Forbidden { paranoid: 4 });
        assert_eq!((conditions.load, conditions.random_addresses), (Some(0.52), Some(true)));
        let notes = conditions.notes();
        assert_eq!(notes["huge_pages"], "madvise");
        assert_eq!(notes["power"], "battery");
        assert!(!notes.contains_key("clock_source"));
    }

    #[test]
    fn a_machine_that_says_nothing_leaves_all_open() {
        let (_folder, tree) = fake::tree(&[]);
        let conditions = Conditions { kernel: None, ..Conditions::of(&tree) };
        assert_eq!(conditions.counters, Counters::Unknown);
        assert!(conditions.notes().is_empty());
    }

    #[test]
    fn a_virtual_machine_without_counters_is_told_from_one_that_forbids_them() {
        let paranoid = ("proc/sys/kernel/perf_event_paranoid", "2\n");
        let (_folder, tree) = fake::tree(&[paranoid, ("sys/bus/event_source/devices/software/type", "1\n")]);
        assert_eq!(counters(&tree), Counters::Absent);
        let (_folder, tree) = fake::tree(&[paranoid, ("sys/bus/event_source/devices/armv8_pmuv3_0/type", "8\n")]);
        assert_eq!(counters(&tree), Counters::Available);
    }

    #[test]
    fn a_containers_limit_is_found_in_both_generations_of_control_groups() {
        let (_folder, tree) = fake::tree(&[
            ("proc/self/cgroup", "0::/job/step\n"),
            ("sys/fs/cgroup/job/cpu.max", "150000 100000\n"),
            ("sys/fs/cgroup/cpu.max", "max 100000\n"),
        ]);
        assert_eq!(cpu_limit_cores(&tree), Some(1.5));
        let (_folder, tree) = fake::tree(&[
            ("proc/self/cgroup", "3:cpuset:/\n2:cpu,cpuacct:/docker/abc\n0::/\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ]);
        assert_eq!(cpu_limit_cores(&tree), Some(0.5));
        let (_folder, tree) = fake::tree(&[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/cpu.max", "max 100000\n")]);
        assert_eq!(cpu_limit_cores(&tree), None);
    }
}
