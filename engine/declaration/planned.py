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


def plans(declaration: Declaration, shard: Shard | None = None, folders: Mapping[str, Path] | None = None) -> list[Plan]:
    """What to draw. folders: by label of a model, where it lies; None: found, and fetched from the hub where it is there.

    Raises SamplerError for a model that is not to be had, ImportProblem for problems that cannot be read.
    """
    problems = {benchmark.name: problems_of(benchmark) for benchmark in declaration.benchmarks}
    found = folders_of(declaration) if folders is None else folders
    return [
        _plan(declaration, known, opening, problems[benchmark.name], benchmark, prompt, temperature, shard)
        for known, opening in _models(declaration, found)
        for benchmark in declaration.benchmarks
        for prompt in map(declaration.prompt, benchmark.prompts)
        for temperature in declaration.sampling.temperatures
    ]


def folders_of(declaration: Declaration) -> dict[str, Path]:
    """By label of a model, where it lies. What is on the hub is fetched; a server's model may have none here."""
    sampler = declaration.engine.sampler
    if sampler == SCRIPTED:
        return {}
    with_folder = [model for model in declaration.models if model.path is not None or model.hub is not None]
    return {model.label: folder_of(model, weights=sampler != SERVER) for model in with_folder}


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
        folder = folders.get(model.label, Path(model.name))
        found.append((_model(model, folder), _opening(declaration, model, folder)))
    return found


def _model(model: DeclaredModel, folder: Path) -> Model:
    return Model(
        name=model.name,
        revision=revision_of(model, folder),
        role=model.role,
        parent=model.parent,
        algorithm=model.algorithm,
        step=model.step,
        training_seed=model.training_seed,
    )


def revision_of(model: DeclaredModel, folder: Path) -> str:
    """The hub's commit, else the digest of the folder's content; without weights here, what the file says, or the step."""
    if model.hub is not None and model.adapter is None and _COMMIT.fullmatch(folder.name):
        return folder.name
    if has_weights(folder):
        return content_revision(folder, model.adapter)
    facts = {"step": model.step, "seed": model.training_seed}
    told = "-".join(f"{fact}-{value}" for fact, value in facts.items() if value is not None)
    return model.revision or told or UNKNOWN


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
            max_tokens=sampling.max_tokens if prompt.max_tokens is None else prompt.max_tokens,
            stop=sampling.stop if prompt.stop is None else prompt.stop,
        ),
        n=declaration.n_of(benchmark, prompt),
        seed=sampling.seed,
        sampler=declaration.engine.sampler,
        shard=shard,
    )
