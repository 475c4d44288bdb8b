"""Claim: intervals hold what they say, and come while one waits: 500 problems x 1024 samples x 2 runs in 1.5 s on one core.

    OMP_NUM_THREADS=1 python benchmarks/intervals.py [speed] [curves] [pairs] [size] [--repeats 300]    (all if none is named)

speed   10,000 resamples of problems and 2,000 posterior draws for each of two runs, against the loop one would write with
        numpy: draw problems again, call human-eval's estimator for each problem and k, take the mean. In seconds of
        processor time: what one waits for on one core that nothing else uses.
curves  Coverage of the bands of one run at nominal 95 %: counts are drawn again and again from a known p of each problem,
        known p from a known distribution. "samples" must hold the pass@k of the very problems, "problems" that of the
        distribution. For comparison, "beta prior" is the former under one fitted beta, "bootstrap" the latter by the plain
        percentile bootstrap. "all" is the simultaneous band.
pairs   The same for the difference of two runs, the gap and the crossover, the other run being better at small k and
        without the hard problems that base sometimes solves.
size    How often the test of a difference calls two runs of ONE model different at p <= 0.05, and how often the band over
        problems leaves out 0, at k = 1 and at the common k. Then how often it sees a true difference where n are unequal, and
        how often equivalence within 5 points is found where 5.1 % of problems change by 98, and where nothing does.

In the simulations 1,000 posterior draws and 2,000 resamples are taken. With 300 repetitions a figure of 95 has a standard
error of 1.3 points.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine.analyses.crossover import fine_grid
from engine.analyses.intervals import Band, band, curve_bands, posterior_curves, resampled_curves, resampled_differences
from engine.analyses.pairs import compare, equivalence, paired_p
from engine.analyses.passk import k_grid, pass_curve
from engine.analyses.prior import fit_beta

Values = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Values]

TRUTHS: dict[str, Draw] = {
    "beta(.3, .7)": lambda rng, size: rng.beta(0.3, 0.7, size),
    "beta(.1, .5)": lambda rng, size: rng.beta(0.1, 0.5, size),
    "two humps": lambda rng, size: np.where(rng.random(size) < 0.5, rng.beta(2, 400, size), rng.beta(20, 4, size)),
    "0 or beta": lambda rng, size: np.where(rng.random(size) < 0.3, 0.0, rng.beta(0.8, 1.2, size)),
    "log-uniform": lambda rng, size: 10 ** rng.uniform(-6, 0, size),
}
SIZES = (30, 100, 500)
MANY = 1_000_000
"""Problems that stand for a distribution."""


def curve_of(p: Values, ks: Sequence[int]) -> Values:
    """pass@k over problems with these p."""
    with np.errstate(divide="ignore"):
        log_failure = np.log1p(-p)
    return np.array([-np.expm1(k * log_failure).mean() for k in ks])


def held(limits: Band, truth: Values) -> Values:
    """1 or 0 per k, and for the simultaneous band last."""
    inside = (limits.low <= truth) & (truth <= limits.high)
    all_inside = ((limits.low_all <= truth) & (truth <= limits.high_all)).all()
    return np.append(inside, all_inside).astype(np.float64)


def plain_bootstrap(n: int, c: NDArray[np.int64], ks: Sequence[int], rng: np.random.Generator) -> Values:
    problems = len(c)
    times = rng.multinomial(problems, np.full(problems, 1 / problems), 2000)
    return np.asarray(times @ pass_curve(n, c, ks) / problems)


def beta_prior(n: int, c: NDArray[np.int64], ks: Sequence[int], rng: np.random.Generator) -> Values:
    prior = fit_beta(n, c)
    p = rng.beta(prior.a + c, prior.b + n - c, (1000, len(c)))
    return np.array([curve_of(drawn, ks) for drawn in p])


def line(name: str, values: Values, digits: int = 1) -> None:
    print(f"    {name:<22}" + "".join(f"{value:>8.{digits}f}" for value in values), flush=True)


def curves(repeats: int) -> None:
    shares: dict[str, list[Values]] = defaultdict(list)
    for name, draw in TRUTHS.items():
        for n in (128, 1024):
            ks = [1, 8, n // 8, n // 4, n // 2, n]
            over = curve_of(draw(np.random.default_rng(99), MANY), ks)
            print(f"\n{name}, n = {n}, coverage in %:" + " " * 6 + "".join(f"{k:>8}" for k in [*ks, "all"]))
            for problems in SIZES:
                hits: dict[str, Values] = defaultdict(lambda: np.zeros(7))
                for repeat in range(repeats):
                    rng = np.random.default_rng([repeat, problems, n])
                    p = draw(rng, problems)
                    c = rng.binomial(n, p)
                    estimate = pass_curve(n, c, ks).mean(axis=0)
                    drawn = posterior_curves(n, c, ks, draws=1000, seed=repeat)
                    hits["samples"] += held(band(drawn, estimate), curve_of(p, ks))
                    hits["beta prior"] += held(band(beta_prior(n, c, ks, rng), estimate), curve_of(p, ks))
                    drawn = resampled_curves(n, c, ks, resamples=2000, seed=repeat)
                    hits["problems"] += held(band(drawn, estimate), over)
                    hits["bootstrap"] += held(band(plain_bootstrap(n, c, ks, rng), estimate), over)
                for kind, count in hits.items():
                    shares[f"{kind}, M = {problems}"].append(100 * count / repeats)
                    line(f"{kind}, M = {problems}", 100 * count / repeats)
    for what, reduced in (("Mean", np.mean), ("Lowest", np.min)):
        print(f"\n{what + ' of the ten cases:':<26}" + "".join(f"{k:>8}" for k in ("1", "8", "n/8", "n/4", "n/2", "n", "all")))
        for row, cases in shares.items():
            line(row, reduced(cases, axis=0))


def trained(p: Values) -> Values:
    """What training makes of p here: likely answers likelier, those below 2 % five times as rare."""
    return np.where(p < 0.02, p / 5, np.sqrt(p))


def true_crossover(base: Values, other: Values, most: int) -> float:
    """The smallest k from which base is ahead up to `most`; inf where it is not."""

    def behind(k: int) -> bool:
        return bool(curve_of(other, [k])[0] >= curve_of(base, [k])[0])

    grid = [int(k) for k in fine_grid(most)]
    last = max((i for i, k in enumerate(grid) if behind(k)), default=-1)
    if last == len(grid) - 1:
        return np.inf
    return next(float(k) for k in range(grid[last] + 1, grid[last + 1] + 1) if not behind(k))


def pairs(repeats: int) -> None:
    n = 128
    ks = [1, 8, 16, 32, 64, 128]
    for name, draw in TRUTHS.items():
        many = draw(np.random.default_rng(99), MANY)
        over = curve_of(trained(many), ks) - curve_of(many, ks)
        gap, crossing = curve_of(many, [n])[0] - curve_of(trained(many), [1])[0], true_crossover(many, trained(many), n)
        print(f"\n{name}, n = {n}, difference, coverage in %:" + "".join(f"{k:>8}" for k in [*ks, "all", "gap", "k*"]))
        for problems in SIZES:
            hits: dict[str, Values] = {"samples": np.zeros(7), "problems": np.zeros(9)}
            for repeat in range(repeats):
                rng = np.random.default_rng([repeat, problems, n])
                p = draw(rng, problems)
                base, other = rng.binomial(n, p), rng.binomial(n, trained(p))
                found = compare(n, base, n, other, ks=ks, seed=repeat)
                hits["samples"] += held(found.samples, curve_of(trained(p), ks) - curve_of(p, ks))
                crossed = found.crossover
                low, high = (np.inf if limit is None else limit for limit in (crossed.low, crossed.high))
                in_gap = found.gap_interval.low <= gap <= found.gap_interval.high
                hits["problems"] += np.append(held(found.problems, over), [in_gap, low <= crossing <= high])
            for kind, count in hits.items():
                line(f"{kind}, M = {problems}", 100 * count / repeats)
        print(f"    true k* {crossing:.0f}, true gap {gap:.3f}")


def size(repeats: int) -> None:
    print(
        "\nOne model twice, called different at p <= 0.05, in %:    "
        + "".join(f"{k:>8}" for k in ("test, 1", "n", "band, 1", "n"))
    )
    for name, draw in TRUTHS.items():
        for problems in SIZES:
            for base_n, other_n in ((128, 128), (1024, 256)):
                called = np.zeros(4)
                for repeat in range(repeats):
                    rng = np.random.default_rng([repeat, problems, base_n])
                    p = draw(rng, problems)
                    base, other = rng.binomial(base_n, p), rng.binomial(other_n, p)
                    ks = [1, other_n]
                    called[:2] += [paired_p(base_n, base, other_n, other, k, repeat) <= 0.05 for k in ks]
                    values = pass_curve(other_n, other, ks) - pass_curve(base_n, base, ks)
                    limits = band(resampled_differences(values, np.array(ks) / other_n, 2000, repeat), values.mean(axis=0))
                    called[2:] += (limits.low > 0) | (limits.high < 0)
                print(f"    {name:<14} M = {problems:<4} n = {base_n} and {other_n:<6}", end="")
                line("", 100 * called / repeats)
    seen(repeats)
    alike(repeats)


def seen(repeats: int) -> None:
    """30 % less likely at k = 1, 65 % less at k = 128."""
    print("\nA true difference, called one at p <= 0.05, in %:")
    fewer_by_one = np.append(127, np.full(59, 128))
    ns = (("128 and 128", 128), ("1024 and 128", 1024), ("one problem 127, others 128, and 128", fewer_by_one))
    for k, b, share in ((1, 2, 0.7), (127, 4, 0.35)):
        for name, n in ns:
            called = 0
            for repeat in range(repeats):
                rng = np.random.default_rng([repeat, k])
                p = rng.beta(0.4, b, 60)
                called += paired_p(n, rng.binomial(n, p), 128, rng.binomial(128, share * p), k, repeat) <= 0.05
            print(f"    k = {k:<5} M = 60   n = {name:<40}{100 * called / repeats:>8.1f}")


def alike(repeats: int) -> None:
    print("\nEquivalent within 5 points at k = 1, in %:" + "".join(f"{m:>8}" for m in (3, 10, 30, 60, 100, 500)))
    for name, share in (("true mean 5 points", 0.051), ("one model", 0.0)):
        found = []
        for problems in (3, 10, 30, 60, 100, 500):
            called = 0
            for repeat in range(repeats):
                rng = np.random.default_rng([repeat, problems])
                p = np.where(rng.random(problems) < share, 1.0, 0.02)
                base, other = rng.binomial(128, 0.02, problems), rng.binomial(128, p)
                called += equivalence(128, base, 128, other, 1, 0.05, seed=repeat).equivalent
            found.append(100 * called / repeats)
        print(f"    {name:<38}" + "".join(f"{share:>8.1f}" for share in found), flush=True)


def loop(n: int, c: NDArray[np.int64], ks: Sequence[int], resamples: int) -> Values:
    """The mean of human-eval's estimator over problems drawn again, as [resamples, len(ks)]."""

    def estimate(correct: int, k: int) -> float:
        return 1.0 if n - correct < k else 1.0 - float(np.prod(1.0 - k / np.arange(n - correct + 1, n + 1)))

    rng = np.random.default_rng(0)
    again = (rng.choice(c, len(c)) for _ in range(resamples))
    return np.array([[np.mean([estimate(int(one), k) for one in drawn]) for k in ks] for drawn in again])


def speed(_repeats: int) -> None:
    n, rng = 1024, np.random.default_rng(0)
    p = rng.beta(0.3, 0.7, 500)
    base, other = rng.binomial(n, p), rng.binomial(n, trained(p))
    ks = k_grid(n)

    def seconds(work: Callable[[], object], times: int = 5) -> float:
        took = []
        for _ in range(times):
            start = time.process_time()
            work()
            took.append(time.process_time() - start)
        return median(took)

    ours = seconds(lambda: [curve_bands(n, c, ks) for c in (base, other)])
    both = seconds(lambda: compare(n, base, n, other))
    again = seconds(lambda: [resampled_curves(n, c, ks) for c in (base, other)])
    one = seconds(lambda: [loop(n, c, ks, 10) for c in (base, other)], 1) / 10
    print("500 problems x 1024 samples x 2 runs, k = 1, 2, 4, ..., 1024; medians of five")
    print(f"    bands of both runs: 10,000 resamples and 2,000 posterior draws each   {ours:8.2f} s")
    print(f"    of which the resamples                                                {again:8.2f} s")
    print(f"    compare: bands of the difference, tests, crossover, gap               {both:8.2f} s")
    print(f"    loop over human-eval's estimator, {one:.2f} s a resample, 10,000 of them  {10_000 * one:8.0f} s")


PARTS = {"speed": speed, "curves": curves, "pairs": pairs, "size": size}


def main() -> None:
    parser = argparse.ArgumentParser(description="coverage and speed of the intervals")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="speed, curves, pairs, size; all when none is named")
    parser.add_argument("--repeats", type=int, default=300)
    chosen = parser.parse_args()
    for part in chosen.parts or PARTS:
        PARTS[part](chosen.repeats)


if __name__ == "__main__":
    main()
