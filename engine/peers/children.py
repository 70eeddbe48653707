"""The processes that are compared, each awake only while it is asked: threads that wait by looking would slow the others."""

import atexit
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


for end in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(end, lambda number, _: sys.exit(128 + number))


class Failed(Exception):
    """A process ended instead of answering."""


class Child:
    """A process that answers each line with a line, on as many cores as it has threads."""

    def __init__(self, command, threads, greeting=None):
        pin = ["taskset", "-c", ",".join(map(str, range(threads)))]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(pin + list(map(str, command)), text=True, cwd=HERE, **pipes)
        # However this ends, unless it is killed outright, none is left behind, asleep.
        atexit.register(self.process.kill)
        hello = self.ask(greeting) if greeting else self.hear()
        self.version, self.loads = hello.get("version"), hello.get("loads", False)

    def ask(self, request):
        os.kill(self.process.pid, signal.SIGCONT)
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        return self.hear()

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            said = last_line(self.process.stderr.read())
            raise Failed(f"{said} (it ended with {self.process.wait()})")
        os.kill(self.process.pid, signal.SIGSTOP)
        return json.loads(line)

    def peak_bytes(self):
        """The most memory that it ever had, of all kinds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    def end(self):
        """Lets it end by itself, or else ends it."""
        os.kill(self.process.pid, signal.SIGCONT)
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Worker(Child):
    """A program that speaks Tachograph's worker protocol, as the engine's suite does."""

    def __init__(self, program):
        super().__init__([program, "--worker"], 1, {"request": "hello", "versions": [1]})

    def times_ns(self, benchmark, seconds):
        """Slices of about a millisecond, as nanoseconds an iteration."""
        slices, spent, iterations = [], 0, 1
        while spent < seconds * 1e9 or len(slices) < 2:
            reply = self.ask({"request": "run", "benchmark": benchmark, "iterations": iterations})
            if reply["reply"] == "error":
                raise Failed(reply.get("message", str(reply)))
            spent += reply["elapsed_ns"]
            slices.append(reply["elapsed_ns"] / iterations)
            iterations = max(1, int(1e6 / slices[-1]))
        return slices[1:]


def last_line(text):
    """What a process that failed said at the end."""
    return " ".join(text.strip().splitlines()[-1:]) or "it ended without a word"


def python(environment):
    own = Path(environment) / "bin" / "python"
    return str(own) if own.exists() else sys.executable
