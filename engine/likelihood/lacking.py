"""What a study lacks of what is asked of it: which samples of which runs a model has not scored yet, and how far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from engine.decoding import Decoding
from engine.finding import Finder
from engine.likelihood.decodings import decodings_of, is_unknown, scored_after, values_of
from store.likelihoods import ScoreState, score_states
from store.query import parse
from store.reader import Study
from store.rows import RunRow
from store.types import Model


@dataclass(frozen=True, slots=True)
class Lacking:
    """Of one run, what is not there yet."""

    run: RunRow
    decodings: Sequence[Decoding]
    samples: Sequence[int]
    """Ids."""
    detailed: frozenset[int]
    """Of those, the ones to be kept token by token."""
    summed: frozenset[int] = frozenset()
    """Of those, the ones whose sums are there and tell more than this scorer can: they stay."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Ids of the samples that are meant; None for all."""

    where: frozenset[int] | None
    tokens: frozenset[int] | None
    """Of those, the ones to be kept token by token."""
    again: bool = False
    """Whatever is there."""

    def lacks_of(self, states: Iterable[ScoreState]) -> Iterator[tuple[int, bool]]:
        """Ids of samples that lack something, and whether they lack their tokens."""
        for state in states:
            if self.where is None or state.sample_id in self.where:
                there = state.detailed and not self.again
                tokens = not there and (self.tokens is None or state.sample_id in self.tokens)
                if tokens or self.again or not state.whole:
                    yield state.sample_id, tokens


def select(study: Study, where: str | None, tokens: str | None, again: bool = False) -> Selection:
    """As `engine.scoring.Asked` has both queries. Raises BadQuery, and NotFound for a set where there is no second run."""
    finder = Finder(study)
    return Selection(_fitting(finder, where or ""), frozenset() if tokens is None else _fitting(finder, tokens), again)


def _fitting(finder: Finder, query: str) -> frozenset[int] | None:
    if not query.strip():
        return None
    return frozenset(sample_id for sample_id, _ in finder.chosen(parse(query)))


def lacking_of(
    study: Study, run: RunRow, scorer: Model, plain_only: bool, selection: Selection, prompt_of: RunRow | None = None
) -> Lacking:
    """plain_only: the scorer knows temperature 1 alone, so sums at that are all it can give; and tokens at whatever decoding
    somebody else gave are more than its own. prompt_of: as `engine.scoring.Asked` has it."""
    after = scored_after(study.runs(run.benchmark), run, scorer, prompt_of) if is_unknown(run) else None
    decodings = decodings_of(run, after)
    by_decoding = [score_states(study, run.run_id, scorer, values_of(decoding)) for decoding in decodings]
    states = by_decoding[-1]
    if plain_only:
        decodings = decodings[:1]
        states = [_of_either(plain, own) for plain, own in zip(by_decoding[0], by_decoding[-1], strict=True)]
    lacks = dict(selection.lacks_of(states))
    detailed = frozenset(sample_id for sample_id, tokens in lacks.items() if tokens)
    summed = {state.sample_id for state in by_decoding[0] if state.whole} if plain_only and not selection.again else set()
    return Lacking(run, decodings, list(lacks), detailed, frozenset(summed.intersection(lacks)))


def _of_either(plain: ScoreState, own: ScoreState) -> ScoreState:
    """Of a scorer that tells no more than sums and tokens at temperature 1."""
    return ScoreState(plain.sample_id, plain.summed, plain.summed, plain.detailed or own.detailed)
