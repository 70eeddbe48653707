-- 2. Duels: base and head measured alternately, and what was said of them.
--
-- As with runs, what was observed is kept whole and its `public_id` is the hash of its content; verdicts follow from it
-- and may be drawn anew. They are kept too, as they were said, since they also follow from the policy and the past of
-- their day.

-- One suite dueled on one machine. `base` and `head` are the sides as JSON: what was measured, and the hash of the program
-- where it is one file. `head_digest` is there when head was a working tree with changes. `seed` is an unsigned number
-- in the bits of a signed one.
--
-- `teaches` says whether later gates may learn from it how far builds of harmlessly different code lie apart: not from
-- one build against itself, not from a working tree (whoever tunes one measures the same change again and again), and
-- not from what came from somebody who is not trusted.
CREATE TABLE duels (
    id             INTEGER PRIMARY KEY,
    public_id      TEXT NOT NULL UNIQUE,
    suite_id       INTEGER NOT NULL REFERENCES suites (id),
    machine_id     INTEGER NOT NULL REFERENCES machines (id),
    base_commit_id INTEGER NOT NULL REFERENCES commits (id),
    head_commit_id INTEGER NOT NULL REFERENCES commits (id),
    head_digest    TEXT,
    base           TEXT NOT NULL CHECK (json_valid(base)),
    head           TEXT NOT NULL CHECK (json_valid(head)),
    teaches        INTEGER NOT NULL CHECK (teaches IN (0, 1)),
    started_at_s   INTEGER NOT NULL,
    elapsed_ns     INTEGER NOT NULL CHECK (elapsed_ns >= 0),
    seed           INTEGER NOT NULL,
    notes          TEXT NOT NULL CHECK (json_valid(notes)),
    pulse          TEXT CHECK (pulse IS NULL OR json_valid(pulse))
) STRICT;

CREATE INDEX duels_by_time ON duels (started_at_s, id);
CREATE INDEX duels_of_sides ON duels (suite_id, machine_id, base_commit_id, head_commit_id);

-- What became of each benchmark. `trouble` is there when one side could not be measured.
CREATE TABLE bouts (
    duel_id      INTEGER NOT NULL REFERENCES duels (id),
    benchmark_id INTEGER NOT NULL REFERENCES benchmarks (id),
    outcome      TEXT NOT NULL CHECK (outcome IN ('dueled', 'missing', 'new', 'failed on base', 'failed on head')),
    trouble      TEXT CHECK (trouble IS NULL OR json_valid(trouble)),
    PRIMARY KEY (duel_id, benchmark_id),
    CHECK ((trouble IS NULL) = (outcome IN ('dueled', 'missing', 'new')))
) STRICT, WITHOUT ROWID;

-- One metric of a benchmark that was dueled: the medians on both sides in the metric's unit, and one number a life, the
-- median of its log-ratios, which is all that a judgement asks of the past. `lives` is absent for a metric that is a
-- number of the binary, and where no life was whole.
CREATE TABLE contests (
    duel_id      INTEGER NOT NULL REFERENCES duels (id),
    benchmark_id INTEGER NOT NULL REFERENCES benchmarks (id),
    place        INTEGER NOT NULL CHECK (place >= 0),
    metric_id    INTEGER NOT NULL REFERENCES metrics (id),
    base         REAL NOT NULL,
    head         REAL NOT NULL,
    lives        BLOB,
    PRIMARY KEY (duel_id, benchmark_id, place)
) STRICT, WITHOUT ROWID;

-- All that was read, packed as samples are. `kind` is 'paired' (`head` holds the log-ratios of head/base life by life,
-- `base` those of base against itself, the null control) or 'exact' (the values of either side).
CREATE TABLE evidence (
    duel_id      INTEGER NOT NULL REFERENCES duels (id),
    benchmark_id INTEGER NOT NULL REFERENCES benchmarks (id),
    place        INTEGER NOT NULL CHECK (place >= 0),
    kind         TEXT NOT NULL CHECK (kind IN ('paired', 'exact')),
    head         BLOB NOT NULL,
    base         BLOB NOT NULL,
    PRIMARY KEY (duel_id, benchmark_id, place)
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------------------------------------------------------------
-- What was said
-- ---------------------------------------------------------------------------------------------------------------------

-- A report on a duel, as it was given.
CREATE TABLE judgements (
    id          INTEGER PRIMARY KEY,
    public_id   TEXT NOT NULL UNIQUE,
    duel_id     INTEGER NOT NULL REFERENCES duels (id),
    judged_at_s INTEGER NOT NULL,
    content     TEXT NOT NULL CHECK (json_valid(content))
) STRICT;

CREATE INDEX judgements_of_duel ON judgements (duel_id, id);

-- The addresses of the findings in it: one finding keeps its address in every judgement of its duel.
CREATE TABLE findings (
    public_id    TEXT NOT NULL,
    judgement_id INTEGER NOT NULL REFERENCES judgements (id),
    PRIMARY KEY (public_id, judgement_id)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 2;
