#!/usr/bin/env bash
# Puts the program on the path of the steps to come: the one that is given, or one built from this action's own source,
# unless that very source was built already and the cache brought it here. Where a repository measures itself, a change
# to the program is measured by the program of its base if the cache has that one: no change judges itself, and nothing
# waits for a build.
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

parts=(Cargo.toml Cargo.lock tracker migrations dashboards)
# One line for all that the program is made of in a folder.
source_of() {
    (cd "$1" && find "${parts[@]}" -name target -prune -o -path dashboards/site -prune -o -type f -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum) |
        cat - <(rustc --version 2>/dev/null || true) | sha256sum | cut -d ' ' -f 1
}
# The same of the pull request's base, unless the two differ in how the program is called, told what to measure, or talked
# to.
source_of_base() {
    local base folder
    [ "$PWD" = "${GITHUB_WORKSPACE:-}" ] && [ -n "${GITHUB_BASE_REF:-}" ] || return
    base=$(git rev-parse --quiet --verify "origin/$GITHUB_BASE_REF^{commit}") || return
    git diff --quiet "$base" HEAD -- .github/actions tachograph.toml tracker/harness || return
    folder=$(mktemp -d)
    git archive "$base" "${parts[@]}" | tar -x -C "$folder"
    source_of "$folder"
    rm -r "$folder"
}

source=$(source_of .)
built=$(cat "$root/source" 2>/dev/null || true)
[ -x "$root/bin/tachograph" ] || built=
if [ "$built" = "$source" ]; then
    echo "built already: $("$root/bin/tachograph" --version)"
elif [ -n "$built" ] && [ "$built" = "$(source_of_base)" ]; then
    echo "built already from the base of this change: $("$root/bin/tachograph" --version)"
else
    # Where a repository measures itself, its source is another one with each push: what its dependencies were built to is
    # kept as well.
    case $PWD/ in "${GITHUB_WORKSPACE:-/nowhere}"/*) export CARGO_TARGET_DIR=$root/build ;; esac
    cargo install --quiet --locked --path tracker --root "$root"
    echo "$source" >"$root/source"
fi
echo "$root/bin" >>"$GITHUB_PATH"
