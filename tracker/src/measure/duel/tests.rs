//! Whole duels with real workers that only say how long they took, so that no machine's speed decides a test.

use tempfile::TempDir;

use super::*;
use crate::domain::{Contest, Kind, Life, Metric, Readings};
use crate::measure::child::Environment;
use crate::measure::worker::tests::fake;

/// A worker whose slices take what `COST` says: less than the tracker's tolerance, so that they take no time at all.
const CLOCK: &str = r#"
COST = {"a": 700000, "b": 750000, "c": 900000}

def run(request):
    say(reply="run", elapsed_ns=request["iterations"] * COST[request["benchmark"]])
"#;

/// So many lives for all, and no more.
struct Lives(usize);

impl Rule for Lives {
    fn first_look(&self) -> usize {
        self.0
    }
    fn least_for_a_finding(&self) -> usize {
        self.0
    }
    fn wants(&mut self, _: &BTreeMap<BenchmarkName, Bout>) -> BTreeMap<BenchmarkName, Want> {
        BTreeMap::new()
    }
}

fn worker(change: &str) -> (TempDir, Program) {
    fake(&format!("{CLOCK}\n{change}"))
}

fn duel_for(base: &str, head: &str, lives: usize, budget: Duration) -> Fought {
    let (base, head) = (worker(base), worker(head));
    let programs = Programs { base: &base.1, head: &head.1 };
    let options = Options::new(budget, Duration::from_mins(1), 42);
    let stop = Stop::by_hand().unwrap();
    let offers = offers(programs, &options, &stop).unwrap();
    run(programs, &offers, &options, (&mut Lives(lives), &stop), &mut |_| ()).unwrap()
}

fn duel(base: &str, head: &str) -> Fought {
    duel_for(base, head, 3, Duration::from_mins(10))
}

fn contests<'a>(fought: &'a Fought, name: &str) -> &'a [Contest] {
    match &fought.bouts[name] {
        Bout::Dueled(contests) => contests,
        other => panic!("{name}: {other:?}"),
    }
}

fn lives(contest: &Contest) -> (&[Life], &[Life]) {
    match &contest.readings {
        Readings::Paired { lives, null } => (lives, null),
        _ => panic!("{contest:?}"),
    }
}

#[test]
fn each_round_of_each_life_gives_a_ratio_and_the_null_control_one_of_its_own() {
    let fought = duel("", r#"COST["b"] = 900000"#);
    for (name, head_ns, ratio) in [("a", 700_000.0, 1.0_f64), ("b", 900_000.0, 1.2), ("c", 900_000.0, 1.0)] {
        let [time] = contests(&fought, name) else { panic!("time alone") };
        assert_eq!((&time.metric, time.head.to_bits()), (&Metric::time(), f64::to_bits(head_ns)));
        let (lives, null) = lives(time);
        assert_eq!((lives.len(), null.len()), (3, 3));
        let all = |lives: &[Life]| lives.iter().flat_map(|life| life.values().to_vec()).collect::<Vec<_>>();
        assert!(all(lives).len() >= 15 && all(lives).iter().all(|value| (value - ratio.ln()).abs() < 1e-12));
        assert!(all(null).iter().all(|value| value.abs() < 1e-12));
    }
    assert_eq!(fought.notes["worker of base"], "fake 1");
}

/// Asks at once, as one does that knows of earlier lives, and then wants so many.
struct AtOnce(usize);

impl Rule for AtOnce {
    fn first_look(&self) -> usize {
        1
    }
    fn least_for_a_finding(&self) -> usize {
        5
    }
    fn wants(&mut self, bouts: &BTreeMap<BenchmarkName, Bout>) -> BTreeMap<BenchmarkName, Want> {
        bouts.keys().map(|name| (name.clone(), Want { next: self.0, enough: self.0, is_decided: false })).collect()
    }
}

#[test]
fn a_rule_that_has_not_enough_of_the_first_life_gets_more() {
    let program = worker("");
    let programs = Programs { base: &program.1, head: &program.1 };
    let options = Options::new(Duration::from_mins(10), Duration::from_mins(1), 42);
    let stop = Stop::by_hand().unwrap();
    let offers = offers(programs, &options, &stop).unwrap();
    let fought = run(programs, &offers, &options, (&mut AtOnce(4), &stop), &mut |_| ()).unwrap();
    assert_eq!(lives(&contests(&fought, "a")[0]).0.len(), 4);
}

#[test]
fn what_one_side_lacks_is_said_as_it_is() {
    let fought = duel(r#"NAMES = ["a", "b"]"#, r#"NAMES = ["a", "c"]"#);
    assert_eq!((&fought.bouts["b"], &fought.bouts["c"]), (&Bout::Missing, &Bout::New));
    contests(&fought, "a");
}

#[test]
fn a_failure_is_told_of_the_side_that_it_happened_on_and_the_others_go_on() {
    let crash = r#"
def run(request):
    if request["benchmark"] == "b":
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(1000)
    say(reply="run", elapsed_ns=request["iterations"] * COST[request["benchmark"]])
"#;
    let wrong = r#"
def check(request):
    say(reply="check", ok=request["benchmark"] != "b", message="expected 4, got 5")
"#;
    for (base, head, on_head) in [("", crash, true), (crash, "", false), ("", wrong, true), (wrong, "", false)] {
        let fought = duel(base, head);
        let Bout::Failed { on_head: found, trouble } = &fought.bouts["b"] else { panic!("{:?}", fought.bouts["b"]) };
        assert_eq!(*found, on_head, "{trouble:?}");
        assert_eq!(lives(&contests(&fought, "a")[0]).0.len(), 3);
    }
}

#[test]
fn exact_metrics_are_numbers_unless_lives_of_one_program_disagree() {
    let metric = |value: &str| {
        format!(
            r#"
def list_(request):
    metric = {{"name": "steps", "unit": "count", "better": "lower", "kind": "exact"}}
    say(reply="list", benchmarks=[{{"name": "a", "metrics": [metric]}}])

def run(request):
    say(reply="run", elapsed_ns=min(request["iterations"] * 700000, 900000), metrics={{"steps": {value}}})
"#
        )
    };
    let fought = duel(&metric("7"), &metric("9"));
    let [_, steps] = contests(&fought, "a") else { panic!("time and steps") };
    let four = Life::new(vec![7.0; 4]).unwrap();
    assert_eq!(steps.readings, Readings::Exact { base: four, head: Life::new(vec![9.0; 2]).unwrap() });
    let fought = duel(&metric("7"), &metric("os.getpid()"));
    let [_, steps] = contests(&fought, "a") else { panic!("time and steps") };
    assert_eq!(steps.metric.kind, Kind::Noisy);
    assert_eq!(lives(steps).0.len(), 3);
}

#[test]
fn a_metric_of_one_side_only_is_kept_as_such_and_one_that_is_exact_on_one_side_only_is_noisy() {
    let declaring = |metric: &str| {
        format!(
            r#"
def list_(request):
    say(reply="list", benchmarks=[{{"name": "a", "metrics": [{{"better": "lower", {metric}}}]}}])

def run(request):
    say(reply="run", elapsed_ns=min(request["iterations"] * 700000, 900000), metrics={{"steps": 7, "rows": 9}})
"#
        )
    };
    let steps = declaring(r#""name": "steps", "unit": "count", "kind": "exact""#);
    let other_unit = declaring(r#""name": "steps", "unit": "bytes", "kind": "exact""#);
    let rows = declaring(r#""name": "rows", "unit": "count", "kind": "noisy""#);
    let three = |value: f64| Life::new(vec![value; 3]).unwrap();
    for (head, level) in [(&rows, 9.0), (&other_unit, 7.0)] {
        let fought = duel(&steps, head);
        let [_, missing, new] = contests(&fought, "a") else { panic!("{fought:?}") };
        assert_eq!((&missing.readings, missing.head), (&Readings::Missing { base: three(7.0) }, 0.0));
        assert_eq!((&new.readings, new.head), (&Readings::New { head: three(level) }, level));
    }
    let noisy = declaring(r#""name": "steps", "unit": "count", "kind": "noisy""#);
    for (base, head) in [(&steps, &noisy), (&noisy, &steps)] {
        let fought = duel(base, head);
        let [_, both] = contests(&fought, "a") else { panic!("{fought:?}") };
        assert_eq!((both.metric.kind, lives(both).0.len()), (Kind::Noisy, 3));
    }
}

#[test]
fn without_time_there_is_one_life_and_no_more() {
    let fought = duel_for("", "", 5, Duration::ZERO);
    assert_eq!(lives(&contests(&fought, "a")[0]).0.len(), 1);
}

#[test]
fn a_side_that_offers_nothing_that_can_be_used_is_named() {
    let (good, bad) = (worker(""), worker("def hello(request):\n    sys.exit(4)"));
    let options = Options::new(Duration::ZERO, Duration::from_mins(1), 42);
    let stop = Stop::by_hand().unwrap();
    let ask = |base, head| offers(Programs { base, head }, &options, &stop).unwrap_err();
    assert!(matches!(ask(&good.1, &bad.1), DuelError::Head(_)));
    assert!(matches!(ask(&bad.1, &good.1), DuelError::Base(_)));
}

#[test]
#[cfg(target_os = "linux")]
fn two_sources_that_one_interpreter_reads_have_the_same_addresses_and_what_a_shell_starts_has_not() {
    let (base, head) = (worker(""), worker("COST[\"a\"] = 800000"));
    let options = Options::new(Duration::ZERO, Duration::from_mins(1), 42);
    let share = |base: &Program, head: &Program| {
        offers(Programs { base, head }, &options, &Stop::by_hand().unwrap()).unwrap().share_layouts
    };
    assert!(share(&base.1, &head.1));
    let started = |folder: &TempDir| {
        Program::new(["sh", "-c", "python3 worker.py --worker; exit 0"], folder.path(), Environment::worker()).unwrap()
    };
    assert!(!share(&started(&base.0), &started(&head.0)));
}

#[test]
fn a_signal_stops_it() {
    let program = worker("");
    let programs = Programs { base: &program.1, head: &program.1 };
    let options = Options::new(Duration::from_mins(10), Duration::from_mins(1), 42);
    let stop = Stop::by_hand().unwrap();
    let offers = offers(programs, &options, &stop).unwrap();
    let mut tell = |progress: Progress<'_>| {
        if matches!(progress, Progress::Life { .. }) {
            stop.raise(15);
        }
    };
    let ended = run(programs, &offers, &options, (&mut Lives(1000), &stop), &mut tell);
    assert!(matches!(ended, Err(DuelError::Stopped)), "{ended:?}");
}

/// The processors on which a process may run.
fn processors(process: i32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim().to_owned()
}

#[test]
#[cfg(target_os = "linux")]
fn who_was_measured_makes_room_for_who_is() {
    let (_folder, program) = worker("");
    let stop = Stop::by_hand().unwrap();
    let soon = Instant::now() + Duration::from_mins(1);
    let lives = || super::Lives::new(&program, Patience::of(Duration::from_mins(1)), soon, &stop);
    let mut crew = Crew::new([lives(), lives(), lives()], false);
    let list = |cpus: &[usize]| cpus.last().map(ToString::to_string);
    let (here, aside) = (list(crew.lives()[0].cpus(1)), list(crew.lives()[0].cpus_beside(1)));
    let trio = crew.next(1, &mut Order::new(1)).unwrap();
    let ids = trio.process_ids();
    let all = || ids.iter().map(|&id| processors(id)).collect::<Vec<_>>();
    assert_eq!(all(), vec![here.clone().unwrap(); 3]);
    crew.used(trio, 1);
    assert_eq!(all(), vec![aside.or(here).unwrap(); 3], "they would wait behind those that are measured now");
    crew.close();
}

/// The layout that a process was told, zeros and all: its length moves the stack.
#[cfg(target_os = "linux")]
fn layout_of(process: i32) -> String {
    let environment = String::from_utf8(std::fs::read(format!("/proc/{process}/environ")).unwrap()).unwrap();
    environment.split('\0').find(|one| one.starts_with("TACHOGRAPH_LAYOUT=")).unwrap().to_owned()
}

#[test]
#[cfg(target_os = "linux")]
fn the_sides_of_a_life_have_one_layout_and_the_next_life_has_another() {
    let (_folder, program) = worker("");
    let stop = Stop::by_hand().unwrap();
    let soon = Instant::now() + Duration::from_mins(1);
    let lives = || super::Lives::new(&program, Patience::of(Duration::from_mins(1)), soon, &stop);
    let mut crew = Crew::new([lives(), lives(), lives()], true);
    let mut order = Order::new(1);
    let mut before = String::new();
    for life in 0..6 {
        let trio = crew.next(1, &mut order).unwrap();
        let layouts: Vec<String> = trio.process_ids().into_iter().map(layout_of).collect();
        // Where the stack has to stand so that huge pages are taken is found in the first.
        assert!(life == 0 || layouts.iter().all(|one| *one == layouts[0]), "{layouts:?}");
        assert_ne!(layouts[0], before);
        before.clone_from(&layouts[0]);
        crew.used(trio, 1);
    }
    crew.close();
}
