//! rebar's CSV (`rebar measure`): a row for each benchmark and engine, every time with a suffix of its own (`80.29us`).

use super::error::Flaw;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::parsed::Parsed;
use super::sheet::Sheet;
use super::table::{Table, first_line_has};
use super::units::suffixed_time_ns;
use crate::domain::Metric;

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "rebar",
    title: "rebar (regular expressions), CSV",
    made_by: "rebar measure",
    carries: Carries {
        samples: Held::Never,
        lives: false,
        direction: Directions::Known,
        failures: true,
        history: false,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises: |sniff| first_line_has(sniff.text, &["name", "engine", "err", "median"]),
};

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut table = Table::of(text, &["name", "engine", "median"])?;
    while let Some(row) = table.next_row()? {
        let name =
            sheet.fresh_name(&format!("{}/{}", row.cell("name"), row.cell("engine"))).map_err(|flaw| row.at(flaw))?;
        for note in ["model", "engine_version", "haystack_len", "iters"] {
            if !row.cell(note).is_empty() {
                sheet.note(&name, note, row.cell(note));
            }
        }
        if !row.cell("err").is_empty() {
            sheet.fail(&name, row.cell("err"), None);
            continue;
        }
        let time = |column: &str| {
            let text = row.cell(column);
            let expected = || row.at(Flaw::new(format!("expected a time such as 17.22ms as {column}, found {text:?}")));
            suffixed_time_ns(text).ok_or_else(expected)
        };
        let median = time("median")?;
        for (key, column) in [("time.mean_ns", "mean"), ("time.stddev_ns", "stddev"), ("time.min_ns", "min")] {
            if !row.cell(column).is_empty() {
                sheet.note(&name, key, time(column)?.to_string());
            }
        }
        sheet.value(&name, Metric::time(), median).map_err(|flaw| row.at(flaw))?;
    }
    Ok(sheet.finish())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::Outcome;

    const HEAD: &str =
        "name,model,rebar_version,engine,engine_version,err,haystack_len,iters,total,median,mad,mean,stddev,min,max\n";

    #[test]
    fn suffixes_are_read_and_an_engine_that_failed_is_a_failure() {
        let text = format!(
            "{HEAD}a/b,count,0.0.1,rust/regex,1.0,,5,7,1s,17.25ms,0.00ns,17.5ms,112.46us,16ms,17ms\n\
            a/b,count,0.0.1,re2,1.0,\"timed out, sorry\",5,0,0s,0s,0s,0s,0s,0s,0s\n"
        );
        let parsed = parse(None, text.as_bytes()).unwrap();
        let outcomes = &parsed.sets[0].outcomes;
        let Outcome::Measured(measured) = &outcomes["a/b/rust/regex"] else { panic!("measured") };
        assert_eq!(measured.readings[0].lives[0].values(), [17.25e6]);
        assert_eq!(measured.notes["time.mean_ns"], "17500000");
        let Outcome::Failed(trouble) = &outcomes["a/b/re2"] else { panic!("failed") };
        assert_eq!(trouble.reason, "timed out, sorry");
    }

    #[test]
    fn a_table_without_rows_and_a_cell_without_a_unit_are_refused() {
        assert!(parse(None, HEAD.as_bytes()).unwrap_err().to_string().contains("no benchmark is in it"));
        let text = format!("{HEAD}a,c,0,e,1,,5,7,1s,17.25,0,0,0,0,0\n");
        let error = parse(None, text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("found \"17.25\""), "{error}");
    }
}
