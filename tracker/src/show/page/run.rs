//! The page of a run: what moved with it, every reading with its values, what failed and what it said, where and how it was
//! made.

use super::filter::{self, Moves, Pick};
use super::frame::{Depth, Site, page};
use super::html::Html;
use super::links::{self, Links};
use super::row::{ChangeLine, Row};
use super::versus::{Versus, class};
use crate::domain::{Attachment, BenchmarkName, Life, Outcome, Reading, RecordId, Run, Subject};
use crate::show::chart::distribution::{self, Distribution, Sample};
use crate::show::chart::strip;
use crate::show::explain::quoted;
use crate::show::number::{date, percent, quantity, spread};
use crate::show::run::{facts, why};
use crate::stats::summary::{Summary, summarise};

/// So many readings are listed.
const ROWS: usize = 600;
/// So many of them with their values.
const STRIPS: usize = 200;
/// So many have a distribution.
const DISTRIBUTIONS: usize = 6;
/// So many failures are told whole.
const FAILURES: usize = 40;
/// So many lines of what a failed benchmark said.
const TAIL_LINES: usize = 40;

/// All that the page shows.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// Its identity; that of what it was made from where this is a sketch.
    pub id: &'a RecordId,
    /// The run.
    pub run: &'a Run,
    /// The run before it of the same suite on the same machine.
    pub before: Option<&'a Run>,
    /// The changes that begin at its commit, of its suite on its machine.
    pub changes: &'a [(&'a Row, &'a ChangeLine)],
    /// The runs before and after it that have pages.
    pub beside: (Option<&'a RecordId>, Option<&'a RecordId>),
    /// Where to go from here.
    pub links: &'a Links,
}

/// A reading, and the one of the run before.
struct Line<'a> {
    benchmark: &'a BenchmarkName,
    reading: &'a Reading,
    summary: Summary,
    earlier: Option<&'a Reading>,
    versus: Option<Versus>,
    /// Whether the level of the series moved here.
    change: Option<&'a ChangeLine>,
}

/// The whole page.
#[must_use]
pub fn render(site: &Site, of: &Page<'_>) -> String {
    let run = of.run;
    let commit = run.subject.commit();
    let mut body = Html::default();
    body.put(
        "<p class=\"path\"><a href=\"../index.html\">Overview</a> / <a href=\"../runs.html\">Runs and duels</a> / ",
    );
    body.text(run.suite.as_str()).put("</p><h1><code>").text(commit.id.short()).put("</code> ").text(&commit.subject);
    if matches!(run.subject, Subject::Dirty { .. }) {
        body.put(" <small>with uncommitted changes</small>");
    }
    body.put("</h1>");
    let lines = lines(of);
    verdict(&mut body, of, &lines);
    failures(&mut body, of);
    changes(&mut body, of);
    readings(&mut body, of, &lines);
    distributions(&mut body, &lines);
    environment(&mut body, of);
    repeat(&mut body, of);
    page(site, &format!("{} at {}", run.suite, commit.id.short()), Depth::Folder, &body)
}

fn summary(reading: &Reading) -> Option<Summary> {
    let lives: Vec<&[f64]> = reading.lives.iter().map(Life::values).collect();
    summarise(&lives)
}

fn lines<'a>(of: &Page<'a>) -> Vec<Line<'a>> {
    let earlier = |benchmark: &BenchmarkName, reading: &Reading| match of.before?.outcomes.get(benchmark)? {
        Outcome::Measured(measured) => measured.readings.iter().find(|one| one.metric == reading.metric),
        Outcome::Failed(_) => None,
    };
    let line = |(benchmark, reading): (&'a BenchmarkName, &'a Reading)| {
        let (summary, earlier) = (summary(reading)?, earlier(benchmark, reading));
        let was = earlier.and_then(self::summary);
        let change = of.changes.iter().find(|(row, _)| row.benchmark == *benchmark && row.metric == reading.metric);
        Some(Line {
            benchmark,
            reading,
            earlier,
            versus: was.and_then(|was| Versus::of((was.level, was.interval), (summary.level, summary.interval))),
            summary,
            change: change.map(|(_, change)| *change),
        })
    };
    of.run.readings().filter_map(line).collect()
}

fn verdict(body: &mut Html, of: &Page<'_>, lines: &[Line<'_>]) {
    let run = of.run;
    body.put("<p class=\"state\">");
    match run.failed() {
        0 => body.put("Nothing failed"),
        failed => body.put("<b class=\"worse\">").count(failed).put(" failed</b>"),
    };
    body.put(" of ").count(run.outcomes.len()).put(if run.outcomes.len() == 1 {
        " benchmark; "
    } else {
        " benchmarks; "
    });
    match of.changes.len() {
        0 => body.put("no level moved here"),
        moved => body.put("<b>").count(moved).put(" levels moved here</b>"),
    };
    let sure = |wanted| {
        let is = |line: &&Line<'_>| {
            line.versus.is_some_and(|versus| versus.is_sure() && versus.turn(&line.reading.metric) == wanted)
        };
        lines.iter().filter(is).count()
    };
    if let Some(before) = of.before {
        let (worse, better) = (sure(crate::domain::Turn::Regression), sure(crate::domain::Turn::Improvement));
        body.put("; of ").count(lines.len()).put(" readings ").count(worse).put(" worse and ").count(better);
        body.put(" better than in the run before, at <code>").text(before.subject.commit().id.short());
        body.put("</code>, by more than their intervals");
    }
    body.put(".</p><p>");
    for (text, beside) in [("← the run before", of.beside.0), ("the run after →", of.beside.1)] {
        if let Some(id) = beside {
            links::to(body, (Depth::Folder, "run/"), &links::run_file(id), text);
            body.put(" · ");
        }
    }
    if let Some(before) = of.before {
        body.put("<a href=\"../compare.html#a=").text(before.subject.commit().id.short()).put("&amp;b=");
        body.text(run.subject.commit().id.short()).put("\">compare the two on every machine</a>");
    }
    body.put("</p>");
    for duel in of.links.duels_of(&run.subject.commit().id, &run.suite) {
        body.put("<p>Dueled against <code>").text(duel.base.short()).put("</code>: ");
        links::word(body, duel.whole);
        body.put(" · ");
        links::to(body, (Depth::Folder, "duel/"), &links::duel_file(&duel.id), "the duel");
        body.put("</p>");
    }
}

fn failures(body: &mut Html, of: &Page<'_>) {
    let failed = of.run.outcomes.iter().filter_map(|(name, outcome)| match outcome {
        Outcome::Failed(trouble) => Some((name, trouble)),
        Outcome::Measured(_) => None,
    });
    let failed: Vec<_> = failed.collect();
    if failed.is_empty() {
        return;
    }
    body.put("<section><h2>What failed</h2><ul class=\"findings\">");
    for (name, trouble) in failed.iter().take(FAILURES) {
        body.put("\n<li><b class=\"worse\">failed</b> <b>").text(name.as_str()).put("</b>: ").text(&why(trouble));
        body.tail(&trouble.stderr_tail, TAIL_LINES);
    }
    body.put("</ul>");
    if failed.len() > FAILURES {
        body.put("<p>").count(failed.len() - FAILURES).put(" more: <code>tachograph show ").text(of.id.short());
        body.put("</code> has them.</p>");
    }
    body.put("</section>");
}

fn changes(body: &mut Html, of: &Page<'_>) {
    if of.changes.is_empty() {
        return;
    }
    body.put("<section><h2>What moved here</h2><ul class=\"findings\">");
    for (row, change) in of.changes.iter().take(100) {
        body.put("\n<li><b class=\"").put(class(change.turn)).put("\">").text(&change.size).put("</b> ");
        body.text(&row.metric.name).put(" of ");
        links::benchmark(body, Depth::Folder, Some(&row.id), row.benchmark.as_str());
        body.put(", from ").text(&quantity(change.levels.0, &row.metric.unit)).put(" to ");
        body.text(&quantity(change.levels.1, &row.metric.unit));
        if let Some(accepted) = change.told_accepted() {
            body.put(" <small>✓ ").text(&accepted).put("</small>");
        }
    }
    body.put("</ul></section>");
}

const PICKS: [Pick; 2] = [("group", 0), ("metric", 1)];

fn readings(body: &mut Html, of: &Page<'_>, lines: &[Line<'_>]) {
    if lines.is_empty() {
        return;
    }
    body.put("<section><h2>Readings</h2>");
    filter::form(body, &PICKS, Moves::None);
    filter::table(body, &PICKS, "0 -,2 0,3 1,4 2,6 3,7 4");
    body.put("<thead><tr><th scope=\"col\">benchmark<th scope=\"col\">metric<th scope=\"col\" class=\"n\">value")
        .put("<th scope=\"col\" class=\"n\">spread<th scope=\"col\" class=\"n\">against before<th scope=\"col\" class=\"n\">95 % interval")
        .put("<th scope=\"col\" class=\"n\">lives<th scope=\"col\" class=\"n\">samples<th scope=\"col\">values, life by life")
        .put("</thead><tbody>");
    for (place, line) in lines.iter().take(ROWS).enumerate() {
        row(body, of, line, place < STRIPS);
    }
    body.put("</tbody></table></div>");
    if lines.len() > ROWS {
        body.put("<p>").count(lines.len() - ROWS).put(" more: <code>tachograph show ").text(of.id.short());
        body.put("</code> has them.</p>");
    }
    body.put("</section>");
}

fn row(body: &mut Html, of: &Page<'_>, line: &Line<'_>, with_strip: bool) {
    let Line { reading, summary, versus, .. } = line;
    let unit = &reading.metric.unit;
    let half = summary.interval.map(|(low, high)| (high - low) / 2.0 / summary.level.abs());
    let keys = [
        Some(summary.level),
        half.filter(|half| half.is_finite()),
        versus.map(|versus| versus.moved),
        Some(summary.lives as f64),
        Some(summary.samples as f64),
    ];
    body.put("\n<tr data-k=\"").text(&filter::keys(keys)).put("\"><th scope=\"row\">");
    let series = of.links.series_of((&of.run.suite, &of.run.machine), line.benchmark, &reading.metric);
    links::benchmark(body, Depth::Folder, series.as_ref(), line.benchmark.as_str());
    body.put("<td>").text(&reading.metric.name).put("<td class=\"n\">").text(&quantity(summary.level, unit));
    body.put("<td class=\"n\">");
    body.text(&summary.interval.and_then(|interval| spread(summary.level, interval)).unwrap_or_default());
    match versus {
        Some(versus) => {
            body.put("<td class=\"n ");
            if versus.is_sure() || line.change.is_some() {
                body.put(class(versus.turn(&reading.metric)));
            }
            body.put("\">").text(&signed(versus.moved)).put("<td class=\"n\">");
            if let Some((low, high)) = versus.interval {
                body.text(&format!("{} to {}", signed(low), signed(high)));
            }
        }
        None => {
            body.put("<td><td>");
        }
    }
    body.put("<td class=\"n\">").count(summary.lives).put("<td class=\"n\">").count(summary.samples).put("<td>");
    if with_strip {
        let lives: Vec<&[f64]> = reading.lives.iter().map(Life::values).collect();
        body.chart(&strip::draw(&lives));
    }
}

/// A share with its sign.
pub(super) fn signed(share: f64) -> String {
    let text = percent(share.abs());
    match text.as_str() {
        "0 %" => text,
        _ if share < 0.0 => format!("-{text}"),
        _ => format!("+{text}"),
    }
}

/// For what moved most: its values against those of the run before.
fn distributions(body: &mut Html, lines: &[Line<'_>]) {
    let mut told: Vec<&Line<'_>> = lines.iter().filter(|line| line.summary.samples > 2).collect();
    let weight = |line: &Line<'_>| {
        let sure = line.change.is_some() || line.versus.is_some_and(|versus| versus.is_sure());
        (sure, line.versus.map_or(0.0, |versus| versus.moved.abs()))
    };
    told.sort_by(|one, other| {
        let (one, other) = (weight(one), weight(other));
        other.0.cmp(&one.0).then(other.1.total_cmp(&one.1))
    });
    if told.is_empty() {
        return;
    }
    body.put("<section><h2>Distributions</h2><p>The values of what moved most: above, this run; below, the run before. The ticks are ")
        .put("lives. The table above has all readings.</p><div class=\"charts\">");
    for line in told.into_iter().take(DISTRIBUTIONS) {
        let label = format!("{} · {}", line.benchmark, line.reading.metric.name);
        let chart = distribution::draw(&Distribution {
            title: &format!("Values of {label}"),
            unit: &line.reading.metric.unit,
            upper: sample("this run", line.reading),
            lower: line.earlier.map(|earlier| sample("the run before", earlier)),
        });
        body.put("<figure><figcaption>").text(&label);
        if let Some(versus) = line.versus {
            body.put(" <b>").text(&signed(versus.moved)).put("</b>");
        }
        body.put("</figcaption><div class=\"wide\">").chart(&chart).put("</div></figure>");
    }
    body.put("</div></section>");
}

fn sample<'a>(name: &'a str, reading: &'a Reading) -> Sample<'a> {
    Sample { name, lives: reading.lives.iter().map(Life::values).collect() }
}

fn environment(body: &mut Html, of: &Page<'_>) {
    let run = of.run;
    body.put("<section><h2>Where and how</h2><dl class=\"facts\"><dt>committed<dd>");
    body.text(&date(run.subject.commit().committed_at_s));
    body.put("<dt>run<dd>").text(of.id.as_str());
    for (name, fact) in facts(run).into_iter().filter(|(name, _)| !["commit", "run"].contains(name)) {
        body.put("<dt>").text(name).put("<dd>").text(&fact);
    }
    body.put("</dl>");
    let attached = |attachment: &Attachment| format!("{} of {}", attachment.kind, attachment.benchmark);
    if !run.attachments.is_empty() {
        body.put("<p>Attached: ").text(&run.attachments.iter().take(40).map(attached).collect::<Vec<_>>().join(", "));
        body.put(".</p>");
    }
    body.put("</section>");
}

fn repeat(body: &mut Html, of: &Page<'_>) {
    let run = of.run;
    let commit = &run.subject.commit().id;
    body.put("<section><h2>How to repeat it</h2><pre>");
    if run.source == "run" && !run.subject.is_dirty() {
        body.text(&format!("tachograph run {commit} --suite {}", quoted(run.suite.as_str()))).put("\n");
    }
    body.text(&format!("tachograph show {}", of.id.short())).put("</pre></section>");
}
