#!/usr/bin/env python3
"""Whether the engine computes what others compute: against PyTorch in 64 bits, and against llama.cpp on the same files.

    target/peers/bin/python engine/peers/agree.py --models small medium gpt2

It ends with status 1 where a 32-bit logit of ours is off by a hundred-thousandth of the largest. What other peers say to the
same is told too, of those that are there.
"""

import argparse
import ctypes
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from children import HERE, Child, Failed, python
from commands import ModelFiles
from compare import TOP, VOCABULARIES, build

LIMIT = 1e-5
GREEDY = 64
# How llama.cpp names the kinds of files that its own tool writes here.
WRITTEN = {"F16": 1, "Q8_0": 7}
OTHERS = ["onnxruntime", "transformers.js", "rten", "candle"]


def error(logits, truth):
    """The largest difference, as a share of the largest logit."""
    logits, truth = np.array(logits), np.array(truth)
    return np.abs(logits - truth).max() / np.abs(truth).max()


class Agreement:
    def __init__(self, arguments):
        self.environment, self.failed = arguments.environment, False
        _, self.helper = build()
        self.files = {}

    def ask(self, name, path, request):
        if path not in self.files:
            self.files[path] = ModelFiles(path, self.helper, self.environment)
        child = Child(self.files[path].command(name, 1), 1)
        reply = child.ask(request)
        child.end()
        return reply.get("logits") or reply.get("tokens")

    def logits(self, model, kind, path, limit):
        tokens = [int(token) for token in np.random.default_rng(1).integers(0, VOCABULARIES[model], 32)]
        truth = self.ask("torch-64", path, {"logits": tokens})
        shares = {name: error(self.ask(name, path, {"logits": tokens}), truth) for name in ["ours", "llama.cpp"]}
        self.failed |= shares["ours"] > limit
        told = ", ".join(f"{name} by {share:.1e}" for name, share in shares.items())
        print(f"{model} {kind}: logits differ from 64 bits, as a share of the largest: {told}", flush=True)

    def greedy(self, model, kind, path):
        """Free choice, and then the choice at each place of one and the same text: the bytes of activations are rounded
        a little differently, so what is nearly as likely may be chosen instead."""
        free = {"greedy": [1], "count": GREEDY}
        ours, theirs = (self.ask(name, path, free) for name in ["ours", "llama.cpp"])
        same = next((index for index, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]), GREEDY)
        print(f"{model} {kind}: the first {same} of {GREEDY} greedy tokens are llama.cpp's", flush=True)
        text = [1, *theirs[:-1]]
        ours, theirs = (self.ask(name, path, {"follow": text}) for name in ["ours", "llama.cpp"])
        for index, (own, other) in enumerate(zip(ours, theirs)):
            if own != other:
                truth = np.array(self.ask("torch-64", path, {"logits": text[: index + 1]}))
                gap = (truth[own] - truth[other]) / np.abs(truth).max()
                print(f"  in its text, place {index}: {own} for {other}, in 64 bits {gap:+.1e} of the largest logit apart")
        agreed = sum(own == other for own, other in zip(ours, theirs))
        print(f"  at {agreed} of the {GREEDY} places of llama.cpp's text the same is chosen", flush=True)
        return text, ours

    def others(self, model, kind, path, text, ours):
        """Logits and choices of the peers that need not be there, in the same text."""
        tokens = text[:32]
        truth = self.ask("torch-64", path, {"logits": tokens})
        for name in OTHERS:
            try:
                share = error(self.ask(name, path, {"logits": tokens}), truth)
                theirs = self.ask(name, path, {"follow": text})
            except Failed as reason:
                print(f"  {name} is absent: {reason}", flush=True)
                continue
            agreed = sum(own == other for own, other in zip(ours, theirs))
            print(f"  {name}: logits differ by {share:.1e}, at {agreed} places it chooses as we do", flush=True)

    def rewritten(self, model, path, folder):
        """Files that llama.cpp writes from ours."""
        for kind, code in WRITTEN.items():
            made = Path(folder) / f"theirs-{kind}.gguf"
            command = [python(self.environment), __file__, "--rewrite", path, made, str(code)]
            subprocess.run(command, check=True, capture_output=True, cwd=HERE)
            self.logits(model, f"{kind} as llama.cpp wrote it", made, LIMIT if kind == "F16" else 0.03)

    def model(self, model):
        with tempfile.TemporaryDirectory() as folder:
            for kind, limit in [("f32", LIMIT), ("q8", 0.03)]:
                path = Path(folder) / f"{kind}.gguf"
                subprocess.run([self.helper, "export", model, kind, path], check=True)
                self.logits(model, kind, path, limit)
                self.others(model, kind, path, *self.greedy(model, kind, path))
            self.rewritten(model, Path(folder) / "f32.gguf", folder)


def rewrite(given, made, code):
    import llama_cpp

    settings = llama_cpp.llama_model_quantize_default_params()
    settings.ftype, settings.nthread = int(code), 1
    status = llama_cpp.llama_model_quantize(given.encode(), made.encode(), ctypes.byref(settings))
    sys.exit(status)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environment", type=Path, default=TOP / "target" / "peers", help="where the packages are")
    parser.add_argument("--models", nargs="+", default=["small", "medium"], choices=list(VOCABULARIES))
    parser.add_argument("--rewrite", nargs=3, metavar=("FILE", "TO", "KIND"), help="let llama.cpp write a file in another form, and stop")
    arguments = parser.parse_args()
    if arguments.rewrite:
        return rewrite(*arguments.rewrite)
    agreement = Agreement(arguments)
    try:
        for model in arguments.models:
            agreement.model(model)
    except Failed as reason:
        sys.exit(f"a peer is missing: {reason}")
    sys.exit(int(agreement.failed))


if __name__ == "__main__":
    main()
