"""`basebound likelihood --json`: all that is known of pairs and of training steps. What is unknown or infinite is null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.analyses.percentiles import Percentiles
    from engine.analyses.perplexity import Perplexity
    from engine.analyses.recovery import Recovery
    from engine.analyses.support import Support
    from engine.board import Board
    from engine.fair import Used
    from engine.likelihoods import PairLikelihoods, StepLikelihood


def document(
    board: Board, pairs: Sequence[PairLikelihoods], parted: Sequence[dict[str, Any]], steps: Sequence[Sequence[StepLikelihood]]
) -> dict[str, Any]:
    keys = {problem.problem_id: problem.key for problem in board.problems}
    return {
        "benchmark": board.benchmark,
        "verifier": board.verifier,
        "pairs": [_pair(pair, keys) | {"partings": one} for pair, one in zip(pairs, parted, strict=True)],
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
        "used": {run.slug: _used(pair.used[run.run_id]) for run in (pair.base, pair.other)},
        "notes": list(pair.notes),
        "missing": [
            {"scorer": model.name, "revision": model.revision, "run": run.slug, "retokenize": run.run_id in pair.anew}
            for model, run in pair.missing
        ],
        "perplexity": {name: _perplexity(getattr(pair, name), keys) for name in names},
        **{name: _support(getattr(pair, name), keys) for name in supports},
        "no_support": pair.no_support,
        "percentiles": _percentiles(pair.percentiles, keys),
        "recovery": _recovery(pair.recovery, keys),
        "recovery_back": _recovery(pair.recovery_back, keys),
        "no_recovery": pair.no_recovery,
    }


def _used(found: Used) -> dict[str, Any]:
    """Which of a run's responses all but recovery is made of."""
    scored = [{"scorer": name, "revision": revision, "responses": many} for (name, revision), many in found.scored.items()]
    told = {"first": found.first, "perhaps_chosen": found.perhaps_chosen, "stored": found.stored, "of": found.of}
    return told | {"scored": scored}


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
