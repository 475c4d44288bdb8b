"""Samples of one transaction on their way into the tables: sample, text, token, drawn; and what people say of them in their
file: audit, mark."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from store.audits import INSERT_AUDIT, Audit, Chosen, audit_values
from store.marks import INSERT_MARK, Kind, Mark, mark_values
from store.texts import Encoded, TextPacker
from store.tokens import pack_ids
from store.types import Finish, Opinion


@dataclass(slots=True)  # not frozen: made by the million, and never leaves this folder
class Place:
    """Where a sample belongs, and where it came from: a place in a source file, or a batch of ours."""

    sample_id: int
    run_id: int
    problem_id: int
    index: int
    seed: int | None
    source_id: int | None = None
    line: int | None = None
    item: int | None = None
    batch_id: int | None = None
    logp: float | None = None
    extra: bool = False


@dataclass(slots=True)
class NewRows:
    """Collect with `add`, write with `store`, within the writer's transaction."""

    packer: TextPacker
    dictionary_id: int | None
    samples: list[tuple[object, ...]] = field(default_factory=list)
    responses: list[bytes] = field(default_factory=list)
    tokens: list[tuple[int, bytes]] = field(default_factory=list)
    drawn: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    """By run and problem: samples, truncated ones, characters, all without the extra samples; and how many of those."""
    labels: list[tuple[object, ...]] = field(default_factory=list)
    marks: list[tuple[object, ...]] = field(default_factory=list)

    def add(
        self,
        place: Place,
        response: Encoded,
        finish: Finish,
        stop_reason: str | None,
        *,
        tokens: int | None = None,
        ids: tuple[int, ...] | None = None,
    ) -> None:
        """tokens: their number, where known; ids tell it themselves."""
        origin = (place.seed, place.source_id, place.line, place.item, place.batch_id)
        ending = (finish, stop_reason, response.chars, tokens if ids is None else len(ids), response.digest)
        drawing = (place.logp, place.extra)
        self.samples.append((place.sample_id, place.run_id, place.problem_id, place.index, *origin, *ending, *drawing))
        self.responses.append(response.data)
        if ids is not None:
            self.tokens.append((place.sample_id, pack_ids(ids)))
        drawn = self.drawn.setdefault((place.run_id, place.problem_id), [0, 0, 0, 0])
        if place.extra:
            drawn[3] += 1
            return
        drawn[0] += 1
        drawn[1] += finish is Finish.LENGTH
        drawn[2] += response.chars

    def hear(self, sample_id: int, opinions: Sequence[Opinion]) -> None:
        """What the file's people say of a trace that was added."""
        for said in opinions:
            if said.label is not None:
                audit = Audit(sample_id, said.auditor, said.label, said.step, said.note, Chosen.IMPORTED)
                self.labels.append(audit_values(audit))
            if said.step is not None:
                self.marks.append(mark_values(Mark(sample_id, said.auditor, Kind.STEP, said.step, said.note)))

    def store(self, connection: sqlite3.Connection) -> None:
        with self.packer.packing(self.responses) as packed:
            connection.executemany(
                """INSERT INTO sample (sample_id, run_id, problem_id, idx, seed, source_id, source_line, source_item, batch_id,
                     finish, stop_reason, chars, tokens, digest, logp, extra)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                self.samples,
            )
            connection.executemany(
                "INSERT INTO text (sample_id, dictionary_id, response) VALUES (?, ?, ?)",
                ((sample[0], self.dictionary_id, text) for sample, text in zip(self.samples, packed, strict=True)),
            )
        connection.executemany("INSERT INTO token (sample_id, ids) VALUES (?, ?)", self.tokens)
        connection.executemany(INSERT_AUDIT, self.labels)
        connection.executemany(INSERT_MARK, self.marks)
        connection.executemany(
            """INSERT INTO drawn (run_id, problem_id, samples, truncated, chars, extra) VALUES (?, ?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET samples = samples + excluded.samples, truncated = truncated + excluded.truncated,
                 chars = chars + excluded.chars, extra = extra + excluded.extra""",
            [(*pair, *numbers) for pair, numbers in sorted(self.drawn.items())],
        )
