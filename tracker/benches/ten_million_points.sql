-- Makes of a store with one run of a thousand series one with ten thousand runs on a line of as many commits. The copies
-- have points and no samples, which nothing that follows a series reads.
PRAGMA journal_mode = DELETE;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -200000;

BEGIN;

INSERT INTO commits (hash, committed_at_s, position_s, subject)
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 9999)
SELECT printf('%040x', n), 1500000000 + n * 3600, 1500000000 + n * 3600, 'Change ' || n FROM n;

INSERT INTO commit_parents (commit_id, place, parent_hash)
SELECT c.id, 0, p.hash FROM commits c JOIN commits p ON p.id = c.id - 1;

INSERT INTO runs (public_id, suite_id, machine_id, commit_id, subject, started_at_s, elapsed_ns, source, notes)
SELECT printf('%064x', c.id), r.suite_id, r.machine_id, c.id, r.subject, c.committed_at_s, r.elapsed_ns, r.source, r.notes
FROM commits c JOIN runs r ON r.id = 1 WHERE c.id > 1;

INSERT INTO points (series_id, run_id, place, level, low, high, lives, samples)
SELECT s.id, r.id, 0, p.level * (1 + (r.id * 7919 + s.id * 104729) % 1000 / 50000.0),
       p.level, p.level * 1.02, 5, 100
FROM series s JOIN points p ON p.series_id = s.id AND p.run_id = 1 JOIN runs r ON r.id > 1
ORDER BY s.id, r.id;

COMMIT;

PRAGMA journal_mode = WAL;
