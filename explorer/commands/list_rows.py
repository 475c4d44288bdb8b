"""basebound list: the problems or traces that a filter expression fits, with links that `explore --open` takes.

The expressions are those of the explorer's filter (/). --json prints one object a line, as soon as each is found.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from explorer.commands import where
from explorer.commands.arguments import whole_number
from explorer.commands.narration import Narrator
from explorer.commands.tables import UNKNOWN_MARK, table
from explorer.render.text import one_line
from explorer.render.words import counted

if TYPE_CHECKING:
    from engine.board import Board
    from engine.finding import Finder, Hit
    from engine.membership import Pair
    from explorer.commands.where import Where
    from store.reader import Study
    from store.rows import Count, ProblemRow, RunRow

EXAMPLE = "list traces {db} --where 'correct:yes -label:any'"
_LISTED: Final = 100
_CELL: Final = 24
"""Characters of an answer or a reference in a table; --json has them whole."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("problems", "traces"))
    where.add_arguments(parser)
    parser.add_argument("--limit", type=whole_number, metavar="N", help=f"how many to show ({_LISTED}; all with --json)")
    parser.add_argument("--json", action="store_true", help="one object a line")


def run(arguments: argparse.Namespace) -> int:
    from engine.finding import Finder
    from store.reader import Study

    narrator = Narrator(arguments.quiet)
    limit = arguments.limit or (None if arguments.json else _LISTED)
    with Study(arguments.db) as study:
        asked, finder = where.read(study, arguments), Finder(study, arguments.verifier)
        if arguments.what == "problems":
            _problems(study, finder, asked, limit, narrator, arguments)
        else:
            _traces(study, finder, asked, limit, narrator, as_json=arguments.json)
    return 0


# -- traces ----------------------------------------------------------------------------------------------------------


def _traces(study: Study, finder: Finder, asked: Where, limit: int | None, narrator: Narrator, *, as_json: bool) -> None:
    runs = {run.run_id: run for run in study.runs(asked.benchmark)}
    found = islice(finder.traces(asked.query, asked.benchmark, asked.pair), limit)
    if as_json:
        shown = 0
        for shown, hit in enumerate(found, start=1):  # noqa: B007 - counted
            _print(_trace_document(hit, runs[hit.run_id]))
    else:
        hits = list(found)
        shown = len(hits)
        sys.stdout.write(_trace_table(hits, runs))
    fits = shown if limit is None or shown < limit else finder.count(asked.query, asked.benchmark, asked.pair)
    narrator.say(_counted(fits, shown, "trace"))


def _link(hit: Hit, run: RunRow) -> str:
    from store.names import Link

    return str(Link(run.slug, hit.benchmark, hit.key, hit.idx))


def _trace_document(hit: Hit, run: RunRow) -> dict[str, Any]:
    return {
        "link": _link(hit, run),
        "benchmark": hit.benchmark,
        "problem": hit.key,
        "run": run.slug,
        "sample": hit.idx,
        "extra": hit.extra,
        "outcome": hit.outcome,
        "answer": hit.answer,
        "chars": hit.chars,
        "start": hit.start,
        "snippet": hit.snippet,
    }


def _trace_table(hits: list[Hit], runs: dict[int, RunRow]) -> str:
    """What was found in the text stands at the end of a line, where it may be as long as it is."""
    if not hits:
        return ""
    rows = [
        [_link(hit, runs[hit.run_id]), _outcome(hit), _cut(hit.answer), f"{hit.chars:,}"] for hit in hits
    ]  # fmt: skip
    lines = table(["trace", "outcome", "answer", "chars"], rows).splitlines()
    found = ["", *("" if hit.snippet is None else f"  {one_line(hit.snippet)}" for hit in hits)]
    return "".join(f"{line}{text}\n" for line, text in zip(lines, found, strict=True))


def _outcome(hit: Hit) -> str:
    said = "unjudged" if hit.outcome is None else hit.outcome.replace("_", " ")
    return f"{said}, extra" if hit.extra else said


# -- problems --------------------------------------------------------------------------------------------------------


def _problems(
    study: Study, finder: Finder, asked: Where, limit: int | None, narrator: Narrator, arguments: argparse.Namespace
) -> None:
    from engine.board import read_board

    fits = shown = 0
    for name in study.benchmarks() if asked.benchmark is None else [asked.benchmark]:
        board = read_board(study, name, arguments.verifier)
        examples = finder.examples(asked.query, name, asked.pair)
        problems = [problem for problem in board.problems if problem.problem_id in examples]
        some = problems if limit is None else problems[: max(0, limit - shown)]
        fits, shown = fits + len(problems), shown + len(some)
        rows = _problem_rows(study, finder, board, some, examples, asked)
        if arguments.json:
            for row in rows:
                _print(row)
        elif some:
            sys.stdout.write(_problem_table(board, list(rows), finder.pair(name, asked.pair)))
    narrator.say(_counted(fits, shown, "problem"))


def _problem_rows(
    study: Study,
    finder: Finder,
    board: Board,
    problems: list[ProblemRow],
    examples: dict[int, int | None],
    asked: Where,
) -> Iterator[dict[str, Any]]:
    sets = finder.sets(board.benchmark, asked.pair)
    links = _links(study, [one for problem in problems if (one := examples[problem.problem_id]) is not None])
    for problem in problems:
        example = examples[problem.problem_id]
        counts = {run.slug: board.cells.get((run.run_id, problem.problem_id)) for run in board.runs}
        yield {
            "benchmark": board.benchmark,
            "problem": problem.key,
            "set": sets.get(problem.problem_id),
            "reference": problem.reference,
            "runs": {slug: _count(count) for slug, count in counts.items()},
            "link": None if example is None else links[example],
        }


def _count(count: Count | None) -> dict[str, Any] | None:
    if count is None:
        return None
    known = {"correct": count.correct, "n": count.n, "errors": count.error, "unjudged": count.unjudged}
    return known | {"extra_correct": count.extra_correct, "extra_n": count.extra_n}


def _links(study: Study, sample_ids: list[int]) -> dict[int, str]:
    """A link to each of these traces."""
    from store.names import Link

    rows = study.query(
        "SELECT sample_id, slug, problem.benchmark, problem.key, idx FROM sample JOIN run USING (run_id)"
        " JOIN problem USING (problem_id) WHERE sample_id IN (SELECT value FROM json_each(?))",
        (json.dumps(sample_ids),),
    )
    return {sample_id: str(Link(*place)) for sample_id, *place in rows}


def _problem_table(board: Board, rows: list[dict[str, Any]], pair: Pair | None) -> str:
    header = ["problem", "set", "reference", *(f"{run.name} c/n" for run in board.runs), "a trace that fits"]
    cells = [
        [
            row["problem"],
            row["set"] or UNKNOWN_MARK,
            _cut(row["reference"]),
            *map(_share, row["runs"].values()),
            row["link"] or UNKNOWN_MARK,
        ]
        for row in rows
    ]
    title = f"{board.benchmark} · verifier {board.verifier}"
    if pair is not None and (k := board.common_k(*pair)) is not None:
        title += f" · sets: {pair[0].slug} and {pair[1].slug} at k {k}"
    return f"{one_line(title)}\n" + table(header, cells)


def _share(count: dict[str, Any] | None) -> str:
    """c/n, and +c/n of extra samples where there are any."""
    if not count or not count["n"]:
        return UNKNOWN_MARK
    return f"{count['correct']}/{count['n']}" + (f" +{count['extra_correct']}/{count['extra_n']}" if count["extra_n"] else "")


# -- both ------------------------------------------------------------------------------------------------------------


def _print(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")


def _cut(text: str | None) -> str:
    if text is None:
        return UNKNOWN_MARK
    line = one_line(text)
    return line if len(line) <= _CELL else line[: _CELL - 1] + "…"


def _counted(fits: int, shown: int, what: str) -> str:
    if not fits:
        return f"no {what} fits"
    more = f"; {shown:,} shown, --limit shows more" if shown < fits else ""
    return f"{counted(fits, what)} {'fits' if fits == 1 else 'fit'}{more}"
