#!/usr/bin/env bash
# Builds the program for a target, linked against nothing that a machine might lack, and packs it with its checksum.
set -euo pipefail
target=${1:?a target such as x86_64-unknown-linux-gnu}
out=${2:?the folder for what is built}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=$(cargo metadata --format-version 1 --no-deps --locked |
    python3 -c 'import json, sys; print(next(p["version"] for p in json.load(sys.stdin)["packages"] if p["name"] == "tachograph"))')
case ${GITHUB_REF:-} in
refs/tags/v*) [ "${GITHUB_REF#refs/tags/v}" = "$version" ] || { echo "the tag ${GITHUB_REF#refs/tags/} is not of version $version" >&2; exit 2; } ;;
esac
name=tachograph-$version-$target
export LIBZ_SYS_STATIC=1
# The C library goes in too. Only for this target: what runs while building stays as it is.
flags=CARGO_TARGET_$(printf %s "$target" | tr 'a-z-' 'A-Z_')_RUSTFLAGS
export "$flags=-C target-feature=+crt-static"
cargo build --release --locked --package tachograph --bin tachograph --target "$target"
built=${CARGO_TARGET_DIR:-target}/$target/release/tachograph
if readelf --dynamic "$built" | grep -q '(NEEDED)'; then
    echo "$built needs libraries of the machine:" >&2
    readelf --dynamic "$built" >&2
    exit 3
fi
"$built" --version
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/$name"
cp "$built" README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT NOTICE "$work/$name/"
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$work" -czf "$out/$name.tar.gz" "$name"
(cd "$out" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "$out/$name.tar.gz"
