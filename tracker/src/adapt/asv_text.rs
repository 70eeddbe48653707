//! asv's console output: `[ 35.00%] ··· name   11.1±0.01μs`, under headings for the commit and the environment. Tables
//! of parameters follow a line that ends with `ok`.

use super::asv_lines::{Table, plain, value};
use super::error::Flaw;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::parsed::Parsed;
use super::sheet::{Sheet, metric};
use super::text::without_escapes;
use crate::domain::{Direction, Kind, Metric};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "asv-text",
    title: "airspeed velocity (Python), its console output",
    made_by: "asv run",
    carries: Carries {
        samples: Held::Never,
        lives: false,
        direction: Directions::Partly,
        failures: true,
        history: true,
    },
    takes: Takes::File(read),
    lossy: true,
    recognises: |sniff| {
        sniff.text.lines().any(|line| {
            let line = without_escapes(line);
            plain(&line).is_some_and(|(dots, rest)| dots == 3 && result(rest).is_some())
        })
    },
};

/// A name and what is said of it, if this is a line of results.
fn result(line: &str) -> Option<(&str, &str)> {
    let (name, said) = line.split_once(char::is_whitespace)?;
    let said = said.trim();
    let is_name = name.contains('.') && !name.ends_with('.') && !name.starts_with('(');
    let is_said = matches!(said, "failed" | "ok" | "n/a") || value(said).is_some() || said.ends_with("failed");
    (is_name && is_said).then_some((name, said))
}

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut page = Page::default();
    for (index, line) in text.lines().enumerate() {
        page.line(&without_escapes(line)).map_err(|flaw| flaw.on_line(index + 1))?;
    }
    page.close_table()?;
    page.close_set();
    Ok(page.parsed)
}

/// The output as it is read.
#[derive(Default)]
struct Page {
    parsed: Parsed,
    sheet: Sheet,
    has_results: bool,
    commit: Option<String>,
    environment: Option<String>,
    /// The benchmark whose table of parameters is under way.
    table: Option<(String, Table)>,
}

impl Page {
    fn line(&mut self, line: &str) -> Result<(), Flaw> {
        let (dots, rest) = plain(line).unwrap_or((0, line.trim()));
        if let Some(after) = rest.strip_prefix("For project commit ") {
            self.close_table()?;
            self.close_set();
            self.commit = after.split_whitespace().next().map(|hash| hash.trim_end_matches(':').to_owned());
        } else if let Some(environment) = rest.strip_prefix("Benchmarking ") {
            self.close_table()?;
            self.close_set();
            self.environment = Some(environment.trim().to_owned());
        } else if let (3, Some((name, said))) = (dots, result(rest)) {
            self.close_table()?;
            if said == "ok" || said.ends_with("failed") && said != "failed" {
                self.table = Some((name.to_owned(), Table::default()));
            } else {
                self.one(name, "", said)?;
            }
        } else if let Some((_, table)) = &mut self.table {
            table.line(rest);
        }
        Ok(())
    }

    fn one(&mut self, name: &str, parameters: &str, said: &str) -> Result<(), Flaw> {
        self.has_results = true;
        let full = self.sheet.fresh_name(&format!("{name}{parameters}"))?;
        let Some((number, unit)) = value(said) else {
            self.sheet.fail(&full, said, None);
            return Ok(());
        };
        let last = name.rsplit('.').next().unwrap_or(name).to_lowercase();
        let is_memory = last.starts_with("mem") || last.starts_with("peakmem");
        let (metric, factor) = match unit.nanoseconds() {
            Some(factor) if !last.starts_with("track") => (Metric::time(), factor),
            _ if is_memory => (metric("memory", "B", Direction::Lower, Kind::Noisy), unit.factor()),
            _ => (metric("value", "", Direction::Unknown, Kind::Noisy), unit.factor()),
        };
        if metric == Metric::time() {
            self.sheet.source_unit(&full, "time", unit.as_str());
        }
        self.sheet.value(&full, metric, number * factor)
    }

    fn close_table(&mut self) -> Result<(), Flaw> {
        let Some((name, table)) = self.table.take() else { return Ok(()) };
        let rows = table.rows();
        if rows.is_empty() {
            self.sheet.remark(format!("{name:?} has a table of parameters that was not understood; it is left out"));
        }
        for (parameters, said) in rows {
            self.one(&name, &format!("({parameters})"), &said)?;
        }
        Ok(())
    }

    fn close_set(&mut self) {
        let mut sheet = std::mem::take(&mut self.sheet);
        if std::mem::take(&mut self.has_results) {
            sheet.origin.commit.clone_from(&self.commit);
            sheet.origin.suite.clone_from(&self.environment);
            sheet.finish_into(&mut self.parsed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::Outcome;

    const SAMPLE: &str = "· Running 10 total benchmarks\n[  0.00%] · For project commit 4238c44d <master>:\n\
        [  0.00%] ·· Benchmarking py2\n[ 10.00%] ··· Running (b.T.time_a--)....\n\
        [ 30.00%] ··· b.M.mem_list                                 2.5k\n\
        [ 35.00%] ··· b.T.time_a                     11.5±0.01μs\n[ 40.00%] ··· b.T.time_f         failed\n\
        [ 45.00%] ··· b.T.time_p         ok\n[ 45.00%] ··· ===== ==========\n                n            \n\
        \x20             ----- ----------\n               10   1.5±0ms   \n               20    failed   \n\
        \x20             ===== ==========\n\
        [ 50.00%] ·· Benchmarking py3\n[ 60.00%] ··· b.T.time_a                     9.5s\n";

    #[test]
    fn environments_are_sets_and_tables_are_benchmarks_with_parameters() {
        let parsed = parse(None, SAMPLE.as_bytes()).unwrap();
        let [first, second] = &parsed.sets[..] else { panic!("two sets: {parsed:?}") };
        assert_eq!(first.origin.commit.as_deref(), Some("4238c44d"));
        assert_eq!((first.origin.suite.as_deref(), second.origin.suite.as_deref()), (Some("py2"), Some("py3")));
        for (name, metric, value) in
            [("b.M.mem_list", "memory", 2500.0), ("b.T.time_a", "time", 11500.0), ("b.T.time_p(10)", "time", 1.5e6)]
        {
            let Some(Outcome::Measured(measured)) = first.outcomes.get(name) else { panic!("{name}: {first:?}") };
            assert_eq!(measured.readings[0].metric.name, metric);
            assert_eq!(measured.readings[0].lives[0].values(), [value]);
        }
        for name in ["b.T.time_f", "b.T.time_p(20)"] {
            assert!(matches!(&first.outcomes[name], Outcome::Failed(_)), "{name}");
        }
        let Outcome::Measured(third) = &second.outcomes["b.T.time_a"] else { panic!("measured") };
        assert_eq!(third.readings[0].lives[0].values(), [9.5e9]);
    }
}
