#!/usr/bin/env bash
# Puts the program on the path of the steps to come: the one that is given, or one built from this action's own source.
set -euo pipefail
: "${GITHUB_PATH:?is set by the runner}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ -n "${TACHOGRAPH_BINARY:-}" ]; then
    program=$(realpath "$TACHOGRAPH_BINARY")
    "$program" --version
    dirname "$program" >>"$GITHUB_PATH"
else
    root=$HOME/.local/share/tachograph
    cargo install --quiet --locked --path "$here/../../../tracker" --root "$root"
    echo "$root/bin" >>"$GITHUB_PATH"
fi
