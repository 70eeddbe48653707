#!/usr/bin/env python3
"""Runs the engine and its peers on the same models, one after the other, round after round, and writes what it saw.

    python3 engine/peers/compare.py --install          # once: the peers' packages, into a folder of their own
    python3 engine/peers/compare.py --models small medium --rounds 5 --out results

Each peer whose package is there takes part; the others are named as absent. For each, `results/PEER.json` is a file that
`tachograph import` reads, with the names of the engine's own benchmarks; `results/table.md` has all side by side.
"""

import argparse
import json
import platform
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
ENVIRONMENT = TOP / "target" / "peers"
PACKAGES = ["numpy", "torch", "onnx", "onnxruntime", "llama-cpp-python"]
WORKS = ["ttft/8", "ttft/32", "decode"]
VOCABULARIES = {"small": 256, "medium": 512, "gpt2": 50257}
SECONDS = 0.3


class Child:
    """A process that answers each line with a line."""

    def __init__(self, command, cores):
        pin = ["taskset", "-c", ",".join(map(str, range(cores)))]
        self.process = subprocess.Popen(
            pin + command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=HERE
        )

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self.hear()

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.process.stderr.read().strip().splitlines()[-1:])
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Peer(Child):
    def __init__(self, name, path, threads):
        super().__init__([python(), "peer_worker.py", name, str(path), str(threads)], threads)
        hello = self.hear()
        self.version, self.load_ns, self.peak_kib = hello["version"], hello["load_ns"], None

    def median_ns(self, model, work, tokens):
        reply = self.ask({"work": work, "tokens": tokens, "seconds": SECONDS})
        self.peak_kib = reply["peak_kib"]
        return statistics.median(reply["times_ns"])


class Ours(Child):
    """The engine's suite, through the worker protocol."""

    def __init__(self, suite, threads, kind):
        super().__init__([suite, "--worker"], threads)
        self.threads, self.kind, self.version = threads, kind, "this commit"
        self.ask({"request": "hello", "versions": [1]})

    def median_ns(self, model, work, _tokens):
        name = f"inference/{model}/{self.kind}/{work}"
        if self.threads > 1:
            name = f"threads/{self.threads}/{model}/{self.kind}/{work}"
        slices, spent, iterations = [], 0, 1
        while spent < SECONDS * 1e9:
            reply = self.ask({"request": "run", "benchmark": name, "iterations": iterations})
            if reply["reply"] == "error":
                return None
            spent += reply["elapsed_ns"]
            slices.append(reply["elapsed_ns"] / iterations)
            iterations = max(1, int(1e6 / slices[-1]))
        return statistics.median(slices[1:] or slices)


def python():
    own = ENVIRONMENT / "bin" / "python"
    return str(own) if own.exists() else sys.executable


def install():
    subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
    for package in PACKAGES:
        done = subprocess.run([python(), "-m", "pip", "install", "--quiet", package])
        print(f"{package}: {'installed' if done.returncode == 0 else 'not installed; it will be left out'}")


def build():
    """Builds the suite and the helper, and returns their paths."""
    command = ["cargo", "build", "--release", "-p", "engine", "--example", "peer", "--bench", "suite"]
    done = subprocess.run(command + ["--message-format=json"], cwd=TOP, check=True, stdout=subprocess.PIPE, text=True)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    made = {m["target"]["name"]: m["executable"] for m in messages if m.get("executable")}
    return made["suite"], made["peer"]


def error(logits, truth):
    """The largest difference, as a share of the largest logit."""
    largest = max(abs(x) for x in truth)
    return max(abs(a - b) for a, b in zip(logits, truth)) / largest


def check_logits(helper, path, tokens, peers):
    """Everybody's logits against PyTorch's in 64 bits; ours against the peers' where that is absent."""
    words = [helper, "logits", str(path), *map(str, tokens)]
    everyone = {"ours": [float(x) for x in subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.split()]}
    for (name, threads), peer in peers.items():
        if threads == 1:
            everyone[name] = peer.ask({"logits": tokens})["logits"]
    try:
        exact = Peer("torch-64", path, 1)
        truth = exact.ask({"logits": tokens})["logits"]
        exact.end()
    except RuntimeError:
        truth = everyone["ours"]
    return {name: error(logits, truth) for name, logits in everyone.items()}


def start(path, threads, absent):
    peers = {}
    for name in ["torch", "onnxruntime", "numpy", "llama.cpp"]:
        for count in threads:
            try:
                peers[name, count] = Peer(name, path, count)
            except RuntimeError as reason:
                absent[name, count] = str(reason)
    return peers


def run_model(model, kind, arguments, tools, found, absent):
    suite, helper = tools
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{model}-{kind}.gguf"
        subprocess.run([helper, "export", model, kind, path], check=True)
        peers = start(path, arguments.threads, absent)
        tokens = [random.Random(1).randrange(VOCABULARIES[model]) for _ in range(56)]
        errors = check_logits(helper, path, tokens[:32], peers)
        for name, share in errors.items():
            print(f"{model} {kind}: logits of {name} differ from 64 bits by {share:.1e} of the largest")
        everyone = {("ours", count): Ours(suite, count, kind) for count in arguments.threads} | peers
        for _ in range(arguments.rounds):
            for work in WORKS:
                order = list(everyone.items())
                random.shuffle(order)
                for (name, count), one in order:
                    time = one.median_ns(model, work, tokens)
                    if time is not None:
                        key = (name, count, f"inference/{model}/{kind}/{work}")
                        found.setdefault(key, []).append(time)
        versions = {name: one.version for (name, _), one in everyone.items()}
        for one in everyone.values():
            one.end()
    return versions


def write(out, found, versions, absent):
    out.mkdir(parents=True, exist_ok=True)
    for name, version in versions.items():
        benchmarks = []
        for benchmark in sorted({key[2] for key in found if key[0] == name}):
            for count in sorted({key[1] for key in found if key[0] == name and key[2] == benchmark}):
                suffix = "" if count == 1 else f"/threads/{count}"
                metric = {"name": "time", "unit": "ns", "lives": [[time] for time in found[name, count, benchmark]]}
                benchmarks.append({"name": benchmark + suffix, "cores": count, "metrics": [metric]})
        notes = {"peer": name, "version": version, "processor": platform.processor() or platform.machine()}
        text = json.dumps({"tachograph": 1, "notes": notes, "benchmarks": benchmarks}, indent=1)
        (out / f"{name}.json").write_text(text + "\n")
    (out / "table.md").write_text(table(found, versions, absent))
    print(table(found, versions, absent))


def table(found, versions, absent):
    """Medians of the rounds' medians, each side with its best number of threads."""
    names = list(versions)
    lines = ["| work | " + " | ".join(f"{name} {versions[name]}" for name in names) + " | ours is faster than the best |"]
    lines.append("| --- |" + " ---: |" * (len(names) + 1))
    for work in sorted({key[2] for key in found}):
        best = {}
        for name in names:
            times = [(statistics.median(found[key]), key[1]) for key in found if key[0] == name and key[2] == work]
            if times:
                best[name] = min(times)
        others = [time for name, (time, _) in best.items() if name != "ours"]
        ratio = f"{min(others) / best['ours'][0]:.2f}×" if others and "ours" in best else ""
        cells = [f"{best[name][0] / 1e3:.1f} µs ({best[name][1]}T)" if name in best else "absent" for name in names]
        lines.append(f"| {work} | " + " | ".join(cells) + f" | {ratio} |")
    lines += ["", "Absent:"] + [f"- {name} on {count} thread(s): {reason}" for (name, count), reason in absent.items()]
    lines.append("- vLLM: it needs a GPU. Where there is one: `pip install vllm && vllm bench latency --model gpt2 --input-len 32 --output-len 50`")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", action="store_true", help="install the peers' packages, and stop")
    parser.add_argument("--models", nargs="+", default=["small", "medium"], choices=["small", "medium", "gpt2"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("results"))
    arguments = parser.parse_args()
    if arguments.install:
        return install()
    tools = build()
    found, absent, versions = {}, {}, {}
    for model in arguments.models:
        versions |= run_model(model, "f32", arguments, tools, found, absent)
    write(arguments.out, found, versions, absent)


if __name__ == "__main__":
    main()
