//! Duels of real processes: shell scripts that only say how long they took, so that no machine's speed decides a test.

use std::fs;

use super::*;
use crate::domain::{Contest, Kind, Life, Measured, Outcome, Reading, Readings};
use crate::measure::child::{Environment, Limits};
use crate::measure::command::Results;

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

/// A toy format: a line is a name and a time, or `steps`, a name and a count.
fn parse(results: Results<'_>) -> Result<BTreeMap<BenchmarkName, Outcome>, String> {
    let Results::Bytes(bytes) = results else { return Err("no folder".to_owned()) };
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let (metric, name, value) = match words[..] {
            ["steps", name, value] => {
                (Metric { name: "steps".into(), kind: Kind::Exact, ..Metric::time() }, name, value)
            }
            [name, value] => (Metric::time(), name, value),
            _ => return Err(format!("{line:?} is no result")),
        };
        let life = Life::new(vec![value.parse().map_err(|_| format!("no number in {line:?}"))?]).unwrap();
        let readings = vec![Reading { metric, lives: vec![life] }];
        let measured = Measured { readings, cores: 1, notes: BTreeMap::new() };
        Ok((BenchmarkName::new(name).unwrap(), Outcome::Measured(measured)))
    };
    std::str::from_utf8(bytes).unwrap().lines().map(line).collect()
}

/// Two sides, each a script that gets the benchmark's name, if any, and a list of names if it is to be run by name.
struct World {
    folder: tempfile::TempDir,
    sides: [CommandSuite; 2],
    lists: Option<[List; 2]>,
    options: Options,
    stop: Stop,
}

impl World {
    fn new(base: &str, head: &str) -> World {
        let folder = tempfile::tempdir().unwrap();
        let sides = [("base", base), ("head", head)].map(|(side, script)| {
            let (tree, target) = (folder.path().join(side), folder.path().join("target"));
            fs::create_dir_all(&tree).unwrap();
            fs::write(tree.join("suite"), format!("echo {side}-$1 >> ../order\n{script}")).unwrap();
            let limits = Limits { deadline: Duration::from_secs(20), output_bytes: 1 << 20, ..Limits::default() };
            CommandSuite {
                tree,
                target,
                command: ["sh", "suite", "{name}"].map(str::to_owned).to_vec(),
                output: None,
                timed: BTreeMap::new(),
                environment: Environment::command(),
                cpus: None,
                limits,
            }
        });
        let options = Options::new(Duration::from_mins(10), Duration::from_mins(1), 42);
        World { folder, sides, lists: None, options, stop: Stop::by_hand().unwrap() }
    }

    fn listing(mut self, base: &str, head: &str) -> World {
        let list = |names: &str| List {
            command: ["printf", &names.replace(' ', "\n")].map(str::to_owned).to_vec(),
            line: "{name}".to_owned(),
        };
        self.lists = Some([list(base), list(head)]);
        self
    }

    fn duel(&self, lives: usize) -> Result<Fought, Undueled> {
        let party =
            |side: usize| Party { suite: &self.sides[side], list: self.lists.as_ref().map(|lists| &lists[side]) };
        let parties = Parties { base: party(0), head: party(1), parse: &parse };
        begin(parties, &self.options, &self.stop, &mut |_| ())?.run(&mut Lives(lives), &mut |_| ())
    }

    fn bouts(&self, lives: usize) -> BTreeMap<BenchmarkName, Bout> {
        self.duel(lives).unwrap().bouts
    }

    fn order(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join("order")).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

fn contest<'a>(bouts: &'a BTreeMap<BenchmarkName, Bout>, name: &str) -> &'a Contest {
    match &bouts[name] {
        Bout::Dueled(contests) => &contests[0],
        other => panic!("{name}: {other:?}"),
    }
}

fn lives(contest: &Contest) -> (Vec<f64>, Vec<f64>) {
    let Readings::Paired { lives, null } = &contest.readings else { panic!("{contest:?}") };
    let values = |lives: &[Life]| lives.iter().map(|life| life.values()[0]).collect();
    (values(lives), values(null))
}

fn failed(bout: &Bout) -> (bool, &str) {
    match bout {
        Bout::Failed { on_head, trouble } => (*on_head, &trouble.reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_life_is_a_process_of_each_side_and_blocks_of_two_are_abba() {
    let world = World::new("echo $1 100", "echo $1 120").listing("a b", "a b");
    let bouts = world.bouts(6);
    for benchmark in ["a", "b"] {
        let (lives, null) = lives(contest(&bouts, benchmark));
        assert_eq!((lives.len(), null.len()), (6, 3));
        assert!(lives.iter().all(|life| (life - 1.2_f64.ln()).abs() < 1e-12), "{lives:?}");
        assert!(null.iter().all(|life| life.abs() < 1e-12), "{null:?}");
    }
    let order = world.order();
    assert_eq!(order.len(), 24);
    let sides = |benchmark: &str| -> String {
        let of = order.iter().filter(|line| line.ends_with(benchmark));
        of.map(|line| if line.starts_with("base") { 'B' } else { 'H' }).collect()
    };
    let blocks: Vec<String> = ["-a", "-b"]
        .into_iter()
        .flat_map(|benchmark| {
            sides(benchmark)
                .as_bytes()
                .chunks(4)
                .map(|block| String::from_utf8_lossy(block).into_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(blocks.iter().all(|block| block == "BHHB" || block == "HBBH"), "{blocks:?}");
    assert!(blocks.iter().any(|block| block != &blocks[0]), "who begins is drawn: {blocks:?}");
}

#[test]
fn the_null_control_sets_base_against_itself_in_the_direction_that_was_drawn() {
    let world = World::new("n=$(cat count 2>/dev/null || echo 1); echo $((n * 2)) > count; echo a $n", "echo a 5");
    let bouts = world.bouts(8);
    let (_, null) = lives(contest(&bouts, "a"));
    assert_eq!(null.len(), 4);
    assert!(null.iter().all(|life| (life.abs() - 2_f64.ln()).abs() < 1e-12), "{null:?}");
    assert!(null.iter().any(|life| *life < 0.0) && null.iter().any(|life| *life > 0.0), "{null:?}");
}

#[test]
fn a_whole_suite_gives_each_of_its_benchmarks_a_life_and_what_a_side_lacks_is_said() {
    let world = World::new("echo a 10; echo gone 5", "echo a 11; echo come 5");
    let bouts = world.bouts(3);
    assert_eq!(lives(contest(&bouts, "a")).0.len(), 3);
    assert_eq!((&bouts["gone"], &bouts["come"]), (&Bout::Missing, &Bout::New));
    let listed = World::new("echo $1 10", "echo $1 11").listing("a gone", "a come").bouts(3);
    assert_eq!((&listed["gone"], &listed["come"]), (&Bout::Missing, &Bout::New));
    assert_eq!(lives(contest(&listed, "a")).0.len(), 3);
}

#[test]
fn a_process_of_one_name_may_tell_of_several_benchmarks() {
    let world = World::new("echo $1/x 10; echo $1/y 20", "echo $1/x 10; echo $1/y 40").listing("a b", "a b");
    let bouts = world.bouts(2);
    assert_eq!(bouts.keys().map(BenchmarkName::as_str).collect::<Vec<_>>(), ["a/x", "a/y", "b/x", "b/y"]);
    assert!((lives(contest(&bouts, "b/y")).0[1] - 2_f64.ln()).abs() < 1e-12);
}

#[test]
fn a_failure_is_told_of_the_side_that_it_happened_on_and_the_others_go_on() {
    let crash = "[ $1 = a ] && { echo oh dear >&2; kill -SEGV $$; }; echo $1 5";
    for (base, head, on_head) in [("echo $1 5", crash, true), (crash, "echo $1 5", false)] {
        let bouts = World::new(base, head).listing("a b", "a b").bouts(3);
        assert_eq!(failed(&bouts["a"]), (on_head, "crashed: ended by signal 11 (SIGSEGV)"));
        assert_eq!(lives(contest(&bouts, "b")).0.len(), 3);
    }
    // What crashes after some results has not lost what follows: it failed.
    let bouts = World::new("echo a 5; echo b 5", "echo a 5; exit 3").bouts(3);
    assert_eq!(failed(&bouts["b"]), (true, "exited with status 3"));
    assert_eq!(lives(contest(&bouts, "a")).0.len(), 3);
    // What comes and goes is no measurement either.
    let flaky = "[ -e once ] || echo b 5; touch once; echo a 5";
    let bouts = World::new("echo a 5; echo b 5", flaky).bouts(3);
    assert_eq!(failed(&bouts["b"]), (true, "in process 2: its process yielded no result of it, while another did"));
}

#[test]
fn what_hangs_is_killed_and_fails() {
    let mut world = World::new("echo $1 5", "[ $1 = a ] && exec sleep 600; echo $1 5").listing("a b", "a b");
    world.sides.iter_mut().for_each(|side| side.limits.deadline = Duration::from_secs(2));
    let bouts = world.bouts(2);
    assert_eq!(failed(&bouts["a"]), (true, "timed out: still running after 2s, and killed"));
}

#[test]
fn exact_metrics_are_numbers_after_two_lives_unless_processes_of_one_program_disagree() {
    let world = World::new("echo steps a 7", "echo steps a 9");
    let bouts = world.bouts(30);
    let two = |value: f64| Life::new(vec![value; 2]).unwrap();
    assert_eq!(contest(&bouts, "a").readings, Readings::Exact { base: two(7.0), head: two(9.0) });
    let bouts = World::new("echo steps a 7", "echo steps a $$").bouts(4);
    assert_eq!(contest(&bouts, "a").metric.kind, Kind::Noisy);
}

#[test]
fn a_side_that_cannot_list_or_yields_nothing_at_all_is_broken() {
    let broken = |world: &World| match world.duel(2) {
        Err(Undueled::Broken { on_head, why }) => (on_head, why),
        other => panic!("{other:?}"),
    };
    let (on_head, why) = broken(&World::new("echo a 5", "echo no luck >&2; exit 4"));
    assert!(on_head && why.contains("exited with status 4") && why.contains("no luck"), "{why}");
    assert!(!broken(&World::new("true", "echo a 5")).0);
    let mut world = World::new("echo a 5", "echo a 5").listing("a", "a");
    world.lists.as_mut().unwrap()[1].command = ["sh", "-c", "exit 5"].map(str::to_owned).to_vec();
    assert!(broken(&world).0);
}

#[test]
fn a_spent_budget_gives_the_first_its_life_and_says_what_was_not_reached() {
    let mut world = World::new("echo $1 5", "echo $1 5").listing("a b c", "a b c");
    world.options.budget = Duration::ZERO;
    let bouts = world.bouts(5);
    let dueled = bouts.values().filter(|bout| matches!(bout, Bout::Dueled(_))).count();
    assert_eq!((dueled, world.order().len()), (1, 2));
    let reasons =
        bouts.values().filter_map(|bout| if let Bout::Failed { trouble, .. } = bout { Some(trouble) } else { None });
    assert!(reasons.clone().count() == 2 && reasons.into_iter().all(|why| why.reason.contains("budget was spent")));
}

#[test]
fn benchmarks_are_chosen_by_name() {
    let mut world = World::new("echo $1 5", "echo $1 5").listing("kernel/a kernel/b other", "kernel/a kernel/b other");
    world.options.filter = vec![crate::domain::Pattern::new("kernel/*")];
    let bouts = world.bouts(1);
    assert_eq!(bouts.keys().map(BenchmarkName::as_str).collect::<Vec<_>>(), ["kernel/a", "kernel/b"]);
    assert!(world.order().iter().all(|line| !line.contains("other")));
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
    let world = World::new("echo a 5", "echo a 5");
    let party = |side: usize| Party { suite: &world.sides[side], list: None };
    let parties = Parties { base: party(0), head: party(1), parse: &parse };
    let begun = begin(parties, &world.options, &world.stop, &mut |_| ()).unwrap_or_else(|error| panic!("{error}"));
    let fought = begun.run(&mut AtOnce(4), &mut |_| ()).unwrap();
    assert_eq!(lives(contest(&fought.bouts, "a")).0.len(), 4);
}

#[test]
fn a_signal_stops_it() {
    let world = World::new("echo a 5", "echo a 5");
    let party = |side: usize| Party { suite: &world.sides[side], list: None };
    let parties = Parties { base: party(0), head: party(1), parse: &parse };
    let begun = begin(parties, &world.options, &world.stop, &mut |_| ()).unwrap_or_else(|error| panic!("{error}"));
    world.stop.raise(15);
    assert!(matches!(begun.run(&mut Lives(100), &mut |_| ()), Err(Undueled::Stopped)));
}

#[test]
fn what_is_blind_does_not_hold_up_what_runs_with_it() {
    let want = |next, enough, is_decided| Want { next, enough, is_decided };
    let (open, blind, blinder) = (want(20, 15, false), want(20, 200, true), want(26, 9_000, true));
    assert_eq!(together(&[blind, open, blinder]), Some(open));
    assert_eq!(together(&[blinder, blind]), Some(blind));
    assert_eq!(together(&[]), None);
}
