"""What `run --dry-run` shows, on stdout: engines, runs with what is there and lacking, prompts as the models get them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.commands.narration import duration
from explorer.commands.tables import UNKNOWN_MARK, table
from explorer.render.text import visible
from explorer.render.words import counted

if TYPE_CHECKING:
    from engine.declaration import Declaration
    from engine.estimating import Estimate
    from engine.foreseen import Foreseen
    from engine.sampling import Plan
    from store.reader import Study
    from store.types import Prompt, Run

_IDS_SHOWN = 24


def show(declaration: Declaration, plans: Sequence[Plan], path: Path) -> list[Run | None]:
    """path: the study, or the shard's. Loads tokenizers, no weights. The run of each plan, so far as it can be told."""
    from store.reader import Study

    if not path.exists():
        return _show(declaration, plans, path, None)
    with Study(path) as study:
        return _show(declaration, plans, path, study)


def _show(declaration: Declaration, plans: Sequence[Plan], path: Path, study: Study | None) -> list[Run | None]:
    from engine.estimating import estimate, seen_rate
    from engine.foreseen import foresee, loud

    foreseen = foresee(plans, study)
    there = "which is there" if study is not None else "which will be made"
    write(f"{declaration.path} declares {counted(len(plans), 'run')} for {path}, {there}")
    places, sentence = _engines(declaration)
    write(sentence)
    rates = [None if study is None else seen_rate(study, one.plan, max(1, places)) for one in foreseen]
    estimates = [estimate(study, one.plan, one.lacking, rate) for one, rate in zip(foreseen, rates, strict=True)]
    sys.stdout.write("\n" + _runs(foreseen, estimates))
    for line in _bases(estimates):
        write(line)
    write("")
    for line in _settings(foreseen):
        write(line)
    for line in _prompts(foreseen):
        write(line)
    for sentence in loud(foreseen):
        write(f"‼ {sentence}")
    for one in foreseen:
        if one.run is None:
            write(f"‼ {one.title}: only {one.plan.sampler} itself can tell what is there already")
    return [one.run for one in foreseen]


def write(line: str) -> None:
    """What comes from files is made safe to print."""
    sys.stdout.write(visible(line) + "\n")


def _engines(declaration: Declaration) -> tuple[int, str]:
    """How many engines would draw now, each as fast as one alone, and where; none, with the reason, where none could."""
    from engine.declaration.planned import places_of
    from engine.fleet.places import left_idle
    from engine.samplers.base import SamplerError

    engine = declaration.engine
    try:
        chosen = places_of(engine)
    except SamplerError as error:
        return 0, f"‼ {engine.sampler}: {error}"
    idle = left_idle(chosen)
    where = "; ".join(place.title for place in chosen)
    together = len(chosen) if chosen[0].devices else 1  # several on one CPU share it
    return together, f"{counted(len(chosen), 'engine')} of {engine.sampler}: {where}" + (f"; {idle}" if idle else "")


def _runs(foreseen: Sequence[Foreseen], estimates: Sequence[Estimate]) -> str:
    header = ["run", "benchmark", "problems", "n", "there", "lacking", "tokens to draw", "time"]
    rows = []
    for one, guess in zip(foreseen, estimates, strict=True):
        plan = one.plan
        known = f"{one.there:,}" if one.run is not None else UNKNOWN_MARK
        size = [str(len(plan.problems)), f"{plan.n:,}", known, f"{one.lacking:,}"]
        rows.append([one.title, plan.problems[0].benchmark, *size, _tokens(one, guess), _time(one, guess)])
    return table(header, rows)


def _tokens(one: Foreseen, guess: Estimate) -> str:
    if not one.lacking:
        return "none"
    if guess.tokens is None:
        return f"at most {guess.high:,}"
    return f"about {guess.tokens:,}" + (f" ({guess.low:,}–{guess.high:,})" if guess.low is not None else "")


def _time(one: Foreseen, guess: Estimate) -> str:
    if not one.lacking:
        return "none"
    return "unknown" if guess.seconds is None else f"about {duration(guess.seconds)}"


def _bases(estimates: Sequence[Estimate]) -> Iterator[str]:
    """What tokens and times rest on, each once."""
    yield from dict.fromkeys(f"tokens: {guess.basis}" for guess in estimates)
    yield from dict.fromkeys(f"time: {guess.rate_basis}" for guess in estimates)


def _settings(foreseen: Sequence[Foreseen]) -> Iterator[str]:
    """How it would be drawn, each way once."""
    from explorer.render.words import settings

    said: dict[str, list[str]] = {}
    for one in foreseen:
        if one.run is not None:
            text = "".join(part for part, _ in settings(one.run.settings)).replace("\n", "⏎")
            said.setdefault(text, []).append(one.title)
    for text, titles in said.items():
        yield text if len(said) == 1 else f"{text}: {', '.join(dict.fromkeys(titles))}"


def _prompts(foreseen: Sequence[Foreseen]) -> Iterator[str]:
    """The first problem's prompt of each benchmark and template, once where models are given the same ids."""
    shown: dict[tuple[str, Prompt], list[str]] = {}
    for one in foreseen:
        if one.prompts:
            problem, prompt = next(iter(one.prompts.items()))
            shown.setdefault((f"{problem.benchmark}:{problem.key}", prompt), []).append(one.plan.model.name)
    for (name, prompt), models in shown.items():
        ids = " ".join(map(str, prompt.ids[:_IDS_SHOWN])) + (" …" if len(prompt.ids) > _IDS_SHOWN else "")
        yield ""
        yield f"{name} as {', '.join(dict.fromkeys(models))} would be given it, {counted(len(prompt.ids), 'token')}"
        yield from (f"  │ {line}" for line in prompt.text.split("\n"))
        yield f"  ids {ids}"
