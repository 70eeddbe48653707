"""One peer in a process of its own: `peer_worker.py PEER FILE THREADS`, then JSON lines in, JSON lines out."""

import json
import sys
import time

import numpy as np

from engines import PEERS, version

# As the engine's suite has it: decoding begins again behind the prompt after so many tokens.
PROMPT, DECODED = 8, 48


def main(name, path, threads):
    peer = PEERS[name](path, int(threads))
    say({"version": version(peer), "loads": hasattr(peer, "load")})
    for line in sys.stdin:
        say(answer(peer, json.loads(line)))


def answer(peer, request):
    if "logits" in request:
        return {"logits": [float(x) for x in np.asarray(peer.prompt(request["logits"])).reshape(-1)]}
    if "greedy" in request:
        return {"tokens": greedy(peer, request["greedy"], request["count"])}
    if "follow" in request:
        first, *others = request["follow"]
        return {"tokens": [int(np.argmax(peer.prompt([first]))), *(int(np.argmax(peer.next(token))) for token in others)]}
    return {"times_ns": measure(peer, request["work"], request["tokens"], request["seconds"])}


def greedy(peer, tokens, count):
    made = [int(np.argmax(peer.prompt(tokens)))]
    while len(made) < count:
        made.append(int(np.argmax(peer.next(made[-1]))))
    return made


def measure(peer, work, tokens, seconds):
    """Times of single calls, the choice of the likeliest token with them, as the engine's suite has it."""
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or not times:
        if work == "decode":
            peer.prompt(tokens[:PROMPT])
            for token in tokens[PROMPT : PROMPT + DECODED]:
                times.append(timed(lambda: int(np.argmax(peer.next(token)))))
        elif work == "load":
            times.append(timed(peer.load))
        else:
            prompt = tokens[: int(work.split("/")[1])]
            times.append(timed(lambda: int(np.argmax(peer.prompt(prompt)))))
    return times


def timed(work):
    begun = time.perf_counter_ns()
    work()
    return time.perf_counter_ns() - begun


def say(reply):
    print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
