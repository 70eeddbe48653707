//! Catch2's XML reporter: nanoseconds; `BenchmarkResults` within test cases and sections, by which they are named. A
//! file that a crash cut off keeps its finished benchmarks, and the one under way is a failure.

use super::error::Flaw;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::parsed::Parsed;
use super::sheet::Sheet;
use super::units::number;
use super::xml::{Element, Step, walk};
use crate::domain::Metric;

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "catch2-xml",
    title: "Catch2 (C++), XML",
    made_by: "./tests [benchmark] --reporter xml",
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
        start.starts_with('<')
            && (start.contains("<Catch2TestRun") || start.contains("<Catch "))
            && start.contains("<BenchmarkResults")
    },
};

/// The document as it is read.
#[derive(Default)]
struct Page {
    sheet: Sheet,
    /// The names of the test case and the sections around.
    path: Vec<String>,
    /// The benchmark under way, and its mean once it was read.
    benchmark: Option<(String, Option<f64>)>,
    failed: Option<String>,
}

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut page = Page::default();
    walk(text, |step| match step {
        Step::Open(element) => page.open(element),
        Step::Close(name) => page.close(name),
        Step::Cut => page.cut(),
    })?;
    Ok(page.sheet.finish())
}

impl Page {
    fn open(&mut self, element: &Element) -> Result<(), Flaw> {
        match element.name.as_str() {
            "TestCase" | "Section" => self.path.push(element.required("name")?.to_owned()),
            "BenchmarkResults" => {
                let name = self.path.iter().map(String::as_str).chain([element.required("name")?]);
                self.benchmark = Some((name.collect::<Vec<_>>().join("/"), None));
            }
            "mean" => {
                let text = element.required("value")?;
                let value =
                    number(text).ok_or_else(|| Flaw::new(format!("expected a number as mean, found {text:?}")))?;
                if let Some((_, mean)) = &mut self.benchmark {
                    *mean = Some(value);
                }
            }
            "failed" if self.benchmark.is_some() => {
                self.failed = Some(element.attribute("message").unwrap_or("failed").to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, name: &str) -> Result<(), Flaw> {
        match name {
            "TestCase" | "Section" => {
                self.path.pop();
            }
            "BenchmarkResults" => {
                let Some((name, mean)) = self.benchmark.take() else { return Ok(()) };
                let name = self.sheet.fresh_name(&name)?;
                match (self.failed.take(), mean) {
                    (Some(reason), _) => self.sheet.fail(&name, reason, None),
                    (None, Some(mean)) => self.sheet.value(&name, Metric::time(), mean)?,
                    (None, None) => self.sheet.fail(&name, "no mean was given", None),
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn cut(&mut self) -> Result<(), Flaw> {
        self.sheet.remark("the file is cut off: the benchmarks finished before that were kept".to_owned());
        if let Some((name, _)) = self.benchmark.take() {
            let name = self.sheet.fresh_name(&name)?;
            self.sheet.fail(&name, "the file ends while it runs", None);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::Outcome;

    const SAMPLE: &str = "<?xml version=\"1.0\"?><Catch2TestRun><TestCase name=\"A\"><Section name=\"s &amp; t\">\
        <BenchmarkResults name=\"one\" samples=\"100\"><!-- c --><mean value=\"2.5e+06\"/></BenchmarkResults></Section>\
        <BenchmarkResults name=\"two\"><failed message=\"threw\"/></BenchmarkResults></TestCase>\
        <TestCase name=\"B\"><BenchmarkResults name=\"one\"><mean value=\"13\"/></BenchmarkResults></TestCase></Catch2TestRun>";

    #[test]
    fn names_hold_their_test_case_and_failures_are_kept() {
        let parsed = parse(None, SAMPLE.as_bytes()).unwrap();
        let outcomes = &parsed.sets[0].outcomes;
        for (name, value) in [("A/s & t/one", 2.5e6), ("B/one", 13.0)] {
            let Outcome::Measured(measured) = &outcomes[name] else { panic!("measured") };
            assert_eq!(measured.readings[0].lives[0].values(), [value]);
        }
        let Outcome::Failed(trouble) = &outcomes["A/two"] else { panic!("failed") };
        assert_eq!(trouble.reason, "threw");
    }

    #[test]
    fn a_file_that_is_cut_off_keeps_what_was_finished_and_says_so() {
        let end = SAMPLE.find("<mean value=\"13\"").unwrap();
        for end in [end, end + 5] {
            let parsed = parse(None, &SAMPLE.as_bytes()[..end]).unwrap();
            assert!(matches!(&parsed.sets[0].outcomes["A/s & t/one"], Outcome::Measured(_)));
            assert!(matches!(&parsed.sets[0].outcomes["B/one"], Outcome::Failed(_)));
            assert!(parsed.remarks[0].contains("cut off"));
        }
    }

    #[test]
    fn document_types_and_depth_without_end_are_refused() {
        let bomb = SAMPLE.replace("<Catch2TestRun>", "<!DOCTYPE a [<!ENTITY b \"c\">]><Catch2TestRun>");
        assert!(parse(None, bomb.as_bytes()).unwrap_err().to_string().contains("DOCTYPE"));
        let deep = format!("<Catch2TestRun><BenchmarkResults name=\"a\"/>{}", "<a>".repeat(100));
        assert!(parse(None, deep.as_bytes()).unwrap_err().to_string().contains("nested deeper"));
    }
}
