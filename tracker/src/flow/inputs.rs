//! What a suite can see of a change: whether anything at all, and whether its own source is among it.

use std::path::{Path, PathBuf};

use crate::config::{Source, Suite};
use crate::domain::Side;

/// Ends of the names of files that people read and programs do not.
const DOCUMENTS: [&str; 4] = ["md", "markdown", "rst", "adoc"];

/// Whether nothing that a benchmark can see differs: both sides are one program, byte by byte, and all files that differ
/// are documentation, tests of a Rust package, or the host's workflows. Other sources may go into programs that the
/// benchmark starts.
pub(super) fn are_the_same(base: &Side, head: &Side, differing: &[PathBuf]) -> bool {
    let one_program = base.program.is_some() && base.program == head.program;
    one_program && differing.iter().all(|path| is_documentation(path) || is_test(path) || is_of_host(path))
}

/// `tests/NAME.rs`, or anything below, in whichever package: cargo makes programs of their own of these.
fn is_test(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "rs") && path.iter().any(|part| part == "tests")
}

fn is_of_host(path: &Path) -> bool {
    path.starts_with(".github/workflows") || path == Path::new(".gitlab-ci.yml")
}

fn is_documentation(path: &Path) -> bool {
    path.extension().is_some_and(|end| DOCUMENTS.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

/// Those of the differing files that are the suite itself, as far as its configuration tells.
fn own_source<'a>(suite: &Suite, differing: &'a [PathBuf]) -> Vec<&'a Path> {
    let is_own = |path: &&PathBuf| match &suite.source {
        Source::Cargo { bench, .. } => is_bench_target(path, bench),
        Source::Worker { worker, .. } => worker.iter().any(|word| Path::new(word) == path.as_path()),
        Source::Command(source) => source.cargo.as_ref().is_some_and(|cargo| is_bench_target(path, &cargo.bench)),
    };
    differing.iter().filter(is_own).map(PathBuf::as_path).collect()
}

/// What is said of a suite whose own source changed.
pub(super) fn said_of_own_source(suite: &Suite, differing: &[PathBuf]) -> Vec<String> {
    let said = |path: &Path| {
        let path = path.display();
        format!("the suite's own source changed ({path}): what moved may be the benchmark and not the code")
    };
    own_source(suite, differing).into_iter().map(said).collect()
}

/// `benches/NAME.rs`, or anything below `benches/NAME/`, in whichever package.
fn is_bench_target(path: &Path, bench: &str) -> bool {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    let file = format!("{bench}.rs");
    parts.windows(2).any(|pair| pair[0] == "benches" && (pair[1] == file || pair[1] == bench))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::domain::Duel;

    fn paths(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn one_program_beside_changes_that_it_cannot_see_is_the_same_and_beside_any_other_is_not() {
        let duel = Duel::example(vec![]);
        let same = |program: Option<&str>, names: &[&str]| {
            let base = Side { program: program.map(str::to_owned), ..duel.base.clone() };
            let head = Side { program: program.map(str::to_owned), ..duel.head.clone() };
            are_the_same(&base, &head, &paths(names))
        };
        assert!(same(Some("0a"), &["README.md", "docs/a.RST"]) && same(Some("0a"), &[]));
        assert!(same(Some("0a"), &["p/tests/main/a.rs", ".github/workflows/ci.yml", ".gitlab-ci.yml"]));
        assert!(!same(Some("0a"), &["README.md", "data/input.json"]) && !same(None, &[]));
        assert!(!same(Some("0a"), &["p/tests/input.json"]) && !same(Some("0a"), &["p/src/tests.rs"]));
        assert!(!are_the_same(&duel.base, &duel.head, &[]));
    }

    #[test]
    fn a_suites_own_source_is_told_from_the_code_that_it_measures() {
        let config = Config::parse(
            "[suite.cargo]\ncargo = { package = \"p\", bench = \"speed\" }\n[suite.py]\nworker = [\"python3\", \"bench/worker.py\"]",
        )
        .unwrap();
        let differing = paths(&[
            "bench/worker.py",
            "p/benches/speed.rs",
            "p/benches/speed/a.rs",
            "p/benches/other.rs",
            "src/speed.rs",
        ]);
        let own = |name: &str| own_source(&config.suites[name], &differing);
        assert_eq!(own("cargo"), [Path::new("p/benches/speed.rs"), Path::new("p/benches/speed/a.rs")]);
        assert_eq!(own("py"), [Path::new("bench/worker.py")]);
    }
}
