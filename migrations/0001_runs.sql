-- 1. Runs: what was observed, whole and for good.
--
-- How to read this page. Identity (suites, benchmarks, metrics, machines, series) stands apart from values, so that a
-- point is a small row of numbers and a name is written once. The integers are private to this file: they differ
-- between two stores that hold the same runs. What may be told to others is `public_id`, the SHA-256 of a record's
-- canonical content, which is equal wherever the same run is stored, and which makes recording a run twice the same as
-- recording it once.
--
-- Times of day are seconds since 1970 UTC. Durations are nanoseconds. JSON stands where nothing is ever searched.

-- What a person or a newer program wants to know of this file before it knows its schema. This table keeps its form in
-- every version to come: a version that is too old for the schema reads from here which version to ask for.
CREATE TABLE about (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------------------------------------------------------------
-- Identity
-- ---------------------------------------------------------------------------------------------------------------------

CREATE TABLE suites (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE benchmarks (
    id       INTEGER PRIMARY KEY,
    suite_id INTEGER NOT NULL REFERENCES suites (id),
    name     TEXT NOT NULL,
    UNIQUE (suite_id, name)
) STRICT;

-- A metric is all four together: one that changes its unit or its direction is another metric, and its values are
-- never drawn in one line with the old ones.
CREATE TABLE metrics (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL,
    unit   TEXT NOT NULL,
    better TEXT NOT NULL CHECK (better IN ('lower', 'higher', 'unknown')),
    kind   TEXT NOT NULL CHECK (kind IN ('noisy', 'exact')),
    UNIQUE (name, unit, better, kind)
) STRICT;

-- `content` is the fingerprint or the given name, as JSON; `title` is the same in a line for people.
CREATE TABLE machines (
    id        INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    title     TEXT NOT NULL,
    content   TEXT NOT NULL CHECK (json_valid(content))
) STRICT;

-- One metric of one benchmark on one machine along the history.
CREATE TABLE series (
    id           INTEGER PRIMARY KEY,
    benchmark_id INTEGER NOT NULL REFERENCES benchmarks (id),
    metric_id    INTEGER NOT NULL REFERENCES metrics (id),
    machine_id   INTEGER NOT NULL REFERENCES machines (id),
    UNIQUE (benchmark_id, machine_id, metric_id)
) STRICT;

-- ---------------------------------------------------------------------------------------------------------------------
-- History
-- ---------------------------------------------------------------------------------------------------------------------

-- Commits as far as ordering a history needs them. Dates lie: clocks are wrong, and a rebase writes a parent that is
-- younger than its child. So the order is kept in `position_s`: the commit's own date, or one more than the greatest
-- position among its known parents, whichever is later. Along any line of descent it only grows, and between commits
-- that are not related it is the date.
CREATE TABLE commits (
    id             INTEGER PRIMARY KEY,
    hash           TEXT NOT NULL UNIQUE,
    committed_at_s INTEGER NOT NULL,
    position_s     INTEGER NOT NULL,
    subject        TEXT NOT NULL
) STRICT;

CREATE INDEX commits_in_order ON commits (position_s, hash);

-- First parent has place 0. The parent is a hash, for it may be a commit that nobody has told us of yet.
CREATE TABLE commit_parents (
    commit_id   INTEGER NOT NULL REFERENCES commits (id),
    place       INTEGER NOT NULL CHECK (place >= 0),
    parent_hash TEXT NOT NULL,
    PRIMARY KEY (commit_id, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX commit_children ON commit_parents (parent_hash);

-- ---------------------------------------------------------------------------------------------------------------------
-- Runs
-- ---------------------------------------------------------------------------------------------------------------------

-- One suite at one commit on one machine. `subject` is the commit as this run tells it (a run that was imported may know
-- no more than the hash); `dirty_digest` is there when it was a working tree with changes, which is never a baseline.
-- `pulse` is the machine's state before and after, where somebody took it.
CREATE TABLE runs (
    id           INTEGER PRIMARY KEY,
    public_id    TEXT NOT NULL UNIQUE,
    suite_id     INTEGER NOT NULL REFERENCES suites (id),
    machine_id   INTEGER NOT NULL REFERENCES machines (id),
    commit_id    INTEGER NOT NULL REFERENCES commits (id),
    subject      TEXT NOT NULL CHECK (json_valid(subject)),
    dirty_digest TEXT,
    started_at_s INTEGER NOT NULL,
    elapsed_ns   INTEGER NOT NULL CHECK (elapsed_ns >= 0),
    source       TEXT NOT NULL,
    notes        TEXT NOT NULL CHECK (json_valid(notes)),
    pulse        TEXT CHECK (pulse IS NULL OR json_valid(pulse))
) STRICT;

CREATE INDEX runs_of_commit ON runs (commit_id);
CREATE INDEX runs_by_time ON runs (started_at_s, id);

-- Benchmarks that worked. Their numbers are the points; a benchmark that read nothing has no points and still stands
-- here. `notes` is absent when there are none, which is nearly always.
CREATE TABLE measured (
    run_id       INTEGER NOT NULL REFERENCES runs (id),
    benchmark_id INTEGER NOT NULL REFERENCES benchmarks (id),
    cores        INTEGER NOT NULL,
    notes        TEXT CHECK (notes IS NULL OR json_valid(notes)),
    PRIMARY KEY (run_id, benchmark_id)
) STRICT, WITHOUT ROWID;

-- Benchmarks that did not work, which is a finding and not a gap.
CREATE TABLE failed (
    run_id       INTEGER NOT NULL REFERENCES runs (id),
    benchmark_id INTEGER NOT NULL REFERENCES benchmarks (id),
    reason       TEXT NOT NULL,
    ended        TEXT CHECK (ended IN ('status', 'signal', 'killed')),
    ended_code   INTEGER,
    stderr_tail  TEXT NOT NULL,
    PRIMARY KEY (run_id, benchmark_id),
    CHECK ((ended_code IS NOT NULL) = (ended IS NOT NULL AND ended <> 'killed'))
) STRICT, WITHOUT ROWID;

-- One run's value in a series: the level (median of the lives' medians) and its 95 % interval where the data allow one.
-- Clustered by series, so that a series of ten thousand points is read from a hundred pages however many series there
-- are. `place` is the reading's place among the readings of its benchmark.
CREATE TABLE points (
    series_id INTEGER NOT NULL REFERENCES series (id),
    run_id    INTEGER NOT NULL REFERENCES runs (id),
    place     INTEGER NOT NULL CHECK (place >= 0),
    level     REAL NOT NULL,
    low       REAL,
    high      REAL,
    lives     INTEGER NOT NULL CHECK (lives > 0),
    samples   INTEGER NOT NULL CHECK (samples >= lives),
    PRIMARY KEY (series_id, run_id),
    CHECK ((low IS NULL) = (high IS NULL))
) STRICT, WITHOUT ROWID;

-- Every sample behind a point, life by life, packed without loss (`tracker/src/record/samples.rs` tells the form).
-- Clustered by run: a run is written once, in one piece.
CREATE TABLE samples (
    run_id    INTEGER NOT NULL REFERENCES runs (id),
    series_id INTEGER NOT NULL REFERENCES series (id),
    content   BLOB NOT NULL,
    PRIMARY KEY (run_id, series_id)
) STRICT, WITHOUT ROWID;

-- What a suite gave beside its numbers, such as a profile.
CREATE TABLE attachments (
    run_id       INTEGER NOT NULL REFERENCES runs (id),
    place        INTEGER NOT NULL CHECK (place >= 0),
    benchmark_id INTEGER NOT NULL REFERENCES benchmarks (id),
    kind         TEXT NOT NULL,
    content      TEXT NOT NULL CHECK (json_valid(content)),
    PRIMARY KEY (run_id, place)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 1;
