//! What is written: text that says why beside each key.

use super::look::Found;

/// The configuration.
pub(super) fn configuration(found: &Found) -> String {
    let mut text = String::from(
        "# What Tachograph measures in this repository, and what it allows.\n\
         # `tachograph gate` compares what is checked out with where it left the main branch; `tachograph run` measures\n\
         # one commit for the history. A gate reads this file from its base, so a change here takes effect once merged.\n\
         \n\
         # At most one gate in so many is red although nothing got slower.\n\
         false_reds = \"1 in 1000\"\n",
    );
    for suite in &found.suites {
        text = text + "\n# " + &suite.what.replace(char::is_control, " ") + "\n[suite." + &suite.name + "]\n";
        for key in &suite.keys {
            text = text + key + "\n";
        }
        text = text
            + "budget = \""
            + &suite.budget_s.to_string()
            + "s\"     # how long measuring it takes at most, shared by what its benchmarks need\n";
    }
    text + "\n# How much worse is allowed; the last entry that speaks of something decides it.\n\
            # [[policy]]\n# pattern = \"*\"\n# limit = \"2 %\"\n"
}

const CHECKOUT: &str = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2";
const DOWNLOAD: &str = "actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093 # v4.3.0";
const SOURCE: &str = "tachograph/tachograph";

/// Where a page of ours can be read by somebody who has only the program.
pub(super) fn address(page: &str) -> String {
    format!("https://github.com/{SOURCE}/blob/main/{page}")
}

/// What a hosted runner lacks, by the recipe that needs it, as the step that installs it.
const LACKING: [(&str, &str); 3] = [
    ("pytest-benchmark", "python3 -m pip install --quiet --break-system-packages pytest pytest-benchmark"),
    ("asv", "python3 -m pip install --quiet --break-system-packages asv"),
    (
        "gungraun",
        r#"sudo apt-get update -qq && sudo apt-get install -y -qq valgrind && cargo install --quiet $(cargo metadata --format-version 1 | jq -r '.packages[] | select(.name == "gungraun" or .name == "iai-callgrind") | "\(.name)-runner@\(.version)"')"#,
    ),
];

/// The steps that install what the suites need and a runner has not.
fn lacking(found: &Found) -> String {
    let needs = |recipe: &str| {
        let key = format!("recipe = \"{recipe}\"");
        found.suites.iter().any(|suite| suite.keys.contains(&key))
    };
    let step = |(_, run): &(&str, &str)| format!("      - run: {run} # and what else the benchmarks need\n");
    LACKING.iter().filter(|(recipe, _)| needs(recipe)).map(step).collect()
}

/// The workflow that measures, and shares what the main branch measured.
pub(super) fn workflow(branch: &str, found: &Found) -> String {
    let branch = serde_json::Value::from(branch).to_string();
    let lacking = lacking(found);
    format!(
        r"# Does this change make anything slower? Measures each pull request, and each push to the main branch, against its base.
# No secret is in the job that measures, for it runs the change's own code: what a push measured is handed to a job that
# may write and runs nothing of it. Name a release's hash in place of `main` below once you rely on it.
name: tachograph
on:
  push:
    branches: [{branch}]
  pull_request:
  merge_group:
permissions:
  contents: read
concurrency:
  group: tachograph-${{{{ github.event_name }}}}-${{{{ github.head_ref || github.sha }}}}
  cancel-in-progress: ${{{{ github.event_name == 'pull_request' }}}}
jobs:
  measure:
    runs-on: ubuntu-24.04
    timeout-minutes: 60
    steps:
      - uses: {CHECKOUT}
        with:
          ref: ${{{{ github.event.pull_request.head.sha || github.sha }}}}
          fetch-depth: 0 # a gate needs the commit at which the change left the main branch
          persist-credentials: false
{lacking}      - uses: {SOURCE}/.github/actions/tachograph@main
        with:
          record: ${{{{ github.event_name == 'push' }}}}
  record:
    if: ${{{{ !cancelled() && github.event_name == 'push' }}}}
    needs: measure
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    permissions:
      contents: write # refs/tachograph/ledger, the history that all share
    steps:
      - uses: {CHECKOUT}
        with:
          fetch-depth: 0
          persist-credentials: false
      - uses: {SOURCE}/.github/actions/tachograph/record@main
"
    )
}

/// The workflow that says on the pull request what was measured.
pub(super) fn report_workflow() -> String {
    format!(
        r"# Says on the pull request what `tachograph` measured, also for forks. It has the right to write and therefore runs
# nothing of the change: it checks out the main branch, and reads files as data.
name: tachograph report
on:
  workflow_run:
    workflows: [tachograph]
    types: [completed]
permissions:
  contents: read
jobs:
  report:
    if: github.event.workflow_run.event == 'pull_request' && github.event.workflow_run.conclusion != 'cancelled'
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    permissions:
      actions: read # the other workflow's artifacts
      contents: write # refs/tachograph/ledger
      pull-requests: write # the comment
      statuses: write # the verdict, drawn anew
    steps:
      - uses: {CHECKOUT}
        with:
          fetch-depth: 0
          persist-credentials: false
      - uses: {DOWNLOAD}
        with:
          pattern: tachograph-*
          merge-multiple: true
          path: ${{{{ runner.temp }}}}/incoming
          run-id: ${{{{ github.event.workflow_run.id }}}}
          github-token: ${{{{ github.token }}}}
      - uses: {SOURCE}/.github/actions/tachograph/report@main
        with:
          folder: ${{{{ runner.temp }}}}/incoming
"
    )
}

/// The jobs for GitLab.
pub(super) fn gitlab() -> String {
    include_str!("gitlab.yml").replace("@SOURCE@", &format!("https://github.com/{SOURCE}"))
}
