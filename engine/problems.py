"""Problem files: what there is to sample. JSONL, one problem a line, each fact by its name in the study.

    {"benchmark": "sums", "key": "7", "statement": "What is 2 + 3?", "reference": "5", "kind": "math", "level": "easy"}

Needed: key and statement. benchmark may come from the command line; kind is "math" where nothing else is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.importers import fields
from engine.importers.base import BadLine, ImportProblem, Line
from engine.importers.fields import BadRecord
from engine.importers.files import lines
from store.types import Problem


def read_problems(path: Path, benchmark: str | None = None) -> list[Problem]:
    """All problems of the file. Raises ImportProblem with the line that cannot be used, or where a key comes twice."""
    problems: dict[str, Problem] = {}
    for line, problem in _numbered(path, benchmark):
        if problem.key in problems:
            raise ImportProblem(f"{path}: line {line}: the key {problem.key!r} is there already; keys must differ")
        problems[problem.key] = problem
    if not problems:
        raise ImportProblem(f"{path} holds no problem; check the file")
    if len({problem.benchmark for problem in problems.values()}) > 1:
        raise ImportProblem(f"{path} holds several benchmarks; give one file for each, or one name for all with --benchmark")
    return list(problems.values())


def _numbered(path: Path, benchmark: str | None) -> Iterator[tuple[int, Problem]]:
    for line in lines(path):
        if isinstance(line, BadLine):
            raise ImportProblem(f"{path}: line {line.number}: {line.why}")
        try:
            yield line.number, _problem(line, benchmark, path)
        except BadRecord as bad:
            raise ImportProblem(f"{path}: line {line.number}: {bad}") from None


def _problem(line: Line, benchmark: str | None, path: Path) -> Problem:
    record = fields.parse(line.text)
    return Problem(
        benchmark=benchmark or fields.optional_text(record.get("benchmark"), "benchmark") or path.name.split(".")[0],
        key=fields.text(record.get("key"), "key"),
        statement=fields.text(record.get("statement"), "statement"),
        reference=fields.optional_text(record.get("reference"), "reference"),
        kind=fields.optional_text(record.get("kind"), "kind") or "math",
        level=fields.optional_text(record.get("level"), "level"),
    )
