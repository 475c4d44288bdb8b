"""Samples of one transaction on their way into the tables: sample, text, token, drawn."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from store.texts import TextPacker, digest
from store.tokens import pack_ids
from store.types import Finish

_DRAWN: Final = ("samples", "truncated", "chars")


@dataclass(frozen=True, slots=True)
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


@dataclass(slots=True)
class NewRows:
    """Collect with `add`, write with `store`, within the writer's transaction."""

    packer: TextPacker
    dictionary_id: int | None
    samples: list[tuple[object, ...]] = field(default_factory=list)
    texts: list[tuple[int, int | None, bytes]] = field(default_factory=list)
    tokens: list[tuple[int, bytes]] = field(default_factory=list)
    drawn: Counter[tuple[int, int, str]] = field(default_factory=Counter)

    def add(
        self,
        place: Place,
        response: str,
        finish: Finish,
        stop_reason: str | None,
        *,
        tokens: int | None = None,
        ids: tuple[int, ...] | None = None,
    ) -> None:
        """tokens: their number, where known; ids tell it themselves."""
        origin = (place.seed, place.source_id, place.line, place.item, place.batch_id)
        ending = (finish, stop_reason, len(response), tokens if ids is None else len(ids), digest(response))
        self.samples.append((place.sample_id, place.run_id, place.problem_id, place.index, *origin, *ending))
        self.texts.append((place.sample_id, self.dictionary_id, self.packer.pack(response)))
        if ids is not None:
            self.tokens.append((place.sample_id, pack_ids(ids)))
        for what, amount in zip(_DRAWN, (1, finish is Finish.LENGTH, len(response)), strict=True):
            self.drawn[place.run_id, place.problem_id, what] += amount

    def store(self, connection: sqlite3.Connection) -> None:
        connection.executemany(
            """INSERT INTO sample (sample_id, run_id, problem_id, idx, seed, source_id, source_line, source_item, batch_id,
                 finish, stop_reason, chars, tokens, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            self.samples,
        )
        connection.executemany("INSERT INTO text (sample_id, dictionary_id, response) VALUES (?, ?, ?)", self.texts)
        connection.executemany("INSERT INTO token (sample_id, ids) VALUES (?, ?)", self.tokens)
        pairs = sorted({(run_id, problem_id) for run_id, problem_id, _ in self.drawn})
        connection.executemany(
            """INSERT INTO drawn (run_id, problem_id, samples, truncated, chars) VALUES (?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET samples = samples + excluded.samples,
                 truncated = truncated + excluded.truncated, chars = chars + excluded.chars""",
            [(*pair, *(self.drawn[(*pair, what)] for what in _DRAWN)) for pair in pairs],
        )
