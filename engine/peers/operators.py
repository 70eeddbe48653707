"""Single operations as the peers have them: `operators.py PEER THREADS`, then names of the engine's benchmarks in, times out."""

import importlib.metadata
import json
import sys
import time

import numpy as np

SLICE_NS = 1_000_000


def numbers(*shape):
    return np.random.default_rng(1).normal(0, 0.1, shape).astype("f4")


class NumPy:
    package = "numpy"

    def __init__(self, threads):
        if threads != 1:
            raise ImportError("numpy's threads are set before it is loaded; it is run with one")

    def matmul(self, n):
        a, b, out = numbers(n, n), numbers(n, n), np.empty((n, n), "f4")
        return lambda: np.matmul(a, b, out=out)

    def add(self, n):
        a, b, out = numbers(n), numbers(n), np.empty(n, "f4")
        return lambda: np.add(a, b, out=out)

    def mul(self, n):
        a, b, out = numbers(n), numbers(n), np.empty(n, "f4")
        return lambda: np.multiply(a, b, out=out)

    def relu(self, n):
        x, out = numbers(n), np.empty(n, "f4")
        return lambda: np.maximum(x, 0, out=out)

    def dot(self, n):
        a, b = numbers(n), numbers(n)
        return lambda: np.dot(a, b)


class Torch:
    package = "torch"

    def __init__(self, threads):
        import torch

        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        self.torch, self.functional = torch, torch.nn.functional

    def numbers(self, *shape):
        return self.torch.from_numpy(numbers(*shape))

    def matmul(self, n):
        a, b, out = self.numbers(n, n), self.numbers(n, n), self.numbers(n, n)
        return lambda: self.torch.matmul(a, b, out=out)

    def matmul_backward(self, n):
        """The two products that its own way back through a product consists of."""
        a, b, dc = self.numbers(n, n), self.numbers(n, n), self.numbers(n, n)
        da, db = self.numbers(n, n), self.numbers(n, n)
        return lambda: (self.torch.matmul(dc, b.t(), out=da), self.torch.matmul(a.t(), dc, out=db))

    def step(self):
        from torch_training import step

        return step()

    def add(self, n):
        a, b, out = self.numbers(n), self.numbers(n), self.numbers(n)
        return lambda: self.torch.add(a, b, out=out)

    def mul(self, n):
        a, b, out = self.numbers(n), self.numbers(n), self.numbers(n)
        return lambda: self.torch.mul(a, b, out=out)

    def relu(self, n):
        x, out = self.numbers(n), self.numbers(n)
        return lambda: self.torch.clamp_min(x, 0, out=out)

    def gelu(self, n):
        x = self.numbers(n)
        return lambda: self.functional.gelu(x, approximate="tanh")

    def dot(self, n):
        a, b = self.numbers(n), self.numbers(n)
        return lambda: self.torch.dot(a, b)

    def softmax(self, rows, columns):
        x = self.numbers(rows, columns)
        return lambda: self.torch.softmax(x, -1)

    def layernorm(self, rows, columns):
        x, gain, bias = self.numbers(rows, columns), self.numbers(columns), self.numbers(columns)
        return lambda: self.functional.layer_norm(x, (columns,), gain, bias, 1e-5)


class OnnxRuntime:
    """A graph of one operation, its inputs and outputs bound once, so that nothing is copied."""

    package = "onnxruntime"

    def __init__(self, threads):
        import onnxruntime

        self.api, self.threads = onnxruntime, threads

    def one(self, kind, inputs, shape, **attributes):
        from onnx import TensorProto, helper

        info = helper.make_tensor_value_info
        given = [info(f"x{i}", TensorProto.FLOAT, x.shape) for i, x in enumerate(inputs)]
        made = [info("y", TensorProto.FLOAT, shape)]
        node = helper.make_node(kind, [value.name for value in given], ["y"], **attributes)
        graph = helper.make_graph([node], "one", given, made)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        options = self.api.SessionOptions()
        options.intra_op_num_threads = self.threads
        session = self.api.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        binding = session.io_binding()
        for value, x in zip(given, inputs):
            binding.bind_cpu_input(value.name, x)
        binding.bind_ortvalue_output("y", self.api.OrtValue.ortvalue_from_numpy(np.zeros(shape, "f4")))
        return lambda: session.run_with_iobinding(binding)

    def matmul(self, n):
        return self.one("MatMul", [numbers(n, n), numbers(n, n)], (n, n))

    def add(self, n):
        return self.one("Add", [numbers(n), numbers(n)], (n,))

    def mul(self, n):
        return self.one("Mul", [numbers(n), numbers(n)], (n,))

    def relu(self, n):
        return self.one("Relu", [numbers(n)], (n,))

    def gelu(self, n):
        return self.one("Gelu", [numbers(n)], (n,), approximate="tanh")

    def softmax(self, rows, columns):
        return self.one("Softmax", [numbers(rows, columns)], (rows, columns), axis=-1)

    def layernorm(self, rows, columns):
        inputs = [numbers(rows, columns), numbers(columns), numbers(columns)]
        return self.one("LayerNormalization", inputs, (rows, columns), axis=-1, epsilon=1e-5)


PEERS = {"numpy": NumPy, "torch": Torch, "onnxruntime": OnnxRuntime}


def measure(work, seconds):
    """Slices of about a millisecond, as nanoseconds a call."""
    work()
    slices, spent, calls = [], 0, 1
    while spent < seconds * 1e9 or len(slices) < 2:
        begun = time.perf_counter_ns()
        for _ in range(calls):
            work()
        elapsed = time.perf_counter_ns() - begun
        spent += elapsed
        slices.append(elapsed / calls)
        calls = max(1, int(SLICE_NS / slices[-1]))
    return slices[1:]


def main(name, threads):
    peer = PEERS[name](int(threads))
    print(json.dumps({"version": importlib.metadata.version(peer.package)}), flush=True)
    made = {}
    for line in sys.stdin:
        request = json.loads(line)
        _, kind, *size = request["operator"].split("/")
        make = getattr(peer, kind, None)
        if make and request["operator"] not in made:
            made[request["operator"]] = make(*(int(part) for text in size for part in text.split("x")))
        times = measure(made[request["operator"]], request["seconds"]) if make else []
        print(json.dumps({"times_ns": times}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
