"""The two lists of the Paths screen: the paths of one problem, and the problems by what became of their paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from explorer.model.paths import PathRow, ProblemPaths, RunPaths, Takes
from explorer.model.session import Pair
from explorer.render.columns import Column
from explorer.render.pieces import Line, Piece, Tone, dim, plain
from explorer.render.text import one_line
from explorer.render.words import BASE_MARK, BOTH_MARK, MARKS, NONE, OTHER_MARK, counted, short_names
from explorer.widgets.virtual_list import Row, Table

_STATEMENT_CHARS: Final = 300


def takes_piece(takes: Takes, words: Sequence[str]) -> Piece:
    """Which runs take a path, with a mark and a word."""
    base, other = words
    return {
        Takes.BASE_ONLY: (f"{BASE_MARK} {base} only", Tone.BASE),
        Takes.OTHER_ONLY: (f"{OTHER_MARK} {other} only", Tone.OTHER),
        Takes.BOTH: (f"{BOTH_MARK} both", Tone.PLAIN),
        Takes.NEITHER: ("· other runs", Tone.DIM),
    }[takes]


def paths_table(pair: Pair, rows: Sequence[PathRow], examples: Mapping[int, str], empty: str) -> Table:
    """examples: first words of one response by path; empty while they are being read."""
    runs = pair.runs_first()
    names = short_names(pair.board.runs)
    taken = max((len(takes_piece(row.takes, pair.words)[0]) for row in rows), default=6)
    columns = [
        Column("path", 4, right=True),
        *([Column("who takes it", max(12, taken))] if pair.other is not None else []),
        *(Column(mark[0] + word, max(5, min(len(word) + 2, 14)), right=True, tone=mark[1]) for word, mark in _own(pair)),
        *(
            Column(names[run.run_id], min(max(len(names[run.run_id]), 4), 16), right=True, drop=2 + place, middle=True)
            for place, run in enumerate(runs[len(pair.runs) :])
        ),
        Column("begins with", 24, most=200, drop=1),
    ]

    def row(place: int) -> Row:
        one = rows[place]
        cells: list[Line] = [[plain(str(one.path))]]
        if pair.other is not None:
            cells.append([takes_piece(one.takes, pair.words)])
        cells += [[_number(one.traces(run))] for run in runs]
        example = examples.get(one.path)
        return Row([*cells, [dim("…") if example is None else plain(one_line(example))]])

    return Table(columns, len(rows), row, empty=empty)


def problems_table(pair: Pair, rows: Sequence[ProblemPaths], empty: str) -> Table:
    base, other = pair.words
    has_other = pair.other is not None
    keys = max((len(row.problem.key) for row in rows), default=1)
    columns = [
        Column("#", min(max(keys, 2), 10), most=keys, middle=True),
        Column(f"{BASE_MARK} {base}", max(6, len(base) + 2), right=True, tone=Tone.BASE),
        *(_other_columns(other) if has_other else []),
        *(Column(f"{mark[0]}traces", 12, most=15, right=True, drop=2, tone=mark[1]) for _, mark in _own(pair)),
        Column("statement", 16, most=200, drop=1),
    ]

    def row(place: int) -> Row:
        one = rows[place]
        ours = [dim(NONE)] if one.base.is_unknown else [plain(str(one.base.paths))]
        cells: list[Line] = [[plain(one.problem.key)], ours]
        if has_other:
            theirs = [dim(NONE)] if one.other.is_unknown else [plain(str(one.other.paths))]
            cells += [theirs, [plain(str(one.shared))], _lost(one), [_number(one.new)], [_equal(one)]]
        cells += [_of_right(of) for of in (one.base, one.other)[: len(pair.runs)]]
        statement = one_line((one.problem.statement or NONE)[:_STATEMENT_CHARS])
        return Row([*cells, [dim(statement)]])

    return Table(columns, len(rows), row, empty=empty)


def problems_summary(pair: Pair, rows: Sequence[ProblemPaths]) -> list[Line]:
    """What the table comes to."""
    base, other = pair.words
    lines: list[Line] = [[(f"{MARKS[0][0]}{base} {counted(sum(row.base.paths for row in rows), 'path')}", Tone.BASE)]]
    if pair.other is not None:
        lost = [row for row in rows if row.lost]
        lines += [
            [(f"{MARKS[1][0]}{other} {counted(sum(row.other.paths for row in rows), 'path')}", Tone.OTHER)],
            [plain(f"{sum(row.shared for row in rows):,} shared")],
            [plain(f"{sum(row.lost or 0 for row in rows):,} lost on {counted(len(lost), 'problem')}")],
            [plain(f"{sum(row.new or 0 for row in rows):,} new")],
        ]
        untold = sum(row.lost is None or row.new is None for row in rows)
        if untold:
            lines.append([(f"‼ {counted(untold, 'problem')} without a stored right trace of one run: not told", Tone.WARN)])
    return [*lines, [dim(f"of {counted(len(rows), 'problem')} with paths")]]


def problem_lines(pair: Pair, found: ProblemPaths) -> list[Line]:
    """How many right traces the paths of one problem are of, run by run; and what as many traces of each would show."""
    lines: list[Line] = []
    for (word, mark), of in zip(_own(pair), (found.base, found.other), strict=False):
        lines.append([(f"{mark[0]}{word} {counted(of.paths, 'path')}", mark[1]), dim(" of "), *_of_right(of, in_words=True)])
    if found.at_equal is not None and found.base.clustered != found.other.clustered:
        each = " and ".join(f"{word} {number:.1f}" for (word, _), number in zip(_own(pair), found.at_equal, strict=True))
        lines.append([dim(f"with {counted(found.equal, 'trace')} of each: "), plain(f"{each} expected")])
    return lines


def _own(pair: Pair) -> list[tuple[str, Piece]]:
    """Word and mark of the one or two runs compared."""
    return list(zip(pair.words[: len(pair.runs)], MARKS, strict=False))


def _other_columns(word: str) -> list[Column]:
    return [
        Column(f"{OTHER_MARK} {word}", max(6, len(word) + 2), right=True, tone=Tone.OTHER),
        Column("shared", 6, right=True),
        Column("lost", 13, right=True),
        Column("new", 4, right=True),
        Column("at equal traces", 18, right=True, drop=3),
    ]


def _lost(row: ProblemPaths) -> Line:
    """Paths, and how many of the baseline's right traces take them: one trace alone may be chance."""
    if row.lost is None:
        return [dim(NONE)]
    if not row.lost:
        return [dim("0")]
    return [plain(f"{row.lost}"), dim(f" ({counted(row.lost_traces, 'trace')})")]


def _equal(row: ProblemPaths) -> Piece:
    if row.at_equal is None:
        return dim(NONE)
    base, other = row.at_equal
    return plain(f"{base:.1f} / {other:.1f} at {row.equal:,}")


def _of_right(of: RunPaths, *, in_words: bool = False) -> Line:
    """How many of the right answers are stored and clustered, pointed out where that is a part."""
    if of.right is None:
        return [dim(f"{of.clustered:,} clustered, not judged" if in_words else NONE)]
    if not of.is_part:
        return [plain(counted(of.clustered, "right trace") if in_words else f"{of.clustered:,}")]
    if in_words and of.is_unknown:
        return [(f"‼ 0 stored of {counted(of.right or 0, 'right answer')}: its paths are not known", Tone.WARN)]
    said = f"{of.clustered:,} stored and clustered of {of.right:,} right" if in_words else f"{of.clustered:,} of {of.right:,}"
    return [(said, Tone.WARN if in_words else Tone.PLAIN)]


def _number(value: int | None) -> Piece:
    return dim(NONE) if value is None else plain(f"{value:,}") if value else dim("0")
