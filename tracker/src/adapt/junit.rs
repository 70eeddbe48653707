//! JUnit XML: the duration of each test case, in seconds. Tests are no benchmarks, yet a suite's slow tests are often
//! all that a project has.

use super::error::Flaw;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::parsed::Parsed;
use super::sheet::Sheet;
use super::units::{number, seconds_since_1970};
use super::xml::{Element, Step, walk};
use crate::domain::Metric;

const NS_PER_S: f64 = 1e9;

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "junit",
    title: "JUnit XML, durations of tests",
    made_by: "most test runners",
    carries: Carries {
        samples: Held::Never,
        lives: false,
        direction: Directions::Known,
        failures: true,
        history: false,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises: |sniff| {
        let start = sniff.text.trim_start();
        start.starts_with('<') && start.contains("<testsuite") && start.contains("<testcase")
    },
};

/// A test case as it is read.
struct Case {
    name: String,
    seconds: Option<f64>,
    failed: Option<String>,
    skipped: bool,
}

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut case: Option<Case> = None;
    let mut skipped = 0;
    walk(text, |step| {
        match step {
            Step::Open(element) if element.name == "testcase" => case = Some(begun(element)?),
            Step::Open(element) => within(element, &mut case, &mut sheet),
            Step::Close("testcase") => {
                if let Some(case) = case.take() {
                    skipped += usize::from(case.skipped);
                    write_down(case, &mut sheet)?;
                }
            }
            Step::Cut => return Err(Flaw::new("expected the end of the outermost element, found the end of the file")),
            Step::Close(_) => {}
        }
        Ok(())
    })?;
    if skipped > 0 {
        sheet.remark(format!("{skipped} skipped tests were left out"));
    }
    Ok(sheet.finish())
}

fn begun(element: &Element) -> Result<Case, Flaw> {
    let name = element.required("name")?;
    let class = element.attribute("classname").filter(|class| !class.is_empty());
    let seconds = match element.attribute("time") {
        None => None,
        Some(text) => Some(number(text).ok_or_else(|| Flaw::new(format!("expected seconds as time, found {text:?}")))?),
    };
    let name = class.map_or_else(|| name.to_owned(), |class| format!("{class}/{name}"));
    Ok(Case { name, seconds, failed: None, skipped: false })
}

fn within(element: &Element, case: &mut Option<Case>, sheet: &mut Sheet) {
    match (element.name.as_str(), case) {
        ("failure" | "error", Some(case)) => {
            case.failed = Some(
                element.attribute("message").filter(|text| !text.trim().is_empty()).unwrap_or("failed").to_owned(),
            );
        }
        ("skipped", Some(case)) => case.skipped = true,
        ("testsuite", _) => {
            let timestamp = element.attribute("timestamp").and_then(seconds_since_1970);
            sheet.origin.at_s = sheet.origin.at_s.or(timestamp);
        }
        _ => {}
    }
}

fn write_down(case: Case, sheet: &mut Sheet) -> Result<(), Flaw> {
    if case.skipped {
        return Ok(());
    }
    let name = sheet.fresh_name(&case.name)?;
    match (case.failed, case.seconds) {
        (Some(reason), _) => {
            sheet.fail(&name, reason, None);
        }
        (None, Some(seconds)) => {
            sheet.source_unit(&name, "time", "s");
            sheet.value(&name, Metric::time(), seconds * NS_PER_S)?;
        }
        (None, None) => sheet.fail(&name, "it has no time", None),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::Outcome;

    #[test]
    fn durations_failures_and_skipped_tests_are_told_apart() {
        let xml = "<?xml version=\"1.0\"?><testsuites><testsuite name=\"s\" timestamp=\"1970-01-01T00:00:07\">\
            <testcase classname=\"c.D\" name=\"a\" time=\"1,000.25\"/><testcase name=\"b\" time=\"2\"><skipped/></testcase>\
            <testcase name=\"e\" time=\"0.1\"><failure message=\"no &lt;way&gt;\">text</failure></testcase></testsuite></testsuites>";
        let parsed = parse(None, xml.as_bytes()).unwrap();
        let set = &parsed.sets[0];
        assert_eq!((set.origin.at_s, set.outcomes.len()), (Some(7), 2));
        let Outcome::Measured(a) = &set.outcomes["c.D/a"] else { panic!("measured") };
        assert_eq!(a.readings[0].lives[0].values(), [1000.25e9]);
        let Outcome::Failed(e) = &set.outcomes["e"] else { panic!("failed") };
        assert_eq!(e.reason, "no <way>");
        assert_eq!(parsed.remarks, ["1 skipped tests were left out"]);
    }
}
