//! Gungraun (once iai-callgrind): the summary as JSON, one object a benchmark, mixed into other output or alone.
//!
//! The figure of this run is `Left`, or the left of `Both`; the right is an older run's.

use super::error::Flaw;
use super::fields::numbers_only;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::gungraun_events::event_metric;
use super::json::{Next, Reader};
use super::parsed::Parsed;
use super::sheet::Sheet;
use super::text::json_lines;

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "gungraun",
    title: "Gungraun or iai-callgrind (Rust), its summary",
    made_by: "cargo bench -- --output-format=json",
    carries: Carries {
        samples: Held::Never,
        lives: false,
        direction: Directions::Known,
        failures: false,
        history: false,
    },
    takes: Takes::File(read),
    lossy: true,
    recognises: |sniff| is_summary(|key| sniff.has(key)) || is_summary(|key| is_printed(sniff.text, key)),
};

fn is_summary(has: impl Fn(&str) -> bool) -> bool {
    has("module_path") && (has("profiles") || has("callgrind_summary"))
}

/// Whether the key stands in an object among console output, where other tools' objects may come first. Summaries are
/// printed on one line or with a key on each.
fn is_printed(text: &str, key: &str) -> bool {
    let quoted = format!("\"{key}\":");
    let holds = |line: &str| line.starts_with(&quoted) || (line.starts_with("{\"") && line.contains(&quoted));
    text.lines().any(|line| holds(line.trim_start()))
}

/// The figures of one tool: the tool, and its events.
type Figures = Vec<(String, Vec<(String, f64)>)>;

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let cut_off = json_lines(text, |reader| summary(reader, &mut sheet))?;
    sheet.cut_off("summary", cut_off);
    Ok(sheet.finish())
}

fn summary(reader: &mut Reader<'_>, sheet: &mut Sheet) -> Result<(), Flaw> {
    let (mut module, mut id) = (None, None);
    let mut figures = Figures::new();
    reader.map(|key, reader| {
        match key {
            "module_path" => module = Some(reader.text()?.into_owned()),
            "id" => id = reader.optional(Reader::text)?,
            "profiles" if reader.next() == Next::List => reader.list(|_, reader| below(reader, &mut figures))?,
            "callgrind_summary" if reader.next() == Next::Map => below(reader, &mut figures)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let Some(module) = module else { return Ok(()) };
    let name = sheet.fresh_name(&id.map_or_else(|| module.clone(), |id| format!("{module} {id}")))?;
    for (tool, events) in figures {
        for (event, value) in events {
            sheet.value(&name, event_metric(&tool, &event), value)?;
        }
    }
    Ok(())
}

/// Looks for the summary of the whole below a tool's profile. `total` sums the parts; where it is empty (or of an older
/// schema) the parts are taken, if there is one.
fn below(reader: &mut Reader<'_>, figures: &mut Figures) -> Result<(), Flaw> {
    let mut found = Profile::default();
    profile(reader, &mut found)?;
    let mut of_tool = if found.total.is_empty() { found.parts } else { found.total };
    for (tool, _) in of_tool.iter_mut().filter(|(tool, _)| tool.is_empty()) {
        tool.clone_from(&found.tool);
    }
    figures.append(&mut of_tool);
    Ok(())
}

/// What a tool says. From the seventh schema on its name does not stand beside its events.
#[derive(Default)]
struct Profile {
    tool: String,
    total: Figures,
    parts: Figures,
}

fn profile(reader: &mut Reader<'_>, found: &mut Profile) -> Result<(), Flaw> {
    reader.map(|key, reader| match (key, reader.next()) {
        ("summaries" | "callgrind_run" | "data", Next::Map) => profile(reader, found),
        ("total", Next::Map) => part(reader, &mut found.total),
        ("parts" | "segments", Next::List) => reader.list(|_, reader| {
            // Figures of several parts cannot be told from one another by event: the sum in `total` stands for them.
            found.parts.clear();
            part(reader, &mut found.parts)
        }),
        ("tool", Next::Text) => {
            found.tool = reader.text()?.into_owned();
            Ok(())
        }
        _ => reader.skip(),
    })
}

fn part(reader: &mut Reader<'_>, figures: &mut Figures) -> Result<(), Flaw> {
    reader.map(|key, reader| match (key, reader.next()) {
        ("metrics_summary" | "summary", Next::Map) => tools(reader, figures),
        ("events", Next::Map) => {
            figures.push(("Callgrind".to_owned(), events(reader)?));
            Ok(())
        }
        ("metrics", Next::Map) => {
            let events = events(reader)?;
            if !events.is_empty() {
                figures.push((String::new(), events));
            }
            Ok(())
        }
        _ => reader.skip(),
    })
}

fn tools(reader: &mut Reader<'_>, figures: &mut Figures) -> Result<(), Flaw> {
    reader.map(|tool, reader| match reader.next() {
        Next::Map => {
            let events = events(reader)?;
            if !events.is_empty() {
                figures.push((tool.to_owned(), events));
            }
            Ok(())
        }
        _ => reader.skip(),
    })
}

fn events(reader: &mut Reader<'_>) -> Result<Vec<(String, f64)>, Flaw> {
    let mut events = Vec::new();
    reader.map(|event, reader| {
        if reader.next() != Next::Map {
            return reader.skip();
        }
        let mut value = None;
        reader.map(|key, reader| {
            match (key, reader.next()) {
                ("metrics", Next::Map) => value = this_run(reader)?,
                ("values", Next::Map) => value = newer(reader)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        events.extend(value.map(|value| (event.to_owned(), value)));
        Ok(())
    })?;
    Ok(events)
}

/// `Left` or the first of `Both`, as `{"Int": 5}`, `{"Float": 0.5}` or a plain number; `Right` is an older run alone.
fn this_run(reader: &mut Reader<'_>) -> Result<Option<f64>, Flaw> {
    let mut value = None;
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("Left", _) => value = Some(figure(reader)?),
            ("Both", Next::List) => reader.list(|index, reader| {
                if index == 0 {
                    value = Some(figure(reader)?);
                    return Ok(());
                }
                reader.skip()
            })?,
            ("Right", _) => reader.skip()?,
            (other, _) => return Err(Flaw::new(format!("expected Left, Right or Both, found {other:?}"))),
        }
        Ok(())
    })?;
    Ok(value)
}

/// `{"new": 5, "old": 6}`, or objects with a `value`, the first of which is this run's.
fn newer(reader: &mut Reader<'_>) -> Result<Option<f64>, Flaw> {
    let mut value = None;
    reader.map(|key, reader| match key {
        "new" => {
            value = match reader.next() {
                // Of perf's counters, with what is known of their spread.
                Next::Map => numbers_only(reader)?.number("value"),
                _ => reader.optional(Reader::number)?,
            };
            Ok(())
        }
        "old" => reader.skip(),
        other => Err(Flaw::new(format!("expected new or old, found {other:?}"))),
    })?;
    Ok(value)
}

fn figure(reader: &mut Reader<'_>) -> Result<f64, Flaw> {
    if reader.next() == Next::Number {
        return reader.number();
    }
    let mut value = None;
    reader.map(|key, reader| match key {
        "Int" | "Float" => {
            value = Some(reader.number()?);
            Ok(())
        }
        other => Err(Flaw::new(format!("expected Int or Float, found {other:?}"))),
    })?;
    value.ok_or_else(|| Flaw::new("expected Int or Float"))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::{Direction, Outcome};

    #[test]
    fn the_left_figure_is_this_run_and_hit_rates_are_better_higher() {
        let text = "running 0 tests\n{\"function_name\":\"f\",\"id\":\"short\",\"module_path\":\"b::g::f\",\"profiles\":[{\"summaries\":{\
            \"parts\":[{\"metrics_summary\":{\"Callgrind\":{\"Ir\":{\"diffs\":null,\"metrics\":{\"Left\":{\"Int\":3}}}}}}],\
            \"total\":{\"summary\":{\"Callgrind\":{\"Ir\":{\"diffs\":{},\"metrics\":{\"Both\":[{\"Int\":7},{\"Int\":9}]}},\
            \"L1HitRate\":{\"metrics\":{\"Left\":{\"Float\":99.5}}},\"Dr\":{\"metrics\":{\"Right\":{\"Int\":1}}}}}}},\
            \"tool\":\"Callgrind\"}],\"version\":\"6\"}\nnoise\n";
        let parsed = parse(None, text.as_bytes()).unwrap();
        let Outcome::Measured(measured) = &parsed.sets[0].outcomes["b::g::f short"] else { panic!("measured") };
        let found: Vec<_> = measured
            .readings
            .iter()
            .map(|reading| (reading.metric.name.as_str(), reading.metric.better, reading.lives[0].values()[0]))
            .collect();
        let expected = [("instructions", Direction::Lower, 7.0), ("l1_hit_rate", Direction::Higher, 99.5)];
        assert_eq!(found, expected);
    }

    #[test]
    fn summaries_are_found_among_other_tools_objects_and_after_one_that_breaks_off() {
        let foreign = "{\"reason\":\"build-finished\",\"success\":true}\n{\n  \"reason\": \"x\"\n}\n";
        let pretty = "    {\n      \"module_path\": \"b::g::f\",\n      \"id\": null,\n      \"profiles\": [{\"summaries\": {\"total\": \
            {\"summary\": {\"Callgrind\": {\"Ir\": {\"metrics\": {\"Left\": {\"Int\": 3}}}}}}}}]\n    }\n";
        let parsed = parse(None, format!("running 0 tests\n{foreign}{pretty}").as_bytes()).unwrap();
        assert!(parsed.sets[0].outcomes.contains_key("b::g::f") && parsed.remarks.is_empty());
        let line = pretty.split_whitespace().collect::<String>();
        let parsed = parse(None, format!("{{\n  \"id\": null,\n{line}\n").as_bytes()).unwrap();
        assert!(parsed.sets[0].outcomes.contains_key("b::g::f"));
        assert_eq!(parsed.remarks, ["the summary that begins on line 1 breaks off; it was left out"]);
    }

    #[test]
    fn the_seventh_schema_has_values_new_and_old_and_its_tool_apart() {
        let text = "{\"id\":\"small\",\"module_path\":\"b::g::f\",\"version\":\"7\",\"profiles\":[\
            {\"data\":{\"parts\":[{\"metrics\":{\"Ir\":{\"values\":{\"new\":1}}},\"tool_run\":{\"new\":{\"pid\":5}}}],\
            \"total\":{\"metrics\":{\"Ir\":{\"values\":{\"new\":7,\"old\":9}},\"L1HitRate\":{\"values\":{\"new\":99.5}},\
            \"Dr\":{\"values\":{\"old\":1}}},\"regressions\":[]}},\"tool\":\"Callgrind\"},\
            {\"tool\":\"Memcheck\",\"data\":{\"parts\":[],\"total\":{\"metrics\":{\"Errors\":{\"values\":{\"new\":2}}}}}},\
            {\"tool\":\"Perf\",\"data\":{\"total\":{\"metrics\":{\"cycles\":{\"values\":{\"new\":{\"value\":8,\"n\":3}}}}}}}]}\n";
        let parsed = parse(None, text.as_bytes()).unwrap();
        let Outcome::Measured(measured) = &parsed.sets[0].outcomes["b::g::f small"] else { panic!("measured") };
        let found: Vec<_> = measured
            .readings
            .iter()
            .map(|reading| (reading.metric.name.as_str(), reading.lives[0].values()[0]))
            .collect();
        assert_eq!(
            found,
            [("instructions", 7.0), ("l1_hit_rate", 99.5), ("memcheck.errors", 2.0), ("perf.cycles", 8.0)]
        );
        assert!(
            parse(None, text.replace("old\":9", "older\":9").as_bytes()).unwrap_err().to_string().contains("older")
        );
    }
}
