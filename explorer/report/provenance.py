"""Where a report's numbers come from: the file, what was imported, who judged, what drew, every setting of every run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from explorer.report.document import Block, Grid
from explorer.report.material import BenchmarkPart, Material, Provenance
from explorer.report.wording import UNKNOWN_MARK, in_file, whole
from store.names import number_text
from store.types import SETTING_NAMES

FOLDED_FROM: Final = 12
"""Rows: a longer list is looked up, not read."""


def blocks(material: Material) -> Iterator[Block]:
    of = material.provenance
    yield _study(of)
    if of.sources:
        yield _sources(of)
    if of.judges:
        rows = [[name, version, whole(verdicts)] for name, version, verdicts in of.judges]
        yield Grid("Verifiers", ["verifier", "version", "verdicts stored"], rows, left=2)
    if of.batches:
        yield _batches(of)
    for part in material.benchmarks:
        yield _models(part)
        yield _settings(part)


def _study(of: Provenance) -> Block:
    facts = {
        "study": of.study,
        "SHA-256": of.sha256,
        "bytes": whole(of.bytes),
        "schema": str(of.schema),
        "basebound": of.basebound,
        "verifier asked for": of.verifier or "the deciding one",
    }
    return Grid("The study", ["", ""], [[name, value] for name, value in facts.items()], left=2)


def _sources(of: Provenance) -> Block:
    rows = [
        [one.name, one.format, one.sha256, one.imported, "yes" if one.complete else "no", whole(one.samples)]
        for one in of.sources
    ]
    header = ["file", "format", "SHA-256 of its content", "imported", "complete", "samples"]
    return Grid("Imported files", header, rows, left=5, folded=len(rows) > FOLDED_FROM)


def _batches(of: Provenance) -> Block:
    rows = [[one.run, one.sampler, one.version, one.device, one.dtype, one.started] for one in of.batches]
    header = ["run", "sampler", "version", "device", "numbers", "started"]
    return Grid("Drawn here", header, rows, left=6, folded=len(rows) > FOLDED_FROM)


def _models(part: BenchmarkPart) -> Block:
    rows = [
        [
            run.name, run.slug, run.model.name, run.model.revision, run.model.role.value,
            run.model.parent or UNKNOWN_MARK, run.model.algorithm or UNKNOWN_MARK, whole(run.model.step),
            UNKNOWN_MARK if run.model.training_seed is None else str(run.model.training_seed), run.key[:12],
        ]
        for run in part.board.runs
    ]  # fmt: skip
    header = ["run", "slug", "model", "revision", "role", "trained from", "algorithm", "step", "training seed", "identity"]
    note = f"Identity: the beginning of the SHA-256 over model, revision, benchmark and settings; all of it: {in_file('runs')}."
    return Grid(f"Runs on {part.board.benchmark}", header, rows, note, left=10)


def _settings(part: BenchmarkPart) -> Block:
    """Every setting of every run: a line for each value, with the runs that have it."""
    rows = []
    for name in SETTING_NAMES:
        having: dict[str, list[str]] = {}
        for run in part.board.runs:
            having.setdefault(number_text(getattr(run.settings, name)), []).append(run.name)
        for value, runs in having.items():
            told = "all" if len(runs) == len(part.board.runs) else ", ".join(runs)
            rows.append([name.replace("_", " "), value.replace("\n", "⏎"), told])
    return Grid(f"Settings of the runs on {part.board.benchmark}", ["setting", "value", "runs"], rows, left=3)
