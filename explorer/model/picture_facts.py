"""What every picture says beneath itself: benchmark, problems, n, verifier, and how the samples were drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import ceil, floor, isnan

from explorer.model.session import Pair
from explorer.render.plots.picture import Series, Values
from explorer.render.words import counted, settings, span_of
from store.rows import Count, RunRow
from store.types import UNKNOWN

OVER_PROBLEMS = "intervals 95 % over problems"
_STEP = 10.0
_NO_PROMPT = f" · prompt {UNKNOWN}"
_WIDE = 60.0
"""Percent points that curves span before the whole axis is shown."""


def pair_facts(pair: Pair, counts: Sequence[Sequence[Count]]) -> tuple[str, ...]:
    """counts: of the problems judged for both, run by run."""
    problems = counted(len(counts[0]), "problem")
    ground = f"{problems} judged for both" if pair.other is not None else problems
    return (f"{pair.board.benchmark} · {ground} · {_ns(pair, counts)} · verdicts by {pair.board.verifier}", *drawn_how(pair))


def drawn_how(pair: Pair) -> tuple[str, ...]:
    """How the samples were drawn: one line where both runs were drawn alike."""
    said = [setting_text(run) for run in pair.runs]
    if len(set(said)) == 1:
        prompts = {(run.settings.prompt_template, run.settings.chat_template) for run in pair.runs}
        return (said[0],) if len(prompts) == 1 else (f"{said[0]} · prompts differ",)
    return tuple(f"{word}: {text}" for word, text in zip(pair.words, said, strict=False))


def setting_text(run: RunRow) -> str:
    """How a run was drawn, without its prompt, which may be a page."""
    return "".join(text for text, _ in settings(replace(run.settings, prompt_template=UNKNOWN))).removesuffix(_NO_PROMPT)


def unequal(pair: Pair, counts: Sequence[Sequence[Count]]) -> tuple[str, ...]:
    """A sentence where the runs' n differ: what is compared then, and what is not drawn."""
    spans = [span_of(count.n for count in of_run) for of_run in counts]
    least = [min((count.n for count in of_run), default=0) for of_run in counts]
    if len(set(spans)) == 1 and len({count.n for of_run in counts for count in of_run}) < 2:
        return ()
    said = ", ".join(f"{word} {span}" for word, span in zip(pair.words, spans, strict=False))
    return (f"n differ ({said}): compared up to k = {min(least):,}; a curve ends at its run's smallest n",)


def counts_only(pair: Pair) -> tuple[str, ...]:
    """Runs that have no traces: a sentence each."""
    return tuple(
        f"{word} ({run.name}) has counts only: no traces to look at"
        for word, run in zip(pair.words, pair.runs, strict=False)
        if not any(count.samples for count in cells_of(pair, run))
    )


def cells_of(pair: Pair, run: RunRow) -> list[Count]:
    return [count for (run_id, _), count in pair.board.cells.items() if run_id == run.run_id]


def chosen_part(cells: Iterable[Count]) -> str | None:
    """The sentence on traces that are a part of what was drawn; None where all are there."""
    found = list(cells)
    if not any(count.is_part for count in found):
        return None
    stored, drawn = sum(count.samples for count in found), sum(max(count.counted, count.samples) for count in found)
    return (
        f"{stored:,} traces stored of {drawn:,} drawn: chosen, not a sample. A picture of them would mislead, so there are"
        " numbers of what is stored, and no picture."
    )


def percents(values: Iterable[float | None]) -> Values:
    """Shares in percent; NaN is not known."""
    return tuple(None if value is None or isnan(value) else 100 * float(value) for value in values)


def filled(values: Values, length: int) -> Values:
    """With None for the places that follow."""
    return (*values, *[None] * (length - len(values)))


def percent_limits(series: Iterable[Series]) -> tuple[float, float]:
    """Ends of an axis of shares: 0 to 100, or tens around what there is where that is little of it."""
    found = [value for one in series for of in (one.values, one.low, one.high) for value in of if value is not None]
    if not found or max(found) - min(found) > _WIDE:
        return 0.0, 100.0
    low, high = _STEP * floor(min(found) / _STEP), _STEP * ceil(max(found) / _STEP)
    return max(0.0, low), max(min(100.0, high), low + _STEP)


def symmetric_limits(series: Iterable[Series]) -> tuple[float, float]:
    """Ends of an axis of differences, zero in its middle."""
    found = [abs(value) for one in series for of in (one.values, one.low, one.high) for value in of if value is not None]
    reach = 5.0 * ceil(max(found, default=1.0) / 5.0) or 5.0
    return -reach, reach


def _ns(pair: Pair, counts: Sequence[Sequence[Count]]) -> str:
    spans = [span_of(count.n for count in of_run) for of_run in counts]
    if len(set(spans)) == 1:
        return f"n {spans[0]}"
    return "n " + ", ".join(f"{span} ({word})" for word, span in zip(pair.words, spans, strict=False))
