"""Which problems `set:` and `evidence:` of a query mean: those of a pair of runs at its common k, as `coverage` has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.board import Board, natural_pair
from store.errors import NotFound
from store.query.fields import UNJUDGED
from store.query.terms import Known
from store.reader import Study
from store.rows import RunRow

Pair = tuple[RunRow, RunRow]
"""The base run, and what is held against it."""

Members = Mapping[tuple[str, str], frozenset[int]]
"""By field and word, ids of the problems in it."""


def members(study: Study, boards: Sequence[Board], pair: Pair | None) -> Members:
    """Over all these benchmarks. pair: whose sets are meant; None for each benchmark's natural one.

    Raises NotFound where none has two runs.
    """
    found: dict[tuple[str, str], set[int]] = {}
    pairs = [(board, pair_of(board, pair)) for board in boards]
    if not any(chosen for _, chosen in pairs):
        raise NotFound(
            f"{study.path} has no second run to compare with, so nothing is known of sets; leave out set: and evidence:"
        )
    for board, chosen in pairs:
        for word, ids in _of_board(board, chosen).items():
            found.setdefault(word, set()).update(ids)
    return {word: frozenset(ids) for word, ids in found.items()}


def pair_of(board: Board, pair: Pair | None) -> Pair | None:
    """The pair asked for, where it is of this benchmark; else the natural one. None where there is no second run."""
    if pair is not None and pair[0].benchmark == board.benchmark:
        return pair
    base, other = natural_pair(board.runs) or (None, None)
    return None if base is None or other is None else (base, other)


def _of_board(board: Board, pair: Pair | None) -> dict[tuple[str, str], set[int]]:
    ids = {problem.key: problem.problem_id for problem in board.problems}
    known: dict[tuple[str, str], set[int]] = {}
    judged: set[int] = set()
    if pair is not None and board.judged(*pair):
        from engine.summary import cover, evidence_of

        found = cover(board, *pair)
        for name, keys in found.sets.items():
            known["set", name.replace(" ", "-")] = {ids[key] for key in keys}
        for problem_id, one in evidence_of(board, *pair, found.k).items():
            judged.add(problem_id)
            known.setdefault(("evidence", "clear" if one.clear else "undetermined"), set()).add(problem_id)
    unjudged = set(ids.values()) - judged
    known["set", UNJUDGED] = unjudged
    for field in ("set", "evidence"):
        known[field, Known.ANY] = judged
        known[field, Known.NONE] = unjudged
    return known
