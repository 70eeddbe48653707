//! The messages of `cargo criterion --message-format=json`: one JSON object a line.

use super::criterion::per_iteration;
use super::error::Flaw;
use super::fields::{as_text, numbers_only};
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::{Next, Reader};
use super::parsed::Parsed;
use super::sheet::{Sheet, metric};
use super::text::json_lines;
use super::units::nanoseconds_per;
use crate::domain::{Direction, Kind, Metric};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "cargo-criterion",
    title: "cargo-criterion (Rust), its messages",
    made_by: "cargo criterion --message-format=json",
    carries: Carries {
        samples: Held::Always,
        lives: false,
        direction: Directions::Known,
        failures: false,
        history: false,
    },
    takes: Takes::File(read),
    lossy: true,
    recognises: |sniff| {
        let mut lines = sniff.text.lines();
        lines.any(|line| line.starts_with("{\"reason\":\"benchmark-complete\""))
    },
};

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let cut_off = json_lines(text, |reader| message(reader, &mut sheet))?;
    sheet.cut_off("message", cut_off);
    Ok(sheet.finish())
}

fn message(reader: &mut Reader<'_>, sheet: &mut Sheet) -> Result<(), Flaw> {
    let (mut reason, mut id, mut unit, mut typical, mut median, mut mean) = (None, None, None, None, None, None);
    let (mut iterations, mut times) = (Vec::new(), Vec::new());
    let mut throughput = Vec::new();
    reader.map(|key, reader| {
        match key {
            "reason" => reason = Some(reader.text()?),
            "id" => id = Some(reader.text()?),
            "unit" => unit = Some(reader.text()?),
            "iteration_count" => iterations = reader.numbers()?,
            "measured_values" => times = reader.numbers()?,
            "typical" if reader.next() == Next::Map => typical = numbers_only(reader)?.number("estimate"),
            "median" if reader.next() == Next::Map => median = numbers_only(reader)?.number("estimate"),
            "mean" if reader.next() == Next::Map => mean = numbers_only(reader)?.number("estimate"),
            "throughput" if reader.next() == Next::List => reader.list(|_, reader| {
                let (mut amount, mut unit) = (String::new(), String::new());
                reader.map(|key, reader| {
                    match key {
                        "per_iteration" => amount = as_text(reader)?,
                        "unit" => unit = as_text(reader)?,
                        _ => reader.skip()?,
                    }
                    Ok(())
                })?;
                throughput.push((format!("throughput.{unit}"), amount));
                Ok(())
            })?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    if reason.as_deref() != Some("benchmark-complete") {
        return Ok(());
    }
    let name = sheet.fresh_name(&id.ok_or_else(|| Flaw::new("expected the key \"id\""))?)?;
    for (key, value) in throughput {
        sheet.note(&name, &key, value);
    }
    let mut values = per_iteration(&iterations, times)?;
    if values.is_empty() {
        values.extend(median.or(typical).or(mean));
    }
    let unit = unit.unwrap_or_else(|| "ns".into());
    let Some(factor) = nanoseconds_per(&unit) else {
        // A measurement of the user's own, such as cycles; criterion itself takes less to be better.
        return sheet.read(&name, metric(&unit, &unit, Direction::Lower, Kind::Noisy), vec![values]);
    };
    for value in &mut values {
        *value *= factor;
    }
    sheet.source_unit(&name, "time", &unit);
    sheet.read(&name, Metric::time(), vec![values])
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::Outcome;

    #[test]
    fn measured_values_are_divided_by_their_iterations() {
        let text = "   Compiling x\n{\"reason\":\"benchmark-complete\",\"id\":\"a/1\",\"iteration_count\":[2,4],\
            \"measured_values\":[10.0,24.0],\"unit\":\"us\",\"throughput\":[{\"per_iteration\":8,\"unit\":\"bytes\"}],\
            \"typical\":null,\"change\":null}\n{\"reason\":\"group-complete\",\"group_name\":\"a\"}\n\
            {\"reason\":\"benchmark-complete\",\"id\":\"b\",\"iteration_count\":[],\"measured_values\":[],\"unit\":\"ns\",\
            \"mean\":{\"estimate\":3.0},\"median\":{\"estimate\":2.5}}\n";
        let parsed = parse(None, text.as_bytes()).unwrap();
        for (name, values) in [("a/1", vec![5000.0, 6000.0]), ("b", vec![2.5])] {
            let Outcome::Measured(measured) = &parsed.sets[0].outcomes[name] else { panic!("measured") };
            assert_eq!(measured.readings[0].lives[0].values(), values);
        }
    }

    #[test]
    fn a_message_that_breaks_off_is_said_with_its_line() {
        let text = "{\"reason\":\"benchmark-complete\",\"id\":\"a\",\"median\":{\"estimate\":1}}\n{\"reason\":\"benchm";
        let error = parse(None, text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}
