"""basebound run: bring a study up to what a STUDY.toml declares: sample, judge, measure.

Run again it goes on where it stopped; a larger n adds what is missing; a changed setting makes a new run. --dry-run shows what
would be done and loads no model.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.commands.arguments import whole_number
from explorer.commands.narration import Meter, Narrator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.declaration import Declaration
    from engine.fleet import Pace
    from engine.planning import PairPlan
    from engine.sampling import Plan, Sampled
    from engine.scoring import Asked
    from store.errors import NotFound
    from store.reader import Study
    from store.types import Run
    from store.writer import Writer

EXAMPLE = "run study.toml --dry-run"

_HERE = "here"
"""What --ray means without an address: a cluster of this machine alone."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="STUDY.toml", help="`basebound init` writes an example")
    parser.add_argument("--dry-run", action="store_true", help="what would be drawn, prompts and their ids, estimates; no more")
    parser.add_argument("--shard", metavar="I/N", help="draw this part only, into a study of its own; `basebound merge` joins")
    parser.add_argument("--plan", action="store_true", help="then draw extra samples where they settle most, see --spend")
    parser.add_argument("--spend", type=whole_number, metavar="N", help="at most so many extra samples in all")
    parser.add_argument("--ray", nargs="?", const=_HERE, metavar="ADDRESS", help="over a Ray cluster: its address, or `auto`")


def run(arguments: argparse.Namespace) -> int:
    from engine.declaration import plans, read
    from engine.fleet.shards import parse_shard, shard_path
    from explorer.commands import dry_run
    from store.errors import BaseboundError

    narrator = Narrator(arguments.quiet)
    declaration = read(arguments.file)
    if arguments.plan != (arguments.spend is not None) or (arguments.plan and arguments.shard):
        raise BaseboundError(
            "--plan and --spend N go together (`basebound plan DB` says what samples settle), and not with --shard:"
            " what to draw depends on all samples"
        )
    shard = None if arguments.shard is None else parse_shard(arguments.shard)
    path = declaration.study if shard is None else shard_path(declaration.study, shard)
    wanted = plans(declaration, shard, weights=not arguments.dry_run)
    if arguments.dry_run:
        runs = dry_run.show(declaration, wanted, path)
        if arguments.plan and path.exists():
            _planned([(plan, run) for plan, run in zip(wanted, runs, strict=True) if run], path, arguments.spend, narrator)
        return 0
    return _bring_up(arguments, declaration, wanted, path, narrator)


def _bring_up(
    arguments: argparse.Namespace, declaration: Declaration, wanted: Sequence[Plan], path: Path, narrator: Narrator
) -> int:
    """Sample, then all that is made of samples. A model that cannot be sampled is told at the end: the rest is done."""
    from engine.fleet.reaper import reap
    from engine.samplers.base import SamplerError
    from explorer.commands.index import index
    from store.writer import Writer

    errors, failure = 0, None
    with Writer(path, "run") as writer:
        for sentence in reap(writer):
            narrator.say(sentence)
        runs: list[Run] = []
        try:
            runs = _draw(arguments, declaration, wanted, writer, narrator)
        except SamplerError as error:
            failure = error
        if arguments.shard is None:
            errors = _measure(declaration, wanted, writer, narrator)
        if arguments.plan and failure is None:
            extra = _planned(list(zip(wanted, runs, strict=True)), writer.path, arguments.spend, narrator)
            _draw(arguments, declaration, extra, writer, narrator)
            errors = _measure(declaration, wanted, writer, narrator)
    if declaration.analyses.index and arguments.shard is None:
        index(path, narrator)
    if failure is not None:
        raise failure
    if arguments.shard:
        narrator.say(f"{path} has its part of {arguments.file}: `basebound merge {declaration.study} {path}`")
    else:
        narrator.say(f"{path} has what {arguments.file} declares: `basebound explore {path}`")
    return 1 if errors else 0


# -- sampling ---------------------------------------------------------------------------------------------------------------


class _Watch:
    """How sampling goes: samples, tokens a second, engines at work, the time left."""

    def __init__(self, narrator: Narrator) -> None:
        self._meter = Meter(narrator, "sampling", "samples")
        self._narrator = narrator

    def progress(self, pace: Pace) -> None:
        speed = f"{pace.tokens / pace.seconds:,.0f} tokens/s" if pace.tokens and pace.seconds else "loading"
        self._meter.show(pace.done, pace.total, f"{speed} · {pace.engines} at work", pace.drawn)

    def say(self, sentence: str) -> None:
        self._narrator.say(sentence)


def _draw(
    arguments: argparse.Namespace, declaration: Declaration, plans: Sequence[Plan], writer: Writer, narrator: Narrator
) -> list[Run]:
    """What the runs lack; no model is loaded whose runs lack nothing. The run of each plan.

    Raises SamplerError where a model cannot be sampled.
    """
    from engine.foreseen import foresee
    from explorer.commands.sample import tell
    from store.reader import Study

    with Study(writer.path) as study:
        foreseen = foresee(plans, study)
    for one in foreseen:
        if one.run is not None:
            writer.admit(one.run.key, one.plan.n)
        if one.is_complete:
            narrator.say(f"{one.title} on {one.plan.problems[0].benchmark}: all {one.total:,} samples are there")
    lacking = [one.plan for one in foreseen if not one.is_complete]
    drawn = iter(_sampled(arguments, declaration, lacking, writer, narrator) if lacking else [])
    runs = []
    for one in foreseen:
        if one.run is not None and one.is_complete:
            runs.append(one.run)
        else:
            sampled = next(drawn)
            tell(one.plan, sampled, narrator)
            runs.append(sampled.run)
    return runs


def _sampled(
    arguments: argparse.Namespace, declaration: Declaration, plans: Sequence[Plan], writer: Writer, narrator: Narrator
) -> list[Sampled]:
    """By an engine for each GPU, or group of GPUs, of this machine; or of a cluster."""
    engine, watch = declaration.engine, _Watch(narrator)
    if arguments.ray is not None:
        from engine.fleet.ray_engines import draw_all_on_ray

        address = None if arguments.ray == _HERE else arguments.ray
        return draw_all_on_ray(writer, plans, address, watch, engine.tensor_parallel, engine.engines)
    from engine.declaration.planned import places_of
    from engine.fleet.places import left_idle
    from engine.fleet.pool import draw_all

    chosen = places_of(engine)
    if idle := left_idle(chosen):
        narrator.say(idle)
    return draw_all(writer, plans, chosen, watch)


def _planned(plans: Sequence[tuple[Plan, Run]], path: Path, spend: int, narrator: Narrator) -> list[Plan]:
    """The plans with the extra samples that settle most: for the natural pair of each benchmark, `spend` in all."""
    from dataclasses import replace

    from engine.board import natural_pair, read_board
    from engine.planning import extra_of, plan_pair, shared
    from store.reader import Study

    asked = {run.key: plan.n for plan, run in plans}
    found = []
    with Study(path) as study:
        for benchmark in dict.fromkeys(run.benchmark for _, run in plans):
            board = read_board(study, benchmark)
            base, other = natural_pair([run for run in board.runs if run.key in asked and board.counts(run)]) or (None, None)
            if base is not None and other is not None:
                found.append(plan_pair(board, base, other))
            else:
                narrator.say(f"{benchmark}: no two judged runs, so there is nothing to plan")
    extra: dict[str, Mapping[str, int]] = {}
    for one in shared(found, spend):
        narrator.say(_spent(one))
        ours, theirs = extra_of(one, asked[one.base.key])
        extra |= {one.base.key: ours, one.other.key: theirs}
    return [replace(plan, extra=extra[run.key]) for plan, run in plans if run.key in extra]


def _spent(plan: PairPlan) -> str:
    taken, whole = plan.taken, plan.whole
    pair = f"{plan.benchmark}: {plan.base.slug} and {plan.other.slug}"
    if not whole.samples:
        return f"{pair} have nothing left that samples would settle"
    if not taken.samples:
        return f"{pair}: --spend pays for no problem here; the whole plan takes {whole.samples:,} samples"
    told = f"{taken.samples:,} extra samples of {taken.problems:,} problems are expected to settle {taken.settles:.1f}"
    return f"{pair}: {told} (the whole plan: {whole.samples:,}, {whole.settles:.1f})"


# -- what is made of samples ------------------------------------------------------------------------------------------------


def _measure(declaration: Declaration, plans: Sequence[Plan], writer: Writer, narrator: Narrator) -> int:
    """As declared. Returns how many samples came out as ERROR, or could not be measured."""
    from explorer.commands.paths import cluster
    from explorer.commands.verify import judge_all, judge_by

    errors = 0
    if declaration.analyses.verify:
        errors = judge_all(writer, narrator)
        others = (benchmark.verifier for benchmark in declaration.benchmarks)
        errors += sum(judge_by(writer, name, narrator) for name in dict.fromkeys(others) if name is not None)
    if declaration.analyses.score:
        errors += _score(declaration, plans, writer, narrator)
    if declaration.analyses.paths:
        cluster(writer, narrator)
    _complain(writer.path, narrator)
    return errors


def _complain(path: Path, narrator: Narrator) -> None:
    """Loud labels: what was drawn twice, and in what runs that are compared differ besides their models."""
    from engine.board import read_board
    from engine.health import health
    from store.reader import Study

    with Study(path) as study:
        for name in study.benchmarks():
            for label in health(study, read_board(study, name))[1]:
                narrator.complain(f"‼ {label}")


def _score(declaration: Declaration, plans: Sequence[Plan], writer: Writer, narrator: Narrator) -> int:
    """What each base model thinks of all runs of ours, every other of its own and of base's. Returns what could not be done:
    responses that a model cannot read, runs of another vocabulary, token scores of sets that are not there."""
    from engine.checkpoints import has_weights
    from engine.likelihood.crossing import crossings
    from engine.samplers.base import Opening
    from engine.scoring import Judge
    from explorer.commands.score import weigh
    from store import likelihoods
    from store.reader import Study

    engine, undone = declaration.engine, 0
    openings = {
        plan.model: Opening(plan.opening.model, plan.opening.adapter, dtype=engine.dtype, device=engine.device)
        for plan in plans
        if has_weights(plan.opening.model)
    }
    with Study(writer.path) as study:
        runs = [run for run in study.runs() if run.model in openings and not likelihoods.without_ids(study, run.run_id)]
        asked, failure = _asked(declaration, study)
        found = crossings(study, openings, runs)
    if failure is not None:
        narrator.complain(f"‼ no token scores: {failure}")
        undone += 1
    for one in found:
        if one.foreign:
            slugs = ", ".join(run.slug for run in one.foreign)
            narrator.complain(f"‼ {one.model.name} has another vocabulary than {slugs}, which it does not score")
            undone += len(one.foreign)
        if one.runs:
            undone += weigh(writer, Judge(one.model, openings[one.model]), one.runs, narrator, asked).left_out
    return undone


def _asked(declaration: Declaration, study: Study) -> tuple[Asked, NotFound | None]:
    """As declared; without token scores, and why, where they are of a set that is not there."""
    from engine.likelihood.lacking import select
    from engine.scoring import Asked
    from store.errors import NotFound

    asked = Asked(tokens=declaration.analyses.tokens)
    try:
        select(study, asked.where, asked.tokens)
    except NotFound as error:
        return Asked(), error
    return asked, None
