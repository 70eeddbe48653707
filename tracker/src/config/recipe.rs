//! Recipes: how the harnesses that people have list their benchmarks, run one of them with a short warm-up, and write
//! what they measured. A recipe fills in what a suite leaves out; each key that the suite gives stands.

/// A harness, as far as all suites of it are alike.
#[derive(Debug)]
pub(super) struct Recipe {
    pub(super) name: &'static str,
    /// What builds it, where that is always the same.
    pub(super) build: &'static [&'static str],
    /// What `{program}` stands for, where that is always the same.
    pub(super) program: Option<&'static str>,
    /// Nothing where it is cheaper to run all benchmarks in one process.
    pub(super) list: &'static [&'static str],
    pub(super) line: &'static str,
    pub(super) command: &'static [&'static str],
    pub(super) format: &'static str,
    pub(super) output: Option<&'static str>,
}

/// Prints the tests that use the fixture `benchmark`, a line each; pytest's own list tells them from no other test.
const PYTEST_LIST: &str = r#"
import sys, pytest
class Lister:
    def pytest_collection_finish(self, session):
        for item in session.items:
            if "benchmark" in getattr(item, "fixturenames", ()):
                print("\nbenchmark " + item.nodeid)
sys.exit(pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider"], plugins=[Lister()]))
"#;

/// Runs asv once, short, on what is installed. It keeps its results and what it knows of the machine in the commit's
/// folder, and not in the home of whoever runs this; and no branch has its name there.
const ASV_RUN: &str = r#"
import os, sys
from asv.config import Config
from asv.machine import MachineCollection
from asv.main import main
load = Config.load
def beside(*words):
    config = load(*words)
    config.results_dir = os.path.abspath(".tachograph-asv")
    config.branches = ["HEAD"]
    return config
Config.load = staticmethod(beside)
MachineCollection.get_machine_file_path = staticmethod(lambda: os.path.abspath(".tachograph-asv-machine.json"))
for words in ["machine", "--yes"], ["run"] + sys.argv[1:]:
    sys.argv = ["asv"] + words
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise
"#;

/// All recipes. Measuring takes some tenths of a second a process: what a process cannot tell in that time, more
/// processes do.
pub(super) const RECIPES: [Recipe; 8] = [
    Recipe {
        name: "asv",
        build: &[],
        program: Some("python3"),
        list: &[],
        line: "{name}",
        command: &[
            "{program}",
            "-c",
            ASV_RUN,
            "--python=same",
            "--set-commit-hash=HEAD",
            "--record-samples",
            "--attribute",
            "rounds=1",
            "--attribute",
            "warmup_time=0.05",
            "--attribute",
            "sample_time=0.01",
            "--attribute",
            "repeat=(3,5,0.2)",
        ],
        format: "asv",
        output: Some(".tachograph-asv"),
    },
    Recipe {
        name: "criterion",
        build: &[],
        program: None,
        list: &["{program}", "--bench", "--list"],
        line: "{name}: benchmark",
        command: &[
            "{program}",
            "--bench",
            "--noplot",
            "--warm-up-time",
            "0.1",
            "--measurement-time",
            "0.3",
            "--nresamples",
            "1001",
            "--exact",
            "{name}",
        ],
        format: "criterion",
        output: Some("target/criterion"),
    },
    Recipe {
        name: "divan",
        build: &[],
        program: None,
        // Only for nextest does it list whole names.
        list: &["env", "NEXTEST=1", "{program}", "--list", "--format", "terse"],
        line: "{name}: benchmark",
        command: &["{program}", "--bench", "--max-time", "0.3", "--exact", "{name}"],
        format: "divan",
        output: None,
    },
    Recipe {
        name: "go",
        build: &["go", "test", "-c", "-o", "{target}/bench.test", "."],
        program: Some("{target}/bench.test"),
        list: &["{program}", "-test.list", "^Benchmark"],
        line: "{name}",
        command: &[
            "{program}",
            "-test.run",
            "^$",
            "-test.bench",
            "^{pattern}$",
            "-test.benchtime",
            "100ms",
            "-test.count",
            "3",
        ],
        format: "go",
        output: None,
    },
    Recipe {
        name: "google-benchmark",
        build: &[],
        program: None,
        list: &["{program}", "--benchmark_list_tests=true"],
        line: "{name}",
        command: &[
            "{program}",
            "--benchmark_filter=^{pattern}$",
            "--benchmark_min_time=0.1",
            "--benchmark_repetitions=3",
            "--benchmark_format=json",
        ],
        format: "google-benchmark",
        output: None,
    },
    Recipe {
        name: "gungraun",
        build: &[],
        program: None,
        list: &[],
        line: "{name}",
        command: &["{program}", "--bench", "--output-format=json"],
        format: "gungraun",
        output: None,
    },
    Recipe {
        name: "pytest-benchmark",
        build: &[],
        program: Some("python3"),
        list: &["{program}", "-c", PYTEST_LIST],
        line: "benchmark {name}",
        command: &[
            "{program}",
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--benchmark-only",
            "--benchmark-warmup=off",
            "--benchmark-min-rounds=3",
            "--benchmark-max-time=0.3",
            "--benchmark-json=.tachograph-result.json",
            "{name}",
        ],
        format: "pytest-benchmark",
        output: Some(".tachograph-result.json"),
    },
    Recipe {
        name: "vitest",
        build: &[],
        program: Some("node_modules/.bin/vitest"),
        list: &[],
        line: "{name}",
        command: &["{program}", "bench", "--run", "--outputJson=.tachograph-result.json"],
        format: "vitest",
        output: Some(".tachograph-result.json"),
    },
];

/// The recipe of a name.
pub(super) fn named(name: &str) -> Result<&'static Recipe, String> {
    RECIPES.iter().find(|recipe| recipe.name == name).ok_or_else(|| {
        let known: Vec<&str> = RECIPES.iter().map(|recipe| recipe.name).collect();
        format!("no recipe is called {name:?}; there is {}", known.join(", "))
    })
}
