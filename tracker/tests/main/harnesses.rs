//! The harnesses that people have, for real: each is configured as a project would, run, and gated with a slowdown that
//! was put in, which must be found.
//!
//! They take minutes, fetch packages by their ordinary clients, and need what they speak of on `PATH`; so they
//! run only with `TACHOGRAPH_SOAK` set, and one whose tools are not there says so and passes, unless `TACHOGRAPH_ALL_TOOLS`
//! says that everything is installed:
//! `TACHOGRAPH_SOAK=1 cargo test --test main harnesses -- --nocapture --test-threads 1`.

#![expect(clippy::print_stdout, reason = "what was found, and what was skipped and why, is told to who asked for it")]

mod rust;

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::record::again::tell;
use crate::world::{World, skip};

/// Whether the long tests are wanted and all of these can be started; if not, says why.
fn has(what: &str, tools: &[&[&str]]) -> bool {
    if std::env::var_os("TACHOGRAPH_SOAK").is_none() {
        tell(&format!("skipped: {what}, for it takes minutes; set TACHOGRAPH_SOAK=1 to run it"));
        return false;
    }
    let starts = |tool: &&[&str]| {
        let mut command = Command::new(tool[0]);
        command.args(&tool[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    match tools.iter().find(|tool| !starts(tool)) {
        Some(tool) => {
            skip(what, &format!("`{}` does not work here", tool.join(" ")));
            false
        }
        None => true,
    }
}

/// Measures the first commit, then gates a second one that does `after` where the first did `before` in `file`. Expects
/// each suite to find `slower` regressed in `metric` and nothing else red, and then an A/A gate that is not.
fn found(world: &World, (file, before, after): (&str, &str, &str), expected: &[(&str, &str, &str)]) {
    let whole = std::fs::read_to_string(world.root().join(file)).expect("a file");
    assert!(whole.contains(before), "{file} holds {before:?}");
    world.commit("as it was");
    let printed = world.ended(0, &["run"]);
    println!("{}", printed.out);
    world.git(&["checkout", "--quiet", "-b", "change"]);
    world.write(file, &whole.replace(before, after));
    world.commit("slower");
    let gate = |code: i32, args: &[&str]| -> Value {
        let printed = world.ended(code, &[args, &["--format", "json"]].concat());
        serde_json::from_str(&printed.out).expect("JSON")
    };
    let answer = gate(1, &["gate"]);
    for &(suite, slower, metric) in expected {
        let reports = answer["reports"].as_array().expect("reports");
        let report = reports.iter().find(|report| report["suite"] == suite);
        let report = report.unwrap_or_else(|| panic!("no report of {suite}: {answer}"));
        assert_eq!(report["whole"], "red", "{suite}: {report}");
        let judged = report["judged"].as_object().expect("benchmarks");
        let call = |verdicts: &Value, metric: &str| {
            let verdicts = verdicts["verdicts"].as_array()?.iter().find(|one| one["metric"]["name"] == metric)?;
            Some((verdicts["verdict"]["call"].as_str()?.to_owned(), verdicts["verdict"]["effect"].as_f64()?))
        };
        let (word, effect) = call(&judged[slower], metric).unwrap_or_else(|| panic!("{suite}: {slower}: {report}"));
        println!("{suite}: {slower}: {metric}: {word}, {:+.1} %", effect * 100.0);
        assert_eq!(word, "regressed", "{suite}: {slower}");
        for (name, verdicts) in judged {
            if let Some((word, effect)) = call(verdicts, metric) {
                println!("{suite}: {name}: {metric}: {word}, {:+.1} %", effect * 100.0);
                assert!(name == slower || word != "regressed", "{suite}: {name} did not change");
            }
        }
    }
    for report in gate(0, &["gate", "--base", "main", "--head", "main", "--budget", "20s"])["reports"]
        .as_array()
        .expect("reports")
    {
        println!("{}: against itself: {}", report["suite"], report["whole"]);
        assert!(report["whole"] == "green" || report["whole"] == "inconclusive", "{report}");
    }
}

const PYTHON_WORK: &str = "def work(n):\n    x = 1\n    for i in range(n):\n        x = (x * 6364136223846793005 + i) \
                           & 0xffffffff\n    return x\n\n\ndef touched():\n    return work(10000)\n\n\n\
                           def untouched():\n    return work(6000)\n";

/// What is put in: the same work once more.
const PYTHON_SLOWER: (&str, &str, &str) = ("work.py", "return work(10000)", "return work(20000)");

const JAVASCRIPT_WORK: &str = "function work(n) {\n  let x = 1;\n  for (let i = 0; i < n; i++) x = (Math.imul(x, 1664525) + i) | 0;\n  \
                               return x;\n}\nexport const touched = () => work(20000);\n\
                               export const untouched = () => work(12000);\n";

const JAVASCRIPT_SLOWER: (&str, &str, &str) = ("work.js", "work(20000)", "work(40000)");

const PLAIN: &str = "[suite.cli]\nbudget = \"2m\"\n[suite.cli.time]\n\
                     touched = [\"python3\", \"-SEc\", \"import sys; sys.path.append('.'); import work; \
                     [work.touched() for _ in range(20)]\"]\n";

#[test]
fn plain_commands() {
    if !has("plain commands", &[&["python3", "--version"]]) {
        return;
    }
    let world = World::new();
    world.write("work.py", PYTHON_WORK);
    world.write("tachograph.toml", PLAIN);
    found(&world, ("work.py", "return work(10000)", "return work(60000)"), &[("cli", "touched", "time")]);
}

#[test]
fn hyperfine() {
    if !has("hyperfine", &[&["hyperfine", "--version"]]) {
        return;
    }
    let world = World::new();
    world.write("work.py", PYTHON_WORK);
    // Enough work that the start of the interpreter, which does not change, is little beside it.
    let one = |name: &str| {
        format!(
            "\"-n\", \"{name}\", \"python3 -SEc 'import sys; sys.path.append(chr(46)); import work; \
             [work.{name}() for _ in range(200)]'\""
        )
    };
    world.write(
        "tachograph.toml",
        &format!(
            "[suite.hyper]\ncommand = [\"hyperfine\", \"--warmup\", \"1\", \"--runs\", \"3\", \"--export-json\", \
             \"out.json\", {}, {}]\nformat = \"hyperfine\"\noutput = \"out.json\"\nbudget = \"2m\"\n",
            one("touched"),
            one("untouched")
        ),
    );
    found(&world, PYTHON_SLOWER, &[("hyper", "touched", "time")]);
}

#[test]
fn tinybench() {
    if !has("tinybench", &[&["node", "--version"], &["npm", "--version"]]) {
        return;
    }
    let world = World::new();
    world.write(
        "package.json",
        "{\"name\": \"mine\", \"private\": true, \"type\": \"module\", \"dependencies\": {\"tinybench\": \"^6.0.0\"}}\n",
    );
    world.write("work.js", JAVASCRIPT_WORK);
    world.write(
        "tiny.js",
        "import { Bench } from 'tinybench';\nimport { touched, untouched } from './work.js';\n\
         const bench = new Bench({ time: 200, warmupTime: 50, retainSamples: true });\n\
         let sink = 0;\nbench.add('touched', () => { sink += touched(); });\n\
         bench.add('untouched', () => { sink += untouched(); });\nawait bench.run();\n\
         console.error(sink);\n\
         console.log(JSON.stringify(bench.tasks.map(task => ({ name: task.name, result: task.result }))));\n",
    );
    world.write(".gitignore", "node_modules/\n");
    world.write(
        "tachograph.toml",
        "[suite.tiny]\nbuild = [\"npm\", \"install\", \"--silent\"]\ncommand = [\"node\", \"tiny.js\"]\n\
         format = \"tinybench\"\nbudget = \"2m\"\n",
    );
    let expected = [("tiny", "touched", "time")];
    found(&world, JAVASCRIPT_SLOWER, &expected);
}

#[test]
fn google_benchmark() {
    let probe = "echo '#include <benchmark/benchmark.h>' | c++ -x c++ -fsyntax-only -";
    if !has("Google Benchmark", &[&["sh", "-c", probe]]) {
        return;
    }
    let world = World::new();
    world.write(
        "bench.cc",
        "#include <benchmark/benchmark.h>\nstatic unsigned long work(int n) {\n  unsigned long x = 1;\n  \
         for (int i = 0; i < n; i++) { x = x * 6364136223846793005ul + i; benchmark::DoNotOptimize(x); }\n  return x;\n}\n\
         static void touched(benchmark::State& state) { for (auto _ : state) work(1000); }\nBENCHMARK(touched);\n\
         static void untouched(benchmark::State& state) { for (auto _ : state) work(state.range(0)); }\n\
         BENCHMARK(untouched)->Arg(600);\nBENCHMARK_MAIN();\n",
    );
    world.write(
        "tachograph.toml",
        "[suite.cpp]\nrecipe = \"google-benchmark\"\n\
         build = [\"c++\", \"-O2\", \"bench.cc\", \"-o\", \"bench\", \"-lbenchmark\", \"-lpthread\"]\n\
         program = \"./bench\"\nbudget = \"2m\"\n",
    );
    found(&world, ("bench.cc", "work(1000)", "work(2000)"), &[("cpp", "touched", "time")]);
}

#[test]
fn go() {
    if !has("go", &[&["go", "version"]]) {
        return;
    }
    let world = World::new();
    world.write("go.mod", "module example.com/mine\n\ngo 1.19\n");
    world.write(
        "mine_test.go",
        "package mine\n\nimport \"testing\"\n\nvar sink uint64\n\nfunc work(n int) uint64 {\n\tx := uint64(1)\n\t\
         for i := 0; i < n; i++ {\n\t\tx = x*6364136223846793005 + uint64(i)\n\t}\n\treturn x\n}\n\n\
         func BenchmarkTouched(b *testing.B) {\n\tfor i := 0; i < b.N; i++ {\n\t\tsink += work(2000)\n\t}\n}\n\n\
         func BenchmarkUntouched(b *testing.B) {\n\tfor i := 0; i < b.N; i++ {\n\t\tsink += work(1200)\n\t}\n}\n",
    );
    world.write("tachograph.toml", "[suite.go]\nrecipe = \"go\"\nbudget = \"60s\"\n");
    found(&world, ("mine_test.go", "work(2000)", "work(4000)"), &[("go", "BenchmarkTouched", "time")]);
}

#[test]
fn pytest_benchmark() {
    if !has("pytest-benchmark", &[&["python3", "-c", "import pytest_benchmark"]]) {
        return;
    }
    let world = World::new();
    world.write("work.py", PYTHON_WORK);
    world.write(
        "test_work.py",
        "import work\n\n\ndef test_touched(benchmark):\n    benchmark(work.touched)\n\n\n\
         def test_untouched(benchmark):\n    benchmark(work.untouched)\n\n\ndef test_else():\n    assert work.work(0) == 1\n",
    );
    world.write("tachograph.toml", "[suite.python]\nrecipe = \"pytest-benchmark\"\nbudget = \"3m\"\n");
    found(&world, PYTHON_SLOWER, &[("python", "test_work.py::test_touched", "time")]);
}

#[test]
fn asv() {
    if !has("asv", &[&["python3", "-c", "import asv"]]) {
        return;
    }
    let world = World::new();
    world.write("work.py", PYTHON_WORK);
    world.write("benchmarks/__init__.py", "");
    world.write(
        "benchmarks/all.py",
        "import os, sys\n\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), \"..\"))\nimport work\n\n\n\
         def time_touched():\n    work.touched()\n\n\nclass Suite:\n    params = [6000, 8000]\n\n    \
         def time_untouched(self, n):\n        work.work(n)\n",
    );
    world.write(
        "asv.conf.json",
        "{\"version\": 1, \"project\": \"mine\", \"repo\": \".\", \"branches\": [\"main\"], \"environment_type\": \"existing\"}\n",
    );
    world.write("tachograph.toml", "[suite.asv]\nrecipe = \"asv\"\nbudget = \"3m\"\n");
    found(&world, PYTHON_SLOWER, &[("asv", "all.time_touched", "time")]);
}

#[test]
fn vitest() {
    if !has("vitest", &[&["node", "--version"], &["npm", "--version"]]) {
        return;
    }
    let world = World::new();
    world.write(
        "package.json",
        "{\"name\": \"mine\", \"private\": true, \"type\": \"module\", \"devDependencies\": {\"vitest\": \"^3.0.0\"}}\n",
    );
    world.write("work.js", JAVASCRIPT_WORK);
    world.write(
        "work.bench.js",
        "import { bench, describe } from 'vitest';\nimport { touched, untouched } from './work.js';\nlet sink = 0;\n\
         const options = { time: 200, warmupTime: 50 };\ndescribe('sums', () => {\n  \
         bench('touched', () => { sink += touched(); }, options);\n  \
         bench('untouched', () => { sink += untouched(); }, options);\n});\n",
    );
    world.write(".gitignore", "node_modules/\n");
    world.write(
        "tachograph.toml",
        "[suite.web]\nrecipe = \"vitest\"\nbuild = [\"npm\", \"install\", \"--silent\"]\nbudget = \"4m\"\n",
    );
    found(&world, JAVASCRIPT_SLOWER, &[("web", "work.bench.js > sums > touched", "time")]);
}
