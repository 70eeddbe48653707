//! `tachograph export`: everything that is recorded, every sample.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::stored::StoreArgs;
use crate::domain::{RecordId, Run};
use crate::failure::{Failure, Outcome};
use crate::flow::replace::Replacement;
use crate::record::{RecordError, Store};
use crate::show::csv;
use crate::show::line::Line;

/// Write everything that is recorded, every sample
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// In which form
    #[arg(long, value_enum, default_value_t = Form::Json)]
    format: Form,
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
            store.each_run(|id, run| line(&mut out, &Line::Run { id, content: &run }))?;
        }
        Form::Csv => {
            let mut sheet = ::csv::Writer::from_writer(&mut out);
            let mut row = |cells: [&str; 18]| sheet.write_record(cells).map_err(of_sheet);
            row(csv::COLUMNS)?;
            store.each_run(|id: &RecordId, run: Run| csv::rows(id, &run, &mut row))?;
            sheet.flush()?;
        }
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
