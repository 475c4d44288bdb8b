"""The studies that come with the program, as copies of the user's own: what `basebound explore` opens without a study."""

from __future__ import annotations

import os
import shutil
import time
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from explorer.commands.folders import WAY_OUT, data_folder, make_folder
from explorer.commands.narration import Narrator
from store.errors import DamagedText, NotAStudy, StudyUnwritable, WrongSchema

EXAMPLES: Final = {
    "boundary": "six tiny models on 60 made-up problems, 1024 samples each (sample_data/CARD.md)",
    "lucky": "one trace: a right answer that stands on two slips which cancel",
}
"""What comes along, by name."""

_APART: Final = ".unpacking-"
_LEFT_BEHIND_S: Final = 3600


def bundled_study(narrator: Narrator, folder: Path | None = None, example: str = "boundary") -> Path:
    """The copy in `folder` (else the user's data folder), made where it is missing. What a user labels in it stays there.

    Its name holds the digest of what was copied: a later release with another bundled study leaves this one alone.
    Raises BaseboundError.
    """
    from sample_data import LUCKY, STUDY
    from store.files import connect_readonly

    folder = folder or data_folder()
    make_folder(folder)
    source = LUCKY if example == "lucky" else STUDY
    try:
        packed = source.read_bytes()
    except OSError as error:
        raise NotAStudy(f"{source} cannot be read: {error.strerror}; install basebound again") from None
    name = "lucky" if example == "lucky" else "bundled"
    study = folder / f"{name}-{sha256(packed).hexdigest()[:8]}.db"
    if not study.exists():
        _unpack(packed, study)
    try:
        _bring_up_to_date(study, narrator)
        connect_readonly(study).close()
    except NotAStudy as error:
        way_out = "move it away, and `basebound explore` makes it anew"
        raise NotAStudy(f"{study}, your copy of the bundled study, is damaged; {way_out}") from error
    narrator.say(f"bundled study: {study} ({EXAMPLES[example]})")
    return study


def _bring_up_to_date(study: Path, narrator: Narrator) -> None:
    """A copy that an older program made, in place: what was labelled in it is kept, and a backup lies beside it."""
    from store.files import connect_readonly

    try:
        connect_readonly(study).close()
    except WrongSchema:
        from store.migrations import migrate  # with it comes numpy

        _, backup = migrate(study)
        narrator.say(f"{study} was made by an older version and is brought up to date; {backup} is what it was before")


def _unpack(packed: bytes, study: Path) -> None:
    """Whole and of this program's schema, or not at all; where another process was faster, its copy stays."""
    from store.migrations import migrate
    from store.texts import unpack_file

    try:
        content = unpack_file(packed)
    except DamagedText as error:
        raise NotAStudy(f"the bundled study is damaged ({error}); install basebound again") from None
    try:
        _clean(study.parent)
        with TemporaryDirectory(dir=study.parent, prefix=_APART) as apart:
            fresh = Path(apart) / study.name
            fresh.write_bytes(content)
            migrate(fresh)  # its backup goes with the folder
            with fresh.open("rb") as file:
                os.fsync(file.fileno())
            _put(fresh, study)
    except OSError as error:
        raise StudyUnwritable(f"{study} cannot be made: {error.strerror}; {WAY_OUT}") from None


def _put(fresh: Path, study: Path) -> None:
    try:
        study.hardlink_to(fresh)  # unlike a move, it never takes the place of a copy that somebody has open
    except FileExistsError:
        return
    except OSError:  # a file system without links
        fresh.replace(study)


def _clean(folder: Path) -> None:
    """Drop what processes that were killed have left."""
    for left in folder.glob(f"{_APART}*"):
        if time.time() - left.stat().st_mtime > _LEFT_BEHIND_S:
            shutil.rmtree(left, ignore_errors=True)
