//! Gungraun's (iai-callgrind's) console output: a line `module::path id:arguments`, below it the figures, indented, as
//! `Instructions:  1234|1300  (-5.07692%) [-1.05x]`. The figure before the bar is this run's.

use super::error::{Flaw, excerpt};
use super::format::{Carries, Directions, Format, Held, Takes};
use super::gungraun_events::{event_metric, is_title};
use super::parsed::Parsed;
use super::sheet::Sheet;
use super::text::without_escapes;
use super::units::number;
use crate::domain::BenchmarkName;

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "gungraun-text",
    title: "Gungraun or iai-callgrind (Rust), its console output",
    made_by: "cargo bench",
    carries: Carries {
        samples: Held::Never,
        lives: false,
        direction: Directions::Known,
        failures: false,
        history: false,
    },
    takes: Takes::File(read),
    lossy: true,
    recognises: |sniff| {
        let mut named = false;
        sniff.text.lines().map(without_escapes).any(|line| {
            named |= name(&line).is_some();
            named && figure(&line).is_some_and(|(title, _)| is_title(title))
        })
    },
};

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut before: Option<String> = None;
    let mut current: Option<BenchmarkName> = None;
    let mut tool = String::new();
    for (index, line) in text.lines().enumerate() {
        let line = without_escapes(line);
        let on_line = |flaw: Flaw| flaw.on_line(index + 1);
        if is_tool(&line) {
            tool = line.chars().filter(char::is_ascii_alphanumeric).collect();
        }
        if let Some((title, figures)) = figure(&line) {
            // A line is a benchmark's only if figures stand below it.
            if let Some(name) = before.take() {
                current = Some(sheet.fresh_name(&name).map_err(on_line)?);
            }
            let Some(name) = &current else { continue };
            let this = figures.split('|').next().unwrap_or("").trim();
            // Where this run has no figure, only an older one stands there.
            if this != "N/A" {
                let expected = || format!("expected `{title}:  1234|1300 …`, found `{}`", excerpt(figures.trim()));
                let value = number(this).ok_or_else(|| on_line(Flaw::new(expected())))?;
                sheet.value(name, event_metric(&tool, title), value).map_err(on_line)?;
            }
        } else if let Some(name) = name(&line) {
            (before, current) = (Some(name), None);
            tool.clear();
        } else if !line.starts_with([' ', '\t']) {
            // An argument that is printed over several lines stands between the name and its figures.
            current = None;
        }
    }
    Ok(sheet.finish())
}

/// `module::path id:arguments` as the summary names it: the path and the id.
fn name(line: &str) -> Option<String> {
    if line.starts_with([' ', '\t']) {
        return None;
    }
    let (path, rest) = line.split_once(' ').unwrap_or((line, ""));
    let is_path = path.contains("::")
        && path.split("::").all(|part| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_'));
    let id = rest.split(':').next().unwrap_or("").trim();
    is_path.then(|| if id.is_empty() { path.to_owned() } else { format!("{path} {id}") })
}

/// `======= DHAT =======` parts the figures of several tools.
fn is_tool(line: &str) -> bool {
    line.starts_with("  =======")
}

/// The title and the figures of an indented line of figures.
fn figure(line: &str) -> Option<(&str, &str)> {
    let (title, figures) = line.strip_prefix("  ")?.split_once(':')?;
    let is_figures = figures.contains('|') && !title.trim().is_empty() && !title.starts_with("Command");
    is_figures.then_some((title.trim(), figures))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::{Direction, Outcome};

    #[test]
    fn the_figure_before_the_bar_is_this_run() {
        let text = "running 0 tests\n\nb::g::f short:vec![1, 2]\n\
            \x20 Instructions:                 1,734|1800                 (-3.66667%) [-1.03806x]\n\
            \x20 L1 Hit Rate:                99.5|N/A             (*********)\n\
            \x20 Dr:                      N/A|5             (*********)\n\
            \u{1b}[32mb::g::g\u{1b}[0m\n  \u{1b}[1mInstructions\u{1b}[0m:  \u{1b}[1m5\u{1b}[0m|0     (+++inf+++) [+++inf+++]\n\
            Gungraun result: Ok. 2 without regressions\n";
        let parsed = parse(None, text.as_bytes()).unwrap();
        let outcomes = &parsed.sets[0].outcomes;
        let Outcome::Measured(f) = &outcomes["b::g::f short"] else { panic!("measured") };
        let found: Vec<_> = f
            .readings
            .iter()
            .map(|reading| (reading.metric.name.as_str(), reading.metric.better, reading.lives[0].values()[0]))
            .collect();
        assert_eq!(found, [("instructions", Direction::Lower, 1734.0), ("l1_hit_rate", Direction::Higher, 99.5)]);
        let Outcome::Measured(g) = &outcomes["b::g::g"] else { panic!("measured") };
        assert_eq!(g.readings[0].lives[0].values(), [5.0]);
    }

    #[test]
    fn an_argument_over_several_lines_stands_between_a_name_and_its_figures() {
        let text = "b::g::f id:string with two\nlines\n  Instructions:  1|N/A  (*********)\nb::g::f other:x\n\
            \x20 Instructions:  2|N/A  (*********)\nthe end\n  Instructions:  3|N/A  (*********)\n";
        let parsed = parse(None, text.as_bytes()).unwrap();
        let values: Vec<_> = parsed.sets[0]
            .outcomes
            .iter()
            .map(|(name, outcome)| {
                let Outcome::Measured(measured) = outcome else { panic!("measured") };
                (name.as_str(), measured.readings[0].lives[0].values()[0])
            })
            .collect();
        assert_eq!(values, [("b::g::f id", 1.0), ("b::g::f other", 2.0)]);
    }
}
