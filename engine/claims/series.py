"""Claims about several runs at once: algorithms, training steps, temperatures. All at one k, common to all runs involved.

Each checkpoint comes from one training run, that is, one training seed: what is said is of these checkpoints, and every reason
says so. Where a claim needs several things to hold at once, its p-value is the largest of theirs (intersection-union test).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import isnan
from typing import Final

from engine.analyses.pairs import equivalence, paired_p
from engine.analyses.passk import mean_pass_at_k
from engine.claims.base import LARGE_K, Claim, Estimate, Finding, Found, Measured, points
from engine.claims.curves import at_ends, differences
from engine.claims.ground import Ground, Pair
from engine.claims.means import mean_against
from engine.claims.parts import both_ways, one_order, p_of_both, p_of_order
from store.names import number_text
from store.rows import RunRow
from store.types import Role

ALIKE: Final = 0.05
"""Algorithms perform alike where no two are further apart than this, at k = 1 and at the common k."""

ALGORITHMS: Final = Claim(
    "algorithms-alike",
    f"RL algorithms perform alike, within {100 * ALIKE:g} points at k = 1 and at large k.",
    "Yue et al. 2025 (2504.13837), section 4.3 and table 2",
)
LONGER: Final = Claim(
    "longer-training",
    "Longer training raises pass@1 and lowers pass@k.",
    "Yue et al. 2025 (2504.13837), section 4.4 and table 3",
)
TEMPERATURES: Final = Claim(
    "other-temperatures",
    "The order of base and RL at large k is the same at other temperatures.",
    "Yue et al. 2025 (2504.13837), section 4.5 and appendix",
)


def algorithms_alike(ground: Ground) -> list[Found]:
    """Equivalence of every two algorithms with the margin ALIKE. Contradicted where two are clearly further apart than that."""
    runs = _one_for_each_algorithm(ground)
    if len(runs) > 1:
        return [_alike(ground, runs)]
    named = ", ".join(sorted(runs)) or "none"
    reason = (
        f"it takes RL runs of at least two algorithms ({named} known here):"
        f" `basebound import {ground.study.path} FILE --set algorithm=NAME` brings one"
    )
    return [ground.cannot_tell(ALGORITHMS, ground.lacking(reason))]


def longer_training(ground: Ground) -> list[Found]:
    """First against last step of each series of checkpoints: pass@1 up and pass@k down, both by the paired test."""
    missing = (
        "it takes two steps of one RL run, drawn alike:"
        f" `basebound import {ground.study.path} FILE --set step=300` or `basebound sample` brings another"
    )
    return [_longer(ground, steps) for steps in _checkpoints(ground)] or [ground.cannot_tell(LONGER, ground.lacking(missing))]


def other_temperatures(ground: Ground) -> list[Found]:
    """The sign of pass@k's difference at each temperature. Contradicted where two temperatures clearly give two orders."""
    missing = (
        "it takes base and RL at two temperatures or more, with one prompt:"
        f" `basebound sample {ground.study.path} --temperature 1` draws another"
    )
    several = _at_several_temperatures(ground)
    return [_orders(ground, pairs) for pairs in several] or [ground.cannot_tell(TEMPERATURES, ground.lacking(missing))]


@dataclass(frozen=True, slots=True)
class _Apart:
    """Two algorithms at one k, on the problems that all algorithms share."""

    pair: Pair
    k: int
    difference: Estimate
    """Other less base; the p-value is of the two one-sided tests of equivalence."""
    beyond_p: float
    """Of being further apart than ALIKE; 1 where they were not."""


def _one_for_each_algorithm(ground: Ground) -> dict[str, RunRow]:
    """By algorithm, the run to compare: drawn as most RL runs are, at the last step that all have, else at its own last."""
    runs = [run for run in ground.with_role(Role.RL) if run.model.algorithm and ground.board.counts(run)]
    drawn = [_drawn(run) for run in runs]
    usual = max(drawn, key=drawn.count, default=())
    by: dict[str, list[RunRow]] = {}
    for run in runs:
        if _drawn(run) == usual:
            by.setdefault(run.model.algorithm or "", []).append(run)
    shared = set.intersection(*({run.model.step for run in of} for of in by.values())) if by else set()
    return {name: max(of, key=lambda run: (run.model.step in shared, run.model.step or 0)) for name, of in by.items()}


def _alike(ground: Ground, runs: dict[str, RunRow]) -> Found:
    chosen = list(runs.values())
    k = ground.board.common_k(*chosen)
    if k is None or k < LARGE_K:
        return ground.cannot_tell(ALGORITHMS, _small_k(ground, "the algorithms", k))
    pairs = [pair for two in combinations(chosen, 2) if (pair := ground.pair(*two, among=chosen))]
    apart = [_apart(ground, pair, at) for pair in pairs for at in (1, k)]
    most = max(apart, key=lambda one: abs(one.difference.value))
    alike_p = max(one.difference.p_value for one in apart)
    beyond_p = min(1.0, len(apart) * min(one.beyond_p for one in apart))
    finding = Finding.SUPPORTED if alike_p <= ground.alpha else Finding.NOT_SIGNIFICANT
    finding = Finding.CONTRADICTED if beyond_p <= ground.alpha else finding
    estimate = replace(most.difference, p_value=beyond_p if finding is Finding.CONTRADICTED else alike_p)
    named = ", ".join(name if run.model.step is None else f"{name} step {run.model.step}" for name, run in runs.items())
    reason = (
        f"of {len(chosen)} algorithms ({named}) at k = 1 and k = {k} over {most.pair.size},"
        f" {most.pair.base.name} and {most.pair.other.name} are furthest apart, at k = {most.k}, where {points(ALIKE)} are the"
        f" margin; {_seeds(chosen)}"
    )
    measured = Measured(f"largest difference, pass@{most.k}", estimate, finding, p_of=_p_of(apart, most, finding))
    return ground.found(ALGORITHMS, most.pair, measured, reason)


def _p_of(apart: Sequence[_Apart], most: _Apart, finding: Finding) -> str | None:
    """Which two algorithms the p-value is of, where they are not those furthest apart; None where they are."""
    if finding is Finding.CONTRADICTED:
        part, told = min(apart, key=lambda one: (one.beyond_p, one is not most)), f", times {len(apart)}"
    else:
        part, told = max(apart, key=lambda one: (one.difference.p_value, one is most)), ""
    if part is most and not told:
        return None
    part_is = "part against it" if told else "weaker part"
    return f"the {part_is}, {part.pair.base.name} and {part.pair.other.name} at k = {part.k}{told}"


def _apart(ground: Ground, pair: Pair, k: int) -> _Apart:
    within = equivalence(*pair.counts, k=k, margin=ALIKE, level=ground.level, seed=ground.seed)
    side = ALIKE if within.difference > 0 else -ALIKE
    beyond = mean_against(differences(pair, k), side, ground.level, ground.seed)
    is_beyond = abs(within.difference) > ALIKE
    return _Apart(pair, k, replace(beyond, p_value=within.p_value), beyond.p_value if is_beyond else 1.0)


def _checkpoints(ground: Ground) -> list[list[RunRow]]:
    """Series of two steps or more of one training run, drawn alike, first step first."""
    by: dict[tuple[object, ...], list[RunRow]] = {}
    for run in ground.with_role(Role.RL) if ground.other is None else ground.board.runs:
        if run.model.step is not None and ground.board.counts(run):
            by.setdefault(_trained(run), []).append(run)
    series = [sorted(of, key=lambda run: run.model.step or 0) for of in by.values()]
    if ground.other is not None:
        series = [of for of in series if ground.other in of]
    return [of for of in series if of[0].model.step != of[-1].model.step]


def _trained(run: RunRow) -> tuple[object, ...]:
    model = run.model
    return model.role, model.algorithm or model.name, model.parent, model.training_seed, run.settings


def _longer(ground: Ground, steps: list[RunRow]) -> Found:
    pair = ground.pair(steps[0], steps[-1])
    if pair is None or pair.k < LARGE_K:
        return ground.cannot_tell(LONGER, _small_k(ground, "the steps", None if pair is None else pair.k), pair)
    first, last = at_ends(ground, pair)
    finding, p_value = both_ways((first.value, first.p_value), (-last.value, last.p_value), ground.alpha)
    between = ", ".join(f"step {run.model.step} {_curve_ends(ground, run, pair.k)}" for run in steps)
    reason = (
        f"from step {steps[0].model.step} to {steps[-1].model.step} over {pair.size} pass@1 changes by"
        f" {points(first.value)} (p = {first.p_value:.3g}) and pass@{pair.k} by {points(last.value)} (p = {last.p_value:.3g});"
        f" pass@1 and pass@{pair.k} in %: {between}; {_seeds(steps[:1])}"
    )
    of = p_of_both((first.value, first.p_value), (-last.value, last.p_value), ("pass@1", f"pass@{pair.k}"))
    measured = Measured(f"pass@{pair.k}, last - first step", replace(last, p_value=p_value), finding, p_of=of)
    return ground.found(LONGER, pair, measured, reason)


def _at_several_temperatures(ground: Ground) -> list[list[Pair]]:
    """By compared model and prompt: its pairs with base, drawn alike, at two temperatures or more, coldest first."""
    runs = ground.with_role(Role.RL) or ground.with_role(Role.OTHER)
    if ground.other is not None:
        runs = [run for run in ground.board.runs if run.model == ground.other.model]
    by: dict[tuple[object, ...], dict[float, Pair]] = {}
    for run in runs:
        mate, temperature = _drawn_like(ground, run), run.settings.temperature
        pair = None if mate is None else ground.pair(mate, run)
        if pair is not None and not isinstance(temperature, str):
            by.setdefault((run.model, run.settings.prompt_template), {})[float(temperature)] = pair
    return [[of[t] for t in sorted(of)] for of in by.values() if len(of) > 1]


def _drawn_like(ground: Ground, run: RunRow) -> RunRow | None:
    """The base model's run with this one's decoding and prompt; None where there is none."""
    reference = ground.reference(run)
    if reference is None or reference.model == run.model:
        return None
    return next((one for one in ground.board.runs if one.model == reference.model and _drawn(one) == _drawn(run)), None)


def _orders(ground: Ground, pairs: list[Pair]) -> Found:
    k = min(pair.k for pair in pairs)
    if k < LARGE_K:
        return ground.cannot_tell(TEMPERATURES, _small_k(ground, "the runs at all temperatures", k))
    told = []
    for pair in pairs:
        of = differences(pair, k)
        told.append((float(of.mean()), paired_p(*pair.counts, k, ground.seed)))
    finding, p_value = one_order(told, ground.alpha)
    said = "; ".join(
        f"T {number_text(pair.other.settings.temperature)} {points(value)} (p = {p:.3g}, {pair.size})"
        for pair, (value, p) in zip(pairs, told, strict=True)
    )
    reason = (
        f"pass@{k} of {pairs[0].other.model.name} less that of {pairs[0].base.model.name}: {said}; {_seeds([pairs[0].other])}"
    )
    value = min((value for value, _ in told), key=abs)
    temperatures = [number_text(pair.other.settings.temperature) for pair in pairs]
    p_of = p_of_order(told, temperatures)
    measured = Measured(f"pass@{k}, other - base, nearest 0", Estimate(value, value, value, p_value), finding, p_of=p_of)
    runs = [run for pair in pairs for run in (pair.base, pair.other)]
    row = ground.found(TEMPERATURES, pairs[0], measured, reason)
    return replace(row, low=None, high=None, k=k, settings=ground.settings(runs, k))


def _seeds(runs: Sequence[RunRow]) -> str:
    return "one training seed" if len(runs) == 1 else "one training seed of each, so these checkpoints and not the methods"


def _curve_ends(ground: Ground, run: RunRow, k: int) -> str:
    counts = ground.board.counts(run)
    values = mean_pass_at_k([count.n for count in counts], [count.correct for count in counts], [1, k])
    return " and ".join("–" if isnan(value) else f"{100 * value:.1f}" for value in values)


def _drawn(run: RunRow) -> tuple[object, ...]:
    of = run.settings
    return of.temperature, of.top_p, of.top_k, of.min_p, of.prompt_template, of.chat_template


def _small_k(ground: Ground, who: str, k: int | None) -> str:
    if k is None:
        return f"{who} share no judged problem: `basebound verify {ground.study.path}` or `basebound sample` brings what lacks"
    return (
        f"the claim is of large k, and {who} have k = {k} in common, less than {LARGE_K}: draw more samples with"
        f" `basebound sample {ground.study.path}`, or import them"
    )
