"""Claim: a point of a pass@k curve costs at most sqrt(38 n) terms, not n, and keeps the digits of a float64.

    python benchmarks/passk.py

Compared with the estimator that human-eval publishes and other harnesses copy, 1 - prod(1 - k / arange(n-c+1, n+1)),
called for every problem and every k. Times are medians; errors are the largest relative ones against exact rationals,
over the points for which the exact value is not too long to write down (min(c, k) <= 2048).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from fractions import Fraction
from math import comb
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine.analyses.passk import k_grid, pass_curve

Curve = NDArray[np.float64]
Estimator = Callable[[int, list[int], tuple[int, ...]], Curve]


def human_eval_loop(n: int, correct: list[int], ks: tuple[int, ...]) -> Curve:
    """[problems, len(ks)] by one call of the published recipe per point."""

    def estimate(c: int, k: int) -> float:
        return 1.0 if n - c < k else 1.0 - float(np.prod(1.0 - k / np.arange(n - c + 1, n + 1)))

    return np.array([[estimate(c, k) for k in ks] for c in correct])


def milliseconds(estimator: Estimator, n: int, correct: list[int], repeats: int) -> float:
    """Median wall time of one call, after one that is not counted."""
    estimator(n, correct, k_grid(n))
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        estimator(n, correct, k_grid(n))
        times.append(1000 * (time.perf_counter() - start))
    return median(times)


def exact(n: int, c: int, k: int) -> Fraction:
    few, many = min(c, k), max(c, k)
    return 1 - Fraction(comb(n - many, few), comb(n, few))


def truths(n: int, correct: list[int]) -> dict[tuple[int, int], Fraction]:
    """Exact values by row and column of the curve, where they are above 0 and can be written down."""
    return {
        (row, column): exact(n, c, k)
        for row, c in enumerate(correct)
        for column, k in enumerate(k_grid(n))
        if c > 0 and min(c, k) <= 2048
    }


def worst_error(curve: Curve, truth: dict[tuple[int, int], Fraction]) -> float:
    return max(float(abs(Fraction(float(curve[at])) / value - 1)) for at, value in truth.items())


def main() -> None:
    spread = np.random.default_rng(0).integers(0, 1025, size=500).tolist()
    rare = np.random.default_rng(0).binomial(1024, 0.004, size=500).tolist()
    cases = [
        ("500 problems, c uniform", 1024, spread),
        ("500 problems, c about 4", 1024, rare),
        ("1 problem, c = 1", 10**6, [1]),
        ("1 problem, c = 6,000", 10**6, [6_000]),
        ("1 problem, c = 500,000", 10**6, [500_000]),
    ]
    print(f"{'case':26}{'n':>10}{'k':>4}{'ours ms':>10}{'loop ms':>10}{'ours err':>10}{'loop err':>10}")
    for name, n, correct in cases:
        ks, truth = k_grid(n), truths(n, correct)
        ours, loop = milliseconds(pass_curve, n, correct, 101), milliseconds(human_eval_loop, n, correct, 11)
        our_error = worst_error(pass_curve(n, correct, ks), truth)
        loop_error = worst_error(human_eval_loop(n, correct, ks), truth)
        print(f"{name:26}{n:>10,}{len(ks):>4}{ours:>10.2f}{loop:>10.2f}{our_error:>10.0e}{loop_error:>10.0e}")


if __name__ == "__main__":
    main()
