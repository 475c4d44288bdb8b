"""A small study scored token by token, made up by hand so that forks, steps and falls are known.

`token_study(path)` writes it through the writer and tells where its traces are. A base and an RL run drew 4 samples of each of
four problems at T 0.6, top-p 0.95: "lost" only base solves, "found" only RL, "shared" both, "hard" neither. Every sample has
its sums under both models; some right ones are there token by token, as `Told` below has them:

    gave_up     base on lost, right    RL falls by 9.9375 nats at step 2: at "Wait" (where base would leave, too) and at " 12"
    hostile     base on lost, right    escape codes, markup, an emoji of two tokens, a direction mark; a choice without a text
    summed      base on lost, right    sums only
    gained      RL on found, right     base falls at step 1
    cut         RL on found, right     truncated: no stop token, its last token a part of a character
    told_little base on shared, right  RL by a server: log-probabilities alone; base in full
    unplaced    base on shared, right  ids that read otherwise than the text: no spans
    stopped     RL on shared, right    ended by a stop string, which is in its last token and not in its text
    alone       RL on shared, right    token by token under RL only

Log-probabilities are halves of halves, so that float16 keeps them exactly; those of others are kept to about 0.02 nats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Final

from store.new_scores import NewTokenScores
from store.reader import Study
from store.token_scores import Other, TokenScores
from store.types import Batch, Finish, Likelihood, Model, NewDraw, Outcome, Problem, Prompt, Run, Settings, Verdict
from store.verdicts import Judged
from store.writer import Writer
from tests.builders import BASE, RL

DRAWN: Final = Settings(
    prompt_template="{problem}", temperature=0.6, top_p=0.95, top_k=0, min_p=0, repetition_penalty=1, max_tokens=64, seed=0
)
DECODING: Final = (0.6, 0.95, 0)
PLAIN: Final = (1.0, 1.0, 0)
VOCABULARY: Final = "vocabulary of words"
BENCHMARK: Final = "sums"
KEYS: Final = ("lost", "found", "shared", "hard")
SURE: Final = -1 / 16
"""Probability 0.94: others are not kept there."""

Likes = Mapping[str, float]
"""Log-probabilities of the other tokens, the first first."""


@dataclass(frozen=True, slots=True)
class Word:
    """A token, and what the model that drew it and the other one think of it."""

    text: str
    own: float = SURE
    other: float = SURE
    own_likes: Likes = field(default_factory=dict)
    other_likes: Likes = field(default_factory=dict)
    chars: int | None = None
    """Characters of the response that it brings; None for those of its text."""

    @property
    def span(self) -> int:
        return len(self.text) if self.chars is None else self.chars


STOP: Final = Word("<end>", chars=0)
UNREAD: Final = "⟪nobody stored how this reads⟫"

GAVE_UP: Final = (
    Word("First"),
    Word(" count", -0.5, -0.25, {" list": -1.25}, {" list": -1.75}),
    Word(" pairs"),
    Word("."),
    Word("\n\n"),
    Word("Wait", -2.0, -8.0, {"So": -0.25}, {"So": SURE, "Now": -3.0}),
    Word(","),
    Word(" there"),
    Word(" are"),
    Word(" 12", SURE, -4.0, {}, {" 11": SURE}),
    Word("."),
    Word("\n\n"),
    Word("So", -0.25, -0.25, {"Now": -2.0}, {"Now": -2.0}),
    Word(" \\boxed{"),
    Word("12", -0.25, SURE, {"11": -2.0}),
    Word("}"),
    Word(".", SURE, -0.5, {}, {"!": -1.0}),
    STOP,
)
HOSTILE: Final = (
    Word("\x1b[31mLook", -0.5, -1.0, {"\x1b]0;mine\x07": -1.0}, {"[/red]": -0.5}),
    Word(" [bold]"),
    Word(" "),
    Word("\ufffd\ufffd", -0.25, -3.0, {"\n\n": -2.0}, {UNREAD: -0.25}, chars=0),
    Word("😀", chars=1),
    Word("\u202e12"),
    Word("\n\nNow"),
    Word(" e\u0301", -0.25, -1.5, {"\t": -2.0}, {"\ud800": -0.5}),
    Word(" is \\boxed{12}"),
    STOP,
)
GAINED: Final = (
    Word("Set", -0.25, -5.0, {"We": -2.0}, {"We": -0.25, "Let": -2.0}),
    Word(" x"),
    Word("."),
    Word("\n\n"),
    Word("1. Then", -0.5, -1.5, {"So": -1.5}, {"So": -0.5}),
    Word(" \\boxed{7}"),
    STOP,
)
CUT: Final = (
    Word("Is \\boxed{7}"),
    Word("\n\n"),
    Word("and", -0.5, -0.75, {"or": -1.5}, {"or": -1.0}),
    Word("\ufffd", chars=0),
)
TOLD_LITTLE: Final = (Word("So"), Word(" it", -0.25, -6.0, {" we": -2.0}), Word(" is"), Word(" \\boxed{4}"), STOP)
UNPLACED: Final = (Word("so"), Word("it", -0.5, -2.0, {"we": -1.0}, {"we": -0.25}), Word("\\boxed{4}"), STOP)
STOPPED: Final = (Word("Thus"), Word(" \\boxed{4}.", -0.25, -0.5, {" 4": -2.0}, {" 4": -1.0}), Word("\n\nProblem"))
ALONE: Final = (Word("As"), Word(" before", -1.0, -1.0, {" said": -0.5}), Word(" \\boxed{4}"), STOP)


@dataclass(frozen=True, slots=True)
class Told:
    """A right trace that is there token by token: its text, and what each model says of it."""

    run: str
    """"base" or "rl"."""
    problem: str
    index: int
    words: Sequence[Word]
    text: str
    own: TokenScores
    other: TokenScores | None


@dataclass(frozen=True, slots=True)
class TokenStudy:
    """Where things are."""

    path: Path
    base: Run
    rl: Run
    told: Mapping[str, Told]
    """By the names in this module's docstring."""
    ids: Mapping[str, int]
    """Sample ids by those names, `summed` among them."""


def words_of(name: str) -> Sequence[Word]:
    return _TOLD[name].words


def token_study(path: Path) -> TokenStudy:
    """Write the study to `path`."""
    base, rl = (Run(model, BENCHMARK, DRAWN) for model in (BASE, RL))
    with Writer(path, "test") as writer:
        for run, name in ((base, "base"), (rl, "rl")):
            _draw(writer, run, name)
        _judge(writer, path)
        samples = _samples(path)
        for scorer, name in ((BASE, "base"), (RL, "rl")):
            _score(writer, scorer, name, samples)
    ids = {name: samples[told.run, told.problem, told.index] for name, told in _TOLD.items()}
    return TokenStudy(path, base, rl, _TOLD, ids | {"summed": samples["base", "lost", 2]})


_RIGHT: Final = {("base", "lost"): 3, ("rl", "found"): 2, ("base", "shared"): 2, ("rl", "shared"): 2}
"""How many of the 4 samples are right: the first ones."""
_DRAWS: Final = 4
_IDS: Final[dict[str, int]] = {}
"""Of tokens, in the order in which they were met."""


def _id(text: str) -> int:
    return _IDS.setdefault(text, len(_IDS))


def _draw(writer: Writer, run: Run, name: str) -> None:
    problems = {key: _problem(key) for key in KEYS}
    facts = Batch("scripted", "1", "none", "none", "here", VOCABULARY)
    batch = writer.open_batch(run, facts, {one: Prompt("?", (1,)) for one in problems.values()})
    told = {(one.problem, one.index): one for one in _TOLD.values() if one.run == name}
    draws = [_new(problems[key], index, told.get((key, index))) for key in KEYS for index in range(_DRAWS)]
    writer.add_draws(batch, draws)


def _new(problem: Problem, index: int, told: Told | None) -> NewDraw:
    if told is None:
        words: Sequence[Word] = (Word("Perhaps"), Word(" \\boxed{"), Word(str(index)), Word("}"), STOP)
        text = "".join(word.text for word in words[:-1])
        return NewDraw(problem, index, index, text, tuple(_id(word.text) for word in words), Finish.STOP, STOP.text)
    ids = tuple(_id(word.text) for word in told.words)
    if told is _TOLD["cut"]:
        return NewDraw(problem, index, index, told.text, ids, Finish.LENGTH)
    return NewDraw(problem, index, index, told.text, ids, Finish.STOP, told.words[-1].text)


def _problem(key: str) -> Problem:
    return Problem(BENCHMARK, key, f"What is {key}?", "12")


def _judge(writer: Writer, path: Path) -> None:
    with Study(path) as study:
        runs = {run.run_id: "base" if run.model.name == BASE.name else "rl" for run in study.runs()}
        judged = [
            Judged(
                row.sample_id, row.run_id, row.problem_id, _verdict(row.idx < _RIGHT.get((runs[row.run_id], problem.key), 0))
            )
            for problem in study.problems(BENCHMARK)
            for row in study.traces(problem.problem_id)
        ]
    writer.add_verdicts("math", "1", judged)


def _verdict(right: bool) -> Verdict:
    return Verdict(Outcome.CORRECT if right else Outcome.INCORRECT, "boxed, number", "12")


def _samples(path: Path) -> dict[tuple[str, str, int], int]:
    """Sample ids by run, problem and index."""
    with Study(path) as study:
        runs = {run.run_id: "base" if run.model.name == BASE.name else "rl" for run in study.runs()}
        return {
            (runs[row.run_id], problem.key, row.idx): row.sample_id
            for problem in study.problems(BENCHMARK)
            for row in study.traces(problem.problem_id)
        }


def _score(writer: Writer, scorer: Model, name: str, samples: Mapping[tuple[str, str, int], int]) -> None:
    """What one model says of every sample."""
    told = {(one.run, one.problem, one.index): one for one in _TOLD.values()}
    sums: list[Likelihood] = []
    by_token: list[NewTokenScores] = []
    for place, sample_id in samples.items():
        one = told.get(place)
        scores = None if one is None else one.own if one.run == name else one.other
        words = one.words if one is not None else ()
        sums += _sums(sample_id, scores, words) if scores is not None else _likely(sample_id, len(words) or 5)
        if scores is not None:
            by_token.append(NewTokenScores(sample_id, *(PLAIN if scores.decoded is None else DECODING), VOCABULARY, scores))
    pieces = {token_id: text for text, token_id in _IDS.items() if text not in (UNREAD, "\ud800")}
    writer.add_likelihoods(scorer, "float32", sums, engine="by hand", by_token=by_token, pieces=pieces)


def _sums(sample_id: int, scores: TokenScores, words: Sequence[Word]) -> Iterator[Likelihood]:
    stopped = words[-1] is STOP
    for decoding, logp in ((PLAIN, scores.logp), (DECODING, scores.decoded)):
        if logp is not None:
            possible = [value for value in logp if value > -inf]
            outside = len(logp) - len(possible)
            row = Likelihood(
                sample_id, *decoding, len(logp), None if outside else sum(logp), outside, logp[-1] if stopped else None
            )
            yield row if scores.decoded is None else _finer(row, scores, possible, logp)


def _finer(row: Likelihood, scores: TokenScores, possible: Sequence[float], logp: Sequence[float]) -> Likelihood:
    """With what a server does not tell."""
    lowest = min(possible)
    return replace(
        row,
        entropy=sum(scores.entropy or ()),
        lowest=lowest,
        lowest_at=list(logp).index(lowest),
        first_choices=sum(not scores.is_fork(place) for place in range(len(logp))),
        edge=None if row.top_p == 1 else max(scores.edge or ()),
    )


def _likely(sample_id: int, tokens: int) -> Iterator[Likelihood]:
    """Sums of a response of sure tokens only."""
    for decoding in (PLAIN, DECODING):
        yield Likelihood(
            *(sample_id, *decoding, tokens, tokens * SURE, 0, SURE, tokens / 4, SURE, 0, tokens),
            edge=None if decoding is PLAIN else -0.95,
        )


def _scores(words: Sequence[Word], side: str, *, placed: bool = True) -> TokenScores:
    """As a scorer in full tells them. Under the run's decoding what is less probable than 0.05 cannot be drawn."""
    logp = [getattr(word, side) for word in words]
    likes: list[Likes] = [getattr(word, f"{side}_likes") for word in words]
    return TokenScores(
        logp,
        entropy=[0.25] * len(words),
        decoded=[-inf if value < -3 else value / 2 for value in logp],
        edge=[
            0.04 if value < -3 else -0.02 if any(one > value for one in by.values()) else -0.95
            for value, by in zip(logp, likes, strict=True)
        ],
        spans=[word.span for word in words] if placed else None,
        others={place: tuple(Other(_id(text), value) for text, value in by.items()) for place, by in enumerate(likes) if by},
    )


def _told(run: str, problem: str, index: int, words: Sequence[Word]) -> Told:
    read = [word.text for word in words if word.span]
    text = "".join(read)
    return Told(run, problem, index, words, text, _scores(words, "own"), _scores(words, "other"))


def _all_told() -> dict[str, Told]:
    unplaced = _told("base", "shared", 1, UNPLACED)
    stopped = _told("rl", "shared", 0, STOPPED)
    little = _told("base", "shared", 0, TOLD_LITTLE)
    logp, spans = [word.other for word in TOLD_LITTLE], [word.span for word in TOLD_LITTLE]
    return {
        "gave_up": _told("base", "lost", 0, GAVE_UP),
        "hostile": _told("base", "lost", 1, HOSTILE),
        "gained": _told("rl", "found", 0, GAINED),
        "cut": _told("rl", "found", 1, CUT),
        "told_little": replace(little, other=TokenScores(logp, spans=spans, others=None)),
        "unplaced": replace(
            unplaced,
            text="So it is \\boxed{4}",
            own=_scores(UNPLACED, "own", placed=False),
            other=_scores(UNPLACED, "other", placed=False),
        ),
        "stopped": replace(stopped, text=stopped.text.removesuffix(STOPPED[-1].text)),
        "alone": replace(_told("rl", "shared", 1, ALONE), other=None),
    }


_TOLD: Final = _all_told()
