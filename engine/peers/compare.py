#!/usr/bin/env python3
"""Runs the engine and its peers on the same models, one after the other, round after round, and writes what it saw.

    python3 engine/peers/compare.py --install          # once: the peers' packages, into a folder of their own
    python3 engine/peers/compare.py --models small medium --formats f32 q8 --out results
    python3 engine/peers/compare.py --models --operators --out results

Each peer whose package is there takes part; the others are named as absent. For each, `results/PEER.json` is a file that
`tachograph import` reads, with the names of the engine's own benchmarks; `results/table.md` has all side by side.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from children import HERE, Child, Failed, Worker, python
from commands import ModelFiles, operators_command
from results import Seen, write

TOP = HERE.parent.parent
PACKAGES = ["numpy", "torch", "onnx", "onnxruntime", "llama-cpp-python"]
# Without the system's way to let threads sleep at each meeting, which costs it half its speed on small models.
LLAMA_BUILD = "-DGGML_OPENMP=OFF -DLLAVA_BUILD=OFF -DMTMD_BUILD=OFF -DLLAMA_BUILD_TOOLS=OFF"
VOCABULARIES = {"small": 256, "medium": 512, "gpt2": 50257}
PEERS = {
    "f32": ["llama.cpp", "onnxruntime", "transformers.js", "rten", "candle", "torch", "numpy"],
    "q8": ["llama.cpp", "onnxruntime", "transformers.js", "rten", "candle"],
}
OPERATOR_PEERS = ["numpy", "torch", "onnxruntime", "gemm", "faer"]
KERNELS = {
    "matmul": [64, 128, 256, 512, 1024],
    "matmul_backward": [64, 128, 256, 512],
    "gelu": [10_000, 100_000, 1_000_000],
    "relu": [10_000, 100_000],
    "softmax": ["1x2048", "32x512", "32x2048", "1x50257"],
    "layernorm": ["1x768", "32x512", "512x768"],
    "add": [10_000, 100_000, 10_000_000],
    "mul": [10_000, 100_000, 10_000_000],
    "dot": [10_000, 100_000],
}


def install(environment):
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    for package in PACKAGES:
        step(package, [python(environment), "-m", "pip", "install", "--quiet", package], CMAKE_ARGS=LLAMA_BUILD)
    cargo = ["cargo", "install", "--quiet", "--locked", "--path", HERE, "--root", environment, "--target-dir", environment / "build"]
    # candle chooses its kernels for bytes when it is compiled.
    step("candle, rten, gemm and faer", cargo, RUSTFLAGS="-C target-cpu=native")
    # Its scripts would load parts for GPUs.
    npm = ["npm", "install", "--silent", "--ignore-scripts", "--prefix", environment, "@huggingface/transformers"]
    step("Transformers.js", npm)


def step(what, command, **variables):
    try:
        done = subprocess.run(command, env=os.environ | variables).returncode == 0
    except FileNotFoundError as missing:
        print(f"{missing.filename} is not there")
        done = False
    print(f"{what}: {'installed' if done else 'not installed; left out'}")


def build(programs=None):
    """The paths of the suite and the helper: of a folder that has them, or built from this tree."""
    if programs:
        return programs.resolve() / "suite", programs.resolve() / "peer"
    command = ["cargo", "build", "--release", "-p", "engine", "--example", "peer", "--bench", "suite"]
    done = subprocess.run(command + ["--message-format=json"], cwd=TOP, check=True, stdout=subprocess.PIPE, text=True)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    made = {m["target"]["name"]: m["executable"] for m in messages if m.get("executable")}
    return made["suite"], made["peer"]


class Comparison:
    def __init__(self, arguments):
        self.arguments, self.seen = arguments, Seen()
        self.suite, self.helper = build(arguments.programs)
        self.random = random.Random(1)

    def start(self, wanted, command):
        """Everybody who can be started, by name and number of threads."""
        started = {}
        for name, threads in wanted:
            try:
                started[name, threads] = Child(command(name, threads), threads)
                self.seen.versions[name] = started[name, threads].version
            except Failed as reason:
                self.seen.absent[name, threads] = str(reason)
        return started

    def rounds(self, everyone, works, ask):
        """All of them do each work once a round, in an order that is drawn anew."""
        for number in range(self.arguments.rounds):
            for work in works:
                order = list(everyone)
                self.random.shuffle(order)
                for name, threads in order:
                    times = self.asked(everyone, (name, threads), work, ask)
                    if times:
                        self.seen.add(name, threads, work, times)
            self.seen.notes.append(self.round_trip(number))

    def asked(self, everyone, who, work, ask):
        """What one of them answers. A peer that ends instead is left out from then on."""
        try:
            return ask(everyone[who], work)
        except Failed as reason:
            if who[0] == "ours":
                raise
            self.seen.absent[who] = f"from {work} on: {reason}"
            del everyone[who]

    def round_trip(self, number):
        done = subprocess.run([self.helper, "round_trip"], check=True, stdout=subprocess.PIPE, text=True)
        return f"Round {number + 1}: from core to core and back in {done.stdout.strip()} ns."

    def model(self, model, kind):
        prefix, seconds = f"inference/{model}/{kind}/", self.arguments.seconds
        tokens = [self.random.randrange(VOCABULARIES[model]) for _ in range(512)]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.gguf"
            subprocess.run([self.helper, "export", model, kind, path], check=True)
            names = ["ours", *(self.arguments.peers or PEERS[kind])]
            wanted = [(name, threads) for name in names for threads in self.arguments.threads]
            everyone = self.start(wanted, ModelFiles(path, self.helper, self.arguments.environment).command)

            def ask(child, work):
                work = work.removeprefix(prefix)
                if work == "load" and not child.loads:
                    return None
                return child.ask({"work": work, "tokens": tokens, "seconds": seconds})["times_ns"]

            def warm(child, _):
                for work in ["ttft/32", "decode"]:
                    child.ask({"work": work, "tokens": tokens, "seconds": 0})
                return child.peak_bytes()

            for name, threads in list(everyone):
                # Before it loads the model a second time.
                peak = self.asked(everyone, (name, threads), "the first token", warm)
                if threads == 1 and peak:
                    self.seen.peaks[name, prefix[:-1]] = peak
            self.rounds(everyone, [prefix + work for work in self.arguments.works], ask)
            for child in everyone.values():
                child.end()

    def operators(self):
        works = [f"kernel/{kind}/{size}" for kind, sizes in KERNELS.items() for size in sizes]
        works.append("train/step")
        if self.arguments.kernels:
            works = [work for work in works if work.split("/")[1] in self.arguments.kernels]
        environment = self.arguments.environment
        everyone = self.start([(name, 1) for name in OPERATOR_PEERS], lambda name, _: operators_command(name, environment))
        everyone["ours", 1] = Worker(self.suite)
        self.seen.versions["ours"] = "this commit"
        seconds = self.arguments.seconds

        def ask(child, work):
            if isinstance(child, Worker):
                return child.times_ns(work, seconds)
            return child.ask({"operator": work, "seconds": seconds})["times_ns"]

        self.rounds(everyone, works, ask)
        for child in everyone.values():
            child.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", action="store_true", help="install the peers' packages, and stop")
    parser.add_argument("--environment", type=Path, default=TOP / "target" / "peers", help="where the packages are")
    parser.add_argument("--programs", type=Path, help="a folder with `suite` and `peer`, instead of building them")
    parser.add_argument("--models", nargs="*", default=["small", "medium"], choices=list(VOCABULARIES))
    parser.add_argument("--formats", nargs="+", default=["f32"], choices=["f32", "q8"])
    parser.add_argument("--works", nargs="+", default=["ttft/8", "ttft/32", "decode", "load"])
    parser.add_argument("--peers", nargs="+", help="only these")
    parser.add_argument("--operators", action="store_true", help="compare single operations too")
    parser.add_argument("--kernels", nargs="+", help="only these operations")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="for each work of each round")
    parser.add_argument("--out", type=Path, default=Path("results"))
    arguments = parser.parse_args()
    if arguments.install:
        return install(arguments.environment)
    comparison = Comparison(arguments)
    for model in arguments.models:
        for kind in arguments.formats:
            comparison.model(model, kind)
    if arguments.operators:
        comparison.operators()
    write(arguments.out, comparison.seen)


if __name__ == "__main__":
    main()
