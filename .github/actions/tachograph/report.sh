#!/usr/bin/env bash
# The reporting job: judges anew what a measuring job handed on, and says it where people look. It runs with a token that
# may write, so it runs nothing of the change: it reads one file, as data. What it knows of the change comes from the
# host's event, by these variables:
#
#   TACHOGRAPH_COMMIT   the commit that was measured
#   TACHOGRAPH_OWNER    who owns the repository that it is of
#   TACHOGRAPH_BRANCH   the branch that it is of
#   TACHOGRAPH_TRUSTED  true if that repository is this one
#   TACHOGRAPH_RUN_URL  where the measuring job can be looked at
#   TACHOGRAPH_TOKEN    what may write to the ledger; without it, git's own credentials
set -uo pipefail
: "${GITHUB_REPOSITORY:?}" "${TACHOGRAPH_COMMIT:?}" "${TACHOGRAPH_OWNER:?}" "${TACHOGRAPH_BRANCH:?}"
bundles=${1:?the folder with the bundle files}
source "$(dirname "${BASH_SOURCE[0]}")/token.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The open pull request whose head is this very commit; anything else has moved on.
number=
while read -r candidate head; do
    [ "$head" = "$TACHOGRAPH_COMMIT" ] && number=$candidate
done < <(gh api --method GET "repos/$GITHUB_REPOSITORY/pulls" -f state=open -f "head=$TACHOGRAPH_OWNER:$TACHOGRAPH_BRANCH" \
    --jq '.[] | "\(.number) \(.head.sha)"')
if ! [[ $number =~ ^[0-9]+$ ]]; then
    echo "no open pull request has $TACHOGRAPH_COMMIT as its head: nothing to report"
    exit 0
fi

# What the jobs handed on; a shard is a file.
files=()
for file in "$bundles"/gate*.bundle; do
    [ -f "$file" ] && files+=(--bundle "$file")
done
# The change itself, as objects that nobody checks out or runs: whether it changes more than documentation, and what it
# accepts, is read from there.
git fetch --quiet --no-tags --no-recurse-submodules --no-write-fetch-head origin "refs/pull/$number/head" ||
    echo "the change cannot be fetched: only its numbers are judged" >&2

# What is known of earlier measurements helps to judge; only what trusted people's changes teach is kept. What was judged
# without it is not: verdicts are kept once, and others would learn one that does not know what they know.
keep=()
if ! tachograph pull; then
    echo "judging without the shared history, and keeping nothing" >&2
elif [ "${TACHOGRAPH_TRUSTED:-false}" = true ]; then
    keep=(--keep)
fi
if [ ${#files[@]} -gt 0 ]; then
    verdict=0 said="what was measured cannot be used"
    tachograph report "${files[@]}" --commit "$TACHOGRAPH_COMMIT" --format markdown \
        --link "${TACHOGRAPH_RUN_URL:-}" ${keep[@]+"${keep[@]}"} >"$work/report.md" || verdict=$?
else
    verdict=3 said="the job that measured handed nothing on"
fi
case $verdict in
0) state=success ;;
1 | 4) state=failure ;;
*) state=error ;;
esac
# The report knows best what it says: that passes which had nothing to be compared with, too, and that may fail which could
# only not be decided.
if [ -s "$work/report.md" ]; then
    said=$(sed -n '1s/^### Tachograph: //p' "$work/report.md")
else
    echo "### Tachograph: $said" >"$work/report.md"
fi

# One comment, told from others by its first line and its author, is edited in place.
marker='<!-- tachograph -->'
{ echo "$marker"; cat "$work/report.md"; } >"$work/comment.md"
comment=$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$number/comments" \
    --jq ".[] | select(.user.login == \"github-actions[bot]\" and (.body | startswith(\"$marker\"))) | .id" | head -n 1)
if [[ $comment =~ ^[0-9]+$ ]]; then
    gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$comment" -F "body=@$work/comment.md" --silent
else
    gh api --method POST "repos/$GITHUB_REPOSITORY/issues/$number/comments" -F "body=@$work/comment.md" --silent
fi || echo "the comment could not be written; the verdict stands" >&2
gh api --method POST "repos/$GITHUB_REPOSITORY/statuses/$TACHOGRAPH_COMMIT" -f "state=$state" -f context=tachograph \
    -f "description=$said" --silent || echo "the status could not be set; the verdict stands" >&2

if [ ${#keep[@]} -gt 0 ]; then
    tachograph push || echo "what was learned could not be shared" >&2
fi
