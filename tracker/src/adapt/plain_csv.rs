//! A plain table of our own: a value a row, for spreadsheets and scripts.
//!
//! `benchmark` and `value` are required; `metric` (`time` if absent), `unit`, `better`, `kind`, `life`, `failed`,
//! `commit`, `date`, `machine` and `suite` may be there. Rows of one benchmark and metric are its values; `life` tells
//! processes apart; rows of several commits are a history.

use std::collections::BTreeMap;

use super::error::Flaw;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::limits;
use super::parsed::{Origin, Parsed};
use super::sheet::{Sheet, metric};
use super::table::{Row, Table, first_line_has};
use super::units::{nanoseconds_per, seconds_since_1970};
use crate::domain::{Direction, Kind, Metric};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "csv",
    title: "a plain table, CSV",
    made_by: "your own program, as described below",
    carries: Carries {
        samples: Held::Always,
        lives: true,
        direction: Directions::Known,
        failures: true,
        history: true,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises: |sniff| first_line_has(sniff.text, &["benchmark", "value"]),
};

/// The values of one metric of one benchmark, by the names of the lives.
struct Series {
    metric: Metric,
    source_unit: String,
    lives: BTreeMap<String, Vec<f64>>,
}

/// The rows of one commit, one machine and one suite.
#[derive(Default)]
struct Group {
    origin: Origin,
    series: BTreeMap<(String, String), Series>,
    failed: BTreeMap<String, String>,
}

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut order = Vec::new();
    let mut groups: BTreeMap<[String; 4], Group> = BTreeMap::new();
    let mut table = Table::of(text, &["benchmark", "value"])?;
    while let Some(row) = table.next_row()? {
        let key = ["commit", "date", "machine", "suite"].map(|column| row.cell(column).to_owned());
        if !groups.contains_key(&key) {
            if groups.len() >= limits::SETS {
                return Err(row.at(Flaw::new(format!("more than {} commits", limits::SETS))));
            }
            let origin = origin(&row).map_err(|flaw| row.at(flaw))?;
            groups.insert(key.clone(), Group { origin, ..Group::default() });
            order.push(key.clone());
        }
        let group = groups.entry(key).or_default();
        one_row(&row, group).map_err(|flaw| row.at(flaw))?;
    }
    let mut parsed = Parsed::default();
    for key in order {
        if let Some(group) = groups.remove(&key) {
            group.finish_into(&mut parsed)?;
        }
    }
    Ok(parsed)
}

fn origin(row: &Row<'_>) -> Result<Origin, Flaw> {
    let given = |column| Some(row.cell(column).to_owned()).filter(|text| !text.is_empty());
    let at_s = match given("date") {
        None => None,
        Some(date) => Some(
            seconds_since_1970(&date)
                .ok_or_else(|| Flaw::new(format!("expected a date such as 2026-01-31T12:00:00Z, found {date:?}")))?,
        ),
    };
    Ok(Origin { commit: given("commit"), at_s, subject: None, machine: given("machine"), suite: given("suite") })
}

fn one_row(row: &Row<'_>, group: &mut Group) -> Result<(), Flaw> {
    let benchmark = row.cell("benchmark").to_owned();
    if !row.cell("failed").is_empty() {
        group.failed.insert(benchmark, row.cell("failed").to_owned());
        return Ok(());
    }
    let text = row.cell("value");
    let value: f64 = text.parse().map_err(|_| {
        Flaw::new(format!("expected a number with a point and no other marks as value, found {text:?}"))
    })?;
    let (metric, source_unit, factor) = metric_of(row)?;
    let key = (benchmark, metric.name.clone());
    let series = group.series.entry(key).or_insert_with(|| Series {
        metric: metric.clone(),
        source_unit: source_unit.clone(),
        lives: BTreeMap::new(),
    });
    if series.metric != metric || series.source_unit != source_unit {
        return Err(Flaw::new(format!("unit, better or kind of {:?} differ from an earlier row", metric.name)));
    }
    series.lives.entry(row.cell("life").to_owned()).or_default().push(value * factor);
    Ok(())
}

fn metric_of(row: &Row<'_>) -> Result<(Metric, String, f64), Flaw> {
    let kind = match row.cell("kind") {
        "" | "noisy" => Kind::Noisy,
        "exact" => Kind::Exact,
        other => return Err(Flaw::new(format!("expected noisy or exact as kind, found {other:?}"))),
    };
    let better = match row.cell("better") {
        "" => None,
        "lower" => Some(Direction::Lower),
        "higher" => Some(Direction::Higher),
        "unknown" => Some(Direction::Unknown),
        other => return Err(Flaw::new(format!("expected lower, higher or unknown as better, found {other:?}"))),
    };
    let name = row.cell("metric");
    if !matches!(name, "" | "time") {
        let metric = metric(name, row.cell("unit"), better.unwrap_or(Direction::Unknown), kind);
        return Ok((metric, "ns".to_owned(), 1.0));
    }
    let unit = if row.cell("unit").is_empty() { "ns" } else { row.cell("unit") };
    let factor = nanoseconds_per(unit)
        .ok_or_else(|| Flaw::new(format!("expected a unit of time for the metric time, found {unit:?}")))?;
    if better.is_some_and(|better| better != Direction::Lower) {
        return Err(Flaw::new("the metric time is better lower; give another meaning another name"));
    }
    Ok((Metric { kind, ..Metric::time() }, unit.to_owned(), factor))
}

impl Group {
    fn finish_into(self, parsed: &mut Parsed) -> Result<(), Flaw> {
        let mut sheet = Sheet::default();
        sheet.origin = self.origin;
        for ((benchmark, _), series) in self.series {
            let name = sheet.name(&benchmark)?;
            sheet.source_unit(&name, &series.metric.name, &series.source_unit);
            sheet.read(&name, series.metric, series.lives.into_values().collect())?;
        }
        for (benchmark, reason) in self.failed {
            let name = sheet.name(&benchmark)?;
            sheet.fail(&name, reason, None);
        }
        sheet.finish_into(parsed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::Outcome;

    #[test]
    fn rows_are_grouped_by_commit_benchmark_metric_and_life() {
        let text = "benchmark,metric,value,unit,better,kind,life,commit,date,failed\n\
            a,time,1.5,us,,,1,c1,1970-01-01,\na,,2.5,us,,,1,c1,1970-01-01,\na,time,3,us,,,2,c1,1970-01-01,\n\
            a,size,7,B,lower,exact,,c1,1970-01-01,\nb,,,,,,,c1,1970-01-01,crashed\n\"a, b\",time,9,,,,,c2,1970-01-02,\n";
        let parsed = parse(None, text.as_bytes()).unwrap();
        let [first, second] = &parsed.sets[..] else { panic!("two sets") };
        assert_eq!((first.origin.commit.as_deref(), second.origin.at_s), (Some("c1"), Some(86400)));
        let Outcome::Measured(a) = &first.outcomes["a"] else { panic!("measured") };
        assert_eq!(a.readings.len(), 2);
        let lives: Vec<_> = a.readings[0].lives.iter().map(|life| life.values().to_vec()).collect();
        assert_eq!(lives, [vec![1500.0, 2500.0], vec![3000.0]]);
        assert!(matches!(&first.outcomes["b"], Outcome::Failed(_)));
        assert!(matches!(&second.outcomes["a, b"], Outcome::Measured(_)));
    }

    #[test]
    fn comma_decimals_and_unknown_words_are_refused_with_their_line() {
        for (row, said) in [
            ("a,\"1,5\",,", "line 2, column 1: expected a number with a point"),
            ("a,1.5,up,", "expected lower, higher or unknown as better, found \"up\""),
            ("a,1.5,,parsec", "expected a unit of time"),
            ("a,1.5,,ns,more", "line 2"),
        ] {
            let text = format!("benchmark,value,better,unit\n{row}\n");
            let error = parse(None, text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(said), "{row}: {error}");
        }
    }
}
