"""Reads the GGUF files that the engine writes: just enough of the format for the peers that have no reader of their own."""

import struct

import numpy as np

F32, F16, Q8_0 = 0, 1, 8
SIZES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


class Model:
    """Dimensions and tensors, all as 32-bit numbers."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = file.read()
        self.at = 0
        magic, _version, tensors, keys = self.take("<4sIQQ")
        assert magic == b"GGUF", f"{path} is no GGUF file"
        self.keys = {}
        for _ in range(keys):
            name = self.text()
            self.keys[name] = self.value(*self.take("<I"))
        entries = [self.entry() for _ in range(tensors)]
        self.quantised = any(kind == Q8_0 for _, _, kind, _ in entries)
        start = -(-self.at // 32) * 32
        self.tensors = {name: self.tensor(start + offset, shape, kind) for name, shape, kind, offset in entries}
        self.context = self.keys["gpt2.context_length"]
        self.width = self.keys["gpt2.embedding_length"]
        self.layers = self.keys["gpt2.block_count"]
        self.heads = self.keys["gpt2.attention.head_count"]
        self.vocabulary = len(self.tensors["token_embd.weight"])

    def take(self, form):
        values = struct.unpack_from(form, self.bytes, self.at)
        self.at += struct.calcsize(form)
        return values

    def text(self):
        (length,) = self.take("<Q")
        self.at += length
        return self.bytes[self.at - length : self.at].decode()

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            kind, count = self.take("<IQ")
            return [self.value(kind) for _ in range(count)]
        return self.take("<" + SIZES[kind])[0]

    def entry(self):
        name = self.text()
        (dimensions,) = self.take("<I")
        shape = self.take(f"<{dimensions}Q")[::-1]
        kind, offset = self.take("<IQ")
        return name, shape, kind, offset

    def tensor(self, start, shape, kind):
        count = int(np.prod(shape))
        if kind == F32:
            return np.frombuffer(self.bytes, "<f4", count, start).reshape(shape)
        if kind == F16:
            return np.frombuffer(self.bytes, "<f2", count, start).reshape(shape).astype("f4")
        assert kind == Q8_0, f"tensors of kind {kind} are not read here"
        blocks = np.frombuffer(self.bytes, np.dtype([("scale", "<f2"), ("steps", "i1", 32)]), count // 32, start)
        return (blocks["scale"].astype("f4")[:, None] * blocks["steps"]).reshape(shape)

    def head(self):
        return self.tensors.get("output.weight", self.tensors["token_embd.weight"])

    def layer(self, index):
        prefix = f"blk.{index}."
        return {name[len(prefix) :]: tensor for name, tensor in self.tensors.items() if name.startswith(prefix)}
