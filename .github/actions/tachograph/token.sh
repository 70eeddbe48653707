# To be sourced by a step that talks to the host's git: the token is in this step's environment and nowhere else, neither
# in .git/config, where a build could read it, nor in a command line.
#
#   TACHOGRAPH_TOKEN  what may write to the repository, as the host gives it to a job
if [ -n "${TACHOGRAPH_TOKEN:-}" ]; then
    server=${GITHUB_SERVER_URL:-${CI_SERVER_URL:?the address of the git server}}
    export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.$server/.extraheader"
    GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $(printf '%s:%s' "${TACHOGRAPH_USER:-x-access-token}" "$TACHOGRAPH_TOKEN" | base64 | tr -d '\n')"
    export GIT_CONFIG_VALUE_0
    unset TACHOGRAPH_TOKEN
fi
