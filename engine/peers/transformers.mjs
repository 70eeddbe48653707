// Transformers.js on the ONNX file that `onnx_graph.py` writes: its loader, and its step of a decoder with the graph's own
// inputs. `transformers.mjs PACKAGES FILE THREADS`, then JSON lines in, JSON lines out, as `peer_worker.py` has it.

import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";

// As the engine's suite has it: decoding begins again behind the prompt after so many tokens.
const PROMPT = 8;
const DECODED = 48;

const [packages, file, threads] = process.argv.slice(2);
const require = createRequire(path.resolve(packages, "package.json"));
const { AutoModelForCausalLM, Tensor, env } = require("@huggingface/transformers");

// The folder that the loader wants. What a config would say of the cache is not asked for: the graph has one input for it.
function folderOf(file) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "peer-"));
  process.on("exit", () => fs.rmSync(folder, { recursive: true }));
  fs.mkdirSync(path.join(folder, "model", "onnx"), { recursive: true });
  fs.symlinkSync(path.resolve(file), path.join(folder, "model", "onnx", "model.onnx"));
  const config = { model_type: "gpt2", n_layer: 1, n_head: 1, n_embd: 1 };
  fs.writeFileSync(path.join(folder, "model", "config.json"), JSON.stringify(config));
  return folder;
}

function open() {
  const session_options = { intraOpNumThreads: Number(threads), logSeverityLevel: 3 };
  return AutoModelForCausalLM.from_pretrained("model", { device: "cpu", dtype: "fp32", session_options });
}

class Peer {
  constructor(model) {
    this.model = model;
    const { shape } = model.sessions.model.inputMetadata.find((input) => input.name === "past");
    const sizes = shape.map((size) => (typeof size === "number" ? size : 0));
    this.empty = new Tensor("float32", new Float32Array(0), sizes);
    this.past = this.empty;
  }

  prompt(tokens) {
    this.past = this.empty;
    return this.step(tokens);
  }

  next(token) {
    return this.step([token]);
  }

  async step(tokens) {
    const count = tokens.length;
    const begin = this.past.dims[2];
    const all = begin + count;
    const mask = new Float32Array(count * all);
    for (let row = 0; row < count; row++) mask.fill(-1e30, row * all + begin + row + 1, (row + 1) * all);
    const { logits, present } = await this.model.forward({
      tokens: new Tensor("int64", BigInt64Array.from(tokens, BigInt), [count]),
      positions: new Tensor("int64", BigInt64Array.from(tokens, (_, index) => BigInt(begin + index)), [count]),
      mask: new Tensor("float32", mask, [count, all]),
      past_key_values: { past: this.past },
    });
    this.past = present;
    return logits.data;
  }
}

async function answer(peer, request) {
  if (request.logits) return { logits: Array.from(await peer.prompt(request.logits)) };
  if (request.greedy) return { tokens: await greedy(peer, request.greedy, request.count) };
  if (request.follow) return { tokens: await follow(peer, request.follow) };
  return { times_ns: await measure(peer, request) };
}

async function greedy(peer, tokens, count) {
  const made = [likeliest(await peer.prompt(tokens))];
  while (made.length < count) made.push(likeliest(await peer.next(made.at(-1))));
  return made;
}

async function follow(peer, [first, ...others]) {
  const made = [likeliest(await peer.prompt([first]))];
  for (const token of others) made.push(likeliest(await peer.next(token)));
  return made;
}

// Times of single calls, the choice of the likeliest token with them.
async function measure(peer, { work, tokens, seconds }) {
  const times = [];
  const end = performance.now() + 1000 * seconds;
  while (times.length === 0 || performance.now() < end) {
    if (work === "decode") {
      await peer.prompt(tokens.slice(0, PROMPT));
      for (const token of tokens.slice(PROMPT, PROMPT + DECODED)) {
        times.push(await timed(async () => likeliest(await peer.next(token))));
      }
    } else if (work === "load") {
      const begun = process.hrtime.bigint();
      const model = await open();
      times.push(Number(process.hrtime.bigint() - begun));
      await model.dispose();
    } else {
      const prompt = tokens.slice(0, Number(work.split("/")[1]));
      times.push(await timed(async () => likeliest(await peer.prompt(prompt))));
    }
  }
  return times;
}

async function timed(work) {
  const begun = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - begun);
}

function likeliest(logits) {
  let best = 0;
  for (let token = 1; token < logits.length; token++) if (logits[token] > logits[best]) best = token;
  return best;
}

const say = (reply) => process.stdout.write(JSON.stringify(reply) + "\n");

env.allowRemoteModels = false;
env.localModelPath = folderOf(file);
const peer = new Peer(await open());
say({ version: env.version, loads: true });
for await (const line of readline.createInterface({ input: process.stdin })) say(await answer(peer, JSON.parse(line)));
