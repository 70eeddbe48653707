#!/usr/bin/env bash
# One measuring job, on any host: takes in the shared history, measures what the host's event asks for, keeps all of it in
# a bundle file, and on a trusted branch shares it. Exits as the gate does.
set -uo pipefail
bundle=${TACHOGRAPH_BUNDLE:-${RUNNER_TEMP:-.}/tachograph.bundle}

tachograph ci || exit
tachograph pull || echo "measuring without the shared history" >&2

verdict=0
tachograph gate --bundle "$bundle" || verdict=$?

if [ "${TACHOGRAPH_PUSH:-false}" = true ]; then
    # The history gets its point and its duel whatever the verdict is; a first commit has nothing before it, and that is
    # no fault of its own.
    tachograph run HEAD || [ "$verdict" -ne 0 ] || verdict=$?
    tachograph push || verdict=$?
fi
exit "$verdict"
