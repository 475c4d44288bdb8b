"""Writing a study: short transactions, one job at a time, nothing twice.

    with Writer(path, "import") as writer:
        source = writer.open_source(...)
        writer.add_traces(source, [NewTrace, ...])      # one transaction each: samples, texts, verdicts, tallies
        writer.add_verdicts("math", "1", [...])

- Creates the study where the file does not exist; refuses an older schema (`basebound migrate`) and a foreign file.
- A sample is known by its source and its place there (line, item), so importing a file twice adds nothing and a killed
  import goes on where it stopped. Its index is the next free one of its run and problem.
- A file that mostly repeats responses of the same run and problem that came from another file (an edited, cut or converted
  copy) adds only what is new: the same draw counted twice would bias every rate. `again` adds all.
- Tallies change in the transaction that changes what they count; `store.check` re-derives them.
- While open, the study uses WAL on a local disk and a rollback journal on a network file system. Closing leaves
  journal_mode=DELETE and no -wal, unless somebody still reads.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Final

from sqlite_utils import Database

from store.copies import Copies, Placed
from store.errors import Conflict, StudyUnwritable
from store.files import BUSY_TIMEOUT_MS, explained, network_filesystem, require_schema
from store.lease import Lease
from store.migrations import create_schema
from store.names import slug_candidates
from store.texts import TextPacker, digest, train
from store.types import (
    IMPORTED,
    SETTING_NAMES,
    Finish,
    Model,
    NewCount,
    NewTrace,
    Number,
    Problem,
    Run,
)
from store.verdicts import Judged, drop_verdicts, insert_verdicts, storable

SWITCH_TIMEOUT_MS: Final = 1_000
IMPORTED_VERSION: Final = "1"
"""Version of the rules that turn a file's score into an outcome."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source file known to the study."""

    source_id: int
    fresh: bool
    """True when nothing was stored from it before: its samples need no look for duplicates."""


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


class Writer:
    """The one writer of a study. Use it as a context manager.

    Raises StudyBusy (another job writes), NotAStudy, WrongSchema, StudyUnwritable.
    """

    def __init__(self, path: Path | str, command: str) -> None:
        self.path = Path(path)
        if not self.path.parent.is_dir():
            raise StudyUnwritable(f"the folder {self.path.parent} does not exist; make it, or give another path")
        with explained(self.path):
            self._connection = sqlite3.connect(self.path.absolute(), isolation_level=None)  # ":memory:" is a file name too
            try:
                self._prepare(command)
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self, command: str) -> None:
        self._db = Database(self._connection)
        self._connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        if self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
            create_schema(self._db)
        require_schema(self._connection, self.path)
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._lease = Lease(self._connection, self.path, command)
        self._lease.take()
        self._set_journal("DELETE" if network_filesystem(self.path) else "WAL")
        # NORMAL loses nothing to a killed process; a power cut may cost the last transactions, never the study.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._forget()

    def _set_journal(self, mode: str) -> None:
        """Switching needs the file alone for a moment. While others read on, the mode it has is as safe, only slower."""
        self._connection.execute(f"PRAGMA busy_timeout = {SWITCH_TIMEOUT_MS}")
        with contextlib.suppress(sqlite3.OperationalError):
            self._connection.execute(f"PRAGMA journal_mode = {mode}")
        self._connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")

    def _forget(self) -> None:
        """Drop all that was remembered of the file: a rolled-back transaction may have taken it back."""
        self._runs: dict[Run, int] = {}
        self._problems: dict[Problem, int] = {}
        self._next_index: dict[tuple[int, int], int] = {}
        self._copies = Copies(self._connection)
        self._next_sample = self._scalar("SELECT coalesce(max(sample_id), 0) + 1 FROM sample")
        newest = self._connection.execute("SELECT dictionary_id, bytes FROM dictionary ORDER BY dictionary_id DESC LIMIT 1")
        self._dictionary_id: int | None
        self._dictionary_id, dictionary = newest.fetchone() or (None, None)
        self._packer = TextPacker(dictionary)

    def close(self) -> None:
        """Release the lease and leave one complete file without -wal. Safe to call twice.

        While somebody still reads, the -wal may have to stay, emptied into the file: the next writer takes it away.
        """
        with explained(self.path):
            try:
                self._lease.release()
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._set_journal("DELETE")
            finally:
                self._connection.close()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self.close()
        except (StudyUnwritable, sqlite3.ProgrammingError):
            if value is None:  # a full disk is told once, by the error that is already on its way
                raise

    # -- sources ----------------------------------------------------------------------------------------------------

    def source_lengths(self) -> list[tuple[int, str]]:
        """(bytes, sha256) of every source, shortest first: what a grown file is recognised by."""
        return self._connection.execute("SELECT bytes, sha256 FROM source WHERE bytes > 0 ORDER BY bytes").fetchall()

    def open_source(self, file: SourceFile) -> Source:
        """The study's row for a file: a new one, the one it has, or the one of the shorter file that this one continues."""
        with self._transaction():
            known = self._connection.execute(
                "SELECT source_id, sha256 FROM source WHERE sha256 IN (?, ?) ORDER BY sha256 = ? DESC",
                (file.sha256, file.grown_from, file.sha256),
            ).fetchone()
            if known is None:
                values = (file.path, file.format, file.sha256, file.bytes, file.sidecar, file.seed)
                cursor = self._connection.execute(
                    "INSERT INTO source (path, format, sha256, bytes, sidecar, seed) VALUES (?, ?, ?, ?, ?, ?)", values
                )
                return Source(int(cursor.lastrowid or 0), fresh=True)
            source_id, sha256 = known
            if sha256 != file.sha256:
                self._connection.execute(
                    "UPDATE source SET path = ?, sha256 = ?, bytes = ?, complete = 0 WHERE source_id = ?",
                    (file.path, file.sha256, file.bytes, source_id),
                )
            return Source(source_id, fresh=False)

    def finish_source(self, source: Source) -> None:
        """All lines of the source were read."""
        with self._transaction():
            self._connection.execute("UPDATE source SET complete = 1 WHERE source_id = ?", (source.source_id,))

    # -- runs and problems ------------------------------------------------------------------------------------------

    def name_run(self, run: Run, slug: str) -> None:
        """Give a run the slug a person chose. Raises Conflict where another run has it."""
        with self._transaction():
            run_id = self._run_id(run)
            taken = self._scalar("SELECT count(*) FROM run WHERE slug = ? AND run_id <> ?", slug, run_id)
            if taken:
                raise Conflict(
                    f"{self.path} has another run called '{slug}' with other settings; choose another name with --run"
                )
            self._connection.execute("UPDATE run SET slug = ? WHERE run_id = ?", (slug, run_id))

    def _run_id(self, run: Run) -> int:
        if run not in self._runs:
            self._runs[run] = self._stored_run(run)
        return self._runs[run]

    def _stored_run(self, run: Run) -> int:
        model_id = self._model_id(run.model)
        found = self._connection.execute("SELECT run_id FROM run WHERE key = ?", (run.key,)).fetchone()
        if found:
            return int(found[0])
        slug = next(name for name in slug_candidates(run) if not self._scalar("SELECT count(*) FROM run WHERE slug = ?", name))
        row: dict[str, object] = {"key": run.key, "slug": slug, "model_id": model_id, "benchmark": run.benchmark}
        row |= {name: getattr(run.settings, name) for name in SETTING_NAMES}
        return self._insert("run", row)

    def _model_id(self, model: Model) -> int:
        """A model's id. What is told of it later (role, parent, algorithm, step) is added, and "other" gives way."""
        found = self._connection.execute(
            "SELECT model_id FROM model WHERE name = ? AND revision = ?", (model.name, model.revision)
        ).fetchone()
        if found is None:
            return self._insert("model", asdict(model))
        self._connection.execute(
            """UPDATE model SET role = CASE WHEN ?1 = 'other' THEN role ELSE ?1 END, parent = coalesce(?2, parent),
                 algorithm = coalesce(?3, algorithm), step = coalesce(?4, step), training_seed = coalesce(?5, training_seed)
               WHERE model_id = ?6""",
            (model.role, model.parent, model.algorithm, model.step, model.training_seed, found[0]),
        )
        return int(found[0])

    def _problem_id(self, problem: Problem) -> int:
        if problem not in self._problems:
            self._problems[problem] = self._stored_problem(_storable_problem(problem))
        return self._problems[problem]

    def _stored_problem(self, problem: Problem) -> int:
        found = self._connection.execute(
            "SELECT problem_id, statement, reference FROM problem WHERE benchmark = ? AND key = ?",
            (problem.benchmark, problem.key),
        ).fetchone()
        if found is None:
            return self._insert("problem", asdict(problem))
        problem_id, statement, reference = found
        self._refuse_another(problem, "statement", statement, problem.statement)
        self._refuse_another(problem, "reference answer", reference, problem.reference)
        self._connection.execute(
            """UPDATE problem SET statement = coalesce(statement, ?), reference = coalesce(reference, ?),
                 level = coalesce(level, ?) WHERE problem_id = ?""",
            (problem.statement, problem.reference, problem.level, problem_id),
        )
        return int(problem_id)

    def _refuse_another(self, problem: Problem, what: str, stored: str | None, new: str | None) -> None:
        if stored is None or new is None or stored.split() == new.split():
            return
        raise Conflict(
            f"problem {problem.benchmark}:{problem.key} is stored with another {what}; "
            f"import this file under another name with --benchmark"
        )

    # -- samples ----------------------------------------------------------------------------------------------------

    def add_traces(self, source: Source, traces: Sequence[NewTrace], *, again: bool = False) -> Added:
        """Store what is not there yet, in one transaction. again: responses that another source has brought, too."""
        with self._transaction():
            self._learn_dictionary(traces)
            batch = _Batch()
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
            for number, placed in enumerate(new):
                if number not in copies:
                    self._put(batch, source, placed)
            self._store(batch)
            result.added, result.copies = len(batch.samples), len(copies)
            return result

    def _place(self, trace: NewTrace) -> Placed:
        problem_id = self._problem_id(trace.problem)
        return Placed(self._run_id(trace.run), problem_id, digest(trace.sample.response), trace)

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

    def _put(self, batch: _Batch, source: Source, placed: Placed) -> None:
        """Give a trace its id and index, and put its rows into the batch."""
        sample, sample_id = placed.trace.sample, self._next_sample
        run_id, problem_id, chars = placed.run_id, placed.problem_id, len(sample.response)
        self._next_sample += 1
        index = self._take_index(run_id, problem_id)
        origin = (sample.seed, source.source_id, sample.line, sample.item)
        ending = (sample.finish, sample.stop_reason, chars, sample.tokens, placed.digest)
        batch.samples.append((sample_id, run_id, problem_id, index, *origin, *ending))
        batch.texts.append((sample_id, self._dictionary_id, self._packer.pack(sample.response)))
        batch.drawn[run_id, problem_id, "samples"] += 1
        batch.drawn[run_id, problem_id, "truncated"] += sample.finish is Finish.LENGTH
        batch.drawn[run_id, problem_id, "chars"] += chars
        if placed.trace.imported is not None:
            batch.verdicts.append(Judged(sample_id, run_id, problem_id, placed.trace.imported))

    def _take_index(self, run_id: int, problem_id: int) -> int:
        pair = (run_id, problem_id)
        if pair not in self._next_index:
            self._next_index[pair] = self._scalar(
                "SELECT coalesce(max(idx), -1) + 1 FROM sample WHERE problem_id = ? AND run_id = ?", problem_id, run_id
            )
        self._next_index[pair] += 1
        return self._next_index[pair] - 1

    def _store(self, batch: _Batch) -> None:
        self._connection.executemany(
            """INSERT INTO sample (sample_id, run_id, problem_id, idx, seed, source_id, source_line, source_item, finish,
                 stop_reason, chars, tokens, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            batch.samples,
        )
        self._connection.executemany("INSERT INTO text (sample_id, dictionary_id, response) VALUES (?, ?, ?)", batch.texts)
        pairs = {(run_id, problem_id) for run_id, problem_id, _ in batch.drawn}
        self._connection.executemany(
            """INSERT INTO drawn (run_id, problem_id, samples, truncated, chars) VALUES (?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET samples = samples + excluded.samples,
                 truncated = truncated + excluded.truncated, chars = chars + excluded.chars""",
            [(*pair, *(batch.drawn[(*pair, what)] for what in ("samples", "truncated", "chars"))) for pair in sorted(pairs)],
        )
        insert_verdicts(self._connection, IMPORTED, IMPORTED_VERSION, batch.verdicts)

    def _learn_dictionary(self, traces: Sequence[NewTrace]) -> None:
        """The first batch that is large enough gives the study its dictionary."""
        if self._dictionary_id is not None:
            return
        dictionary = train([trace.sample.response for trace in traces])
        if dictionary is not None:
            row: dict[str, object] = {"bytes": dictionary, "trained_on": len(traces)}
            self._dictionary_id = self._insert("dictionary", row)
            self._packer = TextPacker(dictionary)

    # -- verdicts and counts ----------------------------------------------------------------------------------------

    def add_verdicts(self, verifier: str, version: str, judged: Sequence[Judged]) -> None:
        """Store verdicts of one verifier in one transaction; verdicts of its other versions on these samples give way."""
        with self._transaction():
            drop_verdicts(self._connection, verifier, judged)
            insert_verdicts(self._connection, verifier, version, judged)

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

    def _insert(self, table: str, row: dict[str, object]) -> int:
        key = self._db.table(table).insert(row).last_pk
        if not isinstance(key, int):
            raise TypeError(f"{table} has no integer key")
        return key

    def _scalar(self, sql: str, *values: object) -> int:
        result: int = self._connection.execute(sql, values).fetchone()[0]
        return result

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, errors explained; what was remembered is dropped when nothing was stored."""
        with explained(self.path):
            try:
                with self._db.atomic():
                    yield
                    self._lease.renew()
            except BaseException:
                self._forget()
                raise


class _Batch:
    """Rows of one transaction."""

    def __init__(self) -> None:
        self.samples: list[tuple[object, ...]] = []
        self.texts: list[tuple[int, int | None, bytes]] = []
        self.verdicts: list[Judged] = []
        self.drawn: Counter[tuple[int, int, str]] = Counter()


def _storable_problem(problem: Problem) -> Problem:
    return replace(problem, statement=storable(problem.statement), reference=storable(problem.reference))
