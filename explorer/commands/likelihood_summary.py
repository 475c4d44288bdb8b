"""What `basebound likelihood` says of several pairs at once: a row each; and the runs of training steps under a base model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from string import ascii_uppercase
from typing import TYPE_CHECKING, Final

from explorer.commands.likelihood_tables import figure, missing
from explorer.commands.tables import UNKNOWN_MARK, how_drawn, percent
from explorer.commands.wrapping import command, narrow, wrapped
from explorer.render.words import counted

if TYPE_CHECKING:
    from engine.analyses.percentiles import Percentiles
    from engine.board import Board
    from engine.likelihoods import PairLikelihoods, StepLikelihood
    from engine.partings import PairPartings

_LEGEND: Final = (
    "PPL: median perplexity of the run's responses under base's model, at T 1 · pctl: their percentile among base's own by nats"
    " a token, 50 is like them · inside %: with every token in base's nucleus at the run's decoding · null %: the same of"
    " base's own responses; what it lacks of 100 % is rounding · base only, run only: problems that base or the run alone"
    " solves at the common k, those of which right traces were looked at token by token of all"
)


def summary(board: Board, pairs: Sequence[PairLikelihoods], found: Sequence[PairPartings], path: Path, *, every: bool) -> str:
    """One table of all pairs, and how to see more of one, unless every one follows."""
    bases = list({pair.base.run_id: pair.base for pair in pairs}.values())
    letters = {run.run_id: ascii_uppercase[place % len(ascii_uppercase)] for place, run in enumerate(bases)}
    runs = {run.run_id: run for pair in pairs for run in (pair.base, pair.other)}
    title = f"{board.benchmark} · verifier {board.verifier} · {counted(len(pairs), 'pair')}"
    legend = [f"base {letters[run.run_id]}: {run.name}" for run in bases]
    head = ("run", "base", "PPL", "pctl", "inside %", "null %", "base only", "run only")
    rows = [_row(pair, parted, letters[pair.base.run_id]) for pair, parted in zip(pairs, found, strict=True)]
    notes = dict.fromkeys(f"‼ {note}" for pair in pairs for note in pair.notes)
    first = wrapped(title, *how_drawn(list(runs.values())).splitlines(), *legend)
    more = wrapped("one pair in full, or all of them:") + "".join(
        command(f"basebound likelihood {quote(str(path))} {words}")
        for words in (f"--base {quote(pairs[0].base.slug)} --other {quote(pairs[0].other.slug)}", "--all")
    )
    told = first + narrow(head, rows) + wrapped(_LEGEND, *_used(pairs), *notes)
    return told if every else told + _missing(pairs, path) + more


def _row(pair: PairLikelihoods, found: PairPartings, base: str) -> list[str]:
    from engine.partings import SIDES

    return [
        pair.other.name,
        base,
        figure(None if pair.base_on_other is None else pair.base_on_other.median),
        UNKNOWN_MARK if pair.percentiles is None else f"{pair.percentiles.mean:.1f}",
        percent(None if pair.support is None else pair.support.share),
        percent(None if pair.null is None else pair.null.share),
        *(_looked_at(found, side) for side in SIDES),
    ]


def _looked_at(found: PairPartings, side: str) -> str:
    problems = [one for one in found.problems if one.side == side]
    return f"{sum(one.looked_at > 0 for one in problems):,}/{len(problems):,}"


def _used(pairs: Sequence[PairLikelihoods]) -> list[str]:
    """Which responses figures are of: a line for the runs that have it alike."""
    told: dict[str, dict[str, int]] = {}
    for pair in pairs:
        for run in (pair.base, pair.other):
            used = pair.used[run.run_id]
            told.setdefault(f"{'‼ ' if used.perhaps_chosen else ''}{used.words}, {used.of:,}", {})[run.name] = used.stored
    return [
        f"{words} of each run's stored responses: {', '.join(f'{name} ({stored:,})' for name, stored in runs.items())}"
        for words, runs in told.items()
    ]


def _missing(pairs: Sequence[PairLikelihoods], path: Path) -> str:
    """Each line once: pairs share their base."""
    return "".join(dict.fromkeys(text for pair in pairs if (text := missing(pair, path))))


def steps_text(found: Sequence[StepLikelihood]) -> str:
    """Runs with a training step, under one base model."""
    rows = [
        [
            one.run.name,
            str(one.run.model.step),
            f"{one.perplexity.responses:,}",
            figure(one.perplexity.median),
            *_place(one.percentiles),
            percent(None if one.support is None else one.support.share),
        ]
        for one in found
    ]
    title = f"over training steps, under {found[0].perplexity.scorer}"
    legend = (
        "pctl: percentile among base's own with 95 % limits, 50 is like them · inside %: with every token in base's nucleus"
    )
    trained = {one.run.model.name: one.run.model.algorithm for one in found if one.run.model.algorithm}
    how = [f"trained by: {' · '.join(f'{name} {algorithm}' for name, algorithm in trained.items())}"] if trained else []
    head = ("responses of", "step", "scored", "PPL", "pctl", "95 %", "inside %")
    return wrapped(title) + narrow(head, rows) + wrapped(legend, *how)


def _place(found: Percentiles | None) -> list[str]:
    if found is None:
        return [UNKNOWN_MARK, UNKNOWN_MARK]
    return [f"{found.mean:.1f}", f"{found.interval.low:.1f}–{found.interval.high:.1f}"]
