//! A profile for people: what takes the time, what takes the memory, and who calls whom.

use std::fmt;

use super::saved::{Method, Profile};

/// Hot paths that are listed.
const HOT: usize = 12;

impl Profile {
    /// The whole report.
    #[must_use]
    pub fn report(&self) -> impl fmt::Display {
        Report(self)
    }

    /// Methods by what they themselves took, most first; those that took nothing are left out.
    #[must_use]
    pub fn ranked(&self, by: fn(&Method) -> u64) -> Vec<&Method> {
        let mut methods: Vec<&Method> = self.methods.iter().filter(|method| by(method) > 0).collect();
        methods.sort_by_key(|method| std::cmp::Reverse(by(method)));
        methods
    }
}

struct Report<'a>(&'a Profile);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let profile = self.0;
        let total = profile.total_ns();
        let share = |ns: u64| 100.0 * ns as f64 / total.max(1) as f64;
        writeln!(
            f,
            "{}, {}: {} tokens in {}, {} each\n",
            profile.subject,
            profile.kernels,
            profile.tokens,
            time(total as f64),
            time(profile.per_token(total))
        )?;

        writeln!(f, "Hot paths by time\n{:>8} {:>10} {:>10} {:>8}  path", "share", "own", "a token", "calls")?;
        for method in profile.ranked(|method| method.exclusive_ns).into_iter().take(HOT) {
            let own = method.exclusive_ns;
            let (each, calls) = (time(profile.per_token(own)), method.calls);
            writeln!(f, "{:>6.1} % {:>10} {each:>10} {calls:>8}  {}", share(own), time(own as f64), method.path)?;
        }

        writeln!(f, "\nHot paths by memory\n{:>12} {:>12}  path", "bytes", "allocations")?;
        let hungry = profile.ranked(|method| method.bytes);
        for method in hungry.iter().take(HOT) {
            writeln!(f, "{:>12} {:>12}  {}", method.bytes, method.allocations, method.path)?;
        }
        if hungry.is_empty() {
            writeln!(f, "{:>12} {:>12}  nothing asked for memory", 0, 0)?;
        }

        writeln!(f, "\nCalls\n{:>8} {:>10} {:>10} {:>8}", "share", "with all", "own", "calls")?;
        for method in &profile.methods {
            let (inclusive, own) = (time(method.inclusive_ns as f64), time(method.exclusive_ns as f64));
            let depth = method.path.matches('/').count();
            let name = method.path.rsplit('/').next().unwrap_or_default();
            let share = share(method.inclusive_ns);
            writeln!(
                f,
                "{share:>6.1} % {inclusive:>10} {own:>10} {:>8}  {:indent$}{name}",
                method.calls,
                "",
                indent = 2 * depth
            )?;
        }
        Ok(())
    }
}

/// A time, of three or four digits.
pub(super) fn time(ns: f64) -> String {
    let (value, unit) = match ns.abs() {
        small if small < 1e3 => (ns, "ns"),
        small if small < 1e6 => (ns / 1e3, "µs"),
        small if small < 1e9 => (ns / 1e6, "ms"),
        _ => (ns / 1e9, "s"),
    };
    let digits = match value.abs() {
        small if small < 10.0 => 2,
        small if small < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::super::saved::tests::profile;

    #[test]
    fn the_report_ranks_by_time_and_by_memory_and_draws_who_calls_whom() {
        let seen = profile(
            "small",
            &[("all", 10_000, 1_000, 0), ("all/gelu", 2_500, 2_500, 4_096), ("all/up", 6_500, 6_500, 128)],
        );
        let text = seen.report().to_string();
        let line = |text: &str, what: &str| text.lines().position(|line| line.contains(what)).expect("a line");
        assert!(text.starts_with("small f32, 1 thread, AVX2: 10 tokens in 10.0 µs, 1.00 µs each"), "{text}");
        assert!(text.contains("65.0 %") && text.contains("650 ns"), "{text}");
        assert!(line(&text, "all/up") < line(&text, "all/gelu"), "{text}");
        let memory = &text[text.find("by memory").expect("the second list")..];
        assert!(line(memory, "all/gelu") < line(memory, "all/up"), "{text}");
        let calls = &text[text.find("\nCalls").expect("the hierarchy")..];
        assert!(calls.contains("  all\n") && calls.contains("    gelu\n"), "{text}");
        let nothing = profile("small", &[("all", 10_000, 10_000, 0)]).report().to_string();
        assert!(nothing.contains("nothing asked for memory"));
    }
}
