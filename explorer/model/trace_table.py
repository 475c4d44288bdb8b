"""The columns of the Traces screen, each with what stands in it for a trace and for a group of traces. No Textual here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from explorer.model.session import Pair
from explorer.model.tracelist import Group, TraceList
from explorer.render.columns import Column
from explorer.render.pieces import Line, Piece, Tone, dim, plain
from explorer.render.text import one_line
from explorer.render.words import LABELS, MARKS, NONE, file_score, finish, length, outcome
from store.rows import RunRow, TraceRow
from store.types import Outcome

FLAG: Final = "⚑"
EXTRA: Final = "+"
"""Of an extra sample."""
_SHORTEST_NAME: Final = 16


@dataclass(frozen=True, slots=True)
class Field:
    """One column, and its cell of a trace."""

    column: Column
    cell: Callable[[TraceRow], Line]


@dataclass(frozen=True, slots=True)
class Sight:
    """What cells need to know beside their trace."""

    pair: Pair
    names: Mapping[int, str]
    """Of every run, by run_id."""
    suspicions: Mapping[int, float]
    """Worked out here, of traces whose row has none."""
    is_suspecting: bool
    """More of them are being worked out."""
    marked: int | None = None
    """The sample that `=` was pressed on."""


def trace_fields(read: TraceList, sight: Sight, alone: RunRow | None = None) -> list[Field]:
    """The columns these traces need. alone: the one run whose traces are listed; its name stands over the numbers."""
    known = read.known | ({"suspicion"} if sight.suspicions or sight.is_suspecting else set())
    fields = _who(sight, alone)
    fields += [
        Field(Column("verdict", 11), lambda row: [outcome(row.outcome)]),
        Field(Column("answer", 8, most=20), _answer),
    ]
    if read.has_file:
        fields.append(Field(Column("file", 13, drop=0 if alone is None else 4), lambda row: [file_score(row)]))
    if read.has_cut:
        fields.append(Field(Column("finish", 11, drop=0 if alone is None else 7), lambda row: [finish(row.finish)]))
    fields.append(Field(Column("length", 9, right=True, drop=3), lambda row: [dim(length(row))]))
    if "perplexity" in known:
        fields.append(Field(Column("PPL base", 8, right=True, drop=5), lambda row: [plain(_figure(row.perplexity))]))
    if "path" in known:
        fields.append(
            Field(Column("path", 4, right=True, drop=6), lambda row: [plain(NONE if row.path is None else str(row.path))])
        )
    if "suspicion" in known:
        fields.append(Field(Column("susp.", 5, right=True, drop=4), lambda row: [_suspicion(row, sight)]))
    if "flagged" in known:
        fields.append(Field(Column(FLAG, 1, drop=1), lambda row: [(FLAG if row.flagged else "", Tone.WARN)]))
    if "extra" in known:
        fields.append(Field(Column(EXTRA, 1, drop=1), lambda row: [(EXTRA if row.extra else "", Tone.ACCENT)]))
    if "label" in known:
        fields.append(Field(Column("label", 8, most=17, drop=1), _label))
    return [*fields, Field(Column("how", 10, most=40, drop=8), lambda row: [dim(row.route or "")])]


def _who(sight: Sight, alone: RunRow | None) -> list[Field]:
    def number(row: TraceRow) -> Line:
        return [("=" if row.sample_id == sight.marked else "", Tone.ACCENT), plain(str(row.idx))]

    if alone is not None:
        mark, tone = sight.pair.mark(alone.run_id)
        title = mark + sight.names[alone.run_id]
        return [Field(Column(title, min(max(len(title), 6), _SHORTEST_NAME), tone=tone, middle=True), number)]
    longest = max(map(len, sight.names.values())) + 2
    return [
        Field(
            Column("run", min(longest, _SHORTEST_NAME), most=longest, middle=True),
            lambda row: [sight.pair.mark(row.run_id), plain(sight.names[row.run_id])],
        ),
        Field(Column("#", 4, right=True), number),
    ]


def group_cells(group: Group, read: TraceList, pair: Pair, columns: int) -> list[Line]:
    """A closed group in the columns of its traces: + ■180 ○101 of 1,024 | | ✗ incorrect | 36."""
    cells: list[Line] = [[dim("+ "), *_numbers(group, read, pair)], [], [outcome(group.outcome)], [_said(group)]]
    return [*cells, *([] for _ in range(columns - len(cells) - 1)), [dim(_ways(group))]]


def group_heading(group: Group, read: TraceList, pair: Pair) -> Line:
    """An open group's line over its traces: ✗ 36  ■ 180 of 1,024  ○ 101 of 1,024."""
    word, tone = outcome(group.outcome)
    pieces: list[Piece] = [dim("− "), (word[0] + " ", tone), _said(group)]
    for run, (mark, mark_tone) in zip(pair.runs, MARKS, strict=False):
        pieces += [(f"  {mark}", mark_tone), plain(f"{group.of_run(run):,} of {stored(read, run):,}")]
    others = len(group.rows) - sum(group.of_run(run) for run in pair.runs)
    pieces += [dim(f"  · {others:,} of other runs")] if others else []
    return [*pieces, dim(f"  {_ways(group)}" if group.ways > 1 else ""), dim("  ← closes")]


GROUPED_RUN: Final = 24
"""Cells for a group's numbers, where the traces' run stands."""


def _numbers(group: Group, read: TraceList, pair: Pair) -> list[Piece]:
    """■180 ○101 of 1,024, with both denominators where they differ."""
    totals = [stored(read, run) for run in pair.runs]
    same = len(set(totals)) == 1
    pieces: list[Piece] = []
    for run, total, (mark, tone) in zip(pair.runs, totals, MARKS, strict=False):
        of = "" if same else f"/{total:,}"
        pieces += [plain(" " if pieces else ""), (mark.strip(), tone), plain(f"{group.of_run(run):,}{of}")]
    pieces += [dim(f" of {totals[0]:,}")] if same else []
    others = len(group.rows) - sum(group.of_run(run) for run in pair.runs)
    return [*pieces, dim(f" ·{others:,}")] if others else pieces


def stored(read: TraceList, run: RunRow) -> int:
    """Traces of a run that are stored: what a group's numbers are of."""
    own = read.answers.get(run.run_id)
    return 0 if own is None else own.total()


def _said(group: Group) -> Piece:
    none = "none" if group.outcome is Outcome.NO_ANSWER else "?"
    return (group.answer or none, Tone.STRONG if group.outcome is Outcome.CORRECT else Tone.PLAIN)


def _ways(group: Group) -> str:
    return f"written in {group.ways:,} ways" if group.ways > 1 else ""


def _answer(row: TraceRow) -> Line:
    text = one_line(row.answer[:200]) if row.answer is not None else NONE
    return [(text, Tone.STRONG if row.outcome is Outcome.CORRECT else Tone.PLAIN)]


def _figure(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}" if value < 1000 else f"{value:.3g}"


def _suspicion(row: TraceRow, sight: Sight) -> Piece:
    """… for a right answer that is still to be looked at; wrong ones are not looked at."""
    value = row.suspicion if row.suspicion is not None else sight.suspicions.get(row.sample_id)
    if value is None:
        return dim("…" if sight.is_suspecting and row.outcome is Outcome.CORRECT else NONE)
    return (f"{value:.2f}", Tone.WARN if value >= 0.5 else Tone.PLAIN)


def _label(row: TraceRow) -> Line:
    return [(f"{row.label} {LABELS[row.label]}" if row.label else "", Tone.ACCENT)]


def widened(columns: Sequence[Column], width: int) -> list[Column]:
    """The columns with a first one that holds a group's numbers."""
    first = columns[0]
    return [Column(first.title, max(first.width, width), first.most and max(first.most, width), middle=True), *columns[1:]]
