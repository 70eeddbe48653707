//! wrk's and wrk2's console output: one load test, named by its address, with a suffix for each figure's unit.

use super::error::Flaw;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::parsed::Parsed;
use super::sheet::{Sheet, metric, time_named};
use super::text::without_escapes;
use super::units::{prefixed, suffixed, suffixed_time_ns};
use crate::domain::{BenchmarkName, Direction, Kind, Metric};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "wrk",
    title: "wrk and wrk2",
    made_by: "wrk --latency URL",
    carries: Carries {
        samples: Held::Never,
        lives: false,
        direction: Directions::Known,
        failures: true,
        history: false,
    },
    takes: Takes::File(read),
    lossy: true,
    recognises: |sniff| sniff.text.lines().any(|line| address(line).is_some()) && sniff.text.contains("Thread Stats"),
};

/// `Running 30s test @ http://127.0.0.1/`
fn address(line: &str) -> Option<&str> {
    line.strip_prefix("Running ")?.split_once(" test @ ").map(|(_, address)| address.trim())
}

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut current: Option<Test> = None;
    for (index, line) in text.lines().enumerate() {
        let line = without_escapes(line);
        let on_line = |flaw: Flaw| flaw.on_line(index + 1);
        if let Some(address) = address(&line) {
            close(current.take(), &mut sheet).map_err(on_line)?;
            current =
                Some(Test { name: sheet.fresh_name(address).map_err(on_line)?, mean_ns: None, has_median: false });
        } else if let Some(test) = &mut current {
            test.line(line.trim(), &mut sheet).map_err(on_line)?;
        }
    }
    close(current, &mut sheet)?;
    Ok(sheet.finish())
}

/// A load test as it is read.
struct Test {
    name: BenchmarkName,
    mean_ns: Option<f64>,
    has_median: bool,
}

/// Without percentiles the mean is the test's time.
fn close(test: Option<Test>, sheet: &mut Sheet) -> Result<(), Flaw> {
    match test {
        Some(Test { name, mean_ns: Some(mean_ns), has_median: false }) => sheet.value(&name, Metric::time(), mean_ns),
        _ => Ok(()),
    }
}

impl Test {
    fn line(&mut self, line: &str, sheet: &mut Sheet) -> Result<(), Flaw> {
        let mut words = line.split_whitespace();
        let (first, second) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        match first {
            "Latency" if second != "Distribution" => {
                let mean_ns = time(second)?;
                self.mean_ns = Some(mean_ns);
                sheet.value(&self.name, time_named("average"), mean_ns)?;
                if let Some(max) = words.nth(1) {
                    sheet.value(&self.name, time_named("slowest"), time(max)?)?;
                }
                Ok(())
            }
            "Requests/sec:" => self.rate("throughput", "requests/s", second, sheet),
            "Transfer/sec:" => self.rate("bandwidth", "B/s", second, sheet),
            "Socket" | "Non-2xx" => {
                sheet.note(&self.name, "errors", line);
                Ok(())
            }
            _ => match first.strip_suffix('%').filter(|percent| percent.parse::<f64>().is_ok()) {
                Some(percent) if words.next().is_none() && !second.is_empty() => {
                    self.percentile(percent, second, sheet)
                }
                _ => Ok(()),
            },
        }
    }

    fn percentile(&mut self, percent: &str, value: &str, sheet: &mut Sheet) -> Result<(), Flaw> {
        // 50 and 50.000 are the same.
        let Ok(percent) = percent.parse::<f64>() else { return Ok(()) };
        let percent = percent.to_string();
        let metric = if percent == "50" { Metric::time() } else { time_named(&format!("p{percent}")) };
        self.has_median |= percent == "50";
        sheet.value(&self.name, metric, time(value)?)
    }

    fn rate(&self, name: &str, unit: &str, text: &str, sheet: &mut Sheet) -> Result<(), Flaw> {
        let expected = || Flaw::new(format!("expected a rate such as 1234.5 or 1.2MB, found {text:?}"));
        let (value, suffix) = suffixed(text).ok_or_else(expected)?;
        let factor = match suffix {
            "" | "B" => 1.0,
            // wrk's own prefixes are binary for bytes and decimal for requests.
            "k" | "M" | "G" | "T" => prefixed(suffix).ok_or_else(expected)?.0,
            "KB" => 1024.0,
            "MB" => 1024.0 * 1024.0,
            "GB" => 1024.0 * 1024.0 * 1024.0,
            _ => return Err(expected()),
        };
        sheet.value(&self.name, metric(name, unit, Direction::Higher, Kind::Noisy), value * factor)
    }
}

fn time(text: &str) -> Result<f64, Flaw> {
    suffixed_time_ns(text).ok_or_else(|| Flaw::new(format!("expected a time such as 10.3ms, found {text:?}")))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::Outcome;

    const SAMPLE: &str = "Running 30s test @ http://127.0.0.1:80/\n  2 threads and 100 connections\n\
        \x20 Thread Stats   Avg      Stdev     Max   +/- Stdev\n    Latency    10.31ms  301.22us  11.38ms   71.20%\n\
        \x20   Req/Sec   105.02     21.30   150.00     79.81%\n  Latency Distribution (HdrHistogram)\n 50.000%   10.25ms\n\
        \x20 99.900%   1.5s\n 100.000%  1.6s\n  300 requests in 1.0s, 1MB read\n  Socket errors: connect 0, read 2\n\
        Requests/sec:   2.5k\nTransfer/sec:    1.50KB\n";

    fn found(text: &str) -> Vec<(String, f64)> {
        let parsed = parse(None, text.as_bytes()).unwrap();
        let Outcome::Measured(test) = &parsed.sets[0].outcomes["http://127.0.0.1:80/"] else { panic!("measured") };
        test.readings.iter().map(|reading| (reading.metric.name.clone(), reading.lives[0].values()[0])).collect()
    }

    #[test]
    fn every_suffix_is_read_and_the_median_is_the_time() {
        let expected = [
            ("time", 10.25e6),
            ("average", 10.31e6),
            ("slowest", 11.38e6),
            ("p99.9", 1.5e9),
            ("p100", 1.6e9),
            ("throughput", 2500.0),
            ("bandwidth", 1536.0),
        ];
        assert_eq!(found(SAMPLE), expected.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn without_percentiles_the_mean_is_the_time_and_nan_is_a_failure() {
        let short: String = SAMPLE
            .lines()
            .filter(|line| !line.contains('%') || line.contains("Latency "))
            .fold(String::new(), |text, line| text + line + "\n");
        assert_eq!(found(&short)[0], ("time".to_owned(), 10.31e6));
        let nothing =
            "Running 1s test @ http://x/\n  Thread Stats   Avg\n    Latency     -nanus    -nanus   0.00us    -nan%\n";
        let parsed = parse(None, nothing.as_bytes()).unwrap();
        assert!(matches!(&parsed.sets[0].outcomes["http://x/"], Outcome::Failed(_)));
    }
}
