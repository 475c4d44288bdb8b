"""The stage `score`: what a model thinks of the responses in a study, made and written batch by batch.

Each response is scored at temperature 1 (perplexity) and at the decoding its run was sampled with. The same line again goes
on where the last one stopped. Token ids are scored as they were generated; a scorer with another vocabulary is refused, and so
are runs without token ids (imported ones).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from math import fsum, inf
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.decoding import PLAIN, Decoding
from engine.pace import in_time
from engine.samplers import needing
from engine.samplers.base import SamplerError
from engine.sampling import content_revision
from store import measures
from store.errors import NotFound
from store.measures import ToScore
from store.reader import Study
from store.rows import RunRow
from store.types import Likelihood, Model
from store.writer import Writer

if TYPE_CHECKING:
    from engine.likelihood.scorer import Scored

BATCH: Final = 2048

Progress = Callable[[int, int], None]
"""Told how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Judge:
    """The model that scores, and where it lies."""

    model: Model
    folder: Path
    dtype: str | None = None
    device: str | None = None
    adapter: Path | None = None
    """A LoRA adapter's folder; the folder above is what it was trained on."""


def score(writer: Writer, judge: Judge, runs: Sequence[RunRow], progress: Progress = lambda _done, _all: None) -> int:
    """Score what is missing of these runs. Returns how many responses were scored.

    Raises SamplerError where the model cannot be loaded or has another vocabulary, NotFound for a run without token ids.
    """
    with Study(writer.path) as study:
        for run in runs:
            _require_ids(study, run)
        wanted = {run.run_id: decodings_of(run) for run in runs}
        total = sum(measures.count_to_score(study, r.run_id, judge.model, astuple(wanted[r.run_id][-1])) for r in runs)
        if not total:
            return 0
        with needing("models"):  # torch is loaded where there is something to do
            from engine.likelihood.scorer import Response, Scorer

        scorer = Scorer(judge.folder, judge.dtype, judge.device, judge.adapter)
        done = 0
        for run in runs:
            decodings = wanted[run.run_id]
            for batch in measures.to_score(study, run.run_id, judge.model, astuple(decodings[-1]), BATCH):
                _require_vocabulary(batch, scorer.vocabulary, judge, run)
                _require_room(batch, scorer.context_cap, judge)
                stopped = {s.sample_id: s.stopped for s in batch}
                scored = scorer.score((Response(s.sample_id, s.prompt, s.ids) for s in batch), decodings)
                for part in in_time(scored):
                    rows = [row for one in part for row in _rows(one, decodings, stopped[one.sample_id])]
                    writer.add_likelihoods(judge.model, scorer.dtype, rows)
                    done += len(part)
                    progress(done, total)
        return done


def decodings_of(run: RunRow) -> list[Decoding]:
    """Temperature 1, and the run's own decoding where it is known and another one. The last is written with the others."""
    settings = run.settings
    try:
        own = Decoding(float(settings.temperature), float(settings.top_p), int(settings.top_k))
    except ValueError:
        return [PLAIN]  # a setting nobody recorded
    return [PLAIN] if own == PLAIN else [PLAIN, own]


def find_scorer(study: Study, folder: Path) -> Model:
    """The study's model that lies in the folder, known by its content; else a new one of the folder's name."""
    revision = content_revision(folder)
    known = (model for model in measures.models(study) if model.revision == revision)
    return next(known, Model(folder.resolve().name, revision))


def _require_ids(study: Study, run: RunRow) -> None:
    lacking = measures.without_ids(study, run.run_id)
    if lacking:
        raise NotFound(
            f"{lacking:,} samples of {run.slug} have no token ids (they were imported), so their likelihood cannot be measured"
            f" as they were generated; score runs that were sampled here"
        )


def _require_vocabulary(batch: list[ToScore], vocabulary: str, judge: Judge, run: RunRow) -> None:
    if any(sample.vocabulary != vocabulary for sample in batch):
        raise SamplerError(
            f"{judge.folder} has another vocabulary than the model of {run.slug}: their token ids mean different things;"
            f" score with a model of the same family"
        )


def _require_room(batch: list[ToScore], cap: int, judge: Judge) -> None:
    longest = max(len(sample.prompt) + len(sample.ids) for sample in batch)
    if longest > cap:
        raise SamplerError(
            f"a response with its prompt has {longest:,} tokens, more than the {cap:,} positions of {judge.folder};"
            f" score with a model that reads that far"
        )


def _rows(scored: Scored, decodings: Sequence[Decoding], stopped: bool) -> Iterator[Likelihood]:
    for decoding, logp in zip(decodings, scored.logp.tolist(), strict=True):
        outside = sum(1 for value in logp if value == -inf)
        last = logp[-1] if stopped and logp and logp[-1] > -inf else None
        total = None if outside else fsum(logp)
        yield Likelihood(
            sample_id=scored.sample_id,
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            top_k=decoding.top_k,
            tokens=len(logp),
            logp=total,
            outside=outside,
            stop_logp=last,
        )
