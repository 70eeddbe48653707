//! The page of a duel, which a pull request's comment links to: the verdict in one line, what deserves a person, every
//! effect with its interval, and what all of it rests on.

mod parts;

use self::parts::Parts;
use super::filter::{self, Moves, Pick};
use super::frame::{Depth, Site, page};
use super::html::Html;
use super::links::{self, Links};
use crate::domain::{
    Bout, CONFIRMED, Call, Duel, Effect, Interval, MetricVerdict, Readings, RecordId, Report, Subject, Unit,
};
use crate::show::chart::distribution::{self, Distribution, Sample};
use crate::show::chart::forest;
use crate::show::explain::{self, Explained, Reason, repeat};
use crate::show::gate;
use crate::show::judgement::{percent, size};
use crate::show::number::{duration, moment};

/// So many verdicts are listed, or as many as fit into so many bytes where names are long.
const ROWS: usize = 500;
const ROWS_BYTES: usize = 150_000;
/// So many verdicts have a distribution.
const DISTRIBUTIONS: usize = 6;
/// So many are explained whole.
const EXPLAINED: usize = 40;

/// All that the page shows.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// What was measured.
    pub duel: &'a Duel,
    /// What was said of it, all verdicts among it.
    pub explained: &'a Explained,
    /// Where to go from here.
    pub links: &'a Links,
}

/// The duel's page, and those behind it where there is more than fits: each with its file.
#[must_use]
pub fn render(site: &Site, of: &Page<'_>) -> Vec<(String, String)> {
    let report = &of.explained.report;
    let parts = Parts::of(report);
    let mut body = Html::default();
    body.put(
        "<p class=\"path\"><a href=\"../index.html\">Overview</a> / <a href=\"../runs.html\">Runs and duels</a> / ",
    );
    body.text(report.suite.as_str()).put("</p><h1>");
    links::word(&mut body, Some(report.whole));
    body.put(": ").text(&gate::what(report)).put("</h1>");
    ends(&mut body, of);
    body.piece(&parts.first);
    let reasons = sorted(&of.explained.verdicts);
    plot(&mut body, &reasons);
    table(&mut body, (of, &parts), &reasons);
    distributions(&mut body, of.duel, &reasons);
    explained(&mut body, report, &reasons);
    how(&mut body, of);
    let title = format!("{}: {} {}", report.whole.as_str(), report.suite, report.head.subject.commit().id.short());
    let mut pages = vec![(links::duel_file(&report.duel), page(site, &title, Depth::Folder, &body))];
    pages.extend(parts.behind(site, &title));
    pages
}

/// The verdicts in the order in which a gate tells them.
fn sorted(reasons: &[Reason]) -> Vec<&Reason> {
    let mut sorted: Vec<&Reason> = reasons.iter().collect();
    sorted.sort_by(|one, other| gate::by_weight(&one.verdict, &other.verdict));
    sorted
}

fn ends(body: &mut Html, of: &Page<'_>) {
    let report = &of.explained.report;
    body.put("<dl class=\"facts\">");
    for (name, side) in [("base", &report.base), ("head", &report.head)] {
        let commit = side.subject.commit();
        body.put("<dt>").put(name).put("<dd>");
        if matches!(side.subject, Subject::Dirty { .. }) {
            body.put("the working tree on ");
        }
        body.put("<code>").text(commit.id.short()).put("</code> ").text(&commit.subject);
        if let Some(run) = of.links.run(&commit.id, &report.suite, &report.machine.title()) {
            body.put(" · ");
            links::to(body, (Depth::Folder, "run/"), &links::run_file(run), "its run");
        }
    }
    body.put("<dt>machine<dd>")
        .text(&report.machine.title())
        .put("<dt>measured<dd>")
        .text(&moment(of.duel.started_at_s));
    body.put(" UTC, ")
        .text(&duration(of.duel.elapsed_ns))
        .put("<dt>budget<dd>")
        .text(&report.policy.false_reds.to_string());
    body.put(" gates may be red for nothing, divided over ")
        .count(report.gated_series)
        .put(" gated series<dt>policy<dd>");
    body.text(&report.rules);
    if !report.pooled.is_empty() {
        let earlier: Vec<&str> = report.pooled.iter().map(RecordId::short).collect();
        body.put("<dt>pooled<dd>judged together with the lives of ").text(&earlier.join(", "));
    }
    if of.duel.is_of_one_build() {
        body.put("<dt>builds<dd>both sides ran the very same program, so no luck of builds comes in");
    }
    body.put("</dl>");
}

fn plot(body: &mut Html, reasons: &[&Reason]) {
    if reasons.is_empty() {
        return;
    }
    let rows: Vec<forest::Row> = reasons.iter().take(forest::ROWS).map(|reason| forest_row(reason)).collect();
    let chart = forest::draw("The effect on each benchmark with its interval, against what is allowed", &rows);
    body.put("<section><h2>Head against base</h2><figure><div class=\"wide\">").chart(&chart);
    body.put("</div><figcaption>A square is the effect, the line its 95 % interval, the grey band what is allowed; a diamond is an ")
        .put("effect that could not be decided.");
    if reasons.len() > forest::ROWS {
        body.put(" The first ")
            .count(forest::ROWS)
            .put(" of ")
            .count(reasons.len())
            .put(" are drawn; the table has the rest.");
    }
    body.put("</figcaption></figure></section>");
}

fn forest_row(reason: &Reason) -> forest::Row {
    let MetricVerdict { metric, verdict, .. } = &reason.verdict;
    let pct = |effect: Effect| effect.relative() * 100.0;
    let within = verdict.interval.map(|interval| format!(" ({})", range(&interval)));
    forest::Row {
        label: format!("{} · {}", reason.benchmark, metric.name),
        effect_pct: pct(verdict.effect),
        interval_pct: verdict.interval.map(|interval| (pct(interval.low), pct(interval.high))),
        limit_pct: verdict.limit.share() * 100.0,
        sort: match verdict.call {
            Call::Regressed => forest::Sort::Worse,
            Call::Improved => forest::Sort::Better,
            Call::Unchanged => forest::Sort::Same,
            Call::Inconclusive => forest::Sort::Doubtful,
        },
        value: percent(verdict.effect),
        title: format!(
            "{} of {}: {}, {}{}",
            metric.name,
            reason.benchmark,
            verdict.call,
            percent(verdict.effect),
            within.unwrap_or_default()
        ),
    }
}

fn range(interval: &Interval) -> String {
    format!("{} to {}", percent(interval.low), percent(interval.high))
}

const PICKS: [Pick; 3] = [("group", 0), ("verdict", 1), ("metric", 2)];

fn table(body: &mut Html, (of, parts): (&Page<'_>, &Parts), reasons: &[&Reason]) {
    if reasons.is_empty() {
        return;
    }
    body.put("<section><h2>Every verdict</h2>");
    filter::form(body, &PICKS, Moves::None);
    filter::table(body, &PICKS, "0 -,3 0,4 1,5 2,7 3,8 4,10 5");
    body.put("<thead><tr><th scope=\"col\">benchmark<th scope=\"col\">verdict<th scope=\"col\">metric")
        .put("<th scope=\"col\" class=\"n\">base<th scope=\"col\" class=\"n\">head<th scope=\"col\" class=\"n\">effect")
        .put("<th scope=\"col\" class=\"n\">95 % interval<th scope=\"col\" class=\"n\">allowed<th scope=\"col\" class=\"n\">would be seen from")
        .put("<th scope=\"col\" class=\"n\">null control<th scope=\"col\" class=\"n\">lives<th scope=\"col\">finding</thead><tbody>");
    let (before, mut shown) = (body.len(), 0);
    for reason in reasons.iter().take(ROWS) {
        row(body, (of, parts), reason);
        shown += 1;
        if body.len() - before > ROWS_BYTES {
            break;
        }
    }
    body.put("</tbody></table></div>");
    if reasons.len() > shown {
        body.put("<p>").count(reasons.len() - shown).put(" more, all of less weight: <code>tachograph explain ");
        body.text(of.explained.report.duel.short()).put("</code> has them.</p>");
    }
    body.put("</section>");
}

fn row(body: &mut Html, (of, parts): (&Page<'_>, &Parts), reason: &Reason) {
    let report = &of.explained.report;
    let one = &reason.verdict;
    let verdict = &one.verdict;
    let [word, name, metric, base, head, effect, _, limit] = gate::cells(&reason.benchmark, one);
    let lives = verdict.grounds.map(|grounds| grounds.lives);
    let keys = [
        Some(one.base),
        Some(one.head),
        Some(verdict.effect.relative()).filter(|effect| effect.is_finite()),
        Some(verdict.limit.share()),
        verdict.detectable.map(Effect::relative),
        lives.map(|lives| lives as f64),
    ];
    body.put("\n<tr data-k=\"").text(&filter::keys(keys)).put("\"><th scope=\"row\">");
    let series = of.links.series_of((&report.suite, &report.machine), &reason.benchmark, &one.metric);
    links::benchmark(body, Depth::Folder, series.as_ref(), &name);
    body.put(match verdict.call {
        Call::Regressed if one.terms.gate => "<td class=\"worse\">",
        Call::Regressed | Call::Inconclusive => "<td class=\"moved\">",
        Call::Improved => "<td class=\"better\">",
        Call::Unchanged => "<td>",
    });
    body.text(&word).put("<td>").text(&metric).put("<td class=\"n\">").text(&base).put("<td class=\"n\">").text(&head);
    body.put("<td class=\"n\">").text(&effect).put("<td class=\"n\">");
    body.text(&verdict.interval.map(|interval| range(&interval)).unwrap_or_default())
        .put("<td class=\"n\">")
        .text(&limit);
    body.put("<td class=\"n\">").text(&verdict.detectable.map(size).unwrap_or_default()).put("<td class=\"n\">");
    if let Some((null, _)) = &reason.null {
        body.text(&percent(*null));
    }
    body.put("<td class=\"n\">");
    if let Some(lives) = lives {
        body.count(lives);
    }
    body.put("<td>");
    if let Some(finding) = &reason.finding {
        body.put("<a href=\"").text(&parts.address(finding)).put("\"><code>").text(finding.short()).put("</code></a>");
    }
}

/// For what weighs most: the pairs of head and base against those of base and itself.
fn distributions(body: &mut Html, duel: &Duel, reasons: &[&Reason]) {
    let mut any = false;
    for reason in reasons.iter().filter(|reason| gate::told(&reason.verdict)).take(DISTRIBUTIONS) {
        let Some((lives, null)) = pairs(duel, reason) else { continue };
        if !std::mem::replace(&mut any, true) {
            body.put("<section><h2>The pairs behind it</h2><p>Every pair of slices as one value: above, head against base; below, base ")
                .put("against itself in the same rotation, which shows what this machine makes of no change at all. The ticks are ")
                .put("lives; the table above has their number, the interval and the null control.</p><div class=\"charts\">");
        }
        let label = format!("{} · {}", reason.benchmark, reason.verdict.metric.name);
        let chart = distribution::draw(&Distribution {
            title: &format!("Pairs of {label}"),
            unit: &Unit::new("%"),
            upper: sample("head / base", &lives),
            lower: (!null.is_empty()).then(|| sample("base / base", &null)),
        });
        body.put("<figure><figcaption>")
            .text(&label)
            .put("</figcaption><div class=\"wide\">")
            .chart(&chart)
            .put("</div></figure>");
    }
    if any {
        body.put("</div></section>");
    }
}

fn sample<'a>(name: &'a str, lives: &'a [Vec<f64>]) -> Sample<'a> {
    Sample { name, lives: lives.iter().map(Vec::as_slice).collect() }
}

/// The pairs of each life.
type Percents = Vec<Vec<f64>>;

/// The pairs of a noisy metric in percent, life by life: head against base, and base against base.
fn pairs(duel: &Duel, reason: &Reason) -> Option<(Percents, Percents)> {
    let Bout::Dueled(contests) = duel.bouts.get(&reason.benchmark)? else { return None };
    let contest = contests.iter().find(|contest| contest.metric == reason.verdict.metric)?;
    let Readings::Paired { lives, null } = &contest.readings else { return None };
    let percents = |lives: &[crate::domain::Life]| -> Percents {
        let percent = |log: &f64| log.exp_m1() * 100.0;
        lives.iter().map(|life| life.values().iter().map(percent).collect()).collect()
    };
    Some((percents(lives), percents(null)))
}

fn explained(body: &mut Html, report: &Report, reasons: &[&Reason]) {
    let told: Vec<&&Reason> = reasons.iter().filter(|reason| gate::told(&reason.verdict)).collect();
    if told.is_empty() {
        return;
    }
    body.put("<section><h2>Why</h2>");
    for reason in told.iter().take(EXPLAINED) {
        let mut lines = String::new();
        // Writing to a text cannot fail.
        let _ = explain::one(&mut lines, reason, report);
        body.put("\n<details><summary>").text(lines.lines().next().unwrap_or_default()).put("</summary><pre>");
        for line in lines.lines().skip(1) {
            body.text(line.trim_start()).put("\n");
        }
        body.put("</pre></details>");
    }
    if told.len() > EXPLAINED {
        body.put("<p>").count(told.len() - EXPLAINED).put(" more: <code>tachograph explain ").text(report.duel.short());
        body.put("</code></p>");
    }
    body.put("</section>");
}

fn how(body: &mut Html, of: &Page<'_>) {
    let report = &of.explained.report;
    body.put("<section><h2>How to repeat it</h2><pre>").text(&repeat(report, of.explained.seed, None)).put("\n");
    body.text(&format!("tachograph explain {}", report.duel.short())).put("</pre><dl class=\"facts\">");
    // This one is for programs.
    for (name, note) in of.duel.notes.iter().filter(|(name, _)| *name != CONFIRMED) {
        body.put("<dt>").text(name).put("<dd>").text(note);
    }
    body.put("</dl></section>");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BenchmarkName, Finding, Judged, Whole};
    use crate::show::gate::tests::{judged, report};

    #[test]
    fn the_pages_of_a_duel_of_ten_thousand_benchmarks_are_bounded() {
        let names: Vec<String> = (0..10_000).map(|at| format!("group/of/benchmarks/with/long/names/{at}")).collect();
        let all: Vec<(&str, Judged)> = names.iter().map(|name| (name.as_str(), judged(Call::Regressed, 0.1))).collect();
        let name = |name: &String| BenchmarkName::new(name.as_str()).unwrap();
        let regressed = |one: &String| Finding::Regressed {
            benchmark: name(one),
            metric: "time".to_owned(),
            effect: Effect::from(0.1),
        };
        let report = report(Whole::Red, all, names.iter().map(regressed).collect());
        let reason = |(benchmark, judged): (&BenchmarkName, &Judged)| {
            let Judged::Verdicts(verdicts) = judged else { return None };
            let (benchmark, verdict) = (benchmark.clone(), verdicts[0].clone());
            let finding = Some(RecordId::of("finding", &benchmark));
            Some(Reason { benchmark, verdict, finding, null: None, repeat: String::new() })
        };
        let verdicts = report.judged.iter().filter_map(reason).collect();
        let explained = Explained { report, seed: 1, verdicts, unmeasured: vec![], others: 0 };
        let site = Site { name: "p".to_owned(), version: "1".to_owned() };
        let (duel, links) = (Duel::example(vec![]), Links::default());
        let pages = render(&site, &Page { duel: &duel, explained: &explained, links: &links });
        let largest = pages.iter().map(|(_, page)| page.len()).max().unwrap_or_default();
        assert!(pages.len() > 2 && largest < 400_000, "{} pages, {largest} bytes", pages.len());
        assert!(pages[0].1.contains("more stand on <a href=\"000000000000-2.html\">"), "{}", &pages[0].1[..2000]);
        assert_eq!(pages.iter().map(|(_, page)| page.matches("<li id=\"f").count()).sum::<usize>(), 10_000);
    }
}
