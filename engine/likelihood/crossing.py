"""Who scores whose responses, where nobody says: what the four perplexities of a base model and another one need."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from engine.board import reference_run
from engine.likelihood.conditions import vocabularies
from store.reader import Study
from store.rows import RunRow
from store.types import Model, Role


@dataclass(frozen=True, slots=True)
class Crossing:
    """One model, and the runs it is to score."""

    model: Model
    runs: list[RunRow]
    foreign: list[RunRow]
    """That it cannot: their token ids are another vocabulary's."""


def crossings(study: Study, models: Collection[Model], runs: Sequence[RunRow]) -> list[Crossing]:
    """Each model scores its own runs, a base model all, and every other the base's that its own are compared with.

    runs: those meant, of these models.
    """
    return [_crossing(study, model, _whom(model, runs), runs) for model in models]


def _whom(model: Model, runs: Sequence[RunRow]) -> list[RunRow]:
    if model.role is Role.BASE:
        return list(runs)
    own = [run for run in runs if run.model == model]
    of_base = (reference_run([one for one in runs if one.benchmark == run.benchmark], run) for run in own)
    wanted = {run.run_id for run in (*own, *of_base) if run is not None}
    return [run for run in runs if run.run_id in wanted]


def _crossing(study: Study, model: Model, whom: Sequence[RunRow], runs: Sequence[RunRow]) -> Crossing:
    known = {word for run in runs if run.model == model for word in vocabularies(study, run)}
    foreign = {run.run_id for run in whom if known and not vocabularies(study, run) <= known}
    readable = [run for run in whom if run.run_id not in foreign]
    return Crossing(model, readable, [run for run in whom if run.run_id in foreign])
