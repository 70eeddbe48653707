"""What was seen, as tables for people and as files for `tachograph import`."""

import json
import platform
import statistics

VLLM = "pip install vllm && vllm bench latency --model gpt2 --input-len 32 --output-len 50"


class Seen:
    """Medians of rounds, by who did what with how many threads; versions; peaks of memory; who was absent and why."""

    def __init__(self):
        self.times, self.versions, self.peaks, self.absent, self.notes = {}, {}, {}, {}, []

    def add(self, name, threads, benchmark, times_ns):
        self.times.setdefault((name, threads, benchmark), []).append(statistics.median(times_ns))

    def best(self, name, benchmark):
        """Its fastest median, and with how many threads."""
        found = [(statistics.median(times), key[1]) for key, times in self.times.items() if (key[0], key[2]) == (name, benchmark)]
        return min(found, default=None)

    def names(self):
        return sorted(self.versions, key=lambda name: (name != "ours", name))

    def benchmarks(self):
        return list(dict.fromkeys(key[2] for key in self.times))


def write(folder, seen):
    folder.mkdir(parents=True, exist_ok=True)
    for name, version in seen.versions.items():
        benchmarks = []
        for (who, threads, benchmark), times in sorted(seen.times.items()):
            if who == name:
                suffix = "" if threads == 1 else f"/threads/{threads}"
                metric = {"name": "time", "unit": "ns", "lives": [[time] for time in times]}
                benchmarks.append({"name": benchmark + suffix, "cores": threads, "metrics": [metric]})
        notes = {"peer": name, "version": version, "processor": platform.processor() or platform.machine()}
        text = json.dumps({"tachograph": 1, "notes": notes, "benchmarks": benchmarks}, indent=1)
        (folder / f"{name}.json").write_text(text + "\n")
    text = table(seen)
    (folder / "table.md").write_text(text)
    print(text)


def spread(times):
    """Half the distance between the quartiles of the rounds, as a share of their median."""
    if len(times) < 3:
        return ""
    low, _, high = statistics.quantiles(times, n=4)
    return f" ±{50 * (high - low) / statistics.median(times):.0f} %"


def table(seen):
    names = seen.names()
    lines = ["| work | " + " | ".join(f"{name} {seen.versions[name]}" for name in names) + " | beside the best peer |"]
    lines.append("| --- |" + " ---: |" * (len(names) + 1))
    for benchmark in seen.benchmarks():
        best = {name: found for name in names if (found := seen.best(name, benchmark))}
        cells = [cell(seen, name, benchmark, best.get(name)) for name in names]
        others = [time for name, (time, _) in best.items() if name != "ours"]
        ratio = f"{min(others) / best['ours'][0]:.2f}×" if others and "ours" in best else ""
        lines.append(f"| {benchmark} | " + " | ".join(cells) + f" | {ratio} |")
    for model in dict.fromkeys(key[1] for key in seen.peaks):
        peaks = {key[0]: bytes for key, bytes in seen.peaks.items() if key[1] == model}
        cells = [f"{peaks[name] / 1e6:.1f} MB" if name in peaks else "" for name in names]
        others = [bytes for name, bytes in peaks.items() if name != "ours"]
        ratio = f"{peaks['ours'] / min(others):.2f} of it" if others and "ours" in peaks else ""
        lines.append(f"| {model}/peak memory | " + " | ".join(cells) + f" | {ratio} |")
    lines += ["", *seen.notes, "", "Absent:"]
    lines += [f"- {name} on {threads} thread(s): {reason}" for (name, threads), reason in seen.absent.items()]
    lines.append(f"- vLLM: it needs a GPU. Where there is one: `{VLLM}`")
    return "\n".join(lines) + "\n"


def cell(seen, name, benchmark, best):
    if best is None:
        return ""
    time, threads = best
    return f"{duration(time)} ({threads}T{spread(seen.times[name, threads, benchmark])})"


def duration(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.0f} ns"
