//! A series' past as the marks of a chart.

use super::accepted::Covered;
use super::past::{History, Past};
use crate::domain::Change;
use crate::show::accepted::{line, reason};
use crate::show::chart::Svg;
use crate::show::chart::accepted::Accepted;
use crate::show::chart::lanes::Lane;
use crate::show::chart::reference::Reference;
use crate::show::chart::series::{self, Dot, Mark, Step, Tag};
use crate::show::number::{self, quantity};

/// Draws a series, with what others reach.
#[must_use]
pub fn chart(past: &Past, history: &History, references: &[Reference]) -> Svg {
    let series = &past.series;
    let dots: Vec<Dot> = past
        .points
        .iter()
        .zip(&past.places)
        .map(|(point, &place)| Dot { x: place as f64, y: point.level, interval: point.interval })
        .collect();
    let steps: Vec<Step> = past
        .trend
        .levels
        .iter()
        .map(|level| Step {
            from: past.places[level.from] as f64,
            to: past.places[level.to - 1] as f64,
            value: level.value,
            within: (level.low, level.high),
        })
        .collect();
    let marks: Vec<Mark> = past.trend.changes.iter().map(|change| mark(past, history, change)).collect();
    let tags: Vec<Tag> =
        history.tags.iter().map(|(place, name)| Tag { at: *place as f64, name: name.clone() }).collect();
    let times: Vec<(f64, i64)> =
        history.commits.iter().enumerate().map(|(place, commit)| (place as f64, commit.committed_at_s)).collect();
    series::draw(&series::Series {
        title: &format!("{} of {} on {}", series.metric.name, series.benchmark, series.machine.title()),
        unit: &series.metric.unit,
        dots: &dots,
        steps: &steps,
        marks: &marks,
        tags: &tags,
        accepted: &accepted(past, history),
        references,
        lanes: &lanes(past, history),
        times: &times,
    })
}

fn mark(past: &Past, history: &History, change: &Change) -> Mark {
    let unit = &past.series.metric.unit;
    let place = |at: usize| past.places[at] as f64;
    let commit = &history.commits[past.places[change.at]];
    let size = number::moved(change, unit);
    Mark {
        at: place(change.at),
        within: (place(change.within.0), place(change.within.1)),
        turn: change.turn,
        rose: change.after > change.before,
        title: format!(
            "{size} from {} to {}, at {} of {}: {}",
            quantity(change.before, unit),
            quantity(change.after, unit),
            commit.id.short(),
            number::date(commit.committed_at_s),
            commit.subject
        ),
        label: size,
    }
}

/// So many acceptances are drawn, the newest.
const ACCEPTED: usize = 60;
/// So many of one commit are told when it is pointed at.
const TOLD: usize = 4;

/// What was accepted, by commit.
fn accepted(past: &Past, history: &History) -> Vec<Accepted> {
    let commits: Vec<&[Covered]> = past.accepted.chunk_by(|one, next| one.place == next.place).collect();
    let newest = &commits[commits.len().saturating_sub(ACCEPTED)..];
    let mark = |of_commit: &&[Covered]| {
        let commit = &history.commits[of_commit[0].place];
        let acceptance = |one: &Covered| &history.accepted[one.number].acceptance;
        let more = |count: usize| if count == 0 { String::new() } else { format!(", and {count} more") };
        let lines: Vec<String> = of_commit.iter().take(TOLD).map(|one| line(acceptance(one))).collect();
        Accepted {
            at: of_commit[0].place as f64,
            label: reason(acceptance(&of_commit[0])) + &more(of_commit.len() - 1),
            title: format!(
                "{} of {}: {}{}",
                commit.id.short(),
                number::date(commit.committed_at_s),
                lines.join("; "),
                more(of_commit.len().saturating_sub(TOLD))
            ),
        }
    };
    newest.iter().map(mark).collect()
}

/// The machine, and the compiler where the runs tell of one.
fn lanes(past: &Past, history: &History) -> Vec<Lane> {
    let machine = past.series.machine.title();
    let compiler = |at: usize| history.head(&past.points[at].run)?.notes.get("rustc").cloned();
    let lanes = [("machine", spans(past, |_| Some(machine.clone()))), ("rustc", spans(past, compiler))];
    let told = lanes.into_iter().filter(|(_, spans)| !spans.is_empty());
    told.map(|(name, spans)| Lane { name: name.to_owned(), spans }).collect()
}

fn spans(past: &Past, what: impl Fn(usize) -> Option<String>) -> Vec<(f64, f64, String)> {
    let mut spans: Vec<(f64, f64, String)> = Vec::new();
    for (at, &place) in past.places.iter().enumerate() {
        let Some(what) = what(at) else { continue };
        match spans.last_mut() {
            Some(last) if last.2 == what => last.1 = place as f64,
            _ => spans.push((place as f64, place as f64, what)),
        }
    }
    spans
}
