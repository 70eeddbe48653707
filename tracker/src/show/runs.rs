//! Which runs there are.

use super::number::{duration, moment};
use super::style::Style;
use super::table::{Align, Table};
use crate::domain::RunLine;

/// A row a run.
#[must_use]
pub fn text(runs: &[RunLine], style: Style) -> String {
    let mut table = Table::new(&[
        ("run", Align::Left),
        ("began (UTC)", Align::Left),
        ("suite", Align::Left),
        ("commit", Align::Left),
        ("measured", Align::Right),
        ("failed", Align::Right),
        ("took", Align::Right),
        ("machine", Align::Left),
        ("source", Align::Left),
    ]);
    for run in runs {
        table.row(&[
            run.id.short(),
            &moment(run.started_at_s),
            run.suite.as_str(),
            &format!("{}{}", run.commit.short(), if run.dirty { "+" } else { "" }),
            &run.measured.to_string(),
            &if run.failed == 0 { String::new() } else { run.failed.to_string() },
            &duration(run.elapsed_ns),
            &run.machine,
            if run.source == "run" { "" } else { &run.source },
        ]);
    }
    table.render(style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CommitId, RecordId, SuiteName};

    #[test]
    fn a_run_is_a_row_and_a_tree_with_changes_has_a_plus() {
        let run = RunLine {
            id: RecordId::parse(&"0123456789abcdef".repeat(4)).unwrap(),
            suite: SuiteName::new("engine").unwrap(),
            commit: CommitId::new("fedcba9876".repeat(4)).unwrap(),
            dirty: true,
            started_at_s: 1_790_000_000,
            elapsed_ns: 62_000_000_000,
            source: "import criterion".to_owned(),
            machine: "lorry".to_owned(),
            measured: 17,
            failed: 2,
        };
        let expected = "\
run           began (UTC)          suite   commit       measured  failed       took  machine  source
0123456789ab  2026-09-21 14:13:20  engine  fedcba9876+        17       2  1 min 2 s  lorry    import criterion
";
        assert_eq!(text(&[run], Style::default()), expected);
    }
}
