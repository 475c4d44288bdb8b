"""What a STUDY.toml declares, once it is known to be without mistakes. Paths are resolved against the file's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.prompts import Template
from store.errors import BaseboundError
from store.types import Role


class DeclarationError(BaseboundError):
    """The file has mistakes. A line for each: file, line, what is wrong and what to write."""


@dataclass(frozen=True, slots=True)
class DeclaredModel:
    """One set of weights. `steps` in the file become one of these for each step."""

    name: str
    path: Path | None
    """Its folder; None where it is named on the hub, or only a server has it."""
    hub: str | None
    """Its name on the Hugging Face hub; never beside a path."""
    revision: str | None
    """Branch, tag or commit on the hub; what tells a server's weights that are not here. None: nobody said."""
    role: Role
    parent: str | None
    """Name of another declared model."""
    algorithm: str | None
    step: int | None
    training_seed: int | None
    adapter: Path | None
    """A LoRA adapter's folder; path or hub is the model it was trained on."""
    url: str | None
    """The server that has this one, where it is not the study's."""
    served: str | None
    """What that server calls it."""
    line: int

    @property
    def label(self) -> str:
        """What tells it from every other model of the file: checkpoints and training seeds share a name."""
        step = "" if self.step is None else f" step {self.step}"
        return self.name + step + ("" if self.training_seed is None else f" seed {self.training_seed}")


@dataclass(frozen=True, slots=True)
class DeclaredBenchmark:
    """Problems, and how they are asked."""

    name: str
    file: Path | None
    """None where it is on the hub."""
    hub: str | None
    """Name of a data set on the Hugging Face hub."""
    hub_file: str | None
    """Which of its files; None: the only one there is."""
    revision: str | None
    n: int | None
    """Samples of each problem; None: as many as `sampling` says."""
    verifier: str | None
    """None: the one for each problem's kind."""
    prompts: tuple[str, ...]
    """Names of declared prompts. Each makes runs of its own."""
    line: int


@dataclass(frozen=True, slots=True)
class DeclaredPrompt:
    """What stands around a statement. Where it asks for something short, n, max_tokens and stop may be its own."""

    name: str
    template: Template
    n: int | None
    """None, and so for the next two: as the benchmark or `sampling` says."""
    max_tokens: int | None
    stop: tuple[str, ...] | None
    line: int

    def max_tokens_of(self, sampling: Sampling) -> int:
        """In force."""
        return sampling.max_tokens if self.max_tokens is None else self.max_tokens

    def stop_of(self, sampling: Sampling) -> tuple[str, ...]:
        """In force."""
        return sampling.stop if self.stop is None else self.stop


@dataclass(frozen=True, slots=True)
class Sampling:
    """How responses are drawn, from every model alike."""

    n: int | None
    """None where every benchmark or prompt says its own."""
    temperatures: tuple[float, ...]
    top_p: float
    top_k: int
    """0: no limit."""
    max_tokens: int
    context_cap: int | None
    """Prompt plus response; None: as many positions as the model has."""
    stop: tuple[str, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """What draws, and on what. No part of a run: another engine may top it up."""

    sampler: str
    tensor_parallel: int
    """GPUs that one model is laid over."""
    memory: float | None
    """Of each GPU's memory, the share that vLLM may take; None: as much as it takes by itself."""
    engines: int | None
    """At once; None: one for each GPU, or group of GPUs, that is visible."""
    dtype: str | None
    device: str | None
    batch: int | None
    url: str | None
    served: str | None


@dataclass(frozen=True, slots=True)
class Analyses:
    """What is made of the samples once they are there."""

    verify: bool
    score: bool
    tokens: str | None
    """Which traces are scored token by token, too, in the explorer's filter grammar; nothing in it: all. None: none."""
    paths: bool
    index: bool


@dataclass(frozen=True, slots=True)
class Declaration:
    """A whole file."""

    path: Path
    study: Path
    models: tuple[DeclaredModel, ...]
    benchmarks: tuple[DeclaredBenchmark, ...]
    prompts: tuple[DeclaredPrompt, ...]
    sampling: Sampling
    engine: EngineChoice
    analyses: Analyses

    def prompt(self, name: str) -> DeclaredPrompt:
        """The one of this name. A benchmark's prompts are all there: reading has seen to that."""
        return next(prompt for prompt in self.prompts if prompt.name == name)

    def n_of(self, benchmark: DeclaredBenchmark, prompt: DeclaredPrompt) -> int:
        """Samples of each problem: the prompt's own number, else the benchmark's, else that of all."""
        return next(n for n in (prompt.n, benchmark.n, self.sampling.n) if n is not None)
