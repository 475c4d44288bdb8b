"""Output for narrow terminals: tables of at most 80 columns, and sentences in lines of the terminal's width, at most 100.

What has no room in a table is cut out of the middle of its names, for runs and problems differ at their ends. A sentence goes
on in an indented line, and so does a command, behind a backslash: it can be copied as it stands.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import accumulate
from shutil import get_terminal_size
from typing import Final

from rich.cells import cell_len

from explorer.render.text import visible

TABLE: Final = 80
"""Most columns of a table, whatever the terminal."""
_SENTENCE: Final = 100
"""Most of a sentence, and what it has where stdout is no terminal."""
_FEWEST: Final = 40
_LEAST: Final = 9
"""A name is not cut to less."""
_INDENT: Final = "  "


def width() -> int:
    """Of a line that is a sentence."""
    return max(_FEWEST, min(get_terminal_size((_SENTENCE, 24)).columns, _SENTENCE))


def wrapped(*sentences: str) -> str:
    """Each in its own lines, safe to print."""
    lines = [line for sentence in sentences for line in visible(sentence).split("\n")]
    return "".join(part + "\n" for line in lines for part in _broken(line, width()))


def command(line: str) -> str:
    """A command that goes on behind a backslash; never within an argument, however long that is."""
    most = width() - len(" \\")
    lines, now = [], ""
    for word in map(shlex.quote, shlex.split(visible(line))):
        tried = f"{now} {word}" if now.strip() else now + word
        if now.strip() and cell_len(tried) > most:
            lines.append(now)
            tried = 2 * _INDENT + word
        now = tried
    return " \\\n".join([*lines, now]) + "\n"


def narrow(header: Sequence[str], rows: Sequence[Sequence[str]], text: Sequence[int] = (0,)) -> str:
    """A table of at most 80 columns. text: columns that stand to the left, and are cut where there is no room, the widest
    first; the others hold numbers and stand to the right."""
    cells = [[visible(cell.replace("\n", "⏎")) for cell in row] for row in (header, *rows)]
    widths = _shared([max(map(cell_len, column)) for column in zip(*cells, strict=True)], text)
    lines = [
        [_pad(middle(cell, widths[i]) if i in text else cell, widths[i], i in text) for i, cell in enumerate(row)]
        for row in cells
    ]
    return "".join((" " * 2).join(line).rstrip() + "\n" for line in lines)


def middle(text: str, most: int) -> str:
    """In at most that many cells: an ellipsis stands for what is cut out of the middle."""
    if cell_len(text) <= most:
        return text
    head, tail = most // 2, most - most // 2 - 1
    end = text[::-1]
    return text[: _prefix(text, head)] + "…" + (end[: _prefix(end, tail)][::-1] if tail else "")


def _shared(widths: Sequence[int], text: Sequence[int]) -> list[int]:
    found = list(widths)
    while sum(found) + 2 * (len(found) - 1) > TABLE:
        widest = max(text, key=found.__getitem__)
        if found[widest] <= _LEAST:
            break
        found[widest] -= 1
    return found


def _broken(line: str, most: int) -> list[str]:
    lines, rest = [], line
    while cell_len(rest) > most:
        fits = _prefix(rest, most)
        at = fits if rest[fits] == " " else rest.rfind(" ", 0, fits)
        if at <= len(_INDENT):
            at = fits
        lines.append(rest[:at].rstrip())
        rest = _INDENT + rest[at:].lstrip()
    return [*lines, rest] if rest.strip() or not lines else lines


def _prefix(text: str, cells: int) -> int:
    """How many of its characters fit."""
    return sum(total <= cells for total in accumulate(map(cell_len, text)))


def _pad(cell: str, cells: int, left: bool) -> str:
    space = " " * (cells - cell_len(cell))
    return cell + space if left else space + cell
