"""basebound index: what makes search and suspicion instant, kept within the study: the words of all responses, and what speaks
for luck in the right answers.

Search finds the same without it, only slower: what is not in the index is read. Stopped at any moment, it goes on where it was.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from explorer.commands.arguments import whole_number
from explorer.commands.narration import Meter, Narrator
from explorer.render.words import counted

if TYPE_CHECKING:
    from store.index_writer import IndexWriter

EXAMPLE = "index {db}"
_MIB: Final = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument("--words-only", action="store_true", help="leave suspicions of luck for later: they take longer")
    parser.add_argument("--processes", type=whole_number, metavar="N", help="that look for luck; else one for each core")


def run(arguments: argparse.Namespace) -> int:
    from store.files import connect_readonly

    connect_readonly(arguments.db).close()  # a study that is not there is not made here
    index(arguments.db, Narrator(arguments.quiet), words_only=arguments.words_only, processes=arguments.processes)
    return 0


def index(path: Path, narrator: Narrator, *, words_only: bool = False, processes: int | None = None) -> None:
    """Bring the index of words up to date, and the suspicions of luck."""
    from store.index_writer import IndexWriter

    with IndexWriter(path, "index") as writer:
        _words(writer, narrator)
        if not words_only:
            _suspicions(writer, narrator, processes)


def _words(writer: IndexWriter, narrator: Narrator) -> None:
    from engine.indexing import index_words
    from store import words
    from store.reader import Study

    done = index_words(writer, Meter(narrator, "indexing words", "responses").show)
    if not done.possible:
        narrator.complain("this Python's SQLite has no full-text index (FTS5): a search reads the responses one by one instead")
        return
    with Study(writer.path) as study:
        size = words.size(study)
    anew = "the index that was there could not be used and was made anew; " if done.made_anew else ""
    added = f"{counted(done.added, 'response')} indexed" if done.added else "every response is indexed"
    narrator.say(f"{anew}{added}; the index of words takes {size / _MIB:,.1f} MiB of the study")


def _suspicions(writer: IndexWriter, narrator: Narrator, processes: int | None) -> None:
    from engine.indexing import VERSION, index_suspicions

    looked = index_suspicions(writer, Meter(narrator, "looking for luck", "right answers").show, processes)
    if looked.read:
        narrator.say(f"{counted(looked.read, 'right answer')} looked at for luck, {looked.with_reasons:,} with a reason")
    else:
        narrator.say(f"every right answer was looked at for luck by the rules in force (version {VERSION})")
