//! The numbered pages of `migrations/`, carried in the program.

use std::borrow::Cow;

use sqlx::AssertSqlSafe;
use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Every page: number, title, text; a page ends by setting its number as the file's `user_version`. A page that was released is never edited; what it got wrong, a later page mends.
const PAGES: &[(i64, &str, &str)] = &[(1, "runs", include_str!("../../migrations/0001_runs.sql"))];

/// The schema that this version of the program writes.
pub(super) const NEWEST: i64 = PAGES[PAGES.len() - 1].0;

/// The pages as sqlx wants them.
pub(super) fn migrator() -> Migrator {
    let pages = PAGES.iter().map(|&(number, title, text)| {
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
        let released = [(1, "0e79cbb832bfbadf38e4337a6b1b4233b4c81629c1272282b47b405f15691e98")];
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
    fn line_ends_do_not_change_a_page() {
        assert_eq!(with_unix_lines("a\r\nb\n"), "a\nb\n");
    }
}
