"""An open study with what every screen needs of it: the boards, and which runs are compared. No Textual here.

Boards are stored tallies, so a session opens without any numeric library. They are of one moment: a job may add runs while
the explorer is open, so `traces` gives those of known runs only, and `newer_boards` reads again what has changed.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

from engine.board import Board, opposite_run, read_board, reference_run
from explorer.model.walk import Goal
from explorer.render.pieces import Piece, dim
from explorer.render.words import MARKS, pair_words
from store.errors import NotAStudy
from store.names import Link
from store.reader import Study
from store.rows import Count, ProblemRow, RunRow, Trace, TraceRow
from store.types import IMPORTED
from store.verdicts import storable

if TYPE_CHECKING:
    from explorer.model.labels import Labels

BUSY_MS: Final = 1_500
"""How long a read waits for a lock. Somebody looks at the screen: a sentence and another try serve them better than waiting."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs of one benchmark: the baseline, and what is held against it (None where there is one run only)."""

    board: Board
    base: RunRow
    other: RunRow | None

    @property
    def words(self) -> tuple[str, str]:
        return pair_words(self.base, self.other)

    @property
    def runs(self) -> tuple[RunRow, ...]:
        return (self.base,) if self.other is None else (self.base, self.other)

    def runs_first(self) -> Sequence[RunRow]:
        """All runs of the benchmark, this pair in front."""
        return [*self.runs, *(run for run in self.board.runs if run not in self.runs)]

    def mark(self, run_id: int) -> Piece:
        """What stands before a run's name: ■ ○ for the two of the pair, a dot for others."""
        return next((mark for run, mark in zip(self.runs, MARKS, strict=False) if run.run_id == run_id), dim("· "))

    def count(self, run: RunRow | None, problem: ProblemRow) -> Count | None:
        return None if run is None else self.board.cells.get((run.run_id, problem.problem_id))


@dataclass(frozen=True, slots=True)
class Boards:
    """Every benchmark's board, as they were at one moment."""

    ours: Mapping[str, Board]
    files: Mapping[str, Board]
    """By the files' own scores, where another verifier decides and a file has a word beside it."""
    version: int
    """The study's `data_version` before they were read."""


class Session:
    """One study, open for reading."""

    def __init__(self, study: Study, verifier: str | None, auditor: str | None = None) -> None:
        """auditor: who labels; None for the user's own name. Raises StudyError where the study cannot be read."""
        study.require_verifier(verifier)
        self.study = study
        self.verifier = verifier
        self.auditor = stored_name(auditor or "") or own_name()
        self._file = _identity(study.path)
        self._disputed: tuple[tuple[str, int], Mapping[tuple[int, int], int]] | None = None
        self._read = self._read_boards()
        self.version_seen = self._read.version
        """The newest `data_version` of the study that anybody here has seen."""

    @classmethod
    def open(cls, path: Path, verifier: str | None = None, auditor: str | None = None) -> Session:
        study = Study(path, BUSY_MS)
        try:
            return cls(study, verifier, auditor)
        except BaseException:
            study.close()
            raise

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.study.close()

    @property
    def name(self) -> str:
        """What the study is called on screen: its file, without the way to it."""
        return self.study.path.name

    @property
    def boards(self) -> Mapping[str, Board]:
        return self._read.ours

    @property
    def file_boards(self) -> Mapping[str, Board]:
        return self._read.files

    @cached_property
    def labels(self) -> Labels:
        """What is labelled here, and the way back from it: one for all screens."""
        from explorer.model.labels import Labels

        return Labels(self)

    @property
    def is_blind(self) -> bool:
        """Is the audit blind? Without an audit nothing of it is imported."""
        return "labels" in self.__dict__ and self.labels.blind

    def apart(self) -> Study:
        """The study on a connection of its own, for what takes long: what a person asks for must not wait behind it."""
        return Study(self.study.path, BUSY_MS)

    def require_same_file(self) -> None:
        """Before anything is written: samples are known by number here, and another file has others. Raises NotAStudy."""
        now = _identity(self.study.path)
        if now is None:
            raise NotAStudy(f"{self.study.path} is no longer there; what is shown comes from the file as it was opened")
        if now != self._file:
            raise NotAStudy(
                f"{self.study.path} is another file by now; what is shown is the one that was opened: open it again"
            )

    def look(self) -> bool:
        """Has anybody committed something to the study since the last look? Raises StudyError where it cannot be read."""
        self.require_same_file()
        before, self.version_seen = self.version_seen, self.study.data_version()
        return before != self.version_seen

    def newer_boards(self) -> Boards | None:
        """The boards read again; None where nothing was committed since they were read. Changes nothing: see `take`."""
        return None if self.study.data_version() == self._read.version else self._read_boards()

    def take(self, boards: Boards) -> None:
        """From now on these are the boards. Pairs made before keep the ones they were made of."""
        self._read = boards

    def pair(self, benchmark: str, base: RunRow | None = None, other: RunRow | None = None) -> Pair | None:
        """`other`, else the run most like the baseline, against `base`, else the run roles tell, else the first."""
        board = self.boards[benchmark]
        base = base or reference_run(board.runs) or next(iter(board.runs), None)
        if base is None:
            return None
        if other is None or other.run_id == base.run_id:
            other = opposite_run(board.runs, base)
        return Pair(board, base, other)

    def disputed(self, benchmark: str) -> Mapping[tuple[int, int], int]:
        """By (run_id, problem_id). Takes long: see `apart`."""
        key = benchmark, self.study.data_version()
        if self._disputed is None or self._disputed[0] != key:
            with self.apart() as apart:
                self._disputed = key, apart.disputed(benchmark, self.verifier)
        return self._disputed[1]

    def traces(self, problem: ProblemRow, runs: Sequence[RunRow]) -> list[TraceRow]:
        """The problem's traces of these runs, in their order. A run that a job has added since is none of them."""
        order = {run.run_id: place for place, run in enumerate(runs)}
        found = (row for row in self.study.traces(problem.problem_id, self.verifier) if row.run_id in order)
        return sorted(found, key=lambda row: order[row.run_id])

    def trace(self, sample_id: int) -> Trace:
        return self.study.trace(sample_id, self.verifier)

    def goal(self, link: Link, *, read: bool = True) -> Goal:
        """Where a link leads, as deep as it goes. Raises NotFound with the part that is not there."""
        run = self.study.find_run(link.slug, link.benchmark)
        if link.benchmark is None or link.key is None:
            return Goal(run)
        if link.index is None:
            return Goal(run, self.study.problem(link.benchmark, link.key))
        trace = self.trace(self.study.find_sample(link))
        return Goal(trace.run, trace.problem, trace, link.step or 1, read)

    def _read_boards(self) -> Boards:
        version = self.study.data_version()
        ours = {name: read_board(self.study, name, self.verifier) for name in self.study.benchmarks()}
        return Boards(ours, self._read_file_boards(ours), version)

    def _read_file_boards(self, ours: Mapping[str, Board]) -> dict[str, Board]:
        if IMPORTED not in self.study.verifiers():
            return {}
        others = sorted(name for name, board in ours.items() if _judged_by_others(board))
        boards = {name: read_board(self.study, name, IMPORTED) for name in others}
        return {name: board for name, board in boards.items() if any(count.n for count in board.cells.values())}


def own_name() -> str:
    """Who labels, where nobody says: $BASEBOUND_AUDITOR, else the name of the login, else "me"."""
    try:
        return stored_name(os.environ.get("BASEBOUND_AUDITOR", "")) or stored_name(getpass.getuser()) or "me"
    except (OSError, KeyError):  # a container's user without a name
        return "me"


def stored_name(name: str) -> str:
    """An auditor's name as a study stores it, so that what is read back is known as one's own."""
    return (storable(name) or "").strip()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _judged_by_others(board: Board) -> bool:
    return any(count.verifier not in (None, IMPORTED) for count in board.cells.values())
