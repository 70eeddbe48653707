//! GitLab CI.

use super::{Base, Event, Host, Surroundings, address};

pub(super) fn detect(around: &Surroundings<'_>) -> Option<Host> {
    if !around.says_yes("GITLAB_CI") {
        return None;
    }
    let host = Host {
        name: "GitLab CI",
        event: Event::Other,
        base: Some(Base::Parent),
        head: around.hash("CI_COMMIT_SHA"),
        pull_request: None,
        is_fork: false,
        run_url: around.set("CI_JOB_URL").as_deref().and_then(address),
        summary: None,
        outputs: None,
    };
    Some(match around.set("CI_PIPELINE_SOURCE").as_deref() {
        Some("push") => Host { event: Event::Push, ..host },
        Some("merge_request_event") => of_merge_request(around, host),
        _ => host,
    })
}

fn of_merge_request(around: &Surroundings<'_>, host: Host) -> Host {
    let is_train = around.set("CI_MERGE_REQUEST_EVENT_TYPE").is_some_and(|kind| kind == "merge_train");
    // A pipeline of the merged result, or of a train, stands on a commit that GitLab made: its first parent is the target.
    let is_merged = is_train || around.set("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA").is_some();
    let left_from = ["CI_MERGE_REQUEST_DIFF_BASE_SHA", "CI_MERGE_REQUEST_TARGET_BRANCH_SHA"];
    let base = left_from.iter().find_map(|name| around.hash(name)).map(Base::LeftFrom);
    let project = |name: &str| around.set(name);
    Host {
        event: if is_train { Event::MergeQueue } else { Event::PullRequest },
        base: if is_merged { Some(Base::Parent) } else { base },
        pull_request: around.set("CI_MERGE_REQUEST_IID").and_then(|number| number.parse().ok()),
        is_fork: project("CI_MERGE_REQUEST_SOURCE_PROJECT_ID") != project("CI_MERGE_REQUEST_PROJECT_ID"),
        ..host
    }
}
