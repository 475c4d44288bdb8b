"""Makes first_look.ipynb: its cells stand here, are run here, and their outputs are kept with them.

    python -m sample_data.recipe.notebook [FILE]

Cells run in this process, without a kernel: what a cell prints and the value of its last expression are its outputs, as Jupyter
would show them. The same cells in Jupyter do the same.
"""

from __future__ import annotations

import ast
import base64
import json
import sys
from contextlib import redirect_stdout
from hashlib import sha256
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Final

NOTEBOOK: Final = Path(__file__).parents[1] / "first_look.ipynb"

Cell = tuple[str, str]
"""markdown or code, and the source."""

CELLS: Final[tuple[Cell, ...]] = (
    (
        "markdown",
        """
# A first look at a study

The study that comes with Basebound: tiny models on 60 made-up problems, each model drawn 1024 times (`sample_data/CARD.md` says
how they were made; they settle nothing about large models). Open your own with `basebound.open("study.db")`; everything below
works on it too. pandas and matplotlib come with `pip install 'basebound[report]'`.
""",
    ),
    (
        "code",
        """
import basebound

study = basebound.open(basebound.bundled())
runs = study.frames.runs()
runs[["run", "role", "algorithm", "step", "temperature", "top_p", "max_tokens"]]
""",
    ),
    (
        "markdown",
        """
## Counts

One row for each run and problem. `n` is correct + incorrect + no answer; errors and samples that nobody has judged are no part
of it.
""",
    ),
    (
        "code",
        """
counts = study.frames.counts()
counts.groupby("run", observed=True)[["n", "correct", "no_answer", "error", "unjudged"]].sum()
""",
    ),
    (
        "markdown",
        """
## From counts to pass@k, with bands

The functions of `engine.analyses` take the arrays as they are. `problems` is the 95 % interval over problems like these,
`samples` the one from sampling alone, on these very problems.
""",
    ),
    (
        "code",
        """
import pandas as pd

from engine.analyses.intervals import curve_bands
from engine.analyses.passk import k_grid

BASE, RL = "tiny-base@tiny-sums", "tiny-grpo-step-90@tiny-sums"
base, rl = (counts[counts["run"] == run].set_index("problem") for run in (BASE, RL))
ks = k_grid(1024)
curves = {run: curve_bands(of["n"], of["correct"], ks) for run, of in ((BASE, base), (RL, rl))}

pd.DataFrame(
    {
        (run, what): 100 * values
        for run, curve in curves.items()
        for what, values in (
            ("pass@k", curve.estimate),
            ("low", curve.problems.low),
            ("high", curve.problems.high),
            ("low, sampling", curve.samples.low),
            ("high, sampling", curve.samples.high),
        )
    },
    index=pd.Index(ks, name="k"),
).round(1)
""",
    ),
    (
        "markdown",
        """
## Where the curves cross

Problems are drawn again in pairs, both runs together. The crossover has an interval, and a probability that it happens by n at
all.
""",
    ),
    (
        "code",
        """
from engine.analyses.pairs import compare

found = compare(base["n"], base["correct"], rl["n"], rl["correct"])
crossover = found.crossover
print(f"pass@1: RL - base = {100 * found.difference[0]:+.1f} points, p = {found.p_first:.3f}")
print(f"pass@{found.k}: RL - base = {100 * found.difference[-1]:+.1f} points, p = {found.p_value:.4f}")
print(f"base overtakes from k = {crossover.k} on ({crossover.low} to {crossover.high})")
print(f"probability that it does by n: {crossover.probability:.2f}")
""",
    ),
    (
        "markdown",
        """
## Which problems, and on what evidence

The sets at k = 1024. A problem with one success in 1024 samples may well have none the next time: `clear` says where Fisher's
exact test tells the runs apart, after adjusting for the number of problems.
""",
    ),
    (
        "code",
        """
from engine.analyses.boundary import evidence
from engine.analyses.coverage import coverage

sets = coverage(list(base.index), base["n"], base["correct"], rl["n"], rl["correct"])
print({name: len(getattr(sets, name)) for name in ("both", "base_only", "other_only", "neither")})
print(f"McNemar's exact p = {sets.mcnemar_p:.4f}")

weighed = evidence(base["n"], base["correct"], rl["n"], rl["correct"], budget=sets.k)
table = pd.DataFrame(
    {
        "base correct": base["correct"],
        "RL correct": rl["correct"],
        "q": [one.q_value for one in weighed],
        "clear": [one.clear for one in weighed],
    },
    index=base.index,
)
table.loc[list(sets.base_only)].sort_values("base correct", ascending=False).round(4)
""",
    ),
    (
        "markdown",
        """
## The figure

Light bands: 95 % for the whole curve, over problems. Dark bands: the same from sampling alone.
""",
    ),
    (
        "code",
        """
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for (run, curve), colour, marker, line in zip(curves.items(), ("#0a5db3", "#c2570a"), "os", ("-", "--"), strict=True):
    for band, alpha in ((curve.problems, 0.13), (curve.samples, 0.35)):
        axes.fill_between(ks, 100 * band.low_all, 100 * band.high_all, color=colour, alpha=alpha, linewidth=0)
    axes.plot(ks, 100 * curve.estimate, color=colour, marker=marker, linestyle=line, label=run)
axes.set(xscale="log", xlabel="k", ylabel="pass@k, %", ylim=(0, 104), xticks=ks, xticklabels=ks)
axes.minorticks_off()
axes.set_title("60 problems · n 1024 · T 0.6 · top-p 0.95 · at most 160 tokens · verifier math", fontsize=9, loc="left")
axes.legend(frameon=False)
plt.close(figure)
figure
""",
    ),
    (
        "markdown",
        """
## The samples behind a number

`samples` has one row for each stored trace: outcome, answer, length, perplexity under each model that scored it, audit label.
This study stores a part of what it counts, all right answers at the boundary among them, so rates belong to the counts above,
not to this frame.
""",
    ),
    (
        "code",
        """
samples = study.frames.samples(run=BASE)
right = samples[samples["correct"] & samples["problem"].isin(sets.base_only)]
perplexities = right.groupby("problem", observed=True)["ppl_tiny-base"].describe()[["count", "min", "50%", "max"]]
perplexities.round(3)
""",
    ),
)


def made() -> dict[str, Any]:
    """The notebook with its outputs, as nbformat 4.5 has it."""
    import matplotlib as mpl

    mpl.use("Agg")
    scope: dict[str, Any] = {"__name__": "__main__"}
    cells = []
    number = 0
    for kind, text in CELLS:
        source = text.strip("\n")
        cell: dict[str, Any] = {"cell_type": kind, "id": sha256(source.encode()).hexdigest()[:8], "metadata": {}}
        cell["source"] = source.splitlines(keepends=True)
        if kind == "code":
            number += 1
            cell |= {"execution_count": number, "outputs": run(source, scope, number)}
        cells.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}


def run(source: str, scope: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """A code cell's outputs: what it prints, and the value of its last expression."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    printed = StringIO()
    with redirect_stdout(printed):
        exec(compile(ast.Module(body, []), "<cell>", "exec"), scope)  # noqa: S102 - our own cells
        value = None
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), scope)  # noqa: S307
    outputs: list[dict[str, Any]] = []
    if text := printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)})
    if value is not None:
        shown = {"output_type": "execute_result", "execution_count": number, "metadata": {}, "data": _shown(value)}
        outputs.append(shown)
    return outputs


def _shown(value: Any) -> dict[str, Any]:
    """A value by MIME type, as Jupyter would show it."""
    from matplotlib.figure import Figure

    if isinstance(value, Figure):
        file = BytesIO()
        value.savefig(file, format="png", dpi=110, metadata={"Software": None})
        picture = base64.b64encode(file.getvalue()).decode("ascii")
        return {"image/png": picture, "text/plain": [f"<Figure of {value.get_size_inches()} inches>"]}
    data: dict[str, Any] = {"text/plain": repr(value).splitlines(keepends=True)}
    if hasattr(value, "_repr_html_"):
        data["text/html"] = value._repr_html_().splitlines(keepends=True)
    return data


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else NOTEBOOK
    path.write_text(json.dumps(made(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
