//! One suite: what was written, and what it means.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::recipe::{self, Recipe};
use super::{CargoTarget, CommandSource, Commands, Harness, Runs, Source};
use crate::domain::{BenchmarkName, Pattern};

/// How many processes a command suite gets unless the project says otherwise.
const DEFAULT_PROCESSES: u32 = 5;

/// What stands in commands for the benchmark to run, and for the program that was built.
const BY_NAME: [&str; 2] = ["{name}", "{pattern}"];
const PROGRAM: &str = "{program}";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSuite {
    cargo: Option<RawCargo>,
    build: Option<OneOrMany>,
    worker: Option<Vec<String>>,
    recipe: Option<String>,
    program: Option<String>,
    folder: Option<PathBuf>,
    command: Option<Vec<String>>,
    time: Option<BTreeMap<String, Vec<String>>>,
    format: Option<String>,
    list: Option<Vec<String>>,
    line: Option<String>,
    output: Option<PathBuf>,
    processes: Option<u32>,
    pub(super) budget: Option<String>,
    pub(super) timeout: Option<String>,
    #[serde(default)]
    pub(super) metrics: Vec<String>,
    #[serde(default)]
    pub(super) run_only: Vec<Pattern>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCargo {
    package: String,
    bench: String,
    #[serde(default)]
    features: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a command [\"program\", \"argument\"] or a list of such commands")]
enum OneOrMany {
    One(Vec<String>),
    Many(Commands),
}

/// What the suite is.
pub(super) fn source(raw: RawSuite) -> Result<Source, String> {
    let is_command = raw.recipe.is_some() || raw.command.is_some() || raw.time.is_some();
    let only_for_commands = [
        ("format", raw.format.is_some()),
        ("list", raw.list.is_some()),
        ("line", raw.line.is_some()),
        ("output", raw.output.is_some()),
        ("processes", raw.processes.is_some()),
        ("folder", raw.folder.is_some()),
        ("program", raw.program.is_some()),
    ];
    if let (false, Some((key, _))) = (is_command, only_for_commands.iter().find(|(_, given)| *given)) {
        return Err(format!("`{key}` goes with `command`, `recipe` or `time`"));
    }
    if is_command {
        return if raw.worker.is_some() { Err(several()) } else { command(raw) };
    }
    match (raw.cargo, raw.worker) {
        (Some(cargo), None) if raw.build.is_some() => Err(built_by_cargo(&cargo)),
        (Some(RawCargo { package, bench, features }), None) => Ok(Source::Cargo { package, bench, features }),
        (None, Some(worker)) if worker.is_empty() => Err("`worker` needs a program".to_owned()),
        (None, Some(worker)) => Ok(Source::Worker { build: builds(raw.build)?, worker }),
        (None, None) => Err("say what it is: `cargo`, `worker`, `command`, `recipe` or `time`".to_owned()),
        (Some(_), Some(_)) => Err(several()),
    }
}

fn several() -> String {
    "it is one of `cargo`, `worker` and `command`, not several".to_owned()
}

fn built_by_cargo(cargo: &RawCargo) -> String {
    format!("`cargo` builds the bench target {:?} itself; leave `build` out", cargo.bench)
}

fn builds(raw: Option<OneOrMany>) -> Result<Commands, String> {
    let build = match raw {
        None => Vec::new(),
        Some(OneOrMany::One(command)) => vec![command],
        Some(OneOrMany::Many(commands)) => commands,
    };
    if build.iter().any(Vec::is_empty) { Err("a build command needs a program".to_owned()) } else { Ok(build) }
}

/// A suite that is no worker.
fn command(raw: RawSuite) -> Result<Source, String> {
    let recipe = raw.recipe.as_deref().map(recipe::named).transpose()?;
    if let (Some(cargo), true) = (&raw.cargo, raw.build.is_some()) {
        return Err(built_by_cargo(cargo));
    }
    if raw.cargo.is_some() && recipe.is_none() && raw.time.is_none() && !holds(raw.command.as_deref(), &[PROGRAM]) {
        return Err(several());
    }
    if raw.cargo.is_some() && raw.program.is_some() {
        return Err("`cargo` builds what `{program}` stands for; leave `program` out".to_owned());
    }
    let build = match (raw.build, recipe) {
        (None, Some(recipe)) if raw.cargo.is_none() && !recipe.build.is_empty() => vec![words(recipe.build)],
        (build, _) => builds(build)?,
    };
    let folder = raw.folder.map(inner).transpose()?;
    let cargo = raw.cargo.map(|RawCargo { package, bench, features }| CargoTarget { package, bench, features });
    let usual = recipe.and_then(|recipe| recipe.program).filter(|_| cargo.is_none());
    let program = raw.program.or_else(|| usual.map(str::to_owned));
    let given = Given { command: raw.command, format: raw.format, output: raw.output, list: raw.list, line: raw.line };
    let runs = match raw.time {
        Some(_) if recipe.is_some() || given.is_something() => {
            return Err(
                "`time` says all that is run; it goes with no `command`, `recipe` or what belongs to them".to_owned()
            );
        }
        Some(time) => Runs::Timed(timed(time)?),
        None => Runs::Harness(Box::new(harness(given, recipe)?)),
    };
    let needs_program = match &runs {
        Runs::Harness(harness) => {
            holds(Some(&harness.command), &[PROGRAM]) || holds(harness.list.as_deref(), &[PROGRAM])
        }
        Runs::Timed(commands) => commands.values().any(|command| holds(Some(command), &[PROGRAM])),
    };
    if needs_program && cargo.is_none() && program.is_none() {
        let which = recipe.map_or_else(String::new, |recipe| format!(" of recipe {:?}", recipe.name));
        return Err(format!(
            "what does `{{program}}` in the command{which} stand for? Say `cargo = {{ package = \"…\", bench = \"…\" }}` or \
             `program = \"…\"`"
        ));
    }
    let processes = raw.processes.unwrap_or(DEFAULT_PROCESSES);
    if processes == 0 {
        return Err("`processes` must be at least 1".to_owned());
    }
    Ok(Source::Command(Box::new(CommandSource { cargo, build, program, folder, runs, processes })))
}

/// A folder of the commit, and nowhere else.
fn inner(folder: PathBuf) -> Result<PathBuf, String> {
    let is_inner = |folder: &Path| folder.components().all(|part| matches!(part, Component::Normal(_)));
    if is_inner(&folder) && !folder.as_os_str().is_empty() {
        Ok(folder)
    } else {
        Err(format!(
            "`folder` must be one of the repository's, such as \"bindings/python\", and not \"{}\"",
            folder.display()
        ))
    }
}

fn timed(raw: BTreeMap<String, Vec<String>>) -> Result<BTreeMap<BenchmarkName, Vec<String>>, String> {
    if raw.is_empty() {
        return Err("`time` names no command: give each benchmark one, name = [\"program\", \"argument\"]".to_owned());
    }
    let entry = |(name, command): (String, Vec<String>)| {
        if command.is_empty() {
            return Err(format!("`time` of {name:?} needs a program"));
        }
        Ok((BenchmarkName::new(name).map_err(|error| error.to_string())?, command))
    };
    raw.into_iter().map(entry).collect()
}

/// What a suite says of its harness.
struct Given {
    command: Option<Vec<String>>,
    format: Option<String>,
    output: Option<PathBuf>,
    list: Option<Vec<String>>,
    line: Option<String>,
}

impl Given {
    fn is_something(&self) -> bool {
        self.command.is_some()
            || self.format.is_some()
            || self.output.is_some()
            || self.list.is_some()
            || self.line.is_some()
    }
}

/// The harness, filled in from the recipe where the suite says nothing. Who gives a command of his own says himself where
/// its results go, for the recipe's command is what wrote them.
fn harness(given: Given, recipe: Option<&Recipe>) -> Result<Harness, String> {
    let command = given.command.or_else(|| recipe.map(|recipe| words(recipe.command)));
    let command = command.filter(|command| !command.is_empty()).ok_or("`command` needs a program")?;
    let by_name = holds(Some(&command), &BY_NAME);
    let of_recipe = recipe.filter(|recipe| by_name && !recipe.list.is_empty()).map(|recipe| words(recipe.list));
    let list = given.list.or(of_recipe);
    if list.as_ref().is_some_and(Vec::is_empty) {
        return Err("`list` needs a program".to_owned());
    }
    if by_name != list.is_some() {
        let problem = "`list` and a `{name}` or `{pattern}` in `command` go together: the one names the benchmarks, the \
                       other runs one";
        return Err(problem.to_owned());
    }
    let line = given.line.unwrap_or_else(|| recipe.map_or(BY_NAME[0], |recipe| recipe.line).to_owned());
    if !line.contains(BY_NAME[0]) {
        return Err("`line` must hold `{name}`, where the name of a benchmark stands in a line of the list".to_owned());
    }
    let format = given.format.or_else(|| recipe.map(|recipe| recipe.format.to_owned()));
    let format = format.ok_or("`command` needs a `format`: what its results are written in")?;
    let output = given.output.or_else(|| recipe.and_then(|recipe| recipe.output).map(PathBuf::from));
    Ok(Harness { command, format, output, list, line })
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn holds(command: Option<&[String]>, marks: &[&str]) -> bool {
    command.is_some_and(|command| command.iter().any(|word| marks.iter().any(|mark| word.contains(mark))))
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::recipe::RECIPES;
    use super::*;

    fn suite(text: &str) -> Result<CommandSource, String> {
        let config = Config::parse(&format!("[suite.a]\n{text}")).map_err(|error| error.to_string())?;
        match config.suites["a"].source.clone() {
            Source::Command(source) => Ok(*source),
            other => panic!("{other:?}"),
        }
    }

    fn harness(text: &str) -> Harness {
        match suite(text).unwrap().runs {
            Runs::Harness(harness) => *harness,
            Runs::Timed(commands) => panic!("{commands:?}"),
        }
    }

    #[test]
    fn every_recipe_lists_and_selects_or_does_neither_and_names_a_format() {
        for recipe in &RECIPES {
            let built = if recipe.program.is_some() { "" } else { "program = \"./bench\"" };
            let harness = harness(&format!("recipe = {:?}\n{built}", recipe.name));
            let by_name = holds(Some(&harness.command), &BY_NAME);
            assert_eq!((by_name, harness.list.is_some()), (!recipe.list.is_empty(), by_name), "{}", recipe.name);
        }
        assert!(suite("recipe = \"criterium\"").unwrap_err().contains("there is asv, criterion, divan"));
    }

    #[test]
    fn a_recipe_gives_way_key_by_key() {
        let own = harness(
            "recipe = \"go\"\nfolder = \"pkg\"\nprogram = \"./x.test\"\nlist = [\"cat\", \"names\"]\nline = \"- {name}\"",
        );
        assert_eq!((own.list, own.line.as_str()), (Some(words(&["cat", "names"])), "- {name}"));
        assert_eq!((own.format.as_str(), own.command[0].as_str()), ("go", "{program}"));
        let source = suite("recipe = \"go\"\nprogram = \"./x.test\"\nbuild = [\"make\"]").unwrap();
        assert_eq!((source.program.as_deref(), source.build), (Some("./x.test"), vec![words(&["make"])]));
        // A command that runs the whole suite lists nothing.
        let whole = harness("recipe = \"go\"\ncommand = [\"{program}\", \"-test.bench\", \".\"]");
        assert_eq!(whole.list, None);
    }

    #[test]
    fn a_recipe_must_know_its_program_and_a_cargo_target_is_one() {
        assert!(suite("recipe = \"criterion\"").unwrap_err().contains("`{program}`"));
        let source = suite("recipe = \"criterion\"\ncargo = { package = \"p\", bench = \"b\" }").unwrap();
        assert_eq!(source.cargo.unwrap().bench, "b");
        let both = "recipe = \"criterion\"\nprogram = \"x\"\ncargo = { package = \"p\", bench = \"b\" }";
        assert!(suite(both).unwrap_err().contains("leave `program` out"));
    }

    #[test]
    fn commands_can_be_timed_by_name() {
        let source = suite("[suite.a.time]\nhelp = [\"./tool\", \"--help\"]").unwrap();
        let expected = BTreeMap::from([(BenchmarkName::new("help").unwrap(), words(&["./tool", "--help"]))]);
        assert_eq!(source.runs, Runs::Timed(expected));
        for (text, problem) in [
            ("[suite.a.time]", "names no command"),
            ("time = { a = [] }", "needs a program"),
            ("time = { a = [\"x\"] }\nformat = \"go\"", "goes with no"),
            ("time = { a = [\"x\"] }\nworker = [\"x\"]", "not several"),
        ] {
            let said = suite(text).unwrap_err();
            assert!(said.contains(problem), "{text:?}: {said}");
        }
    }

    #[test]
    fn a_folder_is_one_of_the_repositorys() {
        let command = "command = [\"x\"]\nformat = \"go\"";
        assert_eq!(suite(&format!("{command}\nfolder = \"a/b\"")).unwrap().folder, Some(PathBuf::from("a/b")));
        for folder in ["", "/etc", "../x", "a/../.."] {
            assert!(suite(&format!("{command}\nfolder = {folder:?}")).unwrap_err().contains("`folder`"), "{folder}");
        }
    }
}
