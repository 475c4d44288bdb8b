"""Surface clusters, and the stage that stores them."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analyses import surface
from engine.analyses.surface import METHOD, surface_clusters
from engine.judging import judge
from engine.paths import find_paths
from store import measures
from store.reader import Study
from store.writer import Writer
from tests.builders import RL, answers, problem, run, source

SPLIT = "Split {0} into tens and ones.\n\n{1} × {0} = {2}.\n\n{2} + {1} = {0}."
LIST = "List the pairs of numbers that give {0}: {1} and {2}, {2} and {0}. The second one fits."


def texts(pattern: str, count: int, seed: int) -> list[str]:
    rng = Random(seed)
    return [pattern.format(*(rng.randint(2, 999) for _ in range(3))) for _ in range(count)]


def test_numbers_do_not_tell_paths_apart_and_wording_does() -> None:
    found = surface_clusters(texts(SPLIT, 3, 1) + texts(LIST, 5, 2))
    assert found == [2, 2, 2, 1, 1, 1, 1, 1]  # the largest is 1


@given(st.permutations(texts(SPLIT, 3, 1) + texts(LIST, 5, 2) + ["I guess 4.", "I guess 5."]))
def test_the_order_of_responses_does_not_matter(responses: list[str]) -> None:
    labels = dict(zip(responses, surface_clusters(responses), strict=True))
    assert len({labels[text] for text in texts(SPLIT, 3, 1)}) == 1
    assert len(set(labels.values())) == 3
    assert labels[texts(LIST, 5, 2)[0]] == 1


@pytest.mark.parametrize(("responses", "labels"), [([], []), (["x"], [1]), (["", ""], [1, 1]), (["5", "6"], [1, 1])])
def test_few_or_empty_responses(responses: list[str], labels: list[int]) -> None:
    assert surface_clusters(responses) == labels


def test_beyond_what_can_be_clustered_a_response_has_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surface, "MOST_KINDS", 2)
    assert surface_clusters(["alpha beta", "gamma delta", "gamma delta", "alpha beta", "epsilon zeta"]).count(None) == 1


def test_paths_are_of_correct_responses_of_all_runs_and_made_anew(tmp_path: Path) -> None:
    right = [text + " \\boxed{4}" for text in texts(SPLIT, 2, 1) + texts(LIST, 3, 2)]
    path = tmp_path / "s.db"
    with Writer(path, "test") as writer:
        writer.add_traces(source(writer), answers(right[:3]) + answers(["wrong \\boxed{5}"], start=9))
        writer.add_traces(source(writer, "b"), answers(right[3:], of=run(RL)))
        writer.add_traces(source(writer, "c"), answers(["\\boxed{1}"], on=problem("2")))
        judge(writer, "math")
        for _ in range(2):
            found = find_paths(writer)
    assert (found.problems, found.responses, found.paths, found.left_out) == (1, 5, 2, 0)
    with Study(path) as study:
        base, rl = study.runs()
        assert [(c.run_id, c.path, c.responses) for c in measures.path_counts(study, METHOD)] == [
            (base.run_id, 1, 1),
            (rl.run_id, 1, 2),
            (base.run_id, 2, 2),
        ]
