"""What likelihoods say of why a problem is in its set: where the model that does not solve it leaves the path of the one that
does, how probable the right answers are under both models, and what each one's right answers say of the other's chance.

For a worker. What nobody has measured is one line with the command that brings it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp, inf, log
from statistics import median
from typing import TYPE_CHECKING, Final

from explorer.model.session import Pair, Session
from explorer.model.why_values import Side, Statement
from explorer.render.pieces import Line, Piece, Tone, dim, plain, strong
from explorer.render.text import one_line
from explorer.render.words import NONE, counted, rate, scorer
from store.reader import Study
from store.rows import ProblemRow, ScoreRow

if TYPE_CHECKING:
    from engine.analyses.recovery import Recovery
    from engine.partings import PairPartings, ProblemPartings, TraceParting

_SCORED_AT_MOST: Final = 60
"""Right answers whose likelihoods are looked up."""
_TOKEN_CHARS: Final = 24

_BY: Final = """
SELECT DISTINCT name, revision FROM likelihood JOIN sample USING (sample_id) JOIN model ON model_id = scorer_id
WHERE run_id = ? AND problem_id = ?
"""


def likelihood(session: Session, pair: Pair, problem: ProblemRow, sides: Sequence[Side]) -> list[Statement]:
    """Raises StudyError where the study cannot be read."""
    scores = [line for side in sides for line in _scores(session, side, sides)]
    if pair.other is None:
        return scores
    with session.apart() as study:
        by = {side.word: set(study.query(_BY, (side.run.run_id, problem.problem_id))) for side in sides if side.right}
        if not any(by.values()):
            return scores
        return [*_partings(study, pair, problem, sides), *scores, *_recoveries(study, pair, problem, sides, by)]


def _scores(session: Session, side: Side, sides: Sequence[Side]) -> list[Statement]:
    """Perplexity of right answers under each of the two models that scored them, and in how many some token was out of reach;
    of other models, how many there are."""
    right = side.right[:_SCORED_AT_MOST]
    if not right:
        return []
    by_scorer: dict[tuple[str, int | None], list[ScoreRow]] = {}
    for row in right:
        for score in session.trace(row.sample_id).scores:
            by_scorer.setdefault((score.scorer, score.step), []).append(score)
    if not by_scorer:
        return [Statement([[side.name, plain(" unknown: no model has scored them")]], "basebound score --scorer M --of RUN")]
    judges = {(of.run.model.name, of.run.model.step): of for of in sides}
    told = [_scored(side, judges[key].name, by_scorer[key], len(right)) for key in judges if key in by_scorer]
    others = {scorer(values[0]): values for key, values in by_scorer.items() if key not in judges}
    if not told:
        return [_scored(side, plain(name), values, len(right)) for name, values in others.items()]
    return [*told, *([_by_others(side, others)] if others else [])]


def _by_others(side: Side, others: Mapping[str, Sequence[ScoreRow]]) -> Statement:
    """One line for models that are not compared here."""
    said = []
    for name, scores in others.items():
        found = [one.perplexity for one in scores if one.perplexity is not None]
        said.append(f"{name} {median(found):.3f}" if found else f"{name} {NONE}")
    return Statement([[side.name, dim(f" under others, PPL in the middle: {', '.join(said)}")]], "basebound score, PPL at T 1")


def _scored(side: Side, name: Piece, scores: Sequence[ScoreRow], right: int) -> Statement:
    from engine.analyses.perplexity import odds

    perplexities = [one.perplexity for one in scores if one.perplexity is not None]
    nats = [one.nats for one in scores if one.nats is not None]
    outside = [one.outside for one in scores if one.outside is not None]
    who: list[Piece] = [side.name, dim(" under "), name]
    parts: list[Line] = [who]
    if perplexities:
        said = f" in the middle of {len(perplexities)}, {min(perplexities):.3f} to {max(perplexities):.3f}"
        who += [plain(" PPL "), strong(f"{median(perplexities):.3f}"), plain(said)]
    if nats:
        parts.append([plain("a whole one "), strong(odds(median(nats))), plain(" in the middle")])
    if outside:
        never = sum(number > 0 for number in outside)
        parts.append([(f"{never} of {len(outside)} hold a token it could never draw", Tone.WARN if never else Tone.PLAIN)])
    if anew := sum(one.retokenized for one in scores):
        parts.append([(f"{anew} tokenized anew", Tone.WARN)])
    first = f", the first {right}" if right == _SCORED_AT_MOST < len(side.right) else ""
    return Statement(parts, f"basebound score, PPL at T 1{first}")


def _partings(study: Study, pair: Pair, problem: ProblemRow, sides: Sequence[Side]) -> list[Statement]:
    """Where the model that does not solve it leaves right traces; nothing where both solve it, or neither."""
    from engine.likelihoods import is_asked
    from engine.partings import SIDES, lacking, pair_partings

    base, other = pair.runs
    asked = all(is_asked(study, run) for run in pair.runs)
    alone = replace(pair.board, problems=tuple(one for one in pair.board.problems if one.problem_id == problem.problem_id))
    found = pair_partings(study, alone, base, other)
    told: list[Statement] = []
    for name, side, leaving in zip(SIDES, sides, reversed(sides), strict=True):
        for of in found.problems:
            if of.side == name and of.looked_at:
                told += _left(side, leaving, found, of)
            elif of.side == name and of.right and asked:
                said = [leaving.name, plain(f" where it leaves right answers of {side.word}: unknown, token by token")]
                told.append(Statement([said], next(iter(lacking(study, found, base, other)), "basebound score --tokens")))
    return told


def _left(side: Side, leaving: Side, found: PairPartings, looked: ProblemPartings) -> list[Statement]:
    """The step at which most traces are left, and what stands there."""
    rows = list(found.traces)
    of = f"{counted(looked.looked_at, 'right answer')} of {side.word}"
    source = "basebound score --tokens, log-ratio at T 1"
    if not rows:
        return [Statement([[leaving.name, plain(f" falls away at no step of {of}")]], source)]
    ((step, number),) = Counter(row.step for row in rows).most_common(1)
    there = [row for row in rows if row.step == step]
    fall = median(row.fall for row in there)
    steps = sorted({row.steps for row in there})
    many = f"{steps[0]}" if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"
    first = [leaving.name, plain(" falls most at "), strong(f"step {step} of {many}"), plain(f" in {number} of {of}")]
    ids = {row.sample_id for row in there}
    traces = [row for row in side.rows if row.sample_id in ids]
    parts: list[Line] = [first, _token(min(there, key=lambda row: row.fall)), [(f"{_nats(fall)} in the middle", Tone.WARN)]]
    if looked.looked_at < looked.right:
        parts.append([dim(f"{looked.looked_at:,} of {looked.right:,} are scored token by token")])
    return [Statement(parts, source, traces)]


def _nats(value: float) -> str:
    return "out of its reach" if value == -inf else f"{value:+.1f} nats"


def _token(row: TraceParting) -> Line:
    """The token where it falls most, with both probabilities, and what the other model would rather say."""
    at = [plain("most at "), strong(_read(row.token)), plain(f" ({_probability(row.own)}, there {_probability(row.other)})")]
    if not row.fork_known:
        return at
    if row.fork is None:
        return [*at, plain(", its first choice as well")]
    rather = "a token that nobody has stored" if row.choice is None else _read(row.choice)
    return [*at, plain(", where it would rather say "), strong(rather), plain(f" ({_probability(row.fork.choices[0].logp)})")]


def _read(token: str) -> str:
    """A token as one may read it: on one line, its ends seen."""
    told = one_line(token)
    return f"“{told if len(told) <= _TOKEN_CHARS else told[: _TOKEN_CHARS - 1] + '…'}”"


def _probability(nats: float) -> str:
    from engine.analyses.perplexity import odds

    return "0 %" if nats == -inf else rate(exp(nats)) if nats > -7 else odds(nats)


def _recoveries(
    study: Study, pair: Pair, problem: ProblemRow, sides: Sequence[Side], by: Mapping[str, set[tuple[object, ...]]]
) -> list[Statement]:
    """What each run's right answers say of the other's chance, where both models have scored them at their decoding.

    by: of each run with right answers, the models that have scored some of its traces of the problem.
    """
    from engine.likelihoods import is_asked, read_pair

    lacking = [
        Statement([[side.name, plain(f" under {judge.word}: unknown")]], "basebound score --scorer M --of RUN")
        for side in sides
        for judge in sides
        if by.get(side.word) and (judge.run.model.name, judge.run.model.revision) not in by[side.word]
        if is_asked(study, judge.run)
    ]
    scored = [side for side in sides if len(by.get(side.word, ())) > 1]
    if not scored:
        return lacking
    base, other = pair.runs
    alone = replace(pair.board, problems=tuple(one for one in pair.board.problems if one.problem_id == problem.problem_id))
    found = read_pair(study, alone, base, other)
    if found.no_recovery:
        said = f"chance by each other's right answers unknown: {one_line(found.no_recovery)}"
        return [*lacking, Statement([[dim(said)]], _WAY)]
    judged: list[tuple[Side, Side, Mapping[int, Recovery]]] = [
        (sides[0], sides[1], found.recovery), (sides[1], sides[0], found.recovery_back)
    ]  # fmt: skip
    return lacking + [
        _recovered(side, drawn, of[problem.problem_id])
        for side, drawn, of in judged
        if drawn in scored and problem.problem_id in of
    ]


_WAY: Final = "basebound likelihood"


def _recovered(side: Side, drawn: Side, found: Recovery) -> Statement:
    said = [side.name, plain(f" chance of it, by right answers of {drawn.word}")]
    if found.floor is None:
        return Statement([[*said, plain(f": unknown, {one_line(found.why or '')}")]], _WAY)
    different = counted(found.distinct, "different trace")
    if not found.drawable:
        return Statement([[*said, plain(": "), (f"it can draw none of the {different} as it stands", Tone.WARN)]], _WAY)
    of = different if found.drawable == found.distinct else f"{found.drawable} of {different}"
    parts: list[Line] = [[*said, plain(": "), strong(f"at least {_share(found.floor)}"), plain(f" from {of}")]]
    if (weighted := found.importance) is not None:
        spread = f"{_share(weighted.value)} ± {_share(weighted.error)} by importance sampling"
        tone = Tone.PLAIN if weighted.warning is None else Tone.WARN
        doubt = f", which means little: {weighted.warning}" if weighted.warning else f", ESS {weighted.effective:.0f}"
        parts.append([(spread + doubt, tone)])
    if found.direct is not None:
        own = found.direct
        parts.append([plain(f"its own {own.correct:,} of {own.n:,}: {rate(own.low)} to {rate(own.high)}")])
    return Statement(parts, _WAY)


def _share(value: float) -> str:
    """A probability in percent, or as odds where it is tiny."""
    from engine.analyses.perplexity import odds

    return "0 %" if value <= 0 else rate(value) if value >= 1e-5 else odds(log(value))
