"""The bundled study: every held-out problem 1024 times under each model, then the part of it that is worth reading.

    python -m sample_data.recipe.bundle draw OUT 0/2    every second problem, into OUT/shard-0.db; resumes where it was stopped
    python -m sample_data.recipe.bundle put OUT         shards together, judged, sliced, scored, clustered, searched, packed
    python -m sample_data.recipe.bundle refresh         the packed study again, by this version's schema, verifier and rules
    python -m sample_data.recipe.bundle rescore         the same, every likelihood measured anew

The models are those in sample_data/models. The bundled study holds the counts of all samples, and with texts, token ids and
likelihoods: all right answers to problems at the boundary (one model's samples hold a right answer, base's of that temperature
none, or the reverse), and of every run the first samples of each problem.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import torch

from engine.board import Board, read_board, reference_run
from engine.indexing import index_suspicions
from engine.paths import find_paths
from engine.samplers.base import Opening
from engine.sampling import sample
from engine.scoring import Asked, Judge, score
from explorer.commands.demo import OWN, PAPER, plan
from explorer.commands.narration import Meter, Narrator
from explorer.commands.verify import judge_all
from sample_data import BASE, DISTILLED, GRPO, MODELS, STUDY, TinyModel
from store.index_writer import IndexWriter
from store.merging import merge_study
from store.migrations import migrate
from store.reader import Study
from store.rows import RunRow
from store.slicing import slice_study
from store.texts import pack_file, unpack_file
from store.writer import Writer

N: Final = 1024
RUNS: Final = (*((model, PAPER) for model in MODELS), (BASE, OWN), (GRPO[-1], OWN))
"""Model and decoding."""
BY_TOKEN: Final = (BASE, GRPO[-1], DISTILLED)
"""Whose scores come token by token, of some responses."""
FIRST: Final = 2
"""Samples of each problem that are scored token by token, whatever they are."""
FEW: Final = 80
"""Right samples of a problem that one model alone solves, up to which all are, too."""
ALONE: Final = 256
"""Where there are more: those below this index."""
READABLE: Final = 32
"""Samples of each run and problem that come with their texts, whatever they are."""


def draw(out: Path, shard: int, shards: int) -> None:
    narrator = Narrator()
    with Writer(out / f"shard-{shard}.db", "bundle") as writer:
        for model, decoding in RUNS:
            whole = plan(model, decoding, N)
            meter = Meter(narrator, f"sampling {model.folder} at T {decoding[0]:g}", "samples")
            done = sample(writer, replace(whole, problems=whole.problems[shard::shards]), meter.show)
            what = f"{model.folder} at T {decoding[0]:g}: {done.added:,} samples, {done.tokens:,} tokens"
            narrator.say(f"{what} in {done.seconds:.0f} s")


def put(out: Path) -> None:
    narrator = Narrator()
    full, small = out / "full.db", out / "study.db"
    with Writer(full, "bundle") as writer:
        for shard in sorted(out.glob("shard-*.db")):
            narrator.say(f"{shard}: {merge_study(writer, shard).added:,} samples")
        judge_all(writer, narrator)
    small.unlink(missing_ok=True)
    with Study(full) as study:
        chosen = list(_chosen(study))
    slice_study(full, small, chosen)
    with Writer(small, "bundle") as writer:
        _score(writer, narrator)
        find_paths(writer)
    _pack(small, narrator)


def refresh(*, rescored: bool = False) -> None:
    """What was drawn stays; what is derived from it is made again. rescored: likelihoods, too."""
    narrator = Narrator()
    with TemporaryDirectory() as folder:
        study = Path(folder) / "study.db"
        study.write_bytes(unpack_file(STUDY.read_bytes()))
        migrate(study)
        if rescored:
            _forget_likelihoods(study)
        with Writer(study, "bundle") as writer:
            judge_all(writer, narrator)
            if rescored:
                _score(writer, narrator)
        _pack(study, narrator)


def _forget_likelihoods(study: Path) -> None:
    with closing(sqlite3.connect(study)) as connection:
        for table in ("likelihood", "token_score", "piece"):
            connection.execute(f"DELETE FROM {table}")
        connection.commit()


def _pack(study: Path, narrator: Narrator) -> None:
    """Look for luck, then pack. The index of words stays at home: a study as small is searched without one."""
    with IndexWriter(study, "bundle") as writer:
        looked = index_suspicions(writer)
    with closing(sqlite3.connect(study)) as connection:
        connection.execute("DELETE FROM verifier WHERE verifier_id NOT IN (SELECT verifier_id FROM verdict)")
        connection.commit()
        connection.execute("VACUUM")
        (traces,) = connection.execute("SELECT count(*) FROM sample").fetchone()
    packed = pack_file(study.read_bytes())
    STUDY.write_bytes(packed)
    narrator.say(f"{looked.read:,} right answers looked at, {looked.with_reasons:,} with a reason")
    narrator.say(f"{traces:,} traces, {study.stat().st_size / 1e6:.1f} MB, {len(packed) / 1e6:.1f} MB packed: {STUDY}")


def _chosen(study: Study) -> Iterator[int]:
    for name in study.benchmarks():
        board = read_board(study, name)
        boundary = boundary_of(board)
        for problem in board.problems:
            at_boundary = problem.problem_id in boundary
            for row in study.traces(problem.problem_id):
                if row.idx < READABLE or (at_boundary and row.outcome == "correct"):
                    yield row.sample_id


def boundary_of(board: Board) -> set[int]:
    """Problems that one of a pair of runs solves at least once, and the other never."""
    found: set[int] = set()
    for run in board.runs:
        base = reference_run(board.runs, run)
        if base is not None and base.model != run.model:
            found |= {
                p.problem_id
                for p in board.judged(base, run)
                if _solved(board, base, p.problem_id) != _solved(board, run, p.problem_id)
            }
    return found


def _solved(board: Board, run: RunRow, problem_id: int) -> bool:
    return board.cells[run.run_id, problem_id].correct > 0


def _score(writer: Writer, narrator: Narrator) -> None:
    """Base on everything, each model on itself and on base's own; some of it token by token."""
    with Study(writer.path) as study:
        runs = study.runs()
        boards = {run.benchmark: read_board(study, run.benchmark) for run in runs}
    base = next(run for run in runs if _is(run, BASE) and _drawn_like(run, PAPER))
    for tiny in MODELS:
        model = next(run.model for run in runs if _is(run, tiny))
        for run in runs if tiny is BASE else [base, *(run for run in runs if _is(run, tiny))]:
            tokens = _worth_reading(boards[run.benchmark], base, run) if tiny in BY_TOKEN and _is_read_closely(run) else None
            meter = Meter(narrator, f"scoring {run.slug} with {tiny.folder}", "responses")
            score(writer, Judge(model, Opening(tiny.path)), [run], Asked(tokens=tokens), meter.show)


def _worth_reading(board: Board, base: RunRow, run: RunRow) -> str:
    """A query: first samples of each problem, and right ones of problems that this run solves and one held against it never."""
    rivals = [one for one in board.runs if _is_read_closely(one) and one != base] if run == base else [base]
    alone: dict[bool, list[str]] = {False: [], True: []}
    for problem in board.judged(run, *rivals):
        right = board.cells[run.run_id, problem.problem_id].correct
        if right and not all(_solved(board, one, problem.problem_id) for one in rivals):
            alone[right > FEW].append(f'"{problem.key}"')
    chosen = [f"sample<{FIRST}"]
    for often, keys in alone.items():
        if keys:
            chosen.append(f"(problem:{'|'.join(keys)} correct:yes{f' sample<{ALONE}' if often else ''})")
    return " or ".join(chosen)


def _drawn_like(run: RunRow, decoding: tuple[float, float]) -> bool:
    return (run.settings.temperature, run.settings.top_p) == decoding


def _is_read_closely(run: RunRow) -> bool:
    return _drawn_like(run, PAPER) and any(_is(run, tiny) for tiny in BY_TOKEN)


def _is(run: RunRow, tiny: TinyModel) -> bool:
    return (run.model.name, run.model.step) == (tiny.name, tiny.step)


if __name__ == "__main__":
    torch.set_num_threads(1)
    match sys.argv[1:]:
        case ["draw", out, part]:
            draw(Path(out), *map(int, part.split("/")))
        case ["put", out]:
            put(Path(out))
        case ["refresh"]:
            refresh()
        case ["rescore"]:
            refresh(rescored=True)
        case _:
            sys.exit(__doc__)
