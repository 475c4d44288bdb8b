"""Recovery in `basebound likelihood`: a model's chance on problems, judged from the other model's right answers to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import TYPE_CHECKING, Final

from explorer.commands.likelihood_tables import words_of
from explorer.commands.tables import UNKNOWN_MARK, percent
from explorer.commands.wrapping import narrow, wrapped

if TYPE_CHECKING:
    from engine.analyses.coverage import Coverage
    from engine.analyses.recovery import Direct, Importance, Recovery
    from engine.board import Board
    from engine.likelihoods import PairLikelihoods

Row = tuple[str, "Recovery"]
"""A problem's key and what is known of it."""

_FLOOR: Final = "floor %: the probabilities of the distinct right traces, together; never above the chance"
_ESTIMATE: Final = (
    "estimate %: importance sampling, on average no more than the chance · ±: its standard error · of n: draws it is made from"
    " · ESS: effective sample size · largest %: the largest weight's part of the sum"
)


def recoveries(board: Board, pair: PairLikelihoods, every: bool) -> str:
    """Both directions. every: all problems; else those that the run alone solves whose right answers these are."""
    if pair.no_recovery:
        return wrapped(f"recovery: nothing to tell, for {pair.no_recovery}")
    if not pair.recovery:
        return ""
    from engine.summary import cover

    sets = cover(board, pair.base, pair.other)
    keys = {problem.problem_id: problem.key for problem in board.problems}
    base, other = words_of(pair.base, pair.other)
    blocks = []
    if pair.base_on_other is not None and pair.other_on_other is not None:
        blocks.append(_direction(base, other, pair.recovery, keys, None if every else sets.other_only, sets))
    if pair.base_on_base is not None and pair.other_on_base is not None:
        blocks.append(_direction(other, base, pair.recovery_back, keys, None if every else sets.base_only, sets))
    return "\n".join(blocks)


def _direction(
    judged: str,
    drawn: str,
    found: Mapping[int, Recovery],
    keys: Mapping[int, str],
    wanted: Sequence[str] | None,
    sets: Coverage,
) -> str:
    """wanted: keys of problems, or None for all, those of one run first."""
    order = {key: place for place, key in enumerate((*sets.other_only, *sets.base_only))}
    rows = [(keys[problem], one) for problem, one in found.items() if wanted is None or keys[problem] in wanted]
    rows.sort(key=lambda row: order.get(row[0], len(order)))
    which = "all problems" if wanted is None else f"problems that {drawn} alone solves at k = {sets.k}"
    return recovery(judged, drawn, rows, which)


def recovery(judged: str, drawn: str, rows: Sequence[Row], which: str) -> str:
    """One model's chance from another's right answers: counts and floor, then the estimate, its doubts as footnotes."""
    title = f"recovery: the chance of {judged} as its decoding draws, from right answers of {drawn} · {which}"
    if not rows:
        return wrapped(f"{title}: none")
    counts = f"{judged}, {drawn}: correct of their own samples · 95 %: exact limits of {judged}'s chance, in percent"
    ways = f"distinct: right traces of {drawn} that differ, as far as they are scored · drawable: those that {judged} can draw"
    head = ("problem", judged, "95 %", drawn, "distinct", "drawable", "floor %")
    first = narrow(head, [_counts(*row) for row in rows])
    return wrapped(title) + first + wrapped(f"{counts} · {ways} · {_FLOOR}") + "\n" + _estimates(rows)


def _counts(key: str, one: Recovery) -> list[str]:
    ways = [UNKNOWN_MARK] * 2 if one.floor is None else [f"{one.distinct:,}", f"{one.drawable:,}"]
    return [key, _count(one.direct), _limits(one.direct), _count(one.drawn), *ways, small(one.floor)]


def _estimates(rows: Sequence[Row]) -> str:
    doubts = list(dict.fromkeys(doubt for _, one in rows if (doubt := _doubt(one)) is not None))
    letters = {doubt: ascii_lowercase[place] for place, doubt in enumerate(doubts[: len(ascii_lowercase)])}
    table = narrow(
        ("problem", "estimate %", "±", "of n", "ESS", "largest %", "‼"),
        [[key, *_estimate(one.importance), letters.get(_doubt(one) or "", "")] for key, one in rows],
    )
    return table + wrapped(*(f"‼ {letter}: {doubt}" for doubt, letter in letters.items()), _ESTIMATE)


def _estimate(found: Importance | None) -> list[str]:
    if found is None:
        return [UNKNOWN_MARK] * 5
    of = f"{found.n:,}" if found.whole else f"first {found.n:,}"
    return [small(found.value), small(found.error), of, f"{found.effective:.1f}", percent(found.largest)]


def _doubt(one: Recovery) -> str | None:
    """Why a row means little, or is empty: in words that rows of one kind share, their figures being in the columns."""
    from engine.analyses.recovery import FEWEST_EFFECTIVE, LARGEST_SHARE

    found = one.importance
    if found is None or found.warning is None:
        return one.why
    if found.value > 1:
        return "an estimate above 100 %, which no chance is"
    if found.largest > LARGEST_SHARE:
        return f"one weight has more than {100 * LARGEST_SHARE:g} % of the sum, and is the estimate"
    if 0 < found.effective < FEWEST_EFFECTIVE:
        return f"effective sample size below {FEWEST_EFFECTIVE:g}: the error is made by a weight or two, and too small"
    return found.warning


def _count(found: Direct | None) -> str:
    return UNKNOWN_MARK if found is None else f"{found.correct:,}/{found.n:,}"


def _limits(found: Direct | None) -> str:
    return UNKNOWN_MARK if found is None else f"{small(found.low)}–{small(found.high)}"


def small(value: float | None) -> str:
    """A share in percent, of which two digits count: 0.0031, 12."""
    if value is None:
        return UNKNOWN_MARK
    return "0" if value == 0 else f"{100 * value:.2g}" if abs(value) < 0.995 else f"{100 * value:.4g}"
