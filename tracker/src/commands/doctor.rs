//! `tachograph doctor`: how well this machine is fit for measuring, and what would help.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Args;

use super::output::{self, Shape};
use crate::failure::Outcome;
use crate::flow::doctor;
use crate::show;

/// Examine this machine: what it is, how steady it is, what makes it noisy and how to mend that
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// How to write the report
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
}

pub(super) fn run(args: &DoctorArgs) -> Outcome<ExitCode> {
    if std::io::stderr().is_terminal() {
        wait_a_moment();
    }
    let report = doctor::examine();
    let text = match args.format {
        Shape::Text => show::doctor::text(&report, output::style()),
        Shape::Json => output::json(&report)?,
    };
    output::say(&text)?;
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stderr, reason = "two silent seconds make people wonder; only a terminal hears this")]
fn wait_a_moment() {
    eprintln!("Measuring for two seconds; leave the machine alone for that long.");
}
