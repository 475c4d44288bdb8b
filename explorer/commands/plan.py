"""basebound plan: where further samples would settle most, problem by problem, and what the whole would cost."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.commands.arguments import whole_number
from explorer.commands.narration import Narrator
from explorer.commands.tables import UNKNOWN_MARK, how_drawn, percent, table
from explorer.render.text import visible
from explorer.render.words import counted

if TYPE_CHECKING:
    from engine.analyses.planning import Ask
    from engine.board import Board
    from engine.planning import Entry, PairPlan, Total
    from store.reader import Study
    from store.rows import Count, RunRow

EXAMPLE = "plan {db} --spend 20000"
_LIMIT = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument("--base", metavar="RUN", help="slug or model name; else the roles tell")
    parser.add_argument("--other", metavar="RUN", help="the run held against it; else an RL run, the last step")
    parser.add_argument("--benchmark", metavar="B", help="this one only")
    parser.add_argument("--budget", type=whole_number, metavar="N", help="draws within which a model is to solve it; else k")
    parser.add_argument("--k", type=whole_number, metavar="K", help="k of the four sets; else the smallest n of both runs")
    parser.add_argument("--spend", type=whole_number, metavar="N", help="so many samples may be drawn: what to do with them")
    parser.add_argument("--verifier", metavar="V", help="judge by this one's verdicts, e.g. imported; else the deciding one")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--limit", type=whole_number, default=_LIMIT, metavar="N", help=f"problems listed, {_LIMIT} by default; JSON lists all"
    )


def run(arguments: argparse.Namespace) -> int:
    from engine.board import read_board
    from engine.planning import plan_pair
    from store.errors import NotFound
    from store.reader import Study

    narrator = Narrator(arguments.quiet)
    with Study(arguments.db) as study:
        study.require_verifier(arguments.verifier)
        boards = [read_board(study, name, arguments.verifier) for name in _benchmarks(study, arguments)]
        pairs = [(board, *pair) for board in boards if (pair := _pair(study, board, arguments, narrator))]
    plans = [plan_pair(board, base, other, arguments.budget, arguments.k, arguments.spend) for board, base, other in pairs]
    if not plans:
        raise NotFound(f"{arguments.db} has no two judged runs of one benchmark with a base among them; name it with --base")
    if arguments.json:
        sys.stdout.write(json.dumps(_document(plans, arguments.spend), indent=1) + "\n")
    else:
        sys.stdout.write("\n".join(_text(one, arguments.spend, arguments.limit, narrator) for one in plans))
    return 0


def _benchmarks(study: Study, arguments: argparse.Namespace) -> list[str]:
    """The one that is asked for, or that a named run belongs to; else all."""
    if arguments.benchmark:
        return [study.benchmark(arguments.benchmark)]
    named = arguments.base or arguments.other
    return [study.find_run(named).benchmark] if named else study.benchmarks()


def _pair(study: Study, board: Board, arguments: argparse.Namespace, narrator: Narrator) -> tuple[RunRow, RunRow] | None:
    """The runs to compare; None, with a sentence, where no role tells the base or nobody has judged two."""
    from engine.board import opposite_run, reference_run

    runs = [run for run in board.runs if board.counts(run)]
    other = study.find_run(arguments.other, board.benchmark) if arguments.other else None
    base = study.find_run(arguments.base, board.benchmark) if arguments.base else reference_run(runs, other)
    if base is not None and base == other and not arguments.base:
        base = opposite_run(runs, base)  # the base model's run was named as the other one: hold it against its opposite
    other = other or (base and opposite_run(runs, base))
    if base is not None and other is not None and base.run_id != other.run_id:
        if not (arguments.base and arguments.other):
            narrator.say(f"{board.benchmark}: {base.slug} against {other.slug}; --base and --other name others")
        return base, other
    unknown = "no run is known as base; name one with --base, or roles with import --role"
    narrator.say(f"{board.benchmark}: {unknown if base is None and len(runs) > 1 else 'no two judged runs to compare'}")
    return None


def _text(found: PairPlan, spend: int | None, limit: int, narrator: Narrator) -> str:
    settings = f"verifier {found.verifier} · k {found.k} · budget {found.budget} draws · level {found.level:g}"
    lines = [f"{found.benchmark} · {settings}"]
    drawn = how_drawn([found.base, found.other]).rstrip("\n").split("\n")
    lines += [f"base   {found.base.slug}", f"other  {found.other.slug}", *drawn, _standings(found), *_extra(found)]
    listed = [entry for entry in found.entries if entry.taken][:limit]
    header = ["problem", "open", "base c/n", "other c/n", "draw base", "draw other", "settles %", "moves %", "at these rates"]
    rows = [_row(entry) for entry in listed]
    told = [_told("the whole", found.whole)] if found.entries else []
    if spend is not None:
        told.insert(0, _told(f"of {spend:,}", found.taken))
    if found.entries:
        on = found.going_on
        told.append(f"if the rates seen went on, {on.samples:,} samples would settle {on.problems}")
    left = found.taken.problems - len(listed)
    if left:
        narrator.say(f"{found.benchmark}: {left:,} more; --limit lists more, --json all")
    return visible("\n".join(lines) + "\n") + (table(header, rows) if rows else "") + "".join(line + "\n" for line in told)


def _standings(found: PairPlan) -> str:
    from engine.analyses.boundary import Standing

    total = sum(found.standings.values())
    return f"{total:,} problems: " + ", ".join(f"{found.standings[one]:,} {one}" for one in Standing)


def _extra(found: PairPlan) -> list[str]:
    """What earlier plans have drawn; nothing where they have not."""
    sides = [(name, one) for name, one in zip(("base", "other"), found.extra, strict=True) if one.samples]
    told = [f"{name} {one.samples:,} of {counted(one.problems, 'problem')}" for name, one in sides]
    caveat = "counted here, not in the sets; bounds are approximate where an earlier look chose n"
    return [f"extra samples there already: {', '.join(told)}; {caveat}"] if told else []


def _told(what: str, total: Total) -> str:
    return f"{what}: {total.samples:,} samples of {total.problems:,} problems would settle about {total.settles:.1f}"


def _row(entry: Entry) -> list[str]:
    ask = entry.proposal
    open_ = [name for name, one in (("base", ask.base), ("other", ask.other)) if one.state == "open"]
    costs = ask.base.cost, ask.other.cost
    return [
        entry.problem.key,
        " + ".join(open_) or UNKNOWN_MARK,
        _counts(entry.base),
        _counts(entry.other),
        f"{ask.base.samples:,}",
        f"{ask.other.samples:,}",
        percent(ask.settles),
        percent(ask.changes),
        UNKNOWN_MARK if costs[0] is None or costs[1] is None else f"{costs[0] + costs[1]:,}",
    ]


def _counts(count: Count) -> str:
    beyond = f" +{count.extra_correct}/{count.extra_n}" if count.extra_n else ""
    return f"{count.correct}/{count.n}{beyond}"


def _document(plans: list[PairPlan], spend: int | None) -> dict[str, Any]:
    return {"schema": 1, "spend": spend, "benchmarks": [_benchmark(found, spend) for found in plans]}


def _benchmark(found: PairPlan, spend: int | None) -> dict[str, Any]:
    from engine.analyses.boundary import Standing

    return {
        "benchmark": found.benchmark,
        "verifier": found.verifier,
        "base": found.base.slug,
        "other": found.other.slug,
        "k": found.k,
        "budget": found.budget,
        "level": found.level,
        "extra": {
            name: {"problems": one.problems, "samples": one.samples}
            for name, one in zip(("base", "other"), found.extra, strict=True)
        },
        "standings": {str(one): found.standings[one] for one in Standing},
        "problems": [_problem(entry) for entry in found.entries],
        "whole": _sum(found.whole),
        "affordable": None if spend is None else _sum(found.taken),
        "at_these_rates": {"problems": found.going_on.problems, "samples": found.going_on.samples},
    }


def _problem(entry: Entry) -> dict[str, Any]:
    ask = entry.proposal
    return {
        "problem": entry.problem.key,
        "base": _side(entry.base, ask.base),
        "other": _side(entry.other, ask.other),
        "settles": ask.settles,
        "changes": ask.changes,
        "per_sample": ask.per_sample,
        "taken": entry.taken,
    }


def _side(count: Count, ask: Ask) -> dict[str, Any]:
    known = {"correct": count.correct, "n": count.n, "extra_correct": count.extra_correct, "extra_n": count.extra_n}
    return known | {"state": str(ask.state), "draw": ask.samples, "cost": ask.cost}


def _sum(total: Total) -> dict[str, Any]:
    return {"problems": total.problems, "samples": total.samples, "settles": total.settles}
