"""The study file's tables, and the numbered migrations that lead to them.

A migration is a name and a script; it is never edited once released. `PRAGMA user_version` counts those applied,
`PRAGMA application_id` tells a study from anybody else's SQLite file. All tables are STRICT; names are the field's own,
so that a study can be read with any SQLite tool (the view `trace` is the friendly way in, texts apart: they are
compressed, see store/texts.py).
"""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x42_42_4E_44  # "BBND"

_INITIAL: Final = """
CREATE TABLE model (
  model_id      INTEGER PRIMARY KEY,
  name          TEXT NOT NULL,
  revision      TEXT NOT NULL,
  role          TEXT NOT NULL CHECK (role IN ('base', 'sft', 'rl', 'distilled', 'instruct', 'other')),
  parent        TEXT,
  algorithm     TEXT,
  step          INTEGER,
  training_seed INTEGER,
  UNIQUE (name, revision)
) STRICT;

-- Settings are never NULL: what nobody recorded is the word 'unknown' (hence ANY where a number is usual).
CREATE TABLE run (
  run_id             INTEGER PRIMARY KEY,
  key                TEXT NOT NULL UNIQUE,
  slug               TEXT NOT NULL UNIQUE,
  model_id           INTEGER NOT NULL REFERENCES model,
  benchmark          TEXT NOT NULL,
  prompt_template    TEXT NOT NULL,
  chat_template      TEXT NOT NULL,
  temperature        ANY NOT NULL,
  top_p              ANY NOT NULL,
  top_k              ANY NOT NULL,
  min_p              ANY NOT NULL,
  repetition_penalty ANY NOT NULL,
  max_tokens         ANY NOT NULL,
  context_cap        ANY NOT NULL,
  stop               TEXT NOT NULL,
  stop_ids           TEXT NOT NULL,
  seed               ANY NOT NULL,
  created            TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) STRICT;

CREATE TABLE problem (
  problem_id INTEGER PRIMARY KEY,
  benchmark  TEXT NOT NULL,
  key        TEXT NOT NULL,
  statement  TEXT,
  reference  TEXT,
  kind       TEXT NOT NULL,
  level      TEXT,
  UNIQUE (benchmark, key)
) STRICT;

-- One imported file. sha256 and bytes are of the uncompressed content, so that x.jsonl and x.jsonl.gz are one source,
-- and a file that has grown since is recognised by its first `bytes` bytes.
CREATE TABLE source (
  source_id INTEGER PRIMARY KEY,
  path      TEXT NOT NULL,
  format    TEXT NOT NULL,
  sha256    TEXT NOT NULL UNIQUE,
  bytes     INTEGER NOT NULL,
  sidecar   TEXT,
  seed      ANY,
  imported  TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
  complete  INTEGER NOT NULL DEFAULT 0 CHECK (complete IN (0, 1))
) STRICT;

CREATE TABLE sample (
  sample_id   INTEGER PRIMARY KEY,
  run_id      INTEGER NOT NULL REFERENCES run,
  problem_id  INTEGER NOT NULL REFERENCES problem,
  idx         INTEGER NOT NULL CHECK (idx >= 0),
  seed        INTEGER,
  source_id   INTEGER REFERENCES source,
  source_line INTEGER,
  source_item INTEGER,
  finish      TEXT NOT NULL CHECK (finish IN ('stop', 'length', 'unknown')),
  stop_reason TEXT,
  chars       INTEGER NOT NULL,
  tokens      INTEGER,
  digest      INTEGER NOT NULL, -- of the response: the same text from two files is seen without reading texts
  UNIQUE (problem_id, run_id, idx)
) STRICT;
CREATE UNIQUE INDEX sample_source ON sample (source_id, run_id, source_line, source_item) WHERE source_id IS NOT NULL;

CREATE TABLE dictionary (
  dictionary_id INTEGER PRIMARY KEY,
  bytes         BLOB NOT NULL,
  trained_on    INTEGER NOT NULL
) STRICT;

-- Apart from sample, so that lists never read past a response.
CREATE TABLE text (
  sample_id     INTEGER PRIMARY KEY REFERENCES sample,
  dictionary_id INTEGER REFERENCES dictionary,
  response      BLOB NOT NULL
) STRICT;

CREATE TABLE verifier (
  verifier_id INTEGER PRIMARY KEY,
  name        TEXT NOT NULL,
  version     TEXT NOT NULL,
  UNIQUE (name, version)
) STRICT;

-- At most one verdict per sample and verifier name: a newer version replaces an older one.
CREATE TABLE verdict (
  sample_id    INTEGER NOT NULL REFERENCES sample,
  verifier_id  INTEGER NOT NULL REFERENCES verifier,
  outcome      TEXT NOT NULL CHECK (outcome IN ('correct', 'incorrect', 'no_answer', 'error')),
  route        TEXT NOT NULL,
  answer       TEXT,
  answer_start INTEGER,
  answer_end   INTEGER,
  detail       TEXT,
  PRIMARY KEY (sample_id, verifier_id)
) STRICT, WITHOUT ROWID;

-- What was drawn: unjudged = samples - judged. Changed in the transaction that adds the samples.
CREATE TABLE drawn (
  run_id     INTEGER NOT NULL REFERENCES run,
  problem_id INTEGER NOT NULL REFERENCES problem,
  samples    INTEGER NOT NULL,
  truncated  INTEGER NOT NULL,
  chars      INTEGER NOT NULL,
  PRIMARY KEY (run_id, problem_id)
) STRICT, WITHOUT ROWID;

-- Counts by verifier name. 'derived' is counted from verdicts, in the transaction that changes them; 'published' came as
-- counts from a file, and has no samples behind it.
CREATE TABLE tally (
  run_id     INTEGER NOT NULL REFERENCES run,
  problem_id INTEGER NOT NULL REFERENCES problem,
  verifier   TEXT NOT NULL,
  origin     TEXT NOT NULL CHECK (origin IN ('derived', 'published')),
  correct    INTEGER NOT NULL CHECK (correct >= 0),
  incorrect  INTEGER NOT NULL CHECK (incorrect >= 0),
  no_answer  INTEGER NOT NULL CHECK (no_answer >= 0),
  error      INTEGER NOT NULL CHECK (error >= 0),
  source_id  INTEGER REFERENCES source,
  PRIMARY KEY (run_id, problem_id, verifier, origin)
) STRICT, WITHOUT ROWID;

-- Append-only: the newest row of an auditor for a sample is the one in force; label NULL takes a label back.
CREATE TABLE audit (
  audit_id  INTEGER PRIMARY KEY,
  sample_id INTEGER NOT NULL REFERENCES sample,
  auditor   TEXT NOT NULL,
  label     INTEGER CHECK (label BETWEEN 1 AND 8),
  step      INTEGER,
  note      TEXT,
  chosen    TEXT NOT NULL CHECK (chosen IN ('browse', 'influence', 'random', 'protocol', 'imported')),
  created   TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;
CREATE INDEX audit_sample ON audit (sample_id);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;

-- Who is writing: one job at a time. A killed job leaves its row behind; it is taken over once that process is gone, or,
-- from another host, once it was not renewed (Unix seconds) for a while.
CREATE TABLE lease (
  job     TEXT PRIMARY KEY,
  command TEXT NOT NULL,
  host    TEXT NOT NULL,
  pid     INTEGER NOT NULL,
  started TEXT NOT NULL,
  renewed INTEGER NOT NULL
) STRICT;

CREATE VIEW trace AS
  SELECT sample.sample_id, run.slug AS run, problem.benchmark, problem.key AS problem, sample.idx, verifier.name AS verifier,
         verdict.outcome, verdict.route, verdict.answer, problem.reference, sample.finish, sample.chars, sample.tokens
  FROM sample JOIN run USING (run_id) JOIN problem USING (problem_id)
  LEFT JOIN verdict USING (sample_id) LEFT JOIN verifier USING (verifier_id);
"""

_SAMPLED: Final = """
-- What made samples of ours: it may change while a run is topped up, so it is no part of the run.
CREATE TABLE batch (
  batch_id   INTEGER PRIMARY KEY,
  run_id     INTEGER NOT NULL REFERENCES run,
  sampler    TEXT NOT NULL,
  version    TEXT NOT NULL,
  device     TEXT NOT NULL,
  dtype      TEXT NOT NULL,
  host       TEXT NOT NULL,
  vocabulary TEXT NOT NULL, -- SHA-256: token ids mean something under it only
  started    TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) STRICT;
ALTER TABLE sample ADD COLUMN batch_id INTEGER REFERENCES batch;

-- What a run's model was given for a problem, template and all. ids as in store/tokens.py.
CREATE TABLE prompt (
  run_id     INTEGER NOT NULL REFERENCES run,
  problem_id INTEGER NOT NULL REFERENCES problem,
  text       TEXT NOT NULL,
  ids        BLOB NOT NULL,
  PRIMARY KEY (run_id, problem_id)
) STRICT, WITHOUT ROWID;

-- The response as it was generated, stop token included. ids as in store/tokens.py.
CREATE TABLE token (
  sample_id INTEGER PRIMARY KEY REFERENCES sample,
  ids       BLOB NOT NULL
) STRICT;

-- What a model thinks of a response, at one decoding: sums over the response's tokens, in nats. Perplexity is measured at
-- temperature 1 and top_p 1. A response with tokens outside the decoding distribution has logp NULL: its probability is 0.
CREATE TABLE likelihood (
  sample_id   INTEGER NOT NULL REFERENCES sample,
  scorer_id   INTEGER NOT NULL REFERENCES model,
  temperature REAL NOT NULL,
  top_p       REAL NOT NULL,
  top_k       INTEGER NOT NULL,
  tokens      INTEGER NOT NULL, -- scored, the stop token among them where there is one
  logp        REAL,
  outside     INTEGER NOT NULL, -- tokens that this decoding can never draw
  stop_logp   REAL,             -- the stop token's part of logp; NULL where none was generated, or it cannot be drawn
  dtype       TEXT NOT NULL,
  PRIMARY KEY (sample_id, scorer_id, temperature, top_p, top_k)
) STRICT, WITHOUT ROWID;

-- Which reasoning path a correct response takes: a number within its problem, by one method (name and version).
CREATE TABLE path (
  sample_id INTEGER NOT NULL REFERENCES sample,
  method    TEXT NOT NULL,
  path      INTEGER NOT NULL CHECK (path >= 1),
  PRIMARY KEY (sample_id, method)
) STRICT, WITHOUT ROWID;
"""

_READINGS: Final = """
-- What other rules would have read in a response, where that is another answer than the verdict's.
CREATE TABLE reading (
  sample_id    INTEGER NOT NULL REFERENCES sample,
  verifier_id  INTEGER NOT NULL REFERENCES verifier,
  rule         TEXT NOT NULL CHECK (rule IN ('first', 'segment', 'last')),
  outcome      TEXT NOT NULL CHECK (outcome IN ('correct', 'incorrect', 'no_answer', 'error')),
  answer       TEXT,
  answer_start INTEGER,
  answer_end   INTEGER,
  PRIMARY KEY (sample_id, verifier_id, rule)
) STRICT, WITHOUT ROWID;

ALTER TABLE problem ADD COLUMN images TEXT; -- a JSON list of paths; NULL where there are none
"""

_EXPLORED: Final = """
-- How much speaks for luck in a right answer, by one version of the rules in engine/luck. Looked at and clean is score 0.
CREATE TABLE suspicion (
  sample_id INTEGER PRIMARY KEY REFERENCES sample,
  version   TEXT NOT NULL,
  score     REAL NOT NULL CHECK (score BETWEEN 0 AND 1)
) STRICT;
CREATE TABLE reason (
  sample_id INTEGER NOT NULL REFERENCES sample,
  place     INTEGER NOT NULL, -- of the sample's reasons, from 0, in order of place in the response
  kind      TEXT NOT NULL,
  start     INTEGER NOT NULL, -- characters of the response
  end       INTEGER NOT NULL,
  detail    TEXT NOT NULL,
  retracted INTEGER NOT NULL CHECK (retracted IN (0, 1)), -- the text takes it back itself
  PRIMARY KEY (sample_id, place)
) STRICT, WITHOUT ROWID;

-- What an auditor keeps of a trace beside labels: a flag to come back to it, a note, a marked step. Append-only: the newest row
-- of an auditor, sample, kind and step is in force, and gone = 1 takes it away.
CREATE TABLE mark (
  mark_id   INTEGER PRIMARY KEY,
  sample_id INTEGER NOT NULL REFERENCES sample,
  auditor   TEXT NOT NULL,
  kind      TEXT NOT NULL CHECK (kind IN ('flag', 'note', 'step')),
  step      INTEGER CHECK (step >= 1),
  text      TEXT,
  gone      INTEGER NOT NULL DEFAULT 0 CHECK (gone IN (0, 1)),
  created   TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  CHECK ((kind = 'step') = (step IS NOT NULL))
) STRICT;
CREATE INDEX mark_sample ON mark (sample_id);

-- Words that people put on problems. Append-only like marks.
CREATE TABLE tag (
  tag_id     INTEGER PRIMARY KEY,
  problem_id INTEGER NOT NULL REFERENCES problem,
  tag        TEXT NOT NULL,
  auditor    TEXT NOT NULL,
  gone       INTEGER NOT NULL DEFAULT 0 CHECK (gone IN (0, 1)),
  created    TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;
CREATE INDEX tag_problem ON tag (problem_id);

CREATE TRIGGER mark_is_never_changed BEFORE UPDATE ON mark BEGIN SELECT RAISE(ABORT, 'mark is append-only'); END;
CREATE TRIGGER mark_is_never_deleted BEFORE DELETE ON mark BEGIN SELECT RAISE(ABORT, 'mark is append-only'); END;
CREATE TRIGGER tag_is_never_changed BEFORE UPDATE ON tag BEGIN SELECT RAISE(ABORT, 'tag is append-only'); END;
CREATE TRIGGER tag_is_never_deleted BEFORE DELETE ON tag BEGIN SELECT RAISE(ABORT, 'tag is append-only'); END;
"""

_SAMPLED_ANYWHERE: Final = """
-- What of the engine may move a draw by rounding: tensor parallel size, whether batches are invariant.
ALTER TABLE batch ADD COLUMN detail TEXT NOT NULL DEFAULT '';

-- How fast it was: so many tokens in so many seconds of drawing, loading aside. NULL where nobody measured.
ALTER TABLE batch ADD COLUMN tokens INTEGER;
ALTER TABLE batch ADD COLUMN seconds REAL;

-- Nats of the whole response under the decoding it was drawn from, as the engine had it while drawing: minus its mean a token
-- is the entropy of that decoding. Not to be mixed with `likelihood`, which is measured afterwards.
ALTER TABLE sample ADD COLUMN logp REAL;

-- 1: drawn beyond the run's n because a plan asked for it. Extra samples are counted apart (`drawn.extra`, `extra_tally`), for
-- rates over a benchmark need the same n everywhere; evidence about one problem uses all.
ALTER TABLE sample ADD COLUMN extra INTEGER NOT NULL DEFAULT 0 CHECK (extra IN (0, 1));
ALTER TABLE drawn ADD COLUMN extra INTEGER NOT NULL DEFAULT 0;
CREATE TABLE extra_tally (
  run_id     INTEGER NOT NULL REFERENCES run,
  problem_id INTEGER NOT NULL REFERENCES problem,
  verifier   TEXT NOT NULL,
  correct    INTEGER NOT NULL CHECK (correct >= 0),
  incorrect  INTEGER NOT NULL CHECK (incorrect >= 0),
  no_answer  INTEGER NOT NULL CHECK (no_answer >= 0),
  error      INTEGER NOT NULL CHECK (error >= 0),
  PRIMARY KEY (run_id, problem_id, verifier)
) STRICT, WITHOUT ROWID;

-- Engine processes that a writing job has started. One that was killed leaves its rows, and perhaps the processes, behind: the
-- next one finds them by the token in their environment, and ends them.
CREATE TABLE engine (
  token   TEXT PRIMARY KEY,
  host    TEXT NOT NULL,
  pid     INTEGER NOT NULL,
  started TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) STRICT;
"""

_FINER: Final = """
-- Of the sums, what a mean hides. All NULL where the scorer did not tell.
ALTER TABLE likelihood ADD COLUMN entropy REAL;          -- nats, of the decoding distribution, summed over the tokens
ALTER TABLE likelihood ADD COLUMN lowest REAL;           -- log-probability of the least probable token that can be drawn
ALTER TABLE likelihood ADD COLUMN lowest_at INTEGER;     -- its place among the tokens, from 0
ALTER TABLE likelihood ADD COLUMN first_choices INTEGER; -- tokens that are the scorer's most probable ones
-- The largest, over the tokens, of (mass of the tokens more probable than it) - top_p: below 0 every token lies in the nucleus.
-- NULL without a nucleus (top_p 1).
ALTER TABLE likelihood ADD COLUMN edge REAL;
-- 1: the text was tokenized anew, because its token ids are unknown or another vocabulary's. They need not be those generated,
-- and no stop token is among them.
ALTER TABLE likelihood ADD COLUMN retokenized INTEGER NOT NULL DEFAULT 0 CHECK (retokenized IN (0, 1));
ALTER TABLE likelihood ADD COLUMN engine TEXT NOT NULL DEFAULT ''; -- what computed it, with its version and device

-- A response token by token, of some samples: data as in store/token_scores.py. `decoded` and `edge` in it are of the decoding
-- named here; 1, 1, 0 where there is none but the model's own distribution.
CREATE TABLE token_score (
  token_score_id INTEGER PRIMARY KEY,
  sample_id      INTEGER NOT NULL REFERENCES sample,
  scorer_id      INTEGER NOT NULL REFERENCES model,
  temperature    REAL NOT NULL,
  top_p          REAL NOT NULL,
  top_k          INTEGER NOT NULL,
  vocabulary     TEXT NOT NULL, -- SHA-256: under it token ids in the data mean something
  data           BLOB NOT NULL,
  UNIQUE (sample_id, scorer_id)
) STRICT;

-- How tokens read that a scorer found probable where a response has others.
CREATE TABLE piece (
  vocabulary TEXT NOT NULL,
  token_id   INTEGER NOT NULL,
  text       TEXT NOT NULL,
  PRIMARY KEY (vocabulary, token_id)
) STRICT, WITHOUT ROWID;
"""

MIGRATIONS: Final[tuple[tuple[str, str], ...]] = (
    ("0001 the first schema", _INITIAL),
    ("0002 samples of our own, their likelihoods and paths", _SAMPLED),
    ("0003 what other rules read in a response; images of problems", _READINGS),
    ("0004 suspicion of luck; flags, notes and marked steps of traces, tags of problems", _EXPLORED),
    ("0005 log-probability of draws, extra samples, engine processes", _SAMPLED_ANYWHERE),
    ("0006 likelihoods token by token", _FINER),
)

SCHEMA_VERSION: Final = len(MIGRATIONS)
