#!/usr/bin/env bash
# Puts the program on the path of the steps to come: the one that is given, or one built from this action's own source,
# unless that very source was built already and the cache brought it here.
set -euo pipefail
: "${GITHUB_PATH:?is set by the runner}"
if [ -n "${TACHOGRAPH_BINARY:-}" ]; then
    program=$(realpath "$TACHOGRAPH_BINARY")
    "$program" --version
    dirname "$program" >>"$GITHUB_PATH"
    exit
fi
root=$HOME/.local/share/tachograph
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
source=$(find Cargo.toml Cargo.lock tracker migrations dashboards -name target -prune -o -path dashboards/site -prune -o -type f -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum | cat - <(rustc --version 2>/dev/null || true) | sha256sum | cut -d ' ' -f 1)
if [ -x "$root/bin/tachograph" ] && [ "$(cat "$root/source" 2>/dev/null)" = "$source" ]; then
    echo "built already: $("$root/bin/tachograph" --version)"
else
    # Where a repository measures itself, its source is another one with each change: what its dependencies were built to is
    # kept as well.
    case $PWD/ in "${GITHUB_WORKSPACE:-/nowhere}"/*) export CARGO_TARGET_DIR=$root/build ;; esac
    cargo install --quiet --locked --path tracker --root "$root"
    echo "$source" >"$root/source"
fi
echo "$root/bin" >>"$GITHUB_PATH"
