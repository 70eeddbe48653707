//! Dashboards: what the project defined, read strictly, and drawn from the store.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use anyhow::anyhow;

use super::kept::Sites;
use super::references::References;
use crate::config::board::{self, Scale, Values};
use crate::domain::{Direction, Series, Unit};
use crate::failure::{Classify, Failure, Outcome};
use crate::flow::past::{History, Past};
use crate::record::{Store, Stored};
use crate::show::chart::lines::{self, Curve, Lines, MOST};
use crate::show::chart::reference::Reference;
use crate::show::chart::series::Dot;
use crate::show::page::board::{Board, Line, Panel};
use crate::show::page::{self, Site};

/// More dashboards than anybody looks at, and longer ones than anybody writes, are a mistake.
const MOST_BOARDS: usize = 100;
const LONGEST: u64 = 256 * 1024;

/// A dashboard with what its file is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defined {
    stem: String,
    board: board::Board,
}

/// Reads the dashboards of a folder, by name; none where there is no folder.
pub fn read(folder: &Path) -> Outcome<Vec<Defined>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        entries => entries.or_environment(format_args!("reading {}", folder.display()))?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.or_environment(format_args!("reading {}", folder.display()))?.path();
        if path.extension().is_some_and(|end| end == "toml") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    if files.len() > MOST_BOARDS {
        return Err(Failure::usage(anyhow!(
            "{} holds {} dashboards; {MOST_BOARDS} are enough",
            folder.display(),
            files.len()
        )));
    }
    files.iter().map(|file| defined(file)).collect()
}

fn defined(file: &Path) -> Outcome<Defined> {
    let wrong = |problem: String| {
        let failure = Failure::usage(anyhow!("{}: {problem}", file.display()));
        failure.hint("every .toml there is a dashboard; another folder is named with --boards DIR")
    };
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if stem.is_empty() || !stem.bytes().all(|sign| sign.is_ascii_alphanumeric() || matches!(sign, b'-' | b'_')) {
        return Err(wrong("its name becomes an address: letters, digits, - and _ only".to_owned()));
    }
    if fs::metadata(file).is_ok_and(|about| about.len() > LONGEST) {
        return Err(wrong("it is too long for a dashboard".to_owned()));
    }
    let text = fs::read_to_string(file).or_usage(format_args!("reading {}", file.display()))?;
    let board = board::Board::parse(&text).map_err(|error| wrong(error.to_string()))?;
    Ok(Defined { stem, board })
}

/// What dashboards are drawn from.
pub(super) struct Drawing<'a> {
    pub(super) all: &'a [Stored],
    pub(super) history: &'a History,
    pub(super) references: &'a References,
}

impl Drawing<'_> {
    /// Draws the dashboards and their list.
    pub(super) fn write(
        &self,
        store: &mut Store,
        defined: &[Defined],
        (site, sites): (&Site, &Sites<'_>),
    ) -> Outcome<()> {
        let boards = defined.iter().map(|defined| self.board(store, defined)).collect::<Outcome<Vec<_>>>()?;
        for board in &boards {
            sites.write(&board.file(), &page::board::page_of(site, board))?;
            for (number, panel) in board.panels.iter().enumerate() {
                sites.write(&format!("charts/{}", board.chart_file(number)), &panel.chart.clone().into_file())?;
            }
        }
        sites.write("boards.html", &page::board::list(site, &boards))
    }

    /// Draws a dashboard.
    fn board(&self, store: &mut Store, defined: &Defined) -> Outcome<Board> {
        let charts = defined.board.charts.iter();
        let panels = charts.map(|chart| self.panel(store, chart)).collect::<Outcome<Vec<_>>>()?;
        let board = &defined.board;
        Ok(Board { stem: defined.stem.clone(), title: board.title.clone(), about: board.about.clone(), panels })
    }

    fn panel(&self, store: &mut Store, chart: &board::Chart) -> Outcome<Panel> {
        let (chosen, mut notes) = self.chosen(chart);
        let mut pasts = Vec::new();
        for stored in chosen {
            let past = Past::new(stored.series.clone(), store.points(stored, usize::MAX)?, self.history);
            if !past.points.is_empty() {
                pasts.push(past);
            }
        }
        if pasts.len() > MOST {
            let rest: Vec<&str> = pasts[MOST..].iter().map(|past| past.series.benchmark.as_str()).collect();
            notes.push(format!("Not drawn, since {MOST} lines are what can be told apart: {}", rest.join(", ")));
        }
        let mut rows: Vec<Line> = pasts.iter().map(|past| self.row(chart, past)).collect();
        if let Some(better) = pasts.first().map(|past| past.series.metric.better) {
            rank(&mut rows, better);
        }
        let title = format!("{}: {}", chart.title, pasts.first().map_or("", |past| past.series.metric.name.as_str()));
        Ok(Panel { title: chart.title.clone(), notes, chart: self.picture(chart, &title, &pasts), rows })
    }

    /// The series that a chart is of, all on one machine and in one unit, and what was left out for that.
    fn chosen(&self, chart: &board::Chart) -> (Vec<&Stored>, Vec<String>) {
        let named = |series: &Series| {
            series.suite.peer().is_none()
                && chart.series.iter().any(|pattern| pattern.matches(series.benchmark.as_str()))
                && chart.metric.matches(&series.metric.name)
                && chart.suite.as_ref().is_none_or(|suite| suite.matches(series.suite.as_str()))
                && chart.machine.as_deref().is_none_or(|machine| series.machine.is_called(machine))
        };
        let mut machines: BTreeMap<String, Vec<&Stored>> = BTreeMap::new();
        for stored in self.all.iter().filter(|stored| named(&stored.series)) {
            machines.entry(stored.series.machine.title()).or_default().push(stored);
        }
        let most = machines.values().map(Vec::len).max().unwrap_or_default();
        let Some(machine) =
            machines.iter().find(|(_, series)| series.len() == most).map(|(machine, _)| machine.clone())
        else {
            return (Vec::new(), vec!["No series matches.".to_owned()]);
        };
        let mut chosen = machines.remove(&machine).unwrap_or_default();
        let mut notes = vec![format!("On {machine}")];
        if !machines.is_empty() {
            let others: Vec<&str> = machines.keys().map(String::as_str).collect();
            notes.push(format!("Measured too on {}", others.join("; ")));
        }
        let unit = chosen[0].series.metric.unit.clone();
        let before = chosen.len();
        chosen.retain(|stored| stored.series.metric.unit == unit);
        if chosen.len() < before {
            notes.push(format!("{} in other units than {unit} are left out", before - chosen.len()));
        }
        (chosen, notes)
    }

    fn row(&self, chart: &board::Chart, past: &Past) -> Line {
        let levels = &past.trend.levels;
        let peers = if chart.peers { self.references.of(&past.series) } else { &[] };
        Line {
            id: past.series.id(),
            name: past.series.benchmark.to_string(),
            unit: past.series.metric.unit.clone(),
            first: base(past),
            now: levels.last().map_or_else(|| past.points[past.points.len() - 1].level, |level| level.value),
            of_best: None,
            peers: peers.iter().map(|peer| (peer.name.clone(), peer.value)).collect(),
        }
    }

    fn picture(&self, chart: &board::Chart, title: &str, pasts: &[Past]) -> crate::show::chart::Svg {
        let size = |past: &Past| match chart.values {
            Values::Absolute => 1.0,
            Values::Relative => base(past),
        };
        let dots = |past: &Past| {
            let size = size(past);
            let dot = |(point, &place): (&crate::domain::Point, &usize)| Dot {
                x: place as f64,
                y: point.level / size,
                interval: None,
            };
            past.points.iter().zip(&past.places).map(dot).filter(|dot| dot.y.is_finite()).collect()
        };
        let pasts = &pasts[..pasts.len().min(MOST)];
        let curves: Vec<Curve> =
            pasts.iter().map(|past| Curve { name: past.series.benchmark.to_string(), dots: dots(past) }).collect();
        let mut references: Vec<Reference> = Vec::new();
        for past in pasts.iter().filter(|_| chart.peers) {
            let of = self.references.of(&past.series).iter();
            references.extend(of.map(|peer| {
                // Beside several lines it has to be said which of them it goes with.
                let beside = if pasts.len() > 1 { format!(", {}", past.series.benchmark) } else { String::new() };
                Reference { name: format!("{}{beside}", peer.name), value: peer.value / size(past) }
            }));
        }
        let unit = match (chart.values, pasts.first()) {
            (Values::Absolute, Some(past)) => past.series.metric.unit.clone(),
            (Values::Relative, _) => Unit::new("× first"),
            (Values::Absolute, None) => Unit::new(""),
        };
        let times: Vec<(f64, i64)> = self
            .history
            .commits
            .iter()
            .enumerate()
            .map(|(place, commit)| (place as f64, commit.committed_at_s))
            .collect();
        let scale = match chart.scale {
            Scale::Linear => lines::Scale::Linear,
            Scale::Log => lines::Scale::Log,
        };
        lines::draw(&Lines { title, unit: &unit, scale, curves: &curves, references: &references, times: &times })
    }
}

/// A series' first level.
fn base(past: &Past) -> f64 {
    past.trend.levels.first().map_or_else(|| past.points[0].level, |level| level.value)
}

/// Says of each line how many times the best it is.
fn rank(rows: &mut [Line], better: Direction) {
    let now = rows.iter().map(|row| row.now);
    let best = match better {
        Direction::Lower => now.reduce(f64::min),
        Direction::Higher => now.reduce(f64::max),
        Direction::Unknown => None,
    };
    let Some(best) = best.filter(|best| *best != 0.0 && rows.len() > 1) else { return };
    for row in rows {
        row.of_best = Some(row.now / best);
    }
}
