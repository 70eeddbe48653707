//! Which duels there are.

use super::number::{duration, moment};
use super::style::Style;
use super::table::{Align, Table};
use crate::domain::{DuelLine, Whole};

/// A row a duel.
#[must_use]
pub fn text(duels: &[DuelLine], style: Style) -> String {
    let mut table = Table::new(&[
        ("duel", Align::Left),
        ("began (UTC)", Align::Left),
        ("suite", Align::Left),
        ("base", Align::Left),
        ("head", Align::Left),
        ("said", Align::Left),
        ("dueled", Align::Right),
        ("failed", Align::Right),
        ("took", Align::Right),
        ("machine", Align::Left),
    ]);
    for duel in duels {
        table.row(&[
            duel.id.short(),
            &moment(duel.started_at_s),
            duel.suite.as_str(),
            duel.base.short(),
            &format!("{}{}", duel.head.short(), if duel.dirty { "+" } else { "" }),
            duel.whole.map(Whole::as_str).unwrap_or_default(),
            &duel.dueled.to_string(),
            &if duel.failed == 0 { String::new() } else { duel.failed.to_string() },
            &duration(duel.elapsed_ns),
            &duel.machine,
        ]);
    }
    table.render(style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CommitId, RecordId, SuiteName};

    #[test]
    fn a_duel_is_a_row_with_the_word_that_was_said_of_it() {
        let duel = DuelLine {
            id: RecordId::parse(&"0123456789abcdef".repeat(4)).unwrap(),
            suite: SuiteName::new("engine").unwrap(),
            base: CommitId::new("abcdef0123".repeat(4)).unwrap(),
            head: CommitId::new("fedcba9876".repeat(4)).unwrap(),
            dirty: true,
            started_at_s: 1_790_000_000,
            elapsed_ns: 62_000_000_000,
            machine: "lorry".to_owned(),
            dueled: 17,
            failed: 2,
            whole: Some(Whole::Red),
        };
        let expected = "\
duel          began (UTC)          suite   base        head         said  dueled  failed       took  machine
0123456789ab  2026-09-21 14:13:20  engine  abcdef0123  fedcba9876+  red       17       2  1 min 2 s  lorry
";
        assert_eq!(text(&[duel], Style::default()), expected);
    }
}
