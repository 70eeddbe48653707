//! What is drawn of a made-up past.

use std::fs;

use crate::made::{Past, Size};
use crate::world::World;

fn with_past(size: Size) -> World {
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
