//! github-action-benchmark's `data.js`: the whole history that its page shows, suites by name, then commit by commit.
//!
//! The script is one assignment; what follows the `=` is read as JSON and never run.

use super::error::Flaw;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::gab;
use super::json::{Next, Reader};
use super::limits;
use super::parsed::{Origin, Parsed};
use super::sheet::Sheet;
use super::units::{nanoseconds_per, rate_or_unknown, seconds_since_1970};
use crate::domain::Direction;

const PREFIX: &str = "window.BENCHMARK_DATA";

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "gab-history",
    title: "github-action-benchmark's data.js",
    made_by: "git show gh-pages:dev/bench/data.js",
    carries: Carries {
        samples: Held::Never,
        lives: false,
        direction: Directions::Known,
        failures: false,
        history: true,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises: |sniff| sniff.text.trim_start().starts_with(PREFIX) || sniff.has("lastUpdate") && sniff.has("entries"),
};

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut start = text.len() - text.trim_start().len();
    if let Some(rest) = text[start..].strip_prefix(PREFIX) {
        let Some(value) = rest.trim_start().strip_prefix('=') else {
            return Err(Flaw::new(format!("expected `{PREFIX} =`")).at(start));
        };
        start = text.len() - value.len();
    }
    // The assignment may end as a statement does.
    let end = text.trim_end().trim_end_matches(';').len().max(start);
    let mut parsed = Parsed::default();
    let mut reader = Reader::new(&text[start..end]);
    let whole = reader.map(|key, reader| match key {
        "entries" => reader.map(|suite, reader| reader.list(|_, reader| entry(reader, suite, &mut parsed))),
        _ => reader.skip(),
    });
    whole.and_then(|()| reader.finish()).map_err(|flaw| flaw.moved(start))?;
    Ok(parsed)
}

fn entry(reader: &mut Reader<'_>, suite: &str, parsed: &mut Parsed) -> Result<(), Flaw> {
    if parsed.sets.len() >= limits::SETS {
        return Err(Flaw::new(format!("more than {} commits", limits::SETS)));
    }
    let mut sheet = Sheet::default();
    let (mut date_ms, mut committed) = (None, None);
    let (mut tool, mut benches) = (None, None);
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("commit", Next::Map) => committed = commit(reader, &mut sheet.origin)?,
            ("date", Next::Number) => date_ms = Some(reader.number()?),
            ("tool", Next::Text) => tool = Some(reader.text()?),
            // The tool, which decides the direction, mostly stands before; where it does not, come back.
            ("benches", Next::List) => benches = Some(reader.raw_reader()?),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let tool = tool.ok_or_else(|| Flaw::new("expected the key \"tool\""))?;
    let by_tool = direction(&tool)?;
    let mut benches = benches.ok_or_else(|| Flaw::new("expected the key \"benches\""))?;
    benches.list(|_, reader| gab::bench(reader, &mut sheet, |unit| of_unit(unit, &tool, by_tool)))?;
    #[expect(clippy::cast_possible_truncation, reason = "a moment beyond i64 seconds is clamped")]
    let measured = date_ms.map(|ms: f64| (ms / 1000.0) as i64);
    sheet.origin.at_s = measured.or(committed);
    sheet.origin.suite = Some(suite.to_owned());
    sheet.notes.insert("tool".to_owned(), tool.into_owned());
    sheet.finish_into(parsed);
    Ok(())
}

fn commit(reader: &mut Reader<'_>, origin: &mut Origin) -> Result<Option<i64>, Flaw> {
    let mut committed = None;
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("id", Next::Text) => origin.commit = Some(reader.text()?.into_owned()),
            ("message", Next::Text) => origin.subject = reader.text()?.lines().next().map(str::to_owned),
            ("timestamp", Next::Text) => committed = seconds_since_1970(&reader.text()?),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(committed)
}

/// The direction that github-action-benchmark itself takes for a tool.
fn direction(tool: &str) -> Result<Direction, Flaw> {
    match tool {
        "benchmarkjs" | "benchmarkluau" | "pytest" | "customBiggerIsBetter" => Ok(Direction::Higher),
        "cargo" | "go" | "googlecpp" | "catch2" | "julia" | "jmh" | "benchmarkdotnet" | "customSmallerIsBetter" => {
            Ok(Direction::Lower)
        }
        other => Err(Flaw::new(format!("the tool {other:?} is not known, nor which way its values should go"))),
    }
}

/// Some tools report rates and times side by side, and there the unit knows better than the tool; for a custom one the
/// user has said it.
fn of_unit(unit: &str, tool: &str, by_tool: Direction) -> Direction {
    if tool.starts_with("custom") {
        return by_tool;
    }
    let plain = ["/iter", "/op"].iter().find_map(|end| unit.strip_suffix(end)).unwrap_or(unit);
    match rate_or_unknown(unit) {
        Direction::Higher => Direction::Higher,
        _ if unit.starts_with("ops/") || unit == "iter/sec" => Direction::Higher,
        _ if nanoseconds_per(plain).is_some() => Direction::Lower,
        _ => by_tool,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::{Direction, Outcome};

    fn history(benches: &str, tool: &str) -> String {
        format!(
            "window.BENCHMARK_DATA = {{\"lastUpdate\":1,\"entries\":{{\"S\":[{{\"commit\":{{\"id\":\"c1\",\"message\":\"first\\nmore\",\
             \"timestamp\":\"1970-01-01T00:00:09Z\"}},\"date\":5000,\"tool\":\"{tool}\",\"benches\":[{benches}]}},\
             {{\"commit\":{{\"id\":\"c2\",\"timestamp\":\"1970-01-01T00:00:09Z\"}},\"benches\":[],\"tool\":\"go\"}}]}}}};\n"
        )
    }

    #[test]
    fn every_commit_is_a_set_with_its_date() {
        let text = history("{\"name\":\"a\",\"unit\":\"us/iter\",\"value\":2,\"range\":\"\u{b1} 1\"}", "cargo");
        let parsed = parse(None, text.as_bytes()).unwrap();
        let [first, second] = &parsed.sets[..] else { panic!("two sets") };
        let origin = &first.origin;
        assert_eq!(
            (origin.commit.as_deref(), origin.at_s, origin.subject.as_deref()),
            (Some("c1"), Some(5), Some("first"))
        );
        assert_eq!(origin.suite.as_deref(), Some("S"));
        assert_eq!(second.origin.at_s, Some(9));
        let Outcome::Measured(a) = &first.outcomes["a"] else { panic!("measured") };
        assert_eq!(a.readings[0].lives[0].values(), [2000.0]);
    }

    #[test]
    fn the_unit_knows_better_than_the_tool_unless_the_user_spoke() {
        for (unit, tool, better) in [
            ("MB/s", "go", Direction::Higher),
            ("ops/ms", "jmh", Direction::Higher),
            ("iter/sec", "pytest", Direction::Higher),
            ("ns/op", "go", Direction::Lower),
            ("MB/s", "customSmallerIsBetter", Direction::Lower),
            ("points", "customBiggerIsBetter", Direction::Higher),
        ] {
            let text = history(&format!("{{\"name\":\"a\",\"unit\":\"{unit}\",\"value\":2}}"), tool);
            let parsed = parse(None, text.as_bytes()).unwrap();
            let Outcome::Measured(a) = &parsed.sets[0].outcomes["a"] else { panic!("measured") };
            assert_eq!(a.readings[0].metric.better, better, "{unit} by {tool}");
        }
        let error = parse(None, history("", "abacus").as_bytes()).unwrap_err().to_string();
        assert!(error.contains("\"abacus\" is not known") && error.contains("entries.S[0]"), "{error}");
    }
}
