//! One file a verb: reads the arguments and the clock, calls a flow, prints, and says how to exit.

mod accept;
mod backtest;
mod carried;
mod changes;
mod chart;
mod ci;
mod detect;
mod doctor;
mod duels;
mod explain;
mod export;
mod formats;
mod gate;
mod import;
mod init;
mod judge;
mod ledger;
mod log;
mod output;
mod peers;
mod publish;
mod report;
mod run;
mod runs;
mod serve;
mod show;
mod status;
mod stored;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Outcome;
use crate::measure::child::keeper;

/// A continuous performance regression tracker.
#[derive(Debug, Parser)]
#[command(name = "tachograph", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Accept(accept::AcceptArgs),
    Backtest(backtest::BacktestArgs),
    Changes(changes::ChangesArgs),
    Chart(chart::ChartArgs),
    Ci(ci::CiArgs),
    Compact(ledger::CompactArgs),
    Compare(gate::CompareArgs),
    Detect(detect::DetectArgs),
    Doctor(doctor::DoctorArgs),
    Duels(duels::DuelsArgs),
    Explain(explain::ExplainArgs),
    Export(export::ExportArgs),
    Formats(formats::FormatsArgs),
    Gate(gate::GateArgs),
    Import(import::ImportArgs),
    Init(init::InitArgs),
    Judge(judge::JudgeArgs),
    Log(log::LogArgs),
    Peers(peers::PeersArgs),
    Publish(publish::PublishArgs),
    Pull(ledger::PullArgs),
    Push(ledger::PushArgs),
    Rebuild(ledger::RebuildArgs),
    Report(report::ReportArgs),
    Run(run::RunArgs),
    Runs(runs::RunsArgs),
    Serve(serve::ServeArgs),
    Show(show::ShowArgs),
}

/// Runs the program: the whole of `main`.
#[must_use]
pub fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == keeper::VERB) {
        return keeper::serve();
    }
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

/// Writes a verb's answer to standard output. A reader that has seen enough (`| head`) ends it in peace.
fn answer(text: &str) -> Outcome<()> {
    output::say(text).map(drop)
}

fn dispatch(verb: &Verb) -> Outcome<ExitCode> {
    match verb {
        Verb::Accept(args) => accept::run(args),
        Verb::Chart(args) => chart::run(args),
        Verb::Doctor(args) => doctor::run(args),
        Verb::Backtest(args) => backtest::run(args),
        Verb::Changes(args) => changes::run(args),
        Verb::Ci(args) => ci::run(args),
        Verb::Compact(args) => ledger::compact(args),
        Verb::Compare(args) => gate::compare(args),
        Verb::Duels(args) => duels::run(args),
        Verb::Explain(args) => explain::run(args),
        Verb::Export(args) => export::run(args),
        Verb::Detect(args) => detect::run(args),
        Verb::Formats(args) => formats::run(args),
        Verb::Gate(args) => gate::run(args),
        Verb::Init(args) => init::run(args),
        Verb::Import(args) => import::run(args),
        Verb::Judge(args) => judge::run(args),
        Verb::Log(args) => log::run(args),
        Verb::Peers(args) => peers::run(args),
        Verb::Pull(args) => ledger::pull(args),
        Verb::Push(args) => ledger::push(args),
        Verb::Rebuild(args) => ledger::rebuild(args),
        Verb::Publish(args) => publish::run(args),
        Verb::Report(args) => report::run(args),
        Verb::Run(args) => run::run(args),
        Verb::Runs(args) => runs::run(args),
        Verb::Serve(args) => serve::run(args),
        Verb::Show(args) => show::run(args),
    }
}
