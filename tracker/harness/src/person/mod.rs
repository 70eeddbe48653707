//! Serving a person: a table, a list, a check.

mod args;
mod measure;
mod results;
mod table;
mod units;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::Value;

use crate::describe;
use crate::offer::{Check, Offer};
use crate::suite::Suite;
use args::{Action, Asked, Format, Surroundings};
use table::Table;

/// The status for wrong usage.
const USAGE: u8 = 2;

/// Does what the arguments ask for.
pub(crate) fn main(mut suite: Suite<'_>, arguments: &[String]) -> ExitCode {
    let program = env::current_exe().unwrap_or_default();
    let surroundings = Surroundings { cargo: env::var_os("CARGO").is_some(), program: &program };
    let asked = match args::parse(arguments, surroundings) {
        Ok(asked) => asked,
        Err(message) => {
            say(&message);
            return ExitCode::from(USAGE);
        }
    };
    let offered = suite.offers.len();
    suite.offers.retain(|offer| asked.chooses(&offer.name));
    if suite.offers.is_empty() && asked.action != Action::Help {
        say(&format!("none of the {offered} benchmarks of {:?} was chosen: --list names them", suite.name));
        return ExitCode::from(if asked.by_runner { 0 } else { USAGE });
    }
    let mut output = io::stdout().lock();
    let done = match asked.action {
        Action::Help => output.write_all(args::HELP.as_bytes()).map(|()| 0),
        Action::List => list(&suite, asked.format, &mut output).map(|()| 0),
        Action::Check => check(&mut suite, asked.format, &mut output),
        Action::Measure => measure(&mut suite, &asked, &mut output),
    };
    match done {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failures) => {
            say(&format!("{failures} of {} benchmarks failed", suite.offers.len()));
            ExitCode::FAILURE
        }
        // Whoever read the output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("the output cannot be written: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn say(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}

fn list(suite: &Suite<'_>, format: Format, output: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Text => suite.names().try_for_each(|name| writeln!(output, "{name}")),
        Format::Terse => suite.names().try_for_each(|name| writeln!(output, "{name}: benchmark")),
        Format::Json => {
            let described: Vec<Value> =
                suite.offers.iter().map(|offer| describe::benchmark(offer, suite.counting)).collect();
            writeln!(output, "{}", results::overview(&suite.name, &described))
        }
    }
}

/// Checks each benchmark; the number of those that failed.
fn check(suite: &mut Suite<'_>, format: Format, output: &mut impl Write) -> io::Result<usize> {
    let mut failures = 0;
    let mut done: Vec<Value> = Vec::new();
    for offer in &mut suite.offers {
        let outcome = freed_after(offer, right);
        failures += usize::from(outcome.is_err());
        match (format, &outcome) {
            (Format::Json, _) => done.push(results::checked(&offer.name, &outcome)),
            (_, Ok(())) => writeln!(output, "ok      {}", offer.name)?,
            (_, Err(message)) => writeln!(output, "FAILED  {}: {}", offer.name, units::one_line(message))?,
        }
    }
    if format == Format::Json {
        writeln!(output, "{}", results::overview(&suite.name, &done))?;
    }
    Ok(failures)
}

/// Measures each benchmark; the number of those that failed.
fn measure(suite: &mut Suite<'_>, asked: &Asked, output: &mut impl Write) -> io::Result<usize> {
    if cfg!(debug_assertions) {
        say("this program was built without optimisation: its figures mean little (`--release`, or `cargo bench`)");
    }
    let counting = suite.counting;
    let table = Table::new(&suite.offers, counting);
    let mut failures = 0;
    let mut done: Vec<Value> = Vec::new();
    if asked.format == Format::Text {
        writeln!(output, "{}", table.head())?;
    }
    for offer in &mut suite.offers {
        let outcome = freed_after(offer, |offer| {
            // Slow work without a rule need not run once more than it must.
            if offer.has_rules() {
                right(offer)?;
            }
            measure::measure(offer, counting, asked.time)
        });
        failures += usize::from(outcome.is_err());
        match (asked.format, &outcome) {
            (Format::Json, Ok(measured)) => done.push(results::measured(offer, counting, measured)),
            (Format::Json, Err(message)) => done.push(results::failed(&offer.name, message)),
            (_, Ok(measured)) => writeln!(output, "{}", table.rows(offer, measured))?,
            (_, Err(message)) => writeln!(output, "{}", table.trouble(&offer.name, message))?,
        }
    }
    if asked.format == Format::Json {
        writeln!(output, "{}", results::file(&suite.name, &done))?;
    }
    Ok(failures)
}

/// Frees the benchmark afterwards, so that large set-ups do not pile up.
fn freed_after<'a, T>(
    offer: &mut Offer<'a>,
    work: impl FnOnce(&mut Offer<'a>) -> Result<T, String>,
) -> Result<T, String> {
    let outcome = work(offer);
    let freed = offer.free();
    outcome.and_then(|value| freed.map(|()| value))
}

/// Runs once, and takes a wrong answer for a failure.
fn right(offer: &mut Offer<'_>) -> Result<(), String> {
    match offer.check()? {
        Check::Right | Check::Unasked => Ok(()),
        Check::Wrong(message) => Err(format!("wrong answer: {message}")),
    }
}
