"""The stage `import`: other tools' files into a study, a batch of lines per transaction.

Run it again after anything: what is stored is recognised by source, line and place, and not added twice. A file that has
grown since goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from engine import importers
from engine.importers.base import About, BadLine, Importer, ImportProblem, Item, Line, Options
from engine.importers.fields import BadRecord, printable
from engine.importers.files import find_sidecar, fingerprint, lines
from store.types import NewCount, NewTrace, Run
from store.writer import Source, SourceFile, Writer

BATCH_CHARS: Final = 4 << 20
BATCH_ITEMS: Final = 2000
FIRST_LINES: Final = 20
"""How far to look for a line that tells the format."""
SHOWN_BAD_LINES: Final = 20


@dataclass(slots=True)
class Imported:
    """What became of one file."""

    path: Path
    format: str
    traces: int = 0
    """Added."""
    counts: int = 0
    """Added."""
    known: int = 0
    """Read, and already there from this file."""
    copies: int = 0
    """Read, and left out: another file brought the same responses."""
    runs: dict[Run, None] = field(default_factory=dict)
    """In order of appearance."""
    bad: list[BadLine] = field(default_factory=list)
    """The first SHOWN_BAD_LINES of them."""
    bad_total: int = 0

    def report(self, bad: Iterable[BadLine]) -> None:
        for line in bad:
            self.bad_total += 1
            if len(self.bad) < SHOWN_BAD_LINES:
                self.bad.append(line)


Progress = Callable[[int], None]
"""Told the position in the file, in bytes as they lie on the disk."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that can be imported: its format is known."""

    importer: Importer
    about: About
    sidecar: Path | None


def prepare(path: Path, options: Options) -> Prepared:
    """Look at a file before anything is written.

    Raises ImportProblem where it cannot be imported: unreadable, of no known format, with a broken sidecar.
    """
    importer = importers.load(options.format) if options.format else _recognised(path)
    sidecar, settings = find_sidecar(path) if importer.has_sidecar else (None, {})
    return Prepared(importer, About(path, options, settings), sidecar)


def import_file(writer: Writer, prepared: Prepared, progress: Progress = lambda _: None) -> Imported:
    """Bring one file in.

    Raises ImportProblem where the file as a whole cannot be imported: its model is not named, say.
    """
    importer, about = prepared.importer, prepared.about
    result = Imported(about.path, importer.name)
    try:
        source = _open_source(writer, prepared)
        good = _split(lines(about.path, progress), result)
        for batch in _batches(importer.read(good, about)):
            _store(writer, source, batch, result, about.options)
    except BadRecord as bad:
        raise ImportProblem(f"{about.path}: {bad}") from None
    writer.finish_source(source)
    return result


def _recognised(path: Path) -> Importer:
    """The importer whose kind of file this is, by its first lines: a broken first line must not hide the others."""
    first = [line for line in islice(lines(path), FIRST_LINES) if isinstance(line, Line)]
    if not first:
        raise ImportProblem(f"{path} holds no line that can be read; check the file")
    found = next((importer for line in first if (importer := importers.recognise(line)) is not None), None)
    if found is None:
        names = ", ".join(importers.IMPORTERS)
        raise ImportProblem(f"{path} is of no known format ({names}); `basebound formats` shows an example of each")
    return found


def _open_source(writer: Writer, prepared: Prepared) -> Source:
    path = prepared.about.path
    content = fingerprint(path, writer.source_lengths())
    return writer.open_source(
        SourceFile(
            path=printable(str(path)),
            format=prepared.importer.name,
            sha256=content.sha256,
            bytes=content.bytes,
            grown_from=content.grown_from,
            sidecar=None if prepared.sidecar is None else printable(str(prepared.sidecar)),
            seed=prepared.importer.seed(prepared.about),
        )
    )


def _split(found: Iterator[Line | BadLine], result: Imported) -> Iterator[Line]:
    """Lines that can be read; the others are reported."""
    for line in found:
        if isinstance(line, Line):
            yield line
        else:
            result.report([line])


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    """Items by the transaction: enough to be fast, few enough to be short."""
    batch: list[Item] = []
    chars = 0
    for item in items:
        batch.append(item)
        chars += len(item.sample.response) if isinstance(item, NewTrace) else 0
        if len(batch) >= BATCH_ITEMS or chars >= BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


def _store(writer: Writer, source: Source, batch: list[Item], result: Imported, options: Options) -> None:
    traces = [item for item in batch if isinstance(item, NewTrace)]
    counts = [item for item in batch if isinstance(item, NewCount)]
    result.report(item for item in batch if isinstance(item, BadLine))
    _name_runs(writer, result, options, [*traces, *counts])
    traces_stored = writer.add_traces(source, traces, again=options.again)
    counts_stored = writer.add_counts(source, counts)
    result.traces += traces_stored.added
    result.counts += counts_stored.added
    result.copies += traces_stored.copies
    refused = traces_stored.refused + counts_stored.refused
    result.report(BadLine(*line) for line in refused)
    new = traces_stored.added + traces_stored.copies + counts_stored.added
    result.known += len(traces) + len(counts) - new - len(refused)


def _name_runs(writer: Writer, result: Imported, options: Options, items: list[NewTrace | NewCount]) -> None:
    for run in {id(item.run): item.run for item in items}.values():  # a run is hashed once per batch, not once per item
        if run in result.runs:
            continue
        result.runs[run] = None
        if options.run:
            if len(result.runs) > 1:
                raise ImportProblem(f"{result.path} holds several runs; --run can name one only: leave it out")
            writer.name_run(run, options.run)
