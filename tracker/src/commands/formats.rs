//! `tachograph formats`: which result files are understood, and what each carries.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::adapt::{FORMATS, Format};
use crate::failure::{Classify, Outcome};

/// List the result formats that are understood and what each carries
#[derive(Debug, Args)]
pub(super) struct FormatsArgs {
    /// How to write the list
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
}

/// How the list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// For reading
    Text,
    /// For programs
    Json,
    /// The table of FORMATS.md
    Markdown,
}

/// A format as programs read it.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    title: &'static str,
    made_by: &'static str,
    takes: &'static str,
    samples: &'static str,
    lives: bool,
    direction: &'static str,
    failures: bool,
    history: bool,
}

pub(super) fn run(args: &FormatsArgs) -> Outcome<ExitCode> {
    let text = match args.format {
        Shape::Text => text(),
        Shape::Markdown => markdown(),
        Shape::Json => {
            let rows: Vec<Row> = FORMATS.iter().copied().map(row).collect();
            serde_json::to_string_pretty(&rows).or_environment("writing the list as JSON")? + "\n"
        }
    };
    super::answer(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn row(format: &'static Format) -> Row {
    Row {
        name: format.name,
        title: format.title,
        made_by: format.made_by,
        takes: format.taken_as(),
        samples: format.carries.samples.as_str(),
        lives: format.carries.lives,
        direction: format.carries.direction.as_str(),
        failures: format.carries.failures,
        history: format.carries.history,
    }
}

fn text() -> String {
    let mut out = String::new();
    for format in FORMATS {
        let row = row(format);
        let mut traits = vec![format!("samples: {}", row.samples), format!("direction: {}", row.direction)];
        traits.extend(row.lives.then(|| "lives".to_owned()));
        traits.extend(row.failures.then(|| "failures".to_owned()));
        traits.extend(row.history.then(|| "history".to_owned()));
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{:<20} {} ({})\n{:20} {}", row.name, row.title, row.takes, "", traits.join(", "));
    }
    out
}

/// The table that the documentation holds.
fn markdown() -> String {
    let yes_no = |value| if value { "yes" } else { "no" };
    let mut out = String::from(
        "| `--format` | written by | how | takes | samples | lives | direction | failures | history |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for format in FORMATS {
        let row = row(format);
        let _ = writeln!(
            out,
            "| `{}` | {} | `{}` | {} | {} | {} | {} | {} | {} |",
            row.name,
            row.title,
            row.made_by.replace('|', "\\|"),
            row.takes,
            row.samples,
            yes_no(row.lives),
            row.direction,
            yes_no(row.failures),
            yes_no(row.history),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_in_the_documents_is_the_one_that_the_code_makes() {
        let page = include_str!("../../FORMATS.md");
        assert!(
            page.contains(&markdown()),
            "put this into FORMATS.md (`tachograph formats --format markdown`):\n{}",
            markdown()
        );
    }
}
