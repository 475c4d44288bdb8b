"""Samples of one study into another: what was drawn apart, by several processes or on several machines, put together.

- A sample is known by its run, problem and index, so merging twice adds nothing, the order does not matter, any shards may be
  missing, and shards of different numbers of parts fit together.
- All that a draw has comes along: ids, seed, log-probability, and the batch that made it; prompts, problems and models, too.
- What contradicts the study is named, never mixed in: a sample that is another one there is left out and told by its link; a
  shard with another prompt or statement under one name is refused before anything of it is stored.
- Imported samples are known by their file: import that file instead. Verdicts, likelihoods and paths are made again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

from store.errors import Conflict
from store.names import Link
from store.reader import Study
from store.tokens import unpack_ids
from store.types import Batch, Finish, NewDraw, Problem, Prompt, Run
from store.writer import OpenBatch, Writer

AT_ONCE: Final = 500
"""Samples of one transaction."""

_NUMBERS: Final = "SELECT count(*) - count(source_id), count(source_id) FROM sample"

_BATCHES: Final = """
SELECT batch_id, run_id, sampler, version, device, dtype, host, vocabulary, started, detail FROM batch
"""

_PROMPTS: Final = """
SELECT problem_id, text, ids, benchmark, key, statement, reference, kind, level, images
FROM prompt JOIN problem USING (problem_id) WHERE run_id = ? ORDER BY problem_id
"""

_SAMPLES: Final = """
SELECT sample_id, batch_id, run_id, problem_id, idx, digest, finish, ids, seed, stop_reason, logp, tokens, extra,
       dictionary_id, response
FROM sample JOIN text USING (sample_id) LEFT JOIN token USING (sample_id)
WHERE source_id IS NULL AND sample_id > ? ORDER BY sample_id LIMIT ?
"""

# CROSS JOIN: each place is looked up by the index of samples.
_THERE: Final = """
SELECT place.key, digest, finish, ids
FROM json_each(?) AS place CROSS JOIN sample ON run_id = json_extract(place.value, '$[0]')
  AND problem_id = json_extract(place.value, '$[1]') AND idx = json_extract(place.value, '$[2]')
LEFT JOIN token USING (sample_id)
"""

_REGULAR: Final = "SELECT max(idx) + 1 FROM sample JOIN run USING (run_id) WHERE run.key = ? AND NOT extra"

_PROBLEMS: Final = "SELECT benchmark || ':' || key, statement, reference FROM problem"

_GIVEN: Final = """
SELECT run.key, problem.benchmark || ':' || problem.key, text, ids
FROM prompt JOIN run USING (run_id) JOIN problem USING (problem_id)
"""

Progress = Callable[[int, int], None]
"""Told how many samples of the shard were looked at, and of how many."""


@dataclass(slots=True)
class Merged:
    """What became of one shard."""

    added: int = 0
    known: int = 0
    """There already, and the same."""
    imported: int = 0
    """Left out: they came from a file."""
    conflicts: list[Link] = field(default_factory=list)
    """Samples that are others in the study, which keeps its own."""


class _Row(NamedTuple):
    """A drawn sample of the shard, texts still packed."""

    sample_id: int
    batch_id: int
    run_id: int
    problem_id: int
    idx: int
    digest: int
    finish: str
    ids: bytes | None
    seed: int
    stop_reason: str | None
    logp: float | None
    tokens: int | None
    extra: int
    dictionary_id: int | None
    response: bytes


def merge_study(writer: Writer, shard: Path, progress: Progress = lambda _done, _all: None) -> Merged:
    """Add the samples that the shard has and the writer's study lacks.

    Raises Conflict where the two hold different problems or prompts under one name, and what opening the shard raises.
    """
    with Study(shard) as study, Study(writer.path) as whole:
        _refuse_contradictions(study, whole)
        return _Merging(writer, study, whole).run(progress)


def _refuse_contradictions(study: Study, whole: Study) -> None:
    """Raises Conflict, before anything is stored."""
    stored = {name: texts for name, *texts in whole.query(_PROBLEMS)}
    for name, *texts in study.query(_PROBLEMS):
        for what, here, there in zip(("statement", "reference answer"), texts, stored.get(name, texts), strict=True):
            if here is not None and there is not None and here.split() != there.split():
                raise Conflict(f"{study.path}: problem {name} has another {what} there than in {whole.path}; {_APART}")
    given = {(run, name): prompt for run, name, *prompt in whole.query(_GIVEN)}
    for run, name, *prompt in study.query(_GIVEN):
        if prompt != given.get((run, name), prompt):
            raise Conflict(f"{study.path}: the model was given another prompt for {name} than in {whole.path}; {_APART}")


_APART: Final = "merge it into a study of its own"


class _Merging:
    """One shard on its way into a study."""

    def __init__(self, writer: Writer, study: Study, whole: Study) -> None:
        self._writer = writer
        self._study = study
        self._whole = whole
        self._runs = {row.run_id: Run(row.model, row.benchmark, row.settings) for row in study.runs()}
        self._facts = {batch: (run, Batch(*facts)) for batch, run, *facts in study.query(_BATCHES)}
        self._prompts: dict[int, dict[int, tuple[Problem, Prompt]]] = {}
        self._open: dict[int, OpenBatch] = {}
        self._run_ids = {row.key: row.run_id for row in whole.runs()}
        self._slugs = {row.key: row.slug for row in whole.runs()}
        names = whole.query("SELECT problem_id, benchmark, key FROM problem")
        self._problem_ids = {(benchmark, key): problem_id for problem_id, benchmark, key in names}
        self._names = {
            problem_id: (benchmark, key)
            for problem_id, benchmark, key in study.query("SELECT problem_id, benchmark, key FROM problem")
        }

    def run(self, progress: Progress) -> Merged:
        ((total, imported),) = self._study.query(_NUMBERS)
        merged, looked_at, after = Merged(imported=imported), 0, 0
        while rows := [_Row(*row) for row in self._study.query(_SAMPLES, (after, AT_ONCE))]:
            fresh = self._fresh(rows, merged)
            for batch_id, found in groupby(sorted(fresh, key=lambda row: row.batch_id), key=lambda row: row.batch_id):
                merged.added += self._writer.add_draws(self._batch(batch_id), [self._draw(row) for row in found])
            after, looked_at = rows[-1].sample_id, looked_at + len(rows)
            progress(looked_at, total)
        self._admit()
        return merged

    def _fresh(self, rows: Sequence[_Row], merged: Merged) -> list[_Row]:
        """Those that the study lacks; the others are counted."""
        there = {
            number: (digest, finish, ids)
            for number, digest, finish, ids in self._whole.query(_THERE, (json.dumps(list(map(self._place, rows))),))
        }
        for number, stored in there.items():
            if _is_same(rows[number], *stored):
                merged.known += 1
            else:
                merged.conflicts.append(self._link(rows[number]))
        return [row for number, row in enumerate(rows) if number not in there]

    def _place(self, row: _Row) -> tuple[int | None, int | None, int]:
        """Run, problem and index, by the study's ids as they were before; None for what it did not have."""
        run = self._run_ids.get(self._runs[row.run_id].key)
        return run, self._problem_ids.get(self._names[row.problem_id]), row.idx

    def _link(self, row: _Row) -> Link:
        return Link(self._slugs[self._runs[row.run_id].key], *self._names[row.problem_id], row.idx)

    def _batch(self, batch_id: int) -> OpenBatch:
        """The same batch in the study."""
        if batch_id not in self._open:
            run_id, facts = self._facts[batch_id]
            prompts = dict(self._prompts_of(run_id).values())
            self._open[batch_id] = self._writer.open_batch(self._runs[run_id], facts, prompts)
        return self._open[batch_id]

    def _prompts_of(self, run_id: int) -> Mapping[int, tuple[Problem, Prompt]]:
        """By problem id of the shard."""
        if run_id not in self._prompts:
            self._prompts[run_id] = dict(_prompts(self._study, run_id))
        return self._prompts[run_id]

    def _draw(self, row: _Row) -> NewDraw:
        return NewDraw(
            problem=self._prompts_of(row.run_id)[row.problem_id][0],
            index=row.idx,
            seed=row.seed,
            response=self._study.texts.unpack(row.dictionary_id, row.response),
            ids=None if row.ids is None else tuple(unpack_ids(row.ids)),
            finish=Finish(row.finish),
            stop_reason=row.stop_reason,
            logp=row.logp,
            tokens=row.tokens,
            extra=bool(row.extra),
        )

    def _admit(self) -> None:
        """What is extra in one of the two and within the other's n is an ordinary sample of both."""
        for key in {self._runs[run_id].key for run_id, _ in self._facts.values()}:
            regular = [number for study in (self._study, self._whole) for (number,) in study.query(_REGULAR, (key,)) if number]
            if regular:
                self._writer.admit(key, max(regular))


def _prompts(study: Study, run_id: int) -> Iterator[tuple[int, tuple[Problem, Prompt]]]:
    for problem_id, text, ids, *problem, images in study.query(_PROMPTS, (run_id,)):
        asked = replace(Problem(*problem), images=tuple(json.loads(images or "[]")))
        yield problem_id, (asked, Prompt(text, tuple(unpack_ids(ids))))


def _is_same(row: _Row, digest: int, finish: str, ids: bytes | None) -> bool:
    """The same draw, so far as both tell. Rounding may move a log-probability; it does not make another sample."""
    return (row.digest, row.finish) == (digest, finish) and (None in (row.ids, ids) or row.ids == ids)
