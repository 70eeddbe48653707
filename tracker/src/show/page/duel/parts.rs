//! What deserves a person, the worst first: of each list as much as fits on the duel's own page, the rest on pages behind it.

use std::collections::HashMap;

use super::super::frame::{Depth, Site, page};
use super::super::html::Html;
use super::super::links;
use crate::domain::{Finding, RecordId, Report, Trouble};
use crate::show::gate;
use crate::show::judgement::percent;

/// So many lines of what a failed benchmark said.
const TAIL_LINES: usize = 40;
/// So many bytes of a page behind the first are filled: half of what a page may have, for what comes last may be long.
const BEHIND_BYTES: usize = 200_000;

/// A list of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Findings,
    Accepted,
    Remarks,
}

impl List {
    const ALL: [List; 3] = [List::Findings, List::Accepted, List::Remarks];

    /// So many bytes of it stand on the duel's own page.
    fn first_bytes(self) -> usize {
        match self {
            List::Findings => 60_000,
            List::Accepted | List::Remarks => 20_000,
        }
    }

    fn begin(self, body: &mut Html) {
        body.put(match self {
            List::Findings => "<section><h2>Findings</h2><ul class=\"findings\">",
            List::Accepted => "<section><h2>Accepted</h2><ul>",
            List::Remarks => "<section><h2>Remarks</h2><ul class=\"remarks\">",
        });
    }
}

/// What a duel's report says beside its verdicts, in pages.
pub(super) struct Parts {
    /// What stands on the duel's own page.
    pub(super) first: Html,
    /// What stands on each page behind it.
    behind: Vec<Html>,
    /// The page of each finding that stands behind the first.
    pages: HashMap<RecordId, usize>,
    duel: RecordId,
}

impl Parts {
    /// Parts all that a report says.
    pub(super) fn of(report: &Report) -> Parts {
        let mut parts =
            Parts { first: Html::default(), behind: Vec::new(), pages: HashMap::new(), duel: report.duel.clone() };
        let mut open = None;
        for list in List::ALL {
            parts.list(list, items(report, list), &mut open);
        }
        if open.is_some() {
            parts.last().put("</ul></section>");
        }
        parts
    }

    /// Puts a list on the first page, as far as it may, and the rest behind; `open` is the list that the last page is in.
    fn list(&mut self, list: List, items: Vec<(Option<RecordId>, Html)>, open: &mut Option<List>) {
        if items.is_empty() {
            return;
        }
        list.begin(&mut self.first);
        let (count, mut bytes, mut shown) = (items.len(), 0, 0);
        for (at, (finding, item)) in items.into_iter().enumerate() {
            bytes += item.len();
            // The first of a list stands on the first page however long it is; behind one that does not, none does.
            if at == shown && (at == 0 || bytes <= list.first_bytes()) {
                self.first.piece(&item);
                shown += 1;
                continue;
            }
            self.put_behind(list, &item, open);
            if let Some(finding) = finding {
                self.pages.insert(finding, self.behind.len());
            }
        }
        self.first.put("</ul>");
        if shown < count {
            let from = self.file_of(1);
            self.first.put("<p>").count(count - shown).put(" more stand on <a href=\"").text(&from);
            self.first.put("\">the pages behind this one</a>.</p>");
        }
        self.first.put("</section>");
    }

    fn put_behind(&mut self, list: List, item: &Html, open: &mut Option<List>) {
        if self.behind.last().is_none_or(|page| page.len() > BEHIND_BYTES) {
            if open.take().is_some() {
                self.last().put("</ul></section>");
            }
            self.behind.push(Html::default());
        }
        if *open != Some(list) {
            if open.is_some() {
                self.last().put("</ul></section>");
            }
            list.begin(self.last());
            *open = Some(list);
        }
        self.last().piece(item);
    }

    fn last(&mut self) -> &mut Html {
        if self.behind.is_empty() {
            self.behind.push(Html::default());
        }
        let last = self.behind.len() - 1;
        &mut self.behind[last]
    }

    fn file_of(&self, number: usize) -> String {
        links::duel_page(&self.duel, number)
    }

    /// Where a finding stands, seen from the duel's page.
    pub(super) fn address(&self, finding: &RecordId) -> String {
        match self.pages.get(finding) {
            Some(&number) => format!("{}#f{}", self.file_of(number), finding.short()),
            None => format!("#f{}", finding.short()),
        }
    }

    /// The pages behind the first, each with its file.
    pub(super) fn behind(&self, site: &Site, title: &str) -> Vec<(String, String)> {
        let one = |(at, piece): (usize, &Html)| {
            let mut body = Html::default();
            body.put("<p class=\"path\"><a href=\"../index.html\">Overview</a> / <a href=\"../runs.html\">Runs and duels</a> / ");
            body.put("<a href=\"").text(&self.file_of(0)).put("\">The duel</a></p><h1>").text(title).put("</h1>");
            self.turn_pages(&mut body, at + 1);
            body.piece(piece);
            self.turn_pages(&mut body, at + 1);
            (self.file_of(at + 1), page(site, &format!("{title}, page {}", at + 2), Depth::Folder, &body))
        };
        self.behind.iter().enumerate().map(one).collect()
    }

    fn turn_pages(&self, body: &mut Html, here: usize) {
        body.put("<nav class=\"pages\">Page");
        for number in 0..=self.behind.len() {
            body.put(" ");
            if number == here {
                body.put("<b>").count(number + 1).put("</b>");
            } else {
                body.put("<a href=\"").text(&self.file_of(number)).put("\">").count(number + 1).put("</a>");
            }
        }
        body.put("</nav>");
    }
}

/// The items of a list, in order; those of findings with their addresses.
fn items(report: &Report, list: List) -> Vec<(Option<RecordId>, Html)> {
    let text = |text: &str| {
        let mut item = Html::default();
        item.put("\n<li>").text(text);
        (None, item)
    };
    match list {
        List::Findings => report
            .findings
            .iter()
            .map(|finding| {
                let (address, mut item) = (finding.address(&report.duel), Html::default());
                item.put("\n<li id=\"f").text(address.short()).put("\">");
                one(&mut item, report, finding);
                (Some(address), item)
            })
            .collect(),
        List::Accepted => report.accepted.iter().map(|accepted| text(&gate::accepted(accepted))).collect(),
        List::Remarks => {
            let new = gate::new_on_head(report).map(|new| format!("New on head: {new}"));
            report.remarks.iter().cloned().chain(new).chain(gate::lone(report)).map(|said| text(&said)).collect()
        }
    }
}

fn one(body: &mut Html, report: &Report, finding: &Finding) {
    match finding {
        Finding::Regressed { benchmark, metric, effect } => {
            body.put("<b class=\"worse\">").text(&percent(*effect)).put("</b> ").text(metric).put(" of <b>");
            body.text(benchmark.as_str()).put("</b>");
        }
        Finding::Common { metric, effect, benchmarks } => {
            body.put("<b class=\"worse\">").text(&percent(*effect)).put("</b> ").text(metric).put(" of ");
            body.count(benchmarks.len()).put(" benchmarks together: one cause, most likely");
        }
        Finding::Missing { benchmark } => {
            body.put("<b class=\"worse\">missing</b> <b>")
                .text(benchmark.as_str())
                .put("</b>: base has it, head has not");
        }
        Finding::MissingMetric { metric, benchmarks } => {
            body.put("<b class=\"worse\">missing</b> ").text(metric).put(" of <b>");
            body.text(&gate::few(benchmarks)).put("</b>: base has it, head has not");
        }
        Finding::Failed { benchmark, on_head, trouble: Trouble { reason, stderr_tail, .. } } => {
            body.put("<b class=\"worse\">failed on ").put(if *on_head { "head" } else { "base" }).put("</b> <b>");
            body.text(benchmark.as_str()).put("</b>: ").text(reason);
            body.tail(stderr_tail, TAIL_LINES);
        }
    }
    body.put(" <small>finding <code>").text(finding.address(&report.duel).short()).put("</code></small>");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Accepted, BenchmarkName, Effect, Whole};
    use crate::show::gate::tests::report;

    fn many(count: usize) -> Report {
        let name = |at: usize| BenchmarkName::new(format!("group/of/benchmarks/with/long/names/{at}")).unwrap();
        let tail = "a line of what it said, <not> a short one\n".repeat(30);
        let failed = |at| {
            let trouble = Trouble { reason: "died".to_owned(), ended: None, stderr_tail: tail.clone() };
            Finding::Failed { benchmark: name(at), on_head: true, trouble }
        };
        let regressed = |at: usize| Finding::Regressed {
            benchmark: name(at),
            metric: "time".to_owned(),
            effect: Effect::from(1.0 / (at + 1) as f64),
        };
        let accepted = |at| Accepted {
            benchmark: name(at),
            metric: None,
            effect: None,
            allowed: None,
            reason: "split in two".to_owned(),
        };
        let findings = (0..count / 10).map(failed).chain((count / 10..count).map(regressed)).collect();
        Report {
            accepted: (0..count).map(accepted).collect(),
            remarks: (0..count).map(|at| format!("remark {at}")).collect(),
            ..report(Whole::Red, vec![], findings)
        }
    }

    fn site() -> Site {
        Site { name: "p".to_owned(), version: "1".to_owned() }
    }

    #[test]
    fn however_much_there_is_every_page_is_bounded_and_nothing_is_lost() {
        let parts = Parts::of(&many(10_000));
        let behind = parts.behind(&site(), "red");
        assert!(parts.first.len() < 110_000, "{}", parts.first.len());
        assert!(behind.len() > 5 && behind.iter().all(|(_, page)| page.len() < 300_000), "{}", behind.len());
        let all: String = behind.iter().map(|(_, page)| page.as_str()).collect();
        let whole = format!("{}{all}", parts.first.finish());
        assert_eq!(whole.matches("<li id=\"f").count(), 10_000);
        assert_eq!(whole.matches(": split in two").count(), 10_000);
        assert_eq!(whole.matches("<li>remark ").count(), 10_000);
        assert_eq!(whole.matches("<ul").count(), whole.matches("</ul>").count());
        assert_eq!(whole.matches("<section>").count(), whole.matches("</section>").count());
    }

    #[test]
    fn each_finding_is_where_its_address_says_and_the_first_on_the_first_page() {
        let report = many(900);
        let parts = Parts::of(&report);
        let pages: HashMap<String, String> = parts.behind(&site(), "red").into_iter().collect();
        for (at, finding) in report.findings.iter().enumerate() {
            let address = parts.address(&finding.address(&report.duel));
            let (file, id) = address.split_once('#').unwrap();
            assert!(at > 0 || file.is_empty());
            let page = pages.get(file).map_or(parts.first.as_str(), String::as_str);
            assert!(page.contains(&format!("id=\"{id}\"")), "{address}");
        }
    }

    #[test]
    fn what_fits_has_no_page_behind_it() {
        let parts = Parts::of(&many(5));
        assert!(parts.behind(&site(), "red").is_empty() && !parts.first.as_str().contains("behind"));
    }
}
