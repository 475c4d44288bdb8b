"""Small studies and files for the tests, built the way the program builds them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from store.types import Model, NewSample, NewTrace, Outcome, Problem, Role, Run, Settings, Verdict
from store.writer import Source, SourceFile, Writer

BASE = Model("lab/base-7b", role=Role.BASE)
RL = Model("lab/rl-7b", revision="step-100", role=Role.RL, parent="lab/base-7b", step=100)
SETTINGS = Settings(temperature=0.6, top_p=0.95, max_tokens=16384, prompt_template="boxed")


def run(model: Model = BASE, benchmark: str = "sums") -> Run:
    return Run(model, benchmark, SETTINGS)


def problem(key: str = "1", benchmark: str = "sums", reference: str | None = "4") -> Problem:
    return Problem(benchmark, key, f"What is the sum of problem {key}?", reference)


def trace(
    response: str, line: int, *, of: Run | None = None, on: Problem | None = None, correct: bool | None = None
) -> NewTrace:
    imported = None if correct is None else Verdict(Outcome.CORRECT if correct else Outcome.INCORRECT, "file")
    return NewTrace(of or run(), on or problem(), NewSample(response, line), imported)


def source(writer: Writer, name: str = "a.jsonl", size: int = 100) -> Source:
    return writer.open_source(SourceFile(name, "test", f"sha of {name}", size))


def answers(texts: Sequence[str], start: int = 1, **kind: Any) -> list[NewTrace]:
    """One trace per text, each on a line of its own."""
    return [trace(text, start + i, **kind) for i, text in enumerate(texts)]


def write_jsonl(path: Path, records: Iterable[object]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def native(problem_key: str, response: str, **more: object) -> dict[str, object]:
    """A line of our own format."""
    line: dict[str, object] = {"model": "lab/base-7b", "role": "base", "benchmark": "sums", "problem": problem_key}
    return line | {"statement": f"Sum {problem_key}?", "reference": "4", "response": response} | more


def harness_line(idx: int, responses: Sequence[str], scores: Sequence[object] | None = None) -> dict[str, object]:
    line: dict[str, object] = {"idx": idx, "question": f"Sum {idx}?", "gt": "4", "code": list(responses)}
    return line if scores is None else line | {"score": list(scores), "pred": ["4"] * len(responses)}
