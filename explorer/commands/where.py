"""What `list` and `slice` share: which traces are meant. A filter expression or a saved view, a benchmark, a pair of runs."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.membership import Pair
    from store.query import Query
    from store.reader import Study


@dataclass(frozen=True, slots=True)
class Where:
    """What was asked for."""

    query: Query
    benchmark: str | None
    pair: Pair | None
    """Whose sets are meant; None for the pair that roles tell."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those that say which traces."""
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument(
        "--where",
        metavar="EXPR",
        help="words, \"a phrase\", re:/x|y/, field:value, field>number, -inverse, or, ( ); a first -: --where='-...'",
    )
    parser.add_argument("--view", metavar="NAME", help="the expression saved under this name in the explorer")
    parser.add_argument("--benchmark", metavar="B", help="this one only")
    parser.add_argument("--base", metavar="RUN", help="with --other: the runs that set: and evidence: speak of")
    parser.add_argument("--other", metavar="RUN")
    parser.add_argument("--verifier", metavar="V", help="judge by this one's verdicts, e.g. imported; else the deciding one")


def read(study: Study, arguments: argparse.Namespace) -> Where:
    """Raises BadQuery for an expression that cannot be read, NotFound for a run, benchmark or view that is not there."""
    from store.query import parse

    study.require_verifier(arguments.verifier)
    query = parse(_expression(arguments))
    benchmark = study.benchmark(arguments.benchmark) if arguments.benchmark else None
    pair = _pair(study, arguments, benchmark)
    return Where(query, benchmark or (pair[0].benchmark if pair else None), pair)


def _expression(arguments: argparse.Namespace) -> str:
    from explorer import memory
    from store.errors import BaseboundError, NotFound

    if arguments.view is None:
        return arguments.where or ""
    if arguments.where is not None:
        raise BaseboundError("give --where or --view, not both")
    views = memory.load().views
    if arguments.view not in views:
        kept = f"there are {', '.join(sorted(views))}" if views else "v in the explorer saves one"
        raise NotFound(f"no view is saved as '{arguments.view}'; {kept}")
    return views[arguments.view]


def _pair(study: Study, arguments: argparse.Namespace, benchmark: str | None) -> Pair | None:
    from store.errors import BaseboundError, NotFound

    if arguments.base is None and arguments.other is None:
        return None
    if arguments.base is None or arguments.other is None:
        raise BaseboundError("--base and --other name two runs together; give both or none")
    base = study.find_run(arguments.base, benchmark)
    other = study.find_run(arguments.other, base.benchmark)
    if base.run_id == other.run_id:
        raise NotFound(f"--base and --other are one run, {base.slug}; name two")
    return base, other
