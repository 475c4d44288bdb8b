"""basebound merge: put studies together that were drawn apart, by several processes or on several machines.

Merging twice adds nothing, the order does not matter, and shards that are still missing can be merged later.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from explorer.commands.narration import Meter, Narrator
from explorer.render.words import counted

if TYPE_CHECKING:
    from store.merging import Merged
    from store.writer import Writer

EXAMPLE = "merge {db} study.shard-*-of-8.db"

_LINKS: Final = 20
"""Conflicts that are named one by one."""

_COMES_ALONG: Final = """\
what comes along: samples with all that a draw has, prompts, problems, models; labels, flags, notes and marked steps of these
samples, the newest of each auditor in force.
what does not: imported samples (import their files into DB), verdicts (made again, unless --no-verify), likelihoods and paths
(`basebound score`, `basebound paths`), tags of problems.
exit status 1: a sample is another one in DB, which keeps its own, or a shard was refused: each is named."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB", help="made where it does not exist")
    parser.add_argument("shards", type=Path, nargs="+", metavar="SHARD", help="studies; they are read only")
    parser.add_argument("--no-verify", action="store_true", help="do not judge what was merged")
    parser.epilog = f"{_COMES_ALONG}\n\n{parser.epilog or ''}"


def run(arguments: argparse.Namespace) -> int:
    from explorer.commands.verify import judge_all
    from store.writer import Writer

    _require(arguments.db, arguments.shards)
    narrator = Narrator(arguments.quiet)
    with Writer(arguments.db, "merge") as writer:
        merged = [_merge(writer, shard, narrator) for shard in arguments.shards]
        for shard, became in zip(arguments.shards, merged, strict=True):
            if became is not None:
                _bring_labels(writer.path, shard, became, narrator)
        errors = 0 if arguments.no_verify else judge_all(writer, narrator)
    return 1 if errors or any(became is None or became.conflicts for became in merged) else 0


def _require(db: Path, shards: list[Path]) -> None:
    """Raises before anything is written: a shard that is no study of this schema, or the study itself."""
    from store.errors import Conflict
    from store.files import connect_readonly

    for shard in shards:
        connect_readonly(shard).close()
        if db.exists() and shard.samefile(db):
            raise Conflict(f"{shard} is the study itself; give the studies that are to be merged into it")


def _merge(writer: Writer, shard: Path, narrator: Narrator) -> Merged | None:
    """None where the shard contradicts the study."""
    from store.errors import Conflict
    from store.merging import merge_study

    try:
        merged = merge_study(writer, shard, Meter(narrator, f"merging {shard.name}", "samples").show)
    except Conflict as conflict:
        narrator.complain(f"{conflict}; nothing of it was merged")
        return None
    _tell(merged, shard, writer.path, narrator)
    return merged


def _tell(merged: Merged, shard: Path, db: Path, narrator: Narrator) -> None:
    known = f", {merged.known:,} already there" if merged.known else ""
    imported = f", {merged.imported:,} left out that were imported: import their files" if merged.imported else ""
    narrator.say(f"{shard}: {counted(merged.added, 'sample')} added{known}{imported}")
    for link in merged.conflicts[:_LINKS]:
        narrator.complain(f"{shard}: {link} is another response than in {db}, which keeps its own")
    if len(merged.conflicts) > _LINKS:
        narrator.complain(f"{shard}: {counted(len(merged.conflicts) - _LINKS, 'sample')} more are others than in {db}")


def _bring_labels(db: Path, shard: Path, merged: Merged, narrator: Narrator) -> None:
    """What people said of the shard's samples."""
    from engine.auditing.carrying import carry

    labels, marks = carry(shard, db, merged.conflicts)
    if labels or marks:
        narrator.say(f"{shard}: {counted(labels, 'label')} and {counted(marks, 'mark')} added")
