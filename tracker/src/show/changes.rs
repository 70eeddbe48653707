//! Findings of the history, for reading and for programs.

use serde::Serialize;

use super::escape;
use super::number::{date, moved, moved_within, percent, quantity};
use super::style::{Style, Tone};
use super::table::{Align, Table, shorten};
use crate::domain::{
    Change, ChangeFinding, Commit, CommitId, Confirmed, Line, Metric, Move, Order, Part, RecordId, Size, State, Summed,
    Turn,
};

/// The schema of the JSON form; a field that changes its meaning changes this.
pub const SCHEMA: &str = "tachograph/changes/1";

/// So many parts of a finding, and so many suspects, are listed for a person.
const MOST_PARTS: usize = 8;
const MOST_SUSPECTS: usize = 5;

/// What is to be shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The commits that the findings' places count.
    pub line: &'a Line,
    /// The findings, in the order in which they are shown.
    pub findings: &'a [ChangeFinding],
    /// How many series were read.
    pub series: usize,
    /// How many runs measured commits that are not on the line.
    pub beside: usize,
}

/// The findings for a person: a heading and a table each.
#[must_use]
pub fn text(shown: Shown<'_>, style: Style) -> String {
    let mut out = String::new();
    for finding in shown.findings {
        out += &block(finding, shown.line, style);
        out.push('\n');
    }
    out + &summary(shown)
}

fn summary(shown: Shown<'_>) -> String {
    let plural = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let findings = match shown.findings.len() {
        0 => "no change".to_owned(),
        count => plural(count, "finding", "findings"),
    };
    let order = match shown.line.order() {
        Order::FirstParents => "along first parents",
        Order::Date => "by date",
    };
    let commits = plural(shown.line.commits().len(), "commit", "commits");
    let beside = match shown.beside {
        0 => String::new(),
        count => format!("; {} of other commits left out", plural(count, "run", "runs")),
    };
    format!("{findings} in {} over {commits} {order}{beside}\n", plural(shown.series, "series", "series"))
}

fn block(finding: &ChangeFinding, line: &Line, style: Style) -> String {
    let cut = |text: &str| {
        let text = escape::line(text);
        style.width.map_or_else(|| text.clone().into_owned(), |width| shorten(&text, width))
    };
    let tone = match (finding.turn, finding.state) {
        (Turn::Regression, State::Open) => Tone::Bad,
        _ => Tone::Heading,
    };
    let when = line.commits().get(finding.likely).map(|commit| date(commit.committed_at_s)).unwrap_or_default();
    let note = if finding.note.is_empty() { String::new() } else { format!(": {}", finding.note) };
    let heading = format!("{}  {}  {when}  {}{note}", finding.id.short(), word(finding), finding.state.as_str());
    let mut out = style.paint(tone, &cut(&heading)) + "\n";
    for suspect in suspects(finding, line) {
        out += &(cut(&suspect) + "\n");
    }
    out += &table(finding).render(style);
    for line in [confirmed(finding), summed(finding)].concat() {
        out += &(cut(&line) + "\n");
    }
    out
}

/// The duels of neighbours that saw it too.
fn confirmed(finding: &ChangeFinding) -> Vec<String> {
    let told = |part: &Part| {
        let Confirmed { duel, effect, low, high, .. } = part.confirmed.as_ref()?;
        let within = match (low, high) {
            (Some(low), Some(high)) => format!(" ({} to {})", signed(*low), signed(*high)),
            _ => String::new(),
        };
        let series = format!("{} · {}", part.series.benchmark, part.series.metric.name);
        Some(format!(
            "  confirmed in turns with its parent, duel {}: {series} {}{within}",
            duel.short(),
            signed(*effect)
        ))
    };
    finding.parts.iter().filter_map(told).take(MOST_PARTS).collect()
}

/// What neither the points nor any single duel told.
fn summed(finding: &ChangeFinding) -> Vec<String> {
    let told = |part: &Part| {
        let series = format!("{} · {}", part.series.benchmark, part.series.metric.name);
        Some(format!("  the sum of {} duels of commits with their parents: {series}", part.summed?.duels))
    };
    finding.parts.iter().filter_map(told).take(MOST_PARTS).collect()
}

fn signed(share: f64) -> String {
    format!("{}{}", if share < 0.0 { "-" } else { "+" }, percent(share.abs()))
}

fn word(finding: &ChangeFinding) -> &'static str {
    match (finding.kind, finding.turn) {
        (Move::Step, turn) => turn.as_str(),
        (Move::Drift, Turn::Regression) => "drift for the worse",
        (Move::Drift, Turn::Improvement) => "drift for the better",
        (Move::Drift, Turn::Moved) => "drift",
    }
}

/// The commits that may have done it: the likely one first, then the others, newest first.
fn suspects(finding: &ChangeFinding, line: &Line) -> Vec<String> {
    let told = |commit: &Commit| format!("{}  {}", commit.id.short(), commit.subject);
    if finding.kind == Move::Drift {
        let ends = ["from", "to  "].iter().zip(&finding.commits);
        return ends.map(|(end, commit)| format!("  {end} {}", told(commit))).collect();
    }
    let likely = line.commits().get(finding.likely);
    let others = || finding.commits.iter().rev().filter(|commit| likely.is_none_or(|likely| likely.id != commit.id));
    let mut lines: Vec<String> = likely.map(|commit| format!("  {}", told(commit))).into_iter().collect();
    lines.extend(others().take(MOST_SUSPECTS).map(|commit| format!("  or {}", told(commit))));
    let all = finding.suspects.1 - finding.suspects.0 + 1;
    if let Some(rest) = all.checked_sub(lines.len()).filter(|rest| *rest > 0) {
        lines.push(format!("  or one of {rest} more"));
    }
    lines
}

fn table(finding: &ChangeFinding) -> Table {
    let mut table = Table::new(&[
        ("  benchmark", Align::Left),
        ("metric", Align::Left),
        ("change", Align::Right),
        ("95 % interval", Align::Right),
        ("before", Align::Right),
        ("after", Align::Right),
        ("machine", Align::Left),
    ]);
    for part in finding.parts.iter().take(MOST_PARTS) {
        let (size, interval) = sizes(&part.change, &part.series.metric);
        table.row(&[
            format!("  {}", part.series.benchmark),
            part.series.metric.name.clone(),
            size,
            interval,
            quantity(part.change.before, &part.series.metric.unit),
            quantity(part.change.after, &part.series.metric.unit),
            part.series.machine.title(),
        ]);
    }
    if let Some(rest) = finding.parts.len().checked_sub(MOST_PARTS).filter(|rest| *rest > 0) {
        table.row(&[format!("  and {rest} more")]);
    }
    table
}

fn sizes(change: &Change, metric: &Metric) -> (String, String) {
    (moved(change, &metric.unit), moved_within(change, &metric.unit))
}

/// The findings for programs.
#[derive(Debug, Serialize)]
pub struct Json<'a> {
    schema: &'static str,
    order: Order,
    commits: usize,
    series: usize,
    runs_beside: usize,
    findings: Vec<JsonFinding<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonFinding<'a> {
    id: &'a RecordId,
    #[serde(rename = "move")]
    kind: Move,
    turn: Turn,
    state: State,
    note: &'a str,
    suspects: JsonSuspects<'a>,
    changes: Vec<JsonPart<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonSuspects<'a> {
    first: Option<&'a CommitId>,
    last: Option<&'a CommitId>,
    likely: Option<&'a CommitId>,
    count: usize,
    commits: &'a [Commit],
}

#[derive(Debug, Serialize)]
struct JsonPart<'a> {
    series: RecordId,
    suite: &'a str,
    benchmark: &'a str,
    metric: &'a Metric,
    machine: JsonMachine,
    size: Size,
    noises: f64,
    before: f64,
    after: f64,
    signs: Option<crate::domain::Signs>,
    first: Option<&'a CommitId>,
    last: Option<&'a CommitId>,
    likely: Option<&'a CommitId>,
    returned: bool,
    confirmed: Option<&'a Confirmed>,
    summed: Option<Summed>,
}

#[derive(Debug, Serialize)]
struct JsonMachine {
    id: RecordId,
    title: String,
}

impl<'a> Json<'a> {
    /// The findings, ready to be written.
    #[must_use]
    pub fn new(shown: Shown<'a>) -> Json<'a> {
        let finding = |finding: &'a ChangeFinding| JsonFinding {
            id: &finding.id,
            kind: finding.kind,
            turn: finding.turn,
            state: finding.state,
            note: &finding.note,
            suspects: JsonSuspects {
                first: id(shown.line, finding.suspects.0),
                last: id(shown.line, finding.suspects.1),
                likely: id(shown.line, finding.likely),
                count: finding.suspects.1 - finding.suspects.0 + 1,
                commits: &finding.commits,
            },
            changes: finding.parts.iter().map(|part| json_part(part, shown.line)).collect(),
        };
        Json {
            schema: SCHEMA,
            order: shown.line.order(),
            commits: shown.line.commits().len(),
            series: shown.series,
            runs_beside: shown.beside,
            findings: shown.findings.iter().map(finding).collect(),
        }
    }
}

fn id(line: &Line, place: usize) -> Option<&CommitId> {
    line.commits().get(place).map(|commit| &commit.id)
}

fn json_part<'a>(part: &'a Part, line: &'a Line) -> JsonPart<'a> {
    let (series, change) = (&part.series, &part.change);
    JsonPart {
        series: series.id(),
        suite: series.suite.as_str(),
        benchmark: series.benchmark.as_str(),
        metric: &series.metric,
        machine: JsonMachine { id: series.machine.id(), title: series.machine.title() },
        size: change.size,
        noises: change.noises,
        before: change.before,
        after: change.after,
        signs: change.signs,
        first: id(line, part.suspects.0),
        last: id(line, part.suspects.1),
        likely: id(line, part.likely),
        returned: part.returned,
        confirmed: part.confirmed.as_ref(),
        summed: part.summed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BenchmarkName, Machine, Series, SuiteName};

    fn commit(number: usize) -> Commit {
        Commit {
            id: CommitId::new(format!("{number:040x}").chars().rev().collect::<String>()).unwrap(),
            parents: vec![],
            committed_at_s: 1_790_000_000 + 86_400 * i64::try_from(number).unwrap(),
            subject: format!("Change {number}\u{1b}[2J"),
        }
    }

    fn line() -> Line {
        Line::new((0..60).map(commit).collect(), Order::FirstParents)
    }

    fn finding(parts: usize) -> ChangeFinding {
        let part = |number: usize| Part {
            series: Series {
                suite: SuiteName::new("engine").unwrap(),
                benchmark: BenchmarkName::new(format!("kernel/matmul/{number}")).unwrap(),
                metric: Metric::time(),
                machine: Machine::Named("lorry".to_owned()),
            },
            change: Change {
                at: 9,
                within: (8, 9),
                kind: Move::Step,
                turn: Turn::Regression,
                size: Size::Relative { value: 0.031, low: 0.025, high: 0.037 },
                noises: 4.0,
                before: 5000.0,
                after: 5155.0,
                signs: None,
            },
            suspects: (8, 9),
            likely: 9,
            returned: false,
            confirmed: None,
            summed: None,
        };
        ChangeFinding {
            id: RecordId::of("finding of the history", &1),
            kind: Move::Step,
            turn: Turn::Regression,
            suspects: (8, 9),
            likely: 9,
            commits: vec![commit(8), commit(9)],
            parts: (0..parts).map(part).collect(),
            state: State::Acknowledged,
            note: "a known price".to_owned(),
        }
    }

    #[test]
    fn a_finding_is_a_heading_its_suspects_and_a_row_a_series() {
        let (line, findings) = (line(), [finding(1)]);
        let shown = Shown { line: &line, findings: &findings, series: 4, beside: 1 };
        let id = findings[0].id.short();
        let expected = format!(
            "\
{id}  regression  2026-09-30  acknowledged: a known price
  9000000000  Change 9\\u{{1b}}[2J
  or 8000000000  Change 8\\u{{1b}}[2J
  benchmark        metric  change     95 % interval  before     after  machine
  kernel/matmul/0  time    +3.1 %  +2.5 % to +3.7 %    5 µs  5.155 µs  lorry

1 finding in 4 series over 60 commits along first parents; 1 run of other commits left out
"
        );
        assert_eq!(text(shown, Style::default()), expected);
        let narrow = text(shown, Style { colour: false, width: Some(90) });
        assert!(narrow.lines().take(5).all(|line| line.chars().count() <= 90), "{narrow}");
    }

    #[test]
    fn a_duel_that_saw_it_too_is_told() {
        let (line, mut finding) = (line(), finding(1));
        let duel = RecordId::of("duel", &2);
        let short = duel.short().to_owned();
        finding.parts[0].confirmed =
            Some(Confirmed { place: 9, duel, effect: 0.0297, low: Some(0.028), high: Some(0.0312) });
        let findings = [finding];
        let shown = Shown { line: &line, findings: &findings, series: 4, beside: 0 };
        let expected = format!(
            "  confirmed in turns with its parent, duel {short}: kernel/matmul/0 · time +3.0 % (+2.8 % to +3.1 %)\n"
        );
        assert!(text(shown, Style::default()).contains(&expected));
        let json = serde_json::to_value(Json::new(shown)).unwrap();
        assert_eq!(json["findings"][0]["changes"][0]["confirmed"]["effect"], 0.0297);
    }

    #[test]
    fn a_slow_move_that_duels_tell_by_their_sum_says_so() {
        let (line, mut finding) = (line(), finding(1));
        finding.parts[0].summed = Some(Summed { duels: 41, p: 1e-6 });
        let findings = [finding];
        let shown = Shown { line: &line, findings: &findings, series: 4, beside: 0 };
        let expected = "  the sum of 41 duels of commits with their parents: kernel/matmul/0 · time\n";
        assert!(text(shown, Style::default()).contains(expected));
        assert_eq!(serde_json::to_value(Json::new(shown)).unwrap()["findings"][0]["changes"][0]["summed"]["duels"], 41);
    }

    #[test]
    fn of_many_series_the_first_are_listed_and_the_rest_counted() {
        let (line, findings) = (line(), [finding(20)]);
        let text = text(Shown { line: &line, findings: &findings, series: 20, beside: 0 }, Style::default());
        assert!(text.contains("and 12 more") && !text.contains("matmul/8 "), "{text}");
    }

    #[test]
    fn for_programs_there_is_a_schema_and_every_commit_by_its_hash() {
        let (line, findings) = (line(), [finding(2)]);
        let shown = Shown { line: &line, findings: &findings, series: 4, beside: 0 };
        let json = serde_json::to_value(Json::new(shown)).unwrap();
        assert_eq!((&json["schema"], &json["order"]), (&SCHEMA.into(), &"first-parents".into()));
        let finding = &json["findings"][0];
        assert_eq!(finding["suspects"]["likely"], commit(9).id.as_str());
        assert_eq!(finding["suspects"]["first"], commit(8).id.as_str());
        assert_eq!((&finding["state"], &finding["turn"]), (&"acknowledged".into(), &"regression".into()));
        assert_eq!(finding["changes"][1]["benchmark"], "kernel/matmul/1");
        assert_eq!(finding["changes"][1]["size"]["value"], 0.031);
    }
}
