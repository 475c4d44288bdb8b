"""The document as Markdown, its pictures as .svg files beside it. Every text is escaped: no name is a link, a tag or code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from explorer.report.document import Block, Document, Grid, Picture, Points, Prose
from explorer.report.drawing import for_file
from explorer.report.wording import safe

_ACTED_ON: Final = re.compile(r"([\\`*_\[\]|~$]|^[#=]|^[+-](?=[\s-]|$)|^\d+(?=[.)](?:\s|$)))")
"""Brackets lose their meaning with the square ones, and lists and headings begin lines only: the source stays readable."""

_ADDRESS: Final = re.compile(r"(?<![^\W_])@")
"""A name after this sign is somebody's account to some readers of Markdown; pass@k is nobody's."""


def markdown(document: Document) -> str:
    """The text of report.md."""
    parts = [f"# {_text(document.title)}", _text(document.subtitle)]
    for section in document.sections:
        parts.append(f"{'#' * section.level} {_text(section.title)}")
        parts += [part for block in section.blocks for part in _block(block)]
    return "\n\n".join(parts) + "\n"


def pictures(document: Document) -> dict[str, str]:
    """The .svg files by their names, as the Markdown calls them."""
    found = (block for section in document.sections for block in section.blocks if isinstance(block, Picture))
    return {f"{one.name}.svg": for_file(one.svg, escape(safe(one.alt))) for one in found}


def _block(block: Block) -> Iterator[str]:
    match block:
        case Prose():
            yield ("> **Note:** " if block.warns else "") + _text(block.text)
        case Points():
            mark = "> - " if block.warns else "- "
            yield "\n".join(mark + _text(item) for item in block.items)
        case Grid():
            yield f"**{_text(block.title)}**"
            yield _grid(block)
            if block.note:
                yield _text(block.note)
        case Picture():
            yield f"![{_text(block.alt)}]({block.name}.svg)"
            yield f"**{_text(block.title)}.** {_text(block.caption)}  \n{_text(block.settings)}"


def _grid(grid: Grid) -> str:
    rule = ["---" if at < grid.left else "---:" for at in range(len(grid.header))]
    lines = [_row(grid.header), f"| {' | '.join(rule)} |", *(_row(row) for row in grid.rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(cell: str) -> str:
    return "<br>".join(_text(line) for line in cell.split("\n"))


def _text(text: str) -> str:
    """Backslashes before what Markdown acts on, entities for what HTML does; an address does not become a link."""
    plain = _ACTED_ON.sub(_inert, escape(safe(text), quote=False))
    return _ADDRESS.sub("&#64;", plain.replace("://", ":&#47;&#47;").replace("www.", "www&#46;"))


def _inert(found: re.Match[str]) -> str:
    """A sign with a backslash before it; after a number that would begin a list, before its point."""
    return found[0] + "\\" if found[0].isdigit() else "\\" + found[0]
