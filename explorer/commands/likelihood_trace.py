"""One trace of `basebound likelihood DB --trace LINK`: where two models part along it, by step and at the forks that matter.

Per step: tokens, nats under the model that drew the trace (own) and under another, and the log-ratio, log p_other - log p_own,
with a bar for its size. Below stand the forks where the ratio is lowest: what is there, and what the other model would rather
have said. A trace that one model alone has gone through has that model's nats and forks. All of it is at temperature 1; sums of
the whole trace are exact, figures of steps and tokens have the precision of storage (store/token_scores.py).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from math import exp, inf, isinf
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len, set_cell_size

from explorer.commands.narration import Narrator
from explorer.commands.tables import UNKNOWN_MARK, how_drawn
from explorer.commands.wrapping import TABLE, narrow, wrapped
from explorer.render.text import one_line, shortened, visible
from explorer.render.words import counted, outcome, small_share
from store.errors import NotFound
from store.names import number_text, parse_link, revision_name

if TYPE_CHECKING:
    from engine.analyses.parting import Fork, Parting, StepParting
    from engine.partings import TraceSum, TraceTokens
    from engine.trace_support import TraceSupport
    from store.likelihoods import TokenScoreRow
    from store.reader import Study
    from store.rows import Trace
    from store.token_scores import Other
    from store.types import Model

FORKS: Final = 8
"""Most forks that are listed."""
_BAR: Final = 12
_WORDS: Final = 40
_TOKEN: Final = 14
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


def show_trace(
    study: Study, link: str, narrator: Narrator | None = None, *, other: str | None = None, as_json: bool = False
) -> int:
    """Write it to stdout. Raises NotFound where there is no such trace, or nobody has gone through it token by token.

    narrator: who tells what was left out; None for a new one, which complains on stderr like any other. other: the run whose
    model alone is held against the one that drew the trace; None for every one that has gone through it.
    """
    from engine.partings import how_to_score_trace, trace_sums, trace_tokens
    from engine.trace_support import trace_supports

    place = parse_link(link)
    trace = study.trace(study.find_sample(place))
    tokens = trace_tokens(study, trace.row.sample_id)
    if tokens is None:
        line = how_to_score_trace(study, trace.run, trace.link)
        raise NotFound(f"{trace.link} was not scored token by token; this does it: {line}")
    for model in tokens.elsewhere:
        left_out = f"{_name(model)} is left out: its scores are of other tokens than those of {_name(tokens.reference.scorer)}"
        (narrator or Narrator()).complain(left_out)
    rows = _held_against(study, trace, tokens, other)
    found = [(row, tokens.parting(tokens.reference if row is None else row)) for row in rows]
    sums, supports = trace_sums(study, trace.row.sample_id), trace_supports(study, trace.row.sample_id)
    if as_json:
        sys.stdout.write(json.dumps(_document(trace, tokens, sums, supports, found), indent=1) + "\n")
    else:
        told = "".join("\n" + _text(tokens, row, parting) for row, parting in found)
        sys.stdout.write(_head(trace, tokens, sums) + _nucleus(tokens, sums, supports) + told)
    return 0


def _held_against(study: Study, trace: Trace, tokens: TraceTokens, other: str | None) -> Sequence[TokenScoreRow | None]:
    """The rows to hold against the reference; [None] for that alone. Raises NotFound where the named one has no row."""
    from engine.partings import how_to_score_trace

    if other is None:
        return tokens.rows[1:] or [None]
    model = study.find_run(other, trace.run.benchmark).model
    row = next((row for row in tokens.rows if _is_one(row.scorer, model)), None)
    if row is None:
        line = how_to_score_trace(study, trace.run, trace.link)
        raise NotFound(f"{_name(model)} has not gone through {trace.link} token by token; this does it: {line}")
    return [None if row is tokens.reference else row]


def _head(trace: Trace, tokens: TraceTokens, sums: Sequence[TraceSum]) -> str:
    """The trace, how it was drawn, and the whole of it under every model."""
    from engine.analyses.perplexity import odds

    cut = " · ‼ truncated" if trace.row.finish.value == "length" else ""
    title = f"{trace.link} · {outcome(trace.row.outcome)[0]} · {counted(tokens.tokens, 'token')}{cut}"
    rows = [
        [
            _name(one.scorer) + (" (drew it)" if _drew(one.scorer, trace) else ""),
            "retokenized" if one.retokenized else "as generated",
            f"{one.tokens:,}",
            _nats(-inf if one.nats is None else one.nats),
            _nats(one.stop),
            odds(one.nats),
        ]
        for one in sums
    ]
    head = ["scored by", "ids", "tokens", "nats", "stop", "whole trace"]
    dtypes = ", ".join(sorted({one.dtype for one in sums}))
    legend = f"computed in {dtypes} · nats: log-probability of the whole trace · stop: the stop token's part of it"
    first = wrapped(title, *how_drawn([trace.run]).splitlines(), "the scores below are at T 1, top-p 1")
    return first + narrow(head, rows, (0, 1)) + wrapped(legend)


def _nucleus(tokens: TraceTokens, sums: Sequence[TraceSum], supports: Sequence[TraceSupport]) -> str:
    """For each model whether it could have drawn the trace at the run's decoding, and which tokens forbid it, where known."""
    places = [(row, found) for row in tokens.rows if (found := _forbidden(row, sums)) is not None]
    lines = [_from_sums(one, tokens, [found for row, found in places if _is_at(row, one)]) for one in supports]
    lines += [
        f"{_at(row.temperature, row.top_p, row.top_k)} {_name(row.scorer)} {_cannot_draw(tokens, found)}"
        for row, found in places
        if not any(_is_at(row, one) for one in supports)
    ]
    return wrapped(*lines) if lines else ""


def _from_sums(one: TraceSupport, tokens: TraceTokens, places: Sequence[Sequence[int]]) -> str:
    """places: the tokens that forbid it, one list where they are known."""
    if places and bool(places[0]) is not one.inside:
        said = _cannot_draw(tokens, places[0])
    elif one.inside:
        said = "can draw it"
    else:
        many = f"{one.outside:,} of {counted(one.tokens, 'token')}"
        said = f"cannot draw {many} (it was not scored token by token)"
    anew = ", tokenized anew" if one.retokenized else ""
    return f"{_at(one.temperature, one.top_p, one.top_k)} {_name(one.scorer)} {said}{anew}"


def _cannot_draw(tokens: TraceTokens, places: Sequence[int]) -> str:
    if not places:
        return "can draw it"
    listed = ", ".join(f"{place + 1} {_quoted(tokens.text(place))}" for place in places[:FORKS])
    more = ", …" if len(places) > FORKS else ""
    return f"cannot draw {len(places):,} of {counted(tokens.tokens, 'token')}: {listed}{more}"


def _at(temperature: float, top_p: float, top_k: int) -> str:
    return f"at T {number_text(temperature)}, top-p {number_text(top_p)}" + (f", top-k {top_k}" if top_k else "")


def _is_at(row: TokenScoreRow, one: TraceSupport) -> bool:
    same = (row.temperature, row.top_p, row.top_k) == (one.temperature, one.top_p, one.top_k)
    return same and _is_one(row.scorer, one.scorer)


def _is_one(model: Model, other: Model) -> bool:
    return (model.name, model.revision) == (other.name, other.revision)


def _forbidden(row: TokenScoreRow, sums: Sequence[TraceSum]) -> list[int] | None:
    from engine.partings import forbidden

    dtypes = [one.dtype for one in sums if (one.scorer.name, one.scorer.revision) == (row.scorer.name, row.scorer.revision)]
    return forbidden(row, dtypes[0]) if dtypes else None


def _text(tokens: TraceTokens, row: TokenScoreRow | None, parting: Parting) -> str:
    """Steps and forks under own (or what stands in for it) and one other model, or under one model alone."""
    name = _name(tokens.reference.scorer)
    if row is None:
        title = f"{name} alone · nats by step, a bar for their size"
    else:
        drawn = "" if tokens.own is not None else " (neither drew it)"
        said = "ratio: log p_other − log p_own in nats; █ the other falls away, ░ it rises"
        title = f"own: {name} · other: {_name(row.scorer)}{drawn} · {said}"
    return wrapped(title) + _steps(tokens, parting) + "\n" + _forks(tokens, parting)


def _steps(tokens: TraceTokens, parting: Parting) -> str:
    if not parting.steps:
        return wrapped("its tokens read otherwise than its text, so nobody can say which step each belongs to")
    sizes = [_size(step) for step in parting.steps]
    largest = max((abs(size) for size in sizes if size is not None and not isinf(size)), default=0.0)
    words = [_first_words(tokens, step) for step in parting.steps]
    rows = [
        [f"#{step.step}", begins, f"{step.tokens:,}", *_figures(step), _bar(size, largest)]
        for step, size, begins in zip(parting.steps, sizes, words, strict=True)
    ]
    figures = ["nats"] if parting.ratio is None else ["own", "other", "ratio"]
    return narrow(["step", "begins", "tokens", *figures, " " * _BAR], rows, (0, 1))


def _size(step: StepParting) -> float | None:
    return step.own if step.other is None else step.ratio


def _figures(step: StepParting) -> list[str]:
    return [_nats(step.own)] if step.other is None else [_nats(step.own), _nats(step.other), _signed(step.ratio)]


def _first_words(tokens: TraceTokens, step: StepParting) -> str:
    bounds = [*tokens.steps, len(tokens.response)]
    return shortened(tokens.response[bounds[step.step - 1] : bounds[step.step]].strip(), _WORDS) if tokens.steps else ""


def _bar(size: float | None, largest: float) -> str:
    """As long as the step's share of the largest; full where it has no end. A fall is solid, a rise is not."""
    if size is None:
        return UNKNOWN_MARK.ljust(_BAR)
    if isinf(size):
        return ("█" if size < 0 else "░") * _BAR
    eighths = round(8 * _BAR * abs(size) / largest) if largest else 0
    if size > 0:
        return ("░" * -(-eighths // 8)).ljust(_BAR)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()).ljust(_BAR)


def _forks(tokens: TraceTokens, parting: Parting) -> str:
    if not parting.forks_known:
        return "forks are unknown: this scorer tells log-probabilities alone\n"
    if not parting.forks:
        return "no forks: every token is the scorer's first choice\n"
    listed = parting.decisive(FORKS)
    alone = parting.ratio is None
    figures = ["has"] if alone else ["own %", "other %", "ratio", "leaves"]
    rows = [
        [
            f"{fork.place + 1:,}",
            _quoted(tokens.text(fork.place)),
            UNKNOWN_MARK if fork.step is None else f"#{fork.step}",
            *(
                [_share(fork.taken)]
                if alone or fork.own is None
                else [_share(fork.own), _share(fork.taken), _signed(fork.ratio)]
            ),
            *([] if alone else [_who(fork)]),
        ]
        for fork in listed
    ]
    head = ["token", "there is", "step", *figures]
    used = [max(map(cell_len, column)) for column in zip(head, *rows, strict=True)]
    room = TABLE - sum(used) - 2 * len(used)
    whole = [[*row, _choices(fork.choices, tokens, room)] for row, fork in zip(rows, listed, strict=True)]
    of = f"{len(listed)} of " if len(listed) < len(parting.forks) else ""
    title = f"{of}{counted(len(parting.forks), 'fork')} of {counted(tokens.tokens, 'token')}: there is another first choice"
    return wrapped(title + ", the lowest first") + narrow([*head, "would rather say"], whole, (0, 1, len(head)))


def _who(fork: Fork) -> str:
    """Whether the model that drew it would rather have left as well."""
    return UNKNOWN_MARK if fork.own_leaves is None else "both" if fork.own_leaves else "only other"


def _choices(choices: Sequence[Other], tokens: TraceTokens, room: int) -> str:
    """As many as there is room for, one at least."""
    said = [f"{_quoted(tokens.pieces.get(one.token_id))} {_share(one.logp)} %" for one in choices]
    while len(said) > 1 and cell_len("  ".join(said)) > room:
        said.pop()
    return "  ".join(said)


def _share(logp: float) -> str:
    return small_share(exp(logp))


def _quoted(text: str | None) -> str:
    """A token with its blanks; what brings no text says so, and what nobody knows."""
    if text is None:
        return UNKNOWN_MARK
    said = visible(text[: 2 * _TOKEN].replace("\n", "⏎"), raw=True)
    return f"“{said if cell_len(said) <= _TOKEN else set_cell_size(said, _TOKEN - 1).rstrip() + '…'}”" if text else "no text"


def _nats(value: float | None) -> str:
    return UNKNOWN_MARK if value is None else "-∞" if value == -inf else f"{round(value, 2) + 0.0:.2f}"


def _signed(value: float | None) -> str:
    return UNKNOWN_MARK if value is None else ("-∞" if value < 0 else "+∞") if isinf(value) else f"{round(value, 2) + 0.0:+.2f}"


def _name(model: Model) -> str:
    return one_line(f"{model.name.rstrip('/').rsplit('/', 1)[-1]} {revision_name(model)}")


def _drew(model: Model, trace: Trace) -> bool:
    return _is_one(model, trace.run.model)


def _document(
    trace: Trace,
    tokens: TraceTokens,
    sums: Sequence[TraceSum],
    supports: Sequence[TraceSupport],
    found: Sequence[tuple[TokenScoreRow | None, Parting]],
) -> dict[str, Any]:
    return {
        "schema": 1,
        "link": str(trace.link),
        "tokens": tokens.tokens,
        "temperature": 1,
        "top_p": 1,
        "truncated": trace.row.finish.value == "length",
        "whole": [_sum(one, trace) for one in sums],
        "draws": [_draws(one) for one in supports],
        "cannot_draw": [_cannot(row, sums) for row in tokens.rows],
        "partings": [_parting(tokens, row, parting) for row, parting in found],
    }


def _sum(one: TraceSum, trace: Trace) -> dict[str, Any]:
    from engine.analyses.perplexity import odds

    told = {"scorer": one.scorer.name, "revision": one.scorer.revision, "drew_it": _drew(one.scorer, trace)}
    rest = {"nats": one.nats, "stop_nats": one.stop, "odds": odds(one.nats), "retokenized": one.retokenized, "dtype": one.dtype}
    return told | {"tokens": one.tokens} | rest


def _draws(one: TraceSupport) -> dict[str, Any]:
    told = {"scorer": one.scorer.name, "revision": one.scorer.revision, "can_draw": one.inside, "outside": one.outside}
    decoding = {"temperature": one.temperature, "top_p": one.top_p, "top_k": one.top_k}
    return told | decoding | {"edge": one.edge, "retokenized": one.retokenized}


def _cannot(row: TokenScoreRow, sums: Sequence[TraceSum]) -> dict[str, Any]:
    decoding = {"temperature": row.temperature, "top_p": row.top_p, "top_k": row.top_k}
    return _scorer(row) | decoding | {"places": _forbidden(row, sums)}


def _scorer(row: TokenScoreRow) -> dict[str, Any]:
    return {"scorer": row.scorer.name, "revision": row.scorer.revision}


def _parting(tokens: TraceTokens, row: TokenScoreRow | None, parting: Parting) -> dict[str, Any]:
    return {
        "own": _scorer(tokens.reference),
        "drew_it": tokens.own is not None,
        "other": None if row is None else _scorer(row),
        "ratio": _finite(parting.whole),
        "steps": [{name: _finite(value) for name, value in asdict(step).items()} for step in parting.steps],
        "forks": [_fork(tokens, fork) for fork in parting.forks] if parting.forks_known else None,
    }


def _fork(tokens: TraceTokens, fork: Fork) -> dict[str, Any]:
    choices = [{"text": tokens.pieces.get(one.token_id), "id": one.token_id, "logp": one.logp} for one in fork.choices]
    told = {"place": fork.place, "step": fork.step, "text": tokens.text(fork.place), "own": fork.own, "taken": fork.taken}
    return {name: _finite(value) for name, value in told.items()} | {"own_leaves": fork.own_leaves, "choices": choices}


def _finite(value: Any) -> Any:
    """JSON has no infinities: they are said in words."""
    return ("-inf" if value < 0 else "inf") if isinstance(value, float) and isinf(value) else value
