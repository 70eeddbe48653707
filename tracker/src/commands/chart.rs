//! `tachograph chart`: one series as a picture.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;

use super::stored::StoreArgs;
use crate::domain::Pattern;
use crate::failure::{Classify, Failure, Outcome};
use crate::flow::past::{History, Past};
use crate::flow::picture;
use crate::flow::publish::references::References;
use crate::flow::replace::Replacement;
use crate::record::Wanted;
use crate::repo::Repository;
use crate::show::raster;

/// Draw one series as a picture: SVG, which follows light and dark pages, or PNG
#[derive(Debug, Args)]
pub(super) struct ChartArgs {
    /// Which benchmark: a part of the name; with * or ? the whole name; with a leading = the exact name
    #[arg(value_name = "PATTERN")]
    pattern: String,
    /// Only metrics whose name matches
    #[arg(long, value_name = "PATTERN")]
    metric: Option<String>,
    /// Only machines whose title matches, or whose identity begins so
    #[arg(long, value_name = "MACHINE")]
    machine: Option<String>,
    /// Only suites whose name matches
    #[arg(long, value_name = "PATTERN")]
    suite: Option<String>,
    /// Where to write the picture, by whose ending it is SVG or PNG; what stands there is replaced
    #[arg(long, value_name = "FILE.svg|FILE.png")]
    out: PathBuf,
    #[command(flatten)]
    store: StoreArgs,
}

/// What the picture is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Svg,
    Png,
}

impl End {
    fn of(out: &Path) -> Outcome<End> {
        match out.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => Ok(End::Svg),
            Some("png") => Ok(End::Png),
            _ => {
                let failure = Failure::usage(anyhow!("{} ends neither in .svg nor in .png", out.display()));
                Err(failure.hint("an SVG follows light and dark; a PNG is for places that show no SVG"))
            }
        }
    }
}

pub(super) fn run(args: &ChartArgs) -> Outcome<ExitCode> {
    let end = End::of(&args.out)?;
    let mut store = args.store.open_to_read()?;
    let wanted = Wanted {
        benchmark: Pattern::new(args.pattern.as_str()),
        suite: args.suite.as_deref().map(Pattern::new),
        metric: args.metric.as_deref().map(Pattern::new),
        machine: args.machine.clone(),
    };
    let mut found = store.series(&wanted)?;
    let chosen = match found.len() {
        1 => found.remove(0),
        0 => {
            let failure = Failure::usage(anyhow!("no series matches {:?}", args.pattern));
            return Err(failure.hint("`tachograph log '*'` shows every series"));
        }
        count => {
            let first: Vec<String> = found
                .iter()
                .take(5)
                .map(|stored| {
                    let series = &stored.series;
                    format!("{} · {} · {}", series.benchmark, series.metric.name, series.machine.title())
                })
                .collect();
            let failure = Failure::usage(anyhow!("{count} series match {:?}, and a picture shows one", args.pattern));
            return Err(failure.hint(format!(
                "narrow it with --metric, --machine, --suite or =NAME; there are\n  {}",
                first.join("\n  ")
            )));
        }
    };
    let repository = std::env::current_dir().ok().and_then(|here| Repository::discover(&here).ok());
    let history = History::read(&mut store, repository.as_ref())?.with_accepted(repository.as_ref())?;
    let points = store.points(&chosen, usize::MAX)?;
    let all = store.series(&Wanted::all())?;
    let references = References::read(&mut store, &all)?;
    let others = references.of(&chosen.series).to_vec();
    let drawing = picture::chart(&Past::new(chosen.series, points, &history), &history, &others);
    let content = match end {
        End::Svg => drawing.into_file().into_bytes(),
        End::Png => raster::png(&drawing),
    };
    write(&args.out, &content)?;
    Ok(ExitCode::SUCCESS)
}

fn write(place: &Path, content: &[u8]) -> Outcome<()> {
    let mut file = Replacement::begin(place)?;
    file.file().write_all(content).or_environment(format_args!("cannot write {}", place.display()))?;
    file.finish()
}
