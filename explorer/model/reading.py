"""What the Reader shows of one trace, prepared away from the screen. No Textual here.

In two goes: `read_trace` reads the study, renders and lays out, which takes milliseconds and is what a person waits for;
`check_trace` looks for equalities and reasons, which takes up to seconds for a hostile text, and lays out again with what it
found. Both are called in workers. `Kept` holds what was prepared of the samples beside the one on the screen.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.steps import split_steps
from explorer.render.annotations import Checked, remarks
from explorer.render.heading import deciding
from explorer.render.page import Document, Page, page_of
from explorer.render.text import Expression
from store.likelihoods import is_detailed

if TYPE_CHECKING:
    from explorer.model.labels import Said
    from explorer.model.session import Session
    from explorer.model.token_shades import Tokens, Way
    from store.rows import ProblemRow, Trace
    from store.types import Model

KEPT_AT_MOST = 12
_KEPT_CHARS = 4_000_000
"""Of all kept texts together: a page takes some times its text."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image of a problem, as the study names it. It is never opened here."""

    path: str
    size: int | None
    """Bytes; None where there is no such file."""


@dataclass(frozen=True, slots=True)
class Widths:
    """Cells that a line of the response may take."""

    steps: int
    """Beside the gutter."""
    raw: int


@dataclass(frozen=True, slots=True)
class Weighed:
    """What models think of the tokens is wanted, too."""

    way: Way | None = None
    """How they are looked at, to be prepared; None where nobody knows yet."""
    beside: tuple[Model, ...] = ()
    """The models that the screen compares; none where every scorer is of interest."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One trace, ready to be shown."""

    trace: Trace
    said: Said
    document: Document
    page: Page
    width: int
    """That the page was laid out for."""
    statement: Document
    images: tuple[ImageFile, ...] = ()
    checked: Checked | None = None
    """None until it has been checked."""
    step_starts: tuple[int, ...] = ()
    detailed: bool = False
    """Some model has gone through it token by token."""
    tokens: Tokens | str | None = None
    """What models think of its tokens; a sentence where nobody can tell. None until somebody wanted it."""


def read_trace(session: Session, sample_id: int, widths: Widths, *, raw: bool, weighed: Weighed | None = None) -> Reading:
    """Everything but what checking finds; tokens where they are wanted. Raises StudyError."""
    trace = session.trace(sample_id)
    document = document_of(trace, raw=raw)
    width = widths.raw if raw else widths.steps
    images = image_files(trace.problem, session.study.path)
    starts = tuple(step.start for step in split_steps(trace.response))
    statement = _statement(trace.problem, images)
    said = session.labels.of(sample_id)
    detailed = is_detailed(session.study, sample_id)
    page = page_of(document, width)
    reading = Reading(trace, said, document, page, width, statement, images, step_starts=starts, detailed=detailed)
    return reading if weighed is None else with_tokens(session, reading, weighed)


def with_tokens(session: Session, reading: Reading, weighed: Weighed) -> Reading:
    """The same with its tokens. Raises StudyError."""
    from explorer.model.token_shades import read_tokens

    return replace(reading, tokens=read_tokens(session, reading.trace, weighed.way, weighed.beside))


def read_again(session: Session, reading: Reading, weighed: Weighed | None = None) -> Reading:
    """The same with its labels, marks and verdicts as they are now, and its tokens where wanted. Raises StudyError."""
    sample_id = reading.trace.row.sample_id
    trace = session.trace(sample_id)
    same = deciding(trace) == deciding(reading.trace) and trace.response == reading.trace.response
    if not same:
        widths = Widths(reading.width, reading.width)
        return read_trace(session, sample_id, widths, raw=reading.document.raw, weighed=weighed)
    detailed, said = is_detailed(session.study, sample_id), session.labels.of(sample_id)
    found = replace(reading, trace=trace, said=said, detailed=detailed, tokens=None)
    return found if weighed is None else with_tokens(session, found, weighed)


def check_trace(session: Session, reading: Reading) -> Reading:
    """The same with what can be checked in it. Raises StudyError."""
    from engine.luck.equalities import stated
    from engine.suspecting import suspect

    trace = reading.trace
    (found,) = suspect(session.study, [trace.row.sample_id], session.verifier)
    checked = Checked(tuple(stated(trace.response)), found.reasons, found.score)
    document = replace(reading.document, remarks=tuple(remarks(checked)))
    page = reading.page if document.raw else page_of(document, reading.width)
    return replace(reading, checked=checked, document=document, page=page)


def fits(reading: Reading, widths: Widths, *, raw: bool) -> bool:
    """Whether it can be shown as it is."""
    return raw == reading.document.raw and reading.width == (widths.raw if raw else widths.steps)


def laid_out_for(reading: Reading, widths: Widths, *, raw: bool) -> Reading:
    """The same for another width, or raw."""
    if fits(reading, widths, raw=raw):
        return reading
    width = widths.raw if raw else widths.steps
    document = replace(reading.document, raw=raw)
    return replace(reading, document=document, page=page_of(document, width), width=width)


_MARKDOWN_IMAGE: Final = re.compile(r"!\[[^\]\n]{0,200}\]\(([^()\s]{1,400})\)")


def image_files(problem: ProblemRow, study: Path) -> tuple[ImageFile, ...]:
    """The problem's images with their sizes, looked for beside the study where their paths are relative.

    Those that its file names as images, and those that its statement shows in Markdown.
    """
    shown = _MARKDOWN_IMAGE.findall(problem.statement or "")
    paths = dict.fromkeys([*problem.images, *(path for path in shown if not path.startswith("data:"))])
    return tuple(ImageFile(path, _size_of(path, study.parent)) for path in paths)


def _size_of(path: str, folder: Path) -> int | None:
    try:
        return (folder / path).stat().st_size
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return None


def document_of(trace: Trace, *, raw: bool = False) -> Document:
    """The response with its mathematics and code as they read, where these can be shown faithfully."""
    from explorer.render.code import highlighted

    verdict, text = deciding(trace), trace.response
    span = None if verdict is None else verdict.span
    return Document(text, span, raw=raw, empty="(empty response)", rendered=expressions(text), code=highlighted(text))


def _statement(problem: ProblemRow, images: Sequence[ImageFile]) -> Document:
    text = problem.statement or "no statement in this study"
    said = [f"image {image.path} ({f'{image.size:,} bytes' if image.size is not None else 'not here'})" for image in images]
    return Document("\n\n".join([text, *(["\n".join(said)] if said else [])]), steps=False, rendered=expressions(text))


def expressions(text: str) -> list[Expression]:
    """The maths of a text, as it is shown."""
    from explorer.render.maths import rendered

    return [Expression(one.start, one.end, text[one.start : one.end], one.shown, one.parts) for one in rendered(text)]


class Kept:
    """The readings used last, by sample. The event loop's own: workers never touch it."""

    def __init__(self) -> None:
        self._readings: OrderedDict[int, Reading] = OrderedDict()

    def get(self, sample_id: int) -> Reading | None:
        found = self._readings.get(sample_id)
        if found is not None:
            self._readings.move_to_end(sample_id)
        return found

    def put(self, reading: Reading) -> None:
        self._readings[reading.trace.row.sample_id] = reading
        self._readings.move_to_end(reading.trace.row.sample_id)
        while len(self._readings) > 1 and (len(self._readings) > KEPT_AT_MOST or self._chars() > _KEPT_CHARS):
            self._readings.popitem(last=False)

    def drop(self, sample_id: int | None = None) -> None:
        """Forget one sample, or all: what is kept may be another thing now."""
        if sample_id is None:
            self._readings.clear()
        else:
            self._readings.pop(sample_id, None)

    def _chars(self) -> int:
        return sum(len(reading.document.text) for reading in self._readings.values())
