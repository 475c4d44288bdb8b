"""basebound demo: sample, judge, score and cluster with the bundled tiny models, print what came out, explore it.

Every number is made on this machine, now. Stopped at any moment, the same command goes on where it was, and ends with the
samples of an uninterrupted run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from explorer.commands.folders import data_folder, make_folder
from explorer.commands.narration import Narrator

if TYPE_CHECKING:
    from engine.sampling import Plan, Sampled
    from sample_data import TinyModel
    from store.reader import Study
    from store.writer import Writer

EXAMPLE = "demo --no-explore"

SAMPLES: Final = 32
"""Of each problem, by each model at each temperature: what five minutes on two cores allow."""
PAPER: Final = (0.6, 0.95)
"""Temperature and top-p of Yue et al. 2025 (arXiv 2504.13837)."""
OWN: Final = (1.0, 1.0)
"""The models' own distribution."""
TELLING: Final = "correct:yes (set:base-only or set:other-only)"
"""Traces that are looked at token by token: what one model finds, and the other does not."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the study is made; else your data folder")
    parser.add_argument("--no-explore", action="store_true", help="print the tables and stop")


def run(arguments: argparse.Namespace) -> int:
    narrator = Narrator(arguments.quiet)
    study = make_study(arguments.dir or data_folder(), narrator, SAMPLES)
    if arguments.no_explore:
        return 0
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        narrator.say(f"no terminal here: `basebound explore {study}` opens it in one")
        return 0
    from explorer.app import run_explorer

    return run_explorer(study, None, None)


def make_study(folder: Path, narrator: Narrator, samples: int) -> Path:
    """The demo's study, with all its stages run, and its tables on stdout. Raises BaseboundError."""
    from engine import samplers
    from explorer.commands.paths import cluster
    from explorer.commands.sample import draw
    from explorer.commands.verify import judge_all
    from store.writer import Writer

    samplers.require("transformers")  # before anything is made
    make_folder(folder, "choose another with --dir")
    study = folder / "demo.db"
    narrator.say(f"demo study: {study} (tiny models, trained on made-up problems; see sample_data/CARD.md)")
    with Writer(study, "demo") as writer:
        drawn = [draw(writer, plan, narrator) for plan in plans(samples)]
        judge_all(writer, narrator)
        _score(writer, drawn, narrator)
        cluster(writer, narrator)
    show(study, narrator)
    return study


def plans(samples: int) -> Iterator[Plan]:
    """Base, the last RL step and the distilled model as the paper decodes; base and RL at their own distribution too."""
    from sample_data import BASE, DISTILLED, GRPO

    for model, decoding in ((BASE, PAPER), (GRPO[-1], PAPER), (DISTILLED, PAPER), (BASE, OWN), (GRPO[-1], OWN)):
        yield plan(model, decoding, samples)


def plan(model: TinyModel, decoding: tuple[float, float], samples: int) -> Plan:
    """Samples of every held-out problem by one bundled model."""
    from engine.decoding import Decoding
    from engine.problems import read_problems
    from engine.prompts import Template
    from engine.samplers.base import Manner, Opening
    from engine.sampling import Plan, content_revision
    from sample_data import MAX_TOKENS, PROBLEMS, PROMPT
    from store.types import Model

    revision = content_revision(model.path)
    return Plan(
        model=Model(model.name, revision, model.role, model.parent, model.algorithm, model.step, model.training_seed),
        opening=Opening(model.path),
        problems=read_problems(PROBLEMS),
        template=Template(PROMPT),
        manner=Manner(Decoding(*decoding), MAX_TOKENS),
        n=samples,
    )


def _score(writer: Writer, drawn: list[Sampled], narrator: Narrator) -> None:
    """Base and the last RL step on themselves and on each other; token by token what only one of them gets right."""
    from engine.likelihood.crossing import crossings
    from engine.samplers.base import Opening
    from engine.scoring import Asked, Judge
    from explorer.commands.score import weigh
    from sample_data import BASE, GRPO
    from store.reader import Study

    keys = {sampled.run.key for sampled in drawn}
    folders = {(tiny.name, tiny.step): tiny.path for tiny in (BASE, GRPO[-1])}
    with Study(writer.path) as study:
        runs = [run for run in study.runs() if run.key in keys and (run.model.name, run.model.step) in folders]
        found = crossings(study, dict.fromkeys(run.model for run in runs), runs)
    for one in found:
        opening = Opening(folders[one.model.name, one.model.step])
        weigh(writer, Judge(one.model, opening), one.runs, narrator, Asked(tokens=TELLING))


def show(path: Path, narrator: Narrator) -> None:
    """The tables on stdout: pass@k, sets, perplexity, paths."""
    from engine.summary import summarise
    from explorer.commands import passk, paths, score
    from store.reader import Study

    with Study(path) as study:
        boards = passk.read_boards(study)
        passk.show(boards, [summarise(board, intervals=True) for board in boards], narrator)
        sys.stdout.write("\n")
        _show_sets(study)
        sys.stdout.write("\n")
        score.show(study)
        sys.stdout.write("\n")
        paths.show(study)


def _show_sets(study: Study) -> None:
    """Each run against the base model's run of its temperature."""
    from engine.board import read_board, reference_run
    from engine.summary import cover
    from explorer.commands.tables import table

    for name in study.benchmarks():
        board = read_board(study, name)
        rows = []
        for run in board.runs:
            base = reference_run(board.runs, run)
            if base is None or run.model.role is base.model.role or board.common_k(base, run) is None:
                continue
            sets = cover(board, base, run)
            sizes = (sets.both, sets.base_only, sets.other_only, sets.neither)
            p_value = "–, n differ" if sets.mcnemar_p is None else f"{sets.mcnemar_p:.3f}"
            rows.append([base.slug, run.slug, str(sets.k), *(str(len(keys)) for keys in sizes), p_value])
        sys.stdout.write(f"{name} · problems solved at a common k\n")
        sys.stdout.write(table(["base", "other", "k", "both", "base only", "other only", "neither", "McNemar p"], rows))
