//! `tachograph export`: everything that is recorded, every sample; or one run for another tool.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::stored::StoreArgs;
use crate::domain::{Direction, RecordId, Run};
use crate::failure::{Classify, Failure, Outcome};
use crate::flow::replace::Replacement;
use crate::record::{Found, RecordError, Store};
use crate::show::line::Line;
use crate::show::{csv, exchange};

/// Write everything that is recorded, every sample; or one run for another tool
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// In which form
    #[arg(long, value_enum, default_value_t = Form::Json)]
    format: Form,
    /// The run to write in a form that holds one: the beginning of its identity; the newest that is no peer's if not given
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Write to this file, which appears when it is whole, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A JSON object a line: the commits, then the runs, whole
    Json,
    /// A row a sample, and a row for each benchmark that failed
    Csv,
    /// One run in Bencher Metric Format
    Bmf,
    /// What should be small of one run, for github-action-benchmark's customSmallerIsBetter
    GabSmaller,
    /// What should be large of one run, for github-action-benchmark's customBiggerIsBetter
    GabBigger,
    /// One run in the text format of OpenMetrics
    Openmetrics,
    /// The times of one run as a baseline called tachograph in a folder of criterion's, which --out names
    Criterion,
}

/// Why an export ends early.
enum Stop {
    Store(RecordError),
    Write(std::io::Error),
}

impl From<RecordError> for Stop {
    fn from(error: RecordError) -> Stop {
        Stop::Store(error)
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Stop {
        Stop::Write(error)
    }
}

pub(super) fn run(args: &ExportArgs) -> Outcome<ExitCode> {
    let mut store = args.store.open_to_read()?;
    if let Some(write) = one_run(args.format) {
        let run = chosen(&mut store, args.run.as_deref())?;
        write_one(args, &write(&run))?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.format == Form::Criterion {
        let run = chosen(&mut store, args.run.as_deref())?;
        let Some(folder) = &args.out else {
            return Err(Failure::usage(anyhow::anyhow!("--format criterion writes a folder"))
                .hint("name it: --out target/criterion"));
        };
        for (path, content) in exchange::criterion(&run, "tachograph") {
            let path = folder.join(path);
            let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
            made.and_then(|()| std::fs::write(&path, content))
                .or_environment(format_args!("writing to {}", path.display()))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if args.run.is_some() {
        return Err(Failure::usage(anyhow::anyhow!("--run goes with a form that holds one run")));
    }
    match &args.out {
        None => match export(&mut store, args.format, std::io::stdout().lock()) {
            // Who reads has seen enough.
            Err(Stop::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            done => done.map_err(|stop| failure(stop, "standard output"))?,
        },
        Some(path) => {
            let mut file = Replacement::begin(path)?;
            export(&mut store, args.format, file.file()).map_err(|stop| failure(stop, &path.display().to_string()))?;
            file.finish()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What writes one run in this form; none where the form holds everything, or is a folder.
fn one_run(form: Form) -> Option<fn(&Run) -> String> {
    match form {
        Form::Bmf => Some(exchange::bmf),
        Form::GabSmaller => Some(|run| exchange::gab(run, Direction::Lower)),
        Form::GabBigger => Some(|run| exchange::gab(run, Direction::Higher)),
        Form::Openmetrics => Some(exchange::openmetrics),
        Form::Json | Form::Csv | Form::Criterion => None,
    }
}

fn chosen(store: &mut Store, wanted: Option<&str>) -> Outcome<Run> {
    let id = match wanted {
        Some(prefix) => match store.find_run(prefix)? {
            Found::One(id) => Some(id),
            Found::None => None,
            Found::Several(_) => {
                return Err(Failure::usage(anyhow::anyhow!("several runs begin with {prefix}; give more of it")));
            }
        },
        None => store.newest_runs(1000)?.into_iter().find(|line| line.suite.peer().is_none()).map(|line| line.id),
    };
    let run = id.map(|id| store.run(&id)).transpose()?.flatten();
    run.ok_or_else(|| Failure::usage(anyhow::anyhow!("there is no such run")).hint("`tachograph runs` lists them"))
}

fn write_one(args: &ExportArgs, text: &str) -> Outcome<()> {
    let Some(path) = &args.out else { return super::answer(text) };
    let mut file = Replacement::begin(path)?;
    file.file().write_all(text.as_bytes()).or_environment(format_args!("writing to {}", path.display()))?;
    file.finish()
}

fn failure(stop: Stop, place: &str) -> Failure {
    match stop {
        Stop::Store(error) => error.into(),
        Stop::Write(error) => Failure::environment(anyhow::Error::from(error).context(format!("writing to {place}"))),
    }
}

fn export(store: &mut Store, form: Form, out: impl Write) -> Result<(), Stop> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    match form {
        Form::Json => {
            store.each_commit(|commit| line(&mut out, &Line::Commit { content: &commit }))?;
            store.each_run(|id, run| line(&mut out, &Line::run(id, &run)))?;
        }
        Form::Csv => {
            let mut sheet = ::csv::Writer::from_writer(&mut out);
            let mut row = |cells: [&str; 18]| sheet.write_record(cells).map_err(of_sheet);
            row(csv::COLUMNS)?;
            store.each_run(|id: &RecordId, run: Run| csv::rows(id, &run, &mut row))?;
            sheet.flush()?;
        }
        // These hold one run, or are a folder.
        Form::Bmf | Form::GabSmaller | Form::GabBigger | Form::Openmetrics | Form::Criterion => {}
    }
    Ok(out.flush()?)
}

fn of_sheet(error: ::csv::Error) -> Stop {
    Stop::Write(match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    })
}

fn line(out: &mut impl Write, line: &Line<'_>) -> Result<(), Stop> {
    serde_json::to_writer(&mut *out, line).map_err(std::io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}
