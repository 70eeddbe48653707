//! What a gate says of a suite: the word for the whole first, then what deserves a person, then the rest in counts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::escape;
use super::judgement::{percent, size};
use super::number;
use super::style::{Style, Tone};
use super::table::{Align, Table};
use crate::domain::{
    Accepted, BenchmarkName, Call, Finding, Judged, Lack, MetricVerdict, RecordId, Report, Subject, Trouble,
    Unreported, Whole,
};

/// What is shown of one metric of one benchmark.
pub(super) type Row<'a> = (&'a BenchmarkName, &'a MetricVerdict);

/// All that a gate says, of all its suites.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gate<'a> {
    /// What was said on the way.
    pub remarks: &'a [String],
    /// Suites without a report.
    pub unreported: &'a [Unreported],
    /// A report for each suite that could be dueled.
    pub reports: &'a [Report],
    /// The address of the project's site, on which a duel has its page.
    pub site: Option<&'a str>,
}

impl Gate<'_> {
    /// The word for all: the gravest of its suites.
    #[must_use]
    pub fn whole(&self) -> Whole {
        if self.unreported.iter().any(|one| one.lack.is_red()) {
            return Whole::Red;
        }
        // Of a suite that base cannot show nobody knows anything: that is never green.
        let unknown = self.unreported.iter().filter(|one| one.lack == Lack::Unusable).map(|_| Whole::Nothing);
        self.reports.iter().map(|report| report.whole).chain(unknown).min().unwrap_or(Whole::Nothing)
    }

    /// Whether a suite lacks its report for this.
    #[must_use]
    pub fn lacks(&self, lack: Lack) -> bool {
        self.unreported.iter().any(|one| one.lack == lack)
    }

    /// Whether all that it is about is new.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.reports.is_empty()
            && !self.unreported.is_empty()
            && self.unreported.iter().all(|one| one.lack == Lack::New)
    }
}

/// A suite without a report, for a person.
#[must_use]
pub fn unreported(one: &Unreported) -> String {
    let (word, said) = (one.lack.word(), one.said.trim_end());
    escape::lines(&format!("{word}: suite {} {}: {said}", one.suite, one.lack.as_str())).into_owned()
}

/// Whether a finding is about something that has no numbers.
#[must_use]
pub fn is_unmeasured(finding: &Finding) -> bool {
    matches!(finding, Finding::Failed { .. } | Finding::Missing { .. } | Finding::MissingMetric { .. })
}

/// The report for a person.
#[must_use]
pub fn text(report: &Report, style: Style) -> String {
    let mut out = headline(report) + "\n";
    // Writing to a text cannot fail.
    let _ = writeln!(out, "  base  {}", side(&report.base.subject));
    let _ = writeln!(out, "  head  {}", side(&report.head.subject));
    for line in troubles(report) {
        out.push_str(&line);
    }
    for one in &report.accepted {
        let _ = writeln!(out, "accepted: {}", escape::line(&accepted(one)));
    }
    for remark in &report.remarks {
        let _ = writeln!(out, "note: {}", escape::line(remark));
    }
    let rows = rows(report);
    let mut table = Table::new(&[
        ("", Align::Left),
        ("benchmark", Align::Left),
        ("metric", Align::Left),
        ("base", Align::Right),
        ("head", Align::Right),
        ("effect", Align::Right),
        ("interval", Align::Right),
        ("allowed", Align::Right),
        ("finding", Align::Left),
    ]);
    let (told, folded) = of_weight(report, &rows);
    for (benchmark, one) in &told {
        let finding = address(report, benchmark, &one.metric.name).map_or(String::new(), |id| id.short().to_owned());
        let mut row = cells(benchmark, one).to_vec();
        row.push(finding);
        table.toned_row(tone(one), &row);
    }
    if !told.is_empty() {
        out.push_str(&table.render(style));
    }
    for line in folded {
        let _ = writeln!(out, "{}", escape::line(&line));
    }
    out.push_str(&rest(report, &rows));
    let _ = write!(out, "kept as duel {}", report.duel.short());
    if !report.pooled.is_empty() {
        let earlier: Vec<&str> = report.pooled.iter().map(RecordId::short).collect();
        let _ = write!(out, ", judged together with {}", earlier.join(", "));
    }
    out.push('\n');
    out
}

fn headline(report: &Report) -> String {
    let suite = escape::line(report.suite.as_str()).into_owned();
    format!("{}: suite {suite}: {}", report.whole.as_str(), what(report))
}

/// The word for the whole in a few more words.
pub(super) fn what(report: &Report) -> String {
    let red = report.findings.len();
    match report.whole {
        Whole::Red => format!("{red} {}", if red == 1 { "finding" } else { "findings" }),
        Whole::Nothing => "nothing was there to judge".to_owned(),
        Whole::Inconclusive => "nothing is known to be worse, and not everything could be decided".to_owned(),
        Whole::Green => "nothing got worse beyond its limit".to_owned(),
    }
}

pub(super) fn side(subject: &Subject) -> String {
    let commit = subject.commit();
    let title = escape::line(&commit.subject);
    match subject {
        Subject::Commit(_) => format!("{} {title}", commit.id.short()),
        Subject::Dirty { .. } => format!("working tree on {} {title}", commit.id.short()),
    }
}

/// What would be red, in words.
pub(super) fn accepted(one: &Accepted) -> String {
    let Accepted { benchmark, metric, effect, allowed, reason } = one;
    match (metric, effect, allowed) {
        (Some(metric), Some(effect), Some(allowed)) => {
            format!("{metric} of {benchmark}, {}, up to {allowed}: {reason}", percent(*effect))
        }
        (Some(metric), ..) => format!("{metric} of {benchmark} is gone: {reason}"),
        _ => format!("{benchmark} is gone: {reason}"),
    }
}

/// The names of a few benchmarks, or the first of many.
pub(super) fn few(benchmarks: &[BenchmarkName]) -> String {
    const MOST: usize = 5;
    let names: Vec<&str> = benchmarks.iter().take(MOST).map(BenchmarkName::as_str).collect();
    let more = benchmarks.len().saturating_sub(MOST);
    let names = names.join(", ");
    if more == 0 { names } else { format!("{names} and {more} more") }
}

/// The metrics that came or went without being a finding, each with the benchmarks that have it.
pub(super) fn lone(report: &Report) -> Vec<String> {
    let mut all: BTreeMap<(bool, &str), Vec<BenchmarkName>> = BTreeMap::new();
    for one in report.lone.iter().filter(|one| !one.is_red()) {
        all.entry((one.on_head, &one.metric.name)).or_default().push(one.benchmark.clone());
    }
    let said = |((on_head, metric), names): ((bool, &str), Vec<BenchmarkName>)| {
        let (side, gone) = if on_head { ("new on head", "") } else { ("not on head any more", ", which is not gated") };
        format!("{side}: {metric} of {}{gone}", few(&names))
    };
    all.into_iter().map(said).collect()
}

/// What has no numbers, and what moved together.
fn troubles(report: &Report) -> Vec<String> {
    let line = |finding: &Finding| match finding {
        Finding::Failed { benchmark, on_head, trouble: Trouble { reason, stderr_tail, .. } } => {
            let side = if *on_head { "head" } else { "base" };
            let mut line =
                format!("failed on {side}: {}: {}\n", escape::line(benchmark.as_str()), escape::line(reason));
            for said in stderr_tail.trim_end().lines().rev().take(5).collect::<Vec<_>>().into_iter().rev() {
                let _ = writeln!(line, "    | {}", escape::line(said));
            }
            Some(line)
        }
        Finding::Missing { benchmark } => {
            Some(format!("missing: {}: base has it, head has not\n", escape::line(benchmark.as_str())))
        }
        Finding::MissingMetric { metric, benchmarks } => Some(format!(
            "missing: {} of {}: base has it, head has not\n",
            escape::line(metric),
            escape::line(&few(benchmarks))
        )),
        Finding::Common { metric, effect, benchmarks } => Some(format!(
            "{} of {} benchmarks moved together: {}\n",
            escape::line(metric),
            benchmarks.len(),
            percent(*effect)
        )),
        Finding::Regressed { .. } => None,
    };
    report.findings.iter().filter_map(line).collect()
}

/// All verdicts, the most important first: by word, then by size.
pub(super) fn rows(report: &Report) -> Vec<Row<'_>> {
    let verdicts = |(benchmark, judged)| verdicts(benchmark, judged);
    let mut rows: Vec<Row<'_>> = report.judged.iter().flat_map(verdicts).collect();
    rows.sort_by(|(_, one), (_, other)| by_weight(one, other));
    rows
}

/// The graver word first, and of one word the larger effect.
pub(super) fn by_weight(one: &MetricVerdict, other: &MetricVerdict) -> std::cmp::Ordering {
    let rank = |one: &MetricVerdict| match one.verdict.call {
        Call::Regressed => 0,
        Call::Inconclusive => 1,
        Call::Improved => 2,
        Call::Unchanged => 3,
    };
    let magnitude = |one: &MetricVerdict| one.verdict.effect.log().abs();
    rank(one).cmp(&rank(other)).then(magnitude(other).total_cmp(&magnitude(one)))
}

fn verdicts<'a>(benchmark: &'a BenchmarkName, judged: &'a Judged) -> Vec<Row<'a>> {
    match judged {
        Judged::Verdicts(verdicts) => verdicts.iter().map(|one| (benchmark, one)).collect(),
        Judged::Missing | Judged::New | Judged::Failed { .. } => Vec::new(),
    }
}

pub(super) fn told(one: &MetricVerdict) -> bool {
    one.verdict.call != Call::Unchanged || one.verdict.moved_within_limit()
}

/// So many undecided rows are shown of each kind: whoever reads two hundred of them reads none.
const MOST_UNDECIDED: usize = 12;

/// The rows that deserve to be read, and what is said in place of those that are too many.
pub(super) fn of_weight<'a>(report: &Report, rows: &[Row<'a>]) -> (Vec<Row<'a>>, Vec<String>) {
    type Rows<'b, 'a> = Vec<&'b Row<'a>>;
    let is_undecided = |row: &&Row<'_>| row.1.verdict.call == Call::Inconclusive;
    let (gated, idle): (Rows<'_, 'a>, Rows<'_, 'a>) =
        rows.iter().filter(is_undecided).partition(|row| row.1.terms.gate);
    let (vague, unread): (Rows<'_, 'a>, Rows<'_, 'a>) =
        gated.into_iter().partition(|row| row.1.verdict.grounds.is_some());
    let mut folded = Vec::new();
    if let Some(more) = vague.len().checked_sub(MOST_UNDECIDED).filter(|more| *more > 0) {
        folded.push(format!("{more} more are inconclusive; tachograph explain {} has them", report.duel.short()));
    }
    if !idle.is_empty() {
        let count = series(idle.len());
        folded.push(format!(
            "{count} undecided where nothing is gated; tachograph explain {} has them",
            report.duel.short()
        ));
    }
    let are_many = unread.len() > MOST_UNDECIDED;
    if are_many {
        let mut names: Vec<BenchmarkName> = unread.iter().map(|(name, _)| (*name).clone()).collect();
        names.sort();
        names.dedup();
        folded.push(format!("too few lives for a word: {} metrics of {}", unread.len(), few(&names)));
    }
    let mut vague_so_far = 0;
    let deserves = |row: &&Row<'_>| match (row.1.verdict.call, row.1.verdict.grounds) {
        (Call::Inconclusive, _) if !row.1.terms.gate => false,
        (Call::Inconclusive, None) => !are_many,
        (Call::Inconclusive, Some(_)) => {
            vague_so_far += 1;
            vague_so_far <= MOST_UNDECIDED
        }
        _ => told(row.1),
    };
    (rows.iter().filter(deserves).copied().collect(), folded)
}

/// The address of the finding that this metric is, or is a part of.
pub(super) fn address(report: &Report, name: &BenchmarkName, of: &str) -> Option<RecordId> {
    let found = report.findings.iter().find(|finding| match finding {
        Finding::Regressed { benchmark, metric, .. } => benchmark == name && metric == of,
        Finding::Common { metric, benchmarks, .. } => metric == of && benchmarks.contains(name),
        Finding::Missing { .. } | Finding::MissingMetric { .. } | Finding::Failed { .. } => false,
    });
    found.map(|finding| finding.address(&report.duel))
}

fn tone(one: &MetricVerdict) -> Tone {
    match one.verdict.call {
        Call::Regressed => Tone::Bad,
        Call::Improved | Call::Inconclusive | Call::Unchanged => Tone::Plain,
    }
}

pub(super) fn cells(benchmark: &BenchmarkName, one: &MetricVerdict) -> [String; 8] {
    let verdict = &one.verdict;
    let interval = verdict.interval.map(|interval| format!("{} to {}", percent(interval.low), percent(interval.high)));
    let word = match verdict.call {
        Call::Unchanged if verdict.moved_within_limit() => "moved within its limit",
        Call::Inconclusive if verdict.grounds.is_none() => "too few lives",
        call => call.as_str(),
    };
    let value = |value: f64| number::quantity(value, &one.metric.unit);
    [
        word.to_owned(),
        benchmark.as_str().to_owned(),
        one.metric.name.clone(),
        value(one.base),
        value(one.head),
        percent(verdict.effect),
        interval.unwrap_or_default(),
        verdict.limit.to_string(),
    ]
}

/// The unchanged in a count with the worst of what would have been seen, and what is new.
fn rest(report: &Report, rows: &[Row<'_>]) -> String {
    let mut out = String::new();
    let unchanged: Vec<&MetricVerdict> =
        rows.iter().map(|(_, one)| *one).filter(|one| one.verdict.call == Call::Unchanged).collect();
    if !unchanged.is_empty() {
        out.push_str(&summed(&unchanged));
        out.push('\n');
    }
    if let Some(new) = new_on_head(report) {
        let _ = writeln!(out, "new on head: {}", escape::line(&new));
    }
    for one in lone(report) {
        let _ = writeln!(out, "{}", escape::line(&one));
    }
    out
}

/// The unchanged in a line.
pub(super) fn summed(unchanged: &[&MetricVerdict]) -> String {
    let worst = unchanged.iter().filter_map(|one| one.verdict.detectable).max_by(|a, b| a.log().total_cmp(&b.log()));
    let seen = worst.map(|worst| format!("; a change of {} would have been found in each, 9 times in 10", size(worst)));
    format!("{} unchanged{}", series(unchanged.len()), seen.unwrap_or_default())
}

/// The benchmarks that only head has, by name as far as they are few.
pub(super) fn new_on_head(report: &Report) -> Option<String> {
    let new = report.judged.iter().filter(|(_, judged)| matches!(judged, Judged::New));
    let names: Vec<BenchmarkName> = new.map(|(benchmark, _)| benchmark.clone()).collect();
    (!names.is_empty()).then(|| few(&names))
}

fn series(count: usize) -> String {
    if count == 1 { "1 series".to_owned() } else { format!("{count} series") }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::{Duel, Effect, Limit, Metric, Policy, Terms, Verdict};

    pub(crate) fn judged(call: Call, relative: f64) -> Judged {
        let limit = Limit::percent(2.0).unwrap();
        let verdict =
            Verdict { call, effect: Effect::from(relative), interval: None, limit, detectable: None, grounds: None };
        let terms = Terms { limit, limit_from: None, gate: true, widen: true };
        let (base, head) = (5000.0, 5000.0 * (1.0 + relative));
        Judged::Verdicts(vec![MetricVerdict { metric: Metric::time(), base, head, terms, verdict }])
    }

    pub(crate) fn report(whole: Whole, judged: Vec<(&str, Judged)>, findings: Vec<Finding>) -> Report {
        let duel = Duel::example(vec![]);
        let judged: BTreeMap<_, _> =
            judged.into_iter().map(|(name, judged)| (BenchmarkName::new(name).unwrap(), judged)).collect();
        Report {
            duel: RecordId::parse(&"0".repeat(64)).unwrap(),
            pooled: vec![],
            shards: vec![],
            suite: duel.suite,
            base: duel.base,
            head: duel.head,
            machine: duel.machine,
            policy: Policy::default(),
            rules: "the defaults".to_owned(),
            gated_series: 3,
            whole,
            findings,
            accepted: vec![],
            remarks: vec![],
            lone: vec![],
            judged,
        }
    }

    #[test]
    fn the_word_stands_first_and_the_worst_before_the_rest() {
        let name = |name: &str| BenchmarkName::new(name).unwrap();
        let findings = vec![
            Finding::Missing { benchmark: name("gone") },
            Finding::Regressed { benchmark: name("b"), metric: "time".to_owned(), effect: Effect::from(0.3) },
        ];
        let judged = vec![
            ("a", judged(Call::Unchanged, 0.0)),
            ("b", judged(Call::Regressed, 0.3)),
            ("c", judged(Call::Improved, -0.2)),
            ("d", Judged::New),
            ("gone", Judged::Missing),
        ];
        insta::assert_snapshot!(text(&report(Whole::Red, judged, findings), Style::default()), @r"
        red: suite engine: 2 findings
          base  aaaaaaaaaa Commit a
          head  bbbbbbbbbb Commit b
        missing: gone: base has it, head has not
                   benchmark  metric  base    head   effect  allowed  finding
        regressed  b          time    5 µs  6.5 µs  +30.0 %      2 %  bd1a924fb106
        improved   c          time    5 µs    4 µs  -20.0 %      2 %
        1 series unchanged
        new on head: d
        kept as duel 000000000000
        ");
    }

    #[test]
    fn what_is_undecided_is_folded_where_it_is_too_much_to_read() {
        let names: Vec<String> = (0..MOST_UNDECIDED + 3).map(|at| format!("b{at:02}")).collect();
        let shown = |count: usize| {
            let judged = names.iter().take(count).map(|name| (name.as_str(), judged(Call::Inconclusive, 0.1)));
            text(&report(Whole::Inconclusive, judged.collect(), vec![]), Style::default())
        };
        let few = shown(MOST_UNDECIDED);
        assert_eq!(few.matches("too few lives").count(), MOST_UNDECIDED, "{few}");
        let many = shown(names.len());
        let line = "too few lives for a word: 15 metrics of b00, b01, b02, b03, b04 and 10 more\n";
        assert!(many.contains(line) && many.matches("too few lives").count() == 1, "{many}");
    }

    #[test]
    fn what_is_undecided_and_only_reported_is_a_count() {
        let ungated = |call, relative| {
            let Judged::Verdicts(mut all) = judged(call, relative) else { panic!("verdicts") };
            all[0].terms.gate = false;
            Judged::Verdicts(all)
        };
        let all = vec![
            ("a", judged(Call::Inconclusive, 0.1)),
            ("b", ungated(Call::Inconclusive, 0.1)),
            ("c", ungated(Call::Regressed, 0.3)),
        ];
        let said = text(&report(Whole::Inconclusive, all, vec![]), Style::default());
        assert!(said.contains("too few lives  a") && said.contains("regressed      c"), "{said}");
        assert!(said.contains("1 series undecided where nothing is gated") && !said.contains("  b "), "{said}");
    }

    #[test]
    fn a_metric_that_is_gone_is_said_first_and_one_that_came_last() {
        let name = |at: usize| BenchmarkName::new(format!("b{at}")).unwrap();
        let metric = |name: &str| Metric { name: name.to_owned(), ..Metric::time() };
        let lone = |at, of: &str, on_head, gate| crate::domain::Lone {
            benchmark: name(at),
            metric: metric(of),
            on_head,
            gate,
        };
        let benchmarks: Vec<BenchmarkName> = (0..7).map(name).collect();
        let mut report =
            report(Whole::Red, vec![], vec![Finding::MissingMetric { metric: "bytes".to_owned(), benchmarks }]);
        report.lone = vec![lone(0, "bytes", false, true), lone(1, "size", false, false), lone(2, "new", true, true)];
        let shown = text(&report, Style::default());
        assert!(
            shown.contains("missing: bytes of b0, b1, b2, b3, b4 and 2 more: base has it, head has not\n"),
            "{shown}"
        );
        assert!(
            shown.contains("\nnot on head any more: size of b1, which is not gated\nnew on head: new of b2\n"),
            "{shown}"
        );
    }

    #[test]
    fn hostile_names_cannot_write_to_the_terminal() {
        let trouble =
            Trouble { reason: "\u{1b}[2J".to_owned(), ended: None, stderr_tail: "\u{1b}]0;x\u{7}".to_owned() };
        let finding = Finding::Failed { benchmark: BenchmarkName::new("x").unwrap(), on_head: true, trouble };
        let shown = text(&report(Whole::Red, vec![], vec![finding]), Style::default());
        assert!(!shown.contains('\u{1b}') && shown.starts_with("red: suite engine: 1 finding\n"), "{shown}");
    }
}
