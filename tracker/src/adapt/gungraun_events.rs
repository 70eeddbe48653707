//! The events of valgrind's tools as metrics. The summary names them by event (`Ir`), the text by title
//! (`Instructions`); both come to the same metric.

use super::sheet::metric;
use crate::domain::{Direction, Kind, Metric};

/// Event, title, metric.
const EVENTS: [(&str, &str, &str); 50] = [
    ("Ir", "Instructions", "instructions"),
    ("Dr", "Dr", "data_reads"),
    ("Dw", "Dw", "data_writes"),
    ("I1mr", "I1mr", "i1_read_misses"),
    ("D1mr", "D1mr", "d1_read_misses"),
    ("D1mw", "D1mw", "d1_write_misses"),
    ("ILmr", "ILmr", "ll_instruction_misses"),
    ("DLmr", "DLmr", "ll_read_misses"),
    ("DLmw", "DLmw", "ll_write_misses"),
    ("I1MissRate", "I1 Miss Rate", "i1_miss_rate"),
    ("LLiMissRate", "LLi Miss Rate", "lli_miss_rate"),
    ("D1MissRate", "D1 Miss Rate", "d1_miss_rate"),
    ("LLdMissRate", "LLd Miss Rate", "lld_miss_rate"),
    ("LLMissRate", "LL Miss Rate", "ll_miss_rate"),
    ("L1hits", "L1 Hits", "l1_hits"),
    ("LLhits", "L2 Hits", "ll_hits"),
    ("LLhits", "LL Hits", "ll_hits"),
    ("RamHits", "RAM Hits", "ram_hits"),
    ("L1HitRate", "L1 Hit Rate", "l1_hit_rate"),
    ("LLHitRate", "LL Hit Rate", "ll_hit_rate"),
    ("RamHitRate", "RAM Hit Rate", "ram_hit_rate"),
    ("TotalRW", "Total read+write", "reads_and_writes"),
    ("EstimatedCycles", "Estimated Cycles", "estimated_cycles"),
    ("SysCount", "SysCount", "system_calls"),
    ("SysTime", "SysTime", "system_call_time"),
    ("SysCpuTime", "SysCpuTime", "system_call_cpu_time"),
    ("Ge", "Ge", "global_bus_events"),
    ("Bc", "Bc", "conditional_branches"),
    ("Bcm", "Bcm", "conditional_branch_misses"),
    ("Bi", "Bi", "indirect_branches"),
    ("Bim", "Bim", "indirect_branch_misses"),
    ("ILdmr", "ILdmr", "ll_dirty_instruction_misses"),
    ("DLdmr", "DLdmr", "ll_dirty_read_misses"),
    ("DLdmw", "DLdmw", "ll_dirty_write_misses"),
    ("AcCost1", "AcCost1", "temporal_cost_1"),
    ("AcCost2", "AcCost2", "temporal_cost_2"),
    ("SpLoss1", "SpLoss1", "spatial_loss_1"),
    ("SpLoss2", "SpLoss2", "spatial_loss_2"),
    ("TotalBytes", "Total bytes", "allocated_bytes"),
    ("TotalBlocks", "Total blocks", "allocations"),
    ("AtTGmaxBytes", "At t-gmax bytes", "peak_bytes"),
    ("AtTGmaxBlocks", "At t-gmax blocks", "peak_blocks"),
    ("AtTEndBytes", "At t-end bytes", "end_bytes"),
    ("AtTEndBlocks", "At t-end blocks", "end_blocks"),
    ("ReadsBytes", "Reads bytes", "read_bytes"),
    ("WritesBytes", "Writes bytes", "written_bytes"),
    ("Errors", "Errors", "errors"),
    ("Contexts", "Contexts", "error_contexts"),
    ("SuppressedErrors", "Suppressed Errors", "suppressed_errors"),
    ("SuppressedContexts", "Suppressed Contexts", "suppressed_contexts"),
];

/// Whether the console output has figures under this title.
pub(super) fn is_title(title: &str) -> bool {
    EVENTS.iter().any(|(_, known, _)| *known == title)
}

/// The metric of an event or title; the tool's name goes before what tools other than callgrind call alike.
pub(super) fn event_metric(tool: &str, event: &str) -> Metric {
    let known = EVENTS.iter().find(|(name, title, _)| *name == event || *title == event);
    let plain = known.map_or_else(|| event.to_owned(), |(_, _, metric)| (*metric).to_owned());
    let shared = matches!(tool, "" | "Callgrind" | "DHAT" | "Dhat");
    let name = if shared { plain.clone() } else { format!("{}.{plain}", tool.to_lowercase()) };
    let is_hit_rate = plain.ends_with("l1_hit_rate") || plain.ends_with("ll_hit_rate");
    // More hits in one cache are more or less work, depending on the others: only their rates have a direction.
    let better = match plain.as_str() {
        _ if is_hit_rate => Direction::Higher,
        "l1_hits" | "ll_hits" => Direction::Unknown,
        _ if known.is_some() => Direction::Lower,
        _ => Direction::Unknown,
    };
    let unit = if plain.ends_with("_rate") {
        "%"
    } else if plain.ends_with("_bytes") {
        "B"
    } else {
        "count"
    };
    let is_noisy = tool == "Perf" || plain.starts_with("system_call_");
    let kind = if is_noisy { Kind::Noisy } else { Kind::Exact };
    metric(&name, unit, better, kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_and_title_come_to_one_metric() {
        assert_eq!(event_metric("Callgrind", "Ir"), event_metric("", "Instructions"));
        assert_eq!(event_metric("Cachegrind", "Ir").name, "cachegrind.instructions");
        assert_eq!(event_metric("Callgrind", "New").better, Direction::Unknown);
    }
}
