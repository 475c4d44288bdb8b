"""A study open for writing: the one lease, the journal, transactions, and the ids of models, runs and problems.

`store.writer.Writer` adds to it what can be written. While open, the study uses WAL on a local disk and a rollback journal on
a network file system. Closing leaves journal_mode=DELETE and no -wal, unless somebody still reads.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sqlite_utils import Database

from store.copies import Copies
from store.errors import Conflict, StudyUnwritable
from store.files import BUSY_TIMEOUT_MS, explained, network_filesystem, require_schema
from store.lease import Lease
from store.migrations import create_schema
from store.names import slug_candidates
from store.texts import TextPacker
from store.types import SETTING_NAMES, Model, Problem, Run
from store.verdicts import storable

SWITCH_TIMEOUT_MS: Final = 1_000


class OpenStudy:
    """Created where the file does not exist. Use it as a context manager.

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
        self._last_run: tuple[Run, int] | None = None
        self._problems: dict[tuple[str, str], tuple[Problem, int]] = {}
        self._next_index: dict[tuple[int, int], int] = {}
        self._copies = Copies(self._connection)
        self._next_sample = self._scalar("SELECT coalesce(max(sample_id), 0) + 1 FROM sample")
        newest = self._connection.execute("SELECT dictionary_id, bytes FROM dictionary ORDER BY dictionary_id DESC LIMIT 1")
        self._dictionary_id: int | None
        self._dictionary_id, dictionary = newest.fetchone() or (None, None)
        self._packer = TextPacker(dictionary)
        self._unlearned: list[str] = []

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

    def keep_lease(self) -> None:
        """For a job that works long without writing: cheap, call it now and then, or another host takes the study over."""
        if self._lease.due:
            with self._transaction():  # which renews it
                pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self.close()
        except (StudyUnwritable, sqlite3.ProgrammingError):
            if value is None:  # a full disk is told once, by the error that is already on its way
                raise

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
        if self._last_run is None or self._last_run[0] is not run:  # a file's samples share one object: no need to hash it
            if run not in self._runs:
                self._runs[run] = self._stored_run(run)
            self._last_run = run, self._runs[run]
        return self._last_run[1]

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
        name = problem.benchmark, problem.key
        known = self._problems.get(name)
        if known is None or known[0] != problem:  # comparing costs less than hashing a statement
            known = self._problems[name] = problem, self._stored_problem(_storable_problem(problem))
        return known[1]

    def _stored_problem(self, problem: Problem) -> int:
        found = self._connection.execute(
            "SELECT problem_id, statement, reference FROM problem WHERE benchmark = ? AND key = ?",
            (problem.benchmark, problem.key),
        ).fetchone()
        if found is None:
            return self._insert("problem", {**asdict(problem), "images": packed_images(problem.images)})
        problem_id, statement, reference = found
        self._refuse_another(problem, "statement", statement, problem.statement)
        self._refuse_another(problem, "reference answer", reference, problem.reference)
        self._connection.execute(
            """UPDATE problem SET statement = coalesce(statement, ?), reference = coalesce(reference, ?),
                 level = coalesce(level, ?), images = coalesce(images, ?) WHERE problem_id = ?""",
            (problem.statement, problem.reference, problem.level, packed_images(problem.images), problem_id),
        )
        return int(problem_id)

    def _refuse_another(self, problem: Problem, what: str, stored: str | None, new: str | None) -> None:
        if stored is None or new is None or stored.split() == new.split():
            return
        raise Conflict(
            f"problem {problem.benchmark}:{problem.key} is stored with another {what}; "
            f"import this file under another name with --benchmark"
        )

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


def packed_images(images: tuple[str, ...]) -> str | None:
    return json.dumps(images, ensure_ascii=True) if images else None


def _storable_problem(problem: Problem) -> Problem:
    return replace(problem, statement=storable(problem.statement), reference=storable(problem.reference))
