"""The peers. Each is a class that loads a model and answers `prompt(tokens)` and `next(token)` with logits.

A peer whose package is not installed raises ImportError when it is made, and the comparison goes on without it.
"""

import importlib.metadata
import math
import tempfile

import numpy as np

from gguf import Model
from llama import LlamaCpp


class Torch:
    """PyTorch, eager, with a cache of keys and values that is allocated once."""

    package = "torch"

    def __init__(self, path, threads, kind="float32"):
        import torch

        torch.set_num_threads(threads)
        self.torch, self.kind = torch, getattr(torch, kind)
        self.model = model = Model(path)
        self.weights = {name: torch.from_numpy(tensor.copy()).to(self.kind) for name, tensor in model.tensors.items()}
        self.weights.setdefault("output.weight", self.weights["token_embd.weight"])
        shape = (model.layers, 2, model.heads, model.context, model.width // model.heads)
        self.cache = torch.zeros(shape, dtype=self.kind)
        self.position = 0

    def prompt(self, tokens):
        self.position = 0
        return self.step(tokens)

    def next(self, token):
        return self.step([token])

    def step(self, tokens):
        torch, w, model = self.torch, self.weights, self.model
        functional = torch.nn.functional
        begin, end = self.position, self.position + len(tokens)
        with torch.inference_mode():
            x = w["token_embd.weight"][torch.tensor(tokens)] + w["position_embd.weight"][begin:end]
            for layer in range(model.layers):
                x = x + self.attention(x, layer, begin, end)
                part = lambda name: w[f"blk.{layer}.{name}"]
                y = functional.layer_norm(x, (model.width,), part("ffn_norm.weight"), part("ffn_norm.bias"), 1e-5)
                y = functional.gelu(functional.linear(y, part("ffn_up.weight"), part("ffn_up.bias")), approximate="tanh")
                x = x + functional.linear(y, part("ffn_down.weight"), part("ffn_down.bias"))
            x = functional.layer_norm(x[-1], (model.width,), w["output_norm.weight"], w["output_norm.bias"], 1e-5)
            self.position = end
            return functional.linear(x, w["output.weight"]).numpy()

    def attention(self, x, layer, begin, end):
        functional, model = self.torch.nn.functional, self.model
        part = lambda name: self.weights[f"blk.{layer}.{name}"]
        y = functional.layer_norm(x, (model.width,), part("attn_norm.weight"), part("attn_norm.bias"), 1e-5)
        y = functional.linear(y, part("attn_qkv.weight"), part("attn_qkv.bias"))
        q, k, v = y.view(end - begin, 3, model.heads, -1).permute(1, 2, 0, 3)
        self.cache[layer, 0, :, begin:end] = k
        self.cache[layer, 1, :, begin:end] = v
        keys, values = self.cache[layer, :, :, :end]
        # A prompt begins at 0; a single token sees everything.
        found = functional.scaled_dot_product_attention(q, keys, values, is_causal=end - begin > 1)
        found = found.transpose(0, 1).reshape(end - begin, model.width)
        return functional.linear(found, part("attn_output.weight"), part("attn_output.bias"))


class Numpy:
    """NumPy: what a dozen lines reach."""

    package = "numpy"

    def __init__(self, path, threads):
        if threads != 1:
            raise ImportError("numpy's threads are set before it is loaded; it is run with one")
        self.model = model = Model(path)
        self.blocks = [model.layer(layer) for layer in range(model.layers)]
        self.keys = np.zeros((model.layers, 2, model.heads, model.context, model.width // model.heads), "f4")
        self.position = 0

    def prompt(self, tokens):
        self.position = 0
        return self.step(tokens)

    def next(self, token):
        return self.step([token])

    def step(self, tokens):
        model, weights = self.model, self.model.tensors
        begin, end = self.position, self.position + len(tokens)
        x = weights["token_embd.weight"][tokens] + weights["position_embd.weight"][begin:end]
        mask = np.triu(np.full((len(tokens), end), -np.inf, "f4"), begin + 1)
        for layer, w in enumerate(self.blocks):
            y = norm(x, w["attn_norm.weight"], w["attn_norm.bias"]) @ w["attn_qkv.weight"].T + w["attn_qkv.bias"]
            q, k, v = y.reshape(len(tokens), 3, model.heads, -1).transpose(1, 2, 0, 3)
            self.keys[layer, 0, :, begin:end], self.keys[layer, 1, :, begin:end] = k, v
            keys, values = self.keys[layer, :, :, :end]
            scores = q @ keys.transpose(0, 2, 1) / np.float32(math.sqrt(q.shape[-1])) + mask
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            found = (scores / scores.sum(-1, keepdims=True)) @ values
            found = found.transpose(1, 0, 2).reshape(len(tokens), -1)
            x = x + found @ w["attn_output.weight"].T + w["attn_output.bias"]
            y = norm(x, w["ffn_norm.weight"], w["ffn_norm.bias"]) @ w["ffn_up.weight"].T + w["ffn_up.bias"]
            y = 0.5 * y * (1 + np.tanh(np.float32(0.7978845608) * (y + np.float32(0.044715) * y * y * y)))
            x = x + y @ w["ffn_down.weight"].T + w["ffn_down.bias"]
        self.position = end
        return norm(x[-1], weights["output_norm.weight"], weights["output_norm.bias"]) @ self.model.head().T


def norm(x, gain, bias):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(-1, keepdims=True) + np.float32(1e-5)) * gain + bias


class OnnxRuntime:
    """ONNX Runtime, on a graph whose caches go in and come out; of a quantised file, with bytes a channel."""

    package = "onnxruntime"

    def __init__(self, path, threads):
        import onnxruntime

        from onnx_graph import write

        self.model = model = Model(path)
        self.api, self.threads = onnxruntime, threads
        self.folder = tempfile.TemporaryDirectory()
        self.path = write(model, self.folder.name)
        self.session = self.open()
        self.empty = np.zeros((model.layers * 2, model.heads, 0, model.width // model.heads), "f4")
        self.past = self.empty

    def open(self):
        options = self.api.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.log_severity_level = 3
        return self.api.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])

    def load(self):
        self.open()

    def prompt(self, tokens):
        self.past = self.empty
        return self.step(tokens)

    def next(self, token):
        return self.step([token])

    def step(self, tokens):
        begin, count = self.past.shape[2], len(tokens)
        mask = np.triu(np.full((count, begin + count), -1e30, "f4"), begin + 1)
        given = {
            "tokens": np.array(tokens, "i8"),
            "positions": np.arange(begin, begin + count, dtype="i8"),
            "mask": mask,
            "past": self.past,
        }
        logits, self.past = self.session.run(None, given)
        return logits


class Torch64(Torch):
    """The truth about logits."""

    def __init__(self, path, threads):
        super().__init__(path, threads, "float64")


PEERS = {"torch": Torch, "torch-64": Torch64, "numpy": Numpy, "onnxruntime": OnnxRuntime, "llama.cpp": LlamaCpp}


def version(peer):
    return importlib.metadata.version(peer.package)
