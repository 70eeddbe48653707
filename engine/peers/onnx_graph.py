"""The model as an ONNX graph, one step of it: tokens and past keys and values in, logits and all keys and values out.

`onnx_graph.py FILE.gguf FOLDER` writes it and prints its path.
"""

import math
import sys
from pathlib import Path

import numpy as np
import onnx
from gguf import Model
from onnx import TensorProto, helper, numpy_helper

OPSET = 20


class Graph:
    """Nodes and constants, named as they come."""

    def __init__(self):
        self.nodes, self.constants, self.count = [], [], 0

    def constant(self, values):
        self.count += 1
        name = f"c{self.count}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind, *inputs, outputs=1, **attributes):
        self.count += 1
        names = [f"n{self.count}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names if outputs > 1 else names[0]

    def linear(self, x, weights, bias):
        product = self.node("MatMul", x, self.constant(weights.T))
        return self.node("Add", product, self.constant(bias))

    def norm(self, x, gain, bias):
        return self.node("LayerNormalization", x, self.constant(gain), self.constant(bias), axis=-1, epsilon=1e-5)

    def shaped(self, x, *shape):
        return self.node("Reshape", x, self.constant(np.array(shape, "i8")))


def graph(model):
    g = Graph()
    w = model.tensors
    positions = g.node("Gather", g.constant(w["position_embd.weight"]), "positions")
    x = g.node("Add", g.node("Gather", g.constant(w["token_embd.weight"]), "tokens"), positions)
    pasts = g.node("Split", "past", outputs=model.layers * 2, num_outputs=model.layers * 2)
    kept = []
    for layer in range(model.layers):
        part = model.layer(layer)
        y = g.norm(x, part["attn_norm.weight"], part["attn_norm.bias"])
        y = g.linear(y, part["attn_qkv.weight"], part["attn_qkv.bias"])
        y = g.node("Transpose", g.shaped(y, -1, 3, model.heads, model.width // model.heads), perm=[1, 2, 0, 3])
        q, k, v = g.node("Split", y, outputs=3, num_outputs=3)
        k = g.node("Concat", pasts[2 * layer], k, axis=2)
        v = g.node("Concat", pasts[2 * layer + 1], v, axis=2)
        kept += [k, v]
        q = g.node("Mul", q, g.constant(np.float32(1 / math.sqrt(model.width // model.heads))))
        scores = g.node("Add", g.node("MatMul", q, g.node("Transpose", k, perm=[0, 1, 3, 2])), "mask")
        found = g.node("MatMul", g.node("Softmax", scores, axis=-1), v)
        found = g.shaped(g.node("Transpose", found, perm=[0, 2, 1, 3]), -1, model.width)
        x = g.node("Add", x, g.linear(found, part["attn_output.weight"], part["attn_output.bias"]))
        y = g.norm(x, part["ffn_norm.weight"], part["ffn_norm.bias"])
        y = g.node("Gelu", g.linear(y, part["ffn_up.weight"], part["ffn_up.bias"]), approximate="tanh")
        x = g.node("Add", x, g.linear(y, part["ffn_down.weight"], part["ffn_down.bias"]))
    x = g.node("Gather", x, g.constant(np.array(-1, "i8")), axis=0)
    x = g.norm(x, w["output_norm.weight"], w["output_norm.bias"])
    g.nodes.append(helper.make_node("MatMul", [x, g.constant(model.head().T)], ["logits"]))
    g.nodes.append(helper.make_node("Concat", kept, ["present"], axis=0))
    past = [model.layers * 2, model.heads, "p", model.width // model.heads]
    given = [
        helper.make_tensor_value_info("tokens", TensorProto.INT64, ["t"]),
        helper.make_tensor_value_info("positions", TensorProto.INT64, ["t"]),
        helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["t", "s"]),
        helper.make_tensor_value_info("past", TensorProto.FLOAT, past),
    ]
    made = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, None),
        helper.make_tensor_value_info("present", TensorProto.FLOAT, None),
    ]
    whole = helper.make_graph(g.nodes, "model", given, made, g.constants)
    return helper.make_model(whole, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)


def write(model, folder):
    """The model as a file; that of a quantised one has its products in bytes, each channel with a scale of its own."""
    path = Path(folder) / "model.onnx"
    onnx.save(graph(model), path)
    if not model.quantised:
        return str(path)
    from onnxruntime.quantization import QuantType, quantize_dynamic

    small = Path(folder) / "bytes.onnx"
    quantize_dynamic(path, small, op_types_to_quantize=["MatMul"], weight_type=QuantType.QInt8, per_channel=True)
    path.unlink()
    return str(small)


if __name__ == "__main__":
    print(write(Model(sys.argv[1]), sys.argv[2]))
