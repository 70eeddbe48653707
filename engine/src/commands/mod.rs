//! One file a verb.

mod generate;
mod info;
mod named;
mod profile;
mod train;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What ends a command early.
type Failure = Box<dyn Error + Send + Sync>;

/// A CPU inference engine for small GPT-2-style transformers.
#[derive(Parser)]
#[command(name = "engine", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Generate(generate::Generate),
    Info(info::Info),
    Profile(profile::Profiling),
    Train(train::Train),
}

/// Reads the arguments and does what they ask for.
pub(crate) fn run() -> ExitCode {
    let done = match Arguments::parse().verb {
        Verb::Generate(verb) => verb.run(),
        Verb::Info(verb) => verb.run(),
        Verb::Profile(verb) => verb.run(),
        Verb::Train(verb) => verb.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output has seen enough.
        Err(failure) if is_broken_pipe(&*failure) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(failure: &(dyn Error + 'static)) -> bool {
    failure.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
