"""Where two runs' models part: over the right traces of the problems that one of them alone solves.

The sets are those of the pair at its common k. Each right trace that was scored token by token under both models gives the step
at which the model that did not draw it, and does not solve the problem, falls away most (`engine.analyses.parting`). A trace is
one draw: that its path is improbable under the other model does not say that every path is.

A trace by itself is `engine.trace_tokens`, whose names stand here as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan
from shlex import quote
from statistics import median
from typing import Final

from engine.analyses.parting import Fork, StepParting
from engine.board import Board, natural_pair
from engine.trace_tokens import TraceSum, TraceTokens, forbidden, is_model, trace_sums, trace_tokens
from store.likelihoods import TokenScoreRow, detailed_samples
from store.names import Link
from store.reader import DECIDING, Study
from store.rows import ProblemRow, RunRow
from store.types import Model, Outcome

__all__ = [
    "SIDES",
    "PairPartings",
    "ProblemPartings",
    "TraceParting",
    "TraceSum",
    "TraceTokens",
    "forbidden",
    "how_to_score",
    "how_to_score_trace",
    "lacking",
    "pair_partings",
    "partings",
    "problem_partings",
    "trace_sums",
    "trace_tokens",
]

SIDES: Final = ("base only", "other only")
"""The two sets that are looked at, in the words of `engine.analyses.coverage`."""

_NAMED: Final = 50
"""Most problems that a suggested query names."""

_RIGHT: Final = f"""
SELECT sample.sample_id, problem_id, idx, finish = 'length' FROM sample JOIN problem USING (problem_id) {DECIDING}
WHERE sample.run_id = :run_id AND problem.benchmark = :benchmark AND outcome = '{Outcome.CORRECT.value}'
ORDER BY problem_id, idx
"""


@dataclass(frozen=True, slots=True)
class TraceParting:
    """Where the model that does not solve the problem leaves a right trace of the one that does."""

    side: str
    """The set the problem is in: "base only" or "other only". The first: base's trace under the other run's model."""
    link: Link
    """The trace, at the step."""
    sample_id: int
    truncated: bool
    step: int
    """From 1: the step whose log-ratio is lowest."""
    steps: int
    fall: float
    """That ratio in nats, below 0; -inf where a token cannot be drawn at all."""
    share: float | None
    """Of what all falling steps fall together; None where a fall has no end."""
    whole: float | None
    """The log-ratio of the whole trace."""
    place: int
    """Of the step's token where the ratio is lowest, from 0."""
    tokens: int
    """Of the trace."""
    token: str
    """What that token brings to the text."""
    own: float
    """Its log-probability under the model that drew it."""
    other: float
    """And under the other."""
    fork: Fork | None
    """The other model's first choice is another token there. None where it is not, or where nobody told (`fork_known`)."""
    fork_known: bool
    choice: str | None
    """How that first choice reads; None without a fork, or where nobody has stored it."""

    @property
    def at(self) -> float:
        """Where in the trace, as the share of its tokens that come before."""
        return self.place / self.tokens


@dataclass(frozen=True, slots=True)
class ProblemPartings:
    """The right traces of one problem that one run alone solves."""

    side: str
    problem: ProblemRow
    right: int
    """Right traces of the run that solves it, extra ones too."""
    looked_at: int
    """Scored token by token under both models, their tokens' places known."""
    falling: int
    """Of those, with a step at which the other model falls."""
    at: float | None
    """The median place of the fall, as the share of a trace's tokens that come before; None where nothing falls."""
    fall: float | None
    """The median fall at the step, in nats."""


@dataclass(frozen=True, slots=True)
class PairPartings:
    """Both sides of a pair of runs."""

    k: int | None
    """The common k at which the sets are; None where the runs share no judged problem."""
    traces: tuple[TraceParting, ...]
    """Base only before other only, by problem and index."""
    problems: tuple[ProblemPartings, ...]
    """Of every problem in the two sets, also where no trace was looked at."""

    @property
    def looked_at(self) -> int:
        return sum(problem.looked_at for problem in self.problems)


def partings(study: Study, board: Board, base: RunRow, other: RunRow) -> list[TraceParting]:
    """Both sides of the pair, a row for each right trace that was looked at and in which the other model falls somewhere."""
    return list(pair_partings(study, board, base, other).traces)


def pair_partings(study: Study, board: Board, base: RunRow, other: RunRow) -> PairPartings:
    """The same with what was looked at, problem by problem. Runs of one model have nothing to part: all is unscored there.

    Raises DamagedText.
    """
    if not board.judged(base, other):
        return PairPartings(None, (), ())
    from engine.summary import cover

    found = cover(board, base, other)
    traces: list[TraceParting] = []
    problems: list[ProblemPartings] = []
    for side, run, scorer in zip(SIDES, (base, other), (other.model, base.model), strict=True):
        keys = set(found.sets[side])
        rows, told = _side(study, board, side, [one for one in board.problems if one.key in keys], run, scorer)
        traces += rows
        problems += told
    return PairPartings(found.k, tuple(traces), tuple(problems))


def problem_partings(study: Study, board: Board, base: RunRow, other: RunRow, problem: ProblemRow) -> PairPartings:
    """The same of one problem, whichever set it is in: base's right traces as `base only`, the other's as `other only`, for of
    those it is that the model which did not draw them is asked. Raises DamagedText."""
    traces: list[TraceParting] = []
    problems: list[ProblemPartings] = []
    for side, run, scorer in zip(SIDES, (base, other), (other.model, base.model), strict=True):
        rows, told = _side(study, board, side, [problem], run, scorer)
        traces += rows
        problems += told
    return PairPartings(board.common_k(base, other), tuple(traces), tuple(problems))


def _side(
    study: Study, board: Board, side: str, problems: Sequence[ProblemRow], run: RunRow, scorer: Model
) -> tuple[list[TraceParting], list[ProblemPartings]]:
    """The run's right traces of these problems under its own model and the scorer."""
    right = _right(study, board, run) if problems else {}
    scored = set(detailed_samples(study, run.run_id, run.model)) & set(detailed_samples(study, run.run_id, scorer))
    traces: list[TraceParting] = []
    told: list[ProblemPartings] = []
    for problem in problems:
        found = right.get(problem.problem_id, [])
        rows: list[TraceParting] = []
        looked_at = 0
        for sample_id, idx, truncated in found:
            tokens = trace_tokens(study, sample_id) if sample_id in scored else None
            row = None if tokens is None else _beside(tokens, scorer)
            if tokens is not None and row is not None and tokens.starts is not None:
                looked_at += 1
                link = Link(run.slug, problem.benchmark, problem.key, idx)
                rows += _parted(side, link, tokens, row, truncated)
        told.append(_summary(side, problem, len(found), looked_at, rows))
        traces += rows
    return traces, told


def _right(study: Study, board: Board, run: RunRow) -> dict[int, list[tuple[int, int, bool]]]:
    """By problem_id: sample id and index of each right trace, and whether it is truncated."""
    verifier = board.verifier if board.verifier in study.verifiers() else None
    found: dict[int, list[tuple[int, int, bool]]] = {}
    values = {"run_id": run.run_id, "benchmark": board.benchmark, "verifier": verifier}
    for sample_id, problem_id, idx, truncated in study.query(_RIGHT, values):
        found.setdefault(problem_id, []).append((sample_id, idx, bool(truncated)))
    return found


def _beside(tokens: TraceTokens, scorer: Model) -> TokenScoreRow | None:
    """The scorer's row, where own has one of the same tokens."""
    if tokens.own is None:
        return None
    return next((row for row in tokens.others if is_model(row.scorer, scorer.name, scorer.revision)), None)


def _parted(side: str, link: Link, tokens: TraceTokens, row: TokenScoreRow, truncated: bool) -> list[TraceParting]:
    """The one row of the trace; none where the other model falls at no step."""
    found = tokens.parting(row)
    lowest = found.falling_steps(1)
    if not lowest or found.ratio is None or found.other is None or lowest[0].ratio is None:
        return []
    step, fall = lowest[0], lowest[0].ratio
    place = _lowest(found.ratio, step)
    fork = next((fork for fork in found.forks if fork.place == place), None)
    choice = None if fork is None else tokens.pieces.get(fork.choices[0].token_id)
    return [
        TraceParting(
            side=side,
            link=Link(link.slug, link.benchmark, link.key, link.index, step.step),
            sample_id=tokens.sample_id,
            truncated=truncated,
            step=step.step,
            steps=len(found.steps),
            fall=fall,
            share=_share(fall, found.fall),
            whole=found.whole,
            place=place,
            tokens=tokens.tokens,
            token=tokens.text(place) or "",
            own=found.own[place],
            other=found.other[place],
            fork=fork,
            fork_known=found.forks_known,
            choice=choice,
        )
    ]


def _lowest(ratio: Sequence[float], step: StepParting) -> int:
    """Place of the step's token with the lowest known ratio, the first of equals."""
    places = range(step.first, step.first + step.tokens)
    return min((place for place in places if not isnan(ratio[place])), key=ratio.__getitem__)


def _share(part_of: float, whole: float | None) -> float | None:
    return None if whole is None or whole == -inf else part_of / whole


def _summary(side: str, problem: ProblemRow, right: int, looked_at: int, rows: Sequence[TraceParting]) -> ProblemPartings:
    return ProblemPartings(
        side=side,
        problem=problem,
        right=right,
        looked_at=looked_at,
        falling=len(rows),
        at=median(row.at for row in rows) if rows else None,
        fall=median(row.fall for row in rows) if rows else None,
    )


def lacking(study: Study, found: PairPartings, base: RunRow, other: RunRow) -> list[str]:
    """The commands that bring what `found` could not look at, one for each run and model; none where every right trace was, or
    where both runs are of one model: nothing parts from itself.

    What is there already is not made again, so each is given for own and for the other model alike.
    """
    if is_model(base.model, other.model.name, other.model.revision):
        return []
    natural = natural_pair(study.runs(base.benchmark)) == (base, other)
    lines = []
    for side, run in zip(SIDES, (base, other), strict=True):
        keys = [one.problem.key for one in found.problems if one.side == side and one.looked_at < one.right]
        what = f"set:{side.replace(' ', '-')} correct:yes" if natural else _named(keys)
        lines += [how_to_score(study, run, scorer, what) for scorer in (base.model, other.model) if keys]
    return lines


def how_to_score(study: Study, run: RunRow, scorer: Model, what: str) -> str:
    """The command that has a model go through those traces of the run token by token. what: a query, as `--tokens` takes it."""
    return _command(study, "folder-of-" + (scorer.name.rstrip("/").rsplit("/", 1)[-1] or "model"), run, what)


def how_to_score_trace(study: Study, run: RunRow, link: Link) -> str:
    """The same for one trace, under a model that the reader chooses."""
    return _command(study, "folder-of-a-model", run, f"problem:{_quoted(link.key or '')} sample:{link.index}")


def _named(keys: Sequence[str]) -> str:
    """`set:` means the sets of a benchmark's natural pair; for another pair problems are named, where they are few enough."""
    return f"problem:{'|'.join(map(_quoted, keys))} correct:yes" if len(keys) <= _NAMED else "correct:yes"


def _quoted(key: str) -> str:
    return '"' + key.replace('"', '""') + '"'


def _command(study: Study, folder: str, run: RunRow, query: str) -> str:
    return f"basebound score {quote(str(study.path))} --scorer {quote(folder)} --of {quote(run.slug)} --tokens {quote(query)}"
