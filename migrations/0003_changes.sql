-- 3. Changes: the names of what was found in the history, and what people said of it.
--
-- What moved follows from the points and is found anew each time; nothing of that is kept. What is kept is the name: a
-- place that is found today may be told a commit farther on when more points are known, and a link to it must not break.

-- A finding of the history: the stretch of commits in which its change may lie (the first and the last suspect), the most
-- likely one, how it moved and what that means. A finding that overlaps one of these and means the same takes its name.
-- Commits stand as hashes, for history may be rewritten and a name outlives the commit it speaks of.
CREATE TABLE change_findings (
    id          INTEGER PRIMARY KEY,
    public_id   TEXT NOT NULL UNIQUE,
    move        TEXT NOT NULL CHECK (move IN ('step', 'drift')),
    turn        TEXT NOT NULL CHECK (turn IN ('regression', 'improvement', 'moved')),
    first_hash  TEXT NOT NULL,
    last_hash   TEXT NOT NULL,
    likely_hash TEXT NOT NULL
) STRICT;

-- What somebody said of a finding; the newest word counts, the older ones are its past. `finding` is the finding's public
-- identity and may be one that this store has not met. `public_id` is the hash of all the rest.
CREATE TABLE annotations (
    id        INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    finding   TEXT NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('open', 'acknowledged', 'expected')),
    note      TEXT NOT NULL,
    said_at_s INTEGER NOT NULL
) STRICT;

CREATE INDEX annotations_of_finding ON annotations (finding, said_at_s, id);

PRAGMA user_version = 3;
