"""What an importer is: a name, a test for its own kind of file, and a generator of traces or counts.

    class Importer(Protocol):
        def recognises(first: Line) -> bool              # looks at the first line only
        def read(lines, about) -> Iterator[NewTrace | NewCount | BadLine]

A broken line becomes a `BadLine` and never stops the rest. `About` holds what the person and the file's surroundings
(folder names, a sidecar of settings) tell about the whole file; what a line itself says comes on top of that, and what
nobody says stays the word "unknown".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol

from engine.importers.fields import BadRecord, Record, parse, setting, whole, with_settings
from store.errors import BaseboundError
from store.types import SETTING_NAMES, UNKNOWN, Model, NewCount, NewTrace, Role, Settings


class ImportProblem(BaseboundError):
    """A whole file that cannot be imported. The message is one sentence: what, where, what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file, 1-based."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was left out, and why."""

    number: int
    why: str


Item = NewTrace | NewCount | BadLine


@dataclass(frozen=True, slots=True)
class Options:
    """What the person says on the command line. It wins over what files say."""

    model: str | None = None
    roles: Mapping[str, Role] = field(default_factory=dict)
    """By model name; "" is every model."""
    parents: Mapping[str, str] = field(default_factory=dict)
    """By model name; "" is every model."""
    benchmark: str | None = None
    set: Mapping[str, str] = field(default_factory=dict)
    """--set key=value: settings and facts of the model."""
    run: str | None = None
    format: str | None = None
    again: bool = False
    """Add responses that another file has brought, too."""


MODEL_FACTS: Final = ("revision", "algorithm", "step", "training_seed")


def check_set(pairs: Sequence[str]) -> dict[str, str]:
    """`--set key=value` arguments as a mapping. Raises ImportProblem for a key or value that cannot be."""
    given: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or key not in (*SETTING_NAMES, *MODEL_FACTS):
            raise ImportProblem(f"--set {pair}: write KEY=VALUE with a key of {', '.join((*SETTING_NAMES, *MODEL_FACTS))}")
        try:
            setting(key, value)
            if key in ("step", "training_seed"):
                whole(value, key)
        except BadRecord as bad:
            raise ImportProblem(f"--set {pair}: {bad}") from None
        given[key] = value
    return given


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a file before its first line is read."""

    path: Path
    options: Options
    sidecar: Record = field(default_factory=dict)
    """The settings file that lies beside it, if there is one."""

    @property
    def stem(self) -> str:
        """The file's name without its format's and compression's endings."""
        name = self.path.name
        for ending in (".gz", ".jsonl", ".json", ".csv"):
            name = name.removesuffix(ending)
        return name or "file"

    def model(self, told: Model | None) -> Model:
        """The model as the person names it, else as the file does. Raises BadRecord where neither does."""
        name = self.options.model or (told.name if told else None)
        if not name:
            raise BadRecord("the model is not named; name it with --model NAME")
        model = replace(told, name=name) if told else Model(name)
        facts: Record = {fact: self.options.set[fact] for fact in MODEL_FACTS if fact in self.options.set}
        facts |= {fact: whole(facts[fact], fact) for fact in ("step", "training_seed") if fact in facts}
        role = self.options.roles.get(name) or self.options.roles.get("") or model.role
        parent = self.options.parents.get(name) or self.options.parents.get("") or model.parent
        return _told_apart(replace(model, role=role, parent=parent, **facts))

    def benchmark(self, told: str | None) -> str:
        return self.options.benchmark or told or self.stem

    def settings(self, told: Settings) -> Settings:
        """Settings as the file tells them, with those of --set on top."""
        return with_settings(told, self.options.set)


def _told_apart(model: Model) -> Model:
    """Checkpoints of one name are different weights: where no revision is known, step and training seed stand for it."""
    if model.revision != UNKNOWN:
        return model
    facts = {"step": model.step, "seed": model.training_seed}
    return replace(model, revision="-".join(f"{fact}-{value}" for fact, value in facts.items() if value is not None) or UNKNOWN)


class Importer(Protocol):
    """One format. The class docstring opens with a real line of it."""

    name: str
    title: str
    example: str
    """One line as `basebound formats` shows it."""

    has_sidecar: bool
    """Are settings to be looked for beside the file?"""

    def recognises(self, first: Line) -> bool:
        """Is a file that begins with this line ours?"""

    def seed(self, about: About) -> int | None:
        """The seed of the whole file, where its surroundings tell it: kept with the source, not with the run."""

    def read(self, lines: Iterator[Line], about: About) -> Iterator[Item]:
        """Everything the file holds, in its order.

        Raises ImportProblem or BadRecord where the whole file is of no use.
        """


def first_record(first: Line) -> Record:
    """The object of a file's first line; empty where it is none."""
    try:
        return parse(first.text)
    except BadRecord:
        return {}
