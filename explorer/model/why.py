"""All that a study says of why a problem is in its set: counts, evidence, likelihood, luck, near misses, paths, on one page.

    for section in evidence_page(session, pair, problem): ...

Each statement names its source; what is unknown names the command that makes it. For a worker: it reads every trace of the
problem for the two runs, and the texts of those that must be read. No Textual here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from explorer.model.facts import Proof, chance_of, proofs
from explorer.model.session import Pair, Session
from explorer.model.tracelist import groups, is_quick
from explorer.model.why_likelihood import likelihood
from explorer.model.why_values import Section, Side, Statement
from explorer.render.pieces import Line, Tone, dim, plain, strong
from explorer.render.words import LABELS, MARKS, counted, extra_of, length, p_value, rate, small_share
from store.rows import ProblemRow, TraceRow
from store.types import Finish, Outcome

SUSPICIOUS: Final = 0.5
"""From here on a suspicion is one: a kept false equality, an underived answer, an answer known beforehand."""
_ANSWERS: Final = 5


def evidence_page(session: Session, pair: Pair, problem: ProblemRow) -> list[Section]:
    """Raises StudyError where the study cannot be read."""
    rows = session.traces(problem, pair.runs)
    sides = [
        Side(run, mark, word, pair.count(run, problem), [row for row in rows if row.run_id == run.run_id])
        for run, word, mark in zip(pair.runs, pair.words, MARKS, strict=False)
    ]
    k = pair.board.common_k(*pair.runs)
    proof = None if k is None or pair.other is None else proofs(pair, k).get(problem.problem_id)
    found = [
        Section("counts", [_counts(side, pair, proof, place) for place, side in enumerate(sides)]),
        Section("set and evidence", _evidence(sides, proof)),
        Section("likelihood of right answers", likelihood(session, pair, problem, sides)),
        Section("right answers", [line for side in sides for line in _right(session, pair, problem, side)]),
        Section("answered instead", [line for side in sides for line in _instead(side)]),
        Section("judged wrong, perhaps right", [line for side in sides for line in _near(session, pair, problem, side)]),
        Section("paths", _paths(sides)),
        Section("length", [line for side in sides for line in _lengths(side)]),
    ]
    return [section for section in found if section.statements]


def _counts(side: Side, pair: Pair, proof: Proof | None, place: int) -> Statement:
    from engine.analyses.reach import reach

    count = side.count
    if count is None or not count.n:
        return Statement([[side.name, plain(" has no judged sample of it")]], "basebound verify")
    if proof is None:
        bounds = reach([count.all_n], [count.all_correct], 1)
        low, high = float(bounds.low[0]), float(bounds.high[0])
    else:
        found = proof.evidence
        low, high = ((found.base_low, found.base_high), (found.other_low, found.other_high))[place]
    said = f"p < {rate(high)}" if not count.all_correct else f"p {rate(low)} to {rate(high)}"
    beyond = [(f" {more}", Tone.ACCENT)] if (more := extra_of(count)) else []
    right = [side.name, plain(f" {count.correct:,} of {count.n:,} right"), *beyond]
    parts: list[Line] = [right, [plain(f"{said} at 95 %")]]
    lost = [(count.error, "errors"), (count.unjudged, "unjudged"), (count.truncated, "truncated of those stored")]
    parts += [[(f"{number:,} {word}", Tone.WARN)] for number, word in lost if number]
    if side.is_part:
        parts.append([(f"{len(side.rows):,} of {count.counted:,} traces stored: below, what they say", Tone.WARN)])
    way = "one-sided" if not count.all_correct else "Clopper-Pearson"
    way += ", of all samples" if count.extra_n else ""
    return Statement(parts, f"verdicts by {count.verifier or pair.board.verifier}, {way}", side.right)


def _evidence(sides: Sequence[Side], proof: Proof | None) -> list[Statement]:
    from engine.analyses.boundary import least_successes

    if proof is None:
        return [Statement([[plain("not compared: that needs judged samples of two runs")]], "basebound verify, coverage")]
    found, source = proof.evidence, f"basebound coverage, at k = {proof.budget:,}"
    word = strong("clear") if found.clear else plain("undetermined")
    tests = f"Fisher p {p_value(found.p_value)}, q {p_value(found.q_value)} over {counted(proof.problems, 'problem')}"
    said = [Statement([[plain("set "), strong(_set(sides))], [plain("the rates differ: "), word], [plain(tests)]], source)]
    said.append(Statement(_standing(proof, sides), source))
    n = [side.count.all_n for side in sides if side.count is not None]
    needed = least_successes(n[0]) if len(set(n)) == 1 else None
    if needed is not None and not found.clear and any(side.never for side in sides):
        told = f"at {n[0]:,} samples each, {needed} right against none would be clear, other problems aside"
        said.append(Statement([[dim(told)]], "Fisher's exact test, two-sided"))
    return said


def _set(sides: Sequence[Side]) -> str:
    """By what was counted: at k = n a problem is solved where anything is right."""
    solved = [side for side in sides if side.count is not None and side.count.correct]
    return "both" if len(solved) == 2 else f"{solved[0].word} only" if solved else "neither"


def _standing(proof: Proof, sides: Sequence[Side]) -> list[Line]:
    """Another question than whether the rates differ: can each run solve it at all, within that many draws?"""
    found, within = proof.evidence, f"within {proof.budget:,} draws"
    if found.standing.value != "undetermined":
        base, other = (side.word for side in sides)
        told = {
            "elicited": f"both can reach it {within} (elicited)",
            "created": f"{other} can reach it {within}, {base} cannot (created)",
            "lost": f"{base} can reach it {within}, {other} cannot (lost)",
        }
        return [[strong(told[found.standing.value])]]
    costs = [(found.cost_base, sides[0]), (found.cost_other, sides[-1])]
    asked = " and ".join(side.word for cost, side in costs if cost != 0) or "both"
    parts: list[Line] = [[plain(f"{asked} can reach it {within}: "), strong("undetermined")]]
    if any(cost is None for cost, _ in costs):
        return [*parts, [plain("no number of samples would settle it, if these rates went on")]]
    wanted = " and ".join(f"{cost:,} more draws of {side.word}" for cost, side in costs if cost)
    return [*parts, [plain(f"about {wanted} would settle it, if these rates went on")]]


def _right(session: Session, pair: Pair, problem: ProblemRow, side: Side) -> list[Statement]:
    if side.count is None or not side.count.all_correct:
        return []
    found = [_labels(side), _suspicion(session, side), _guessing(session, pair, problem, side)]
    return (
        found if side.right else [Statement([[side.name, plain(" counts only: no right answer to read")]], "basebound import")]
    )


def _labels(side: Side) -> Statement:
    right = side.right
    given = Counter(row.label for row in right)
    said = [f"{number} {LABELS[label]}" for label, number in sorted((one, n) for one, n in given.items() if one)]
    unread = given[None]
    parts = [plain(f" {counted(len(right), 'right answer')}: "), plain(", ".join([*said, f"{unread} unread"]))]
    return Statement([[side.name, *parts]], "labels in force; a opens the audit queue", right)


def _suspicion(session: Session, side: Side) -> Statement:
    """Stored ones; where they are not, and there are few, they are worked out now."""
    right = side.right
    scores = {row.sample_id: row.suspicion for row in right if row.suspicion is not None}
    unknown = [row for row in right if row.suspicion is None]
    if unknown and is_quick(unknown):
        from engine.suspecting import suspect

        ids = [row.sample_id for row in unknown]
        scores |= {one.sample_id: one.score for one in suspect(session.study, ids, session.verifier)}
    if len(scores) < len(right):
        return Statement(
            [[side.name, plain(" suspicion unknown: too much text of right answers to look at now")]], "basebound index"
        )
    found = sorted((row for row in right if scores[row.sample_id] >= SUSPICIOUS), key=lambda row: -scores[row.sample_id])
    tone = Tone.WARN if found else Tone.PLAIN
    said = f" suspicious {len(found):,} of {len(right):,}"
    return Statement([[side.name, (said, tone)], [dim(f"{SUSPICIOUS} or more")]], "basebound suspect", found)


def _guessing(session: Session, pair: Pair, problem: ProblemRow, side: Side) -> Statement:
    chance, count = chance_of(session, pair, side.run, problem.problem_id), side.count
    if chance is None or count is None:
        why = "fewer traces are stored than were counted" if count is not None and count.is_part else "too few wrong answers"
        return Statement([[side.name, plain(f" chance to guess it unknown: {why}")]], "basebound guess --direct RUN")
    expected = chance.value * count.n
    said = f" a guess is right with {small_share(chance.value)} % (at most {small_share(chance.high)} %)"
    alone = f"guessing alone gets {expected:.1f} of {count.n:,} right, {count.correct:,} are"
    return Statement([[side.name, plain(said)], [plain(alone)]], "basebound guess, agreement of wrong answers")


def _instead(side: Side) -> list[Statement]:
    if not side.wrong:
        return []
    found = [group for group in groups(side.rows) if group.outcome is Outcome.INCORRECT][:_ANSWERS]
    total = len(side.rows)
    lines = []
    for group in found:
        share = "" if side.is_part else f", {small_share(len(group.rows) / total)} %"  # shares of what was chosen mislead
        said = f" {len(group.rows):,} of {total:,} stored{share}"
        lines.append(
            Statement([[side.name, plain(" ✗ "), strong(group.answer or "?"), plain(said)]], "stored verdicts", group.rows)
        )
    for outcome, word in ((Outcome.NO_ANSWER, "∅ no answer"), (Outcome.ERROR, "‼ error")):
        rows = [row for row in side.rows if row.outcome is outcome]
        if rows:
            lines.append(Statement([[side.name, plain(f" {word} {len(rows):,} of {total:,} stored")]], "stored verdicts", rows))
    cut = [row for row in side.rows if row.finish is Finish.LENGTH]
    if cut:
        said = f" truncated {len(cut):,} of {total:,} stored: cut traces are no evidence of what the model cannot"
        lines.append(Statement([[side.name, (said, Tone.WARN)]], "length limit of the run", cut))
    return lines


def _near(session: Session, pair: Pair, problem: ProblemRow, side: Side) -> list[Statement]:
    """Wrong answers that another verdict or reading calls right, or whose text holds the reference: one unmakes a "never"."""
    if not side.wrong:
        if side.never and not side.rows:
            return [Statement([[side.name, plain(" counts only: no wrong answer to look at")]], "basebound import")]
        return []
    disputed = [row for row in side.wrong if row.disputed]
    tone = Tone.WARN if disputed else Tone.PLAIN
    said = f" {len(disputed):,} of {len(side.wrong):,} wrong answers are right by another verdict or reading"
    lines = [Statement([[side.name, (said, tone)]], "stored verdicts and readings", disputed)]
    if side.never:
        holding = _holding(session, pair, problem, side)
        tone = Tone.WARN if holding else Tone.PLAIN
        said = f" {len(holding):,} of {len(side.wrong):,} hold the reference in another box or at their end"
        lines.append(Statement([[side.name, (said, tone)]], "basebound verify --compare", holding))
    return lines


def _holding(session: Session, pair: Pair, problem: ProblemRow, side: Side) -> list[TraceRow]:
    from engine.disagreements import unread

    found = {
        one.sample_id for one in unread(session.study, pair.board, {(side.run.run_id, problem.problem_id)}, session.verifier)
    }
    return [row for row in side.wrong if row.sample_id in found]


def _paths(sides: Sequence[Side]) -> list[Statement]:
    taken = [{row.path for row in side.right if row.path is not None} for side in sides]
    if not any(taken):
        right = any(side.right for side in sides)
        return [Statement([[plain("unknown: nobody has looked for them")]], "basebound paths")] if right else []
    parts: list[Line] = [
        [side.name, plain(f" {counted(len(paths), 'path')}")] for side, paths in zip(sides, taken, strict=True)
    ]
    if len(taken) == 2:
        parts.append([plain(f"{len(taken[0] & taken[1])} in both")])
    return [Statement(parts, "basebound paths: surface clusters of right answers")]


def _lengths(side: Side) -> list[Statement]:
    parts: list[Line] = []
    for word, rows in (("right", side.right), ("wrong", side.wrong)):
        if rows:
            ordered = sorted(rows, key=_size)
            parts.append([plain(f"{word} {length(ordered[len(ordered) // 2])} in the middle of {len(rows):,}")])
    return [Statement([[side.name], *parts], "stored traces", sorted(side.rows, key=_size))] if parts else []


def _size(row: TraceRow) -> int:
    return row.tokens if row.tokens is not None else row.chars
