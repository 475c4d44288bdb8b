"""Pictures made from stored traces: lengths, and one problem. Call them in a worker. Likelihoods: pictures_of_likelihoods.py.

Where fewer traces are stored than were counted, they may have been chosen by their answers: then there are numbers and the
sentence that says so, and nothing is drawn. They are read on a connection of their own: somebody else may be reading a trace.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import isnan
from typing import Any, Final

from explorer.model import picture_facts as facts
from explorer.model.session import Pair, Session
from explorer.render.histogram import answers, histogram
from explorer.render.pieces import Line
from explorer.render.plots.picture import Picture, Series, Shape, Values
from explorer.render.words import MARKS, correct_of, counted
from store.reader import DECIDING
from store.rows import Count, ProblemRow
from store.types import Outcome

Groups = dict[tuple[int, bool], list[tuple[float, int]]]
"""By run and whether they are right: values, and how many traces have each."""

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
RIGHT: Final = {True: "right ✓", False: "wrong ✗"}
_BOX: Final = "box: quartiles around the median ┃, whiskers: 5 to 95 %"

_HAS_TOKENS: Final = """
SELECT count(*) = count(tokens) FROM sample JOIN problem USING (problem_id)
WHERE benchmark = :benchmark AND run_id IN (:base, :other) AND NOT extra
"""
_LENGTHS: Final = f"""
SELECT run_id, ours.outcome, {{unit}}, count(*) FROM sample JOIN problem USING (problem_id) {DECIDING}
WHERE problem.benchmark = :benchmark AND run_id IN (:base, :other) AND NOT extra GROUP BY 1, 2, 3
"""


def lengths(session: Session, pair: Pair) -> Picture:
    """How long the responses are, right and wrong ones apart."""
    with session.apart() as study:
        asked = asked_of(session, pair)
        unit = "tokens" if study.query(_HAS_TOKENS, asked)[0][0] else "chars"
        groups = _grouped(study.query(_LENGTHS.format(unit=unit), asked))
    word = "tokens" if unit == "tokens" else "characters"
    places = [(run, right) for run in pair.runs for right in (True, False)]
    words = dict(zip((run.run_id for run in pair.runs), pair.words, strict=False))
    found = [groups.get((run.run_id, right), []) for run, right in places]
    rows = [
        (f"{words[run.run_id]} {RIGHT[right]}", quantiles(group)) for (run, right), group in zip(places, found, strict=True)
    ]
    number = tuple(float(sum(times for _, times in group)) for group in found)
    picture = Picture("lengths", f"length of responses in {word}", unit=word, digits=0)
    return boxes(pair, picture, rows, [Series("traces", "traces", number)])


def problem(session: Session, pair: Pair, row: ProblemRow | None) -> Picture:
    """One problem: pass@k of both runs on it, what they answered."""
    from engine.analyses.intervals import clopper_pearson
    from engine.analyses.passk import k_grid, pass_curve

    if row is None:
        return Picture("problem", "one problem", notes=("p on a problem shows its picture here",))
    counts = [pair.count(run, row) for run in pair.runs]
    most = max((count.n for count in counts if count is not None), default=0)
    ks = k_grid(most)
    series = []
    for word, run, count in zip(pair.words, pair.runs, counts, strict=False):
        if count is None or not count.n:
            continue
        curve = pass_curve([count.n], [count.correct], ks)[0]
        p = [float(end[0]) for end in clopper_pearson([count.n], [count.correct])]
        series.append(Series(word, run.slug, facts.percents(curve), *_at_k(p, curve.tolist(), ks)))
    said = " · ".join(f"{word} {correct_of(count)}" for word, count in zip(pair.words, counts, strict=False))
    missing = tuple(
        f"{word} was not judged on this problem"
        for word, count in zip(pair.words, counts, strict=False)
        if not (count and count.n)
    )
    return Picture(
        "problem", f"{row.benchmark}:{row.key}, pass@k of this problem", places=tuple(map(str, ks)), series=tuple(series),
        facts=(f"c/n: {said} · verdicts by {pair.board.verifier}", *facts.drawn_how(pair),
               "intervals 95 % from sampling alone: exact limits of p (Clopper and Pearson), as pass@k"),
        extra=_answer_lines(session, pair, row), notes=missing,
    )  # fmt: skip


def _at_k(p: Sequence[float], curve: Sequence[float], ks: Sequence[int]) -> tuple[Values, Values]:
    """Limits of p as limits of 1 - (1 - p)^k, widened to hold the estimate; None beyond n."""
    known = [
        None if isnan(value) else (min(value, 1 - (1 - p[0]) ** k), max(value, 1 - (1 - p[1]) ** k))
        for k, value in zip(ks, curve, strict=True)
    ]
    low, high = (tuple(None if span is None else 100 * span[end] for span in known) for end in (0, 1))
    return low, high


def _answer_lines(session: Session, pair: Pair, row: ProblemRow) -> tuple[Line, ...]:
    traces = session.traces(row, pair.runs)
    width = max(map(len, pair.words))
    lines: list[Line] = []
    for run, word, (mark, tone) in zip(pair.runs, pair.words, MARKS, strict=False):
        found = answers(trace for trace in traces if trace.run_id == run.run_id)
        lines.append([(f"{mark}{word:<{width}}  ", tone), *histogram(found, pair.count(run, row))])
    return tuple(lines)


def asked_of(session: Session, pair: Pair) -> dict[str, object]:
    other = pair.base if pair.other is None else pair.other
    asked = {"benchmark": pair.board.benchmark, "base": pair.base.run_id, "other": other.run_id}
    return {**asked, "verifier": session.verifier}


def _grouped(rows: Iterable[tuple[Any, ...]]) -> Groups:
    """ERROR is no verdict on a response: it is left out."""
    groups: Groups = defaultdict(list)
    for run_id, outcome, value, number in rows:
        if outcome != Outcome.ERROR:
            groups[run_id, outcome == Outcome.CORRECT].append((float(value), number))
    return dict(groups)


def boxes(
    pair: Pair, of: Picture, rows: Sequence[tuple[str, Values]], more: Sequence[Series] = (), *, is_fair: bool = False
) -> Picture:
    """The picture with a box for each row, a word and its quantiles (QUANTILES): drawn where all that was drawn is stored.

    more: columns for the table alone. is_fair: what is shown is no chosen part, although a part is stored.
    """
    least, low, middle, high, most = zip(*(quantiles for _, quantiles in rows), strict=True)
    box = Series("median [25 %, 75 %]", "median and quartiles", middle, low, high, least, most)
    aside = (Series("5 %", "5 % quantile", least), Series("95 %", "95 % quantile", most), *more)
    cells = [count for run in pair.runs for count in facts.cells_of(pair, run)]
    part = None if is_fair else facts.chosen_part(cells)
    notes = (*of.notes, *facts.counts_only(pair), *([part] if part else []))
    if all(value is None for value in middle):
        return replace(of, notes=notes or ("no judged traces are stored for these runs",))
    return replace(
        of, shape=Shape.ROWS, axis="responses", places=tuple(word for word, _ in rows), is_log=True, notes=notes,
        series=() if part else (box,), aside=(box, *aside) if part else aside, limits=_limits(least, most),
        facts=(*of.facts, *_about(pair, cells), *([] if part else [_BOX])),
    )  # fmt: skip


def _about(pair: Pair, cells: Sequence[Count]) -> tuple[str, ...]:
    stored = counted(sum(count.samples for count in cells), "trace")
    return (f"{pair.board.benchmark} · {stored} · verdicts by {pair.board.verifier}", *facts.drawn_how(pair))


def quantiles(values: Sequence[tuple[float, int]]) -> Values:
    """QUANTILES of values, each as often as it says; None where there are none."""
    import numpy as np

    if not values:
        return (None,) * len(QUANTILES)
    each, times = (np.array(column) for column in zip(*values, strict=True))
    return tuple(float(one) for one in np.quantile(np.repeat(each, times.astype(int)), QUANTILES))


def _limits(least: Values, most: Values) -> tuple[float, float]:
    """A little beyond the outermost quantiles, by ratios."""
    low = min((value for value in least if value is not None), default=1.0)
    high = max((value for value in most if value is not None), default=10.0)
    low = max(low, 1e-3)
    room = max((high / low) ** 0.04, 1.02)
    return low / room, high * room
