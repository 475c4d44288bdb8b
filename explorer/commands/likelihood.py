"""basebound likelihood: was it already in the base model? What two runs' responses are worth under both models.

Perplexity at temperature 1; percentiles among base's own; whether the nucleus lets base draw a trace at all, with base's own
responses as the null; and how much of base's chance on a problem the other model's right answers make up. `basebound score`
measures; this adds up. With --trace, one response step by step and token by token.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.commands.likelihood_tables import text
from explorer.commands.narration import Narrator
from explorer.commands.tables import parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.analyses.percentiles import Percentiles
    from engine.analyses.perplexity import Perplexity
    from engine.analyses.recovery import Recovery
    from engine.analyses.support import Support
    from engine.board import Board
    from engine.likelihoods import PairLikelihoods, StepLikelihood
    from store.reader import Study
    from store.rows import RunRow

EXAMPLE = "likelihood {db} --all"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument("--benchmark", metavar="B", help="this one only")
    parser.add_argument("--base", metavar="RUN", help="hold the other runs against this one; else the roles tell")
    parser.add_argument("--other", metavar="RUN", help="this run only; else each that has a base")
    parser.add_argument("--all", action="store_true", help="recovery of every problem, not only of those that one run solves")
    parser.add_argument("--trace", metavar="LINK", help="one response token by token: benchmark:problem:run:index")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    from store.reader import Study

    with Study(arguments.db) as study:
        if arguments.trace:
            from explorer.commands.likelihood_trace import show_trace

            return show_trace(study, arguments.trace, Narrator(arguments.quiet), as_json=arguments.json)
        return _show(study, arguments)


def _show(study: Study, arguments: argparse.Namespace) -> int:
    from engine.likelihoods import over_steps, read_pair
    from explorer.commands.passk import read_boards

    narrator = Narrator(arguments.quiet)
    boards = read_boards(study, arguments.benchmark)
    chosen = {board.benchmark: _pairs(study, board, arguments, len(boards)) for board in boards}
    documents, texts = [], []
    for board in boards:
        pairs = [read_pair(study, board, base, other) for base, other in chosen[board.benchmark]]
        if not pairs:
            narrator.say(f"{board.benchmark}: no pairs; name two runs with --base and --other, or roles with import --role")
        bases = {pair.base.run_id: pair.base for pair in pairs}
        steps = [steps for base in bases.values() if len(steps := over_steps(study, board, base)) > 1]
        documents.append(_document(board, pairs, steps))
        texts += [text(board, pair, study.path, every=arguments.all) for pair in pairs]
        texts += [_steps_text(found) for found in steps]
    if arguments.json:
        sys.stdout.write(json.dumps({"schema": 1, "benchmarks": documents}, indent=1, allow_nan=False) + "\n")
    else:
        sys.stdout.write("\n".join(texts) + parts(study))
    return 0


def _steps_text(found: list[StepLikelihood]) -> str:
    from explorer.commands.likelihood_tables import steps_text

    return steps_text(found)


def _pairs(study: Study, board: Board, arguments: argparse.Namespace, boards: int) -> list[tuple[RunRow, RunRow]]:
    """As `passk` pairs runs; one of them alone with --other. Raises NotFound for a run that no benchmark asked for has."""
    from engine.board import compared_with
    from engine.summary import pairs_of

    base = _named(study, arguments.base, board, boards)
    other = _named(study, arguments.other, board, boards)
    if (arguments.base and base is None) or (arguments.other and other is None):
        return []
    if other is None:
        return pairs_of(board, base)
    against = base or compared_with(board.runs, other)
    if against is None or against.run_id == other.run_id:
        from store.errors import NotFound

        raise NotFound(f"{other.slug} is held against itself; name another run with --base")
    return [(against, other)]


def _named(study: Study, name: str | None, board: Board, boards: int) -> RunRow | None:
    """The run of that name on the board; None where nobody named one, or where this benchmark of several has none."""
    from store.errors import NotFound

    if name is None:
        return None
    try:
        return study.find_run(name, board.benchmark)
    except NotFound:
        if boards == 1:
            raise
        study.find_run(name)  # it must be somewhere
        return None


def _document(board: Board, pairs: list[PairLikelihoods], steps: list[list[StepLikelihood]]) -> dict[str, Any]:
    keys = {problem.problem_id: problem.key for problem in board.problems}
    return {
        "benchmark": board.benchmark,
        "verifier": board.verifier,
        "pairs": [_pair(pair, keys) for pair in pairs],
        "steps": [
            {
                "run": one.run.slug,
                "model": one.run.model.name,
                "step": one.run.model.step,
                "perplexity": _perplexity(one.perplexity, keys),
                "percentiles": _percentiles(one.percentiles, keys),
                "support": _support(one.support, keys),
            }
            for found in steps
            for one in found
        ],
    }


def _pair(pair: PairLikelihoods, keys: Mapping[int, str]) -> dict[str, Any]:
    names = ("base_on_base", "base_on_other", "other_on_other", "other_on_base")
    supports = ("support", "null", "support_back", "null_back")
    return {
        "base": pair.base.slug,
        "other": pair.other.slug,
        "missing": [{"scorer": model.name, "revision": model.revision, "run": run.slug} for model, run in pair.missing],
        "perplexity": {name: _perplexity(getattr(pair, name), keys) for name in names},
        **{name: _support(getattr(pair, name), keys) for name in supports},
        "no_support": pair.no_support,
        "percentiles": _percentiles(pair.percentiles, keys),
        "recovery": _recovery(pair.recovery, keys),
        "recovery_back": _recovery(pair.recovery_back, keys),
        "no_recovery": pair.no_recovery,
    }


def _perplexity(found: Perplexity | None, keys: Mapping[int, str]) -> dict[str, Any] | None:
    if found is None:
        return None
    from engine.analyses.perplexity import QUANTILES, odds

    document = {name: value for name, value in asdict(found).items() if name not in ("problems", "run_id")}
    document["quantiles"] = dict(zip(map(str, QUANTILES), found.quantiles, strict=True))
    document["odds"] = odds(found.nats)
    document["problems"] = {
        keys[one.problem_id]: {"every": asdict(one.every), "correct": asdict(one.correct)} for one in found.problems
    }
    return {name: _finite(value) for name, value in document.items()}


def _support(found: Support | None, keys: Mapping[int, str]) -> dict[str, Any] | None:
    if found is None:
        return None
    left = ("problems", "run_id")
    names = [name for name in type(found).__dataclass_fields__ if name not in left]
    return {
        **{name: getattr(found, name) for name in names},
        "share": found.share,
        "over_problems": found.over_problems,
        "correct_share": found.correct_share,
        "problems": {keys[problem]: list(counts) for problem, counts in found.problems.items()},
    }


def _percentiles(found: Percentiles | None, keys: Mapping[int, str]) -> dict[str, Any] | None:
    if found is None:
        return None
    return asdict(found) | {"problems": {keys[problem]: mean for problem, mean in found.problems.items()}}


def _recovery(found: Mapping[int, Recovery], keys: Mapping[int, str]) -> dict[str, Any]:
    return {
        keys[problem]: _finite({name: value for name, value in asdict(one).items() if name != "problem_id"})
        for problem, one in found.items()
    }


def _finite(value: Any) -> Any:
    """JSON has no infinity and no nan: null."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value
