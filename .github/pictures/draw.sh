#!/usr/bin/env bash
# Draws the pictures of the README: a made-up past from the generator, shown by the project itself. Needs Chromium.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo build --release --locked --package tachograph --bins --example history
target=$PWD/target/release
pictures=$PWD/.github/pictures
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$target/examples/history" "$scratch/project" 120 400
cd "$scratch/project"
"$target/tachograph" publish --name project
"$target/tachograph" chart '=http/stream/16' --metric =time --machine EPYC --out "$pictures/series.svg"
for look in light dark; do
    # Chromium's own number for a page's wish: 0 is dark, 1 is light.
    scheme=$([ "$look" = light ] && echo 1 || echo 0)
    "$(command -v chromium || command -v google-chrome)" --headless --no-sandbox --disable-gpu --hide-scrollbars \
        --user-data-dir="$scratch/profile" --blink-settings="preferredColorScheme=$scheme" --window-size=1180,720 \
        --screenshot="$pictures/overview-$look.png" "file://$PWD/.tachograph/site/index.html" 2>"$scratch/said"
done
ls -l "$pictures"
