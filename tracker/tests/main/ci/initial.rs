use std::fs;
use std::process::Command;

use crate::world::{World, skip};

fn list(world: &World) -> Vec<String> {
    let status = world.git(&["status", "--porcelain", "--untracked-files=all"]);
    status.lines().map(|line| line[3..].to_owned()).collect()
}

#[test]
fn what_init_writes_is_measured_at_first_use_and_nothing_else_is_touched() {
    let world = World::new();
    world.write("go.mod", "module example.invalid/sum\n\ngo 1.18\n");
    world.write("sum.go", "package sum\n\nfunc Sum(n int) int {\n\ts := 0\n\tfor i := 0; i < n; i++ {\n\t\ts += i ^ s\n\t}\n\treturn s\n}\n");
    world.write("sum_test.go", "package sum\n\nimport \"testing\"\n\nvar sink int\n\nfunc BenchmarkSum(b *testing.B) {\n\tfor i := 0; i < b.N; i++ {\n\t\tsink = Sum(1000)\n\t}\n}\n");
    world.write("untidy.txt", "not committed");
    world.git(&["add", "go.mod", "sum.go", "sum_test.go"]);
    world.git(&["commit", "--quiet", "--message", "a suite"]);
    let printed = world.ended(0, &["init"]);
    assert!(printed.out.contains("wrote tachograph.toml") && printed.out.contains("tachograph run"), "{}", printed.out);
    let expected = [
        ".github/workflows/tachograph-report.yml",
        ".github/workflows/tachograph.yml",
        "tachograph.toml",
        "untidy.txt",
    ];
    assert_eq!(list(&world), expected);
    let config = fs::read_to_string(world.root().join("tachograph.toml")).expect("written");
    assert!(config.contains("recipe = \"go\""), "{config}");
    if Command::new("go").arg("version").output().is_ok_and(|printed| printed.status.success()) {
        let run = world.ended(0, &["run", "--budget", "2s"]);
        assert!(run.out.contains("Sum"), "{}\n{}", run.out, run.err);
    } else {
        skip("the first run", "this machine has no Go (Debian: apt install golang-go)");
    }
    let again = world.ended(2, &["init"]);
    assert!(again.err.contains("nothing is overwritten"), "{}", again.err);
}

#[test]
fn init_knows_the_suites_that_people_have_and_says_what_it_cannot_measure_alone() {
    let world = World::new();
    let manifest = "[package]\nname = \"it\"\nversion = \"0.1.0\"\n[dev-dependencies]\ncriterion = \"0.5\"\ndivan = \"0.1\"\n\
                    gungraun = \"0.20\"\n[[bench]]\nname = \"one\"\nharness = false\n[[bench]]\nname = \"two\"\nharness = false\n\
                    [[bench]]\nname = \"counts\"\nharness = false\n[[bench]]\nname = \"own\"\nharness = false\n";
    world.write("Cargo.toml", manifest);
    world.write("benches/one.rs", "use criterion::Criterion;");
    world.write("benches/two/main.rs", "fn main() { divan::main() }");
    world.write("benches/counts.rs", "use gungraun::main;");
    world.write("benches/own.rs", "use tachograph_harness::Suite;");
    world.write("package.json", "{\"devDependencies\": {\"vitest\": \"1\"}}");
    world.write("src/all.bench.ts", "bench('x', () => {});");
    world.write("package-lock.json", "{}");
    world.write("tools/package.json", "{\"devDependencies\": {\"mitata\": \"1\"}}");
    world.write("python/asv.conf.json", "{}");
    world.write("tests/test_it.py", "def test_it(benchmark):\n    benchmark(len, [])\n");
    world.write("target/debug/x_test.go", "func BenchmarkOfSomebodyElse() {}");
    world.commit("suites");
    let printed = world.ended(0, &["init", "--branch", "trunk"]);
    let config = fs::read_to_string(world.root().join("tachograph.toml")).expect("written");
    for expected in [
        "[suite.one]\nrecipe = \"criterion\"\ncargo = { package = \"it\", bench = \"one\" }",
        "[suite.two]\nrecipe = \"divan\"",
        "[suite.own]\ncargo = { package = \"it\", bench = \"own\" }",
        "[suite.python]\nrecipe = \"pytest-benchmark\"",
        "[suite.counts]\nrecipe = \"gungraun\"\ncargo = { package = \"it\", bench = \"counts\" }\nbudget = \"60s\"",
        "[suite.vitest]\nrecipe = \"vitest\"\nbuild = [\"npm\", \"ci\"]\nbudget = \"180s\"",
        "[suite.asv]\nrecipe = \"asv\"\nfolder = \"python\"\nbudget = \"180s\"",
    ] {
        assert!(config.contains(expected), "{expected}\nin\n{config}");
    }
    assert!(!config.contains("[suite.go"), "what was built is not looked at: {config}");
    assert!(printed.out.contains("mitata"), "{}", printed.out);
    // The project's own reader takes it.
    world.ended(0, &["run", "--dry-run"]);
    let workflow = fs::read_to_string(world.root().join(".github/workflows/tachograph.yml")).expect("written");
    assert!(workflow.contains("branches: [\"trunk\"]"), "{workflow}");
    // What a hosted runner has not is installed before anything is measured.
    let (before, _) = workflow.split_once("actions/tachograph@").expect("the action");
    for needed in ["pytest pytest-benchmark", "pip install --quiet --break-system-packages asv", "valgrind", "-runner@"]
    {
        assert!(before.contains(needed), "{needed} in\n{workflow}");
    }
}

#[test]
fn benchmarks_that_need_a_persons_word_are_not_said_to_be_missing() {
    let world = World::new();
    world.write("CMakeLists.txt", "target_link_libraries(b benchmark::benchmark)\n");
    world.commit("benchmarks in C++");
    let err = world.ended(2, &["init"]).err;
    assert!(err.contains("that can be measured as they are") && err.contains("google-benchmark"), "{err}");
    assert_eq!(list(&world), [""; 0]);
}

#[test]
fn init_writes_nothing_where_there_is_nothing_to_measure() {
    let world = World::new();
    world.write("readme", "nothing");
    world.commit("nothing");
    let printed = world.ended(2, &["init"]);
    assert!(printed.err.contains("no benchmarks were found"), "{}", printed.err);
    assert_eq!(list(&world), [""; 0]);
}
