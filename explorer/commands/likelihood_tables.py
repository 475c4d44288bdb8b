"""The tables of `basebound likelihood`, each with a sentence on what it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Final

from explorer.commands.tables import UNKNOWN_MARK, how_drawn, percent, table
from explorer.render.text import visible
from explorer.render.words import counted
from store.names import number_text

if TYPE_CHECKING:
    from engine.analyses.coverage import Coverage
    from engine.analyses.percentiles import Percentiles
    from engine.analyses.perplexity import Perplexity
    from engine.analyses.recovery import Direct, Recovery
    from engine.analyses.support import Support
    from engine.board import Board
    from engine.likelihoods import PairLikelihoods, StepLikelihood
    from store.rows import RunRow
    from store.types import Model

_PERPLEXITY: Final = (
    "perplexity at T 1 · median of the responses' own, pooled: all nats over all tokens · last three: medians over responses"
)
_PERPLEXITY_HEADER: Final = (
    *("responses of", "under", "responses", "median", "pooled", "no stop", "correct", "wrong", "nats/token H"),
    *("least token", "whole trace", "probability"),
)
_SUPPORT_HEADER: Final = (
    *("responses of", "in the nucleus of", "responses", "%", "of correct", "no margin", "at the edge", "tokens that forbid"),
)
_RECOVERY_HEADER: Final = (
    *("problem", "c/n", "95 %", "from c/n", "distinct", "floor", "estimate", "±", "of n", "ESS", "largest", ""),
)


def text(board: Board, pair: PairLikelihoods, path: Path, *, every: bool) -> str:
    """All tables of a pair. every: recovery of all problems."""
    title = f"{board.benchmark} · verifier {board.verifier} · {pair.other.slug} against {pair.base.slug}"
    blocks = [_perplexities(pair), _support(pair), _percentiles(pair), _recoveries(board, pair, every), _missing(pair, path)]
    return visible(title) + "\n" + how_drawn([pair.base, pair.other]) + "".join(f"\n{block}" for block in blocks if block)


def steps_text(found: Sequence[StepLikelihood]) -> str:
    """Runs with a training step, under one base model."""
    rows = [
        [
            one.run.slug,
            one.run.model.algorithm or "",
            str(one.run.model.step),
            f"{one.perplexity.responses:,}",
            _figure(one.perplexity.median),
            *_place(one.percentiles),
            percent(None if one.support is None else one.support.share),
        ]
        for one in found
    ]
    header = ["responses of", "by", "step", "responses", "median PPL", "percentile", "95 %", "in the nucleus %"]
    title = f"over training steps, under {found[0].perplexity.scorer} · percentile among base's own: 50 is like them"
    return visible(title) + "\n" + table(header, rows)


def _place(found: Percentiles | None) -> list[str]:
    if found is None:
        return [UNKNOWN_MARK, UNKNOWN_MARK]
    return [f"{found.mean:.1f}", f"{found.interval.low:.1f}–{found.interval.high:.1f}"]


def _perplexities(pair: PairLikelihoods) -> str:
    found = [
        (pair.base, pair.base, pair.base_on_base),
        (pair.other, pair.base, pair.base_on_other),
        (pair.other, pair.other, pair.other_on_other),
        (pair.base, pair.other, pair.other_on_base),
    ]
    rows = [_perplexity_row(run, under, one) for run, under, one in found if one is not None]
    if not rows:
        return ""
    told = [one for _, _, one in found if one is not None]
    notes = [f"computed in {', '.join(sorted({dtype for one in told for dtype in one.dtypes}))}; never a mean of perplexities"]
    notes += [note for run, under, one in found if one is not None for note in _notes(run, under, one)]
    return _PERPLEXITY + "\n" + table(_PERPLEXITY_HEADER, rows) + _lines(notes)


def _perplexity_row(run: RunRow, under: RunRow, one: Perplexity) -> list[str]:
    from engine.analyses.perplexity import odds

    return [
        run.name,
        _model(under.model),
        f"{one.responses:,}",
        _figure(one.median),
        _figure(one.pooled),
        _figure(one.no_stop.median),
        _figure(one.correct.median),
        _figure(one.incorrect.median),
        _figure(one.entropy),
        UNKNOWN_MARK if one.lowest is None else odds(one.lowest),
        UNKNOWN_MARK if one.nats is None else f"{one.nats:.1f} nats",
        UNKNOWN_MARK if one.nats is None else odds(one.nats),
    ]


def _notes(run: RunRow, under: RunRow, one: Perplexity) -> list[str]:
    """What must be known of a row, and no column tells."""
    of = f"of {run.name} under {_model(under.model)}"
    notes = []
    if one.truncated:
        without = f"median {_figure(one.whole.median)} without"
        notes.append(f"{counted(one.truncated, 'response')} {of} cut by the length limit; {without}")
    if one.retokenized:
        notes.append(f"{counted(one.retokenized, 'response')} {of} tokenized anew, without a stop token")
    if one.impossible:
        notes.append(f"{counted(one.impossible, 'response')} {of} left out, with a token of probability 0")
    return notes


def _support(pair: PairLikelihoods) -> str:
    if pair.no_support:
        return visible(f"nucleus support: nothing to tell, for {pair.no_support}") + "\n"
    found = [
        (pair.other, pair.base, pair.support),
        (pair.base, pair.base, pair.null),
        (pair.base, pair.other, pair.support_back),
        (pair.other, pair.other, pair.null_back),
    ]
    rows = [_support_row(run, under, one) for run, under, one in found if one is not None]
    if not rows:
        return ""
    told = [one for _, _, one in found if one is not None]
    title = f"nucleus support at {_decodings(told)}: can a model draw the other's very traces, every token in its nucleus?"
    notes = ["a model's own responses are the null: what they lack of 100 % is rounding"]
    margins = {f"{one.margin:g} for {', '.join(one.dtypes)}" for one in told if one.without_edge < one.responses}
    if margins:
        notes.append(f"up to a margin of {' and '.join(sorted(margins))}; at the edge: nearer to it than that, on either side")
    older = sum(one.without_edge for one in told)
    if older:
        how = "scored by an earlier version, or where no nucleus was told: judged without a margin"
        notes.append(f"‼ {counted(older, 'response')} without an edge, {how}")
    anew = sum(one.retokenized for one in told)
    if anew:
        notes.append(f"‼ {counted(anew, 'response')} tokenized anew: what was generated may have been other tokens")
    return visible(title) + "\n" + table(_SUPPORT_HEADER, rows) + _lines(notes)


def _support_row(run: RunRow, under: RunRow, one: Support) -> list[str]:
    null = " (null)" if run is under else ""
    forbidding = "" if one.forbidding is None else f"{one.forbidding:.1f} a response"
    return [
        run.name,
        _model(under.model) + null,
        f"{one.responses:,}",
        percent(one.share),
        percent(one.correct_share),
        percent(one.strictly / one.responses),
        f"{one.near:,}" if one.without_edge < one.responses else UNKNOWN_MARK,
        forbidding,
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
    name = _model(pair.base.model)
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
    return _lines(lines)


def _recoveries(board: Board, pair: PairLikelihoods, every: bool) -> str:
    if pair.no_recovery:
        return visible(f"recovery: nothing to tell, for {pair.no_recovery}") + "\n"
    if not pair.recovery:
        return ""
    from engine.summary import cover

    sets = cover(board, pair.base, pair.other)
    keys = {problem.problem_id: problem.key for problem in board.problems}
    blocks = []
    if pair.base_on_other is not None and pair.other_on_other is not None:
        blocks.append(_recovery(pair.base, pair.other, pair.recovery, keys, None if every else sets.other_only, sets))
    if pair.base_on_base is not None and pair.other_on_base is not None:
        blocks.append(_recovery(pair.other, pair.base, pair.recovery_back, keys, None if every else sets.base_only, sets))
    return "\n".join(block for block in blocks if block)


def _recovery(
    judged: RunRow,
    drawn: RunRow,
    found: Mapping[int, Recovery],
    keys: Mapping[int, str],
    wanted: Sequence[str] | None,
    sets: Coverage,
) -> str:
    """One model's chance from another's right answers. wanted: keys of problems, or None for all, those of one run first."""
    order = {key: place for place, key in enumerate((*sets.other_only, *sets.base_only))}
    rows = [(keys[problem], one) for problem, one in found.items() if wanted is None or keys[problem] in wanted]
    rows.sort(key=lambda row: order.get(row[0], len(order)))
    which = "all problems" if wanted is None else f"problems that {drawn.name} alone solves at k = {sets.k}"
    title = f"recovery: the chance of {judged.name} as its decoding draws, from right answers of {drawn.name} · {which}"
    if not rows:
        return visible(f"{title}: none") + "\n"
    notes = [
        "floor: the probabilities of the distinct right traces, never above the chance · estimate: importance sampling, on"
        " average no more than the chance · ESS: effective sample size",
        f"c/n: {judged.name}'s own count, with exact 95 % limits, in percent like all shares · from c/n: {drawn.name}'s",
    ]
    return visible(title) + "\n" + table(_RECOVERY_HEADER, [_recovery_row(key, one) for key, one in rows]) + _lines(notes)


def _recovery_row(key: str, one: Recovery) -> list[str]:
    counts = [_count(one.direct), _limits(one.direct), _count(one.drawn)]
    floor = [str(one.distinct), _small(one.floor)]
    found = one.importance
    if found is None:
        return [key, *counts, *floor, *[UNKNOWN_MARK] * 5, one.why or ""]
    of = f"{found.n:,}" if found.whole else f"first {found.n:,}"
    weights = [f"{found.effective:.1f}", percent(found.largest)]
    warning = f"‼ {found.warning}" if found.warning else ""
    return [key, *counts, *floor, _small(found.value), _small(found.error), of, *weights, warning]


def _count(found: Direct | None) -> str:
    return UNKNOWN_MARK if found is None else f"{found.correct:,}/{found.n:,}"


def _limits(found: Direct | None) -> str:
    return UNKNOWN_MARK if found is None else f"{_small(found.low)}–{_small(found.high)}"


def _small(value: float | None) -> str:
    """A share in percent, of which two digits count: 0.0031, 12."""
    return UNKNOWN_MARK if value is None else "0" if value == 0 else f"{100 * value:.2g}"


def _missing(pair: PairLikelihoods, path: Path) -> str:
    """The lines that bring what is not there, one for each scorer."""
    by_scorer: dict[Model, list[RunRow]] = {}
    for model, run in pair.missing:
        by_scorer.setdefault(model, []).append(run)
    return _lines(
        [
            f"{_model(model)} has not scored {' and '.join(run.name for run in runs)}:"
            f" `basebound score {path} --scorer DIR --of {' '.join(run.slug for run in runs)}`"
            for model, runs in by_scorer.items()
        ]
    )


def _model(model: Model) -> str:
    return model.name if model.step is None else f"{model.name} step {model.step}"


def _figure(value: float | None) -> str:
    return UNKNOWN_MARK if value is None or isnan(value) else f"{value:.3f}"


def _lines(lines: Sequence[str]) -> str:
    return "".join(visible(line) + "\n" for line in lines)
