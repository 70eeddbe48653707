//! Real suites: small shell scripts that print `name value` lines.

use std::fs;

use rand_core::SeedableRng;
use rand_pcg::Pcg64;

use super::*;
use crate::domain::Ended;

/// A toy format: `name nanoseconds…` a line.
fn parse(results: Results<'_>) -> Result<BTreeMap<BenchmarkName, Outcome>, String> {
    let bytes = match results {
        Results::Bytes(bytes) => bytes.to_owned(),
        Results::Folder(folder) => fs::read(folder.join("results")).map_err(|error| error.to_string())?,
    };
    let text = String::from_utf8(bytes).map_err(|_| "no UTF-8".to_owned())?;
    text.lines().map(line).collect()
}

fn line(text: &str) -> Result<(BenchmarkName, Outcome), String> {
    let mut words = text.split(' ');
    let name = BenchmarkName::new(words.next().unwrap_or_default()).map_err(|error| error.to_string())?;
    let values: Result<Vec<f64>, _> = words.map(str::parse).collect();
    let life = Life::new(values.map_err(|_| format!("no number in {text:?}"))?);
    let outcome = match life {
        Ok(life) => {
            let readings = vec![Reading { metric: Metric::time(), lives: vec![life] }];
            Outcome::Measured(Measured { readings, cores: 1, notes: BTreeMap::new() })
        }
        Err(error) => Outcome::Failed(Trouble { reason: error.to_string(), ended: None, stderr_tail: String::new() }),
    };
    Ok((name, outcome))
}

struct World {
    folder: tempfile::TempDir,
    suite: CommandSuite,
    stop: Stop,
}

impl World {
    /// A suite that is this shell script; the benchmark's name, if any, is its first argument.
    fn new(script: &str) -> World {
        let folder = tempfile::tempdir().unwrap();
        let (tree, target) = (folder.path().join("tree"), folder.path().join("target"));
        fs::create_dir_all(&tree).unwrap();
        fs::create_dir_all(&target).unwrap();
        fs::write(tree.join("suite"), script).unwrap();
        let limits =
            Limits { deadline: Duration::from_mins(1), silence: None, grace: Duration::ZERO, output_bytes: 1 << 20 };
        let command = ["sh", "suite", NAME].map(str::to_owned).to_vec();
        let environment = Environment::command();
        let timed = BTreeMap::new();
        let suite = CommandSuite { tree, target, command, output: None, timed, environment, cpus: None, limits };
        World { folder, suite, stop: Stop::by_hand().unwrap() }
    }

    fn writing_to(mut self, output: &str) -> World {
        self.suite.output = Some(output.into());
        self
    }

    fn once(&self, benchmark: Option<&str>) -> Once {
        once(&self.suite, benchmark.map(name).as_ref(), &parse, &self.stop, &mut |_| ()).unwrap()
    }

    fn whole(&self, processes: u32, budget: Duration) -> Gathered {
        gather_whole(&self.suite, Plan { processes, budget }, &parse, &self.stop, &mut |_| ()).unwrap()
    }

    fn by_name(&self, names: &[&str], plan: Plan, seed: u64) -> Gathered {
        let names: Vec<_> = names.iter().map(|text| name(text)).collect();
        let mut rng = Pcg64::seed_from_u64(seed);
        gather_by_name(&self.suite, &names, plan, (&parse, &mut rng), &self.stop, &mut |_| ()).unwrap()
    }
}

fn name(text: &str) -> BenchmarkName {
    BenchmarkName::new(text).unwrap()
}

fn lives(outcome: &Outcome) -> Vec<Vec<f64>> {
    let Outcome::Measured(measured) = outcome else { panic!("{outcome:?}") };
    measured.readings[0].lives.iter().map(|life| life.values().to_vec()).collect()
}

fn trouble(outcome: &Outcome) -> &Trouble {
    let Outcome::Failed(trouble) = outcome else { panic!("{outcome:?}") };
    trouble
}

fn plenty(processes: u32) -> Plan {
    Plan { processes, budget: Duration::from_mins(1) }
}

/// Each process takes the next number from a file, so that lives can be told apart.
const COUNTING: &str = "n=$(cat count 2>/dev/null || echo 0); n=$((n + 1)); echo $n > count\n";

#[test]
fn each_process_is_one_life() {
    let world = World::new(&format!("{COUNTING}echo \"a $n 1.5\"; echo \"b 10$n\""));
    let gathered = world.whole(3, Duration::from_mins(1));
    assert_eq!(gathered.processes, 3);
    assert_eq!(lives(&gathered.outcomes["a"]), [[1.0, 1.5], [2.0, 1.5], [3.0, 1.5]]);
    assert_eq!(lives(&gathered.outcomes["b"]), [[101.0], [102.0], [103.0]]);
    assert_eq!(gathered.troubles, []);
}

#[test]
fn one_benchmark_a_process_in_an_order_that_the_seed_decides() {
    let world = World::new("echo $1 >> order; echo \"$1 5\"");
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let order = |seed| {
        let gathered = world.by_name(&names, plenty(2), seed);
        assert_eq!(gathered.outcomes.len(), 7);
        assert!(gathered.outcomes.values().all(|outcome| lives(outcome) == [[5.0], [5.0]]));
        let path = world.suite.tree.join("order");
        let order = fs::read_to_string(&path).unwrap();
        fs::remove_file(path).unwrap();
        order.replace('\n', "")
    };
    let first = order(1);
    assert_eq!(first, order(1));
    assert_ne!(first, order(2));
    assert_ne!(first[..7], first[7..], "each round has an order of its own");
}

#[test]
fn a_list_names_each_benchmark_once_and_counts_what_is_no_name() {
    let world = World::new("");
    let long = "printf 'a\\n\\n b/2 \\na\\n\\377\\n'; head -c 9000 /dev/zero | tr '\\0' x; echo; echo last";
    let listed = |script: &str, line: &str| {
        let command = ["sh", "-c", script].map(str::to_owned).to_vec();
        list(&world.suite, &List { command, line: line.to_owned() }, &world.stop)
    };
    let names = listed(long, "{name}").unwrap();
    assert_eq!(names, Listed { names: vec![name("a"), name("b/2"), name("last")], refused: 2 });
    let libtest = "printf 'a: test\\n\\nb c: benchmark\\n: benchmark\\n1 test, 1 benchmark\\n'";
    assert_eq!(listed(libtest, "{name}: benchmark").unwrap(), Listed { names: vec![name("b c")], refused: 0 });
    let error = listed("echo no list >&2; exit 4", "{name}").unwrap_err();
    assert!(error.to_string().ends_with("it exited with status 4\nno list\n"), "{error}");
}

#[test]
fn a_name_in_a_regular_expression_means_itself() {
    let mut world = World::new("echo \"$1 5\"");
    world.suite.command = ["sh", "suite", "^{pattern}$", "{name}"].map(str::to_owned).to_vec();
    assert_eq!(world.suite.line(Some(&name("a[1].b")))[2..], [r"^a\[1\]\.b$", "a[1].b"]);
}

#[test]
fn a_command_that_writes_no_results_is_timed_itself() {
    let mut world = World::new("");
    let command = |script: &str| ["sh", "-c", script].map(str::to_owned).to_vec();
    world.suite.timed = [("short", "exit 0"), ("long", "sleep 0.2"), ("broken", "exit 3")]
        .map(|(text, script)| (name(text), command(script)))
        .into();
    let value = |benchmark: &str| lives(&world.once(Some(benchmark)).outcomes[benchmark])[0][0];
    assert!(value("short") > 0.0);
    assert!(value("long") >= 2e8, "sleep does not wake early");
    assert_eq!(trouble(&world.once(Some("broken")).outcomes["broken"]).reason, "exited with status 3");
}

#[test]
fn numbers_that_cannot_be_fail_their_benchmark_and_no_other() {
    let world = World::new("printf 'good 5\\nnan NaN\\ninfinite inf\\nnegative 4 -1\\nzero 0\\nages 1e300\\nnone\\n'");
    let outcomes = world.once(None).outcomes;
    assert_eq!(lives(&outcomes["good"]), [[5.0]]);
    for (benchmark, reason) in [
        ("nan", "value 0 is NaN, which is no finite number"),
        ("infinite", "value 0 is inf, which is no finite number"),
        ("negative", "time was -1 ns, which cannot be"),
        ("zero", "time was 0 ns, which cannot be"),
        ("none", "a life needs at least one value"),
    ] {
        assert_eq!(trouble(&outcomes[benchmark]).reason, reason);
    }
    assert!(trouble(&outcomes["ages"]).reason.ends_with(" ns, which cannot be"));
}

#[test]
fn garbage_and_silence_are_trouble_with_a_reason() {
    for (script, reason) in [
        ("echo hello there", "its results cannot be read: no number in \"hello there\""),
        ("true", "it yielded no result"),
        ("printf '\\377\\376 5'", "its results cannot be read: no UTF-8"),
    ] {
        let once = World::new(script).once(None);
        assert_eq!((once.outcomes.len(), once.trouble.unwrap().reason.as_str()), (0, reason));
    }
    let world = World::new("[ $1 = mute ] || echo \"$1 5\"");
    let gathered = world.by_name(&["mute", "loud"], plenty(2), 1);
    assert_eq!(trouble(&gathered.outcomes["mute"]).reason, "it yielded no result");
    assert_eq!(lives(&gathered.outcomes["loud"]).len(), 2);
}

#[test]
fn a_crash_a_hang_and_a_flood_fail_their_benchmark_and_the_others_go_on() {
    let mut world = World::new(
        "case $1 in
           crash) echo boom >&2; kill -SEGV $$;;
           hang) exec sleep 600;;
           flood) exec cat /dev/zero;;
           status) echo status 5; exit 1;;
           *) echo $1 5;;
         esac",
    );
    world.suite.limits.deadline = Duration::from_secs(2);
    let gathered = world.by_name(&["crash", "hang", "flood", "status", "good"], plenty(1), 3);
    let story = |name: &str| {
        let trouble = trouble(&gathered.outcomes[name]);
        (trouble.reason.as_str(), trouble.ended.clone().unwrap(), trouble.stderr_tail.as_str())
    };
    assert_eq!(story("crash"), ("crashed: ended by signal 11 (SIGSEGV)", Ended::Signal(11), "boom\n"));
    assert_eq!(story("hang"), ("timed out: still running after 2s, and killed", Ended::Killed, ""));
    assert_eq!(story("flood"), ("wrote more than 1 MiB, and was killed", Ended::Killed, ""));
    assert_eq!(story("status"), ("exited with status 1", Ended::Status(1), ""));
    assert_eq!(lives(&gathered.outcomes["good"]), [[5.0]]);
}

#[test]
fn a_suite_that_fails_after_good_results_keeps_them_and_says_so() {
    let gathered = World::new("echo a 5; echo teardown failed >&2; exit 1").whole(2, Duration::from_mins(1));
    assert_eq!(lives(&gathered.outcomes["a"]), [[5.0], [5.0]]);
    let Outcome::Measured(measured) = &gathered.outcomes["a"] else { panic!() };
    assert_eq!(measured.notes["process"], "exited with status 1 after this result");
    assert_eq!(gathered.troubles.len(), 2);
    assert_eq!(gathered.troubles[0].stderr_tail, "teardown failed\n");
}

#[test]
fn a_benchmark_that_fails_once_has_failed() {
    let world = World::new(&format!("{COUNTING}[ $n = 2 ] && echo a -5 || echo a 5"));
    let gathered = world.whole(3, Duration::from_mins(1));
    assert_eq!(trouble(&gathered.outcomes["a"]).reason, "in process 2: time was -5 ns, which cannot be");
}

#[test]
fn results_come_from_the_file_or_folder_that_the_suite_names() {
    let world = World::new("mkdir -p out; echo chatter; echo a 5 > out/results").writing_to("out/results");
    assert_eq!(lives(&world.once(None).outcomes["a"]), [[5.0]]);
    let world = World::new("mkdir -p out; echo a 6 > out/results").writing_to("out");
    assert_eq!(lives(&world.once(None).outcomes["a"]), [[6.0]]);
    let world = World::new("echo a 7 > $CARGO_TARGET_DIR/results").writing_to("target/results");
    assert_eq!(lives(&world.once(None).outcomes["a"]), [[7.0]]);
}

#[test]
fn what_a_failing_suite_printed_is_told_before_what_it_said_to_standard_error() {
    let failing = "echo 'E assert 1 == 2'; echo noise >&2; exit 1";
    let told = |world: &World| world.once(None).trouble.unwrap().stderr_tail;
    assert_eq!(told(&World::new(failing).writing_to("results")), "E assert 1 == 2\nnoise\n");
    assert_eq!(told(&World::new("echo 'Segmentation fault'; exit 1")), "Segmentation fault\n");
    // Results are no message, and there is an end to what is kept.
    assert_eq!(told(&World::new("echo a 5; exit 1")), "");
    let long = told(&World::new("seq 100000; echo last; exit 1").writing_to("results"));
    assert!(long.len() <= 64 << 10 && long.ends_with("\nlast\n"), "{} bytes", long.len());
}

#[test]
fn old_results_are_never_taken_for_new_ones() {
    let world = World::new("[ -e late ] || echo a 5 > results; touch late").writing_to("results");
    assert_eq!(world.once(None).outcomes.len(), 1);
    let once = world.once(None);
    let reason = "its results cannot be read: it wrote none where they should be";
    assert_eq!((once.outcomes.len(), once.trouble.unwrap().reason.as_str()), (0, reason));
}

#[test]
fn nothing_outside_of_the_tree_is_removed_or_read() {
    let world = World::new("true");
    fs::write(world.folder.path().join("precious"), "a 5").unwrap();
    std::os::unix::fs::symlink(world.folder.path(), world.suite.tree.join("link")).unwrap();
    for output in ["../precious", "/etc/hostname", ".", "link/precious", "link/deeper/precious", ""] {
        let mut suite = world.suite.clone();
        suite.output = Some(output.into());
        let refused = once(&suite, None, &parse, &world.stop, &mut |_| ());
        assert!(matches!(refused, Err(CommandError::OutputElsewhere(_))), "{output}: {refused:?}");
    }
    assert!(world.folder.path().join("precious").exists());
    // A link in place of the results goes; what it points to stays, and is not read.
    let world = World::new("ln -s ../../precious results").writing_to("results");
    fs::write(world.folder.path().join("precious"), "a 5").unwrap();
    std::os::unix::fs::symlink(world.folder.path().join("precious"), world.suite.tree.join("results")).unwrap();
    assert_eq!(world.once(None).outcomes.len(), 0);
    assert!(world.folder.path().join("precious").exists());
}

#[test]
fn a_spent_budget_leaves_the_rest_unmeasured_and_says_which() {
    let world = World::new("echo \"$1 5\"");
    let gathered = world.by_name(&["a", "b", "c"], Plan { processes: 9, budget: Duration::ZERO }, 1);
    assert_eq!((gathered.processes, gathered.outcomes.len(), gathered.unmeasured.len()), (1, 1, 2));
    assert!(gathered.unmeasured.iter().all(|name| !gathered.outcomes.contains_key(name.as_str())));
    assert_eq!(world.whole(9, Duration::ZERO).processes, 1);
}

#[test]
fn a_suite_that_never_yields_anything_is_given_up() {
    let gathered = World::new("exit 1").whole(9, Duration::from_mins(1));
    assert_eq!((gathered.processes, gathered.troubles.len()), (2, 2));
}

#[test]
fn what_was_finished_before_a_signal_is_kept() {
    let world = World::new(&format!("{COUNTING}echo \"a $n\""));
    let stop = world.stop.clone();
    let raise_at_third = move |line: &str| {
        if line.starts_with("process 3") {
            stop.raise(15);
        }
    };
    let mut progress = raise_at_third;
    let gathered = gather_whole(&world.suite, plenty(9), &parse, &world.stop, &mut progress).unwrap();
    assert!(gathered.stopped);
    assert_eq!(lives(&gathered.outcomes["a"]), [[1.0], [2.0]]);
}
