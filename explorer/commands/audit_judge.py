"""basebound audit judge: a model behind an OpenAI-compatible server as one more auditor. Stopped, it goes on where it was."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from explorer.commands.arguments import whole_number
from explorer.commands.audit_pairs import add_pair, pair
from explorer.commands.narration import Meter, Narrator
from explorer.render.text import one_line
from explorer.render.words import counted
from store.errors import NotFound

if TYPE_CHECKING:
    from engine.auditing import QueueItem
    from engine.auditing.judge import Judged
    from store.reader import Study

KEY_VARIABLE: Final = "OPENAI_API_KEY"
_QUOTED: Final = 200
"""Characters of an answer that held no label."""
SETS: Final = ("base_only", "other_only", "both")


def add_judge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", required=True, metavar="URL", help="of the server's API, e.g. http://localhost:8000/v1")
    parser.add_argument("--model", required=True, metavar="M", help="the judge, as the server calls it")
    parser.add_argument("--as", dest="name", metavar="NAME", help="its name as an auditor (judge:M)")
    parser.add_argument("--of", metavar="set:SET", help=f"right answers to the problems of a set: {', '.join(SETS)}")
    parser.add_argument(
        "--limit", type=whole_number, default=100, metavar="N", help="else, so many right answers at random (100)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of that draw (0)")
    parser.add_argument("--benchmark", metavar="B", help="needed where the study has several")
    add_pair(parser)
    parser.add_argument("--at-once", type=whole_number, default=8, metavar="N", help="questions on their way together (8)")
    parser.add_argument(
        "--key-env", default=KEY_VARIABLE, metavar="VAR", help=f"environment variable of the key ({KEY_VARIABLE})"
    )


def run_judge(arguments: argparse.Namespace, narrator: Narrator) -> int:
    from engine.auditing.concord import concord
    from engine.auditing.judge import judge
    from engine.auditing.server import Server
    from engine.steps import split_steps
    from explorer.commands.audit_tables import show_concord
    from store.reader import Study

    server = Server(arguments.url, arguments.model, os.environ.get(arguments.key_env) or None)
    with Study(arguments.db) as study:
        name = _one_benchmark(study, arguments.benchmark)
        items = _to_judge(study, name, arguments)
        meter = Meter(narrator, f"{arguments.model} judges", "traces")
        judged = judge(
            study,
            server,
            items,
            name=arguments.name,
            split=lambda text: [text[step.start : step.end] for step in split_steps(text)],
            at_once=arguments.at_once,
            progress=meter.show,
        )
        _tell(judged, narrator)
        show_concord([(name, concord(study, name))], as_json=False)
    return 1 if judged.unreadable or judged.refused else 0


def _one_benchmark(study: Study, name: str | None) -> str:
    if name:
        return study.benchmark(name)
    names = study.benchmarks()
    if len(names) != 1:
        raise NotFound(f"{study.path} has several benchmarks; choose one with --benchmark: {', '.join(names) or 'none'}")
    return names[0]


def _to_judge(study: Study, benchmark: str, arguments: argparse.Namespace) -> Sequence[QueueItem]:
    """Chosen without regard to what is labelled already, so that the same line goes on where it was stopped."""
    from engine.auditing.chains import of_set
    from engine.auditing.labels import NOBODY
    from engine.auditing.order import random_stratum
    from engine.board import read_board
    from engine.summary import cover

    board = read_board(study, benchmark)
    if arguments.of is None:
        runs = [study.find_run(name, benchmark) for name in (arguments.base, arguments.other) if name] or board.runs
        return random_stratum(study, board, runs, NOBODY, arguments.limit, arguments.seed)
    wanted = arguments.of.removeprefix("set:")
    if wanted not in SETS:
        raise NotFound(f"'{arguments.of}' is no set; there are: {', '.join('set:' + name for name in SETS)}")
    two = pair(study, board, arguments)
    return of_set(study, board, two, NOBODY, getattr(cover(board, *two, arguments.k), wanted))


def _tell(judged: Judged, narrator: Narrator) -> None:
    narrator.say(f"{judged.auditor} labelled {counted(judged.labelled, 'trace')}, {judged.there:,} had its label already")
    if judged.unreadable:
        narrator.complain(
            f"{counted(judged.unreadable, 'answer')} held no label, and none was stored; run the same line again to ask again;"
            f" the first begins: {_beginning(judged.unread)}"
        )
    if judged.refused:
        narrator.complain(f"{counted(judged.refused, 'question')} got no answer, the last one: {judged.refusal}")


def _beginning(answer: str) -> str:
    """Of what the model said, on one line and safe to print."""
    told = one_line(answer[: 4 * _QUOTED])
    return f"“{told[:_QUOTED]}{'…' if len(told) > _QUOTED else ''}”" if told else "it is empty"
