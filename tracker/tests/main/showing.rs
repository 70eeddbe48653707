//! What is drawn of a made-up past.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::drawn::Size;
use crate::made::Past;
use crate::world::World;

/// A world whose repository has a made-up past.
pub(crate) fn with_past(size: Size) -> World {
    let world = World::new();
    fs::remove_dir_all(world.root()).expect("the empty repository gives way");
    Past::new(size).write(&world.root()).expect("a past is made");
    world
}

fn small() -> Size {
    Size { series: 12, commits: 30, changes: 2 }
}

#[test]
fn a_series_is_drawn_into_a_file_that_stands_alone() {
    let world = with_past(small());
    let file = world.path("chart.svg");
    let file_name = file.to_str().expect("a path");
    let args = ["chart", "=kernel/matmul/16", "--machine", "EPYC", "--metric", "time", "--out", file_name];
    world.ended(0, &args);
    let first = fs::read_to_string(&file).expect("the picture");
    for wanted in ["<style>", "v0.1.0", "rustc", "EPYC 7763", "class=\"steps\""] {
        assert!(first.contains(wanted), "{wanted} in {first}");
    }
    world.ended(0, &args);
    assert_eq!(fs::read_to_string(&file).expect("the picture"), first, "the same store gives the same bytes");
}

#[test]
fn a_pattern_for_several_series_is_refused_with_what_would_tell_them_apart() {
    let world = with_past(small());
    let file = world.path("chart.svg");
    let several = world.ended(2, &["chart", "matmul", "--out", file.to_str().expect("a path")]);
    assert!(
        several.err.contains("narrow it with --metric, --machine") && several.err.contains("kernel/matmul/16 · time")
    );
    let none = world.ended(2, &["chart", "=nothing", "--out", file.to_str().expect("a path")]);
    assert!(none.err.contains("no series matches"));
    assert!(!file.exists());
}

/// Every file of a folder by its name, with its content.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(inner, content)| (format!("{name}/{inner}"), content)));
        } else {
            found.insert(name, fs::read(&path).expect("a file"));
        }
    }
    found
}

#[test]
fn what_did_not_change_is_not_drawn_again_and_the_bytes_are_the_same() {
    let world = with_past(small());
    let first = world.ended(0, &["publish", "--name", "p"]);
    assert!(first.out.starts_with("12 series, 12 drawn anew"), "{}", first.out);
    let site = files(&world.root().join(".tachograph/site"));
    let again = world.ended(0, &["publish", "--name", "p"]);
    assert!(again.out.starts_with("12 series, 0 drawn anew"), "{}", again.out);
    assert_eq!(files(&world.root().join(".tachograph/site")), site);

    let elsewhere = world.path("elsewhere");
    world.ended(0, &["publish", "--name", "p", "--out", elsewhere.to_str().expect("a path")]);
    assert!(files(&elsewhere) == site, "a site that was drawn in one go is the same");
    let pages = site.keys().filter(|name| name.starts_with("series/")).count();
    assert_eq!(pages, 12);

    world.ended(0, &["publish", "--name", "another"]);
    let renamed = world.ended(0, &["publish", "--name", "p"]);
    assert!(renamed.out.starts_with("12 series, 12 drawn anew"), "{}", renamed.out);
}

/// Accepts in the working copy that the time of some benchmarks got worse at a commit.
pub(crate) fn accept(world: &World, pattern: &str, at: &str) {
    let (commit, base) = (world.git(&["rev-parse", at]), world.git(&["rev-parse", &format!("{at}~1")]));
    let entry = format!(
        "[[accept]]\npattern = \"{pattern}\"\nmetric = \"time\"\nallowed = \"5 %\"\nreason = \"checks <its> input now\"\n\
         commit = \"{commit}\"\nbase = \"{base}\"\nuntil = \"2026-12-31\"\n"
    );
    world.write("tachograph.accept.toml", &entry);
}

#[test]
fn an_acceptance_is_drawn_on_its_series_alone_and_only_their_pages_are_drawn_again() {
    let world = with_past(small());
    world.ended(0, &["publish", "--name", "p"]);
    let before = files(&world.root().join(".tachograph/site"));
    accept(&world, "=kernel/matmul/16", "HEAD~8");
    let again = world.ended(0, &["publish", "--name", "p"]);
    assert!(again.out.starts_with("12 series, 3 drawn anew"), "one benchmark on three machines: {}", again.out);
    let site = files(&world.root().join(".tachograph/site"));
    let text = |content: &[u8]| String::from_utf8_lossy(content).into_owned();
    let differing = |folder: &str, has: &str| {
        let differs = |(name, content): &(&String, &Vec<u8>)| before.get(*name) != Some(*content);
        let changed = site.iter().filter(differs).filter(|(name, _)| name.starts_with(folder));
        let changed: Vec<String> = changed.map(|(_, content)| text(content)).collect();
        assert!(changed.iter().all(|page| page.contains(has)), "{folder}");
        changed.len()
    };
    let told = "accepted, up to 5 % until 2026-12-31: checks &lt;its&gt; input now";
    assert_eq!((differing("series/", told), differing("charts/", told)), (3, 3));
    let elsewhere = world.path("elsewhere");
    world.ended(0, &["publish", "--name", "p", "--out", elsewhere.to_str().expect("a path")]);
    assert!(files(&elsewhere) == site, "a site that was drawn in one go is the same");

    let file = world.path("chart.svg");
    let chart = ["chart", "=kernel/matmul/16", "--machine", "EPYC", "--metric", "time", "--out"];
    world.ended(0, &[&chart[..], &[file.to_str().expect("a path")]].concat());
    assert!(text(&fs::read(&file).expect("the picture")).contains(told));
    let log = world.ended(0, &["log", "=kernel/matmul/16", "--machine", "EPYC", "--metric", "time"]);
    assert!(
        log.out.contains("✓ accepted") && log.out.contains("until 2026-12-31: checks <its> input now"),
        "{}",
        log.out
    );

    world.write("tachograph.accept.toml", "[[accept]]\npattern = 7\n");
    let refused = world.ended(2, &["publish", "--name", "p"]);
    assert!(refused.err.contains("tachograph.accept.toml"), "{}", refused.err);
    fs::remove_file(world.root().join("tachograph.accept.toml")).expect("it is taken away");
    let taken_back = world.ended(0, &["publish", "--name", "p"]);
    assert!(taken_back.out.starts_with("12 series, 3 drawn anew"), "{}", taken_back.out);
    assert!(files(&world.root().join(".tachograph/site")) == before);
}

#[test]
fn a_report_since_a_release_a_day_or_nothing_known() {
    let world = with_past(small());
    let text = world.ended(0, &["report", "--since", "v0.1.0"]);
    assert!(text.out.starts_with("repo since v0.1.0: ") && text.out.contains("By group"), "{}", text.out);
    let markdown = world.ended(0, &["report", "--since", "2024-02-05", "--format", "markdown"]);
    assert!(
        markdown.out.contains("since 2024-02-05") && markdown.out.contains("| group | metric |"),
        "{}",
        markdown.out
    );
    let html = world.ended(0, &["report", "--since", "v0.1.0", "--format", "html"]);
    assert!(html.out.starts_with("<!DOCTYPE html>") && html.out.contains("repo since v0.1.0"), "{}", html.out);
    world.ended(2, &["report", "--since", "no-such-tag"]);
    world.ended(2, &["report", "--since", "1999-01-01"]);
}

#[test]
fn a_picture_of_pixels_is_the_same_each_time_and_other_endings_are_refused() {
    let world = with_past(small());
    let file = world.path("chart.png");
    let file_name = file.to_str().expect("a path");
    let args = ["chart", "=kernel/matmul/16", "--machine", "EPYC", "--metric", "time", "--out", file_name];
    world.ended(0, &args);
    let first = fs::read(&file).expect("the picture");
    assert!(first.starts_with(b"\x89PNG\r\n\x1a\n") && first.len() < 300_000, "{}", first.len());
    world.ended(0, &args);
    assert!(fs::read(&file).expect("the picture") == first, "the same store gives the same bytes");
    let refused = world.ended(2, &["chart", "=kernel/matmul/16", "--out", "chart.gif"]);
    assert!(refused.err.contains(".svg nor in .png"), "{}", refused.err);
}

#[test]
fn a_dashboard_a_badge_and_charts_have_addresses_that_stay() {
    let world = with_past(small());
    world.write(
        "dashboards/kernels.toml",
        "title = \"Kernels\"\n[[chart]]\ntitle = \"Products\"\nseries = \"kernel/matmul/*\"\nmachine = \"EPYC\"\n",
    );
    let both = "{\"tool/start\":{\"latency\":{\"value\":1200.0}}}";
    world.write("ours.json", both);
    world.write("theirs.json", &both.replace("1200", "1250"));
    world.write(
        "dashboards/beside.toml",
        "title = \"Beside\"\n[[chart]]\ntitle = \"Start\"\nseries = \"tool/*\"\nmetric = \"latency\"\n",
    );
    let import = ["import", "--format", "bmf", "--commit", "HEAD", "--machine", "lorry"];
    world.ended(0, &[&import[..], &["ours.json"]].concat());
    world.ended(0, &[&import[..], &["--as-peer", "others", "theirs.json"]].concat());
    world.ended(0, &["publish", "--name", "p"]);
    let site = files(&world.root().join(".tachograph/site"));
    let text = |name: &str| String::from_utf8_lossy(site.get(name).unwrap_or_else(|| panic!("{name}"))).into_owned();
    assert!(text("board-kernels.html").contains("kernel/matmul/16") && text("boards.html").contains("Kernels"));
    assert!(text("charts/kernels-1.svg").contains("class=\"curve l0\""));
    assert!(text("badge.svg").contains("since v"));
    assert!(
        text("charts/beside-1.svg").contains("class=\"peer\"") && text("board-beside.html").contains("others 1.25 k")
    );
    let beside = site.keys().filter(|name| name.starts_with("series/") && text(name).contains("class=\"peer\""));
    assert_eq!(beside.count(), 1, "ours has the line of others, and theirs has none");
    for page in site.keys().filter_map(|name| name.strip_prefix("series/")) {
        let chart = format!("charts/{}", page.replace(".html", ".svg"));
        assert!(text(&format!("series/{page}")).contains(&chart) && text(&chart).contains("<style>"));
    }

    world.write("dashboards/kernels.toml", "title = \"Kernels\"\n[[chart]]\ntitle = \"x\"\nserie = \"y\"\n");
    let refused = world.ended(2, &["publish"]);
    assert!(refused.err.contains("did you mean `series`?") && refused.err.contains("--boards"), "{}", refused.err);
    world.ended(0, &["publish", "--boards", "no-such-folder"]);
}
