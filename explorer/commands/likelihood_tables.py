"""The tables of `basebound likelihood` on one pair of runs, each with sentences on what its columns mean.

A row is called after a run and a model: "RL by base" are RL's responses as base finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final, TypeVar

from explorer.commands.tables import UNKNOWN_MARK, how_drawn, percent
from explorer.commands.wrapping import command, narrow, wrapped
from explorer.render.words import counted, pair_words
from store.names import number_text

if TYPE_CHECKING:
    from engine.analyses.perplexity import Perplexity
    from engine.analyses.support import Support
    from engine.board import Board
    from engine.fair import Used
    from engine.likelihoods import PairLikelihoods
    from store.rows import RunRow
    from store.types import Model

Measured = TypeVar("Measured")

_LONGEST: Final = 8
"""Letters of a role that two of fit into a row's name."""
_PERPLEXITY: Final = (
    "perplexity at T 1 · median: of the responses' own · pooled: all nats over all tokens · no stop: the median without the"
    " stop token · correct, wrong, no answer: the median of those"
)
_PERPLEXITY_HEADER: Final = ("", "scored", "median", "pooled", "no stop", "correct", "wrong", "no answer")
_WHOLE: Final = (
    "whole responses at T 1, medians · nats, odds: log-probability of a response, and the chance it is · least token: the"
    " chance of its least probable token · entropy: nats a token of what the model might have said there, mean over tokens"
    " · cut: responses cut by the length limit · anew: retokenized, without a stop token"
)
_WHOLE_HEADER: Final = ("", "nats", "odds", "least token", "entropy", "cut", "anew")
_SUPPORT: Final = (
    "inside %: of the responses, those with every token in the nucleus, up to a margin for rounding · correct %: the same of"
    " the correct ones · strict %: inside without that margin · close: responses nearer to the nucleus's edge than the margin,"
    " on either side, which rounding may have moved · outside: tokens that forbid a response, mean over"
    " those that cannot be drawn"
)
_SUPPORT_HEADER: Final = ("", "scored", "inside %", "correct %", "strict %", "close", "outside")


def words_of(base: RunRow, other: RunRow) -> tuple[str, str]:
    """What rows call the two runs, and their models."""
    base_word, other_word = pair_words(base, other)
    return base_word[:_LONGEST], other_word if len(other_word) <= _LONGEST else "other"


def heading(board: Board, pair: PairLikelihoods) -> str:
    """The pair, how its runs were drawn, what rows call them and their models, and which responses figures are of."""
    title = f"{board.benchmark} · verifier {board.verifier} · {pair.other.slug} against {pair.base.slug}"
    base, other = words_of(pair.base, pair.other)
    legend = [
        f"{word}: run {run.name}, model {model_name(run.model)}; {used_words(pair.used[run.run_id])}"
        for word, run in ((base, pair.base), (other, pair.other))
    ]
    by = f"“{other} by {base}”: {other}'s responses as {base}'s model finds them"
    notes = [f"‼ {note}" for note in pair.notes]
    return wrapped(title, *how_drawn([pair.base, pair.other]).splitlines(), *legend, by, *notes)


def used_words(used: Used) -> str:
    """Which of a run's responses its figures are made of, recovery's apart."""
    doubt = "‼ " if used.perhaps_chosen else ""
    return f"{doubt}{used.words}, {used.of:,} of {counted(used.stored, 'stored response')}"


def text(board: Board, pair: PairLikelihoods, *, every: bool) -> str:
    """All tables of a pair. every: recovery of all problems."""
    from explorer.commands.likelihood_recovery import recoveries

    blocks = [_perplexities(pair), _support(pair), _percentiles(pair), recoveries(board, pair, every)]
    return heading(board, pair) + "".join(f"\n{block}" for block in blocks if block)


def _perplexities(pair: PairLikelihoods) -> str:
    found = named(pair, pair.base_on_base, pair.base_on_other, pair.other_on_other, pair.other_on_base)
    if not found:
        return ""
    notes = [
        f"computed in {', '.join(sorted({dtype for _, one in found for dtype in one.dtypes}))}; never a mean of perplexities"
    ]
    notes += [note for name, one in found for note in _notes(name, one)]
    first = wrapped(_PERPLEXITY) + narrow(_PERPLEXITY_HEADER, [_perplexity_row(*row) for row in found])
    return first + wrapped(*notes) + "\n" + wrapped(_WHOLE) + narrow(_WHOLE_HEADER, [_whole_row(*row) for row in found])


def named(pair: PairLikelihoods, *four: Measured | None) -> list[tuple[str, Measured]]:
    """What was measured of base by base, other by base, other by other and base by other, with those names."""
    base, other = words_of(pair.base, pair.other)
    names = (f"{base} by {base}", f"{other} by {base}", f"{other} by {other}", f"{base} by {other}")
    return [(name, one) for name, one in zip(names, four, strict=True) if one is not None]


def _perplexity_row(name: str, one: Perplexity) -> list[str]:
    medians = (one.median, one.pooled, one.no_stop.median, one.correct.median, one.incorrect.median, one.no_answer.median)
    return [name, f"{one.responses:,}", *map(figure, medians)]


def _whole_row(name: str, one: Perplexity) -> list[str]:
    from engine.analyses.perplexity import odds

    whole = [UNKNOWN_MARK] * 2 if one.nats is None else [f"{one.nats:.1f}", odds(one.nats)]
    lowest = UNKNOWN_MARK if one.lowest is None else odds(one.lowest)
    return [name, *whole, lowest, figure(one.entropy), f"{one.truncated:,}", f"{one.retokenized:,}"]


def _notes(name: str, one: Perplexity) -> list[str]:
    """What must be known of a row, and no column tells."""
    notes = []
    if one.truncated:
        notes.append(f"{name}: the median perplexity without what was cut is {figure(one.whole.median)}")
    if one.entropy is not None and one.entropy_of < one.responses:
        notes.append(f"{name}: entropy is known of {one.entropy_of:,} of {one.responses:,}")
    if one.impossible:
        notes.append(f"{name}: {counted(one.impossible, 'response')} left out, with a token of probability 0")
    return notes


def _support(pair: PairLikelihoods) -> str:
    if pair.no_support:
        return wrapped(f"nucleus support: nothing to tell, for {pair.no_support}")
    found = named(pair, pair.null, pair.support, pair.null_back, pair.support_back)
    if not found:
        return ""
    told = [one for _, one in found]
    title = f"nucleus support at {_decodings(told)}: can a model draw these very traces, every token in its nucleus?"
    base, other = words_of(pair.base, pair.other)
    notes = [_SUPPORT, f"{base} by {base}, {other} by {other}: the null; what these lack of 100 % is rounding"]
    margins = {f"{one.margin:g} for {', '.join(one.dtypes)}" for one in told if one.without_edge < one.responses}
    notes += [f"margin: {' and '.join(sorted(margins))}"] if margins else []
    return wrapped(title) + narrow(_SUPPORT_HEADER, [_support_row(*row) for row in found]) + wrapped(*notes, *_doubts(told))


def _doubts(told: Sequence[Support]) -> list[str]:
    notes = []
    if older := sum(one.without_edge for one in told):
        how = "scored by an earlier version, or where no nucleus was told: judged without a margin"
        notes.append(f"‼ {counted(older, 'response')} without an edge, {how}")
    if anew := sum(one.retokenized for one in told):
        notes.append(f"‼ {counted(anew, 'response')} tokenized anew: what was generated may have been other tokens")
    return notes


def _support_row(name: str, one: Support) -> list[str]:
    return [
        name,
        f"{one.responses:,}",
        percent(one.share),
        percent(one.correct_share),
        percent(one.strictly / one.responses),
        f"{one.near:,}" if one.without_edge < one.responses else UNKNOWN_MARK,
        UNKNOWN_MARK if one.forbidding is None else f"{one.forbidding:.1f}",
    ]


def _decodings(found: Sequence[Support]) -> str:
    said = {
        f"T {number_text(one.temperature)}, top-p {number_text(one.top_p)}" + (f", top-k {one.top_k}" if one.top_k else "")
        for one in found
    }
    return " and ".join(sorted(said))


def _percentiles(pair: PairLikelihoods) -> str:
    found = pair.percentiles
    if found is None:
        return ""
    name = model_name(pair.base.model)
    lines = [
        f"percentile of {pair.other.name} among {pair.base.name}'s own, by nats a token under {name} at T 1:"
        f" {found.mean:.1f} [{found.interval.low:.1f}, {found.interval.high:.1f}]",
        f"mean over {counted(len(found.problems), 'problem')}, 95 % over problems · {found.responses:,} responses among"
        f" {found.own:,} · 0: {name} finds them likelier than all its own, 50: like its own, 100: less likely than all",
    ]
    if found.left_out:
        from engine.analyses.percentiles import FEWEST_OWN

        few = f"with fewer than {FEWEST_OWN} responses of {pair.base.name}'s own"
        lines.append(f"{counted(found.left_out, 'problem')} {few} left out")
    return wrapped(*lines)


def missing(pair: PairLikelihoods, path: Path) -> str:
    """The lines that bring what is not there, one for each scorer."""
    by_scorer: dict[tuple[Model, bool], list[RunRow]] = {}
    for model, run in pair.missing:
        by_scorer.setdefault((model, run.run_id in pair.anew), []).append(run)
    return "".join(
        wrapped(f"{model_name(model)} has not scored {' and '.join(run.name for run in runs)}; this does it:")
        + command(_scoring(path, runs, anew))
        for (model, anew), runs in by_scorer.items()
    )


def _scoring(path: Path, runs: Sequence[RunRow], anew: bool) -> str:
    how = " --retokenize" if anew else ""
    return f"basebound score {quote(str(path))} --scorer DIR --of {' '.join(quote(run.slug) for run in runs)}{how}"


def model_name(model: Model) -> str:
    return model.name if model.step is None else f"{model.name} step {model.step}"


def figure(value: float | None) -> str:
    """A perplexity or an entropy, in at most eight cells."""
    if value is None or isnan(value):
        return UNKNOWN_MARK
    return f"{value:.3f}" if value < 100 else f"{value:.4g}" if value < 9_999 else f"{value:.1e}"
