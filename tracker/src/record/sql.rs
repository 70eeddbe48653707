//! Every statement, by name. A test explains each against a store, so none can name a column that is not there.
//!
//! Statements that write or look up many rows take [`CHUNK`] of them at once, since a round trip to the database costs
//! more than a row; rows that are not needed are all `NULL` and are left out by the statement itself.

/// How many rows a statement with many rows takes.
pub(super) const CHUNK: usize = 64;

macro_rules! chunk {
    ($row:literal) => {
        concat!(
            chunk!(@eight $row), ", ", chunk!(@eight $row), ", ", chunk!(@eight $row), ", ", chunk!(@eight $row), ", ",
            chunk!(@eight $row), ", ", chunk!(@eight $row), ", ", chunk!(@eight $row), ", ", chunk!(@eight $row)
        )
    };
    (@eight $row:literal) => {
        concat!($row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row)
    };
}

macro_rules! statements {
    ($($name:ident = $text:expr;)*) => {
        $(pub(super) const $name: &str = $text;)*

        /// All of them, for the test that explains them.
        #[cfg(test)]
        pub(super) const ALL: &[(&str, &str)] = &[$((stringify!($name), $text)),*];
    };
}

// The file itself.
statements! {
    BEGIN_TO_WRITE = "BEGIN IMMEDIATE";
    BEGIN_TO_READ = "BEGIN";
    END = "COMMIT";
    STATE_OF_FILE = "SELECT (SELECT application_id FROM pragma_application_id), \
                     (SELECT user_version FROM pragma_user_version), \
                     (SELECT count(*) FROM sqlite_schema)";
    SYNC_FULLY = "PRAGMA synchronous = FULL";
    USE_WAL = "PRAGMA journal_mode = WAL";
    MARK_AS_OURS = "PRAGMA application_id = 1415668584";
    COPY_INTO = "VACUUM INTO ?";
    WRITTEN_BY = "SELECT value FROM about WHERE key = 'written_by'";
    SET_WRITTEN_BY = "INSERT INTO about (key, value) VALUES ('written_by', ?) \
                      ON CONFLICT (key) DO UPDATE SET value = excluded.value";

    // Identity: looked up first, since nearly all of it is there already, then added where missing.
    SUITE = "SELECT id FROM suites WHERE name = ?";
    ADD_SUITE = "INSERT INTO suites (name) VALUES (?) RETURNING id";
    MACHINE = "SELECT id FROM machines WHERE public_id = ?";
    ADD_MACHINE = "INSERT INTO machines (public_id, title, content) VALUES (?, ?, ?) RETURNING id";
    METRIC = "SELECT id FROM metrics WHERE name = ? AND unit = ? AND better = ? AND kind = ?";
    ADD_METRIC = "INSERT INTO metrics (name, unit, better, kind) VALUES (?, ?, ?, ?) RETURNING id";
    BENCHMARKS = concat!(
        "SELECT b.id, b.name FROM (VALUES ", chunk!("(?)"), ") \
         JOIN benchmarks b ON b.name = column1 AND b.suite_id = ?"
    );
    ADD_BENCHMARKS = concat!(
        "INSERT INTO benchmarks (suite_id, name) SELECT ?, column1 FROM (VALUES ", chunk!("(?)"), ") \
         WHERE column1 IS NOT NULL RETURNING id, name"
    );
    SERIES_OF_BENCHMARKS = concat!(
        "SELECT s.id, s.benchmark_id, s.metric_id FROM (VALUES ", chunk!("(?)"), ") \
         JOIN series s ON s.benchmark_id = column1 AND s.machine_id = ?"
    );
    ADD_SERIES = concat!(
        "INSERT INTO series (machine_id, benchmark_id, metric_id) \
         SELECT ?, column1, column2 FROM (VALUES ", chunk!("(?, ?)"), ") \
         WHERE column1 IS NOT NULL RETURNING id, benchmark_id, metric_id"
    );

    // History.
    COMMIT = "SELECT id, committed_at_s, position_s, subject FROM commits WHERE hash = ?";
    ADD_COMMIT = "INSERT INTO commits (hash, committed_at_s, position_s, subject) VALUES (?, ?, ?, ?) RETURNING id";
    CORRECT_COMMIT = "UPDATE commits SET committed_at_s = ?2, subject = ?3 WHERE id = ?1";
    SET_POSITION = "UPDATE commits SET position_s = ?2 WHERE id = ?1";
    PARENTS = "SELECT parent_hash FROM commit_parents WHERE commit_id = ? ORDER BY place";
    FORGET_PARENTS = "DELETE FROM commit_parents WHERE commit_id = ?";
    ADD_PARENT = "INSERT INTO commit_parents (commit_id, place, parent_hash) VALUES (?, ?, ?)";
    LAST_PARENT_POSITION = "SELECT max(c.position_s) FROM commit_parents p JOIN commits c ON c.hash = p.parent_hash \
                            WHERE p.commit_id = ?";
    CHILDREN = "SELECT c.id, c.hash, c.position_s FROM commit_parents p JOIN commits c ON c.id = p.commit_id \
                WHERE p.parent_hash = ?";
    COMMITS_AFTER = "SELECT id, hash, committed_at_s, position_s, subject FROM commits \
                     WHERE (position_s, hash) > (?, ?) ORDER BY position_s, hash LIMIT 256";
    COMMITS_IN_ORDER = "SELECT hash FROM commits ORDER BY position_s, hash";
    FIRST_PARENTS = "WITH RECURSIVE line (hash, step) AS ( \
                         SELECT hash, 0 FROM commits WHERE hash = ?1 \
                         UNION ALL \
                         SELECT p.parent_hash, line.step + 1 FROM line JOIN commits c ON c.hash = line.hash \
                         JOIN commit_parents p ON p.commit_id = c.id AND p.place = 0 WHERE line.step < ?2 \
                     ) SELECT hash FROM line JOIN commits USING (hash) ORDER BY step";

    // Writing a run.
    RUN_KEY = "SELECT id FROM runs WHERE public_id = ?";
    ADD_RUN = "INSERT INTO runs (public_id, suite_id, machine_id, commit_id, subject, dirty_digest, started_at_s, \
               elapsed_ns, source, notes, pulse) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id";
    NAME_RUN = "UPDATE runs SET public_id = ?2 WHERE id = ?1";
    ADD_MEASURED = concat!(
        "INSERT INTO measured (run_id, benchmark_id, cores, notes) \
         SELECT ?, column1, column2, column3 FROM (VALUES ", chunk!("(?, ?, ?)"), ") WHERE column1 IS NOT NULL"
    );
    ADD_FAILED = "INSERT INTO failed (run_id, benchmark_id, reason, ended, ended_code, stderr_tail) \
                  VALUES (?, ?, ?, ?, ?, ?)";
    ADD_POINTS = concat!(
        "INSERT INTO points (run_id, series_id, place, level, low, high, lives, samples) \
         SELECT ?, column1, column2, column3, column4, column5, column6, column7 \
         FROM (VALUES ", chunk!("(?, ?, ?, ?, ?, ?, ?)"), ") WHERE column1 IS NOT NULL"
    );
    ADD_SAMPLES = concat!(
        "INSERT INTO samples (run_id, series_id, content) \
         SELECT ?, column1, column2 FROM (VALUES ", chunk!("(?, ?)"), ") WHERE column1 IS NOT NULL"
    );
    ADD_ATTACHMENT = "INSERT INTO attachments (run_id, place, benchmark_id, kind, content) VALUES (?, ?, ?, ?, ?)";

    // Reading a run.
    RUN = "SELECT r.id, s.name, m.content, r.subject, r.started_at_s, r.elapsed_ns, r.source, r.notes, r.pulse \
           FROM runs r JOIN suites s ON s.id = r.suite_id JOIN machines m ON m.id = r.machine_id WHERE r.public_id = ?";
    MEASURED = "SELECT o.benchmark_id, b.name, o.cores, o.notes FROM measured o JOIN benchmarks b ON b.id = o.benchmark_id \
                WHERE o.run_id = ? ORDER BY o.benchmark_id";
    FAILED = "SELECT b.name, o.reason, o.ended, o.ended_code, o.stderr_tail \
              FROM failed o JOIN benchmarks b ON b.id = o.benchmark_id WHERE o.run_id = ?";
    READINGS = "SELECT s.benchmark_id, m.name, m.unit, m.better, m.kind, x.content \
                FROM samples x JOIN series s ON s.id = x.series_id JOIN metrics m ON m.id = s.metric_id \
                JOIN points p ON p.series_id = x.series_id AND p.run_id = x.run_id \
                WHERE x.run_id = ? ORDER BY s.benchmark_id, p.place";
    GISTS = "SELECT p.level, p.low, p.high, p.lives, p.samples FROM samples x \
             JOIN points p ON p.series_id = x.series_id AND p.run_id = x.run_id \
             JOIN series s ON s.id = x.series_id JOIN benchmarks b ON b.id = s.benchmark_id \
             WHERE x.run_id = ? ORDER BY b.name, p.place";
    ATTACHMENTS = "SELECT b.name, a.kind, a.content FROM attachments a JOIN benchmarks b ON b.id = a.benchmark_id \
                   WHERE a.run_id = ? ORDER BY a.place";

    // Listing runs.
    ALL_DUEL_IDS = "SELECT public_id, teaches FROM duels";
    ALL_RUN_IDS = "SELECT public_id, dirty_digest IS NOT NULL FROM runs";
    RUNS_LIKE = "SELECT public_id FROM runs WHERE public_id >= ?1 AND public_id < ?1 || 'g' ORDER BY public_id LIMIT ?2";
    RUN_IDS_AFTER = "SELECT id, public_id FROM runs WHERE id > ? ORDER BY id LIMIT 256";
    RUNS_NEWEST_FIRST = "SELECT r.public_id, s.name, c.hash, r.dirty_digest IS NOT NULL, r.started_at_s, r.elapsed_ns, \
                         r.source, m.title, \
                         (SELECT count(*) FROM measured o WHERE o.run_id = r.id), \
                         (SELECT count(*) FROM failed o WHERE o.run_id = r.id) \
                         FROM runs r JOIN suites s ON s.id = r.suite_id JOIN machines m ON m.id = r.machine_id \
                         JOIN commits c ON c.id = r.commit_id \
                         ORDER BY r.started_at_s DESC, r.id DESC LIMIT ?";

    // Writing a duel.
    DUEL_KEY = "SELECT id FROM duels WHERE public_id = ?";
    ADD_DUEL = "INSERT INTO duels (public_id, suite_id, machine_id, base_commit_id, head_commit_id, head_digest, base, \
                head, teaches, started_at_s, elapsed_ns, seed, notes, pulse) \
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id";
    ADD_BOUT = "INSERT INTO bouts (duel_id, benchmark_id, outcome, trouble) VALUES (?, ?, ?, ?)";
    ADD_CONTEST = "INSERT INTO contests (duel_id, benchmark_id, place, metric_id, base, head, lives) \
                   VALUES (?, ?, ?, ?, ?, ?, ?)";
    ADD_EVIDENCE = "INSERT INTO evidence (duel_id, benchmark_id, place, kind, head, base) VALUES (?, ?, ?, ?, ?, ?)";
    JUDGEMENT_KEY = "SELECT id FROM judgements WHERE public_id = ?";
    ADD_JUDGEMENT = "INSERT INTO judgements (public_id, duel_id, judged_at_s, content) VALUES (?, ?, ?, ?) RETURNING id";
    ADD_FINDING = "INSERT INTO findings (public_id, judgement_id) VALUES (?, ?)";

    // Reading duels.
    DUEL = "SELECT d.id, s.name, m.content, d.base, d.head, d.started_at_s, d.elapsed_ns, d.seed, d.notes, d.pulse \
            FROM duels d JOIN suites s ON s.id = d.suite_id JOIN machines m ON m.id = d.machine_id WHERE d.public_id = ?";
    BOUTS = "SELECT o.benchmark_id, b.name, o.outcome, o.trouble FROM bouts o JOIN benchmarks b ON b.id = o.benchmark_id \
             WHERE o.duel_id = ?";
    CONTESTS = "SELECT c.benchmark_id, m.name, m.unit, m.better, m.kind, c.base, c.head, e.kind, e.head, e.base \
                FROM contests c JOIN metrics m ON m.id = c.metric_id \
                JOIN evidence e ON e.duel_id = c.duel_id AND e.benchmark_id = c.benchmark_id AND e.place = c.place \
                WHERE c.duel_id = ? ORDER BY c.benchmark_id, c.place";
    DUELS_LIKE = "SELECT public_id FROM duels WHERE public_id >= ?1 AND public_id < ?1 || 'g' ORDER BY public_id LIMIT ?2";
    DUEL_IDS_AFTER = "SELECT id, public_id FROM duels WHERE id > ? ORDER BY id LIMIT 256";
    DUELS_NEWEST_FIRST = "SELECT d.public_id, s.name, b.hash, h.hash, d.head_digest IS NOT NULL, d.started_at_s, \
                          d.elapsed_ns, m.title, \
                          (SELECT count(*) FROM bouts o WHERE o.duel_id = d.id AND o.outcome = 'dueled'), \
                          (SELECT count(*) FROM bouts o WHERE o.duel_id = d.id AND o.outcome LIKE 'failed%'), \
                          (SELECT j.content ->> '$.whole' FROM judgements j WHERE j.duel_id = d.id \
                           ORDER BY j.id DESC LIMIT 1) \
                          FROM duels d JOIN suites s ON s.id = d.suite_id JOIN machines m ON m.id = d.machine_id \
                          JOIN commits b ON b.id = d.base_commit_id JOIN commits h ON h.id = d.head_commit_id \
                          ORDER BY d.started_at_s DESC, d.id DESC LIMIT ?";
    // One duel a base: whoever pushes to a branch again and again measures the same change again and again.
    LESSONS = "SELECT id, max(started_at_s) FROM duels WHERE teaches = 1 AND notes ->> '$.anchor' IS NULL \
               AND suite_id = (SELECT id FROM suites WHERE name = ?1) \
               AND machine_id = (SELECT id FROM machines WHERE public_id = ?2) \
               AND base_commit_id IS NOT (SELECT id FROM commits WHERE hash = ?3) \
               GROUP BY base_commit_id ORDER BY 2 DESC, 1 DESC LIMIT ?4";
    DUEL_BY_KEY = "SELECT d.id, s.name, m.content, d.base, d.head, d.started_at_s, d.elapsed_ns, d.seed, d.notes, d.pulse \
                   FROM duels d JOIN suites s ON s.id = d.suite_id JOIN machines m ON m.id = d.machine_id \
                   WHERE d.id = ?";
    SKETCHES = "SELECT b.name, m.name, m.unit, m.better, m.kind, c.base, c.head, c.lives \
                FROM contests c JOIN metrics m ON m.id = c.metric_id JOIN benchmarks b ON b.id = c.benchmark_id \
                WHERE c.duel_id = ? AND c.lives IS NOT NULL";
    MEDIANS = "SELECT b.name, m.name, m.unit, m.better, m.kind, c.base, c.head, e.kind, \
               CASE e.kind WHEN 'exact' THEN e.head ELSE c.lives END, CASE e.kind WHEN 'exact' THEN e.base END \
               FROM contests c JOIN metrics m ON m.id = c.metric_id JOIN benchmarks b ON b.id = c.benchmark_id \
               JOIN evidence e ON e.duel_id = c.duel_id AND e.benchmark_id = c.benchmark_id AND e.place = c.place \
               WHERE c.duel_id = ?";
    ANCHORED = "SELECT id FROM duels WHERE teaches = 1 AND notes ->> '$.anchor' IS NOT NULL ORDER BY id";
    LAST_ANCHORED = "SELECT id FROM duels WHERE teaches = 1 AND notes ->> '$.anchor' IS NOT NULL \
                     AND suite_id = (SELECT id FROM suites WHERE name = ?1) \
                     AND machine_id = (SELECT id FROM machines WHERE public_id = ?2) \
                     ORDER BY started_at_s DESC, id DESC LIMIT 1";
    ANCHOR_BUILT_BY = "SELECT notes ->> ?3 FROM duels WHERE teaches = 1 AND notes ->> '$.anchor' IS NOT NULL \
                       AND suite_id = (SELECT id FROM suites WHERE name = ?1) \
                       AND base_commit_id = (SELECT id FROM commits WHERE hash = ?2) \
                       ORDER BY started_at_s, id LIMIT 1";
    DUELS_OF_NEIGHBOURS = "SELECT d.public_id, b.hash, h.hash, d.notes ->> '$.second_look' IS NOT NULL, \
                           d.notes ->> '$.confirmed' IS NOT NULL FROM duels d JOIN commits b ON b.id = d.base_commit_id \
                           JOIN commits h ON h.id = d.head_commit_id \
                           JOIN commit_parents p ON p.commit_id = h.id AND p.place = 0 AND p.parent_hash = b.hash \
                           WHERE d.teaches = 1 AND d.notes ->> '$.anchor' IS NULL ORDER BY d.started_at_s, d.id";
    DUELS_BETWEEN = "SELECT d.public_id, d.base, d.head FROM duels d \
                     WHERE d.suite_id = (SELECT id FROM suites WHERE name = ?1) \
                     AND d.machine_id = (SELECT id FROM machines WHERE public_id = ?2) \
                     AND d.base_commit_id = (SELECT id FROM commits WHERE hash = ?3) \
                     AND d.head_commit_id = (SELECT id FROM commits WHERE hash = ?4) \
                     ORDER BY d.started_at_s, d.id";
    FINDINGS_LIKE = "SELECT DISTINCT public_id FROM findings WHERE public_id >= ?1 AND public_id < ?1 || 'g' \
                     ORDER BY public_id LIMIT ?2";
    JUDGEMENT_OF_FINDING = "SELECT j.content FROM findings f JOIN judgements j ON j.id = f.judgement_id \
                            WHERE f.public_id = ? ORDER BY j.id DESC LIMIT 1";
    LAST_JUDGEMENT = "SELECT j.content FROM judgements j JOIN duels d ON d.id = j.duel_id WHERE d.public_id = ? \
                      ORDER BY j.id DESC LIMIT 1";
    LAST_JUDGEMENT_WITH = "SELECT j.content FROM judgements j \
                           WHERE EXISTS (SELECT 1 FROM json_each(j.content, '$.shards') s WHERE s.value = ?) \
                           ORDER BY j.id DESC LIMIT 1";
    LAST_JUDGEMENT_ID = "SELECT j.public_id FROM judgements j JOIN duels d ON d.id = j.duel_id WHERE d.public_id = ? \
                         ORDER BY j.id DESC LIMIT 1";

    RUN_HEADS = "SELECT r.public_id, s.name, c.hash, r.dirty_digest IS NOT NULL, r.started_at_s, r.elapsed_ns, \
                 r.source, m.title, \
                 (SELECT count(*) FROM measured o WHERE o.run_id = r.id), \
                 (SELECT count(*) FROM failed o WHERE o.run_id = r.id), \
                 m.public_id, r.notes \
                 FROM runs r JOIN suites s ON s.id = r.suite_id JOIN machines m ON m.id = r.machine_id \
                 JOIN commits c ON c.id = r.commit_id \
                 ORDER BY c.position_s, c.hash, r.started_at_s, r.id";

    // Series and their points.
    BENCHMARKS_AFTER = "SELECT b.id, s.name, b.name FROM benchmarks b JOIN suites s ON s.id = b.suite_id \
                        WHERE b.id > ? ORDER BY b.id LIMIT 1024";
    SERIES_OF_BENCHMARK = "SELECT s.id, m.name, m.unit, m.better, m.kind, s.machine_id \
                           FROM series s JOIN metrics m ON m.id = s.metric_id WHERE s.benchmark_id = ? ORDER BY s.id";
    MACHINE_CONTENT = "SELECT content FROM machines WHERE id = ?";
    POINTS = "SELECT r.public_id, c.hash, c.committed_at_s, p.level, p.low, p.high, p.lives, p.samples \
              FROM points p JOIN runs r ON r.id = p.run_id JOIN commits c ON c.id = r.commit_id \
              WHERE p.series_id = ?1 AND r.dirty_digest IS NULL \
              ORDER BY c.position_s DESC, c.hash DESC, r.started_at_s DESC, r.id DESC LIMIT ?2";
    SERIES_AFTER = "SELECT s.id, u.name, b.name, m.name, m.unit, m.better, m.kind, s.machine_id \
                    FROM series s JOIN benchmarks b ON b.id = s.benchmark_id JOIN suites u ON u.id = b.suite_id \
                    JOIN metrics m ON m.id = s.metric_id WHERE s.id > ? ORDER BY s.id LIMIT 1024";
    RUN_MARKS_AFTER = "SELECT r.id, r.public_id, c.hash, r.started_at_s, r.notes FROM runs r \
                       JOIN commits c ON c.id = r.commit_id \
                       WHERE r.id > ? AND r.dirty_digest IS NULL ORDER BY r.id LIMIT 1024";
    POINTS_AS_RECORDED = "SELECT run_id, level, low, high FROM points WHERE series_id = ? ORDER BY run_id";
    SAMPLES = "SELECT x.content FROM samples x JOIN runs r ON r.id = x.run_id WHERE x.series_id = ? AND r.public_id = ?";

    // Findings of the history, and what was said of findings.
    NAMED = "SELECT public_id, move, turn, first_hash, last_hash, likely_hash FROM change_findings ORDER BY id";
    NAME = "INSERT INTO change_findings (public_id, move, turn, first_hash, last_hash, likely_hash) \
            VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (public_id) DO NOTHING";
    NAMED_LIKE = "SELECT public_id FROM change_findings WHERE public_id >= ?1 AND public_id < ?1 || 'g' \
                  ORDER BY public_id LIMIT ?2";
    ANNOTATE = "INSERT INTO annotations (public_id, finding, state, note, said_at_s) VALUES (?, ?, ?, ?, ?) \
                ON CONFLICT (public_id) DO NOTHING";
    ANNOTATIONS = "SELECT finding, state, note, said_at_s FROM annotations ORDER BY said_at_s, public_id";
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection};

    use super::*;
    use crate::record::sqlite;

    #[test]
    fn every_statement_fits_the_schema() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut conn = sqlite::open_to_write(&folder.path().join("store.db")).await.unwrap();
            for (name, text) in ALL {
                let explained = sqlx::raw_sql(AssertSqlSafe(format!("EXPLAIN {text}"))).execute(&mut conn).await;
                explained.unwrap_or_else(|error| panic!("{name}: {error}"));
            }
            conn.close().await.unwrap();
        });
    }

    #[test]
    fn a_chunk_has_as_many_rows_as_it_says() {
        assert_eq!(chunk!("(?)").matches('?').count(), CHUNK);
    }
}
