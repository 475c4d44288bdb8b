"""basebound audit: labels in and out, how far auditors agree, what to read next, the paper's protocol, a model as an auditor.

Figures are of people's labels unless --auditor names others; what several auditors say of one trace is combined by --rule.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from explorer.commands import audit_exchange, audit_judge
from explorer.commands.arguments import whole_number
from explorer.commands.audit_pairs import add_pair, benchmarks, pair, some_runs
from explorer.commands.narration import Narrator
from explorer.render.words import counted

if TYPE_CHECKING:
    from engine.auditing import Labels, QueueItem
    from engine.board import Board
    from explorer.commands.audit_queue import Queued
    from store.reader import Study
    from store.rows import RunRow

EXAMPLE = "audit queue {db} --limit 10"

_KEYS_TOLD: Final = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="part", metavar="PART", required=True)
    for name, (add, _, title, more) in _PARTS.items():
        part = commands.add_parser(name, help=title, description=title[0].upper() + title[1:] + ".", epilog=more)
        part.formatter_class = argparse.RawDescriptionHelpFormatter
        part.add_argument("-q", "--quiet", action="store_true", default=argparse.SUPPRESS, help="no narration on stderr")
        part.add_argument("db", type=Path, metavar="DB")
        add(part)


def run(arguments: argparse.Namespace) -> int:
    _, part, _, _ = _PARTS[arguments.part]
    return part(arguments, Narrator(arguments.quiet))


def _add_whose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--benchmark", metavar="B", help="one of the study's; else all")
    parser.add_argument("--auditor", action="append", metavar="NAME", help="count this one's labels; may be repeated")
    parser.add_argument("--rule", choices=("unanimous", "majority"), default="unanimous", help="to combine several auditors")
    parser.add_argument("--verifier", metavar="V", help="judge by this one's verdicts, e.g. imported; else the deciding one")


# -- what the labels amount to ------------------------------------------------------------------------------------------


def _add_agreement(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--benchmark", metavar="B", help="one of the study's; else all")
    parser.add_argument("--rule", choices=("unanimous", "majority"), default="unanimous", help="to combine people")
    parser.add_argument("--json", action="store_true")


def _agreement(arguments: argparse.Namespace, narrator: Narrator) -> int:  # noqa: ARG001 - parts are called alike
    from engine.auditing.concord import concord
    from engine.auditing.labels import Rule
    from explorer.commands.audit_tables import show_concord
    from store.reader import Study

    with Study(arguments.db) as study:
        names = benchmarks(study, arguments.benchmark)
        found = [(name, concord(study, name, Rule(arguments.rule))) for name in names]
    show_concord(found, as_json=arguments.json)
    return 0


def _add_protocol(parser: argparse.ArgumentParser) -> None:
    _add_whose(parser)
    parser.add_argument(
        "--below",
        type=_share,
        default=0.05,
        metavar="P",
        help="problems with an accuracy below this, above 0 and up to 1 (0.05)",
    )
    parser.add_argument("--json", action="store_true")


def _share(text: str) -> float:
    """Above 0 and up to 1."""
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no share above 0 and up to 1; 5 % is 0.05")
    return share


def _protocol(arguments: argparse.Namespace, narrator: Narrator) -> int:
    from engine.auditing import protocol
    from explorer.commands.audit_tables import Protocolled, cots, show_protocol
    from store.reader import Study

    with Study(arguments.db) as study:
        found = []
        for board, labels in _boards(study, arguments):
            rows = protocol(study, board, labels, below=arguments.below)
            found.append(Protocolled(board.benchmark, board.verifier, labels, rows, cots(study, board, labels)))
            _tell_references(board, labels, narrator)
            _tell_parts(board, board.runs, narrator)
    show_protocol(found, arguments.below, as_json=arguments.json)
    return 0


def _boards(study: Study, arguments: argparse.Namespace) -> Iterator[tuple[Board, Labels]]:
    from engine.auditing import Rule, read_labels
    from engine.board import read_board

    study.require_verifier(arguments.verifier)
    for name in benchmarks(study, arguments.benchmark):
        board = read_board(study, name, arguments.verifier)
        yield board, read_labels(study, name, arguments.auditor, Rule(arguments.rule), arguments.verifier)


def _tell_references(board: Board, labels: Labels, narrator: Narrator) -> None:
    keys = [problem.key for problem in board.problems if problem.problem_id in labels.wrong_references]
    if keys:
        more = f" … {len(keys) - _KEYS_TOLD:,} more" if len(keys) > _KEYS_TOLD else ""
        narrator.complain(
            f"‼ {board.benchmark}: an auditor calls the reference of {counted(len(keys), 'problem')} wrong, all verdicts there"
            f" are in doubt: {' '.join(keys[:_KEYS_TOLD])}{more}"
        )


def _tell_parts(board: Board, runs: Sequence[RunRow], narrator: Narrator) -> None:
    """Labels, and draws at random, can be of traces that are stored only."""
    ids = {run.run_id for run in runs}
    counts = [count for (run_id, _), count in board.cells.items() if run_id in ids]
    if any(count.is_part for count in counts):
        stored, of = sum(count.samples for count in counts), sum(count.counted for count in counts)
        narrator.say(
            f"‼ {board.benchmark}: {stored:,} of {of:,} traces are stored, which may have been chosen by their answers; only"
            " they can be read"
        )


# -- what to read next --------------------------------------------------------------------------------------------------


def _add_queue(parser: argparse.ArgumentParser) -> None:
    _add_whose(parser)
    add_pair(parser)
    parser.add_argument(
        "--by", choices=("influence", "random", "protocol"), default="influence", help="how to choose (influence)"
    )
    parser.add_argument("--limit", type=whole_number, default=20, metavar="N", help="traces listed (20); drawn, by random")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the draw, by random (0)")
    parser.add_argument("--json", action="store_true")


def _queue(arguments: argparse.Namespace, narrator: Narrator) -> int:
    from explorer.commands.audit_queue import show_queues
    from store.errors import NotFound
    from store.reader import Study

    found: list[Queued] = []
    refused: list[NotFound] = []
    with Study(arguments.db) as study:
        for board, labels in _boards(study, arguments):
            try:
                queued = _queued(study, board, labels, arguments)
            except NotFound as refusal:
                refused.append(refusal)
                continue
            found.append(queued)
            _tell_references(board, labels, narrator)
            _tell_parts(board, queued.runs, narrator)
    if refused and not found:
        raise refused[0]
    for one in refused:
        narrator.say(str(one))
    show_queues(found, arguments.limit, as_json=arguments.json)
    return 0


def _queued(study: Study, board: Board, labels: Labels, arguments: argparse.Namespace) -> Queued:
    """Raises NotFound where there is nothing to compare; the other ways to choose need one run only."""
    from engine.auditing import contested, outlook
    from engine.auditing.chains import by_protocol
    from engine.auditing.order import listed, random_stratum
    from explorer.commands.audit_queue import Queued

    if arguments.by == "influence":
        two = pair(study, board, arguments)
        comparison = outlook(study, board, *two, labels, k=arguments.k)
        items = listed(study, comparison, limit=arguments.limit)
        return Queued(board, labels, arguments.by, two, items, comparison, contested(study, comparison))
    runs = some_runs(study, board, arguments)
    chosen: Sequence[QueueItem]
    if arguments.by == "random":
        chosen = random_stratum(study, board, runs, labels, arguments.limit, arguments.seed)
    else:
        chosen = by_protocol(study, board, labels, runs)[: arguments.limit]
    return Queued(board, labels, arguments.by, runs, chosen)


_PARTS: Final = {
    "queue": (
        _add_queue,
        _queue,
        "what to read next: the traces whose label could move the conclusion, most first",
        "examples:\n  basebound audit queue study.db --limit 10\n  basebound audit queue study.db --by random --limit 50",
    ),
    "protocol": (
        _add_protocol,
        _protocol,
        "the paper's manual audit as one table, and CoT-pass@k",
        "example:\n  basebound audit protocol study.db --below 0.05",
    ),
    "agreement": (
        _add_agreement,
        _agreement,
        "how far auditors agree beyond chance",
        "example:\n  basebound audit agreement study.db --rule majority",
    ),
    "judge": (
        audit_judge.add_judge,
        audit_judge.run_judge,
        "a model behind an OpenAI-compatible server as one more auditor",
        "example:\n  basebound audit judge study.db --url http://localhost:8000/v1 --model my-judge --of set:base_only",
    ),
    "export": (
        audit_exchange.add_export,
        audit_exchange.run_export,
        "labels as JSONL or CSV",
        "example:\n  basebound audit export study.db --auditor ann --out labels.csv",
    ),
    "import": (
        audit_exchange.add_import,
        audit_exchange.run_import,
        "labels from JSONL or CSV; what is there already is left alone",
        audit_exchange.IMPORT_HELP,
    ),
}
