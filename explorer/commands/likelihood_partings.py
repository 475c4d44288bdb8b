"""Where a right path is left, in `basebound likelihood`: the step and token at which the model that did not draw a right trace
falls away from it most, of the problems that one run alone solves or of one problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import exp, isinf
from typing import TYPE_CHECKING, Any

from explorer.commands.likelihood_tables import words_of
from explorer.commands.tables import UNKNOWN_MARK
from explorer.commands.wrapping import command, middle, narrow, wrapped
from explorer.render.text import visible
from explorer.render.words import small_share

if TYPE_CHECKING:
    from engine.board import Board
    from engine.partings import PairPartings, ProblemPartings, TraceParting
    from store.reader import Study
    from store.rows import ProblemRow, RunRow

_TOKEN = 12
"""Most cells of a token."""


def left_paths(study: Study, found: PairPartings, base: RunRow, other: RunRow) -> str:
    """Both sides, a row for each problem, and the lines that bring what was not looked at."""
    from engine.partings import SIDES, lacking

    words = words_of(base, other)
    blocks = [_side(found, side, *pair) for side, pair in zip(SIDES, (words, words[::-1]), strict=True)]
    lines = "".join(map(command, lacking(study, found, base, other)))
    more = wrapped("what was not looked at has to be scored token by token by both models:") + lines if lines else ""
    return "\n".join(blocks) + more


def _side(found: PairPartings, side: str, drew: str, leaves: str) -> str:
    problems = [one for one in found.problems if one.side == side]
    title = f"where {leaves} leaves right paths of {drew} · problems that {drew} alone solves"
    title += "" if found.k is None else f" at k = {found.k}"
    if not problems:
        return wrapped(f"{title}: none")
    head = ("problem", "looked at", "fall", "at", "there is", f"{leaves} would say")
    rows = [_row(one, [trace for trace in found.traces if trace.side == side]) for one in problems]
    notes = (
        f"looked at: right traces of {drew} that both models have scored token by token, of all that are stored · fall: nats"
        f" that {leaves} loses at the step where it falls most, median over traces · at, there is, would say: the step and"
        " token where most of them fall, and how many do"
    )
    return wrapped(title) + narrow(head, rows, (0, 4, 5)) + wrapped(notes)


def _row(one: ProblemPartings, traces: Sequence[TraceParting]) -> list[str]:
    own = [trace for trace in traces if trace.link.key == one.problem.key]
    looked = f"{one.looked_at:,}/{one.right:,}"
    if not own:
        return [one.problem.key, looked, *[UNKNOWN_MARK] * 4]
    (step, place, _), times = Counter((trace.step, trace.place, trace.token) for trace in own).most_common(1)[0]
    there = min((trace for trace in own if (trace.step, trace.place) == (step, place)), key=lambda trace: trace.fall)
    return [one.problem.key, looked, nats(one.fall), f"#{step} {times:,}×", quoted(there.token), _rather(there)]


def of_traces(study: Study, found: PairPartings, base: RunRow, other: RunRow) -> str:
    """One problem's right traces of both runs, a row each, and the lines that score the others."""
    from engine.partings import SIDES, how_to_score

    words = words_of(base, other)
    text = ""
    for side, run, (drew, leaves) in zip(SIDES, (base, other), (words, words[::-1]), strict=True):
        (told,) = (one for one in found.problems if one.side == side)
        traces = [trace for trace in found.traces if trace.side == side]
        text += "\n" + wrapped(_looked_at(told, drew, leaves))
        if traces:
            head = ("sample", "fall", "step", "token", "own %", "other %", "there is", f"{leaves} would say")
            text += narrow(head, [_trace(trace) for trace in traces], (6, 7))
            text += wrapped(f"own %, other %: the token's chance under {drew}'s model and under {leaves}'s")
            text += wrapped(f"one in full: basebound likelihood DB --trace {traces[0].link}")
        if told.looked_at < told.right:
            query = f'problem:"{told.problem.key.replace(chr(34), 2 * chr(34))}" correct:yes'
            text += wrapped("the others have to be scored token by token by both models:")
            text += "".join(command(how_to_score(study, run, model, query)) for model in (base.model, other.model))
    return text


def _looked_at(told: ProblemPartings, drew: str, leaves: str) -> str:
    counts = f"{told.looked_at:,} of {told.right:,} stored right traces of {drew} are scored token by token by both models"
    return f"where {leaves} leaves right paths of {drew} · {counts}" + (
        f"; in {told.looked_at - told.falling:,} of these it falls nowhere" if told.looked_at > told.falling else ""
    )


def _trace(one: TraceParting) -> list[str]:
    chances = [small_share(exp(one.own)), small_share(exp(one.other))]
    return [
        f"{one.link.index}",
        nats(one.fall),
        f"#{one.step} of {one.steps}",
        f"{one.place + 1:,}",
        *chances,
        quoted(one.token),
        _rather(one),
    ]


def _rather(one: TraceParting) -> str:
    """The other model's first choice there."""
    if not one.fork_known:
        return UNKNOWN_MARK
    if one.fork is None:
        return "the same"
    said = UNKNOWN_MARK if one.choice is None else quoted(one.choice)
    return f"{said} {small_share(exp(one.fork.choices[0].logp))} %"


def quoted(text: str) -> str:
    """A token with its blanks, on one line; what brings no text says so."""
    return f"“{middle(visible(text[: 4 * _TOKEN].replace(chr(10), '⏎'), raw=True), _TOKEN)}”" if text else "no text"


def nats(value: float | None) -> str:
    return UNKNOWN_MARK if value is None else "-∞" if isinf(value) else f"{value:.2f}"


def document(study: Study, found: PairPartings, base: RunRow, other: RunRow) -> dict[str, Any]:
    """The same as JSON; a fall without end is "-inf", for null is unknown."""
    from engine.partings import lacking

    return {
        "k": found.k,
        "problems": [
            {"side": one.side, "problem": one.problem.key, "right": one.right, "looked_at": one.looked_at}
            | {"falling": one.falling, "at": one.at, "fall": _finite(one.fall)}
            for one in found.problems
        ],
        "traces": [_trace_document(one) for one in found.traces],
        "lacking": lacking(study, found, base, other),
    }


def _trace_document(one: TraceParting) -> dict[str, Any]:
    first = None if one.fork is None else one.fork.choices[0].logp
    where = {"step": one.step, "steps": one.steps, "token": one.place, "tokens": one.tokens, "text": one.token}
    falls = {"fall": _finite(one.fall), "share": one.share, "ratio": _finite(one.whole)}
    chances = {"own": _finite(one.own), "other": _finite(one.other)}
    rather = {"fork": one.fork is not None if one.fork_known else None, "choice": one.choice, "choice_logp": first}
    return {"side": one.side, "link": str(one.link), "truncated": one.truncated} | where | falls | chances | rather


def _finite(value: float | None) -> float | str | None:
    return ("-inf" if value < 0 else "inf") if value is not None and isinf(value) else value


def found_for(study: Study, board: Board, base: RunRow, other: RunRow, problem: ProblemRow | None) -> PairPartings:
    """Of one problem, or of the sets."""
    from engine.partings import pair_partings, problem_partings

    if problem is None:
        return pair_partings(study, board, base, other)
    return problem_partings(study, board, base, other, problem)
