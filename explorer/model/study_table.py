"""The Study screen's list: which columns a width has room for, and what each says of a run.

What must be seen stays at any width: run, n, pass@1 and pass@k. Then come, as room allows, the role, what is wrong with a run
in a few words, the intervals, the gap, and its health in figures. No Textual here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from explorer.model.numbers import Limits, StudyNumbers
from explorer.model.run_health import MANY_CUT, cut_share, mean_chars
from explorer.model.tallies import RunTally
from explorer.render.columns import Column, share
from explorer.render.pieces import Line, Piece, Tone, dim, joined, plain
from explorer.render.words import NONE, counted, percent, role
from store.measures import RunDrawn
from store.rows import RunRow

WAIT = "…"
"""Where a value is being computed."""
_POINTER = 2


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to say of the runs at a moment."""

    tallies: Mapping[int, RunTally]
    """By run_id, as are all of these."""
    numbers: StudyNumbers = field(default_factory=StudyNumbers)
    limits: Mapping[int, Limits] | None = None
    """None while they are being computed, as are these."""
    drawn: Mapping[int, RunDrawn] | None = None
    labelled: Mapping[int, int] | None = None
    has_files: bool = False
    """Whether files have scores of their own beside another verifier's."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One column, with what stands in it for a run."""

    column: Column
    cell: Callable[[RunRow], Line]


def study_columns(known: Known, runs: Sequence[RunRow], mark: Callable[[RunRow], Piece], width: int) -> list[Shown]:
    """The columns; what a list of that width has no room for goes by their order. mark: what stands before a run's name."""
    health = _health(known)
    for notes in (_loud(known, cut=False), _loud(known, cut=True)):
        made = [*_first(known, runs, mark), *_notes(runs, notes), *health]
        # Where there is no room for the figures of the cuts, the words on them stand in for them.
        widths = share([each.column for each in made], width - _POINTER)
        if not health or widths[len(made) - len(health)]:
            break
    return made


def _first(known: Known, runs: Sequence[RunRow], mark: Callable[[RunRow], Piece]) -> list[Shown]:
    names = max((len(run.name) + 2 for run in runs), default=8)
    roles = max((len(role(run)) for run in runs), default=4)
    n = max((len(tally.n) for tally in known.tallies.values()), default=1)

    def run_name(run: RunRow) -> Line:
        return [mark(run), plain(run.name)]

    return [
        Shown(Column("run", min(names, 22 if known.has_files else 30), most=names, middle=True), run_name),
        Shown(Column("role", max(4, roles), drop=1), lambda run: [plain(role(run))]),
        Shown(Column("n", n, right=True), lambda run: [plain(known.tallies[run.run_id].n)]),
        Shown(Column("pass@1", 6, right=True), lambda run: [plain(percent(known.tallies[run.run_id].pass_at_1))]),
        Shown(Column("95 %", 9, drop=3), lambda run: _limits(known, run, last=False)),
        Shown(Column("pass@k", 6, right=True), lambda run: [plain(_at_k(known.numbers, "ours", run))]),
        Shown(Column("95 %", 9, drop=3), lambda run: _limits(known, run, last=True)),
        Shown(Column("gap", 5, right=True, drop=4), lambda run: [plain(_gap(known.numbers, run))]),
        *(_files(known) if known.has_files else []),
    ]


def _files(known: Known) -> list[Shown]:
    """The files' own rates."""

    def at_1(run: RunRow) -> Line:
        tally = known.tallies[run.run_id]
        return _beside(percent(tally.file_pass_at_1), percent(tally.beside_file))

    def at_k(run: RunRow) -> Line:
        return _beside(_at_k(known.numbers, "files", run), _at_k(known.numbers, "beside", run))

    return [
        Shown(Column("file @1", 7, right=True), at_1),
        Shown(Column("file @k", 7, right=True), at_k),
    ]


def _health(known: Known) -> list[Shown]:
    """In figures, for the runs of which traces are stored."""

    def cut(run: RunRow) -> Line:
        health, found = known.tallies[run.run_id].health, _of(known.drawn, run)
        if known.drawn is None and health.samples:
            return [dim(WAIT)]
        return [plain(percent(cut_share(health, found)))]

    def error(run: RunRow) -> Line:
        number = known.tallies[run.run_id].health.error
        return [(f"‼ {number:,}", Tone.WARN)] if number else [plain(NONE if number is None else "0")]

    def mean(run: RunRow) -> Line:
        chars = mean_chars(_of(known.drawn, run))
        return [dim(WAIT)] if known.drawn is None else [plain(NONE if chars is None else f"{chars:,.0f}")]

    def labels(run: RunRow) -> Line:
        stored = known.tallies[run.run_id].health.samples
        return [dim(WAIT)] if known.labelled is None else [plain(f"{known.labelled.get(run.run_id, 0):,}" if stored else NONE)]

    return [
        Shown(Column("cut %", 5, right=True, drop=5), cut),
        Shown(
            Column("∅ %", 5, right=True, drop=6),
            lambda run: [plain(percent(known.tallies[run.run_id].health.without_answer))],
        ),
        Shown(Column("error", 5, right=True, drop=7), error),
        Shown(Column("mean ch", 7, right=True, drop=8), mean),
        Shown(Column("labels", 6, right=True, drop=9), labels),
    ]


def _loud(known: Known, *, cut: bool) -> dict[int, Line]:
    """By run_id, what is wrong with it in a few words. cut: say of truncated ones too, and of errors."""
    return {run_id: joined(_wrong(tally, cut)) for run_id, tally in known.tallies.items()}


def _wrong(tally: RunTally, cut: bool) -> list[Line]:
    health = tally.health
    found: list[str] = []
    if not health.samples:
        found.append("counts only" if health.counted else "no samples")
    if health.is_part:
        found.append(f"{percent(health.samples / health.counted)} % stored")
    if cut and (health.cut or 0) >= MANY_CUT:
        found.append(f"‼ {percent(health.cut)} % truncated")
    if cut and health.error:
        found.append(f"‼ {health.error:,} error")
    if health.unjudged:
        found.append(f"{health.unjudged:,} unjudged")
    lines: list[Line] = [[(text, Tone.WARN)] for text in found]
    if health.problems < health.of_problems:
        lines.append([dim(f"{counted(health.problems, 'problem')} judged")])
    return lines


def _notes(runs: Sequence[RunRow], notes: Mapping[int, Line]) -> list[Shown]:
    if not any(notes.get(run.run_id) for run in runs):
        return []
    return [Shown(Column("notes", 12, most=48, drop=2), lambda run: notes[run.run_id])]


def _limits(known: Known, run: RunRow, *, last: bool) -> Line:
    if known.limits is None:
        return [dim(WAIT)]
    found = known.limits.get(run.run_id)
    if found is None:
        return [dim(NONE)]
    low, high = found.last if last else found.first
    return [dim(f"[{100 * low:.0f}, {100 * high:.0f}]")]


def _at_k(numbers: StudyNumbers, which: str, run: RunRow) -> str:
    if not numbers.ours:
        return WAIT
    found = getattr(numbers, which).get(run.benchmark)
    return NONE if found is None else percent(found.pass_at_k.get(run.run_id))


def _gap(numbers: StudyNumbers, run: RunRow) -> str:
    if not numbers.ours:
        return WAIT
    return percent(numbers.ours[run.benchmark].gaps.get(run.run_id)) if run.benchmark in numbers.ours else NONE


def _beside(file: str, ours: str) -> Line:
    """The file's own rate, pointed out where it is not ours: both over the same problems, so either both are there or none."""
    return [dim(file)] if file == ours or NONE in (file, ours) else [(f"≠ {file}", Tone.WARN)]


def _of(by_run: Mapping[int, RunDrawn] | None, run: RunRow) -> RunDrawn | None:
    return None if by_run is None else by_run.get(run.run_id)
