//! What the tracker asks, one line a request.

use serde::Serialize;

use crate::domain::BenchmarkName;

/// A request to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "request", rename_all = "lowercase")]
pub enum Request<'a> {
    /// Opens the talk and names the versions that we speak.
    Hello {
        /// The versions.
        versions: &'a [u32],
    },
    /// Asks for the benchmarks.
    List,
    /// Asks for a slice.
    Run {
        /// Of which benchmark.
        benchmark: &'a BenchmarkName,
        /// How many iterations it has.
        iterations: u64,
    },
    /// Asks whether the benchmark's answer is the expected one.
    Check {
        /// Which benchmark.
        benchmark: &'a BenchmarkName,
    },
    /// Frees the benchmark's set-up.
    Drop {
        /// Which benchmark.
        benchmark: &'a BenchmarkName,
    },
    /// Asks for a profile.
    Profile {
        /// Of which benchmark.
        benchmark: &'a BenchmarkName,
        /// Over how many iterations.
        iterations: u64,
    },
    /// Asks for iterations that callgrind counts.
    Count {
        /// Of which benchmark.
        benchmark: &'a BenchmarkName,
        /// How many.
        iterations: u64,
    },
}

impl Request<'_> {
    /// The request's name, as in the protocol.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Request::Hello { .. } => "hello",
            Request::List => "list",
            Request::Run { .. } => "run",
            Request::Check { .. } => "check",
            Request::Drop { .. } => "drop",
            Request::Profile { .. } => "profile",
            Request::Count { .. } => "count",
        }
    }

    /// Replaces what `line` holds by this request and its newline.
    ///
    /// # Panics
    ///
    /// Never: a request has a JSON form.
    #[expect(clippy::expect_used, reason = "a request is made of strings and whole numbers, and memory takes it all")]
    pub fn write(&self, line: &mut Vec<u8>) {
        line.clear();
        serde_json::to_writer(&mut *line, self).expect("a request has a JSON form");
        line.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(request: Request<'_>) -> String {
        let mut line = b"left over".to_vec();
        request.write(&mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn requests_are_written_as_the_protocol_page_shows_them() {
        let benchmark = &BenchmarkName::new("sum/1000").unwrap();
        let cases = [
            (Request::Hello { versions: &[1] }, r#"{"request":"hello","versions":[1]}"#),
            (Request::List, r#"{"request":"list"}"#),
            (
                Request::Run { benchmark, iterations: 512 },
                r#"{"request":"run","benchmark":"sum/1000","iterations":512}"#,
            ),
            (Request::Check { benchmark }, r#"{"request":"check","benchmark":"sum/1000"}"#),
            (Request::Drop { benchmark }, r#"{"request":"drop","benchmark":"sum/1000"}"#),
            (
                Request::Profile { benchmark, iterations: 10 },
                r#"{"request":"profile","benchmark":"sum/1000","iterations":10}"#,
            ),
            (
                Request::Count { benchmark, iterations: 10 },
                r#"{"request":"count","benchmark":"sum/1000","iterations":10}"#,
            ),
        ];
        let page = include_str!("../../../harness/PROTOCOL.md");
        for (request, expected) in cases {
            assert_eq!(written(request), format!("{expected}\n"));
            assert!(page.contains(&format!("→ {expected}\n")), "the page does not show {expected}");
            assert!(expected.contains(request.name()));
        }
    }

    #[test]
    fn a_hostile_name_cannot_break_out_of_its_line() {
        let benchmark = &BenchmarkName::new("a\n{\"request\":\"list\"}\u{2028}\"").unwrap();
        let line = written(Request::Check { benchmark });
        assert_eq!(line.matches('\n').count(), 1);
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["benchmark"], benchmark.as_str());
    }
}
