//! GitHub Actions, and the forges whose runners speak its language (Forgejo, Gitea).

use std::path::Path;

use serde::Deserialize;

use super::{Base, Event, Host, Surroundings, address, hash};

/// What is read of the event: the host wrote it, and what people chose (names, titles, messages) is left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    pull_request: Option<PullRequest>,
    merge_group: Option<MergeGroup>,
    workflow_run: Option<WorkflowRun>,
    repository: Option<Place>,
}

#[derive(Debug, Deserialize)]
struct PullRequest {
    number: u64,
    head: End,
    base: End,
}

#[derive(Debug, Deserialize)]
struct End {
    sha: String,
    repo: Option<Place>,
}

#[derive(Debug, Deserialize)]
struct Place {
    id: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct MergeGroup {
    head_sha: String,
    base_sha: String,
}

#[derive(Debug, Deserialize)]
struct WorkflowRun {
    head_sha: String,
    html_url: Option<String>,
    head_repository: Option<Place>,
}

pub(super) fn detect(around: &Surroundings<'_>) -> Option<Host> {
    if !around.says_yes("GITHUB_ACTIONS") {
        return None;
    }
    let told = around.path("GITHUB_EVENT_PATH").and_then(|path| (around.file)(Path::new(&path)));
    let told: Told = told.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let here = told.repository.as_ref().and_then(|place| place.id);
    // A repository that is gone, or that is not told, is not ours.
    let is_elsewhere = |place: Option<&Place>| here.is_none() || place.and_then(|place| place.id) != here;
    let host = Host {
        name: name(around),
        event: Event::Other,
        base: Some(Base::Parent),
        head: around.hash("GITHUB_SHA"),
        pull_request: None,
        is_fork: false,
        run_url: run_url(around),
        summary: around.path("GITHUB_STEP_SUMMARY"),
        outputs: around.path("GITHUB_OUTPUT"),
    };
    let event = around.set("GITHUB_EVENT_NAME").unwrap_or_default();
    Some(match (event.as_str(), told.pull_request, told.merge_group, told.workflow_run) {
        ("push", ..) => Host { event: Event::Push, ..host },
        ("pull_request" | "pull_request_target", Some(pull), ..) => Host {
            event: Event::PullRequest,
            base: hash(&pull.base.sha).map(Base::LeftFrom),
            head: hash(&pull.head.sha),
            pull_request: Some(pull.number),
            is_fork: is_elsewhere(pull.head.repo.as_ref()),
            ..host
        },
        ("merge_group", _, Some(group), _) => Host {
            event: Event::MergeQueue,
            base: hash(&group.base_sha).map(Base::Commit),
            head: hash(&group.head_sha),
            ..host
        },
        ("workflow_run", _, _, Some(run)) => Host {
            event: Event::Report,
            base: None,
            head: hash(&run.head_sha),
            is_fork: is_elsewhere(run.head_repository.as_ref()),
            run_url: run.html_url.as_deref().and_then(address),
            ..host
        },
        _ => host,
    })
}

fn name(around: &Surroundings<'_>) -> &'static str {
    if around.says_yes("FORGEJO_ACTIONS") {
        "Forgejo Actions"
    } else if around.says_yes("GITEA_ACTIONS") {
        "Gitea Actions"
    } else {
        "GitHub Actions"
    }
}

fn run_url(around: &Surroundings<'_>) -> Option<String> {
    let [server, repository, run] =
        ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"].map(|name| around.set(name));
    address(&format!("{}/{}/actions/runs/{}", server?, repository?, run?))
}
