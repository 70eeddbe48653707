//! One file a verb: reads the arguments and the clock, calls a flow, prints, and says how to exit.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Outcome;

/// A continuous performance regression tracker.
#[derive(Debug, Parser)]
#[command(name = "tachograph", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {}

/// Runs the program: the whole of `main`.
#[must_use]
#[expect(unreachable_code, unused_variables, reason = "holds until the first verb lands")]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(&cli.verb) {
        Ok(code) => code,
        Err(failure) => {
            complain(&failure);
            ExitCode::from(failure.kind().exit_code())
        }
    }
}

#[expect(clippy::print_stderr, reason = "the one place where a failure is told")]
fn complain(failure: &crate::failure::Failure) {
    eprintln!("{failure}");
}

fn dispatch(verb: &Verb) -> Outcome<ExitCode> {
    match *verb {}
}
