//! hyperfine's `--export-json`: seconds, a value for each execution; user and system time as means only.

use super::error::Flaw;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::{Next, Reader};
use super::parsed::Parsed;
use super::sheet::{Sheet, time_named};
use crate::domain::{Ended, Metric};

const NS_PER_S: f64 = 1e9;

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "hyperfine",
    title: "hyperfine",
    made_by: "hyperfine --export-json FILE …",
    carries: Carries {
        samples: Held::Always,
        lives: false,
        direction: Directions::Known,
        failures: true,
        history: false,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises: |sniff| sniff.has_text("results/0/command") && sniff.has("results/0/mean"),
};

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut reader = Reader::new(text);
    reader.map(|key, reader| match key {
        "results" => reader.list(|_, reader| result(reader, &mut sheet)),
        _ => reader.skip(),
    })?;
    reader.finish()?;
    Ok(sheet.finish())
}

fn result(reader: &mut Reader<'_>, sheet: &mut Sheet) -> Result<(), Flaw> {
    let (mut command, mut mean, mut median, mut user, mut system) = (None, None, None, None, None);
    let mut times = Vec::new();
    let mut exit_codes: Vec<Option<i32>> = Vec::new();
    let mut parameters = Vec::new();
    reader.map(|key, reader| {
        match key {
            "command" => command = Some(reader.text()?),
            "mean" => mean = reader.optional(Reader::number)?,
            "median" => median = reader.optional(Reader::number)?,
            "user" => user = reader.optional(Reader::number)?,
            "system" => system = reader.optional(Reader::number)?,
            "times" => times = reader.optional(Reader::numbers)?.unwrap_or_default(),
            "exit_codes" => reader.list(|_, reader| {
                #[expect(clippy::cast_possible_truncation, reason = "an exit code is small; a wrong one is clamped")]
                exit_codes.push(reader.optional(Reader::number)?.map(|code| code as i32));
                Ok(())
            })?,
            "parameters" if reader.next() == Next::Map => reader.map(|key, reader| {
                let value =
                    if reader.next() == Next::Text { reader.text()?.into_owned() } else { reader.raw()?.to_owned() };
                parameters.push((format!("parameter.{key}"), value));
                Ok(())
            })?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let name = sheet.fresh_name(&command.ok_or_else(|| Flaw::new("expected the key \"command\""))?)?;
    for (key, value) in parameters {
        sheet.note(&name, &key, value);
    }
    if let Some(bad) = exit_codes.iter().find(|code| **code != Some(0)) {
        let many = exit_codes.iter().filter(|code| **code != Some(0)).count();
        let how = bad.map_or_else(|| "was ended by a signal".to_owned(), |code| format!("exited with status {code}"));
        let ended = bad.map(Ended::Status);
        sheet.fail(&name, format!("{how} in {many} of {} executions", exit_codes.len()), ended);
        return Ok(());
    }
    sheet.source_unit(&name, "time", "s");
    if times.is_empty() {
        times.extend(median.or(mean));
    }
    for value in &mut times {
        *value *= NS_PER_S;
    }
    sheet.read(&name, Metric::time(), vec![times])?;
    for (metric, value) in [("user_time", user), ("system_time", system)] {
        if let Some(value) = value {
            sheet.value(&name, time_named(metric), value * NS_PER_S)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::{Ended, Outcome};

    #[test]
    fn executions_are_samples_and_seconds_become_nanoseconds() {
        let json = br#"{"results":[{"command":"a","mean":0.2,"user":0.25,"system":0.5,"times":[0.125,0.5],
            "exit_codes":[0,0],"parameters":{"n":"3"}}]}"#;
        let parsed = parse(None, json).unwrap();
        let Outcome::Measured(measured) = &parsed.sets[0].outcomes["a"] else { panic!("measured") };
        assert_eq!(measured.readings[0].lives[0].values(), [125e6, 500e6]);
        assert_eq!(measured.readings[1].metric.name, "user_time");
        assert_eq!(measured.readings[1].lives[0].values(), [250e6]);
        assert_eq!(measured.notes["parameter.n"], "3");
        assert_eq!(measured.notes["time.unit"], "s");
    }

    #[test]
    fn a_command_that_failed_is_a_failure_however_fast_it_was() {
        let json = br#"{"results":[{"command":"a","mean":0.2,"times":[0.1,0.3],"exit_codes":[0,1]}]}"#;
        let parsed = parse(None, json).unwrap();
        let Outcome::Failed(trouble) = &parsed.sets[0].outcomes["a"] else { panic!("failed") };
        assert_eq!(trouble.reason, "exited with status 1 in 1 of 2 executions");
        assert_eq!(trouble.ended, Some(Ended::Status(1)));
    }
}
