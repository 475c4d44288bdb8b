"""The bundled study, copied into the user's data folder, where it can be labelled."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from store.errors import BaseboundError, StudyUnwritable


def data_folder() -> Path:
    """Where a user's data lie on this system."""
    from platformdirs import user_data_path

    return user_data_path("basebound", appauthor=False)


def bundled_study(folder: Path | None = None) -> Path:
    """The copy, made where there is none. A later version's study is another file: labels of an earlier one stay there.

    Raises StudyUnwritable where it cannot be written, BaseboundError where this installation has none.
    """
    from sample_data import STUDY

    folder = folder or data_folder()
    try:
        packed = STUDY.read_bytes()
    except FileNotFoundError:
        raise BaseboundError(f"{STUDY} is missing from this installation; install basebound again") from None
    target = folder / f"bundled-{hashlib.sha256(packed).hexdigest()[:8]}.db"
    if not target.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(target, packed)
        except OSError as error:
            raise StudyUnwritable(
                f"{target} cannot be written: {error.strerror}; free some space, or open another study"
            ) from None
    return target


def _write(target: Path, packed: bytes) -> None:
    """All or nothing: a copy that was stopped is not taken for a study."""
    from store.texts import unpack_file

    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".bundled-", delete=False) as file:
        part = Path(file.name)
        try:
            file.write(unpack_file(packed))
            file.flush()
            os.fsync(file.fileno())
            part.chmod(0o644)
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
