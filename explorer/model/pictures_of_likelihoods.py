"""Pictures of perplexity: of both runs' responses under both models, and along training steps.

Call them in a worker. They are read on a connection of their own. Where fewer traces are stored than were counted,
`engine.fair` says which are used; where they may have been chosen by their answers there are numbers of what is stored, and no
picture of a rate or a distribution.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import exp, log
from shlex import quote
from statistics import median
from typing import Final

from engine.fair import Used, used_by_run
from engine.likelihoods import has_ids, is_asked, scored_partly
from explorer.model import picture_facts as facts
from explorer.model.pictures_of_runs import left_out, step_line, step_size, step_word, stepped, ways
from explorer.model.pictures_of_traces import RIGHT, asked_of, boxes, quantiles
from explorer.model.session import Pair, Session
from explorer.render.plots.picture import MOST_SERIES, Picture, Series
from explorer.render.words import counted, span_of
from store.reader import DECIDING, Study
from store.rows import RunRow
from store.types import Model, Outcome, Role

_RIGHT: Final = {True: RIGHT[True], False: "wrong or none ✗"}
"""A response without an answer stands with the wrong ones, and the word says so."""

_SENTENCE: Final = "a line no higher than base's own point: base finds that text as likely, token for token, as its own"
_EVEN: Final = "steps stand at even distances"
_WORD_CELLS: Final = 12
"""Of a line's name, which stands at its end and over its column."""

_SCORERS: Final = """
SELECT DISTINCT model_id, name, revision, role FROM likelihood JOIN model ON model_id = scorer_id
WHERE temperature = 1 AND top_p = 1 AND top_k = 0 ORDER BY model_id
"""
_SCORED: Final = f"""
SELECT run_id, scorer_id, ours.outcome, likelihood.logp, likelihood.tokens, finish = 'length', retokenized, dtype
FROM sample JOIN problem USING (problem_id) JOIN likelihood USING (sample_id) {DECIDING}
WHERE problem.benchmark = :benchmark AND run_id IN (SELECT value FROM json_each(:runs)) AND NOT extra
  AND scorer_id IN (SELECT value FROM json_each(:scorers))
  AND temperature = 1 AND top_p = 1 AND top_k = 0 AND likelihood.tokens > 0 AND likelihood.logp IS NOT NULL
  AND idx < ifnull((SELECT json_extract(value, '$[1]') FROM json_each(:used) WHERE json_extract(value, '$[0]') = run_id),
                   idx + 1)
"""


@dataclass(frozen=True, slots=True)
class _Scored:
    """What a model thinks of one response at temperature 1."""

    run_id: int
    scorer: int
    outcome: str | None
    nats: float
    tokens: int
    truncated: bool
    retokenized: bool
    dtype: str

    @property
    def perplexity(self) -> float:
        return exp(-self.nats / self.tokens)

    @property
    def is_right(self) -> bool:
        return self.outcome == Outcome.CORRECT


@dataclass(frozen=True, slots=True)
class _Scorer:
    model_id: int
    word: str
    """What it is called beside the runs: base's or the other run's word, or its own name."""
    name: str


Groups = Mapping[tuple[int, int, bool], Sequence[_Scored]]
"""By run, scorer and whether they are right."""


def perplexity(session: Session, pair: Pair) -> Picture:
    """Perplexity of both runs' responses under both models, at temperature 1, right and wrong ones apart."""
    with session.apart() as study:
        scorers, used = _scorers(study, pair), used_by_run(study, pair.board, pair.runs)
        rows = _rows(session, study, pair, pair.runs, [one.model_id for one in scorers], used)
        # An ERROR is no verdict on a response.
        rows = [row for row in rows if row.outcome != Outcome.ERROR]
        there = {(row.run_id, row.scorer) for row in rows}
        scorers = [one for one in scorers if any(scorer == one.model_id for _, scorer in there)]
        missing = (*_missing(session, study, pair, scorers, there), *_partly(pair, used))
    if not scorers:
        return Picture("perplexity", "perplexity under base and the other model", notes=missing)
    places = [
        (f"{word} {_RIGHT[right]} under {one.word}", (run.run_id, one.model_id, right))
        for word, run in zip(pair.words, pair.runs, strict=False)
        for one in scorers
        for right in (True, False)
    ]
    groups = _grouped(rows)
    found = [groups.get(key, ()) for _, key in places]
    title = f"perplexity at temperature 1, under {' and '.join(one.word for one in scorers)}"
    picture = Picture(
        "perplexity", title, unit="perplexity", digits=3, a_colour=2 * len(scorers), notes=missing,
        facts=(*of_first(used, pair.runs), _whole(places, found), _scored_by(scorers, rows)),
    )  # fmt: skip
    quantiled = [(word, quantiles([(row.perplexity, 1) for row in of])) for (word, _), of in zip(places, found, strict=True)]
    return boxes(pair, picture, quantiled, (*_tens(found), _traces(found)), is_fair=not chosen(used, pair.runs))


def _tens(found: Sequence[Sequence[_Scored]]) -> tuple[Series, ...]:
    """The middle probability of a whole trace, as the power of ten that it is one in."""
    values = tuple(-median(row.nats for row in of) / log(10) if of else None for of in found)
    return (Series("1 in 10^", "whole trace, in the middle: 1 in 10 to the", values, digits=1),)


def _traces(found: Sequence[Sequence[object]]) -> Series:
    return Series("traces", "traces", tuple(float(len(of)) for of in found), digits=0)


def _whole(places: Sequence[tuple[str, object]], found: Sequence[Sequence[_Scored]]) -> str:
    """The sentence that stands beside every mean: how probable a whole trace is."""
    from engine.analyses.perplexity import odds

    word, first = next((word, of) for (word, _), of in zip(places, found, strict=True) if of)
    nats = median(row.nats for row in first)
    return f"a mean hides the token that decides · whole traces, {word}: {odds(nats)} in the middle"


def _scored_by(scorers: Sequence[_Scorer], rows: Sequence[_Scored]) -> str:
    """How many responses by which models, in which arithmetic, and what is odd about them."""
    told = []
    for one in scorers:
        dtypes = ", ".join(sorted({row.dtype for row in rows if row.scorer == one.model_id}))
        told.append(f"{one.name} ({dtypes})" if one.name == one.word else f"{one.word}: {one.name} ({dtypes})")
    flags = ((sum(row.truncated for row in rows), "truncated"), (sum(row.retokenized for row in rows), "tokenized anew"))
    odd = "".join(f" · {number:,} {word}" for number, word in flags if number)
    return f"{counted(len(rows), 'scoring')} by {', '.join(told)}{odd}"


def _scorers(study: Study, pair: Pair) -> list[_Scorer]:
    """The models of the pair that have scored something; for base's, where it has not, the first base model that has."""
    known = study.query(_SCORERS)
    found: dict[int, _Scorer] = {}
    for word, run in zip(pair.words, pair.runs, strict=False):
        own = next((model_id for model_id, name, revision, _ in known if is_model(run.model, name, revision)), None)
        if own is not None:
            found.setdefault(own, _Scorer(own, word, run.model.name))
        elif run is pair.base:
            for model_id, name, _, role in known:
                if role == Role.BASE and not found:
                    found[model_id] = _Scorer(model_id, name.rpartition("/")[2], name)
    return list(found.values())


def is_model(model: Model, name: str, revision: str) -> bool:
    return (model.name, model.revision) == (name, revision)


def chosen(used: Mapping[int, Used], runs: Iterable[RunRow]) -> list[RunRow]:
    """Runs of which what is stored may have been chosen by its answers."""
    return [run for run in runs if used[run.run_id].perhaps_chosen]


def of_first(used: Mapping[int, Used], runs: Iterable[RunRow]) -> tuple[str, ...]:
    """Which samples are drawn of runs that are stored in part; none where all are stored, or nobody knows."""
    words = {used[run.run_id].words if used[run.run_id].first is not None else None for run in runs}
    cut = sorted(word for word in words if word is not None)
    if not cut:
        return ()
    return (f"of {' or '.join(cut)} {'of runs stored in part' if None in words else 'and run'}: others were chosen",)


def _rows(
    session: Session, study: Study, pair: Pair, runs: Sequence[RunRow], scorers: Sequence[int], used: Mapping[int, Used]
) -> list[_Scored]:
    firsts = json.dumps([[run_id, one.first] for run_id, one in used.items()])
    ids = {"runs": json.dumps([run.run_id for run in runs]), "scorers": json.dumps(list(scorers)), "used": firsts}
    found = study.query(_SCORED, {**asked_of(session, pair), **ids})
    return [
        _Scored(run, scorer, outcome, nats, tokens, bool(truncated), bool(anew), dtype)
        for run, scorer, outcome, nats, tokens, truncated, anew, dtype in found
    ]


def _grouped(rows: Iterable[_Scored]) -> Groups:
    groups: dict[tuple[int, int, bool], list[_Scored]] = {}
    for row in rows:
        groups.setdefault((row.run_id, row.scorer, row.is_right), []).append(row)
    return groups


def _missing(
    session: Session, study: Study, pair: Pair, scorers: Sequence[_Scorer], there: set[tuple[int, int]]
) -> tuple[str, ...]:
    """A sentence for each model that has scored nothing of a run, with the command that has it do so."""
    told, anew = [], frozenset(run.run_id for run in pair.runs if not has_ids(study, run))
    for word, run in zip(pair.words, pair.runs, strict=False):
        if not is_asked(study, run):
            continue
        own = next((one for one in scorers if one.word == word or run is pair.base), None)
        lacking = [of for of in pair.runs if own is None or (of.run_id, own.model_id) not in there]
        if lacking:
            names = " and ".join(pair.words[pair.runs.index(of)] for of in lacking)
            told.append(f"{word} has not scored responses of {names}: {score_command(session, lacking, anew)}")
    return tuple(told)


def _partly(pair: Pair, used: Mapping[int, Used]) -> tuple[str, ...]:
    """A sentence for each model that has scored some of a run and not all."""
    return tuple(said for run in pair.runs for said in scored_partly(run, used[run.run_id]))


def score_command(session: Session, runs: Sequence[RunRow], anew: Collection[int] = ()) -> str:
    """What has a model score these runs' responses. anew: run_ids of those whose responses have no token ids."""
    retokenize = " --retokenize" if any(run.run_id in anew for run in runs) else ""
    return f"`basebound score {quote(session.name)} --scorer DIR --of {' '.join(run.slug for run in runs)}{retokenize}`"


def by_step(session: Session, pair: Pair) -> Picture:
    """Perplexity of checkpoints' responses under base along training steps, base's own beside it, and under themselves."""
    known = {run.model.step for run in pair.board.runs if run.model.step is not None}
    title = "perplexity along training steps"
    if len(known) < 2:
        what = "one training step only" if known else "no run with a training step"
        return Picture("ppl steps", title, notes=(f"{what} of {pair.board.benchmark}: nothing to put in order",))
    runs, notes = stepped(pair)
    with session.apart() as study:
        ids = {(name, revision): model_id for model_id, name, revision, _ in study.query(_SCORERS)}
        base = ids.get((pair.base.model.name, pair.base.model.revision))
        used = used_by_run(study, pair.board, runs)
        rows = [] if base is None else _rows(session, study, pair, runs, list(ids.values()), used)
    under_base = _by_run(rows, {run.run_id: base for run in runs})
    under_self = _by_run(rows, {run.run_id: ids.get((run.model.name, run.model.revision)) for run in runs})
    scored = [run for run in runs if under_base.get(run.run_id)]
    if len({run.model.step for run in scored} - {None}) < 2:
        why = f"base has not scored responses of two training steps: {score_command(session, runs)}"
        return Picture("ppl steps", title, notes=(why,))
    series = _along(pair, scored, under_base, under_self)
    part = facts.chosen_part(count for run in chosen(used, scored) for count in facts.cells_of(pair, run))
    drawn = series[:MOST_SERIES]
    unscored = [run for run in runs if run not in scored]
    lacking = (f"base has not scored {counted(len(unscored), 'run')}: {score_command(session, unscored)}",) if unscored else ()
    numbers = span_of(len(under_base[run.run_id]) for run in scored)
    told = [row for run in scored for row in under_base[run.run_id]]
    return Picture(
        "ppl steps", "perplexity under base along steps, “own” under itself: median and quartiles", axis="step",
        unit="perplexity", digits=3, places=_places(scored), series=() if part else drawn, aside=drawn if part else (),
        limits=_around(drawn), notes=(*notes, *left_out(len(series)), *([part] if part else []), *lacking),
        facts=(*of_first(used, scored), _SENTENCE, _EVEN,
               f"{pair.board.benchmark} · {numbers} responses a run, temperature 1 · under {pair.base.model.name}"
               f" ({', '.join(sorted({row.dtype for row in told}))}) and under themselves", *ways(scored)),
    )  # fmt: skip


def _by_run(rows: Sequence[_Scored], scorers: Mapping[int, int | None]) -> dict[int, list[_Scored]]:
    """By run, its rows under the scorer that is wanted for it."""
    found: dict[int, list[_Scored]] = {}
    for row in rows:
        if scorers.get(row.run_id) == row.scorer:
            found.setdefault(row.run_id, []).append(row)
    return found


def _places(runs: Sequence[RunRow]) -> tuple[str, ...]:
    ordered = sorted({(step_size(run), step_word(run)) for run in runs})
    return tuple(word for _, word in ordered)


def _along(
    pair: Pair, runs: Sequence[RunRow], under_base: Mapping[int, list[_Scored]], under_self: Mapping[int, list[_Scored]]
) -> tuple[Series, ...]:
    """A line for each algorithm under base, then those under themselves; base's own is one and the same."""
    lines: dict[object, tuple[str, list[RunRow]]] = {}
    for run in runs:
        key, name = step_line(run)
        lines.setdefault(key, (name, []))[1].append(run)
    places = _places(runs)
    mine = next((key for key, (_, of) in lines.items() if pair.base in of), None)
    words = dict(zip(lines, _words([(name, of[0]) for name, of in lines.values()]), strict=True))
    first = [_line(words[key], of, places, under_base) for key, (_, of) in lines.items()]
    own = [_line(f"own {words[key]}", of, places, under_self) for key, (_, of) in lines.items() if key != mine]
    return (*first, *(one for one in own if any(value is not None for value in one.values)))


def _words(lines: Sequence[tuple[str, RunRow]]) -> list[str]:
    """What each line is called: where that is long, its model without what all the models' names begin with."""
    names = [run.model.name.rpartition("/")[2].split("-") for _, run in lines]
    same = sum(1 for _ in takewhile(lambda parts: len(set(parts)) == 1, zip(*names, strict=False)))
    short = ["-".join(parts[same:] or parts) for parts in names]
    told = [word if len(word) <= _WORD_CELLS else name for (word, _), name in zip(lines, short, strict=True)]
    return told if len(set(told)) == len(told) else [word for word, _ in lines]


def _line(word: str, runs: Sequence[RunRow], places: Sequence[str], scored: Mapping[int, list[_Scored]]) -> Series:
    at = {place: [row for run in runs if step_word(run) == place for row in scored.get(run.run_id, [])] for place in places}
    found = [quantiles([(row.perplexity, 1) for row in at[place]]) for place in places]
    low, middle, high = (tuple(of[place] for of in found) for place in (1, 2, 3))
    return Series(word, ", ".join(run.slug for run in runs), middle, low, high)


def _around(series: Sequence[Series]) -> tuple[float, float]:
    """Ends of an axis of perplexities: a little beyond what there is, and never below 1."""
    found = [value for one in series for of in (one.values, one.low, one.high) for value in of if value is not None]
    room = 0.06 * (max(found) - min(found)) or 0.1
    return max(1.0, min(found) - room), max(found) + room
