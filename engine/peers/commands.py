"""How each peer is started: its program, and the file of the model that it reads."""

import subprocess
from functools import cached_property
from pathlib import Path

from children import HERE, Failed, last_line, python


class ModelFiles:
    """A model as a GGUF file, and as the ONNX file that is made of it once somebody wants it."""

    def __init__(self, gguf, helper, environment):
        self.gguf, self.helper, self.environment = Path(gguf), helper, environment.resolve()

    @cached_property
    def onnx(self):
        command = [python(self.environment), HERE / "onnx_graph.py", self.gguf, self.gguf.parent]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"without an ONNX file: {last_line(done.stderr)}")
        return done.stdout.strip()

    def command(self, name, threads):
        """What starts a peer, or our own engine, with this model."""
        if name == "ours":
            return [self.helper, "serve", self.gguf, threads]
        if name == "candle":
            return [*counted(threads), program(self.environment, "peer-candle"), self.gguf]
        if name == "rten":
            return [*counted(threads), program(self.environment, "peer-rten"), self.onnx]
        if name == "transformers.js":
            return ["node", HERE / "transformers.mjs", self.environment, self.onnx, threads]
        return [python(self.environment), HERE / "peer_worker.py", name, self.gguf, threads]


def operators_command(name, environment):
    """What starts a peer that has single operations, on one thread."""
    if name in ("gemm", "faer"):
        return [program(environment, "peer-matmul"), name]
    return [python(environment), HERE / "operators.py", name, 1]


def counted(threads):
    """The environment in which candle and rten take so many threads; by themselves they count the machine's cores."""
    return ["env", f"RAYON_NUM_THREADS={threads}", f"RTEN_NUM_THREADS={threads}"]


def program(environment, name):
    path = environment.resolve() / "bin" / name
    if not path.exists():
        raise Failed(f"{name} is not installed")
    return path
