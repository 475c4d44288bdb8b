"""A small study with everything a screen must say, and a way to drive the app over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from explorer.app import BaseboundApp
from explorer.model.session import Session
from store.names import parse_link
from store.reader import Study
from store.types import Finish, Model, NewCount, NewSample, NewTrace, Outcome, Problem, Role, Run, Settings, Verdict
from store.verdicts import Judged
from store.writer import SourceFile, Writer

SETTINGS = Settings(temperature=0.6, top_p=0.95, max_tokens=2048, prompt_template="boxed")
BASE = Run(Model("lab/tiny-base", role=Role.BASE), "sums", SETTINGS)
RL = Run(Model("lab/tiny-rl", "step-100", Role.RL, step=100), "sums", SETTINGS)
COUNTED = Run(Model("lab/tiny-distilled", role=Role.DISTILLED), "sums", Settings(temperature=1.0))
SCORED = Run(Model("lab/tiny-base", role=Role.BASE), "aime24", SETTINGS)

CORRECT = {"base": [3, 1, 2, 0, 0, 4], "rl": [4, 0, 4, 0, 2, 4]}
"""Correct ones of the four samples of each problem: both, base only, both, neither, RL only, both."""

HOSTILE = "red \x1b[31mtext\x1b[0m \x1b]2;owned\x07 [bold]not bold[/bold] \u202e reversed \u2028 漢字 e\u0301 \ud800 tab\there"


def sums_problem(number: int) -> Problem:
    statement = (
        f"What is {number} + {number}? Give the number, and show how you found it, step by step, without leaving one out."
    )
    return Problem("sums", str(number), statement, str(2 * number))


def response(answer: str | None, extra: str = "") -> str:
    steps = ["Add the two numbers.", "1. Write them one above the other.\n2. Add the columns:\n\\[\na + a\n\n= 2a\n\\]", extra]
    last = "I do not know." if answer is None else f"So the answer is \\boxed{{{answer}}}."
    return "\n\n".join([*filter(None, steps), last])


def sums_traces() -> list[NewTrace]:
    traces: list[NewTrace] = []
    for number in range(6):
        for run, name in ((BASE, "base"), (RL, "rl")):
            for index in range(4):
                right = index < CORRECT[name][number]
                answer = str(2 * number) if right else None if index == 3 and name == "base" else "99"
                extra = HOSTILE if (name, number, index) == ("base", 1, 0) else ""
                finish = Finish.LENGTH if answer is None else Finish.STOP
                # The file calls one wrong answer of problem 3 right: the verifier and the file differ there.
                by_file = right or (name, number, index) == ("rl", 3, 0)
                score = Verdict(Outcome.CORRECT if by_file else Outcome.INCORRECT, "file's score")
                sample = NewSample(response(answer, extra), len(traces) + 1, finish=finish, tokens=100 + index)
                traces.append(NewTrace(run, sums_problem(number), sample, score))
    return traces


def judge(path: Path, benchmark: str) -> list[Judged]:
    """What the math verifier would say of the responses above."""
    judged = []
    with Study(path) as study:
        for problem in study.problems(benchmark):
            for row in study.traces(problem.problem_id):
                text = study.trace(row.sample_id).response
                start = text.rfind("\\boxed{") + len("\\boxed{")
                answer = text[start : text.find("}", start)] if "\\boxed{" in text else None
                outcome = (
                    Outcome.NO_ANSWER
                    if answer is None
                    else Outcome.CORRECT
                    if answer == problem.reference
                    else Outcome.INCORRECT
                )
                span = None if answer is None else (start, start + len(answer))
                route = "no box" if answer is None else "boxed, number"
                judged.append(Judged(row.sample_id, row.run_id, row.problem_id, Verdict(outcome, route, answer, span)))
    return judged


def make_study(path: Path) -> Path:
    """Base and RL on six sums with traces, a run of counts only, and another benchmark that only its file has scored."""
    with Writer(path, "test") as writer:
        source = writer.open_source(SourceFile("sums.jsonl", "test", "1" * 64, 1))
        writer.add_traces(source, sums_traces())
        writer.add_counts(source, [NewCount(COUNTED, sums_problem(number), 1 + number, number, 16) for number in range(6)])
        scored = writer.open_source(SourceFile("aime.jsonl", "test", "2" * 64, 1))
        problem = Problem("aime24", "15", "How many residents own all four?", "73")
        verdict = Verdict(Outcome.CORRECT, "file's score", "73")
        writer.add_traces(scored, [NewTrace(SCORED, problem, NewSample("It is 73.", 1), verdict)])
    judged = judge(path, "sums")
    with Writer(path, "test") as writer:
        writer.add_verdicts("math", "1", judged)
    return path


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes what the person who runs it keeps: keys, places, views, clips."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path_factory.mktemp(name)))
    monkeypatch.setenv("BASEBOUND_AUDITOR", "ann")


@pytest.fixture(scope="session")
def study_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("study") / "study.db")


@pytest.fixture
def make_app(study_path: Path) -> Callable[..., BaseboundApp]:
    """The app over that study; its session lives as long as the app."""

    def make(link: str | None = None, path: Path = study_path) -> BaseboundApp:
        session = Session.open(path)
        goal = None if link is None else session.goal(parse_link(link))
        return BaseboundApp(session, goal)

    return make


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences of commands have their full width, wherever the tests run."""
    monkeypatch.setenv("COLUMNS", "100")
