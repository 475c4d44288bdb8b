"""basebound score: what a model thinks of the responses of runs. Stopped at any moment, it goes on where it was.

Sums of all, at temperature 1 and at the decoding of the run; token by token where --tokens says so. What another model or a
person wrote is scored with --retokenize. `basebound likelihood` then shows what the figures say of two models.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.commands.narration import Meter, Narrator
from explorer.commands.tables import UNKNOWN_MARK, parts, percent, table
from explorer.render.words import counted

if TYPE_CHECKING:
    from engine.analyses.perplexity import Perplexity
    from engine.samplers.base import Opening
    from engine.scoring import Asked, Judge, ScoredRuns
    from store.reader import Study
    from store.rows import RunRow
    from store.writer import Writer

EXAMPLE = "score {db} --scorer models/my-base-7b --of my-base-7b my-rl-7b --tokens 'set:base-only correct:yes'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument("--scorer", type=Path, required=True, metavar="DIR", help="a folder as transformers saves a model")
    parser.add_argument("--of", nargs="+", required=True, metavar="RUN", help="slugs or model names")
    parser.add_argument("--where", metavar="EXPR", help="only traces that fit, as in `basebound list`")
    parser.add_argument(
        "--tokens", nargs="?", const="", metavar="EXPR", help="token by token, too: those that fit; all without EXPR"
    )
    parser.add_argument(
        "--retokenize", action="store_true", help="score the text where token ids are unknown or another model's"
    )
    parser.add_argument("--prompt-of", metavar="RUN", help="after whose prompts; else those of the scorer's own run")
    parser.add_argument(
        "--engine", default="transformers", metavar="E", help="transformers, vllm or server; transformers unless said"
    )
    parser.add_argument("--url", metavar="URL", help="of the server to ask, e.g. http://localhost:8000/v1")
    parser.add_argument("--served", metavar="NAME", help="what that server calls the model; else the only one it has")
    parser.add_argument("--adapter", type=Path, metavar="DIR", help="a LoRA adapter of the scorer, as peft saves one")
    parser.add_argument("--dtype", metavar="D", help="float64, float32, bfloat16, float16; else what suits model and device")
    parser.add_argument("--device", metavar="D", help="cpu, cuda, cuda:1; else a GPU where there is one")


def run(arguments: argparse.Namespace) -> int:
    from engine.scoring import Judge, find_scorer
    from store.reader import Study
    from store.writer import Writer

    narrator = Narrator(arguments.quiet)
    opening = _opening(arguments)
    with Study(arguments.db) as study:
        asked = _asked(study, arguments)
        runs = [study.find_run(name) for name in arguments.of]
        judge = Judge(find_scorer(study, arguments.scorer, arguments.adapter), opening, arguments.engine)
    with Writer(arguments.db, "score") as writer:
        done = weigh(writer, judge, runs, narrator, asked)
    with Study(arguments.db) as study:
        show(study)
    return 1 if done.left_out else 0


def _asked(study: Study, arguments: argparse.Namespace) -> Asked:
    from engine.scoring import Asked
    from store.errors import BaseboundError

    if arguments.prompt_of and not arguments.retokenize:
        raise BaseboundError("--prompt-of is for texts that --retokenize scores; give both, or leave it out")
    prompt_of = study.find_run(arguments.prompt_of) if arguments.prompt_of else None
    return Asked(arguments.where, arguments.tokens, arguments.retokenize, prompt_of)


def _opening(arguments: argparse.Namespace) -> Opening:
    """Raises SamplerError before anything is read, where it could not be opened."""
    from engine.checkpoints import require_adapter, require_model
    from engine.likelihood import require_scorer
    from engine.samplers.base import Opening, SamplerError

    require_scorer(arguments.engine)
    if arguments.engine != "server":
        require_model(arguments.scorer)
        if arguments.url or arguments.served:
            raise SamplerError(
                f"--url and --served are for --engine server, not {arguments.engine}; say that, or leave them out"
            )
    if arguments.adapter is not None:
        require_adapter(arguments.adapter)
    return Opening(
        model=arguments.scorer,
        adapter=arguments.adapter,
        dtype=arguments.dtype,
        device=arguments.device,
        url=arguments.url,
        served=arguments.served,
    )


def weigh(writer: Writer, judge: Judge, runs: list[RunRow], narrator: Narrator, asked: Asked | None = None) -> ScoredRuns:
    """Score, telling how far it is and what came of it."""
    from engine.scoring import Asked, score

    meter = Meter(narrator, f"scoring with {judge.model.name}", "responses")
    done = score(writer, judge, runs, asked or Asked(), meter.show)
    narrator.say(f"{judge.model.name} scored {_told(done)} of {', '.join(run.slug for run in runs)}")
    for note in done.notes:
        narrator.complain(f"‼ {note}")
    return done


def _told(done: ScoredRuns) -> str:
    """How many, and how."""
    ways = ((done.detailed, "token by token"), (done.retokenized, "tokenized anew"), (done.truncated, "cut by a length limit"))
    told = ", ".join(f"{number:,} {way}" for number, way in ways if number)
    return counted(done.responses, "response") + (f" ({told})" if told else "")


def show(study: Study) -> None:
    """The table of everything scored, on stdout."""
    from engine.analyses.perplexity import perplexities
    from store.likelihoods import likelihoods
    from store.measures import models

    found = perplexities(likelihoods(study))
    runs = {run.run_id: run for run in study.runs()}
    header = [
        "responses of",
        "under",
        "responses",
        "cut",
        "median PPL",
        "of correct",
        "without stop",
        "whole trace",
        "supported %",
    ]
    steps = {(model.name, model.revision): model.step for model in models(study)}
    rows = [_row(runs[one.run_id], one, steps.get((one.scorer, one.revision))) for one in found]
    sys.stdout.write(
        "perplexity at T 1, and the median probability of a whole trace · cut: by a length limit\n"
        "supported: every token lies in the scorer's own top-p set at the run's decoding\n"
    )
    sys.stdout.write(table(header, rows))
    sys.stdout.write(_anew(runs, found))
    sys.stdout.write(parts(study))


def _row(run: RunRow, one: Perplexity, step: int | None) -> list[str]:
    from engine.analyses.perplexity import odds

    scorer = one.scorer if step is None else f"{one.scorer} step {step}"
    return [
        run.slug,
        scorer,
        f"{one.responses:,}",
        f"{one.truncated:,}",
        _known(one.median if one.responses else None),
        _known(one.median_correct),
        _known(one.no_stop.median),
        odds(one.nats) if one.responses else UNKNOWN_MARK,
        percent(one.supported),
    ]


def _known(value: float | None) -> str:
    return UNKNOWN_MARK if value is None else f"{value:.3f}"


def _anew(runs: dict[int, RunRow], found: list[Perplexity]) -> str:
    """A line on texts that were tokenized anew; nothing where there are none."""
    told = [f"{one.retokenized:,} of {runs[one.run_id].slug} under {one.scorer}" for one in found if one.retokenized]
    if not told:
        return ""
    return f"‼ tokenized anew, not as they were generated, and without a stop token: {', '.join(told)}\n"
