"""The stage `score`: what a model thinks of the responses in a study, made and written as they come.

Each response is scored at temperature 1 (perplexity) and at the decoding its run was sampled with, or, where nobody knows that,
at the one of the run whose prompts it is scored after; a scorer that knows only the first gives only that. Sums are kept of
all, log-probabilities token by token of those that are asked for. The same line again goes on where the last one stopped: a
sample is lacking until what is asked of it is there, and where nothing is, no model is loaded.

Token ids are scored as they were generated. A response whose ids are unknown, or another vocabulary's, is refused, or its text
is tokenized anew and marked so (`engine.likelihood.conditions`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from engine.checkpoints import has_weights
from engine.decoding import Decoding
from engine.likelihood import PLAIN_ONLY, load_scorer
from engine.likelihood.base import Response, Scored, Scorer
from engine.likelihood.conditions import Conditioned, Conditions, notes_on, require_ids, require_vocabulary
from engine.likelihood.decodings import decodings_of, values_of
from engine.likelihood.kept import nothing, sums_of, token_scores_of
from engine.likelihood.lacking import Lacking, lacking_of, select
from engine.likelihood.spelling import pieces
from engine.pace import in_time
from engine.samplers.base import Opening, SamplerError
from engine.sampling import content_revision
from store import measures
from store.errors import NotFound
from store.likelihoods import dtypes, to_score
from store.new_scores import NewTokenScores
from store.query import parse
from store.reader import Study
from store.rows import RunRow
from store.types import Finish, Likelihood, Model
from store.writer import Writer

__all__ = ["Asked", "Judge", "ScoredRuns", "decodings_of", "find_scorer", "score"]

LOOK: Final = 256
"""Samples whose ids are read at a time."""

Progress = Callable[[int, int], None]
"""Told how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Judge:
    """The model that scores, and what runs it."""

    model: Model
    opening: Opening
    scorer: str = "transformers"
    """Its name in `engine.likelihood.SCORERS`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be scored, and how far. where, tokens: of the explorer's filter grammar. Raises BadQuery."""

    where: str | None = None
    """Only traces that fit; None, or nothing in it, for all."""
    tokens: str | None = None
    """Of those, the ones to be kept token by token; nothing in it: all. None for none."""
    retokenize: bool = False
    """Tokenize the text of a response whose ids are unknown, or of another vocabulary."""
    prompt_of: RunRow | None = None
    """Whose prompts such a response is scored after; None for the run of the scorer's own model that has some."""
    again: bool = False
    """Whatever is there: in another dtype, say, or where token scores are damaged."""

    def __post_init__(self) -> None:
        for query in (self.where, self.tokens):
            parse(query or "")


@dataclass(frozen=True, slots=True)
class ScoredRuns:
    """What came of it: what was scored this time."""

    responses: int = 0
    detailed: int = 0
    """Of those, kept token by token."""
    retokenized: int = 0
    truncated: int = 0
    """Ended by a length limit: what they would have gone on to say is not scored."""
    notes: tuple[str, ...] = ()
    """Sentences: in what the scorer is unlike the model that drew them, and what was left unscored."""
    left_out: int = 0
    """Longer than the scorer reads, or without a prompt."""


def score(
    writer: Writer,
    judge: Judge,
    runs: Sequence[RunRow],
    asked: Asked = Asked(),
    progress: Progress = lambda _done, _all: None,
) -> ScoredRuns:
    """Score what is missing of these runs.

    Raises SamplerError where the model cannot be loaded or has another vocabulary, NotFound for a run without token ids, or
    without a prompt to score it after.
    """
    with Study(writer.path) as study:
        selection, plain_only = select(study, asked.where, asked.tokens, asked.again), judge.scorer in PLAIN_ONLY
        each = (lacking_of(study, run, judge.model, plain_only, selection, asked.prompt_of) for run in runs)
        lacking = [one for one in each if one.samples]
        if not lacking:
            return ScoredRuns()
        if not asked.retokenize:
            for one in lacking:
                require_ids(study, one.run, one.samples)
        with load_scorer(judge.scorer, judge.opening) as scorer:
            stage = _Stage(study, writer, judge, asked, scorer)
            stage.check(lacking)
            for one in lacking:
                stage.score(one, progress)
            return stage.result()


def find_scorer(study: Study, folder: Path, adapter: Path | None = None) -> Model:
    """The study's model that lies in the folder, known by its content; else a new one of the folder's name.

    A server's model, whose weights are not here, is known by its name. Raises NotFound where several have that.
    """
    name = (adapter or folder).resolve().name if folder.is_dir() else str(folder)
    known = measures.models(study)
    if adapter is None and not has_weights(folder):
        return _named(name, known)
    revision = content_revision(folder, adapter)
    return next((model for model in known if model.revision == revision), Model(name, revision))


def _named(name: str, known: Sequence[Model]) -> Model:
    found = [model for model in known if model.name == name]
    if len(found) > 1:
        raise NotFound(
            f"the study has {len(found)} models called {name}, and without its weights nothing tells which one the server"
            f" has; give the folder that holds them"
        )
    return found[0] if found else Model(name)


@dataclass(slots=True)
class _Counts:
    """As in `ScoredRuns`."""

    responses: int = 0
    detailed: int = 0
    retokenized: int = 0
    truncated: int = 0
    left_out: int = 0
    notes: list[str] = field(default_factory=list)


class _Stage:
    """One scorer at work on runs, one after the other."""

    def __init__(self, study: Study, writer: Writer, judge: Judge, asked: Asked, scorer: Scorer) -> None:
        self._study = study
        self._writer = writer
        self._model = judge.model
        self._scorer = scorer
        self._again = asked.again
        self._conditions = Conditions(study, scorer, judge.model, asked.retokenize, asked.prompt_of)
        facts = scorer.facts
        self._engine = ", ".join(filter(None, (facts.version, facts.device, facts.detail)))
        self._counts = _Counts()
        self._total = 0
        self._waiting: dict[int, Conditioned] = {}
        """Handed to the scorer, by sample id."""
        self._read: set[int] = set()
        """Token ids whose pieces are written."""

    def check(self, lacking: Sequence[Lacking]) -> None:
        """Before anything is scored: whatever can be refused is."""
        self._total = sum(len(one.samples) for one in lacking)
        for one in lacking:
            self._require_dtype(one.run)
            if not self._conditions.retokenize:
                require_vocabulary(self._study, one.run, one.samples, self._scorer)
            self._counts.notes += notes_on(self._study, one.run, self._scorer)

    def _require_dtype(self, run: RunRow) -> None:
        """One run's numbers under one model are of one dtype: means and margins are of them all."""
        there, ours = dtypes(self._study, run.run_id, self._model), self._scorer.facts.dtype
        if ours in there or not there:
            return
        if not self._again:
            raise SamplerError(
                f"{self._model.name} has scored {run.slug} in {' and '.join(there)}, and now computes in {ours}:"
                f" give --dtype {there[0]}, or --again to score it anew"
            )
        self._counts.notes.append(f"what of {run.slug} is not scored again stays in {' and '.join(there)}")

    def score(self, lacking: Lacking, progress: Progress) -> None:
        for part in in_time(self._scored(lacking)):
            self._write(lacking, part)
            progress(self._counts.responses + self._counts.left_out, self._total)
        left = self._conditions.left_out()
        self._counts.left_out += left.responses
        self._counts.notes += left.notes(lacking.run)

    def result(self) -> ScoredRuns:
        counts = self._counts
        return ScoredRuns(
            counts.responses, counts.detailed, counts.retokenized, counts.truncated, tuple(counts.notes), counts.left_out
        )

    def _scored(self, lacking: Lacking) -> Iterator[Scored]:
        yield from self._scorer.score(self._responses(lacking), lacking.decodings)
        # What has no token says nothing that a model would have to be asked for.
        empty = [sample_id for sample_id, one in self._waiting.items() if not one.ids]
        yield from (nothing(sample_id, len(lacking.decodings)) for sample_id in empty)

    def _responses(self, lacking: Lacking) -> Iterator[Response]:
        samples = iter(lacking.samples)
        while some := list(islice(samples, LOOK)):
            for sample in to_score(self._study, some):
                one = self._conditions.of(sample, lacking.run)
                if one is not None:
                    self._waiting[sample.sample_id] = one
                if one is not None and one.ids:
                    yield Response(sample.sample_id, one.prompt, one.ids, sample.sample_id in lacking.detailed)

    def _write(self, lacking: Lacking, part: Sequence[Scored]) -> None:
        sums: list[Likelihood] = []
        by_token: list[NewTokenScores] = []
        for scored in part:
            one = self._waiting.pop(scored.sample_id)
            if scored.sample_id not in lacking.summed:
                sums += sums_of(scored, lacking.decodings, stopped=one.stopped, retokenized=one.retokenized)
            if scored.sample_id in lacking.detailed:
                by_token.append(self._by_token(scored, one, lacking.decodings[-1]))
            self._counts.retokenized += one.retokenized
            self._counts.truncated += one.finish is Finish.LENGTH
        facts = self._scorer.facts
        named = self._pieces(by_token)
        self._writer.add_likelihoods(
            self._model, facts.dtype, sums, engine=self._engine, by_token=by_token, pieces=named
        )  # fmt: skip
        self._read |= named.keys()
        self._counts.responses += len(part)
        self._counts.detailed += len(by_token)

    def _by_token(self, scored: Scored, one: Conditioned, decoding: Decoding) -> NewTokenScores:
        text = self._study.texts.response(scored.sample_id)
        scores = token_scores_of(scored, one.ids, text, self._scorer.tokenizer)
        return NewTokenScores(scored.sample_id, *values_of(decoding), self._scorer.facts.vocabulary, scores)

    def _pieces(self, by_token: Sequence[NewTokenScores]) -> dict[int, str]:
        """How the tokens read that stand among others, and are not written yet."""
        others = (one.scores.others or {} for one in by_token)
        ids = {other.token_id for each in others for several in each.values() for other in several}
        return pieces(self._scorer.tokenizer, sorted(ids - self._read))
