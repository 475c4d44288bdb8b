"""basebound score: what a model thinks of the responses of runs. Stopped at any moment, it goes on where it was.

Sums of all, at temperature 1 and at the decoding of the run; token by token where --tokens says so. What another model or a
person wrote is scored with --retokenize. `basebound likelihood` then shows what the figures say of two models.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

from explorer.commands.likelihood_tables import figure
from explorer.commands.narration import Meter, Narrator
from explorer.commands.tables import UNKNOWN_MARK, percent
from explorer.commands.wrapping import command, narrow, wrapped
from explorer.render.words import counted
from store.names import number_text
from store.types import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.analyses.perplexity import Perplexity
    from engine.fair import Used
    from engine.samplers.base import Opening
    from engine.scoring import Asked, Judge, ScoredRuns
    from store.reader import Study
    from store.rows import RunRow
    from store.types import Model, Settings
    from store.writer import Writer

_TITLE: Final = (
    "perplexity at T 1 · PPL: median PPL of the responses · correct: of the correct ones · whole trace: the median chance of a"
    " response · supported %: of the responses, those with every token in the scorer's own top-p set at the run's decoding"
)

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
    parser.add_argument("--again", action="store_true", help="score what is there, too: another dtype, damaged scores")
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
        show(study, judge.model)
    sys.stdout.write(
        wrapped("what the figures say of two models:") + command(f"basebound likelihood {quote(str(arguments.db))}")
    )
    return 1 if done.left_out else 0


def _asked(study: Study, arguments: argparse.Namespace) -> Asked:
    from engine.scoring import Asked
    from store.errors import BaseboundError

    if arguments.prompt_of and not arguments.retokenize:
        raise BaseboundError("--prompt-of is for texts that --retokenize scores; give both, or leave it out")
    prompt_of = study.find_run(arguments.prompt_of) if arguments.prompt_of else None
    return Asked(arguments.where, arguments.tokens, arguments.retokenize, prompt_of, arguments.again)


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


def show(study: Study, scorer: Model | None = None) -> None:
    """What was scored, on stdout: a table for each scorer and benchmark. scorer: this one's alone."""
    from engine.board import read_board
    from engine.fair import fair_perplexities, used_by_run
    from store.measures import models

    steps = {(model.name, model.revision): model.step for model in models(study)}
    sys.stdout.write(wrapped(_TITLE))
    for benchmark in study.benchmarks():
        board = read_board(study, benchmark)
        runs = {run.run_id: run for run in board.runs}
        found: dict[tuple[str, str], list[Perplexity]] = {}
        for one in fair_perplexities(study, board):
            found.setdefault((one.scorer, one.revision), []).append(one)
        for model, ones in found.items():
            if scorer is None or model == (scorer.name, scorer.revision):
                sys.stdout.write(_table(model[0], steps.get(model), benchmark, runs, ones))
        told = [
            one.run_id
            for model, ones in found.items()
            for one in ones
            if scorer is None or model == (scorer.name, scorer.revision)
        ]
        used = used_by_run(study, board, [runs[run_id] for run_id in dict.fromkeys(told)])
        sys.stdout.write(_used(runs, used, scorer))


def _table(scorer: str, step: int | None, benchmark: str, runs: Mapping[int, RunRow], found: Sequence[Perplexity]) -> str:
    """Where all is supported or not at one decoding, the title tells it; else each row does."""
    name = scorer if step is None else f"{scorer} step {step}"
    decodings = [_decoding(runs[one.run_id].settings) if one.supported is not None else UNKNOWN_MARK for one in found]
    told = sorted({decoding for decoding in decodings if decoding != UNKNOWN_MARK})
    title = f"under {name}, on {benchmark}" + (f" · supported % at {told[0]}" if len(told) == 1 else "")
    head = ("responses of", "scored", "PPL", "correct", "whole trace", "supported %", *(["at"] if len(told) > 1 else []))
    rows = [
        [*_row(runs[one.run_id], one), *([decoding] if len(told) > 1 else [])]
        for one, decoding in zip(found, decodings, strict=True)
    ]
    return wrapped(title) + narrow(head, rows) + "".join(map(wrapped, _marks(runs, found, name)))


def _row(run: RunRow, one: Perplexity) -> list[str]:
    from engine.analyses.perplexity import odds

    return [
        run.name,
        f"{one.responses:,}",
        figure(one.median),
        figure(one.median_correct),
        odds(one.nats) if one.responses else UNKNOWN_MARK,
        percent(one.supported),
    ]


def _decoding(settings: Settings) -> str:
    """At which a response is supported or not; where nobody knows how a run was drawn, that is another run's."""
    if UNKNOWN in (settings.temperature, settings.top_p):
        return "another run's decoding"
    top_k = f", top-k {settings.top_k}" if settings.top_k not in (0, UNKNOWN) else ""
    return f"T {number_text(settings.temperature)}, top-p {number_text(settings.top_p)}{top_k}"


def _marks(runs: Mapping[int, RunRow], found: Sequence[Perplexity], name: str) -> list[str]:
    """What must be known of rows, and no column tells."""
    cut = [f"{one.truncated:,} of {runs[one.run_id].slug}" for one in found if one.truncated]
    anew = [f"{one.retokenized:,} of {runs[one.run_id].slug}" for one in found if one.retokenized]
    lines = [f"‼ cut by a length limit: {', '.join(cut)}"] if cut else []
    if anew:
        lines.append(f"‼ tokenized anew, not as they were generated, and without a stop token: {', '.join(anew)} under {name}")
    return lines


def _used(runs: Mapping[int, RunRow], used: Mapping[int, Used], scorer: Model | None) -> str:
    """Of which responses figures are, where they are not of all, and where the scorer has not gone through all of those."""
    from engine.likelihoods import scored_partly

    lines = [
        f"{'‼ ' if one.perhaps_chosen else ''}{runs[run_id].slug}: {one.words}, {one.of:,} of {one.stored:,} stored"
        for run_id, one in used.items()
        if one.first is not None or one.perhaps_chosen
    ]
    for run_id, one in used.items():
        told = {by: number for by, number in one.scored.items() if scorer is None or by == (scorer.name, scorer.revision)}
        lines += [f"‼ {said}" for said in scored_partly(runs[run_id], replace(one, scored=told))]
    return wrapped(*lines) if lines else ""
