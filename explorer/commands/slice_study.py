"""basebound slice: the traces that a filter expression fits as a small study of their own, to send to a colleague.

All that belongs to them comes along (verdicts, likelihoods, labels, marks, tags), and the counts of the whole study stay what
decides. An expression about problems, such as set:base-only, keeps all traces of each.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from explorer.commands import where
from explorer.commands.narration import Narrator
from explorer.render.words import counted

EXAMPLE = "slice {db} --where 'solved>0' --out small.db"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    where.add_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DB", help="the small study; it must not exist")


def run(arguments: argparse.Namespace) -> int:
    from engine.finding import Finder
    from store.errors import NotFound, StudyUnwritable
    from store.reader import Study
    from store.slicing import slice_study

    narrator = Narrator(arguments.quiet)
    if arguments.out.exists():
        raise StudyUnwritable(f"{arguments.out} is there already; give another path, or move it away")
    with Study(arguments.db) as study:
        asked = where.read(study, arguments)
        narrator.line("looking for what fits")
        hits = Finder(study, arguments.verifier).chosen(asked.query, asked.benchmark, asked.pair)
        every = study.query("SELECT count(*) FROM sample")[0][0]
    if not hits:
        raise NotFound(f"no trace of {arguments.db} fits, so no study was made; `basebound list traces` shows what does")
    narrator.line(f"copying {counted(len(hits), 'trace')}")
    slice_study(arguments.db, arguments.out, [sample_id for sample_id, _ in hits])
    problems = len({problem_id for _, problem_id in hits})
    size = arguments.out.stat().st_size
    narrator.say(
        f"{arguments.out}: {len(hits):,} of {counted(every, 'trace')}, of {counted(problems, 'problem')}, {size:,} bytes"
    )
    return 0
