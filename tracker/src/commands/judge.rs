//! `tachograph judge`: the gate's judgement over numbers that the user has.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::domain::{Call, Direction, FalseReds, Limit};
use crate::failure::{Classify, Failure, Outcome};
use crate::judge::numbers::{self, Lists, Numbers, Wanted};
use crate::show::judgement;

/// More than this is no list of measurements.
const MOST_BYTES: u64 = 64 << 20;

/// Judge measurements of base and head that you have: JSON on standard input, or two files of values
///
/// Standard input is one JSON object: {"base":[…],"head":[…],"interleaved":true,"past":[…],"history":[…]}. `base` and
/// `head` are values in the order of measuring; `interleaved` says that they took turns, so that they are compared in
/// pairs; `past` holds the logarithms of head/base of earlier comparisons of this benchmark, and `history` the main
/// branch's earlier values, oldest first. All but `base` and `head` may be left out.
///
/// The exit code is 1 if head regressed, else 0.
#[derive(Debug, Args)]
pub(super) struct JudgeArgs {
    /// Read base's values from this file, numbers separated by white space or commas
    #[arg(long, value_name = "FILE", requires = "head")]
    base: Option<PathBuf>,
    /// Read head's values from this file
    #[arg(long, value_name = "FILE", requires = "base")]
    head: Option<PathBuf>,
    /// The values of the two files were taken in turns
    #[arg(long, requires = "base")]
    interleaved: bool,
    /// How much worse head may be
    #[arg(long, value_name = "PERCENT", default_value = "1 %")]
    limit: Limit,
    /// How often the verdict may be regressed although nothing changed
    #[arg(long, value_name = "RATE", default_value = "1 in 1000")]
    false_reds: FalseReds,
    /// Which way is good
    #[arg(long, value_enum, default_value_t = Better::Lower)]
    better: Better,
    /// How to write the verdict
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
    /// Print 1 for regressed and 0 for all else, and exit with 0
    #[arg(long, conflicts_with = "format")]
    plain: bool,
}

/// How the verdict is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// For reading
    Text,
    /// For programs
    Json,
}

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Better {
    /// Less is better, as with time
    Lower,
    /// More is better, as with throughput
    Higher,
}

/// The JSON object on standard input.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(default)]
    history: Vec<f64>,
    base: Vec<f64>,
    head: Vec<f64>,
    #[serde(default)]
    interleaved: bool,
    #[serde(default)]
    past: Vec<f64>,
}

impl From<Input> for Lists {
    fn from(input: Input) -> Lists {
        let Input { history, base, head, interleaved, past } = input;
        Lists { history, base, head, interleaved, past }
    }
}

pub(super) fn run(args: &JudgeArgs) -> Outcome<ExitCode> {
    let numbers = Numbers::new(&lists(args)?).map_err(Failure::usage)?;
    let better = match args.better {
        Better::Lower => Direction::Lower,
        Better::Higher => Direction::Higher,
    };
    let verdict = numbers::judge(&numbers, &Wanted { limit: args.limit, false_reds: args.false_reds, better });
    let regressed = verdict.call == Call::Regressed;
    if args.plain {
        super::answer(if regressed { "1\n" } else { "0\n" })?;
        return Ok(ExitCode::SUCCESS);
    }
    match args.format {
        Shape::Text => super::answer(&judgement::text(&verdict))?,
        Shape::Json => super::answer(&judgement::json(&verdict))?,
    }
    Ok(ExitCode::from(u8::from(regressed)))
}

fn lists(args: &JudgeArgs) -> Outcome<Lists> {
    if let (Some(base), Some(head)) = (&args.base, &args.head) {
        return Ok(Lists {
            base: values(base)?,
            head: values(head)?,
            interleaved: args.interleaved,
            ..Lists::default()
        });
    }
    let text = bounded(std::io::stdin().lock(), "standard input")?;
    let input: Input = serde_json::from_str(&text).or_usage("reading standard input as JSON").map_err(|failure| {
        failure.hint("give it as {\"base\":[1.0,1.1],\"head\":[1.2,1.3]}; see tachograph judge --help")
    })?;
    Ok(input.into())
}

fn values(path: &Path) -> Outcome<Vec<f64>> {
    let name = path.display().to_string();
    let file = std::fs::File::open(path).or_usage(format!("opening {name}"))?;
    let text = bounded(file, &name)?;
    let parse = |(at, word): (usize, &str)| {
        word.parse::<f64>().with_context(|| format!("value {} of {name} is {word:?}, which is no number", at + 1))
    };
    let words = text.split(|sign: char| sign.is_whitespace() || sign == ',').filter(|word| !word.is_empty());
    words.enumerate().map(parse).collect::<Result<_, _>>().map_err(Failure::usage)
}

fn bounded(source: impl Read, name: &str) -> Outcome<String> {
    let mut text = String::new();
    let read = source.take(MOST_BYTES + 1).read_to_string(&mut text).or_usage(format!("reading {name}"))?;
    if read as u64 > MOST_BYTES {
        return Err(Failure::usage(anyhow!("{name} is larger than {} MiB", MOST_BYTES >> 20)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_list_is_refused_instead_of_being_left_out() {
        assert!(serde_json::from_str::<Input>(r#"{"base":[1],"head":[1],"pasts":[1]}"#).is_err());
        assert!(serde_json::from_str::<Input>(r#"{"base":[1]}"#).is_err());
        assert!(serde_json::from_str::<Input>(r#"{"base":[1],"head":[1]}"#).is_ok());
    }

    #[test]
    fn files_hold_numbers_apart_by_lines_spaces_or_commas() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("base.txt");
        std::fs::write(&path, "1.5\n2, 3e0\n\n").unwrap();
        assert_eq!(values(&path).unwrap(), [1.5, 2.0, 3.0]);
        std::fs::write(&path, "1.5 two").unwrap();
        assert!(values(&path).unwrap_err().to_string().contains("value 2 of"));
    }
}
