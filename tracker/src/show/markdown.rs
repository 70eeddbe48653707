//! What a gate says as Markdown, for a comment or a job's summary: the verdict first, then what moved, the rest folded.
//!
//! Hosts cut or refuse long texts, so what does not fit is left out in this order: the table of what is unchanged, the
//! details, everything but the verdict and where the rest can be read.

use std::fmt::Write as _;

use super::escape::{markdown as code, markdown_block as block};
use super::gate::{Gate, Row, accepted, address, cells, few, lone, new_on_head, of_weight, rows, summed, what};
use super::judgement::percent;
use crate::domain::{Call, Finding, Lack, RecordId, Report, Side, Subject, Trouble, Whole};

/// GitHub refuses a comment of more than 65,536 characters.
pub const MOST_BYTES: usize = 60_000;

/// How much of it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    Verdict,
    Moved,
    Details,
    All,
}

/// The text, of at most so many bytes; `link` is where the whole of it can be read.
#[must_use]
pub fn text(gate: &Gate<'_>, link: Option<&str>, most_bytes: usize) -> String {
    let depths = [Depth::All, Depth::Details, Depth::Moved, Depth::Verdict];
    let shown = depths.map(|depth| move || at(gate, link, depth));
    shown.iter().map(|show| show()).find(|text| text.len() <= most_bytes).unwrap_or_else(|| {
        // Even the verdicts of thousands of suites find an end.
        format!("### Tachograph: {}\n\nToo many suites to name.\n{}", gate.whole().as_str(), elsewhere(gate, link))
    })
}

fn at(gate: &Gate<'_>, link: Option<&str>, depth: Depth) -> String {
    let mut out = format!("### Tachograph: {}\n", headline(gate));
    for one in gate.unreported {
        let word = one.lack.word();
        // Writing to a text cannot fail.
        let _ = write!(out, "\n**{word}**: suite {} {}\n", code(one.suite.as_str()), one.lack.as_str());
        if depth >= Depth::Moved {
            let _ = write!(out, "\n{}", block(&tail(&one.said)));
        }
    }
    for report in gate.reports {
        let page = gate.site.filter(|site| is_link(site)).map(|site| page_of(site, report));
        let (word, suite) = (report.whole.as_str(), code(report.suite.as_str()));
        let _ = write!(out, "\n**{word}**: suite {suite}: {}{}\n", what(report), page.unwrap_or_default());
        if depth >= Depth::Moved {
            moved(&mut out, report);
        }
        if depth >= Depth::Details {
            details(&mut out, report, depth);
        }
    }
    if depth >= Depth::Moved && !gate.remarks.is_empty() {
        out.push('\n');
        for remark in gate.remarks {
            let _ = writeln!(out, "- {}", code(remark));
        }
    }
    if depth < Depth::All {
        out.push_str(&elsewhere(gate, link));
    } else if let Some(link) = link.filter(|link| is_link(link)) {
        let _ = write!(out, "\n[The whole report]({link})\n");
    }
    out
}

fn headline(gate: &Gate<'_>) -> &'static str {
    match gate.whole() {
        Whole::Nothing if gate.lacks(Lack::Unusable) => "not every suite could be judged",
        Whole::Red => "slower, or something is lost",
        Whole::Nothing if gate.is_new() => "new, and nothing to compare with yet",
        Whole::Nothing => "nothing was there to judge",
        Whole::Inconclusive => "nothing is known to be worse, and not everything could be decided",
        Whole::Green => "nothing got worse beyond its limit",
    }
}

/// The duel's page on the project's site, which is there once the duel is published.
fn page_of(site: &str, report: &Report) -> String {
    format!(" ([every effect with its interval]({site}/duel/{}.html))", report.duel.short())
}

/// Where the rest is.
fn elsewhere(gate: &Gate<'_>, link: Option<&str>) -> String {
    if let Some(link) = link.filter(|link| is_link(link)) {
        return format!("\nThis is not all of it: [the whole report]({link})\n");
    }
    let duels: Vec<String> = gate.reports.iter().take(20).map(|report| code(report.duel.short())).collect();
    if duels.is_empty() {
        return String::new();
    }
    format!("\nThis is not all of it: `tachograph explain` has the rest of {}\n", duels.join(", "))
}

/// Whether a text is an address that stays one in Markdown.
fn is_link(link: &str) -> bool {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "-._~:/?#@!$&*+,;=%".contains(sign);
    (link.starts_with("https://") || link.starts_with("http://")) && link.chars().all(plain)
}

fn moved(out: &mut String, report: &Report) {
    let _ = write!(out, "\nBase {}, head {}\n", side(&report.base), side(&report.head));
    for finding in &report.findings {
        let id = finding.address(&report.duel);
        let line = match finding {
            Finding::Failed { benchmark, on_head, trouble: Trouble { reason, .. } } => {
                let side = if *on_head { "head" } else { "base" };
                format!("**failed on {side}**: {}: {}", code(benchmark.as_str()), code(reason))
            }
            Finding::Missing { benchmark } => {
                format!("**missing**: {}: base has it, head has not", code(benchmark.as_str()))
            }
            Finding::Common { metric, effect, benchmarks } => {
                let count = benchmarks.len();
                format!("{} of {count} benchmarks moved together: {}", code(metric), percent(*effect))
            }
            Finding::MissingMetric { metric, benchmarks } => {
                format!("**missing**: {} of {}: base has it, head has not", code(metric), code(&few(benchmarks)))
            }
            Finding::Regressed { .. } => continue,
        };
        let _ = write!(out, "\n- {line} (finding `{}`)\n", id.short());
    }
    for one in &report.accepted {
        let _ = write!(out, "\n- **accepted**: {}\n", code(&accepted(one)));
    }
    for remark in &report.remarks {
        let _ = write!(out, "\n- {}\n", code(remark));
    }
    let (rows, folded) = of_weight(report, &rows(report));
    table(out, report, &rows);
    for line in folded {
        let _ = write!(out, "\n- {}\n", code(&line));
    }
    if let Some(new) = new_on_head(report) {
        let _ = write!(out, "\nNew on head: {}\n", code(&new));
    }
    for one in lone(report) {
        let _ = write!(out, "\n- {}\n", code(&one));
    }
}

fn side(side: &Side) -> String {
    let commit = side.subject.commit();
    let tree = if matches!(side.subject, Subject::Dirty { .. }) { "the working tree on " } else { "" };
    format!("{tree}`{}` {}", commit.id.short(), code(&commit.subject))
}

fn table(out: &mut String, report: &Report, rows: &[Row<'_>]) {
    if rows.is_empty() {
        return;
    }
    out.push_str("\n| | benchmark | metric | base | head | effect | interval | allowed | finding |\n");
    out.push_str("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |\n");
    for (benchmark, one) in rows {
        let [word, name, metric, base, head, effect, interval, limit] = cells(benchmark, one);
        // A unit is foreign text as well.
        let (base, head) = (code(&base), code(&head));
        let finding = address(report, benchmark, &one.metric.name).map(|id| format!("`{}`", id.short()));
        let word = if one.is_red() { format!("**{word}**") } else { word };
        let _ = writeln!(
            out,
            "| {word} | {} | {} | {base} | {head} | {effect} | {interval} | {limit} | {} |",
            code(&name),
            code(&metric),
            finding.unwrap_or_default()
        );
    }
}

fn details(out: &mut String, report: &Report, depth: Depth) {
    let rows: Vec<Row<'_>> = rows(report).into_iter().filter(|(_, one)| one.verdict.call == Call::Unchanged).collect();
    let unchanged: Vec<_> = rows.iter().map(|(_, one)| *one).collect();
    if !unchanged.is_empty() {
        let summed = summed(&unchanged);
        if depth >= Depth::All {
            let _ = write!(out, "\n<details><summary>{summed}</summary>\n");
            table(out, report, &rows);
            out.push_str("\n</details>\n");
        } else {
            let _ = write!(out, "\n{summed}\n");
        }
    }
    let said = report.findings.iter().filter_map(|finding| match finding {
        Finding::Failed { benchmark, trouble, .. } if !trouble.stderr_tail.trim().is_empty() => {
            Some((benchmark, &trouble.stderr_tail))
        }
        _ => None,
    });
    for (benchmark, tail_of) in said {
        let _ = write!(out, "\n<details><summary>What the failed benchmark said last</summary>\n\n");
        let _ = write!(out, "{}\n\n{}\n</details>\n", code(benchmark.as_str()), block(&tail(tail_of)));
    }
    let _ = write!(
        out,
        "\n<details><summary>How this was measured</summary>\n\n- machine: {}\n- policy: {}\n- at most {} gates may be \
         red for nothing, over {} gated series\n- `tachograph explain {}`\n",
        code(&report.machine.title()),
        code(&report.rules),
        report.policy.false_reds,
        report.gated_series,
        report.duel.short()
    );
    if !report.pooled.is_empty() {
        let earlier: Vec<&str> = report.pooled.iter().map(RecordId::short).collect();
        let _ = writeln!(out, "- judged together with the earlier duels `{}`", earlier.join("`, `"));
    }
    out.push_str("\n</details>\n");
}

/// The last lines of a text: that is where a program says why it ended.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BenchmarkName, Effect, Judged, Unreported};
    use crate::show::gate::tests::{judged, report};

    fn name(name: &str) -> BenchmarkName {
        BenchmarkName::new(name).unwrap()
    }

    fn gate(report: &Report) -> Gate<'_> {
        Gate { reports: std::slice::from_ref(report), ..Gate::default() }
    }

    fn example() -> Report {
        let findings = vec![
            Finding::Missing { benchmark: name("gone") },
            Finding::Regressed { benchmark: name("b"), metric: "time".to_owned(), effect: Effect::from(0.3) },
        ];
        let judged = vec![
            ("a", judged(Call::Unchanged, 0.0)),
            ("b", judged(Call::Regressed, 0.3)),
            ("gone", Judged::Missing),
            ("d", Judged::New),
        ];
        report(Whole::Red, judged, findings)
    }

    #[test]
    fn the_verdict_stands_first_then_what_moved_and_the_rest_is_folded() {
        insta::assert_snapshot!(text(&gate(&example()), None, MOST_BYTES), @r"
        ### Tachograph: slower, or something is lost

        **red**: suite `engine`: 2 findings

        Base `aaaaaaaaaa` `Commit a`, head `bbbbbbbbbb` `Commit b`

        - **missing**: `gone`: base has it, head has not (finding `a7e218062f9f`)

        | | benchmark | metric | base | head | effect | interval | allowed | finding |
        | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |
        | **regressed** | `b` | `time` | `5 µs` | `6.5 µs` | +30.0 % |  | 2 % | `bd1a924fb106` |

        New on head: `d`

        <details><summary>1 series unchanged</summary>

        | | benchmark | metric | base | head | effect | interval | allowed | finding |
        | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |
        | unchanged | `a` | `time` | `5 µs` | `5 µs` | +0.00 % |  | 2 % |  |

        </details>

        <details><summary>How this was measured</summary>

        - machine: `bench-1`
        - policy: `the defaults`
        - at most 1 in 1000 gates may be red for nothing, over 3 gated series
        - `tachograph explain 000000000000`

        </details>
        ");
    }

    #[test]
    fn what_does_not_fit_is_left_out_unchanged_first_then_details_then_all_but_the_verdict() {
        let names: Vec<String> = (0..2000).map(|at| format!("kernel/{at}")).collect();
        let mut many: Vec<(&str, Judged)> =
            names.iter().map(|name| (name.as_str(), judged(Call::Unchanged, 0.0))).collect();
        many.push(("b", judged(Call::Regressed, 0.3)));
        let report = report(Whole::Red, many, vec![]);
        let shown = |most| text(&gate(&report), Some("https://example.invalid/r"), most);
        let has = |text: &str, what: &str| text.contains(what);
        let whole = shown(usize::MAX);
        assert!(has(&whole, "kernel/7") && has(&whole, "How this was measured"));
        let shorter = shown(MOST_BYTES);
        assert!(shorter.len() <= MOST_BYTES && !has(&shorter, "kernel/7"), "{}", shorter.len());
        assert!(has(&shorter, "2000 series unchanged") && has(&shorter, "How this was measured"));
        let bare = shown(shorter.len() - 1);
        assert!(
            has(&bare, "| `b` |") && !has(&bare, "How this was measured") && has(&bare, "(https://example.invalid/r)")
        );
        let verdict = shown(bare.len() - 1);
        assert!(!has(&verdict, "| `b` |") && has(&verdict, "**red**: suite `engine`"));
        assert!(shown(10).len() < 250);
    }

    #[test]
    fn a_project_with_a_site_has_a_page_for_each_duel() {
        let example = example();
        let with = Gate { site: Some("https://example.org/speed"), ..gate(&example) };
        let shown = text(&with, None, MOST_BYTES);
        let page = format!(
            "2 findings ([every effect with its interval](https://example.org/speed/duel/{}.html))",
            example.duel.short()
        );
        assert!(shown.contains(&page), "{shown}");
        assert!(text(&with, None, 400).contains("/duel/"), "also where there is room for the verdict alone");
    }

    #[test]
    fn no_name_makes_a_mention_a_link_an_element_or_another_row() {
        let nasty = "@all [x](https://evil.invalid) <img src=x> | `` ` <!-- tachograph -->\n# big";
        let trouble = Trouble { reason: nasty.to_owned(), ended: None, stderr_tail: format!("```\n{nasty}") };
        let findings = vec![
            Finding::Missing { benchmark: name(nasty) },
            Finding::Failed { benchmark: name(nasty), on_head: true, trouble },
        ];
        let mut report = report(Whole::Red, vec![(nasty, judged(Call::Regressed, 0.3))], findings);
        let Subject::Commit(commit) = &mut report.head.subject else { panic!("a commit") };
        nasty.clone_into(&mut commit.subject);
        let remarks = vec![nasty.to_owned()];
        let suite = report.suite.clone();
        let lacks = [Lack::Broken, Lack::Unusable];
        let unreported = lacks.map(|lack| Unreported { suite: suite.clone(), lack, said: nasty.to_owned() });
        let site = Some("javascript:alert(1)");
        let gate = Gate { remarks: &remarks, unreported: &unreported, reports: &[report], site };
        let shown = text(&gate, Some("javascript:alert(1)"), MOST_BYTES);
        assert!(!shown.contains("<!--") && !shown.contains("javascript"), "{shown}");
        // Take away spans and blocks of code: what is left is ours.
        let mut fence: Option<String> = None;
        let mut outside = String::new();
        for line in shown.lines() {
            let ticks: String = line.chars().take_while(|sign| *sign == '`').collect();
            match &fence {
                Some(open) if ticks == *open && line == ticks => fence = None,
                Some(_) => {}
                None if ticks.len() >= 3 && line.ends_with("text") => fence = Some(ticks),
                None => outside += &(without_spans(line) + "\n"),
            }
        }
        assert_eq!(fence, None);
        for sign in ["@", "](", "<img", "evil"] {
            assert!(!outside.contains(sign), "{sign} in\n{outside}");
        }
        let row = outside.lines().find(|line| line.starts_with("| **regressed**")).expect("a row");
        assert_eq!(row.replace("\\|", "").matches('|').count(), 10);
    }

    fn without_spans(line: &str) -> String {
        let (mut out, mut rest) = (String::new(), line);
        while let Some(at) = rest.find('`') {
            out.push_str(&rest[..at]);
            let fence: String = rest[at..].chars().take_while(|sign| *sign == '`').collect();
            let inside = &rest[at + fence.len()..];
            let runs: Vec<(usize, usize)> = runs(inside);
            let Some((end, _)) = runs.into_iter().find(|(_, length)| *length == fence.len()) else { panic!("{line}") };
            rest = &inside[end + fence.len()..];
        }
        out + rest
    }

    /// Where backticks stand, and how many.
    fn runs(text: &str) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for (at, _) in text.match_indices('`') {
            match found.last_mut() {
                Some((begin, length)) if *begin + *length == at => *length += 1,
                _ => found.push((at, 1)),
            }
        }
        found
    }
}
