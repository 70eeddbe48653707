#!/usr/bin/env bash
# One measuring job, on any host: takes in the shared history, measures what the host's event asks for, and keeps all of it
# in files for jobs that may write somewhere. This one needs no secret, for it runs the change's own code. Exits as the
# gate does; a shard exits with 0 if it could measure.
#
#   TACHOGRAPH_BUNDLES  the folder for the files; $RUNNER_TEMP/tachograph, or ./tachograph-bundles, if not set
#   TACHOGRAPH_SHARD    which of several jobs this is, from 1
#   TACHOGRAPH_SHARDS   how many there are
#   TACHOGRAPH_RECORD   true on a trusted branch: its head is measured for the history too
set -uo pipefail
bundles=${TACHOGRAPH_BUNDLES:-${RUNNER_TEMP:+$RUNNER_TEMP/tachograph}}
bundles=${bundles:-tachograph-bundles}
shard=${TACHOGRAPH_SHARD:-}
: "${TACHOGRAPH_SHARDS:=1}"
mkdir -p "$bundles" || exit 3

tachograph ci || exit
tachograph pull || echo "measuring without the shared history" >&2

verdict=0
# Runs a command; the first of all that fails says how this job ends.
first_failure() {
    "$@" || { local code=$?; [ "$verdict" -ne 0 ] || verdict=$code; }
}
if [ "${TACHOGRAPH_RECORD:-false}" = true ] && [ "$(git rev-list --count HEAD)" = 1 ] &&
    [ "$(git rev-parse --is-shallow-repository)" = false ]; then
    echo "this is the first commit of all: there is nothing to compare it with" >&2
else
    tachograph gate --bundle "$bundles/gate${shard:+-$shard}.bundle" ${shard:+--shard "$shard/$TACHOGRAPH_SHARDS"} || verdict=$?
fi

# The history gets its point and its duel whatever the verdict is; of several shards the first one measures it.
if [ "${TACHOGRAPH_RECORD:-false}" = true ]; then
    if [ "${shard:-1}" = 1 ]; then
        first_failure tachograph run HEAD
    fi
    first_failure tachograph push --bundle "$bundles/record${shard:+-$shard}.bundle"
fi
exit "$verdict"
