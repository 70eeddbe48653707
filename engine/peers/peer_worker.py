"""One peer in a process of its own: `peer_worker.py PEER FILE THREADS`, then JSON lines in, JSON lines out."""

import json
import resource
import sys
import time

import numpy as np

from engines import PEERS, version

# As the engine's suite has it: decoding begins again behind the prompt after so many tokens.
PROMPT, DECODED = 8, 48


def main(name, path, threads):
    begun = time.perf_counter_ns()
    peer = PEERS[name](path, int(threads))
    loaded = time.perf_counter_ns() - begun
    say({"version": version(peer), "load_ns": loaded})
    for line in sys.stdin:
        request = json.loads(line)
        if "logits" in request:
            logits = peer.prompt(request["logits"])
            say({"logits": [float(x) for x in np.asarray(logits).reshape(-1)]})
        else:
            times = measure(peer, request["work"], request["tokens"], request["seconds"])
            say({"times_ns": times, "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss})


def measure(peer, work, tokens, seconds):
    """Times of single calls, the choice of the likeliest token with them, as the engine's suite has it."""
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or not times:
        if work == "decode":
            peer.prompt(tokens[:PROMPT])
            for token in tokens[PROMPT : PROMPT + DECODED]:
                begun = time.perf_counter_ns()
                int(np.argmax(peer.next(token)))
                times.append(time.perf_counter_ns() - begun)
        else:
            begun = time.perf_counter_ns()
            int(np.argmax(peer.prompt(tokens[: int(work.split("/")[1])])))
            times.append(time.perf_counter_ns() - begun)
    return times


def say(reply):
    print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
