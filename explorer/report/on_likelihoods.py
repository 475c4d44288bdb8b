"""What the report says of likelihoods: perplexities, whether a model can draw the other's traces, what one run's right answers
say of the other's chance, and where a model leaves the path of the one that solves a problem.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import exp, inf
from typing import Final

from engine.analyses.perplexity import Part, odds
from engine.analyses.recovery import Recovery
from engine.analyses.support import Support
from engine.fair import Used
from engine.likelihoods import PairLikelihoods, scored_partly
from explorer.render.words import counted
from explorer.report import figures, likelihood_figures
from explorer.report.document import Block, Grid, Picture, Points, Prose
from explorer.report.material import BenchmarkPart, PartingPart, PerplexityPart
from explorer.report.wording import (
    LEVEL_WORDS,
    UNKNOWN_MARK,
    chance,
    figure_name,
    in_file,
    percent,
    plain,
    problems,
    ratio,
    settings,
    token,
    whole,
)
from store.rows import RunRow

MOST_PARTINGS: Final = 40
"""In the document; partings.csv has all."""
MOST_STEPS: Final = 16
"""Of a strip."""
_TOKEN_CHARS: Final = 24
_FOLDED_FROM: Final = 16


def perplexity(part: BenchmarkPart) -> Iterator[Block]:
    """What models think of the stored responses."""
    made = settings(list(dict.fromkeys(one.run for one in part.perplexities)), part.board.verifier)
    made = f"{_used([(one.run, one.used) for one in part.perplexities])} · {made}"
    yield Picture(
        figure_name(part.board.benchmark, "perplexity"),
        figures.perplexity(part.perplexities),
        "Perplexity of the stored responses",
        "Of each run's responses under each model that scored them, at temperature 1: median, quartiles, and the middle 90 %."
        " Blue circles: under a base model. Hollow: the median of the correct ones.",
        made,
        "; ".join(f"{one.run.name} under {one.scorer}: median {one.found.median:.3f}" for one in part.perplexities),
    )
    header = ["responses of", "under", "responses", "median", "of correct ones", "of incorrect ones", "without stop token"]
    header += ["whole trace", "supported\u00a0%"]
    note = (
        "At temperature 1; pooled: exp of all nats over all tokens. Whole trace: the probability of all of a response, the"
        " median; a mean over tokens says nothing of the one that decides. Supported: every token lies in the scorer's own"
        " top-p set at the run's decoding. A response without an answer is neither correct nor incorrect."
        f" {_arithmetic(part.perplexities)} {made}"
    )
    if partly := list(dict.fromkeys(told for one in part.perplexities for told in scored_partly(one.run, one.used))):
        yield Points(partly, warns=True)
    yield Grid("Perplexity", header, [_perplexity(one) for one in part.perplexities], note, left=2)


def _used(found: Iterable[tuple[RunRow, Used]]) -> str:
    """Which responses a table or figure is made of; where runs differ, of which run what."""
    runs = dict(found)
    words = dict.fromkeys(used.words for used in runs.values())
    if len(words) == 1:
        return f"of {next(iter(words))}"
    return "; ".join(f"of {word} of {', '.join(run.name for run in runs if runs[run].words == word)}" for word in words)


def _arithmetic(found: Sequence[PerplexityPart]) -> str:
    dtypes = sorted({dtype for one in found for dtype in one.found.dtypes})
    return f"Computed in {' and '.join(dtypes)}." if dtypes else ""


def _perplexity(one: PerplexityPart) -> list[str]:
    found = one.found
    odd = [f"{number:,} {word}" for number, word in ((found.truncated, "truncated"), (found.retokenized, "tokenized anew"))]
    without = found.no_stop
    return [
        one.run.name,
        one.scorer,
        "\n".join([whole(found.responses), *(told for told in odd if not told.startswith("0 "))]),
        f"{ratio(found.median)}\npooled {ratio(found.pooled)}",
        _of(found.correct),
        _of(found.incorrect),
        f"{ratio(without.median)}\npooled {ratio(without.pooled)}",
        UNKNOWN_MARK if found.nats is None else odds(found.nats),
        percent(found.supported),
    ]


def _of(part: Part) -> str:
    return f"{ratio(part.median)}\nof {part.responses:,}"


def blocks(part: BenchmarkPart) -> Iterator[Block]:
    """Of every pair of which something was scored."""
    drawn = settings(_runs(part), part.board.verifier)
    used = {run: one.found.used[run.run_id] for one in part.likelihoods for run in (one.found.base, one.found.other)}
    made = f"{_used(used.items())} · {drawn}"
    if missing := list(_missing(part)):
        yield Points(missing)
    yield from _support(part, made)
    yield from _recovery(part, f"floor: of all stored right traces; importance sampling: of the draws named · {drawn}")
    yield from _partings(part, drawn)


def _runs(part: BenchmarkPart) -> list[RunRow]:
    return list(dict.fromkeys(run for one in part.likelihoods for run in (one.found.base, one.found.other)))


def _missing(part: BenchmarkPart) -> Iterator[str]:
    told = dict.fromkeys(
        (scorer.name, run.slug, run.run_id in one.found.anew) for one in part.likelihoods for scorer, run in one.found.missing
    )
    for name, slug, anew in told:
        more = " --retokenize" if anew else ""
        yield f"{name} has not scored the responses of {slug}; `basebound score --scorer DIR --of {slug}{more}` does."
    yield from (f"{note}." for note in dict.fromkeys(note for one in part.likelihoods for note in one.found.notes))


def _support(part: BenchmarkPart, made: str) -> Iterator[Block]:
    rows = [row for one in part.likelihoods for row in _supports(one.found)]
    if rows:
        header = [
            "traces of",
            "under",
            "traces",
            "inside\u00a0%",
            "of correct ones\u00a0%",
            "its own\u00a0%",
            "outside, tokens",
        ]
        header += ["margin", "percentile"]
        note = (
            "Inside: every token lies in the model's nucleus at the decoding the trace was drawn with, so that it can draw that"
            " very trace. Its own: the same of the model's own traces, scored again: what is missing there from 100 % is"
            " rounding. Outside, tokens: of a trace that is not inside, the mean. Margin: how far a mass may be off by the"
            f" arithmetic. Percentile, with its {LEVEL_WORDS} interval: where the traces lie among base's own by perplexity, 0"
            f" to 100, 50 like base's own; mean over problems. {made}"
        )
        yield Grid("Can one model draw the other's traces?", header, rows, note, left=2)


def _supports(found: PairLikelihoods) -> Iterator[list[str]]:
    sides = (
        (found.other, found.base, found.support, found.null, found.percentiles),
        (found.base, found.other, found.support_back, found.null_back, None),
    )
    for drawn, judge, of, null, among in sides:
        if of is not None or among is not None:
            yield [
                drawn.name, judge.name, *_inside(of), percent(None if null is None else null.share),
                UNKNOWN_MARK if of is None or of.forbidding is None else f"{of.forbidding:.1f}",
                UNKNOWN_MARK if of is None else f"{plain(of.margin)}\n{', '.join(of.dtypes)}",
                UNKNOWN_MARK if among is None else
                f"{among.mean:.1f}\n{among.interval.low:.1f} to {among.interval.high:.1f}",
            ]  # fmt: skip


def _inside(of: Support | None) -> list[str]:
    if of is None:
        return [UNKNOWN_MARK] * 3
    near = f"\n{of.near:,} hang on the margin" if of.near else ""
    return [whole(of.responses), f"{percent(of.share)}{near}", percent(of.correct_share)]


def _recovery(part: BenchmarkPart, made: str) -> Iterator[Block]:
    for why in dict.fromkeys(one.found.no_recovery for one in part.likelihoods if one.found.no_recovery):
        yield Prose(f"No recovery of a problem can be told of some pairs: {why}.")
    told = [one for one in part.likelihoods if any(of.floor is not None for of in one.found.recovery.values())]
    if not told:
        return
    shown = max(told, key=lambda one: (len(one.sets), sum(of.floor is not None for of in one.found.recovery.values())))
    keys = {problem.problem_id: problem.key for problem in part.board.problems}
    yield Picture(
        figure_name(part.board.benchmark, "recovery"),
        likelihood_figures.recovery(shown.found, keys),
        f"What right answers of {shown.found.other.name} say of base's chance",
        f"Line: {LEVEL_WORDS} limits of base's own rate; triangle: the floor, base's probability of the different right traces"
        " together; square: the importance-sampling bound, hollow where few weights decide. By ratios; a floor below a"
        " millionth stands at the left end.",
        made,
        f"Recovery of {problems(len(shown.found.recovery))}; the numbers: {in_file('recovery')}.",
    )
    rows = [
        [keys[problem_id], judged.name, drawn.name, one.sets.get(keys[problem_id], "both, or neither"), *_bounds(of)]
        for one in told
        for judged, drawn, every in (
            (one.found.base, one.found.other, one.found.recovery),
            (one.found.other, one.found.base, one.found.recovery_back),
        )
        for problem_id, of in every.items()
        if of.floor is not None and keys[problem_id] in one.sets
    ]
    header = [
        "problem",
        "chance of",
        "by right answers of",
        "solved by",
        "its own c/n",
        "floor",
        "by importance sampling",
        "effective n",
        "of right",
    ]
    note = (
        "The chance that a model solves a problem, from right answers of the other one, at the decoding both share: the floor"
        " is its probability of the different right traces together, and certain; importance sampling estimates what of its"
        f" chance the other model can emit, a lower bound. Problems that one of a pair alone solves; all:"
        f" {in_file('recovery')}. {made}"
    )
    if rows:
        yield Grid("Recovery of problems at the boundary", header, rows, note, left=4, folded=len(rows) > _FOLDED_FROM)


def _bounds(of: Recovery) -> list[str]:
    own, found = of.direct, of.importance
    return [
        UNKNOWN_MARK if own is None else f"{own.correct:,}/{own.n:,}\n{chance(own.low)} to {chance(own.high)}",
        f"{chance(of.floor)}\n{_drawable(of)}",
        of.why or UNKNOWN_MARK
        if found is None
        else (f"{chance(found.value)} ± {chance(found.error)}" if found.effective else chance(found.value))
        + (f"\n{found.warning}" if found.warning else ""),
        UNKNOWN_MARK if found is None or not found.effective else f"{found.effective:.1f}",
        UNKNOWN_MARK if found is None else f"{found.correct:,}\nin {'all' if found.whole else 'the first'} {found.n:,} draws",
    ]


def _drawable(of: Recovery) -> str:
    if of.floor is None:
        return "no right trace scored"
    return f"{of.drawable:,} of {counted(of.distinct, 'different trace')}{'' if of.drawable else ': none can be drawn'}"


def _partings(part: BenchmarkPart, made: str) -> Iterator[Block]:
    rows = [row for one in part.likelihoods for row in one.partings if row.ratios]
    looked_at = [of for one in part.likelihoods for of in one.looked_at if of.looked_at]
    if not looked_at:
        return
    traces, right = sum(of.looked_at for of in looked_at), sum(of.right for of in looked_at)
    note = (
        f"Right traces of problems that one of a pair alone solves, token by token under both models ({traces:,} of {right:,}"
        f" were, of {problems(len(looked_at))}; of each problem the one with the deepest fall; all: {in_file('partings')})."
        " Fall: the step where the model that does not solve the problem falls most, log p of it less log p of the one that"
        f" drew the trace, nats at temperature 1. Per step: the same of every step. {made}"
    )
    header = ["trace", "solved by", "step", "most at", "it would rather say", "traces", "fall", "per step, nats"]
    seen = {(one.found.base.run_id, one.found.other.run_id, of.side, of.problem.key): of
            for one in part.likelihoods for of in one.looked_at}  # fmt: skip
    found = [
        _parting(row, seen[one.found.base.run_id, one.found.other.run_id, row.found.side, row.found.link.key or ""].looked_at)
        for one in part.likelihoods
        for row in one.partings
        if row.ratios
    ]
    yield Grid("Where a model leaves the path", header, found[:MOST_PARTINGS], note, left=5, folded=len(rows) > _FOLDED_FROM)


def _parting(row: PartingPart, traces: int) -> list[str]:
    found = row.found
    rather = UNKNOWN_MARK
    if found.fork is not None:
        choice = "a token nobody has stored" if found.choice is None else token(found.choice, _TOKEN_CHARS)
        rather = f"{choice}\n{chance(exp(found.fork.choices[0].logp))}"
    return [
        str(found.link),
        found.side,
        f"{found.step} of {found.steps}",
        f"{token(found.token, _TOKEN_CHARS)}\n{chance(exp(found.own))}, there {chance(exp(found.other))}",
        rather,
        whole(traces),
        _nats(found.fall),
        _strip(row.ratios),
    ]


def _strip(ratios: Sequence[float | None]) -> str:
    told = " ".join(map(_nats, ratios[:MOST_STEPS]))
    return told if len(ratios) <= MOST_STEPS else f"{told} …"


def _nats(value: float | None) -> str:
    if value is None:
        return UNKNOWN_MARK
    return "−∞" if value == -inf else f"{round(value, 1) + 0.0:+.1f}".replace("-", "−")
