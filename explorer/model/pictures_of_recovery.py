"""Pictures of what a model can draw, and how often: nucleus support of two runs' traces, and recovery, problem by problem.

Call them in a worker. They are made from `engine.likelihoods`, which says what each figure means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from explorer.model import picture_facts as facts
from explorer.model.pictures_of_likelihoods import chosen, is_model, of_first, score_command
from explorer.model.session import Pair, Session
from explorer.render.plots.picture import Picture, Series, Shape, Values
from explorer.render.words import counted, margin_text
from store.rows import RunRow
from store.types import Model

if TYPE_CHECKING:
    from engine.analyses.recovery import Importance, Recovery
    from engine.analyses.support import Support
    from engine.likelihoods import PairLikelihoods

_T = TypeVar("_T")

_LEAST: Final = 1e-6
"""The least probability of an axis."""
_OLD: Final = "neither model has scored responses at the decoding they were drawn with: `basebound score` does"


def support(session: Session, found: PairLikelihoods, pair: Pair) -> Picture:
    """Whether each model can draw the other's responses at all, beside whether it can draw its own, which is the null."""
    title = "traces that a model can draw: every token in its nucleus"
    base, other = pair.words
    rows = [
        (f"{other}'s under {base}", found.support),
        (f"{base}'s own, the null", found.null),
        (f"{base}'s under {other}", found.support_back),
        (f"{other}'s own, the null", found.null_back),
    ]
    missing = tuple(_lacks(session, pair, found, *one) for one in found.missing)
    if found.no_support is not None or all(of is None for _, of in rows):
        return Picture("support", title, notes=(found.no_support,) if found.no_support else missing or (_OLD,))
    part = facts.chosen_part(count for run in chosen(found.used, pair.runs) for count in facts.cells_of(pair, run))
    every = [of for _, of in rows]
    series = (Series("inside", "share inside", facts.percents(_of(every, lambda of: of.share))),)
    known = [of for _, of in rows if of is not None]
    margins = ", ".join(dict.fromkeys(f"{margin_text(of.margin)} in {'/'.join(of.dtypes)}" for of in known))
    return Picture(
        "support", title, Shape.ROWS, "traces", "%", tuple(word for word, _ in rows),
        series=() if part else series, aside=(*(series if part else ()), *_beside(rows)),
        notes=(*missing, *found.notes, *([part] if part else [])),
        facts=(*of_first(found.used, pair.runs),
               "a token outside forbids that very trace, not its reasoning · what the null lacks of 100 % is rounding",
               f"inside: mass of likelier tokens − top-p < margin ({margins})",
               f"{pair.board.benchmark} · verdicts by {pair.board.verifier}", *facts.drawn_how(pair)),
    )  # fmt: skip


def _beside(rows: Sequence[tuple[str, Support | None]]) -> tuple[Series, ...]:
    every = [of for _, of in rows]
    return (
        Series("of right ✓", "share inside, of right ones", facts.percents(_of(every, lambda of: of.correct_share))),
        Series("by problem", "share inside, the mean over problems", facts.percents(_of(every, lambda of: of.over_problems))),
        Series("near", "edge nearer than the margin", _of(every, lambda of: of.near), digits=0),
        Series("forbid", "tokens outside, of a trace that has one", _of(every, lambda of: of.forbidding)),
        Series("traces", "traces", _of(every, lambda of: of.responses), digits=0),
    )


def recovery(session: Session, found: PairLikelihoods, pair: Pair) -> Picture:
    """Problem by problem base's own c/n beside what the other's right answers say of it: the floor, and importance sampling."""
    base, other = pair.words
    title = f"chance of {base}: its own c/n, and bounds from {other}'s right answers"
    rows = _recovered(pair, found.recovery)
    if not rows:
        scored = {(model, run.run_id) for model, run in found.missing}
        lacking = [run for run in pair.runs if (pair.base.model, run.run_id) in scored]
        why = found.no_recovery or (
            f"no right trace of {other} is scored by both models:"
            f" {score_command(session, lacking or pair.runs[1:], found.anew)}"
        )
        return Picture("recovery", title, notes=(why,))
    bounds = [_bound(one) for _, one in rows]
    doubtful = sum(one.importance is not None and one.importance.warning is not None for _, one in rows)
    left = len(found.recovery) - len(rows)
    own = [one.direct for _, one in rows]
    box = Series(
        "c/n [95 %]", f"{base}'s own c/n",
        _of(own, lambda one: one.correct / one.n),
        _of(own, lambda one: one.low), _of(own, lambda one: one.high),
        least=tuple(one.floor for _, one in rows), most=tuple(map(_end, (one for _, one in rows))), digits=4, is_chance=True,
    )  # fmt: skip
    return Picture(
        "recovery", title, Shape.ROWS, "problem", "probability, by ratios",
        tuple(f"{key}{'' if bound is not None or one.importance is None else ' ‼'}"
              for (key, one), bound in zip(rows, bounds, strict=True)),
        series=(box,), aside=_recovery_columns(other, rows), a_colour=len(rows), is_log=True, is_list=True,
        limits=_probabilities(box), digits=4,
        facts=(f"box: {base}'s c/n ┃ with 95 % limits · whisker: floor to importance-sampling bound",
               f"‼ {doubtful} of {len(rows)}: few weights decide, the bound is not drawn" if doubtful else
               "a bound above the box: base should solve it more often than it was seen to",
               *_none_drawable(base, other, rows),
               f"{counted(left, 'problem')} more without a right trace that both scored",
               f"{pair.board.benchmark} · verdicts by {pair.board.verifier}", *facts.drawn_how(pair)),
    )  # fmt: skip


def _recovered(pair: Pair, found: Mapping[int, Recovery]) -> list[tuple[str, Recovery]]:
    """Problems of which something is known, those that base solves least often first."""
    keys = {problem.problem_id: problem.key for problem in pair.board.problems}
    rows = [(keys[problem_id], one) for problem_id, one in found.items() if one.floor is not None and one.direct is not None]
    return sorted(rows, key=lambda row: row[1].direct.correct / row[1].direct.n if row[1].direct else 0.0)


def _bound(one: Recovery) -> float | None:
    """The importance-sampling bound where it means something."""
    return None if one.importance is None or one.importance.warning else one.importance.value


def _end(one: Recovery) -> float | None:
    """Where the whisker ends: at the bound, which estimation may put below the floor; else at the floor."""
    bound = _bound(one)
    return one.floor if bound is None or one.floor is None else max(bound, one.floor)


def _recovery_columns(other: str, rows: Sequence[tuple[str, Recovery]]) -> tuple[Series, ...]:
    weighted = [one.importance for _, one in rows]
    known = [one if one is not None and one.effective else None for one in weighted]
    drawn = [one.drawn for _, one in rows]
    return (
        Series("floor", "floor", _of(rows, lambda row: row[1].floor), digits=4, is_chance=True),
        Series("bound", "importance-sampling bound", _of(weighted, _said), digits=4, is_chance=True),
        Series("± error", "its standard error", _of(known, lambda one: one.error), digits=4, is_chance=True),
        Series("ESS", "effective sample size", _of(known, lambda one: one.effective), digits=1),
        Series("drawable", "different right traces it can draw", _of(rows, lambda row: row[1].drawable), digits=0),
        Series("of right", "different right traces", _of(rows, lambda row: row[1].distinct), digits=0),
        Series(f"{other} c/n", f"{other}'s own c/n", _of(drawn, lambda one: one.correct / one.n), digits=4),
    )


def _said(one: Importance) -> float | None:
    """The bound; of draws of which none is right there is none to say."""
    return one.value if one.correct else None


def _none_drawable(base: str, other: str, rows: Sequence[tuple[str, Recovery]]) -> tuple[str, ...]:
    """What a floor of 0 means, where there is one."""
    number = sum(not one.drawable for _, one in rows)
    told = f"floor and bound 0 ({counted(number, 'problem')}): {base} can draw none of {other}'s right traces as they stand"
    return (f"{told}; others it may",) if number else ()


def _probabilities(box: Series) -> tuple[float, float]:
    """Ends of the axis: what there is down to a millionth; what is less stands at its end."""
    found = [value for of in (box.values, box.low, box.least) for value in of if value]
    return max(min(found, default=_LEAST), _LEAST) / 1.3, 1.0


def _lacks(session: Session, pair: Pair, found: PairLikelihoods, scorer: Model, run: RunRow) -> str:
    words = dict(zip((one.run_id for one in pair.runs), pair.words, strict=False))
    who = pair.words[0] if is_model(pair.base.model, scorer.name, scorer.revision) else pair.words[-1]
    return f"{who} has not scored responses of {words[run.run_id]}: {score_command(session, [run], found.anew)}"


def _of(every: Iterable[_T | None], value: Callable[[_T], float | None]) -> Values:
    """A value of each; None where there is none."""
    found = (None if one is None else value(one) for one in every)
    return tuple(None if of is None else float(of) for of in found)
