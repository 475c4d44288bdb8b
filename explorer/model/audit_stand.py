"""What the audit of a pair of runs stands at: how many of the right answers that carry the conclusion somebody has judged, and
what was found. No Textual here; the engine's counting of labels imports numpy, so call it from a worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.model.numbers import Membership, Sets
from explorer.model.session import Pair
from explorer.render.pieces import Line, Tone, dim, plain
from explorer.render.words import counted
from store.reader import Study
from store.rows import ProblemRow, RunRow


@dataclass(frozen=True, slots=True)
class AuditStand:
    """People's labels on the right answers to the problems of one set, of the run that solves them."""

    where: Membership
    problems: int
    right: int
    """Right answers of which the trace is stored."""
    counted: int
    """Right answers by the verdicts or published counts; more than `right` where only a part is stored."""
    judged: int
    sound: int
    unsound: int
    undecided: int
    reversed: int
    """Found wrong after all: the verifier or the reference is."""
    elsewhere: int
    """Labelled traces of the benchmark beside those."""
    auditors: tuple[str, ...]


def audit_stand(study: Study, verifier: str | None, pair: Pair, sets: Sets | None) -> AuditStand | None:
    """Of the problems only the baseline solves; where there are none, of those only the other one does.

    None without sets. verifier: whose verdicts count, None for the deciding ones.
    """
    from engine.auditing import read_labels
    from engine.auditing.labels import Labels, side

    if sets is None or pair.other is None:
        return None
    labels: Labels = read_labels(study, pair.board.benchmark, verifier=verifier)
    where, run = _who_carries(pair, sets)
    problems = _members(pair, sets, where)
    sides = [side(study, pair.board, run.run_id, problem.problem_id, labels) for problem in problems]
    cells = [labels.cell(run.run_id, problem.problem_id) for problem in problems]
    judged = sum(cell.read_right for cell in cells)
    return AuditStand(
        where=where,
        problems=len(problems),
        right=judged + sum(side.unread for side in sides),
        counted=sum(pair.board.cells[run.run_id, problem.problem_id].correct for problem in problems),
        judged=judged,
        sound=sum(cell.sound for cell in cells),
        unsound=sum(cell.unsound for cell in cells),
        undecided=sum(cell.undecided - cell.up for cell in cells),
        reversed=sum(cell.down for cell in cells),
        elsewhere=len(labels.reads) - judged,
        auditors=labels.auditors,
    )


def audit_parts(stand: AuditStand | None, words: Sequence[str]) -> list[Line]:
    """In one sentence, in parts that may stand on lines of their own. words: what the two runs are called.

    Nothing where there are no sets.
    """
    if stand is None:
        return []
    name = f"the {words[0 if stand.where is Membership.BASE_ONLY else 1]}-only set"
    beside: list[Line] = [[dim(f"{counted(stand.elsewhere, 'other trace')} labelled")]] if stand.elsewhere else []
    if not stand.problems:
        return [[dim("audit: "), plain("no problem is solved by one run alone")], *beside]
    if not stand.right:
        return [[dim("audit: "), plain(f"no right trace of {name} is stored")], *beside]
    if stand.right < stand.counted:
        beside = [[(f"‼ {stand.right:,} of {stand.counted:,} right ones stored", Tone.WARN)], *beside]
    of = f"{stand.judged:,} of {counted(stand.right, 'right trace')} of {name} judged"
    if not stand.judged:
        return [[dim("audit: "), plain(of)], *beside, [dim("a: what to read first")]]
    return [[dim("audit: "), plain(f"{of}: {_found(stand)}")], *beside]


def _found(stand: AuditStand) -> str:
    told = [f"{stand.sound:,} sound", f"{stand.unsound:,} unsound", f"{stand.undecided:,} undecided"]
    return ", ".join([*told, *([f"{stand.reversed:,} wrong after all"] if stand.reversed else [])])


def _who_carries(pair: Pair, sets: Sets) -> tuple[Membership, RunRow]:
    if pair.other is not None and not sets.size(Membership.BASE_ONLY) and sets.size(Membership.OTHER_ONLY):
        return Membership.OTHER_ONLY, pair.other
    return Membership.BASE_ONLY, pair.base


def _members(pair: Pair, sets: Sets, where: Membership) -> list[ProblemRow]:
    return [problem for problem in pair.board.problems if sets.members.get(problem.key) is where]
