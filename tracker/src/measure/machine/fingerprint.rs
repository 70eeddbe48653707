//! What decides a machine's speed, read from the kernel's files.

use std::collections::BTreeMap;
use std::env::consts;

use super::tree::Tree;
use crate::domain::Fingerprint;
use crate::measure::cores;

const CPUS: &str = "sys/devices/system/cpu";

/// The machine whose kernel's files are in `tree`, as seen by a job that may use the processors `allowed`.
pub(super) fn of(tree: &Tree, allowed: &[usize]) -> Fingerprint {
    let first = allowed.first().copied().unwrap_or(0);
    Fingerprint {
        cpu: cpu(tree).unwrap_or_else(|| "unknown".to_owned()),
        arch: consts::ARCH.to_owned(),
        os: consts::OS.to_owned(),
        cores: cores::usable(),
        threads_per_core: threads_per_core(tree, first),
        caches_bytes: caches_bytes(tree, first),
        memory_gib: memory_gib(tree),
        governor: tree.text(&format!("{CPUS}/cpu{first}/cpufreq/scaling_governor")),
        virtualisation: virtualisation(tree),
    }
}

/// The processor's model, as it names itself, or by its numbers where it has no name (Arm).
fn cpu(tree: &Tree) -> Option<String> {
    let field = |name| tree.field("proc/cpuinfo", name);
    if let Some(model) = field("model name").or_else(|| field("cpu")) {
        return Some(model.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    Some(format!("implementer {} part {}", field("CPU implementer")?, field("CPU part")?))
}

fn threads_per_core(tree: &Tree, core: usize) -> Option<u32> {
    u32::try_from(siblings(tree, core)?.len()).ok()
}

/// The processors that are threads of the same core, this one among them.
fn siblings(tree: &Tree, core: usize) -> Option<Vec<usize>> {
    let topology = format!("{CPUS}/cpu{core}/topology");
    let siblings = tree
        .text(&format!("{topology}/core_cpus_list"))
        .or_else(|| tree.text(&format!("{topology}/thread_siblings_list")))?;
    Some(listed(&siblings)).filter(|siblings| !siblings.is_empty())
}

/// The first of the processors `allowed`, and the first that is no thread of the same core, or else any other.
pub(super) fn apart(tree: &Tree, allowed: &[usize]) -> Option<(usize, usize)> {
    let (&first, others) = allowed.split_first()?;
    let siblings = siblings(tree, first).unwrap_or_default();
    let other = others.iter().find(|other| !siblings.contains(other)).or(others.first());
    other.map(|&other| (first, other))
}

/// The numbers of a list such as `0-3,8`.
fn listed(text: &str) -> Vec<usize> {
    let range = |part: &str| match part.split_once('-') {
        // A range beyond any machine is cut instead of filling the memory.
        Some((from, to)) => {
            let from = from.parse::<usize>().ok()?;
            Some(from..=to.parse::<usize>().ok()?.min(from.saturating_add(65_536)))
        }
        None => part.parse().ok().map(|only| only..=only),
    };
    text.trim().split(',').filter_map(range).flatten().collect()
}

/// The caches that a core sees: `L1d`, `L1i`, `L2`, `L3`.
fn caches_bytes(tree: &Tree, core: usize) -> BTreeMap<String, u64> {
    let folder = format!("{CPUS}/cpu{core}/cache");
    let cache = |index: String| {
        let file = |name: &str| tree.text(&format!("{folder}/{index}/{name}"));
        let kind = match file("type")?.as_str() {
            "Data" => "d",
            "Instruction" => "i",
            _ => "",
        };
        Some((format!("L{}{kind}", file("level")?), bytes(&file("size")?)?))
    };
    tree.names(&folder).into_iter().filter(|name| name.starts_with("index")).filter_map(cache).collect()
}

/// A size such as `32K`.
fn bytes(text: &str) -> Option<u64> {
    let (digits, factor) = match text.as_bytes().last()? {
        b'K' => (&text[..text.len() - 1], 1 << 10),
        b'M' => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

fn memory_gib(tree: &Tree) -> u64 {
    const KIB_PER_GIB: u64 = 1 << 20;
    let total = tree.field("proc/meminfo", "MemTotal");
    let kib = total.and_then(|total| total.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0);
    kib.saturating_add(KIB_PER_GIB / 2) / KIB_PER_GIB
}

/// The hypervisor and the container kind, whichever there are: `kvm`, `kvm, docker`.
fn virtualisation(tree: &Tree) -> Option<String> {
    let parts: Vec<String> = [hypervisor(tree), container(tree)].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn container(tree: &Tree) -> Option<String> {
    if tree.exists(".dockerenv") {
        return Some("docker".to_owned());
    }
    if tree.exists("run/.containerenv") {
        return Some("podman".to_owned());
    }
    tree.text("run/systemd/container")
}

fn hypervisor(tree: &Tree) -> Option<String> {
    let flags = tree.field("proc/cpuinfo", "flags");
    if flags.is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor")) {
        return Some(signature().unwrap_or("hypervisor").to_owned());
    }
    // Without the processor's own word (Arm), the firmware's.
    let product = tree.text("sys/class/dmi/id/product_name").unwrap_or_default();
    let vendor = tree.text("sys/class/dmi/id/sys_vendor").unwrap_or_default();
    let known = [("KVM", "kvm"), ("QEMU", "qemu"), ("VMware", "vmware"), ("VirtualBox", "virtualbox")];
    let clouds = [("Amazon EC2", "amazon"), ("Google Compute Engine", "google"), ("Virtual Machine", "hyper-v")];
    let named = known.iter().chain(&clouds).find(|(word, _)| product.contains(word) || vendor.contains(word));
    named.map(|&(_, name)| name.to_owned()).or_else(|| tree.text("sys/hypervisor/type"))
}

/// The hypervisor's signature, which it leaves for its guests in a register of its own.
#[cfg(target_arch = "x86_64")]
fn signature() -> Option<&'static str> {
    const HYPERVISOR_LEAF: u32 = 0x4000_0000;
    let leaf = std::arch::x86_64::__cpuid(HYPERVISOR_LEAF);
    let bytes: Vec<u8> = [leaf.ebx, leaf.ecx, leaf.edx].into_iter().flat_map(u32::to_le_bytes).collect();
    named(&bytes)
}

#[cfg(not(target_arch = "x86_64"))]
fn signature() -> Option<&'static str> {
    None
}

#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "other processors leave no signature"))]
fn named(signature: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 7] = [
        (b"KVMKVMKVM", "kvm"),
        (b"Microsoft Hv", "hyper-v"),
        (b"VMwareVMware", "vmware"),
        (b"XenVMMXenVMM", "xen"),
        (b"TCGTCGTCGTCG", "qemu"),
        (b"bhyve bhyve ", "bhyve"),
        (b"VBoxVBoxVBox", "virtualbox"),
    ];
    known.iter().find(|(bytes, _)| signature.starts_with(bytes)).map(|&(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::super::tree::fake;
    use super::*;

    #[test]
    fn a_machine_is_known_by_what_decides_its_speed() {
        let (_folder, tree) = fake::tree(&[
            ("proc/cpuinfo", "processor : 0\nmodel name\t: AMD   EPYC 9554\nflags\t: fpu sse\n\nmodel name : other\n"),
            ("proc/meminfo", "MemTotal:       24683812 kB\nMemFree: 1 kB\n"),
            ("sys/devices/system/cpu/cpu2/topology/core_cpus_list", "2,66\n"),
            ("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "powersave\n"),
            ("sys/devices/system/cpu/cpu2/cache/index0/type", "Data\n"),
            ("sys/devices/system/cpu/cpu2/cache/index0/level", "1\n"),
            ("sys/devices/system/cpu/cpu2/cache/index0/size", "32K\n"),
            ("sys/devices/system/cpu/cpu2/cache/index3/type", "Unified\n"),
            ("sys/devices/system/cpu/cpu2/cache/index3/level", "3\n"),
            ("sys/devices/system/cpu/cpu2/cache/index3/size", "32M\n"),
            ("run/.containerenv", "x"),
        ]);
        let print = of(&tree, &[2, 3]);
        assert_eq!(print.cpu, "AMD EPYC 9554");
        assert_eq!(print.memory_gib, 24);
        assert_eq!(print.threads_per_core, Some(2));
        assert_eq!(print.governor.as_deref(), Some("powersave"));
        let caches = BTreeMap::from([("L1d".to_owned(), 32 << 10), ("L3".to_owned(), 32 << 20)]);
        assert_eq!(print.caches_bytes, caches);
        assert_eq!(print.virtualisation.as_deref(), Some("podman"));
    }

    #[test]
    fn a_machine_that_says_nothing_is_unknown_and_no_failure() {
        let (_folder, tree) = fake::tree(&[]);
        let print = of(&tree, &[]);
        assert_eq!((print.cpu.as_str(), print.memory_gib), ("unknown", 0));
        assert_eq!((print.threads_per_core, print.governor, print.virtualisation), (None, None, None));
        assert!(print.caches_bytes.is_empty());
    }

    #[test]
    fn a_processor_without_a_name_is_known_by_its_numbers() {
        let (_folder, tree) = fake::tree(&[
            ("proc/cpuinfo", "processor : 0\nCPU implementer : 0x41\nCPU part : 0xd4f\n"),
            ("sys/class/dmi/id/sys_vendor", "QEMU\n"),
        ]);
        let print = of(&tree, &[0]);
        assert_eq!(print.cpu, "implementer 0x41 part 0xd4f");
        assert_eq!(print.virtualisation.as_deref(), Some("qemu"));
    }

    #[test]
    fn two_looks_at_this_machine_agree() {
        let allowed = cores::allowed();
        assert_eq!(of(&Tree::here(), &allowed), of(&Tree::here(), &allowed));
    }

    #[test]
    fn two_processors_apart_are_of_two_cores_where_there_are_two() {
        let (_folder, tree) = fake::tree(&[("sys/devices/system/cpu/cpu0/topology/core_cpus_list", "0-1\n")]);
        assert_eq!(apart(&tree, &[0, 1, 2, 3]), Some((0, 2)));
        assert_eq!(apart(&tree, &[0, 1]), Some((0, 1)));
        assert_eq!(apart(&tree, &[0]), None);
        assert_eq!(apart(&tree, &[]), None);
    }

    #[test]
    fn lists_sizes_and_signatures_are_read_as_the_kernel_writes_them() {
        assert_eq!(listed("0-2,8\n"), [0, 1, 2, 8]);
        assert!(listed("nonsense").is_empty());
        assert!(listed("0-99999999999").len() < 100_000);
        assert_eq!((bytes("512"), bytes("1024K"), bytes("K"), bytes("")), (Some(512), Some(1 << 20), None, None));
        assert_eq!(named(b"KVMKVMKVM\0\0\0"), Some("kvm"));
        assert_eq!(named(b"something else"), None);
    }
}
