"""The claims that published sets and audits can answer: what is solved, what is lost, what was read. No counts are behind them,
so no problem has evidence of its own, and nothing can be said of pass@k's uncertainty."""

from __future__ import annotations

from typing import Final

from engine.claims import among_all, base, tables
from engine.claims.base import LEVEL, Claim, Found, Measured, Unit, by_sign, percent
from engine.claims.chains import VALID, Audit, of_hard_problems
from engine.claims.coverage import FEW, SHRINKS, WITHIN, discoveries
from engine.claims.published import sizes_of
from engine.claims.sizes import GIVEN_MOVED, net_change

_DRAWN: Final = "T 0.6 · top-p 0.95 · prompt as published · max tokens 16384 · cap unknown · verifier the paper's"


def found(level: float = LEVEL) -> list[Found]:
    """Every claim on the published sets and audits, with q-values over all of them."""
    sets = [_on_sizes(*told, level) for told in _sizes()]
    audits = [_on_audit(one, level) for one in tables.AUDITED if one.model == "base"]
    return among_all([*(within for within, _ in sets), *(change for _, change in sets), *audits], level)


def _sizes() -> list[tuple[str, int | None, int | None, tuple[int, int, int]]]:
    """Benchmark, k, problems, and how many both, base only and RL only: from the sets where given, else percentages."""
    known = [(of.benchmark, of.k, of.problems, (len(of.both), len(of.base_only), len(of.other_only))) for of in tables.SETS]
    named = {benchmark for benchmark, *_ in known}
    others = [(split, sizes_of(split)) for split in tables.FOUR_WAYS if split.benchmark not in named]
    return [*known, *((split.benchmark, None, split.problems, (of[0], of[1], of[2])) for split, of in others)]


def _on_sizes(
    benchmark: str, k: int | None, problems: int | None, sizes: tuple[int, int, int], level: float
) -> tuple[Found, Found]:
    """sizes: both, base only, RL only."""
    both, lost, new = sizes
    at = f"at k = {k}" if k else "at a k that is not given here"
    of = f"of {base.counted(problems, 'problem')}" if problems else "of problems whose number is not given"
    share, within = discoveries(both, new, None, level)
    net = net_change(lost, new, problems, level)
    why_within = (
        f"{new} of the {both + new} problems that RL solves {at} {'is' if new == 1 else 'are'} new; the interval ends at"
        f" {percent(share.high)} where {100 * FEW:g} % is the limit, and sets without counts hold no evidence on a problem"
    )
    why_shrinks = f"{at} RL loses {lost} and finds {new} {of} ({both} both)"
    new_share = Measured("NDR: new among what RL solves", share, within, Unit.SHARE)
    change = Measured(f"found - lost, {GIVEN_MOVED}", net, by_sign(-net.value, net.p_value, 1 - level), Unit.PROBLEMS)
    names = f"base on {benchmark}", f"RL on {benchmark}"
    return (
        _row(WITHIN, why_within, new_share, names, k, problems),
        _row(SHRINKS, why_shrinks, change, names, k, problems),
    )


def _on_audit(one: tables.Audited, level: float) -> Found:
    estimate, finding = of_hard_problems(Audit(one.valid, one.problems - one.valid, 0), level)
    hard = base.counted(one.problems, "hard problem")
    reason = f"all right answers to {hard} (accuracy above 0 and below 5 %) were read: {one.valid} have a valid chain"
    measured = Measured("share with a valid chain", estimate, finding, Unit.SHARE)
    return _row(VALID, reason, measured, (f"base on {one.benchmark}", None), None, one.problems)


def _row(
    claim: Claim, reason: str, measured: Measured, names: tuple[str, str | None], k: int | None, problems: int | None
) -> Found:
    settings = f"k {k or 'not given'} · {_DRAWN}"
    return base.found(claim, reason, settings, measured, runs=names, k=k, problems=problems)
