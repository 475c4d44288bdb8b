"""The entropy of a run: nats a token of the very distribution it was drawn from, after temperature, top-k and top-p.

For a token drawn from p the mean of -log p(token) is the entropy of p, whatever p is: so the mean of -log p over a run's tokens
estimates, without the logits, the mean entropy over the places that the run went through. That a response ends, by a stop
token or a limit, does no harm: it ends at a token that was drawn already.

The log-probabilities are those the engine had while drawing; where it told none, those of the run's own model scoring its own
responses at the run's own decoding (`basebound score`). Never both in one figure, and never another decoding's: the mean
of -log p at temperature 1 over responses drawn at 0.6 is no entropy. Samples beyond a run's n are left out.

`matching` looks for the temperature at which a model's entropy is another run's (Yue et al. 2025, arXiv 2504.13837, figure 17).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from math import fsum, sqrt
from typing import Final

from store.names import number_text
from store.reader import Study
from store.rows import RunRow

LEVEL: Final = 0.95

_HOW: Final = "draw it with this version, or let its own model score it with `basebound score`"

_OF_RUNS: Final = "run_id IN (SELECT run_id FROM run WHERE benchmark = ifnull(?, benchmark))"

# In the order they lie on the disk: a study's samples of one problem lie far apart.
_DRAWN: Final = f"""
SELECT run_id, problem_id, count(*), count(*) FILTER (WHERE logp IS NOT NULL AND tokens > 0),
       total(tokens) FILTER (WHERE logp IS NOT NULL AND tokens > 0), total(logp) FILTER (WHERE tokens > 0)
FROM sample NOT INDEXED WHERE NOT extra AND {_OF_RUNS} GROUP BY run_id, problem_id
"""

# Runs with token ids have a min-p of 0 and no repetition penalty; one that has not was not drawn from what was scored.
_SCORED: Final = f"""
SELECT run_id, problem_id, count(*), count(likelihood.logp),
       total(likelihood.tokens) FILTER (WHERE likelihood.logp IS NOT NULL), total(likelihood.logp)
FROM likelihood CROSS JOIN sample USING (sample_id) CROSS JOIN run USING (run_id)
WHERE scorer_id = model_id AND likelihood.temperature = run.temperature AND likelihood.top_p = run.top_p
  AND likelihood.top_k = max(run.top_k, 0) AND min_p = 0 AND repetition_penalty = 1 AND likelihood.tokens > 0
  AND NOT extra AND {_OF_RUNS} GROUP BY run_id, problem_id
"""


class Source(StrEnum):
    """Who told the log-probabilities."""

    DRAWN = "drawn"
    """The engine, while drawing."""
    SCORED = "scored"
    """The run's own model, afterwards."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a run's responses to one problem tell."""

    nats: float
    """Sum of -log p over all their tokens."""
    tokens: int


@dataclass(frozen=True, slots=True)
class RunEntropy:
    """One run. Nothing is known where `source` is None."""

    run: RunRow
    parts: Mapping[int, Part]
    """By problem_id."""
    source: Source | None
    samples: int
    """Responses that tell it."""
    of: int
    """Responses stored, those beyond the run's n aside."""
    outside: int
    """Scored, but with a token that the scorer could not have drawn (rounding moved the edge of its top-p set): left out."""

    @property
    def tokens(self) -> int:
        return sum(part.tokens for part in self.parts.values())

    @property
    def nats(self) -> float | None:
        """A token, pooled: sum of nats / sum of tokens, so that long responses count for more."""
        return _ratio(self.parts.values()) if self.parts else None

    @property
    def error(self) -> float | None:
        """Standard error of `nats`, the problems being drawn from more like them; None for fewer than two.

        With y_i nats and x_i tokens of problem i, R = sum y / sum x and G problems, it is that of a ratio with problems as
        clusters (Cochran 1977, section 6.3): sqrt(G / (G-1) * sum (y_i - R x_i)^2) / sum x.
        """
        return _error([_shares(self.parts)])

    @property
    def over_problems(self) -> float | None:
        """The mean of the problems' own nats a token: each counts alike, however long its responses are."""
        each = [part.nats / part.tokens for part in self.parts.values()]
        return fsum(each) / len(each) if each else None


@dataclass(frozen=True, slots=True)
class Match:
    """The temperature at which a model has the entropy that was asked for, on the problems that all these runs share.

    Between two temperatures the entropy is taken to be a straight line. The limits tell what the problems leave open, paired
    by problem, and not how far the line is from the curve: a run at the temperature itself does.
    """

    temperature: float
    low: float | None
    """95 % limits; None where it is open on that side: the coolest or the hottest run does not rule it out."""
    high: float | None
    between: tuple[RunRow, RunRow]
    nats: float
    """Of the target, on those problems."""
    problems: int


@dataclass(frozen=True, slots=True)
class NoMatch:
    """Why there is no such temperature, and what to do."""

    reason: str


def entropies(study: Study, benchmark: str | None = None) -> list[RunEntropy]:
    """Of every run with samples, in the study's order; benchmark: this one's only. Time grows with the samples."""
    drawn, scored = (_told(study.query(sql, (benchmark,))) for sql in (_DRAWN, _SCORED))
    found = [(run, drawn.get(run.run_id), scored.get(run.run_id, _Told())) for run in study.runs(benchmark)]
    return [_entropy(run, ours, theirs) for run, ours, theirs in found if ours is not None]


def sweeps(found: Iterable[RunEntropy], target: RunEntropy) -> list[list[RunEntropy]]:
    """The runs of each other model on the target's benchmark, those together that differ in temperature and seed only."""
    groups: dict[object, list[RunEntropy]] = defaultdict(list)
    for one in found:
        if one.run.benchmark == target.run.benchmark and one.run.model != target.run.model:
            groups[one.run.model, replace(one.run.settings, temperature=0, seed=0)].append(one)
    return list(groups.values())


def matching(sweep: Iterable[RunEntropy], target: RunEntropy) -> Match | NoMatch:
    """The temperature at which the sweep's model has the target's entropy: between two runs, never beyond them.

    sweep: runs of one model that differ in temperature (and seed) only, in any order.
    """
    runs = _by_temperature(sweep)
    if target.nats is None:
        return NoMatch(f"the entropy of {target.run.slug} is not known: {_HOW}")
    if len(runs) < 2:
        return NoMatch(_too_few(runs, target.nats))
    common = set(target.parts).intersection(*(one.parts for one in runs.values()))
    if not common:
        return NoMatch(f"these runs share no problem with {target.run.slug}: draw them on the same problems")
    theirs = _only(target.parts, common)
    points = [_point(temperature, _only(one.parts, common), theirs) for temperature, one in runs.items()]
    return _crossing(points, [one.run for one in runs.values()], _ratio(theirs.values()), len(common))


@dataclass(slots=True)
class _Told:
    """What one source says of one run."""

    parts: dict[int, Part]
    samples: int
    of: int

    def __init__(self) -> None:
        self.parts, self.samples, self.of = {}, 0, 0


@dataclass(frozen=True, slots=True)
class _Point:
    """How far a run's entropy is above the target's."""

    temperature: float
    above: float
    margin: float | None
    """Half of its 95 % interval."""
    nats: float


def _told(rows: Iterable[tuple[int, int, int, int, float, float]]) -> dict[int, _Told]:
    found: dict[int, _Told] = defaultdict(_Told)
    for run_id, problem_id, of, samples, tokens, logp in rows:
        told = found[run_id]
        told.of += of
        if samples:
            told.samples += samples
            told.parts[problem_id] = Part(0.0 - logp, int(tokens))
    return dict(found)


def _entropy(run: RunRow, drawn: _Told, scored: _Told) -> RunEntropy:
    """By the source that tells of more responses; of two that tell of as many, the engine, which knew what it drew from."""
    if drawn.samples >= scored.samples:
        source = Source.DRAWN if drawn.samples else None
        return RunEntropy(run, drawn.parts, source, drawn.samples, drawn.of, 0)
    return RunEntropy(run, scored.parts, Source.SCORED, scored.samples, drawn.of, scored.of - scored.samples)


def _ratio(parts: Iterable[Part]) -> float:
    parts = list(parts)
    return fsum(part.nats for part in parts) / sum(part.tokens for part in parts)


def _shares(parts: Mapping[int, Part]) -> dict[int, float]:
    """By problem, its share in how far the ratio is off: (y_i - R x_i) / sum x."""
    if not parts:
        return {}
    ratio, tokens = _ratio(parts.values()), sum(part.tokens for part in parts.values())
    return {problem: (part.nats - ratio * part.tokens) / tokens for problem, part in parts.items()}


def _error(shares: Sequence[Mapping[int, float]]) -> float | None:
    """Standard error of a ratio, or, given two, of the first less the second over the same problems."""
    first, *rest = shares
    off = [share - sum(other[problem] for other in rest) for problem, share in first.items()]
    return sqrt(len(off) / (len(off) - 1) * fsum(one * one for one in off)) if len(off) > 1 else None


def _by_temperature(sweep: Iterable[RunEntropy]) -> dict[float, RunEntropy]:
    """Those that tell, coolest first; of several at one temperature the one with the most tokens."""
    known = [(one.run.settings.temperature, one) for one in sweep if one.parts]
    told = [(float(temperature), one) for temperature, one in known if not isinstance(temperature, str)]
    return dict(sorted(told, key=lambda pair: (pair[0], pair[1].tokens)))


def _too_few(runs: Mapping[float, RunEntropy], wanted: float) -> str:
    if not runs:
        return f"no entropy of its runs is known: {_HOW}"
    ((temperature, one),) = runs.items()
    nats = _ratio(one.parts.values())
    return f"known at T {temperature:g} only ({nats:.3g}): draw it {'hotter' if nats < wanted else 'cooler'} as well"


def _only(parts: Mapping[int, Part], problems: set[int]) -> dict[int, Part]:
    return {problem: part for problem, part in parts.items() if problem in problems}


def _point(temperature: float, ours: Mapping[int, Part], theirs: Mapping[int, Part]) -> _Point:
    nats = _ratio(ours.values())
    error = _error([_shares(ours), _shares(theirs)])
    margin = None if error is None else error * _quantile(len(ours) - 1)
    return _Point(temperature, nats - _ratio(theirs.values()), margin, nats)


def _quantile(freedom: int) -> float:
    """Of Student's t, for an interval of LEVEL."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + LEVEL) / 2))


def _crossing(points: Sequence[_Point], runs: Sequence[RunRow], nats: float, problems: int) -> Match | NoMatch:
    """Where the points pass 0 upwards, if they do so once."""
    coolest, hottest = points[0], points[-1]
    signs = [point.above >= 0 for point in points]
    if all(signs) and coolest.above > 0:
        return NoMatch(f"{nats:.3g} is below T {number_text(coolest.temperature)}'s {coolest.nats:.3g}: draw cooler")
    if not any(signs):
        return NoMatch(f"{nats:.3g} is above T {number_text(hottest.temperature)}'s {hottest.nats:.3g}: draw hotter")
    if signs != sorted(signs):
        return NoMatch(f"its entropy passes {nats:.3g} more than once, for it does not rise steadily: draw more samples")
    place = max(1, signs.index(True))
    temperature = _zero(points[place - 1], points[place])
    low, high = _limits(points)
    return Match(temperature, low, high, (runs[place - 1], runs[place]), nats, problems)


def _limits(points: Sequence[_Point]) -> tuple[float | None, float | None]:
    """Between which temperatures 0 is not ruled out; the widest where it is so in several stretches."""
    if any(point.margin is None for point in points):
        return None, None
    upper, lower = ([replace(p, above=p.above + sign * (p.margin or 0.0)) for p in points] for sign in (1, -1))
    rises = [_zero(one, two) for one, two in pairwise(upper) if one.above < 0 <= two.above]
    falls = [_zero(one, two) for one, two in pairwise(lower) if one.above <= 0 < two.above]
    return rises[0] if upper[0].above < 0 else None, falls[-1] if lower[-1].above > 0 else None


def _zero(one: _Point, other: _Point) -> float:
    """Where the line through both is 0; the first of them where it is 0 all along."""
    rise = other.above - one.above
    return one.temperature - one.above / rise * (other.temperature - one.temperature) if rise else one.temperature
