//! Catch2's console output: under a test case a table, three lines a benchmark; the mean is the first figure of the
//! second line.
//!
//! ```text
//! Fibonacci 10                                              100           208     7.1968 ms
//!                                                        344 ns        341 ns        349 ns
//!                                                         19 ns         11 ns         29 ns
//! ```

use super::error::Flaw;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::parsed::Parsed;
use super::sheet::Sheet;
use super::text::without_escapes;
use super::units::{nanoseconds_per, number};
use crate::domain::Metric;

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "catch2-text",
    title: "Catch2 (C++), its console output",
    made_by: "./tests [benchmark]",
    carries: Carries {
        samples: Held::Never,
        lives: false,
        direction: Directions::Known,
        failures: true,
        history: false,
    },
    takes: Takes::File(read),
    lossy: true,
    recognises: |sniff| {
        let mut lines = sniff.text.lines();
        lines.any(|line| line.starts_with("benchmark name ") && line.contains("samples"))
    },
};

/// A line of a table is this many dashes.
fn is_rule(line: &str, of: char) -> bool {
    line.len() > 20 && line.chars().all(|c| c == of)
}

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut page = Page::default();
    for (index, line) in text.lines().enumerate() {
        let line = without_escapes(line);
        page.line(line.trim_end(), index).map_err(|flaw| flaw.on_line(index + 1))?;
    }
    page.close(text.lines().count())?;
    Ok(page.sheet.finish())
}

/// The output as it is read.
#[derive(Default)]
struct Page {
    sheet: Sheet,
    /// The test case, and below it the sections.
    heading: Vec<String>,
    part: Part,
    row: Row,
}

/// The part of the output under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Part {
    #[default]
    Outside,
    /// The names of a test case and its sections, between two rules.
    Heading,
    /// The names of the columns, above a rule.
    Columns,
    /// The rows of a table.
    Table,
}

/// The row of the table that comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Row {
    /// A name with counts, after the start of one that was wrapped.
    Name(String),
    /// The means of this benchmark.
    Mean(String),
    /// The deviations, which are not kept.
    Deviation,
}

impl Default for Row {
    fn default() -> Row {
        Row::Name(String::new())
    }
}

impl Page {
    fn line(&mut self, line: &str, index: usize) -> Result<(), Flaw> {
        if is_rule(line, '-') {
            self.rule();
        } else if is_rule(line, '=') {
            self.close(index)?;
            self.part = Part::Outside;
        } else if is_rule(line, '.') {
            self.part = Part::Outside;
        } else if line.starts_with("benchmark name ") {
            self.part = Part::Columns;
        } else if self.part == Part::Heading && !line.is_empty() {
            // The last line before the dots is the place in the source: `file.cpp:5`, or `file.cpp(5)` on Windows.
            if !is_place(line) {
                self.heading.push(line.trim().to_owned());
            }
        } else if self.part == Part::Table && !line.trim().is_empty() {
            return self.row(line);
        }
        Ok(())
    }

    fn rule(&mut self) {
        self.part = match self.part {
            Part::Columns => Part::Table,
            // The rule below the names of a test case and its sections; the place follows.
            Part::Heading if !self.heading.is_empty() => Part::Outside,
            _ => {
                self.heading.clear();
                Part::Heading
            }
        };
    }

    fn row(&mut self, line: &str) -> Result<(), Flaw> {
        self.row = match std::mem::take(&mut self.row) {
            Row::Deviation => Row::default(),
            Row::Mean(name) => self.mean(&name, line)?,
            Row::Name(begun) => match first_line(line) {
                Some(name) => Row::Mean(format!("{begun}{name}").trim().to_owned()),
                // A long name is wrapped before the figures.
                None => Row::Name(format!("{begun}{} ", line.trim())),
            },
        };
        Ok(())
    }

    fn mean(&mut self, name: &str, line: &str) -> Result<Row, Flaw> {
        let full = self.heading.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("/");
        let full = self.sheet.fresh_name(&full)?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let ([mean, unit, _, _, _, _] | [mean, unit]) = words[..] else {
            // Catch2 prints the exception in the place of the figures.
            self.sheet.fail(&full, line.trim(), None);
            return Ok(Row::default());
        };
        let expected = || Flaw::new(format!("expected a mean such as `41.731 us`, found `{mean} {unit}`"));
        let value = number(mean).ok_or_else(expected)?;
        let factor = nanoseconds_per(unit).ok_or_else(expected)?;
        self.sheet.source_unit(&full, "time", unit);
        self.sheet.value(&full, Metric::time(), value * factor)?;
        Ok(Row::Deviation)
    }

    /// The output ends: a benchmark that was announced and has no figures did not survive.
    fn close(&mut self, line: usize) -> Result<(), Flaw> {
        let Row::Mean(name) = std::mem::take(&mut self.row) else { return Ok(()) };
        let full = self.heading.iter().map(String::as_str).chain([name.as_str()]).collect::<Vec<_>>().join("/");
        let full = self.sheet.fresh_name(&full).map_err(|flaw| flaw.on_line(line))?;
        self.sheet.fail(&full, "the output ends while it runs", None);
        Ok(())
    }
}

/// The name in a benchmark's first line, which ends with samples, iterations and the estimated time.
fn first_line(line: &str) -> Option<&str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [.., samples, iterations, estimate, unit] = words[..] else { return None };
    let counts = samples.parse::<u64>().is_ok() && iterations.parse::<u64>().is_ok();
    if !counts || number(estimate).is_none() || nanoseconds_per(unit).is_none() {
        return None;
    }
    // The figures are cut off from the right, word by word, since the name may hold figures and spaces.
    let mut rest = line.trim_end();
    for word in [unit, estimate, iterations, samples] {
        rest = rest.strip_suffix(word)?.trim_end();
    }
    Some(rest.trim())
}

fn is_place(line: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unix = line.rsplit_once(':').is_some_and(|(_, number)| digits(number));
    let windows =
        line.strip_suffix(')').and_then(|line| line.rsplit_once('(')).is_some_and(|(_, number)| digits(number));
    unix || windows
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::Outcome;

    const SAMPLE: &str = "\
-------------------------------------------------------------------------------
Case
  Section
-------------------------------------------------------------------------------
/x/y.cpp:13
...............................................................................

benchmark name                       samples       iterations    est run time
                                     mean          low mean      high mean
                                     std dev       low std dev   high std dev
-------------------------------------------------------------------------------
Fib 10                                         100          1961     7.0596 ms
                                             36 ns         35 ns         37 ns
                                              4 ns          3 ns          6 ns

A name that is so very long that
it is wrapped                                  100             2       7.48 ms
                                          3.789 us      3.734 us      3.888 us
                                            362 ns        234 ns        539 ns

cut off                                        100             2       7.48 ms
";

    #[test]
    fn means_are_read_under_their_test_case_and_what_broke_off_failed() {
        let parsed = parse(None, SAMPLE.as_bytes()).unwrap();
        let outcomes = &parsed.sets[0].outcomes;
        for (name, value) in
            [("Case/Section/Fib 10", 36.0), ("Case/Section/A name that is so very long that it is wrapped", 3789.0)]
        {
            let Some(Outcome::Measured(measured)) = outcomes.get(name) else {
                panic!("{name} in {:?}", outcomes.keys())
            };
            assert_eq!(measured.readings[0].lives[0].values(), [value]);
        }
        assert!(matches!(&outcomes["Case/Section/cut off"], Outcome::Failed(_)));
        assert_eq!(outcomes.len(), 3);
    }
}
