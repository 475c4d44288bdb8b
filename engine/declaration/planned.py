"""A declaration as plans for the stage `sample`: model x benchmark x prompt x temperature, in the order of the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from engine.checkpoints import folder_of, has_weights
from engine.declaration.checking import SCRIPTED, SERVER
from engine.declaration.values import Declaration, DeclaredBenchmark, DeclaredModel, DeclaredPrompt, EngineChoice
from engine.decoding import Decoding
from engine.fleet.places import Place, places
from engine.hub import dataset_file
from engine.problems import read_problems
from engine.samplers.base import Manner, Opening
from engine.sampling import Plan, Shard, content_revision
from store.types import UNKNOWN, Model, Problem

_COMMIT: Final = re.compile("[0-9a-f]{40}")


def plans(
    declaration: Declaration, shard: Shard | None = None, folders: Mapping[str, Path] | None = None, *, weights: bool = True
) -> list[Plan]:
    """What to draw. folders: by label of a model, where it lies; None: found, and fetched from the hub where it is there.
    weights: without them the plans are the same, but of the hub's models only what a dry run reads is fetched.

    Raises SamplerError for a model that is not to be had, ImportProblem for problems that cannot be read.
    """
    problems = {benchmark.name: problems_of(benchmark) for benchmark in declaration.benchmarks}
    found = folders_of(declaration, weights=weights) if folders is None else folders
    return [
        _plan(declaration, known, opening, problems[benchmark.name], benchmark, prompt, temperature, shard)
        for known, opening in _models(declaration, found)
        for benchmark in declaration.benchmarks
        for prompt in map(declaration.prompt, benchmark.prompts)
        for temperature in declaration.sampling.temperatures
    ]


def folders_of(declaration: Declaration, *, weights: bool = True) -> dict[str, Path]:
    """By label of a model, where it lies. What is on the hub is fetched, without its `weights` where nobody loads them; a
    server's model may have no folder here."""
    sampler = declaration.engine.sampler
    if sampler == SCRIPTED:
        return {}
    with_folder = [model for model in declaration.models if model.path is not None or model.hub is not None]
    return {
        model.label: folder_of(model, weights=sampler != SERVER and (weights or model.path is not None))
        for model in with_folder
    }


def places_of(engine: EngineChoice) -> list[Place]:
    """Where the engines work, by `engine.fleet.places`. A server has its own GPUs: who asks it takes none."""
    if engine.sampler in (SERVER, SCRIPTED):
        return places(1, engine.engines, "cpu")
    return places(engine.tensor_parallel, engine.engines, engine.device)


def problems_of(benchmark: DeclaredBenchmark) -> list[Problem]:
    """All of a benchmark, under its declared name."""
    if benchmark.file is not None:
        return read_problems(benchmark.file, benchmark.name)
    assert benchmark.hub is not None, "checked on reading"
    return read_problems(dataset_file(benchmark.hub, benchmark.hub_file, benchmark.revision), benchmark.name)


def _models(declaration: Declaration, folders: Mapping[str, Path]) -> list[tuple[Model, Opening]]:
    """Each once. Made-up responses must never stand under a model's name: they are one model, whatever is declared."""
    if declaration.engine.sampler == SCRIPTED:
        return [(Model(SCRIPTED), _opening(declaration, declaration.models[0], Path(SCRIPTED)))]
    found = []
    for model in declaration.models:
        folder = folders.get(model.label)
        found.append((_model(model, folder), _opening(declaration, model, folder or Path(model.name))))
    return found


def _model(model: DeclaredModel, folder: Path | None) -> Model:
    return Model(
        name=model.name,
        revision=revision_of(model, folder),
        role=model.role,
        parent=model.parent,
        algorithm=model.algorithm,
        step=model.step,
        training_seed=model.training_seed,
    )


def revision_of(model: DeclaredModel, folder: Path | None) -> str:
    """What tells its weights from others: the hub's commit, else the digest of the folder's content; without weights here, what
    the file says, or the step. An adapter is always digested: beside a commit alone, so that the base's weights are not needed.
    folder: None where only a server has the model."""
    is_commit = folder is not None and model.hub is not None and _COMMIT.fullmatch(folder.name) is not None
    if folder is not None and not is_commit and has_weights(folder):
        return content_revision(folder, model.adapter)
    told = folder.name if folder is not None and is_commit else _told(model)
    if model.adapter is None:
        return told or UNKNOWN
    digest = content_revision(model.adapter if folder is None or is_commit else folder, model.adapter)
    return f"{told}+{digest}" if told else digest


def _told(model: DeclaredModel) -> str:
    """By the file; "" where it says nothing."""
    facts = {"step": model.step, "seed": model.training_seed}
    told = "-".join(f"{fact}-{value}" for fact, value in facts.items() if value is not None)
    return model.revision or told


def _opening(declaration: Declaration, model: DeclaredModel, folder: Path) -> Opening:
    engine = declaration.engine
    return Opening(
        model=folder,
        adapter=model.adapter,
        context_cap=declaration.sampling.context_cap,
        batch=engine.batch,
        dtype=engine.dtype,
        device=engine.device,
        gpus=engine.tensor_parallel,
        memory=engine.memory,
        url=model.url or engine.url,
        served=model.served or engine.served,
    )


def _plan(
    declaration: Declaration,
    model: Model,
    opening: Opening,
    problems: list[Problem],
    benchmark: DeclaredBenchmark,
    prompt: DeclaredPrompt,
    temperature: float,
    shard: Shard | None,
) -> Plan:
    sampling = declaration.sampling
    return Plan(
        model=model,
        opening=opening,
        problems=problems,
        template=prompt.template,
        manner=Manner(
            decoding=Decoding(temperature, sampling.top_p, sampling.top_k),
            max_tokens=prompt.max_tokens_of(sampling),
            stop=prompt.stop_of(sampling),
        ),
        n=declaration.n_of(benchmark, prompt),
        seed=sampling.seed,
        sampler=declaration.engine.sampler,
        shard=shard,
    )
