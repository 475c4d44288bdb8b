"""The example that `basebound explore` opens without a study: imported, judged, in the user's data folder.

Its traces are written by a script (sample_data/make_example.py); they show the program, not a finding.
"""

from __future__ import annotations

from pathlib import Path

from explorer.commands.narration import Narrator


def data_folder() -> Path:
    """Where a user's data lie on this system."""
    from platformdirs import user_data_path

    return user_data_path("basebound", appauthor=False)


def make_folder(folder: Path) -> None:
    """Raises StudyUnwritable."""
    from store.errors import StudyUnwritable

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyUnwritable(f"the folder {folder} cannot be made: {error.strerror}; choose another with --dir") from None


def example_study(narrator: Narrator, folder: Path | None = None) -> Path:
    """The example's study, made where it is missing or unfinished. Raises BaseboundError."""
    from engine.importers.base import Options
    from engine.importing import import_file, prepare
    from explorer.commands.verify import judge_all
    from sample_data import example_path
    from store.writer import Writer

    folder = folder or data_folder()
    make_folder(folder)
    study = folder / "example.db"
    with Writer(study, "explore") as writer:
        import_file(writer, prepare(example_path(), Options()))
        judge_all(writer, narrator)
    narrator.say(f"example study: {study} (its traces are written by a script, not by a model)")
    return study
