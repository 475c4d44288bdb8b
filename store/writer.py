"""Writing a study: short transactions, one job at a time, nothing twice.

    with Writer(path, "import") as writer:
        source = writer.open_source(...)
        writer.add_traces(source, [NewTrace, ...])      # one transaction each: samples, texts, verdicts, tallies
        batch = writer.open_batch(run, Batch(...), prompts)
        writer.add_draws(batch, [NewDraw, ...])         # samples of our own
        writer.add_verdicts("math", "1", [...])

- Creates the study where the file does not exist; refuses an older schema (`basebound migrate`) and a foreign file.
- A sample is known by its source and its place there (line, item), so importing a file twice adds nothing and a killed
  import goes on where it stopped. Its index is the next free one of its run and problem.
- A sample of our own is known by its run, problem and index.
- A file that mostly repeats responses of the same run and problem that came from another file (an edited, cut or converted
  copy) adds only what is new: the same draw counted twice would bias every rate. `again` adds all.
- Tallies change in the transaction that changes what they count; `store.check` re-derives them.
- How it is opened and left stands in store/open_study.py.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from store.copies import Placed
from store.engines import EngineRow, delete_engines, engines, insert_engine
from store.errors import Conflict
from store.new_rows import NewRows, Place
from store.new_scores import NewTokenScores, insert_likelihoods, insert_token_scores
from store.open_study import OpenStudy
from store.texts import TRAIN_ON_CHARS, Encoded, TextPacker, train
from store.tokens import pack_ids
from store.types import (
    IMPORTED,
    Batch,
    Likelihood,
    Model,
    NewCount,
    NewDraw,
    NewProblem,
    NewTrace,
    Number,
    Problem,
    Prompt,
    Run,
)
from store.verdicts import Judged, admit_extra, drop_verdicts, insert_verdicts

IMPORTED_VERSION: Final = "1"
"""Version of the rules that turn a file's score into an outcome."""

_UNSCORED: Final = """
SELECT sample_id FROM sample WHERE run_id = ? AND problem_id = ? AND digest = ? AND source_id IS NOT ? AND NOT EXISTS
  (SELECT 1 FROM verdict JOIN verifier USING (verifier_id) WHERE verdict.sample_id = sample.sample_id AND name = ?)
ORDER BY idx
"""

_LACK_SOME: Final = """
SELECT 1 FROM prompt JOIN run USING (run_id) WHERE run.key = :key AND :n > (
  SELECT count(*) FROM sample WHERE sample.run_id = prompt.run_id AND sample.problem_id = prompt.problem_id AND idx < :n)
LIMIT 1
"""

_HAVE_EXTRA: Final = "SELECT run_id, problem_id FROM drawn JOIN run USING (run_id) WHERE run.key = ? AND extra > 0"


@dataclass(frozen=True, slots=True)
class Source:
    """A source file known to the study."""

    source_id: int
    fresh: bool
    """True when nothing was stored from it before: its samples need no look for duplicates."""
    complete: bool = False
    """All of it was read before: its scores were given to the samples they are for."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file about to be imported."""

    path: str
    format: str
    sha256: str
    """Of the uncompressed content."""
    bytes: int
    grown_from: str | None = None
    """sha256 of the shorter content under which the study knows this file."""
    sidecar: str | None = None
    seed: Number | None = None


@dataclass(slots=True)
class Added:
    """What became of one batch."""

    added: int = 0
    copies: int = 0
    """Left out: another source has brought these responses."""
    refused: list[tuple[int, str]] = field(default_factory=list)
    """Line and sentence of each that contradicts the study and was left out."""


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch that takes samples, and the ids of what they belong to."""

    batch_id: int
    run_id: int
    problems: Mapping[Problem, int]
    opened: float = field(default_factory=time.monotonic, compare=False)

    @property
    def seconds(self) -> float:
        """Since it was opened."""
        return time.monotonic() - self.opened


class Writer(OpenStudy):
    """The one writer of a study."""

    # -- sources ----------------------------------------------------------------------------------------------------

    def source_lengths(self) -> list[tuple[int, str]]:
        """(bytes, sha256) of every source, shortest first: what a grown file is recognised by."""
        return self._connection.execute("SELECT bytes, sha256 FROM source WHERE bytes > 0 ORDER BY bytes").fetchall()

    def open_source(self, file: SourceFile) -> Source:
        """The study's row for a file: a new one, the one it has, or the one of the shorter file that this one continues."""
        with self._transaction():
            known = self._connection.execute(
                "SELECT source_id, sha256, complete FROM source WHERE sha256 IN (?, ?) ORDER BY sha256 = ? DESC",
                (file.sha256, file.grown_from, file.sha256),
            ).fetchone()
            if known is None:
                values = (file.path, file.format, file.sha256, file.bytes, file.sidecar, file.seed)
                cursor = self._connection.execute(
                    "INSERT INTO source (path, format, sha256, bytes, sidecar, seed) VALUES (?, ?, ?, ?, ?, ?)", values
                )
                return Source(int(cursor.lastrowid or 0), fresh=True)
            source_id, sha256, complete = known
            if sha256 != file.sha256:
                self._connection.execute(
                    "UPDATE source SET path = ?, sha256 = ?, bytes = ?, complete = 0 WHERE source_id = ?",
                    (file.path, file.sha256, file.bytes, source_id),
                )
            return Source(source_id, fresh=False, complete=bool(complete) and sha256 == file.sha256)

    def finish_source(self, source: Source) -> None:
        """All lines of the source were read."""
        with self._transaction():
            self._connection.execute("UPDATE source SET complete = 1 WHERE source_id = ?", (source.source_id,))

    # -- samples ----------------------------------------------------------------------------------------------------

    def add_traces(self, source: Source, traces: Sequence[NewTrace], *, again: bool = False) -> Added:
        """Store what is not there yet, in one transaction. again: responses that another source has brought, too."""
        with self._transaction():
            rows = self._new_rows([trace.sample.response for trace in traces])
            result = Added()
            new: list[Placed] = []
            for trace in traces:
                try:
                    placed = self._place(trace)
                except Conflict as conflict:
                    result.refused.append((trace.sample.line, str(conflict)))
                    continue
                if source.fresh or not self._has(source, placed):
                    new.append(placed)
            copies = set() if again else self._copies.among(source.source_id, new)
            scores = [self._put(rows, source, placed) for number, placed in enumerate(new) if number not in copies]
            rows.store(self._connection)
            taken: set[int] = set()
            scores += [self._score_of_copy(source, new[number], taken) for number in sorted(copies)]
            insert_verdicts(self._connection, IMPORTED, IMPORTED_VERSION, [score for score in scores if score])
            result.added, result.copies = len(rows.samples), len(copies)
            return result

    def _place(self, trace: NewTrace) -> Placed:
        problem_id = self._problem_id(trace.problem)
        return Placed(self._run_id(trace.run), problem_id, Encoded.of(trace.sample.response), trace)

    def _has(self, source: Source, placed: Placed) -> bool:
        return bool(
            self._scalar(
                "SELECT count(*) FROM sample WHERE source_id = ? AND run_id = ? AND source_line = ? AND source_item = ?",
                source.source_id,
                placed.run_id,
                placed.trace.sample.line,
                placed.trace.sample.item,
            )
        )

    def _put(self, rows: NewRows, source: Source, placed: Placed) -> Judged | None:
        """Give a trace its id and index, and put its rows among the others. Returns the file's own score."""
        sample = placed.trace.sample
        pair = (placed.run_id, placed.problem_id)
        origin = (sample.seed, source.source_id, sample.line, sample.item)
        place = Place(self._take_id(), *pair, self._take_index(*pair), *origin, extra=sample.extra)
        rows.add(place, placed.response, sample.finish, sample.stop_reason, tokens=sample.tokens)
        rows.hear(place.sample_id, placed.trace.opinions)
        imported = placed.trace.imported
        return None if imported is None else Judged(place.sample_id, *pair, imported)

    def _score_of_copy(self, source: Source, placed: Placed, taken: set[int]) -> Judged | None:
        """Some tools write the samples first, and the same with their scores into another file: the score is not left out.

        taken: samples that have got one in this transaction.
        """
        if placed.trace.imported is None or source.complete:
            return None
        pair = (placed.run_id, placed.problem_id)
        found = self._connection.execute(_UNSCORED, (*pair, placed.response.digest, source.source_id, IMPORTED)).fetchall()
        fresh = next((sample_id for (sample_id,) in found if sample_id not in taken), None)
        if fresh is None:
            return None
        taken.add(fresh)
        return Judged(fresh, *pair, placed.trace.imported)

    def _take_id(self) -> int:
        self._next_sample += 1
        return self._next_sample - 1

    def _take_index(self, run_id: int, problem_id: int) -> int:
        pair = (run_id, problem_id)
        if pair not in self._next_index:
            self._next_index[pair] = self._scalar(
                "SELECT coalesce(max(idx), -1) + 1 FROM sample WHERE problem_id = ? AND run_id = ?", problem_id, run_id
            )
        self._next_index[pair] += 1
        return self._next_index[pair] - 1

    def _new_rows(self, responses: Sequence[str]) -> NewRows:
        self._learn_dictionary(responses)
        return NewRows(self._packer, self._dictionary_id)

    def _learn_dictionary(self, responses: Sequence[str]) -> None:
        """The first responses that are enough give the study its dictionary: one large batch, or many small ones."""
        if self._dictionary_id is not None:
            return
        self._unlearned += responses
        dictionary = train(self._unlearned)
        if dictionary is None and sum(map(len, self._unlearned)) > TRAIN_ON_CHARS:
            self._unlearned.clear()  # too unlike each other: others may be more alike
        if dictionary is not None:
            row: dict[str, object] = {"bytes": dictionary, "trained_on": len(self._unlearned)}
            self._unlearned.clear()
            self._dictionary_id = self._insert("dictionary", row)
            self._packer = TextPacker(dictionary)

    # -- samples of our own -------------------------------------------------------------------------------------------

    def open_batch(self, run: Run, batch: Batch, prompts: Mapping[Problem, Prompt]) -> OpenBatch:
        """A batch of samples of the run, after its problems and prompts are stored.

        Raises Conflict where the run has another prompt for one of the problems: it would be another run.
        """
        with self._transaction():
            run_id = self._run_id(run)
            problems = {problem: self._problem_id(problem) for problem in prompts}
            for problem, prompt in prompts.items():
                self._put_prompt(run_id, problem, prompt)
            return OpenBatch(self._batch_id(run_id, batch), run_id, problems)

    def _batch_id(self, run_id: int, batch: Batch) -> int:
        """A new one, unless it is told when it started: then it may be there, from another merge of its shard."""
        facts = {name: value for name, value in asdict(batch).items() if value is not None}
        known = None
        if batch.started is not None:
            same = " AND ".join(f"{name} = :{name}" for name in facts)
            sql = f"SELECT batch_id FROM batch WHERE run_id = :run_id AND {same}"
            known = self._connection.execute(sql, facts | {"run_id": run_id}).fetchone()
        return self._insert("batch", {"run_id": run_id, **facts}) if known is None else int(known[0])

    def _put_prompt(self, run_id: int, problem: Problem, prompt: Prompt) -> None:
        pair = (run_id, self._problem_id(problem))
        values = (prompt.text, pack_ids(prompt.ids))
        stored = self._connection.execute("SELECT text, ids FROM prompt WHERE run_id = ? AND problem_id = ?", pair).fetchone()
        if stored is None:
            self._connection.execute("INSERT INTO prompt (run_id, problem_id, text, ids) VALUES (?, ?, ?, ?)", (*pair, *values))
        elif stored != values:
            raise Conflict(
                f"{self.path}: the run was sampled with another prompt for {problem.benchmark}:{problem.key};"
                f" the problem's statement or the tokenizer has changed since: sample into a new study"
            )

    def add_draws(self, batch: OpenBatch, draws: Sequence[NewDraw], seconds: float | None = None) -> int:
        """Store samples of ours, in one transaction; those that are there already (run, problem, index) are left alone.

        seconds: how long the batch has been drawing by now; None where its samples were drawn before it was opened.
        """
        with self._transaction():
            rows = self._new_rows([draw.response for draw in draws])
            for draw in draws:
                problem_id = batch.problems[draw.problem]
                place = (batch.run_id, problem_id, draw.index)
                if not self._scalar("SELECT count(*) FROM sample WHERE run_id = ? AND problem_id = ? AND idx = ?", *place):
                    sample = Place(
                        self._take_id(), *place, draw.seed, batch_id=batch.batch_id, logp=draw.logp, extra=draw.extra
                    )
                    response = Encoded.of(draw.response)
                    rows.add(sample, response, draw.finish, draw.stop_reason, tokens=draw.tokens, ids=draw.ids)
            rows.store(self._connection)
            if seconds is not None:
                tokens = sum(draw.tokens or 0 if draw.ids is None else len(draw.ids) for draw in draws)
                self._connection.execute(
                    "UPDATE batch SET tokens = coalesce(tokens, 0) + ?, seconds = ? WHERE batch_id = ?",
                    (tokens, seconds, batch.batch_id),
                )
            return len(rows.samples)

    def admit(self, run_key: str, n: int) -> int:
        """From now on the run has n samples of each problem: extra ones within n are counted like all others.

        Nothing changes while a problem lacks one of its n: until then which problems have more would depend on what was seen of
        them. Nor does a smaller n change anything. Returns how many became regular; see `admit_extra` for why that is fair.
        """
        with self._transaction():
            found = self._connection.execute(_HAVE_EXTRA, (run_key,)).fetchall()
            if not found or self._connection.execute(_LACK_SOME, {"key": run_key, "n": n}).fetchone():
                return 0
            return sum(admit_extra(self._connection, run_id, problem_id, n) for run_id, problem_id in found)

    # -- engine processes -----------------------------------------------------------------------------------------------

    def engines(self) -> list[EngineRow]:
        """Those that were started and are not known to have ended."""
        return engines(self._connection)

    def add_engine(self, token: str, pid: int) -> None:
        """A process of this host was started."""
        with self._transaction():
            insert_engine(self._connection, token, pid)

    def drop_engines(self, tokens: Sequence[str]) -> None:
        """They have ended."""
        with self._transaction():
            delete_engines(self._connection, tokens)

    # -- what is measured of samples ----------------------------------------------------------------------------------

    def add_likelihoods(
        self,
        scorer: Model,
        dtype: str,
        found: Sequence[Likelihood],
        *,
        engine: str = "",
        by_token: Sequence[NewTokenScores] = (),
        pieces: Mapping[int, str] | None = None,
    ) -> None:
        """Store what a model thinks of samples, in one transaction; what it said of them before gives way.

        engine: what computed it, and on which device. pieces: how the tokens read that stand among others in `by_token`.
        """
        with self._transaction():
            insert_likelihoods(self._connection, self._model_id(scorer), dtype, engine, found)
            insert_token_scores(self._connection, self._model_id(scorer), by_token, pieces or {})

    def put_paths(self, method: str, problem_id: int, paths: Mapping[int, int]) -> None:
        """The paths of a problem's samples by one method, in one transaction; those it had before are dropped.

        paths: sample id -> number of its path, from 1.
        """
        with self._transaction():
            self._connection.execute(
                "DELETE FROM path WHERE method = ? AND sample_id IN (SELECT sample_id FROM sample WHERE problem_id = ?)",
                (method, problem_id),
            )
            self._connection.executemany(
                "INSERT INTO path (sample_id, method, path) VALUES (?, ?, ?)",
                [(sample_id, method, path) for sample_id, path in paths.items()],
            )

    # -- verdicts and counts ----------------------------------------------------------------------------------------

    def add_verdicts(self, verifier: str, version: str, judged: Sequence[Judged]) -> None:
        """Store verdicts of one verifier in one transaction; verdicts of its other versions on these samples give way."""
        with self._transaction():
            drop_verdicts(self._connection, verifier, judged)
            insert_verdicts(self._connection, verifier, version, judged)

    def add_problems(self, problems: Sequence[NewProblem]) -> Added:
        """Store problems, in one transaction; where one is there already, what it lacks is filled in."""
        result = Added()
        with self._transaction():
            before = self._scalar("SELECT count(*) FROM problem")
            for new in problems:
                try:
                    self._problem_id(new.problem)
                except Conflict as conflict:
                    result.refused.append((new.line, str(conflict)))
            result.added = self._scalar("SELECT count(*) FROM problem") - before
        return result

    def add_counts(self, source: Source, counts: Sequence[NewCount]) -> Added:
        """Store published counts, in one transaction. The same counts twice add nothing."""
        result = Added()
        with self._transaction():
            for count in counts:
                try:
                    result.added += self._add_count(source, count)
                except Conflict as conflict:
                    result.refused.append((count.line, str(conflict)))
        return result

    def _add_count(self, source: Source, count: NewCount) -> bool:
        problem_id = self._problem_id(count.problem)  # first: a line that is refused leaves no run behind
        pair = (self._run_id(count.run), problem_id)
        stored = self._connection.execute(
            """SELECT correct, incorrect FROM tally
               WHERE run_id = ? AND problem_id = ? AND verifier = ? AND origin = 'published'""",
            (*pair, IMPORTED),
        ).fetchone()
        values = (count.correct, count.n - count.correct)
        if stored is not None and stored != values:
            raise Conflict(
                f"{count.run.model.name} on {count.problem.benchmark}:{count.problem.key} is stored with {stored[0]} of "
                f"{sum(stored)} correct, not {count.correct} of {count.n}; "
                f"for another drawing give another seed with --set seed=..."
            )
        if stored is None:
            self._connection.execute(
                """INSERT INTO tally (run_id, problem_id, verifier, origin, correct, incorrect, no_answer, error, source_id)
                   VALUES (?, ?, ?, 'published', ?, ?, 0, 0, ?)""",
                (*pair, IMPORTED, *values, source.source_id),
            )
        return stored is None
