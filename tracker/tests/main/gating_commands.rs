//! `tachograph gate` on suites that are no workers. What they say they took is written in a file of the repository, so
//! that no machine's speed decides a test; only where commands are timed themselves it is the clock that speaks.

use serde_json::Value;

use crate::world::World;

/// Lists its benchmarks, or runs one or all of them, and prints what `costs.json` says they took.
const SUITE: &str = r#"
import json, sys
costs = json.load(open("costs.json"))
if sys.argv[1:] == ["--list"]:
    print("\n".join("has " + name for name in costs))
    sys.exit()
chosen = sys.argv[1:] or sorted(costs)
for name in chosen:
    if costs[name] == "crash":
        sys.exit("out of luck")
metric = lambda name: {"name": "time", "values": [costs[name], costs[name] * 1.01]}
print(json.dumps({"tachograph": 1, "benchmarks": [{"name": name, "metrics": [metric(name)]} for name in chosen]}))
"#;

const BY_NAME: &str = "[suite.mine]\ncommand = [\"python3\", \"-SE\", \"suite.py\", \"{name}\"]\n\
                       list = [\"python3\", \"-SE\", \"suite.py\", \"--list\"]\nline = \"has {name}\"\n\
                       format = \"tachograph\"\nbudget = \"5m\"\n";

const WHOLE: &str =
    "[suite.mine]\ncommand = [\"python3\", \"-SE\", \"suite.py\"]\nformat = \"tachograph\"\nbudget = \"5m\"\n";

fn world(config: &str, costs: &str) -> World {
    let world = World::new();
    world.write("suite.py", SUITE);
    world.write("costs.json", costs);
    world.write("tachograph.toml", config);
    world.commit("the suite");
    world.git(&["checkout", "--quiet", "-b", "change"]);
    world
}

fn report(world: &World, code: i32, args: &[&str]) -> Value {
    let args = [args, &["--format", "json"]].concat();
    serde_json::from_str(&world.ended(code, &args).out).expect("JSON")
}

#[test]
fn what_got_slower_fails_the_gate_by_name_and_whole() {
    for config in [BY_NAME, WHOLE] {
        let world = world(config, r#"{"a": 700, "b": 900}"#);
        world.write("costs.json", r#"{"a": 1000, "b": 900}"#);
        world.commit("slower here");
        let whole = report(&world, 1, &["gate"]);
        let judged = &whole["reports"][0]["judged"];
        let call = |name: &str| judged[name]["verdicts"][0]["verdict"]["call"].as_str().map(str::to_owned);
        let expected = ["regressed", "unchanged"].map(|call| Some(call.to_owned()));
        assert_eq!(["a", "b"].map(call), expected, "{whole}");
    }
    let world = world(BY_NAME, r#"{"a": 700}"#);
    let printed = world.ended(0, &["gate", "--base", "HEAD", "--head", "HEAD"]);
    assert!(printed.out.starts_with("green: "), "{}", printed.out);
}

#[test]
fn a_benchmark_that_vanished_or_crashes_on_head_is_red_with_its_own_word() {
    for (config, costs, expected) in [
        (BY_NAME, r#"{"a": 700}"#, "missing: b"),
        (WHOLE, r#"{"a": 700}"#, "missing: b"),
        (BY_NAME, r#"{"a": 700, "b": "crash"}"#, "failed on head: b: exited with status 1"),
        (BY_NAME, r#"{"a": 700, "b": 700, "B": 700}"#, "new on head: B"),
    ] {
        let world = world(config, r#"{"a": 700, "b": 700}"#);
        world.write("costs.json", costs);
        world.commit(expected);
        let code = i32::from(!expected.starts_with("new"));
        let printed = world.ended(code, &["gate"]);
        assert!(printed.out.contains(expected), "{}", printed.out);
    }
    let world = world(WHOLE, r#"{"a": 700}"#);
    world.write("costs.json", r#"{"a": "crash"}"#);
    world.commit("yields nothing");
    let printed = world.ended(1, &["gate"]);
    assert!(printed.err.contains("out of luck"), "{}", printed.err);
}

#[test]
fn a_budget_that_is_too_small_decides_nothing_and_what_was_not_reached_is_said() {
    let world = world(BY_NAME, r#"{"a": 700, "b": 700}"#);
    world.write("costs.json", r#"{"a": 1000, "b": 700}"#);
    world.commit("slower");
    let printed = world.ended(0, &["gate", "--budget", "1ms"]);
    assert!(printed.out.starts_with("inconclusive: ") && printed.out.contains("too few lives"), "{}", printed.out);
    assert!(printed.out.contains("before its turn came"), "{}", printed.out);
}

#[test]
fn plain_commands_are_timed_and_one_that_sleeps_longer_is_found() {
    let world = World::new();
    let config = "[suite.cli]\nfolder = \"tools\"\ntimeout = \"30s\"\nbudget = \"5m\"\n\
                  [suite.cli.time]\nnap = [\"sh\", \"nap.sh\"]\n";
    world.write("tools/nap.sh", "sleep 0.02\n");
    world.write("tachograph.toml", config);
    world.commit("a tool");
    let printed = world.ended(0, &["run", "--budget", "300ms"]);
    assert!(printed.out.contains("nap"), "{}", printed.out);
    world.git(&["checkout", "--quiet", "-b", "change"]);
    world.write("tools/nap.sh", "sleep 0.12\n");
    world.commit("a tool that dawdles");
    let whole = report(&world, 1, &["gate"]);
    let verdict = &whole["reports"][0]["judged"]["nap"]["verdicts"][0]["verdict"];
    assert_eq!(verdict["call"], "regressed", "{whole}");
}

#[test]
fn a_folder_that_leads_out_of_the_commit_is_refused() {
    let world = World::new();
    let config = "[suite.a]\nfolder = \"link\"\ncommand = [\"true\"]\nformat = \"go\"\n";
    world.write("tachograph.toml", config);
    std::os::unix::fs::symlink(world.path("home"), world.root().join("link")).expect("a link");
    world.commit("a link that leads out");
    let printed = world.ended(2, &["run"]);
    assert!(printed.err.contains("no folder"), "{}", printed.err);
}

/// A crate without dependencies whose bench target tells how many instructions it took: as many as the library says.
const CRATE: [(&str, &str); 4] = [
    (
        "Cargo.toml",
        "[package]\nname = \"mine\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[[bench]]\nname = \"all\"\nharness = false\n",
    ),
    ("src/lib.rs", "pub const COST: u64 = 1000;\n"),
    (
        "benches/all.rs",
        r##"fn main() {
    println!(r#"{{"tachograph":1,"benchmarks":[{{"name":"a","metrics":[{{"name":"instructions","unit":"count","#);
    println!(r#""better":"lower","kind":"exact","values":[{}]}}]}}]}}"#, mine::COST);
}
"##,
    ),
    (
        "tachograph.toml",
        "[suite.mine]\ncargo = { package = \"mine\", bench = \"all\" }\ncommand = [\"{program}\"]\n\
         format = \"tachograph\"\n",
    ),
];

#[test]
fn head_is_built_from_its_own_files_although_base_is_built_after_they_were_laid_out() {
    let world = World::new();
    for (name, text) in CRATE {
        world.write(name, text);
    }
    world.commit("the suite");
    world.git(&["checkout", "--quiet", "-b", "change"]);
    world.write("src/lib.rs", "pub const COST: u64 = 2000;\n");
    world.commit("slower");
    for _ in 0..2 {
        let whole = report(&world, 1, &["gate"]);
        let judged = &whole["reports"][0]["judged"]["a"]["verdicts"][0];
        assert_eq!((&judged["base"], &judged["head"]), (&1000.0.into(), &2000.0.into()), "{whole}");
    }
    assert!(world.ended(1, &["gate", "--base", "main", "--head", "change"]).out.contains("+100.0 %"));
    assert!(world.ended(0, &["compare", "change", "main"]).out.contains("-50.0 %"));
}

#[test]
fn a_program_that_a_benchmark_starts_is_that_of_its_own_side() {
    let world = World::new();
    for (name, text) in CRATE {
        world.write(name, text);
    }
    world.write("src/bin/tool.rs", "fn main() {\n    print!(\"{}\", mine::COST);\n}\n");
    world.write(
        "benches/all.rs",
        r##"fn main() {
    let told = std::process::Command::new(env!("CARGO_BIN_EXE_tool")).output().unwrap().stdout;
    println!(r#"{{"tachograph":1,"benchmarks":[{{"name":"a","metrics":[{{"name":"instructions","unit":"count","#);
    println!(r#""better":"lower","kind":"exact","values":[{}]}}]}}]}}"#, String::from_utf8(told).unwrap());
}
"##,
    );
    world.commit("the suite");
    world.git(&["checkout", "--quiet", "-b", "change"]);
    // Of all that the benchmark is compiled from nothing changes.
    world.write("src/bin/tool.rs", "fn main() {\n    print!(\"{}\", 2 * mine::COST);\n}\n");
    world.commit("slower");
    let whole = report(&world, 1, &["gate"]);
    let judged = &whole["reports"][0]["judged"]["a"]["verdicts"][0];
    assert_eq!((&judged["base"], &judged["head"]), (&1000.0.into(), &2000.0.into()), "{whole}");
}

#[test]
fn a_build_script_that_watches_a_file_by_its_whole_path_runs_for_each_side() {
    let world = World::new();
    for (name, text) in CRATE {
        let name = if name == "tachograph.toml" { name.to_owned() } else { format!("mine/{name}") };
        world.write(&name, text);
    }
    world.write("Cargo.toml", "[workspace]\nmembers = [\"mine\"]\nresolver = \"2\"\n");
    world.write("mine/src/lib.rs", "include!(concat!(env!(\"OUT_DIR\"), \"/cost.rs\"));\n");
    world.write(
        "mine/build.rs",
        r#"fn main() {
    let cost = std::env::current_dir().unwrap().parent().unwrap().join("cost.txt");
    println!("cargo:rerun-if-changed={}", cost.display());
    let text = format!("pub const COST: u64 = {};", std::fs::read_to_string(cost).unwrap());
    std::fs::write(std::path::Path::new(&std::env::var("OUT_DIR").unwrap()).join("cost.rs"), text).unwrap();
}
"#,
    );
    world.write("cost.txt", "1000");
    world.commit("the suite");
    world.git(&["checkout", "--quiet", "-b", "change"]);
    world.write("cost.txt", "2000");
    world.commit("slower");
    for _ in 0..2 {
        let whole = report(&world, 1, &["gate"]);
        let judged = &whole["reports"][0]["judged"]["a"]["verdicts"][0];
        assert_eq!((&judged["base"], &judged["head"]), (&1000.0.into(), &2000.0.into()), "{whole}");
    }
}
