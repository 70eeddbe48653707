#!/usr/bin/env python3
"""The work of examples/truth under criterion, under tango and under a gate, in turns, with the same seconds.

    tracker/peers/compare.py build            # once
    tracker/peers/compare.py run --rounds 20  # prints the table

Each round gives each harness one comparison of each size: base against itself, and base against a build that does a known
percentage more. Criterion measures base and head one after the other, half of the seconds each, and its warm-up (0.1 s a
side) comes on top; tango and the gate get all seconds. A hit is what a harness itself calls slower: criterion's "has
regressed", tango's asterisk on a slowdown, the gate's `regressed` at a limit of half a percent.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
TARGET = TOP / "target"
BUILT = TARGET / "peers" / "built"
TRUTH = TARGET / "release" / "examples" / "truth"
PERCENTS = (0, 1, 2)


def build():
    BUILT.mkdir(parents=True, exist_ok=True)
    program = ["cargo", "build", "--release", "-p", "tachograph", "--bins", "--example", "truth"]
    subprocess.run(program, cwd=TOP, check=True)
    for percent in PERCENTS:
        command = ["cargo", "bench", "--no-run", "--target-dir", TARGET / "peers", "--message-format", "json"]
        environment = dict(os.environ, PEER_PERCENT=str(percent))
        told = subprocess.run(command, cwd=HERE, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        for line in told.stdout.splitlines():
            message = json.loads(line)
            if message.get("executable") and message["target"]["name"] in ("criterion", "tango"):
                shutil.copy(message["executable"], BUILT / f"{message['target']['name']}-{percent}")


def criterion(work, percent, seconds, scratch):
    """Two programs, one after the other; the change of the mean in percent, and whether it is called slower."""
    common = ["--bench", work, "--warm-up-time", "0.1", "--measurement-time", str(seconds / 2), "--noplot"]
    environment = dict(os.environ, CRITERION_HOME=str(scratch / "criterion"))
    said = ""
    for side, baseline in ((0, "--save-baseline"), (percent, "--baseline")):
        command = [BUILT / f"criterion-{side}", *common, baseline, "base"]
        ended = subprocess.run(command, cwd=scratch, env=environment, check=True, capture_output=True, text=True)
        said = ended.stdout
    change = json.loads((scratch / "criterion" / work / "change" / "estimates.json").read_text())
    return 100 * change["mean"]["point_estimate"], "has regressed" in said


def tango(work, percent, seconds, scratch):
    command = [BUILT / f"tango-{percent}", "compare", BUILT / "tango-0", "-f", work, "-t", str(seconds)]
    said = subprocess.run(command, cwd=scratch, check=True, capture_output=True, text=True).stdout
    found = re.search(r"([+-]\d+\.\d+)%(\*?)", re.sub(r"\x1b\[[0-9;]*m", "", said))
    change = float(found.group(1))
    return change, bool(found.group(2)) and change > 0


def gate(work, percent, seconds, scratch):
    command = [TRUTH, work, "--percent", str(percent), "--duels", "1", "--busy", "0", "--each"]
    command += ["--budget", f"{seconds}s", "--limit", "0.5"]
    said = subprocess.run(command, cwd=scratch, check=True, capture_output=True, text=True).stdout
    found = re.match(r"([+-]\d+\.\d+) % .* (\w+) \d+ lives,", said)
    return float(found.group(1)), found.group(2) == "regressed"


HARNESSES = {"gate": gate, "tango-bench 0.7": tango, "criterion 0.8": criterion}


def run(arguments):
    busy = [subprocess.Popen([TRUTH, "--spin"], stdin=subprocess.PIPE) for _ in range(arguments.busy)]
    seen = {(harness, percent): [] for harness in HARNESSES for percent in PERCENTS}
    try:
        for _ in range(arguments.rounds):
            for percent in PERCENTS:
                for name, harness in HARNESSES.items():
                    with tempfile.TemporaryDirectory() as scratch:
                        one = harness(arguments.work, percent, arguments.seconds, Path(scratch))
                        seen[name, percent].append(one)
    finally:
        for one in busy:
            one.kill()
            one.wait()
    table(arguments, seen)


def table(arguments, seen):
    print(f"{arguments.work}, {arguments.seconds} s, {arguments.busy} busy, {arguments.rounds} rounds")
    print("| harness | A/A from | to | spread (sd) | middle half | said slower of A/A | of +1 % | of +2 % |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in HARNESSES:
        changes = sorted(change for change, _ in seen[name, 0])
        quarters = statistics.quantiles(changes, n=4)
        slower = [f"{sum(hit for _, hit in seen[name, percent])} of {arguments.rounds}" for percent in PERCENTS]
        print(
            f"| {name} | {changes[0]:+.3f} % | {changes[-1]:+.3f} % | {statistics.stdev(changes):.3f} % "
            f"| {quarters[2] - quarters[0]:.3f} % | {' | '.join(slower)} |"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("build", help="build all three harnesses")
    runs = verbs.add_parser("run", help="measure and print the table")
    runs.add_argument("--work", choices=("compute", "stream"), default="compute")
    runs.add_argument("--seconds", type=float, default=1)
    runs.add_argument("--rounds", type=int, default=20)
    runs.add_argument("--busy", type=int, default=4, help="processes that compute beside all")
    arguments = parser.parse_args()
    if arguments.verb == "build":
        build()
    else:
        run(arguments)


if __name__ == "__main__":
    main()
