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
from explorer.commands.audit_pairs import add_pair, pair
from explorer.commands.narration import Narrator
from explorer.commands.tables import parts

if TYPE_CHECKING:
    from engine.auditing import Labels, QueueItem
    from engine.board import Board
    from store.reader import Study

EXAMPLE = "audit queue {db} --limit 10"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="part", metavar="PART", required=True)
    for name, (add, _, title) in _PARTS.items():
        part = commands.add_parser(name, help=title, description=title[0].upper() + title[1:] + ".")
        part.add_argument("-q", "--quiet", action="store_true", default=argparse.SUPPRESS, help="no narration on stderr")
        part.add_argument("db", type=Path, metavar="DB")
        add(part)


def run(arguments: argparse.Namespace) -> int:
    _, part, _ = _PARTS[arguments.part]
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
        names = [study.benchmark(arguments.benchmark)] if arguments.benchmark else study.benchmarks()
        found = [(name, concord(study, name, Rule(arguments.rule))) for name in names]
    show_concord(found, as_json=arguments.json)
    return 0


def _add_protocol(parser: argparse.ArgumentParser) -> None:
    _add_whose(parser)
    parser.add_argument("--below", type=float, default=0.05, metavar="P", help="problems with an accuracy below this (0.05)")
    parser.add_argument("--json", action="store_true")


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
        left_out = parts(study)
    show_protocol(found, arguments.below, as_json=arguments.json)
    _tell_parts(left_out, narrator)
    return 0


def _boards(study: Study, arguments: argparse.Namespace) -> Iterator[tuple[Board, Labels]]:
    from engine.auditing import Rule, read_labels
    from engine.board import read_board

    study.require_verifier(arguments.verifier)
    for name in [study.benchmark(arguments.benchmark)] if arguments.benchmark else study.benchmarks():
        board = read_board(study, name, arguments.verifier)
        yield board, read_labels(study, name, arguments.auditor, Rule(arguments.rule), arguments.verifier)


def _tell_references(board: Board, labels: Labels, narrator: Narrator) -> None:
    keys = [problem.key for problem in board.problems if problem.problem_id in labels.wrong_references]
    if keys:
        narrator.complain(
            f"‼ {board.benchmark}: an auditor calls the reference wrong, all verdicts there are in doubt: {' '.join(keys)}"
        )


def _tell_parts(told: str, narrator: Narrator) -> None:
    """Labels, and draws at random, can be of traces that are stored only."""
    if told:
        narrator.complain(told.rstrip())


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
    from engine.auditing import outlook
    from engine.auditing.chains import by_protocol
    from engine.auditing.order import listed, random_stratum
    from explorer.commands.audit_tables import Queued, show_queues
    from store.reader import Study

    found = []
    with Study(arguments.db) as study:
        for board, labels in _boards(study, arguments):
            runs = pair(study, board, arguments)
            if runs is None:
                narrator.say(f"{board.benchmark} has one run alone: nothing to compare")
                continue
            comparison = outlook(study, board, *runs, labels, k=arguments.k)
            items: Sequence[QueueItem]
            if arguments.by == "influence":
                items = listed(study, comparison, limit=arguments.limit)
            elif arguments.by == "random":
                items = random_stratum(study, board, runs, labels, arguments.limit, arguments.seed)
            else:
                items = by_protocol(study, board, labels, runs)[: arguments.limit]
            found.append(Queued(board, comparison, items))
            _tell_references(board, labels, narrator)
        left_out = parts(study)
    show_queues(found, as_json=arguments.json)
    _tell_parts(left_out, narrator)
    return 0


_PARTS: Final = {
    "queue": (_add_queue, _queue, "what to read next: the traces whose label could move the conclusion, most first"),
    "protocol": (_add_protocol, _protocol, "the paper's manual audit as one table, and CoT-pass@k"),
    "agreement": (_add_agreement, _agreement, "how far auditors agree beyond chance"),
    "judge": (audit_judge.add_judge, audit_judge.run_judge, "a model behind an OpenAI-compatible server as one more auditor"),
    "export": (audit_exchange.add_export, audit_exchange.run_export, "labels as JSONL or CSV"),
    "import": (
        audit_exchange.add_import,
        audit_exchange.run_import,
        "labels from JSONL or CSV; what is there already is left alone",
    ),
}
