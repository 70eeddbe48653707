//! What the project wants: `tachograph.toml`, strict.
//!
//! [`Config::parse`] reads what was written into raw tables and resolves them into types that can no longer be wrong: a
//! suite is one of three kinds, a duration is a duration, a name is a name. An unknown key is an error that names the
//! nearest right one.

pub mod board;
mod recipe;
mod suite;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use self::suite::RawSuite;
use crate::domain::{
    BenchmarkName, Extra, FalseReds, Limit, LimitError, Pattern, Policy, PolicyEntry, SuiteName, Undecided, closest,
    parse_duration,
};

/// The file's name, in the repository's top folder.
pub const FILE_NAME: &str = "tachograph.toml";

/// The time that a suite's measuring gets unless the project says otherwise.
pub const DEFAULT_BUDGET: Duration = Duration::from_mins(1);

/// How long a build may take unless the project says otherwise.
const DEFAULT_BUILD_TIMEOUT: Duration = Duration::from_mins(30);

/// How long one benchmark may keep silent unless the project says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

/// How long measuring suspects again may take unless the project says otherwise: it mostly ends sooner.
const DEFAULT_CONFIRM_BUDGET: Duration = Duration::from_secs(30);

/// The size from which on a change that was measured again is told unless the project says otherwise: below it, two
/// builds of harmlessly different code often differ.
const DEFAULT_SIZE_PCT: f64 = 1.0;

/// What the project wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where the store is, seen from the top folder.
    pub store: Option<PathBuf>,
    /// The name that this fleet's machines go by, instead of their fingerprints.
    pub machine: Option<String>,
    /// How suites are built.
    pub build: Build,
    /// Whether an acceptance that head itself adds holds at once. Switch it on only where a reviewer guards that file.
    pub trust_new_acceptances: bool,
    /// What the gate allows.
    pub policy: Policy,
    /// How the history is followed.
    pub trend: Trend,
    /// The address at which the project's site can be read, with no slash at its end.
    pub site_url: Option<String>,
    /// The suites, by name.
    pub suites: BTreeMap<SuiteName, Suite>,
}

/// How the history is followed.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// Whether suspect points are measured again at once, with their parent.
    pub confirm: bool,
    /// How long that may take, for each suite, building left out.
    pub confirm_budget: Duration,
    /// The size from which on a change is told that was measured again.
    pub size: Limit,
    /// The revision that every run duels HEAD with besides, so that unlike machines can be read as one.
    pub anchor: Option<String>,
}

/// How suites are built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Variables that a build may see, beside those of the toolchain. A worker never sees them.
    pub pass_env: Vec<String>,
    /// Variables that a build finds set, whatever they are here. A worker never sees them either.
    pub env: BTreeMap<String, String>,
    /// How long one build command may take.
    pub timeout: Duration,
    /// The Rust toolchain that rustup is to take; the file does not say it: it is how an anchor keeps the one that it was
    /// built with.
    pub toolchain: Option<String>,
    /// Empty folders in place of submodules are fine.
    pub submodules_may_be_empty: bool,
    /// Pointers in place of files in Git LFS are fine.
    pub lfs_may_be_pointers: bool,
}

/// One suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// What it is.
    pub source: Source,
    /// The time that measuring it gets.
    pub budget: Duration,
    /// How long one benchmark may keep silent before it counts as hanging.
    pub timeout: Duration,
    /// What is measured beside what it reports itself.
    pub metrics: Vec<Extra>,
    /// Benchmarks that a gate leaves out unless it is asked for them: only runs measure them.
    pub run_only: Vec<Pattern>,
}

/// Command lines that are run one after the other, each a program and its arguments.
pub type Commands = Vec<Vec<String>>;

/// What a suite is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A bench target of a cargo package that speaks the worker protocol.
    Cargo {
        /// The package.
        package: String,
        /// The bench target.
        bench: String,
        /// Features to switch on.
        features: Vec<String>,
    },
    /// Any other program that speaks the worker protocol.
    Worker {
        /// What builds it.
        build: Commands,
        /// What starts it; `--worker` is appended.
        worker: Vec<String>,
    },
    /// A program that prints or writes results and ends, or is timed itself.
    Command(Box<CommandSource>),
}

/// A bench target of a cargo package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CargoTarget {
    /// The package.
    pub package: String,
    /// The bench target.
    pub bench: String,
    /// Features to switch on.
    pub features: Vec<String>,
}

/// A suite that is no worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandSource {
    /// The bench target that is built to stand for `{program}`.
    pub cargo: Option<CargoTarget>,
    /// What builds it.
    pub build: Commands,
    /// What stands for `{program}` where no bench target does.
    pub program: Option<String>,
    /// The folder in the commit's in which all of it runs; the commit's own if none.
    pub folder: Option<PathBuf>,
    /// What is run.
    pub runs: Runs,
    /// How many processes of it are run at the most; by name, of each benchmark.
    pub processes: u32,
}

/// What a command suite runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runs {
    /// A harness that tells what it measured.
    Harness(Box<Harness>),
    /// Commands that are timed themselves, by benchmark.
    Timed(BTreeMap<BenchmarkName, Vec<String>>),
}

/// A harness of somebody else's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Harness {
    /// What runs it, or one benchmark of it where `{name}` or `{pattern}` stands in it.
    pub command: Vec<String>,
    /// The format of its results.
    pub format: String,
    /// The file or folder that it writes its results to, seen from where it runs; its standard output if none.
    pub output: Option<PathBuf>,
    /// What prints the names of its benchmarks.
    pub list: Option<Vec<String>>,
    /// The line that holds one of the names.
    pub line: String,
}

/// Why the configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It does not have the shape that it should.
    #[error("{0}")]
    Shape(String),
    /// A suite says nothing or too much about what it is.
    #[error("[suite.{suite}]: {problem}")]
    Suite {
        /// Its name.
        suite: String,
        /// What is wrong.
        problem: String,
    },
    /// A value cannot be read.
    #[error("{key}: {problem}")]
    Value {
        /// Where it stands.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// There is no suite at all.
    #[error("it names no suite: a table [suite.NAME] says what to measure")]
    NoSuite,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    store: Option<PathBuf>,
    machine: Option<String>,
    #[serde(default)]
    false_reds: FalseReds,
    #[serde(default)]
    inconclusive: Undecided,
    #[serde(default)]
    no_baseline: Undecided,
    #[serde(default)]
    trust_new_acceptances: bool,
    #[serde(default)]
    policy: Vec<PolicyEntry>,
    #[serde(default)]
    build: RawBuild,
    #[serde(default)]
    trend: RawTrend,
    #[serde(default)]
    site: RawSite,
    #[serde(default)]
    suite: BTreeMap<String, RawSuite>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSite {
    url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTrend {
    confirm: Option<bool>,
    confirm_budget: Option<String>,
    size: Option<Limit>,
    anchor: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBuild {
    #[serde(default)]
    pass_env: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    timeout: Option<String>,
    submodules: Option<Submodules>,
    lfs: Option<Lfs>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Submodules {
    Empty,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Lfs {
    Pointers,
}

impl Config {
    /// Reads the text of a `tachograph.toml`.
    pub fn parse(text: &str) -> Result<Config, ConfigError> {
        let raw: RawConfig = toml::from_str(text).map_err(|error| ConfigError::Shape(explain(&error)))?;
        let machine = raw.machine.filter(|name| !name.trim().is_empty());
        let suites = raw.suite.into_iter().map(resolve_suite).collect::<Result<BTreeMap<_, _>, _>>()?;
        if suites.is_empty() {
            return Err(ConfigError::NoSuite);
        }
        let RawConfig { false_reds, inconclusive, no_baseline, .. } = raw;
        let policy = Policy { false_reds, inconclusive, no_baseline, entries: raw.policy };
        let (build, trend) = (resolve_build(raw.build)?, resolve_trend(&raw.trend)?);
        let trust_new_acceptances = raw.trust_new_acceptances;
        let site_url = raw.site.url.map(|url| site_url(&url)).transpose()?;
        Ok(Config { store: raw.store, machine, build, trust_new_acceptances, policy, trend, site_url, suites })
    }
}

fn duration(key: &str, text: Option<&str>, default: Duration) -> Result<Duration, ConfigError> {
    let problem = |error: String| ConfigError::Value { key: key.to_owned(), problem: error };
    text.map_or(Ok(default), |text| parse_duration(text).map_err(|error| problem(error.to_string())))
}

/// An address that stays one wherever it is written: http or https, without blanks, quotes and brackets.
fn site_url(url: &str) -> Result<String, ConfigError> {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "-._~:/?@!$&*+,;=%".contains(sign);
    let place = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match place.filter(|place| !place.is_empty() && place.chars().all(plain)) {
        Some(_) => Ok(url.trim_end_matches('/').to_owned()),
        None => Err(ConfigError::Value {
            key: "site.url".to_owned(),
            problem: format!("{url:?} is no address such as \"https://example.org/speed\""),
        }),
    }
}

fn resolve_trend(raw: &RawTrend) -> Result<Trend, ConfigError> {
    let wrong = |error: LimitError| ConfigError::Value { key: "trend.size".to_owned(), problem: error.to_string() };
    Ok(Trend {
        confirm: raw.confirm.unwrap_or(true),
        confirm_budget: duration("trend.confirm_budget", raw.confirm_budget.as_deref(), DEFAULT_CONFIRM_BUDGET)?,
        size: raw.size.map_or_else(|| Limit::percent(DEFAULT_SIZE_PCT).map_err(wrong), Ok)?,
        anchor: raw.anchor.clone().filter(|name| !name.trim().is_empty()),
    })
}

fn resolve_build(raw: RawBuild) -> Result<Build, ConfigError> {
    let no_name = |name: &&String| name.is_empty() || name.contains(['=', '\0']);
    let wrong = |key: &str, problem| Err(ConfigError::Value { key: key.to_owned(), problem });
    if let Some(name) = raw.pass_env.iter().find(no_name) {
        let problem = format!("{name:?} is no name of a variable; name each variable that the build may see");
        return wrong("build.pass_env", problem);
    }
    if let Some(name) = raw.env.keys().find(no_name) {
        return wrong("build.env", format!("{name:?} is no name of a variable; write NAME = \"value\""));
    }
    if let Some((name, _)) = raw.env.iter().find(|(_, value)| value.contains('\0')) {
        return wrong("build.env", format!("the value of {name} holds a NUL, which no variable can"));
    }
    Ok(Build {
        pass_env: raw.pass_env,
        env: raw.env,
        toolchain: None,
        timeout: duration("build.timeout", raw.timeout.as_deref(), DEFAULT_BUILD_TIMEOUT)?,
        submodules_may_be_empty: raw.submodules.is_some(),
        lfs_may_be_pointers: raw.lfs.is_some(),
    })
}

fn resolve_suite((name, raw): (String, RawSuite)) -> Result<(SuiteName, Suite), ConfigError> {
    let wrong = |problem: String| ConfigError::Suite { suite: name.clone(), problem };
    let suite_name = SuiteName::new(name.as_str()).map_err(|error| wrong(error.to_string()))?;
    if suite_name.peer().is_some() {
        return Err(wrong("names that begin with peer/ are for what `import --as-peer` records".to_owned()));
    }
    let budget = duration(&format!("suite.{name}.budget"), raw.budget.as_deref(), DEFAULT_BUDGET)?;
    let timeout = duration(&format!("suite.{name}.timeout"), raw.timeout.as_deref(), DEFAULT_TIMEOUT)?;
    let metrics = raw.metrics.iter().map(|name| name.parse::<Extra>()).collect::<Result<Vec<_>, _>>();
    let metrics = metrics.map_err(|error| wrong(format!("`metrics`: {error}")))?;
    let run_only = raw.run_only.clone();
    if run_only.iter().any(|pattern| pattern.as_str().trim().is_empty()) {
        return Err(wrong("`run_only` has an empty pattern, which would leave out everything".to_owned()));
    }
    let source = suite::source(raw).map_err(wrong)?;
    if let (Source::Command(_), [_, ..]) = (&source, &metrics[..]) {
        return Err(wrong(
            "`metrics` goes with a worker: of a command nothing can be counted apart from its start".to_owned(),
        ));
    }
    Ok((suite_name, Suite { source, budget, timeout, metrics, run_only }))
}

/// The parser's message, with the nearest right name where a key is unknown.
fn explain(error: &toml::de::Error) -> String {
    let text = error.to_string();
    let mut quoted = error.message().split('`').skip(1).step_by(2);
    let (true, Some(unknown)) = (error.message().starts_with("unknown field"), quoted.next()) else {
        return text.trim_end().to_owned();
    };
    match closest(unknown, quoted) {
        Some(nearest) => format!("{}\ndid you mean `{nearest}`?", text.trim_end()),
        None => text.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Config::parse(text).expect_err("it is refused").to_string()
    }

    #[test]
    fn a_site_has_an_address_that_can_stand_in_a_comment() {
        let with =
            |url: &str| format!("[site]\nurl = {url:?}\n[suite.e]\ncargo = {{ package = \"e\", bench = \"b\" }}");
        let config = Config::parse(&with("https://example.org/speed/")).unwrap();
        assert_eq!(config.site_url.as_deref(), Some("https://example.org/speed"));
        for wrong in ["example.org", "javascript:alert(1)", "https://", "https://a/)[x](https://b", "https://a b"] {
            assert!(refused(&with(wrong)).contains("site.url"), "{wrong}");
        }
    }

    #[test]
    fn a_cargo_bench_target_needs_no_more_than_its_name() {
        let config = Config::parse("[suite.engine]\ncargo = { package = \"engine\", bench = \"suite\" }").unwrap();
        let suite = &config.suites["engine"];
        assert_eq!(suite.budget, Duration::from_mins(1));
        let expected = Source::Cargo { package: "engine".to_owned(), bench: "suite".to_owned(), features: Vec::new() };
        assert_eq!(suite.source, expected);
    }

    #[test]
    fn every_key_is_read_to_its_place() {
        let text = r#"
            store = "perf/store.db"
            machine = "ci-large"
            false_reds = "1 in 500"
            inconclusive = "fail"
            trust_new_acceptances = true
            [build]
            pass_env = ["TOKEN_OF_REGISTRY"]
            env = { RUSTFLAGS = "-C target-cpu=native" }
            timeout = "7m"
            submodules = "empty"
            lfs = "pointers"
            [trend]
            confirm = false
            confirm_budget = "3s"
            size = "4 %"
            anchor = "v1.0"
            [suite.slow]
            build = [["make", "all"], ["make", "bench"]]
            command = ["./bench", "--only", "{name}"]
            list = ["./bench", "--list"]
            line = "* {name}"
            folder = "sub/folder"
            format = "tachograph"
            output = "out/result.json"
            processes = 9
            budget = "90s"
            timeout = "1500ms"
            [suite.python]
            build = ["make"]
            worker = ["python3", "bench.py"]
            [[policy]]
            limit = "3 %"
            [[policy]]
            pattern = "kernel/*"
            metric = "allocations"
            gate = false
            widen = false
        "#;
        let config = Config::parse(text).unwrap();
        assert_eq!(config.store, Some(PathBuf::from("perf/store.db")));
        assert_eq!(config.machine.as_deref(), Some("ci-large"));
        assert_eq!(config.build.pass_env, ["TOKEN_OF_REGISTRY"]);
        assert_eq!(config.build.env["RUSTFLAGS"], "-C target-cpu=native");
        assert_eq!(config.build.timeout, Duration::from_mins(7));
        assert!(config.build.submodules_may_be_empty && config.build.lfs_may_be_pointers);
        assert_eq!(config.policy.false_reds, FalseReds::one_in(500).unwrap());
        let size = Limit::percent(4.0).unwrap();
        let anchor = Some("v1.0".to_owned());
        assert_eq!(config.trend, Trend { confirm: false, confirm_budget: Duration::from_secs(3), size, anchor });
        assert_eq!((config.policy.inconclusive, config.trust_new_acceptances), (Undecided::Fail, true));
        let [first, second] = &config.policy.entries[..] else { panic!("{:?}", config.policy) };
        assert_eq!(first, &PolicyEntry { limit: Some("3 %".parse().unwrap()), ..PolicyEntry::default() });
        assert_eq!(
            (second.metric.as_deref(), second.gate, second.widen),
            (Some("allocations"), Some(false), Some(false))
        );
        let slow = &config.suites["slow"];
        assert_eq!((slow.budget, slow.timeout), (Duration::from_secs(90), Duration::from_millis(1500)));
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let harness = Harness {
            command: words("./bench --only {name}"),
            format: "tachograph".to_owned(),
            output: Some(PathBuf::from("out/result.json")),
            list: Some(words("./bench --list")),
            line: "* {name}".to_owned(),
        };
        let expected = Source::Command(Box::new(CommandSource {
            cargo: None,
            build: vec![words("make all"), words("make bench")],
            program: None,
            folder: Some(PathBuf::from("sub/folder")),
            runs: Runs::Harness(Box::new(harness)),
            processes: 9,
        }));
        assert_eq!(slow.source, expected);
        let expected = Source::Worker { build: vec![words("make")], worker: words("python3 bench.py") };
        assert_eq!(config.suites["python"].source, expected);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_the_nearest_right_name() {
        let message = refused("[suite.a]\nworker = [\"x\"]\nbuget = \"3s\"");
        assert!(message.contains("line 3") && message.contains("`buget`"), "{message}");
        assert!(message.contains("did you mean `budget`?"), "{message}");
        assert!(refused("[suites.a]\nworker = [\"x\"]").contains("did you mean `suite`?"));
    }

    #[test]
    fn a_suite_that_is_nothing_or_two_things_is_refused_by_name() {
        let cases = [
            ("", "names no suite"),
            ("false_reds = \"never\"\n[suite.a]\nworker = [\"x\"]", "1 in N"),
            ("[suite.a]\nworker = [\"x\"]\n[[policy]]\nlimit = 2", "a limit is a percentage from 0 to 1000"),
            ("false_reds = 0.001\n[suite.a]\nworker = [\"x\"]", "an error budget is \"1 in N\""),
            ("[suite.a]\nworker = [\"x\"]\n[[policy]]\nlimits = \"2 %\"", "did you mean `limit`?"),
            ("[suite.a]", "[suite.a]: say what it is"),
            ("[suite.a]\nworker = [\"x\"]\ncommand = [\"y\"]\nformat = \"f\"", "not several"),
            ("[suite.a]\nworker = []", "needs a program"),
            ("[suite.a]\nworker = [\"x\"]\nformat = \"f\"", "`format` goes with `command`"),
            ("[suite.a]\ncommand = [\"x\"]", "needs a `format`"),
            ("[suite.a]\ncommand = [\"x\", \"{name}\"]\nformat = \"f\"", "go together"),
            ("[suite.a]\ncommand = [\"x\"]\nformat = \"f\"\nprocesses = 0", "at least 1"),
            ("[suite.a]\nworker = [\"x\"]\nbuild = \"make\"", "expected a command"),
            ("[suite.a]\nworker = [\"x\"]\nbudget = \"soon\"", "suite.a.budget"),
            ("[suite.a]\nworker = [\"x\"]\nmetrics = [\"instruction\"]", "there is `instructions`"),
            ("[suite.a]\ncommand = [\"x\"]\nformat = \"f\"\nmetrics = [\"instructions\"]", "goes with a worker"),
            ("[suite.\"\"]\nworker = [\"x\"]", "must not be empty"),
            ("[build]\npass_env = [\"A=B\"]\n[suite.a]\nworker = [\"x\"]", "no name of a variable"),
            ("[build.env]\n\"A=B\" = \"c\"\n[suite.a]\nworker = [\"x\"]", "no name of a variable"),
            ("[build.env]\nA = \"\\u0000\"\n[suite.a]\nworker = [\"x\"]", "holds a NUL"),
            ("[suite.a]\ncargo = { package = \"p\", bench = \"b\" }\nbuild = [\"make\"]", "leave `build` out"),
        ];
        for (text, expected) in cases {
            let message = refused(text);
            assert!(message.contains(expected), "{text:?}: {message}");
        }
    }
}
