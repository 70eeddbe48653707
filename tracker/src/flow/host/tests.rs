use std::collections::BTreeMap;

use super::*;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const C: &str = "cccccccccccccccccccccccccccccccccccccccc";

fn id(text: &str) -> CommitId {
    CommitId::new(text).unwrap()
}

fn on(variables: &[(&str, &str)], event: &str) -> Option<Host> {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    detect(&Surroundings {
        variable: &|name| variables.get(name).map(|value| (*value).to_owned()),
        file: &|_| Some(event.to_owned()),
    })
}

fn github(event: &str, told: &str) -> Host {
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", event),
        ("GITHUB_EVENT_PATH", "/event.json"),
        ("GITHUB_SHA", C),
        ("GITHUB_SERVER_URL", "https://forge.example"),
        ("GITHUB_REPOSITORY", "a/b"),
        ("GITHUB_RUN_ID", "17"),
    ];
    on(&variables, told).unwrap()
}

#[test]
fn outside_of_ci_there_is_no_host() {
    assert_eq!(on(&[], ""), None);
    assert_eq!(on(&[("CI", "false")], ""), None);
}

#[test]
fn a_push_is_compared_with_its_first_parent() {
    let host = github("push", "{}");
    assert_eq!((host.event, host.base), (Event::Push, Some(Base::Parent)));
    assert_eq!(host.run_url.as_deref(), Some("https://forge.example/a/b/actions/runs/17"));
}

#[test]
fn a_pull_request_is_compared_with_where_it_left_its_target_and_a_fork_is_known() {
    let told = |repo: &str| {
        format!(
            r#"{{"repository":{{"id":1}},"pull_request":{{"number":9,"title":"$(evil)",
            "head":{{"sha":"{A}","repo":{repo}}},"base":{{"sha":"{B}","repo":{{"id":1}}}}}}}}"#
        )
    };
    for (repo, is_fork) in [(r#"{"id":1}"#, false), (r#"{"id":2}"#, true), ("null", true)] {
        let host = github("pull_request", &told(repo));
        assert_eq!((host.event, host.pull_request, host.is_fork), (Event::PullRequest, Some(9), is_fork), "{repo}");
        assert_eq!((host.base, host.head), (Some(Base::LeftFrom(id(B))), Some(id(A))));
    }
}

#[test]
fn a_merge_queue_is_compared_with_what_it_says() {
    let host = github("merge_group", &format!(r#"{{"merge_group":{{"head_sha":"{A}","base_sha":"{B}"}}}}"#));
    assert_eq!((host.event, host.base, host.head), (Event::MergeQueue, Some(Base::Commit(id(B))), Some(id(A))));
}

#[test]
fn a_report_measures_nothing_and_speaks_of_the_run_that_ended() {
    let told = format!(
        r#"{{"repository":{{"id":1}},"workflow_run":{{"head_sha":"{A}","html_url":"https://forge.example/a/b/actions/runs/5",
        "head_repository":{{"id":2}}}}}}"#
    );
    let host = github("workflow_run", &told);
    assert_eq!((host.event, host.base, host.head, host.is_fork), (Event::Report, None, Some(id(A)), true));
    assert!(host.run_url.unwrap().ends_with("/5"));
}

#[test]
fn an_event_that_makes_no_sense_is_no_event() {
    for told in ["", "[]", r#"{"pull_request":{"number":"x"}}"#, &"[".repeat(100_000)] {
        let host = github("pull_request", told);
        assert_eq!((host.event, host.base), (Event::Other, Some(Base::Parent)));
    }
    let odd = format!(
        r#"{{"pull_request":{{"number":1,"head":{{"sha":"--upload-pack=x"}},"base":{{"sha":"{}"}}}}}}"#,
        "0".repeat(40)
    );
    let host = github("pull_request", &odd);
    assert_eq!((host.base, host.head), (None, None));
    let host = on(&[("CI", "true"), ("BUILD_URL", "https://x/](javascript:y) <b>")], "").unwrap();
    assert_eq!(host.run_url, None);
}

#[test]
fn gitlab_merge_requests_merged_results_and_trains_have_their_bases() {
    let merge_request = [
        ("GITLAB_CI", "true"),
        ("CI_PIPELINE_SOURCE", "merge_request_event"),
        ("CI_COMMIT_SHA", C),
        ("CI_MERGE_REQUEST_IID", "4"),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", B),
        ("CI_MERGE_REQUEST_PROJECT_ID", "1"),
        ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "1"),
    ];
    let host = on(&merge_request, "").unwrap();
    assert_eq!((host.event, host.base, host.is_fork), (Event::PullRequest, Some(Base::LeftFrom(id(B))), false));
    let merged = [&merge_request[..], &[("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", A)]].concat();
    assert_eq!(on(&merged, "").unwrap().base, Some(Base::Parent));
    let train = [&merged[..], &[("CI_MERGE_REQUEST_EVENT_TYPE", "merge_train")]].concat();
    assert_eq!(on(&train, "").unwrap().event, Event::MergeQueue);
    let elsewhere: Vec<(&str, &str)> =
        merge_request[..6].iter().copied().chain([("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "2")]).collect();
    assert!(on(&elsewhere, "").unwrap().is_fork);
}

#[test]
fn whoever_names_a_base_by_hand_knows_better() {
    let base = |named: &str| on(&[("TACHOGRAPH_BASE", named)], "").unwrap().base;
    assert_eq!([A, "v1.2"].map(base), [A, "v1.2"].map(|named| Some(Base::Named(named.to_owned()))));
    assert_eq!(base(&"0".repeat(40)), None, "no commit, as hosts write it");
    let told = r#"{"pull_request": {"number": 7, "base": {"sha": "REPLACED"}}}"#.replace("REPLACED", B);
    let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "pull_request"), ("TACHOGRAPH_BASE", "main")];
    let host = on(&[&variables[..], &[("GITHUB_EVENT_PATH", "/event.json")]].concat(), &told).unwrap();
    assert_eq!(host.base, Some(Base::Named("main".to_owned())), "and not what the event says");
}
