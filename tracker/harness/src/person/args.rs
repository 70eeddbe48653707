//! The arguments of a person, of cargo, and of test runners: what was typed, and what it means.

use std::path::Path;
use std::time::Duration;

use crate::pattern::Pattern;

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Measure,
    Check,
    List,
    Help,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Json,
    /// Names as test runners want them listed.
    Terse,
}

/// Arguments, understood.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) action: Action,
    pub(super) format: Format,
    /// How long to measure each benchmark.
    pub(super) time: Duration,
    /// Whether cargo or a test runner asks, which hand one filter to many programs.
    pub(super) by_runner: bool,
    chosen: Vec<Pattern>,
    skipped: Vec<Pattern>,
    nothing: bool,
}

impl Asked {
    pub(super) fn chooses(&self, name: &str) -> bool {
        let wanted = self.chosen.is_empty() || self.chosen.iter().any(|pattern| pattern.matches(name));
        wanted && !self.nothing && !self.skipped.iter().any(|pattern| pattern.matches(name))
    }
}

/// Where the program stands, as far as it changes what the arguments mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    /// Whether cargo started it.
    pub(super) cargo: bool,
    /// The program's own file.
    pub(super) program: &'a Path,
}

impl Surroundings<'_> {
    /// `cargo test` runs a bench target without a word, and `cargo bench` says `--bench`; cargo keeps the programs of
    /// both, and no others, in a folder named `deps`.
    fn a_test_run(self) -> bool {
        self.cargo && self.program.parent().and_then(Path::file_name).is_some_and(|folder| folder == "deps")
    }
}

pub(super) const HELP: &str = "\
Measures benchmarks and prints a table of them.

Usage: [OPTIONS] [PATTERN]...

  PATTERN           Choose benchmarks by name: a text to be found in it, or a pattern
                    with * and ? for the whole of it, or =NAME for exactly this one

  --list            Print the names
  --check           Run each benchmark once and compare its answer with the expected one
  --time SECONDS    Measure each benchmark for about so long (0.3); slow ones take longer,
                    up to ten times that or one iteration
  --skip PATTERN    Leave out benchmarks
  --exact           Take each PATTERN as an exact name
  --format FORMAT   text or json; for --list also terse
  --worker          Serve a tracker on standard input and output
  --help            Print this

The time of a benchmark is the median over slices of about a millisecond, per iteration;
its spread is half the distance between the quartiles. An expected answer is checked
first. Exits with 1 when an answer is wrong or a benchmark panics, with 2 on wrong usage.

--bench and other arguments that cargo and test runners pass are understood; --test means
--check, and so does running under `cargo test`.
";

/// Arguments of test runners that change nothing here.
const INDIFFERENT: [&str; 6] = ["--nocapture", "--no-capture", "--show-output", "--quiet", "-q", "--include-ignored"];
/// The same, with a value.
const INDIFFERENT_WITH_VALUE: [&str; 2] = ["--color", "--test-threads"];
const OWN: [&str; 8] = ["--list", "--check", "--time", "--skip", "--exact", "--format", "--worker", "--help"];

/// Reads arguments; the error says what is wrong with them and what to try.
pub(super) fn parse(arguments: &[String], surroundings: Surroundings<'_>) -> Result<Asked, String> {
    let mut asked = Asked {
        action: Action::Measure,
        format: Format::Text,
        time: Duration::from_millis(300),
        by_runner: false,
        chosen: Vec::new(),
        skipped: Vec::new(),
        nothing: false,
    };
    let (mut bench, mut exact, mut texts, mut skips) = (false, false, Vec::new(), Vec::new());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let (flag, joined) = match argument.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
            _ => (argument.as_str(), None),
        };
        let mut value = || {
            let value = joined.clone().or_else(|| rest.next().cloned());
            value.ok_or_else(|| format!("{flag} needs a value"))
        };
        match flag {
            "--bench" => bench = true,
            "--test" => (asked.action, asked.by_runner) = (Action::Check, true),
            "--list" => asked.action = Action::List,
            "--check" => asked.action = Action::Check,
            "--help" | "-h" => asked.action = Action::Help,
            "--exact" => exact = true,
            "--ignored" => asked.nothing = true,
            "--time" => asked.time = seconds(&value()?)?,
            "--skip" => skips.push(value()?),
            "--format" => asked.format = format(&value()?)?,
            "--" => texts.extend(rest.by_ref().cloned()),
            known if INDIFFERENT.contains(&known) => {}
            known if INDIFFERENT_WITH_VALUE.contains(&known) => drop(value()?),
            unknown if unknown.starts_with('-') => return Err(refused(unknown)),
            text => texts.push(text.to_owned()),
        }
    }
    if !bench && asked.action == Action::Measure && surroundings.a_test_run() {
        (asked.action, asked.by_runner) = (Action::Check, true);
    }
    asked.by_runner |= bench;
    let pattern = |text: String| Pattern::new(if exact { format!("={text}") } else { text });
    asked.chosen = texts.into_iter().map(pattern).collect();
    asked.skipped = skips.into_iter().map(pattern).collect();
    if asked.format == Format::Terse && asked.action != Action::List {
        return Err("--format terse goes with --list only".to_owned());
    }
    Ok(asked)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds
        .filter(|time| !time.is_zero() && *time <= Duration::from_hours(1))
        .ok_or_else(|| format!("--time needs seconds between 0 and 3600, not {text:?}"))
}

fn format(text: &str) -> Result<Format, String> {
    match text {
        "text" | "pretty" => Ok(Format::Text),
        "json" => Ok(Format::Json),
        "terse" => Ok(Format::Terse),
        other => Err(format!("there is no format {other:?}: text or json")),
    }
}

fn refused(flag: &str) -> String {
    let nearest = OWN.iter().map(|own| (distance(flag, own), own)).min();
    match nearest {
        Some((distance, own)) if distance <= 3 => format!("unknown option {flag}: did you mean {own}?"),
        _ => format!("unknown option {flag}: see --help"),
    }
}

/// Letters to insert, remove or change to make one word of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (place, &wanted) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != wanted);
            diagonal = row[place + 1];
            row[place + 1] = changed.min(row[place] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed_in(program: &str, cargo: bool, arguments: &[&str]) -> Result<Asked, String> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        parse(&arguments, Surroundings { cargo, program: Path::new(program) })
    }

    fn parsed(arguments: &[&str]) -> Result<Asked, String> {
        parsed_in("/home/me/suite", false, arguments)
    }

    #[test]
    fn without_arguments_everything_is_measured() {
        let asked = parsed(&[]).unwrap();
        assert_eq!((asked.action, asked.format, asked.by_runner), (Action::Measure, Format::Text, false));
        assert!(asked.chooses("anything"));
    }

    #[test]
    fn cargo_bench_measures_and_cargo_test_checks() {
        let program = "/p/target/release/deps/suite-0123";
        assert_eq!(parsed_in(program, true, &["--bench"]).unwrap().action, Action::Measure);
        assert_eq!(parsed_in(program, true, &[]).unwrap().action, Action::Check);
        assert_eq!(parsed_in(program, false, &[]).unwrap().action, Action::Measure);
        assert_eq!(parsed_in("/p/target/debug/examples/demo", true, &[]).unwrap().action, Action::Measure);
        assert_eq!(parsed(&["--test"]).unwrap().action, Action::Check);
        assert_eq!(parsed_in(program, true, &["--bench", "--test"]).unwrap().action, Action::Check);
    }

    #[test]
    fn what_runners_pass_is_understood() {
        let asked = parsed(&["--bench", "--nocapture", "--test-threads", "1", "--color=always", "sum", "-q"]).unwrap();
        assert!(asked.by_runner && asked.chooses("sum/1") && !asked.chooses("1"));
        assert!(!parsed(&["--ignored"]).unwrap().chooses("sum/1"));
        assert_eq!(parsed(&["--list", "--format", "terse"]).unwrap().format, Format::Terse);
    }

    #[test]
    fn patterns_choose_and_skips_leave_out() {
        let asked = parsed(&["sum", "*/64", "--skip", "slow"]).unwrap();
        let chosen = ["sum/1", "kernel/64", "kernel/640", "sum/slow"].map(|name| asked.chooses(name));
        assert_eq!(chosen, [true, true, false, false]);
        let exact = parsed(&["--exact", "sum"]).unwrap();
        assert!(exact.chooses("sum") && !exact.chooses("sum/1"));
        assert!(parsed(&["=sum/1"]).unwrap().chooses("sum/1"));
    }

    #[test]
    fn an_unknown_option_is_refused_with_the_nearest_right_one() {
        assert_eq!(parsed(&["--lst"]).unwrap_err(), "unknown option --lst: did you mean --list?");
        assert_eq!(parsed(&["--formt=json"]).unwrap_err(), "unknown option --formt: did you mean --format?");
        assert_eq!(parsed(&["--sample-size"]).unwrap_err(), "unknown option --sample-size: see --help");
    }

    #[test]
    fn wrong_values_are_refused() {
        for arguments in [&["--time"][..], &["--time", "0"], &["--time=NaN"], &["--time=-1"], &["--format", "xml"]] {
            assert!(parsed(arguments).is_err(), "{arguments:?}");
        }
        assert!(parsed(&["--format", "terse"]).unwrap_err().contains("--list only"));
        assert_eq!(parsed(&["--time=0.05"]).unwrap().time, Duration::from_millis(50));
    }

    #[test]
    fn the_help_names_every_own_option() {
        for option in OWN {
            assert!(HELP.contains(option), "{option}");
        }
    }
}
