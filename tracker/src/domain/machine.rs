//! Where something ran.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Pattern, RecordId};

/// What decides a machine's speed. Equal fingerprints share their series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The processor's model, as it names itself.
    pub cpu: String,
    /// The instruction set: `x86_64`, `aarch64`.
    pub arch: String,
    /// The operating system: `linux`, `macos`.
    pub os: String,
    /// Processors that this job may use.
    pub cores: u32,
    /// Threads a core.
    pub threads_per_core: Option<u32>,
    /// Sizes of the caches by level and kind (`L1d`, `L2`), in bytes.
    pub caches_bytes: BTreeMap<String, u64>,
    /// Memory, rounded to a GiB so that a kernel's own reserve makes no new machine.
    pub memory_gib: u64,
    /// The frequency governor, where there is one.
    pub governor: Option<String>,
    /// The hypervisor or container kind, where there is one.
    pub virtualisation: Option<String>,
}

/// A machine: its fingerprint, or the name that an importer or the configuration gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Machine {
    /// Known by what decides its speed.
    Fingerprint(Fingerprint),
    /// Known only by a name.
    Named(String),
}

impl Machine {
    /// The identity that keys a series.
    #[must_use]
    pub fn id(&self) -> RecordId {
        RecordId::of("machine", self)
    }

    /// Whether somebody who names it so means it: by the beginning of its identity, or by a pattern for its title.
    #[must_use]
    pub fn is_called(&self, wanted: &str) -> bool {
        self.id().as_str().starts_with(wanted) || Pattern::new(wanted).matches(&self.title())
    }

    /// A line for people.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Machine::Named(name) => name.clone(),
            Machine::Fingerprint(print) => {
                let plural = if print.cores == 1 { "" } else { "s" };
                format!("{}, {} core{plural}, {} GiB", print.cpu, print.cores, print.memory_gib)
            }
        }
    }
}

/// Everything else about where and how a run was made, by name: kernel, compiler, load, steal. Never a host name, a
/// user name, a path or an environment variable.
pub type Notes = BTreeMap<String, String>;

/// The machine's state at one moment. Virtual machines move between states under a run, and what uses two threads is
/// fast in one and slow in the other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pulse {
    /// The time for a flag to go to another core and back; none on one core.
    pub round_trip_ns: Option<f64>,
    /// The rate at which all cores together stream through memory.
    pub bandwidth_gb_s: Option<f64>,
}
