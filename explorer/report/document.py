"""What a report's document is made of, whichever format it is written in. Its text is plain, and may be anybody's: each format
makes what hides visible (`explorer.report.wording.safe`) and escapes what its own syntax would act on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph."""

    text: str
    warns: bool = False
    """Something a reader must not overlook."""


@dataclass(frozen=True, slots=True)
class Points:
    """A list of sentences."""

    items: Sequence[str]
    warns: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A small table for reading. A cell may have lines below its first, which say more of it."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    """What the columns mean, and the settings."""
    left: int = 1
    """How many columns are words, aligned to the left; the others are numbers."""
    folded: bool = False
    """Long, and looked up rather than read: closed until somebody opens it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure. Its caption says what it shows, and `settings` how that was made."""

    name: str
    """Unique in the document; of its file where it gets one."""
    svg: str
    title: str
    caption: str
    settings: str
    alt: str
    """What somebody who cannot see it should know."""


Block = Prose | Points | Grid | Picture


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    blocks: Sequence[Block]
    level: int = 2


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    subtitle: str
    sections: Sequence[Section]
