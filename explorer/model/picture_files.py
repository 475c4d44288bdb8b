"""A plot as two files: the picture as SVG, its numbers as CSV. Named after study, benchmark, plot; never overwritten."""

from __future__ import annotations

import csv
import re
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Final

from explorer.render.plots.picture import Picture
from explorer.render.svg import svg
from explorer.render.text import one_line

_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST: Final = 60
_FORMULA: Final = ("=", "+", "-", "@")
_COLUMNS: Final = ("study", "benchmark", "plot", "place_is", "place", "series", "value", "low", "high", "unit", "made_from")


def save(picture: Picture, study: str, benchmark: str, folder: Path) -> list[Path]:
    """Write the files into the folder; their paths. Without a picture, numbers alone. Raises OSError where that cannot be."""
    texts = {".svg": svg(picture, f"{study} · {benchmark}")} if picture.is_drawn else {}
    texts[".csv"] = as_csv(picture, study, benchmark)
    stem = "-".join(filter(None, (_fit(Path(study).stem), _fit(benchmark), _fit(picture.kind)))) or "plot"
    for number in count(1):
        paths = {folder / f"{stem}{'' if number == 1 else f'-{number}'}{end}": text for end, text in texts.items()}
        if not any(path.exists() or path.is_symlink() for path in paths):
            for path, text in paths.items():
                with path.open("x", encoding="utf-8", newline="") as file:
                    file.write(text)
            return list(paths)
    raise AssertionError("there is always a free number")


def as_csv(picture: Picture, study: str, benchmark: str) -> str:
    """A row for each place and series; empty is not known. Numbers as they are, in the unit that stands beside them."""
    file = StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    made = " | ".join((*picture.notes, *picture.facts))
    before, after = (study, benchmark, picture.kind, picture.axis), (picture.unit, made)
    for place, word in enumerate(picture.places):
        for one in picture.columns:
            writer.writerow([*map(_cell, (*before, word, one.name)), *one.at(place), *map(_cell, after)])
    return file.getvalue()


def _cell(text: str) -> str:
    """A stranger's text: what hides in it is spelled out, and what a spreadsheet would take for a formula is quoted."""
    clean = one_line(text)
    return f"'{clean}" if clean.startswith(_FORMULA) and not clean[1:].replace(".", "", 1).isdecimal() else clean


def _fit(text: str) -> str:
    """As a part of a file's name."""
    return _UNFIT.sub("-", text.replace("@", "-at-")).strip("-.")[:_LONGEST]
