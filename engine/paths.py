"""The stage `paths`: the correct responses of each problem put into reasoning paths, those of all runs together.

A path here is a surface cluster: responses whose wording, numbers masked, is alike. It is a proxy for a strategy and no more
than that; what makes a cluster is there to be read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.analyses.surface import METHOD, surface_clusters
from store import measures
from store.reader import Study
from store.writer import Writer

Progress = Callable[[int, int], None]
"""Told how many problems are done, and of how many."""


@dataclass(slots=True)
class Found:
    """What came out, over all problems."""

    problems: int = 0
    """With correct responses."""
    responses: int = 0
    paths: int = 0
    left_out: int = 0
    """Responses beyond what can be clustered at once."""


def find_paths(writer: Writer, progress: Progress = lambda _done, _all: None) -> Found:
    """Cluster the correct responses of every problem anew and store what comes out."""
    found = Found()
    with Study(writer.path) as study:
        problems = [problem for name in study.benchmarks() for problem in study.problems(name)]
        for number, problem in enumerate(problems, start=1):
            correct = measures.correct_responses(study, problem.problem_id)
            labels = surface_clusters([one.response for one in correct])
            paths = {one.sample_id: label for one, label in zip(correct, labels, strict=True) if label is not None}
            writer.put_paths(METHOD, problem.problem_id, paths)
            found.problems += bool(correct)
            found.responses += len(paths)
            found.paths += len(set(paths.values()))
            found.left_out += len(correct) - len(paths)
            progress(number, len(problems))
    return found
