"""A report's folder: every file written whole beside its place, then put there; what others put in the folder stays.

A folder that holds anything but an earlier report is left alone. Files of an earlier report that this one does not have are
taken away: the folder is one report.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from store.errors import BaseboundError

MARK: Final = "report.list"
"""Names the files of the report in its folder, one a line: by it a folder is known as ours."""

_APART: Final = ".report-"


def require_folder(folder: Path) -> None:
    """Raises BaseboundError where the folder cannot take a report: it is a file, or holds what no report has put there."""
    if folder.exists() and not folder.is_dir():
        raise BaseboundError(f"{folder} is a file; give another folder with --out")
    found = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    strangers = [name for name in found if name not in _ours(folder) and not name.startswith(_APART)]
    if strangers:
        raise BaseboundError(
            f"{folder} holds {strangers[0]!r}, which no report has put there; give another folder with --out, or empty this one"
        )


def write(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Put these files, by name, in the folder, made where it is missing. Returns their paths in order.

    Raises BaseboundError as `require_folder` does; OSError where the disk refuses.
    """
    require_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{_APART}*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    known = _ours(folder)
    with TemporaryDirectory(dir=folder, prefix=_APART) as scratch:
        apart = Path(scratch)
        for name, text in files.items():
            (apart / name).write_bytes(text.encode("utf-8", "replace"))
        # First a list with the names of both: stopped at any moment, the folder is known as ours.
        _list(apart, known | files.keys()).replace(folder / MARK)
        for name in files:
            (apart / name).replace(folder / name)
        for name in known - files.keys() - {MARK}:
            (folder / name).unlink(missing_ok=True)
        _list(apart, set(files)).replace(folder / MARK)
    return [folder / name for name in files]


def _list(apart: Path, names: set[str]) -> Path:
    path = apart / MARK
    path.write_text("".join(f"{name}\n" for name in sorted(names - {MARK})), encoding="utf-8")
    return path


def _ours(folder: Path) -> set[str]:
    """Names of an earlier report's files. One that leads out of the folder is no name of ours."""
    try:
        names = (folder / MARK).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return set()
    return {MARK, *(name for name in names if name and name == Path(name).name)}
