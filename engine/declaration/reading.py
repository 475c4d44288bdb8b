"""STUDY.toml -> Declaration, or every mistake of the file at once. Nothing is loaded: no model, no problem, no engine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

from engine import verifiers
from engine.declaration.checking import check_benchmarks, check_engine, check_models, check_prompts, check_study
from engine.declaration.lines import lines_of
from engine.declaration.mistakes import LARGEST, Mistakes, Table, nearest, shown
from engine.declaration.values import (
    Analyses,
    Declaration,
    DeclarationError,
    DeclaredBenchmark,
    DeclaredModel,
    DeclaredPrompt,
    EngineChoice,
    Sampling,
)
from engine.prompts import PLACE, Template
from store.query import BadQuery, parse
from store.types import Role

DTYPES: Final = ("float64", "float32", "bfloat16", "float16")
STEP: Final = "{step}"
"""Where the number of a step goes, in what `steps` makes several models of."""
_ONCE: Final = {
    "sampling": ("n", "temperature", "top_p", "top_k", "max_tokens", "context_cap", "stop", "seed"),
    "engine": ("sampler", "tensor_parallel", "memory", "engines", "dtype", "device", "batch", "url", "served"),
    "analyses": ("verify", "score", "tokens", "paths", "index"),
}
_SEVERAL: Final = {
    "model": (
        "name", "path", "hub", "revision", "role", "parent", "algorithm", "step", "steps", "training_seed", "adapter",
        "url", "served",
    ),
    "benchmark": ("name", "file", "hub", "revision", "n", "verifier", "prompt"),
    "prompt": ("name", "template", "chat", "system", "n", "max_tokens", "stop"),
}  # fmt: skip
_STEPPED: Final = ("path", "hub", "revision", "adapter", "served")


def read(path: Path) -> Declaration:
    """What a file declares. Raises DeclarationError with a line for each of its mistakes."""
    text = _text_of(path)
    try:
        content = tomllib.loads(text)
        mistakes = Mistakes(path, lines_of(text))
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError(_not_toml(path, text, error)) from None
    except RecursionError:
        raise DeclarationError(f"{path} is nested too deeply to be read; `basebound init` writes an example") from None
    return _declared(mistakes, content)


def _text_of(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        why = f"{path} cannot be read: {error.strerror}; `basebound init {path.name}` writes an example"
        raise DeclarationError(why) from None
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DeclarationError(f"{path}, line {line}: a character is not UTF-8; save the file as UTF-8") from None


def _not_toml(path: Path, text: str, error: Exception) -> str:
    why = str(error)
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", why)
    line = int(place[1]) if place and place[1] else len(text.rstrip("\n").split("\n"))
    what = why[: place.start()] if place else why
    return f"{path}, line {line}: this is no TOML: {what[0].lower() + what[1:]}"


def _declared(mistakes: Mistakes, content: dict[str, Any]) -> Declaration:
    folder = mistakes.path.parent
    top = Table(mistakes, (), content, "the file")
    _only_known_tables(top)
    study = top.place_of("study", folder) if top.require("study", '"study.db", the file that keeps the samples') else None
    engine_table, sampling = _table(top, "engine"), _sampling(_table(top, "sampling"))
    engine = _engine(engine_table, folder)
    models = [(table, model) for table in _tables(top, "model") for model in _models(table, folder)]
    prompts = [(table, _prompt(table)) for table in _tables(top, "prompt")]
    names = tuple(prompt.name for _, prompt in prompts)
    benchmarks = [(table, _benchmark(table, folder, names)) for table in _tables(top, "benchmark")]
    analyses = _analyses(_table(top, "analyses"))
    check_study(top, study)
    check_models(models, engine)
    check_prompts(prompts, sampling)
    check_benchmarks(benchmarks, prompts, sampling)
    check_engine(engine_table, engine, [model for _, model in models])
    mistakes.complain()
    assert study is not None, "complained of above"
    return Declaration(
        path=mistakes.path,
        study=study,
        models=tuple(model for _, model in models),
        benchmarks=tuple(benchmark for _, benchmark in benchmarks),
        prompts=tuple(prompt for _, prompt in prompts),
        sampling=sampling,
        engine=engine,
        analyses=analyses,
    )


def _only_known_tables(top: Table) -> None:
    known = {name: f"[[{name}]]" for name in _SEVERAL} | {name: f"[{name}]" for name in _ONCE} | {"study": "study"}
    for name, value in top.content.items():
        if name not in known:
            kind = "table" if isinstance(value, dict | list) else "key"
            top.wrong(name, f"there is no {kind} '{name}'; {nearest(name, known)}")


def _tables(top: Table, name: str) -> list[Table]:
    """All [[name]]. That there is none is a mistake."""
    value = top.content.get(name)
    if value is None:
        top.wrong(name, f"the file declares no {name}; add one with [[{name}]]")
        return []
    if not (isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value)):
        top.wrong(name, f"write [[{name}]], with two brackets: there may be several")
        return []
    tables = [Table(top.mistakes, (name, at), entry, _called(name, entry)) for at, entry in enumerate(value)]
    for table in tables:
        table.only(_SEVERAL[name])
    return tables


def _table(top: Table, name: str) -> Table:
    """[name], empty where it is not there."""
    value = top.content.get(name, {})
    if not isinstance(value, dict):
        top.wrong(name, f"write [{name}], with one bracket: there is one at most")
        value = {}
    table = Table(top.mistakes, (name,), value, f"[{name}]")
    table.only(_ONCE[name])
    return table


def _called(name: str, entry: dict[str, Any]) -> str:
    own = entry.get("name")
    return f"the {name} {shown(own)}" if isinstance(own, str) and own else f"this {name}"


def _name(table: Table) -> str:
    return (table.text("name") or "") if table.require("name", '"..."') else ""


def _models(table: Table, folder: Path) -> list[DeclaredModel]:
    """One, or one for each of its steps."""
    name = _name(table)
    role = Role(table.choice("role", tuple(Role), Role.OTHER))
    steps = _steps(table)

    def at(step: int | None) -> DeclaredModel:
        def path(key: str) -> Path | None:
            found = table.place_of(key, folder)
            return found if found is None or step is None else Path(str(found).replace(STEP, str(step)))

        def text(key: str) -> str | None:
            found = table.text(key)
            return found if found is None or step is None else found.replace(STEP, str(step))

        return DeclaredModel(
            name=name,
            path=path("path"),
            hub=text("hub"),
            revision=text("revision"),
            role=role,
            parent=table.text("parent"),
            algorithm=table.text("algorithm"),
            step=step,
            training_seed=table.whole("training_seed"),
            adapter=path("adapter"),
            url=table.text("url"),
            served=text("served"),
            line=table.line,
        )

    return [at(step) for step in steps] if steps else [at(table.whole("step", 0))]


def _steps(table: Table) -> tuple[int, ...]:
    """Of `steps`; none where there is one model."""
    stepped = any(STEP in str(table.content.get(key, "")) for key in _STEPPED)
    if "steps" not in table.content:
        if stepped:
            table.mistakes.add(table.place, f"{table.what} has {STEP} in it but no steps; add steps = [50, 100]")
        return ()
    if "step" in table.content:
        table.wrong("step", f"{table.what} has both step and steps; leave one of the two out")
    if not stepped:
        table.wrong("steps", f'{table.what} has steps but no {STEP} to put them in; write path = "runs/step-{STEP}"')
    return table.wholes("steps", 0) or ()


def _benchmark(table: Table, folder: Path, prompts: tuple[str, ...]) -> DeclaredBenchmark:
    """prompts: all that are declared; where it is one, a benchmark need not name it."""
    hub = table.text("hub")
    asked = table.texts("prompt", empty=False)
    return DeclaredBenchmark(
        name=_name(table),
        file=table.place_of("file", folder) if "hub" not in table.content else None,
        hub=hub,
        hub_file=None if hub is None else table.text("file"),
        revision=table.text("revision"),
        n=table.whole("n", 1),
        verifier=_of_ones_own(table, "verifier", folder),
        prompts=prompts[:1] if asked is None else asked,
        line=table.line,
    )


def _of_ones_own(table: Table, key: str, folder: Path) -> str | None:
    """A verifier's or sampler's name; where that is path.py:name, the path against the file's folder."""
    name = table.text(key)
    if name is None or not verifiers.is_own(name):
        return name
    file, _, attribute = name.rpartition(":")
    return f"{folder / Path(file).expanduser()}:{attribute}"


def _prompt(table: Table) -> DeclaredPrompt:
    return DeclaredPrompt(
        name=_name(table),
        template=_template(table),
        n=table.whole("n", 1),
        max_tokens=table.whole("max_tokens", 1),
        stop=table.texts("stop", empty=True),
        line=table.line,
    )


def _template(table: Table) -> Template:
    """The template; one that only keeps the place where there is a mistake."""
    text = table.prose("template") if table.require("template", f"'{PLACE}'") else None
    chat, system = table.flag("chat", False), table.prose("system")
    if text is not None and PLACE not in text:
        table.wrong("template", f"the template has no {PLACE} in it, where the statement would go; add it")
        text = None
    if system is not None and not chat:
        table.wrong("system", f"{table.what} has a system message but is no chat; add chat = true, or leave system out")
        system = None
    return Template(text or PLACE, chat, system)


def _sampling(table: Table) -> Sampling:
    return Sampling(
        n=table.whole("n", 1),
        temperatures=table.numbers("temperature", 0.6, lambda value: value > 0, "a number above 0"),
        top_p=table.number("top_p", 0.95, lambda value: 0 < value <= 1, "a number above 0, 1 at most"),
        top_k=table.whole_or("top_k", 0, 0),
        max_tokens=table.whole_or("max_tokens", 1, 16_384),
        context_cap=table.whole("context_cap", 2),
        stop=table.texts("stop", empty=True) or (),
        seed=table.whole_or("seed", -LARGEST, 0),
    )


def _engine(table: Table, folder: Path) -> EngineChoice:
    return EngineChoice(
        sampler=_of_ones_own(table, "sampler", folder) or "transformers",
        tensor_parallel=table.whole_or("tensor_parallel", 1, 1),
        memory=table.share("memory"),
        engines=table.whole("engines", 1),
        dtype=table.choice("dtype", DTYPES, None),
        device=table.text("device"),
        batch=table.whole("batch", 1),
        url=table.text("url"),
        served=table.text("served"),
    )


def _analyses(table: Table) -> Analyses:
    return Analyses(
        verify=table.flag("verify", True),
        score=table.flag("score", False),
        tokens=_query(table, "tokens"),
        paths=table.flag("paths", False),
        index=table.flag("index", False),
    )


def _query(table: Table, key: str) -> str | None:
    """An expression of the explorer's filter, for token scores; nothing in it means all."""
    if table.content.get(key) == "":
        text: str | None = ""
    else:
        text = table.text(key)
    if text is None:
        return None
    try:
        parse(text)
    except BadQuery as error:
        table.wrong(key, f"{key} is no expression of the filter: {error}")
    if table.content.get("score") is False or "score" not in table.content:
        table.wrong(key, f"{key} is for score = true; write that, or leave {key} out")
    return text
