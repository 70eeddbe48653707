#!/usr/bin/env bash
# The job that shares: takes in what a measuring job of a trusted branch handed on, and pushes it to the ledger. It may
# write, so it runs nothing of what was measured: it reads files, as data.
#
#   TACHOGRAPH_BUNDLES  the folder with the files
#   TACHOGRAPH_COMMIT   the commit that was measured, as the host's event says
#   TACHOGRAPH_TOKEN    what may write; without it, git's own credentials
#   TACHOGRAPH_SITE     a folder for the site; none if not set
set -uo pipefail
bundles=${TACHOGRAPH_BUNDLES:?the folder with the files}
commit=${TACHOGRAPH_COMMIT:?the commit that was measured}
source "$(dirname "${BASH_SOURCE[0]}")/token.sh"

tachograph pull || echo "the shared history cannot be read; it is pushed to all the same" >&2
files=()
for file in "$bundles"/record*.bundle; do
    [ -f "$file" ] && files+=(--bundle "$file")
done
if [ ${#files[@]} -eq 0 ]; then
    echo "no job handed anything on" >&2
    exit 4
fi
tachograph pull "${files[@]}" --commit "$commit" || exit
tachograph push || exit
if [ -n "${TACHOGRAPH_SITE:-}" ]; then
    tachograph publish --out "$TACHOGRAPH_SITE" ${GITHUB_REPOSITORY:+--name "$GITHUB_REPOSITORY"} || exit
fi
