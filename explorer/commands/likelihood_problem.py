"""`basebound likelihood DB --problem KEY`: what two models say of two runs' responses to it, and where they part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.commands.likelihood_partings import of_traces
from explorer.commands.likelihood_recovery import recovery
from explorer.commands.likelihood_tables import figure, heading, named, words_of
from explorer.commands.tables import UNKNOWN_MARK
from explorer.commands.wrapping import narrow, wrapped

if TYPE_CHECKING:
    from engine.analyses.perplexity import OfProblem, Perplexity
    from engine.analyses.support import Support
    from engine.board import Board
    from engine.likelihoods import PairLikelihoods
    from engine.partings import PairPartings
    from store.reader import Study
    from store.rows import ProblemRow


def problem_text(study: Study, board: Board, pair: PairLikelihoods, problem: ProblemRow, found: PairPartings) -> str:
    """All that is known of the problem."""
    blocks = [_figures(pair, problem), _percentile(pair, problem), *_recoveries(pair, problem)]
    told = "".join(f"\n{block}" for block in blocks if block) or "\n" + wrapped("neither model has scored responses to it")
    return heading(board, pair) + wrapped(f"problem {problem.key}") + told + of_traces(study, found, pair.base, pair.other)


def _figures(pair: PairLikelihoods, problem: ProblemRow) -> str:
    found = named(pair, pair.base_on_base, pair.base_on_other, pair.other_on_other, pair.other_on_base)
    inside = dict(named(pair, pair.null, pair.support, pair.null_back, pair.support_back))
    rows = [
        [name, *_parts(one), _inside(inside.get(name), problem)]
        for name, perplexity in found
        if (one := _of(perplexity, problem)) is not None
    ]
    if not rows:
        return ""
    title = "perplexity at T 1 · median of the responses' own, pooled: all nats over all tokens"
    legend = "inside: responses with every token in the nucleus at the run's decoding, of all"
    head = ("", "scored", "median", "pooled", "correct", "median", "pooled", "inside")
    return wrapped(title) + narrow(head, rows) + wrapped(legend + ("" if not pair.no_support else f"; {pair.no_support}"))


def _of(perplexity: Perplexity, problem: ProblemRow) -> OfProblem | None:
    return next((one for one in perplexity.problems if one.problem_id == problem.problem_id), None)


def _parts(one: OfProblem) -> list[str]:
    return [
        cell for part in (one.every, one.correct) for cell in (f"{part.responses:,}", figure(part.median), figure(part.pooled))
    ]


def _inside(found: Support | None, problem: ProblemRow) -> str:
    if found is None or problem.problem_id not in found.problems:
        return UNKNOWN_MARK
    held, responses = found.problems[problem.problem_id]
    return f"{held:,}/{responses:,}"


def _percentile(pair: PairLikelihoods, problem: ProblemRow) -> str:
    found = None if pair.percentiles is None else pair.percentiles.problems.get(problem.problem_id)
    if found is None:
        return ""
    base, other = words_of(pair.base, pair.other)
    return wrapped(f"percentile of {other}'s responses among {base}'s own, by nats a token under {base}'s model: {found:.1f}")


def _recoveries(pair: PairLikelihoods, problem: ProblemRow) -> list[str]:
    if pair.no_recovery:
        return [wrapped(f"recovery: nothing to tell, for {pair.no_recovery}")]
    base, other = words_of(pair.base, pair.other)
    directions = ((base, other, pair.recovery), (other, base, pair.recovery_back))
    return [
        recovery(judged, drawn, [(problem.key, found[problem.problem_id])], "this problem")
        for judged, drawn, found in directions
        if problem.problem_id in found
    ]
