"""Claim: a trace of 16k tokens that two models have scored token by token opens in the Reader, shaded, in 0.1 s.

    python benchmarks/reader.py [TOKENS]                    (16384 when not given; the study is made in a temp folder)

First what a worker prepares, in this process: the text alone, and with its tokens, the scores unpacked and a lens made. Then
the real program in a pseudo-terminal of 120x40, timed from outside from a key to the first drawing and to the last byte before
60 ms of silence: `l` (the first one reads the scores, the others change or drop the shading), `>` and `F` (the forks), and `]`
to samples that nothing has prepared (walked without a rest). The scores are random; a sixth of the tokens have alternatives.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from math import inf
from pathlib import Path
from statistics import median
from typing import Final

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.terminal import Terminal, Took, told
from explorer.model.reading import Weighed, Widths, read_trace
from explorer.model.session import Session
from explorer.model.token_shades import read_tokens
from store.new_scores import NewTokenScores
from store.reader import Study
from store.token_scores import Other, TokenScores
from store.types import Batch, Finish, Likelihood, Model, NewDraw, Problem, Prompt, Role, Run, Settings
from store.writer import Writer

BASE: Final = Model("lab/base-7b", role=Role.BASE)
RL: Final = Model("lab/rl-7b", "step-100", Role.RL, step=100)
SETTINGS: Final = Settings(temperature=0.6, top_p=0.95, top_k=0, min_p=0, repetition_penalty=1)
SAMPLES: Final = 24
CHECKED_S: Final = 2.0
"""A trace is checked, and those beside it are prepared, in so much silence."""
VOCABULARY: Final = "made up"
WORDS: Final = ("so", "we", "add", "the", "two", "sides", "and", "find", "that", "it", "is", "less", "than", "what", "was")


def made(path: Path, tokens: int) -> None:
    """One problem, SAMPLES responses of a base model, all scored under it and under an RL model."""
    chance = random.Random(0)
    problem = Problem("sums", "1", "What is it?", "12")
    texts = [[_word(chance, place) for place in range(tokens)] for _ in range(SAMPLES)]
    with Writer(path, "benchmark") as writer:
        run = Run(BASE, "sums", SETTINGS)
        batch = writer.open_batch(run, Batch("made", "1", "-", "-", "-", VOCABULARY), {problem: Prompt("?", (1,))})
        draws = [
            NewDraw(problem, i, i, "".join(words), tuple(range(tokens)), Finish.STOP, None) for i, words in enumerate(texts)
        ]
        writer.add_draws(batch, draws)
        with Study(path) as study:
            ids = [row.sample_id for row in study.traces(study.problems("sums")[0].problem_id)]
        for scorer in (BASE, RL):
            each = [(sample_id, _scores(chance, words)) for sample_id, words in zip(ids, texts, strict=True)]
            writer.add_likelihoods(
                scorer,
                "float32",
                [Likelihood(sample_id, 1, 1, 0, tokens, sum(one.logp), 0, None) for sample_id, one in each],
                engine="made",
                by_token=[NewTokenScores(sample_id, 0.6, 0.95, 0, VOCABULARY, one) for sample_id, one in each],
                pieces={number: f" {word}" for number, word in enumerate(WORDS)},
            )


def _word(chance: random.Random, place: int) -> str:
    return "\n\n" if place % 61 == 60 else f"${place}^2$" if place % 97 == 50 else f" {chance.choice(WORDS)}"


def _scores(chance: random.Random, words: list[str]) -> TokenScores:
    logp = [-(chance.expovariate(1) ** 2) if chance.random() < 1 / 6 else -0.01 for _ in words]
    others = {
        place: tuple(Other(chance.randrange(len(WORDS)), value) for value in (-0.5, -1.5, -3.0))
        for place, value in enumerate(logp)
        if value < -0.1
    }
    return TokenScores(
        logp,
        entropy=[0.3] * len(logp),
        decoded=[-inf if value < -6 else value for value in logp],
        edge=[0.01 if value < -6 else -0.5 for value in logp],
        spans=[len(word) for word in words],
        others=others,
    )


def prepared(path: Path) -> None:
    widths = Widths(108, 116)
    with Session.open(path) as session:
        ids = [row.sample_id for row in session.study.traces(session.study.problems("sums")[0].problem_id)]
        way = read_tokens(session, session.trace(ids[0])).ways[-1]  # type: ignore[union-attr]
        alone = _timed(lambda one: read_trace(session, one, widths, raw=False), ids)
        whole = _timed(lambda one: read_trace(session, one, widths, raw=False, weighed=Weighed(way)), ids)
    print(f"  prepared           {alone:4.0f} ms the text, {whole:.0f} ms with its tokens and the log-ratio")


def _timed(work: Callable[[int], object], ids: list[int]) -> float:
    taken = []
    for one in ids:
        began = time.perf_counter()
        work(one)
        taken.append(1000 * (time.perf_counter() - began))
    return median(taken)


def keys(path: Path) -> None:
    terminal = Terminal([sys.executable, "-m", "basebound", "explore", str(path), "--open", "base-7b@sums/sums:1/0"], ROOT)
    terminal.wait_for(b"Esc back")
    terminal.settle(CHECKED_S)
    first = terminal.press("l")
    print(f"  first l            drawn after {first[0]:4.0f} ms, still after {first[1]:.0f} ms")
    timed: dict[str, list[Took]] = {"l": [], ">": [], "F": [], "prepared ]": [], "] unprepared": []}
    terminal.settle(CHECKED_S)
    timed["l"] = [_pressed(terminal, "l") for _ in range(9)]  # from base's surprisal round, to the log-ratio
    timed[">"], timed["F"] = ([_pressed(terminal, key) for _ in range(20)] for key in (">", "F"))
    _pressed(terminal, "\x1b")
    for _ in range(SAMPLES // 2 - 1):
        terminal.settle(CHECKED_S)
        timed["prepared ]"].append(terminal.press("]"))
        timed["] unprepared"].append(terminal.press("]"))
    for key, times in timed.items():
        print(f"  {key:<18} {told(times)}")
    terminal.close()


def _pressed(terminal: Terminal, key: str) -> Took:
    """A key pressed in silence."""
    terminal.settle(0.3)
    return terminal.press(key)


def main(tokens: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reader.db"
        made(path, tokens)
        print(f"{tokens:,} tokens, two scorers")
        prepared(path)
        keys(path)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 16_384)
