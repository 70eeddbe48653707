//! `tachograph detect`: when did a series of numbers move?

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use crate::domain::Direction;
use crate::failure::{Classify, Failure, Outcome};
use crate::judge::trend;
use crate::show;
use crate::stats::changes::{Settings, Values};

/// More than this is no series.
const MOST_BYTES: u64 = 256 << 20;

/// Find where a series of numbers moved: CSV, or one value a line, oldest first
///
/// Of CSV with a header the column `value` is read; of CSV without one the fourth column of
/// index,commit,timestamp,value. Indices count the values from 0. Empty lines are left out.
#[derive(Debug, Args)]
pub(super) struct DetectArgs {
    /// Read this file instead of standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// How sure to be
    #[arg(long, value_enum, default_value_t = Mode::History)]
    mode: Mode,
    /// Which way is good
    #[arg(long, value_enum)]
    better: Option<Better>,
    /// How to write the changes
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
    /// Print the index of the first point of each new level, one a line, and nothing else
    #[arg(long, conflicts_with = "format")]
    plain: bool,
}

/// How sure to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// What happened: for reading a history once
    History,
    /// For reading it again with each new point, where each is another chance to be wrong
    Online,
    /// What deserves a person: sure, at least as large as the noise, and at least 1 %
    Alert,
}

/// How the changes are written.
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

pub(super) fn run(args: &DetectArgs) -> Outcome<ExitCode> {
    let values = match &args.file {
        Some(path) => {
            let name = path.display().to_string();
            let file = std::fs::File::open(path).or_usage(format!("opening {name}"))?;
            series(&bounded(file, &name)?, &name)?
        }
        None => series(&bounded(std::io::stdin().lock(), "standard input")?, "standard input")?,
    };
    let settings = match args.mode {
        Mode::History => Settings::history(),
        Mode::Online => Settings::online(),
        Mode::Alert => Settings::alert(),
    };
    let better = match args.better {
        Some(Better::Lower) => Direction::Lower,
        Some(Better::Higher) => Direction::Higher,
        None => Direction::Unknown,
    };
    let trend = trend::trend(&values, &settings, better);
    let text = match args.format {
        _ if args.plain => show::trend::plain(&trend),
        Shape::Text => show::trend::text(&trend),
        Shape::Json => show::trend::json(&trend),
    };
    super::answer(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn bounded(source: impl Read, name: &str) -> Outcome<String> {
    let mut text = String::new();
    let read = source.take(MOST_BYTES + 1).read_to_string(&mut text).or_usage(format!("reading {name}"))?;
    if read as u64 > MOST_BYTES {
        return Err(Failure::usage(anyhow!("{name} is larger than {} MiB", MOST_BYTES >> 20)));
    }
    Ok(text)
}

/// Where a line has its value.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Column {
    /// The line is the value.
    Whole,
    /// Among `of` columns, counted from 0.
    Of { at: usize, of: usize },
}

impl Column {
    /// Tells from the first line, and whether that line is a header.
    fn of(line: &str) -> Option<(Column, bool)> {
        let fields: Vec<&str> = line.split(',').map(|field| field.trim().trim_matches('"')).collect();
        if let Some(at) = fields.iter().position(|field| field.eq_ignore_ascii_case("value")) {
            return Some((if fields.len() == 1 { Column::Whole } else { Column::Of { at, of: fields.len() } }, true));
        }
        match fields.len() {
            1 => Some((Column::Whole, false)),
            4 => Some((Column::Of { at: 3, of: 4 }, false)),
            _ => None,
        }
    }

    fn read(self, line: &str) -> Result<f64, String> {
        let text = match self {
            Column::Whole => line,
            Column::Of { at, of } => {
                let fields: Vec<&str> = line.split(',').collect();
                if fields.len() != of {
                    return Err(format!("has {} columns instead of {of}", fields.len()));
                }
                fields[at]
            }
        };
        let text = text.trim().trim_matches('"');
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            Ok(_) => Err(format!("holds {text:?}, which is not finite")),
            Err(_) => Err(format!("holds {text:?}, which is no number")),
        }
    }
}

fn series(text: &str, name: &str) -> Outcome<Values> {
    const TRY: &str = "give one value a line, or CSV with a column named value; leave points without a value out";
    let refuse = |line: usize, what: &str| Failure::usage(anyhow!("line {} of {name} {what}", line + 1)).hint(TRY);
    let mut column = None;
    let mut values = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let known = if let Some(known) = column {
            known
        } else {
            let (found, is_header) = Column::of(line).ok_or_else(|| {
                refuse(number, "is neither one value, nor index,commit,timestamp,value, nor a header")
            })?;
            column = Some(found);
            if is_header {
                continue;
            }
            found
        };
        values.push(known.read(line).map_err(|what| refuse(number, &what))?);
    }
    Values::new(values).map_err(Failure::usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<f64> {
        series(text, "test").unwrap().as_slice().to_vec()
    }

    fn refused(text: &str) -> String {
        series(text, "test").unwrap_err().to_string()
    }

    #[test]
    fn values_are_read_bare_or_from_csv_with_or_without_a_header() {
        assert_eq!(read("1.5\n2e3\r\n\n-3\n"), [1.5, 2000.0, -3.0]);
        assert_eq!(read("index,commit,timestamp,value\n0,abc,2026-01-01,7\n1,,,8\n"), [7.0, 8.0]);
        assert_eq!(read("0,abc,,7\n1,,,8"), [7.0, 8.0]);
        assert_eq!(read("value\n7\n"), [7.0]);
        assert_eq!(read("\u{feff}\"commit\",\"value\"\n\"abc\",\"7\"\n"), [7.0]);
        assert!(read("").is_empty());
    }

    #[test]
    fn what_is_no_finite_number_is_refused_with_its_line() {
        assert!(refused("1\n2\nNaN\n").contains("line 3 of test holds \"NaN\", which is not finite"));
        assert!(refused("1\n\ninf\n").contains("line 3"));
        assert!(refused("1\ntwo\n").contains("line 2 of test holds \"two\", which is no number"));
        assert!(
            refused("index,commit,timestamp,value\n0,,,1\n1,,2\n")
                .contains("line 3 of test has 3 columns instead of 4")
        );
        assert!(refused("a,b\n1,2\n").contains("line 1"));
        assert!(refused("0,,,1\n1,,,\n").contains("line 2"));
    }
}
