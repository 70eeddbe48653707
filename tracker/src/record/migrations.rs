//! The numbered pages of `migrations/`, carried in the program.

use std::borrow::Cow;

use sqlx::AssertSqlSafe;
use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Every page: number, title, text; a page ends by setting its number as the file's `user_version`. A page that was released is never edited; what it got wrong, a later page mends.
const PAGES: &[(i64, &str, &str)] = &[
    (1, "runs", include_str!("../../migrations/0001_runs.sql")),
    (2, "duels", include_str!("../../migrations/0002_duels.sql")),
    (3, "changes", include_str!("../../migrations/0003_changes.sql")),
];

/// The schema that this version of the program writes.
pub(super) const NEWEST: i64 = PAGES[PAGES.len() - 1].0;

/// The pages as sqlx wants them.
pub(super) fn migrator() -> Migrator {
    migrator_of(PAGES)
}

fn migrator_of(pages: &[(i64, &'static str, &'static str)]) -> Migrator {
    let pages = pages.iter().map(|&(number, title, text)| {
        let sql = AssertSqlSafe(with_unix_lines(text).into_owned()).into_sql_str();
        Migration::new(number, Cow::Borrowed(title), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(pages.collect())
}

/// A page's checksum is taken over its bytes, and a checkout with Windows line ends must not make a sound store look as
/// if somebody had tampered with it.
fn with_unix_lines(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn a_page_that_was_released_is_never_edited() {
        // A new page adds its line here. An old line never changes.
        let released = [
            (1, "0e79cbb832bfbadf38e4337a6b1b4233b4c81629c1272282b47b405f15691e98"),
            (2, "409112231f93e56009fedc319234083301788ea7efb2b11a14b1392811a9725a"),
            (3, "b4d14cc88f8781753ffaee9797f351e5816d0f9f0c0f4cd5122e2d005c2c7bce"),
        ];
        for ((number, _, text), (expected, digest)) in PAGES.iter().zip(released) {
            let actual = crate::domain::hex(&Sha256::digest(with_unix_lines(text).as_bytes()));
            assert_eq!((*number, actual.as_str()), (expected, digest));
        }
        assert_eq!(PAGES.len(), released.len());
    }

    #[test]
    fn the_pages_are_numbered_without_a_gap() {
        assert!(PAGES.iter().zip(1..).all(|(page, number)| page.0 == number));
    }

    #[test]
    fn a_store_of_each_older_schema_is_brought_up_with_all_its_runs_and_a_copy_of_what_it_was() {
        use crate::domain::{Annotation, Commit, CommitId, Duel, Machine, Run, State, Subject, SuiteName};
        use crate::record::{Address, Recorded, Store, Trust, sql, sqlite, write};
        let id = CommitId::new("0b".repeat(20)).unwrap();
        let commit = Commit { id, parents: vec![], committed_at_s: 12, subject: "Old".to_owned() };
        let run = Run {
            suite: SuiteName::new("engine").unwrap(),
            subject: Subject::Commit(commit),
            machine: Machine::Named("lorry".to_owned()),
            started_at_s: 13,
            elapsed_ns: 14,
            source: "run".to_owned(),
            notes: [].into(),
            pulse: None,
            outcomes: [].into(),
            attachments: vec![],
        };
        for old in 1..PAGES.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("store.db");
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(async {
                use sqlx::{ConnectOptions, Connection};
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
                let mut conn = options.connect().await.unwrap();
                let mut tx = sqlite::begin(&mut conn).await.unwrap();
                migrator_of(&PAGES[..old]).run_direct(None, &mut *tx, false).await.unwrap();
                sqlx::query(sql::MARK_AS_OURS).execute(&mut *tx).await.unwrap();
                sqlx::query(sql::SET_WRITTEN_BY).bind("0.0.1").execute(&mut *tx).await.unwrap();
                tx.commit().await.unwrap();
                write::record(&mut conn, &run.id(), &run).await.unwrap();
                conn.close().await.unwrap();
            });
            let address = Address::parse(path.to_str().unwrap(), folder.path()).unwrap();
            let mut store = Store::open(&address).unwrap();
            assert_eq!(store.run(&run.id()).unwrap().as_ref(), Some(&run));
            let duel = Duel::example(vec![]);
            assert_eq!(store.record_duel(&duel, Trust::Trusted).unwrap(), Recorded::New(duel.id()));
            let said = Annotation { finding: run.id(), state: State::Expected, note: "so".to_owned(), said_at_s: 15 };
            store.annotate(&said).unwrap();
            assert_eq!(store.annotations().unwrap(), [said]);
            drop(store);
            assert!(folder.path().join(format!("store.db.bak-{old}")).exists());
            assert_eq!(Store::open_to_read(&address).unwrap().duel(&duel.id()).unwrap(), Some(duel));
        }
    }

    #[test]
    fn line_ends_do_not_change_a_page() {
        assert_eq!(with_unix_lines("a\r\nb\n"), "a\nb\n");
    }
}
