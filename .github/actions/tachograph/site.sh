#!/usr/bin/env bash
# Draws the site from the ledger: everything that was shared, and nothing else.
set -euo pipefail
folder=${1:?the folder of the site}
tachograph pull
tachograph publish --out "$folder" ${GITHUB_REPOSITORY:+--name "$GITHUB_REPOSITORY"}
