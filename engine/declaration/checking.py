"""What a declaration promises of its own parts and of the disk: names that are declared, files that are there, models that are
whole, an engine that fits. Every breach is noted on its line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from engine import samplers, verifiers
from engine.checkpoints import has_weights, require_adapter, require_model
from engine.declaration.mistakes import Table, nearest, shown
from engine.declaration.values import DeclaredBenchmark, DeclaredModel, DeclaredPrompt, EngineChoice, Sampling
from engine.samplers.base import SamplerError

SERVER: Final = "server"
VLLM: Final = "vllm"
MOST_ENGINES: Final = 1024
SCRIPTED: Final = "scripted"

Declared = TypeVar("Declared", DeclaredModel, DeclaredBenchmark, DeclaredPrompt)
Read = Sequence[tuple[Table, Declared]]
"""What was read, each with the table it was read from; a table with steps comes several times."""


def check_study(top: Table, study: Path | None) -> None:
    if study is not None and study.is_dir():
        top.wrong("study", f"the study {study} is a folder; name a file in it")
    elif study is not None and not study.parent.is_dir():
        top.wrong("study", f"the study's folder {study.parent} is not there; make it, or name another")


def check_models(models: Read[DeclaredModel], engine: EngineChoice) -> None:
    _refuse_twice(models, "model", lambda model: model.label, "give it a name, a step or a training_seed of its own")
    parents = {model.name: model.parent for _, model in models}
    for table, model in models:
        _check_weights(table, model, engine)
        if model.parent is not None and model.parent not in parents:
            table.wrong(
                "parent", f"the parent {shown(model.parent)} is no model of this file; {nearest(model.parent, parents)}"
            )
        elif model.name in _ancestors(model.name, parents):
            table.wrong("parent", f"{table.what} descends from itself; leave the parent of the first out")
        _refuse_server_keys(table, engine)
    if engine.engines is not None and engine.engines > MOST_ENGINES:
        table.wrong("engines", f"{engine.engines:,} engines are more than one machine runs; give at most {MOST_ENGINES:,}")


def _ancestors(name: str, parents: dict[str, str | None]) -> set[str]:
    found: set[str] = set()
    parent = parents[name]
    while parent is not None and parent in parents and parent not in found:
        found.add(parent)
        parent = parents[parent]
    return found


def _check_weights(table: Table, model: DeclaredModel, engine: EngineChoice) -> None:
    """Where they lie: a folder or a name on the hub, not both, and a folder that holds a model."""
    if "path" in table.content and "hub" in table.content:
        table.wrong("hub", f"{table.what} has both path and hub; leave one of the two out")
    elif "path" not in table.content and "hub" not in table.content and engine.sampler != SERVER:
        table.mistakes.add(table.place, f'{table.what} has neither path nor hub; add path = "its folder"')
    if model.revision is not None and model.hub is None and engine.sampler != SERVER:
        table.wrong("revision", "revision is for a hub name; a folder is known by its content, so leave it out")
    if engine.sampler == SCRIPTED:
        return  # it needs no model: a plan can be tried out before the weights are there
    if model.path is not None and engine.sampler == SERVER and not model.path.is_dir():
        table.wrong("path", f"the folder {model.path} is not there; give one with the tokenizer, or leave path out")
    elif engine.sampler == SERVER:
        _check_told(table, model)
    elif model.path is not None:
        _check_folder(table, "path", model.path)
    if model.adapter is not None:
        _check_folder(table, "adapter", model.adapter)


def _check_told(table: Table, model: DeclaredModel) -> None:
    """A server's model: what stands for weights that are not here. Without it, other weights would go on in the same run."""
    is_told = model.step is not None or any((model.hub, model.revision, model.adapter))
    if not is_told and (model.path is None or not has_weights(model.path)):
        table.mistakes.add(
            table.place,
            f"the server's model {shown(model.name)} has no revision: nothing would tell it from other weights under the same"
            ' name; add revision = "…"',
        )


def _check_folder(table: Table, key: str, folder: Path) -> None:
    try:
        (require_adapter if key == "adapter" else require_model)(folder)
    except SamplerError as error:
        table.wrong(key, str(error))


def check_benchmarks(benchmarks: Read[DeclaredBenchmark], prompts: Read[DeclaredPrompt], sampling: Sampling) -> None:
    _refuse_twice(benchmarks, "benchmark", lambda one: one.name, "give it a name of its own")
    declared = {prompt.name: prompt for _, prompt in prompts}
    for table, benchmark in benchmarks:
        _check_file(table, benchmark)
        _check_known(table, "verifier", benchmark.verifier, verifiers.VERIFIERS, "path.py:function")
        _check_prompts_of(table, benchmark, declared)
        asked = [declared[name] for name in benchmark.prompts if name in declared]
        if "n" not in table.content and sampling.n is None and any(prompt.n is None for prompt in asked):
            table.mistakes.add(
                table.place, f"{table.what} has no n, and [sampling] has none for all; add n = 128 to one of them"
            )


def _check_file(table: Table, benchmark: DeclaredBenchmark) -> None:
    if benchmark.hub is None and "file" not in table.content:
        table.mistakes.add(table.place, f'{table.what} has neither file nor hub; add file = "problems.jsonl"')
    if benchmark.hub is None and benchmark.revision is not None:
        table.wrong("revision", "revision is for a hub name; leave it out")
    if benchmark.file is not None and not benchmark.file.is_file():
        why = "is a folder; name the file" if benchmark.file.is_dir() else "is not there; check the path"
        table.wrong("file", f"the file {benchmark.file} {why}")


def _check_known(table: Table, key: str, name: str | None, known: Collection[str], own: str) -> None:
    """A verifier or sampler is one of the table, or a file of one's own that is there."""
    if name is None or name in known:
        return
    if not verifiers.is_own(name):
        table.wrong(key, f"no {key} is called {shown(name)}; {nearest(name, known)}, or {own}")
    elif not (file := Path(name.rpartition(":")[0])).is_file():
        table.wrong(key, f"the {key}'s file {file} is not there; check the path")


def _check_prompts_of(table: Table, benchmark: DeclaredBenchmark, declared: dict[str, DeclaredPrompt]) -> None:
    for name in benchmark.prompts:
        if name not in declared and declared:
            table.wrong("prompt", f"the prompt {shown(name)} is not declared; {nearest(name, declared)}")
    if "prompt" not in table.content and len(declared) > 1:
        names = ", ".join(f'"{name}"' for name in declared)
        table.mistakes.add(table.place, f"{table.what} does not say which prompt; add prompt = [{names}], or one of them")


def check_prompts(prompts: Read[DeclaredPrompt], sampling: Sampling) -> None:
    """No two ask alike, whether a prompt says it or `sampling` does. n tells no runs apart: a benchmark has its own."""

    def asks(prompt: DeclaredPrompt) -> tuple[object, ...]:
        return prompt.template, prompt.max_tokens_of(sampling), prompt.stop_of(sampling)

    _refuse_twice(prompts, "prompt", lambda prompt: prompt.name, "give it a name of its own")
    for at, (table, prompt) in enumerate(prompts):
        for _, other in prompts[:at]:
            if asks(prompt) == asks(other) and "template" in table.content:
                table.wrong(
                    "template", f"{table.what} asks as {shown(other.name)} does, so its runs would be the same; leave one out"
                )


def check_engine(table: Table, engine: EngineChoice, models: Iterable[DeclaredModel]) -> None:
    _check_known(table, "sampler", engine.sampler, samplers.SAMPLERS, "path.py:Class")
    if engine.sampler == SERVER and engine.url is None and any(model.url is None for model in models):
        table.wrong("url", 'the sampler server has no url; add url = "http://localhost:8000/v1"')
    if engine.memory is not None and engine.sampler in samplers.SAMPLERS and engine.sampler != VLLM:
        table.wrong("memory", f"memory is for the sampler {VLLM}, and this one is {engine.sampler}; leave it out")
    _refuse_server_keys(table, engine)


def _refuse_server_keys(table: Table, engine: EngineChoice) -> None:
    """url and served, where the sampler is one of ours that asks no server."""
    for key in ("url", "served"):
        if key in table.content and engine.sampler in samplers.SAMPLERS and engine.sampler != SERVER:
            way_out = f'write sampler = "{SERVER}", or leave {key} out'
            table.wrong(key, f"{key} is for the sampler server, and this one is {engine.sampler}; {way_out}")


def _refuse_twice(read: Read[Declared], kind: str, key: Callable[[Declared], str], way_out: str) -> None:
    first: dict[str, int] = {}
    for table, one in read:
        if one.name and key(one) in first:
            table.wrong("name", f"there is a {kind} {shown(key(one))} already, on line {first[key(one)]}; {way_out}")
        first.setdefault(key(one), one.line)
