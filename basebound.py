"""Basebound's public Python face, and the entry of its command.

    import basebound
    with basebound.open("study.db") as study:
        for run in study.runs(): ...
        counts = study.frames.counts()

`open` gives the read-only `store.reader.Study` (runs, problems, counts, traces), and `study.frames` the same tables as pandas
data frames: `runs()`, `problems()`, `counts()`, `samples()`, `verdicts()`, `audits()`, `likelihoods()`, `tokens()`, each read
when it is called (engine/frames.py tells their columns). The arrays of `counts()` are what the functions of `engine.analyses`
take. sample_data/first_look.ipynb is an example with its output, on the study that `bundled` gives. Frames need pandas, which
the extra `report` brings.

The packages are called explorer, engine and store, so a folder of one of these names earlier on the path would be imported in
their place. Both ways in look first and say so in one sentence.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.frames import FramedStudy

_PACKAGES = ("explorer", "engine", "store")


def open(path: str | Path) -> FramedStudy:  # noqa: A001 - basebound.open reads like sqlite3.connect, gzip.open
    """A study, read-only. Raises store.errors.StudyError, or ImportError where our packages are hidden by others."""
    if (foreign := _foreign_package()) is not None:
        raise ImportError(foreign)
    from engine.frames import FramedStudy

    return FramedStudy(path)


def bundled() -> Path:
    """Your copy of the study that comes with the program, made where it is missing: what `basebound explore` opens.

    Raises BaseboundError where your data folder cannot be written, or ImportError as `open` does.
    """
    if (foreign := _foreign_package()) is not None:
        raise ImportError(foreign)
    from explorer.commands.bundled import bundled_study
    from explorer.commands.narration import Narrator

    return bundled_study(Narrator(quiet=True))


def main() -> int:
    """The command `basebound`."""
    if (foreign := _foreign_package()) is not None:
        sys.stderr.write(f"basebound: {foreign}\n")
        return 2
    from explorer.cli import main as run

    return run()


def _foreign_package() -> str | None:
    """A sentence about a package of ours that Python would take from elsewhere; None where all is well."""
    home = Path(__file__).resolve().parent
    for name in _PACKAGES:
        spec = importlib.util.find_spec(name)
        places = [Path(place).resolve() for place in (spec.submodule_search_locations or [])] if spec else []
        if home / name not in places:
            found = places[0] if places else (spec.origin if spec else "nowhere")
            return (
                f"Python would import '{name}' from {found}, not from basebound in {home}; "
                f"run it from another folder, unset PYTHONPATH, or install basebound in an environment of its own"
            )
    return None


if __name__ == "__main__":
    sys.exit(main())
